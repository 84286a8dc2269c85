"""Several processes at one port: told as one, nobody's words lost when one of them ends."""

from __future__ import annotations

import asyncio
import contextlib
import json
import re
import socket
import time
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from anju.ops.home import read_json, write_private
from anju.portals.device_gateway import siblings as together
from anju.portals.device_gateway.counters import Counters
from anju.portals.device_gateway.fallback import Fallback
from anju.portals.device_gateway.siblings import Siblings
from anju.portals.device_gateway.tests.conftest import MOTION, SECRET, SOS, body, free_port
from anju.portals.device_gateway.tests.test_mqtt import broker, say  # noqa: F401 - a fixture

pytestmark = [pytest.mark.req("DEV-04")]


@contextlib.asynccontextmanager
async def two(house: Any, **changes: Any) -> AsyncIterator[tuple[Any, Any]]:
    """Two gateways as two processes have it: one port, one home."""
    port = free_port()
    async with (
        house(port=port, processes=2, number=1, **changes) as first,
        house(port=port, processes=2, number=2, **changes) as second,
    ):
        yield first, second


async def call(h: Any, payload: Any, n: int) -> None:
    """By a connection of its own, so that the kernel chooses who hears it."""
    async with httpx.AsyncClient(base_url=h.url, timeout=60) as client:
        answer = await client.post("/ctwing", json=body(payload, imei=f"89{n:013d}"), headers={"X-Anju-Secret": SECRET})
        assert answer.status_code == 200


def value(text: str, name: str) -> float:
    """One figure of the metrics."""
    found = re.search(rf"^anju_gateway_{re.escape(name)} (\S+)$", text, re.MULTILINE)
    assert found, name
    return float(found[1])


@pytest.mark.asyncio
async def test_two_processes_at_one_port_are_told_as_one(house: Any) -> None:
    async with two(house) as (first, second):
        for n in range(24):
            await call(first, SOS if n % 4 == 0 else MOTION, n)
        assert await call(first, SOS, 0) is None  # the same press once more, to whomever
        heard = [h.gateway.counters.acked for h in (first, second)]
        assert sum(heard) == 25
        assert all(heard), "the kernel deals connections out"
        for h in (first, second):
            h.gateway._tell()
        for h in (first, second):  # whoever is asked answers for both
            door = h.gateway.door
            text = door.siblings.metrics(door.health(), door.gauges_now())
            assert value(text, "acked_total") == 25
            assert value(text, 'received_total{source="ctwing"}') == 25
            assert value(text, "urgent_total") == 7
            assert (value(text, "lanes"), value(text, "lanes_ready"), value(text, "processes_up")) == (4, 4, 2)
            assert [value(text, f'process_acked_total{{process="{n}"}}') for n in (1, 2)] == heard
            assert 'lane_pending{lane="urgent-2"}' in text
            health = door.siblings.health(door.health())
            assert health["status"] == "ok"
            assert set(health["lanes"]) == {"plain", "urgent", "plain-2", "urgent-2"}
        rows = await first.rows("uid, id >> 40, dedup")
        assert len(rows) == 25
        assert len({row[0] for row in rows}) == 25
        assert len({row[1] for row in rows}) == 4, "each process has its own lanes"
        assert len({bytes(row[2]) for row in rows}) <= 25
        await first.gapless()
        upkeep = "SELECT messages FROM signals_source WHERE source = 'ctwing'"
        await first.until(lambda: _told(first, upkeep, 25))


async def _told(h: Any, query: str, count: int) -> bool:
    return await h.query(query) == [(count,)]


@pytest.mark.asyncio
async def test_a_dead_process_shows_and_what_it_counted_stays(house: Any) -> None:
    async with house(processes=2, number=1) as h:
        mine = h.gateway.door.siblings
        door = h.gateway.door
        health = door.siblings.health(door.health())
        assert health["status"] == "degraded", "the second never came up"
        assert health["processes"][1] == {"number": 2, "up": False, "status": "gone"}
        other = Siblings(mine_settings(h, 2), counted := Counters())
        counted.acked, counted.received["ctwing"] = 7, 7
        other.tell(door.health(), door.gauges_now())
        assert await h.post(MOTION) == 200
        text = (await h.client.get("/metrics")).text
        assert (value(text, "acked_total"), value(text, "processes_up")) == (8, 2)
        path = h.gateway.settings.home / "run" / "gateway-2.json"
        said = read_json(path)
        write_private(path, said | {"started": said["started"] + 1})  # killed: nobody of that start runs any more
        text = (await h.client.get("/metrics")).text
        assert (value(text, "acked_total"), value(text, "processes_up")) == (8, 1)
        assert value(text, 'process_up{process="2"}') == 0
        assert (value(text, "lanes"), value(text, "lanes_ready")) == (4, 2)
        assert (await h.client.get("/healthz")).json()["status"] == "degraded"
        write_private(path, said | {"at": said["at"] - together.FRESH})  # it lives, and its loop does not
        assert value((await h.client.get("/metrics")).text, 'process_up{process="2"}') == 0
        again = Siblings(mine_settings(h, 2), anew := Counters())
        again.begin()
        assert anew.acked == 7, "started again it goes on from there: a sum never falls"
        write_private(path, said | {"pid": "?", "health": []})
        assert (await h.client.get("/healthz")).status_code == 200, "odd words of a sibling make nobody deaf"
        write_private(path, said | {"run": [1, 1]})  # of an earlier start of the platform
        again = Siblings(mine_settings(h, 2), anew := Counters())
        again.begin()
        assert anew.acked == 0
        assert mine.leads


def mine_settings(h: Any, number: int) -> Any:
    """The settings of a sibling."""
    from dataclasses import replace

    return replace(h.gateway.settings, number=number)


@pytest.mark.asyncio
async def test_who_ends_answers_those_that_the_kernel_had_dealt_to_it(house: Any) -> None:
    """They are connected and have spoken before the process looks at them, and it is told to end just then."""
    async with two(house) as (first, second):
        text = json.dumps(body(MOTION)).encode()
        head = f"POST /ctwing HTTP/1.1\r\nHost: x\r\nX-Anju-Secret: {SECRET}\r\nContent-Length: {len(text)}\r\n\r\n"
        request = head.encode() + text
        kept = [await asyncio.open_connection("127.0.0.1", first.gateway.settings.port) for _ in range(8)]
        ended = asyncio.create_task(second.gateway.stop())
        calls = []
        for _ in range(24):  # no turn of the loop in between: both have them in the kernel's queue
            one = socket.create_connection(("127.0.0.1", first.gateway.settings.port))
            one.sendall(request)
            calls.append(one)
        await asyncio.sleep(0)
        for reader, writer in kept:  # and those that were there before
            writer.write(request)
            assert (await asyncio.wait_for(reader.readline(), 5)).startswith(b"HTTP/1.1 200")
        left = 0
        for one in calls:
            one.setblocking(False)
            answer = await asyncio.wait_for(asyncio.get_running_loop().sock_recv(one, 4096), 5)
            assert answer.startswith(b"HTTP/1.1 200"), answer
            left += b"connection: close" in answer
            one.close()
        assert 0 < left < 24, "those of the one that ends are asked to come by a new connection"
        for _, writer in kept:
            writer.close()
        await ended
        assert first.gateway.counters.acked + second.gateway.counters.acked == 32
        for n in range(8):
            await call(first, MOTION, n)
        assert first.gateway.counters.acked + second.gateway.counters.acked == 40
        assert len(await first.rows()) == 40


@pytest.mark.asyncio
@pytest.mark.req("SEN-03")
async def test_fewer_processes_bring_back_what_more_of_them_had_spooled(house: Any) -> None:
    async with two(house) as (first, second):
        for h in (first, second):
            h.wire.away()
        await asyncio.gather(*(call(first, SOS if n % 3 == 0 else MOTION, n) for n in range(24)))
        assert all(h.gateway.counters.spooled for h in (first, second)), "each has files of its own"
        assert first.spooled >= 3
        assert first.gateway.store.fallback.waiting == 8 == second.gateway.store.fallback.waiting
        for h in (second, first):
            await h.gateway.stop()
    async with house() as h:
        await h.until(lambda: not h.spooled)
        await h.until(lambda: not h.gateway.store.fallback.waiting)
        assert len({row[0] for row in await h.rows()}) == 24
        await h.gapless()


@pytest.mark.asyncio
@pytest.mark.broker
async def test_one_process_hears_mqtt_and_another_takes_over(house: Any, broker: int) -> None:  # noqa: F811
    async with two(house, mqtt_url=f"mqtt://127.0.0.1:{broker}/anju-test") as (first, second):
        await first.until(lambda: first.gateway.door.gauges.get("mqtt_connected") == 1.0)
        await say(broker, "861000000000771", {"SOS": 1})
        await first.until(lambda: first.gateway.counters.acked == 1)
        assert second.gateway._broker is None
        first.gateway._tell()
        door = second.gateway.door
        assert door.siblings.health(door.health())["mqtt"], "it knows that the other one hears"
        await first.gateway.stop()
        await say(broker, "861000000000772", {"SOS": 1})  # perhaps while nobody hears: the broker keeps it
        await second.until(lambda: second.gateway.counters.acked == 1)
        assert sorted(row[0] for row in await second.rows()) == ["861000000000771", "861000000000772"]


@pytest.mark.asyncio
@pytest.mark.req("SEN-03")
async def test_processes_page_as_one_and_no_press_is_forgotten(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pages: list[int] = []
    now = {"at": time.time()}
    monkeypatch.setattr("anju.portals.device_gateway.fallback.time.time", lambda: now["at"])
    both = [Fallback(tmp_path, "http://127.0.0.1:1/") for _ in range(2)]
    for one in both:
        monkeypatch.setattr(one, "_post", lambda text: pages.append(json.loads(text)["waiting"]))

    async def settle() -> None:
        for one in both:
            await asyncio.gather(*one._tasks)

    both[0].sos(1)
    await settle()
    both[1].sos(2)
    await settle()
    assert pages == [1], "at most one a minute, of all processes"
    assert [one.waiting for one in both] == [3, 3]
    for _ in range(2):
        for one in both:
            one.remind()
    await settle()
    assert pages == [1]
    now["at"] += 61
    for _ in range(2):
        for one in both:
            one.remind()
    await settle()
    assert pages == [1, 3], "two more had called since, and one page tells of them"
    now["at"] += 61
    for one in [*both, Fallback(tmp_path, "")]:
        one.remind()
    assert pages == [1, 3], "somebody was reached for all of them"
    both[0].clear(lambda: True)  # the other one has just written an urgent file
    assert both[1].waiting == 3
    both[0].clear(lambda: False)
    assert both[1].waiting == 0
