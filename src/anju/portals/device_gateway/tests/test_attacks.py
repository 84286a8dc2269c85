"""Who means ill, or is merely broken: floods, drips, endless pieces, places taken, files used up. The others are served."""

from __future__ import annotations

import asyncio
import ipaddress
import json
import os
import resource
from pathlib import Path
from typing import Any

import pytest

from anju.portals.device_gateway import connection, fallback, http, server, spool, store, upkeep
from anju.portals.device_gateway.fallback import Fallback
from anju.portals.device_gateway.tests.conftest import SECRET, SOS, body
from anju.portals.device_gateway.tests.test_connection import request

pytestmark = [pytest.mark.req("DEV-04"), pytest.mark.timeout(240)]
Pipe = tuple[asyncio.StreamReader, asyncio.StreamWriter]


def open_files() -> int:
    """How many this process holds."""
    return sum(1 for _ in Path("/proc/self/fd").iterdir())


async def join(h: Any) -> Pipe:
    """A connection of one's own."""
    return await asyncio.open_connection("127.0.0.1", h.gateway.settings.port)


async def answer(pipe: Pipe, seconds: float = 5) -> tuple[int, bytes]:
    """The next answer: status and text."""
    async with asyncio.timeout(seconds):
        head = (await pipe[0].readuntil(b"\r\n\r\n")).decode().lower()
        length = int(head.partition("content-length:")[2].split("\r\n")[0])
        return int(head.split()[1]), await pipe[0].readexactly(length)


@pytest.mark.asyncio
async def test_a_flood_of_refused_requests_fills_no_memory_and_stops_nobody(house: Any) -> None:
    async with house() as h:
        flood = request(secret="no") * 15_000  # 3 MB in one go
        pipe = await join(h)
        most = told = 0

        async def read() -> None:
            nonlocal told
            while told < 15_000:
                told += (await pipe[0].read(1 << 20)).count(b"HTTP/1.1 401")

        reading = asyncio.create_task(read())
        pipe[1].write(flood)
        served = 0
        while not reading.done():
            most = max([most, *(len(c._buffer) for c in h.gateway.door.connections)])
            if served < 5:
                async with asyncio.timeout(30):
                    assert await h.post(SOS, imei=f"8600000000{served:05d}") == 200
                served += 1
            await asyncio.sleep(0)
        await reading
        assert most < 1_000_000, "what is not answered yet waits at its sender"
        assert served == 5
        assert h.gateway.counters.rejected["unauthenticated"] == 15_000
        pipe[1].write(request())
        assert (await answer(pipe))[0] == 200, "and the connection goes on"


@pytest.mark.asyncio
async def test_one_who_reads_no_answers_is_not_heard_and_gives_up_its_place(house: Any) -> None:
    async with house(connections=2) as h:
        await h.client.aclose()
        deaf = await join(h)
        deaf[1].transport.pause_reading()
        deaf[1].write(b"GET /metrics HTTP/1.1\r\n\r\n" * 4_000)
        await h.until(lambda: any(c._unread for c in h.gateway.door.connections))
        held = next(c for c in h.gateway.door.connections if c._unread)
        assert len(held._buffer) < 1_000_000
        h.gateway.door.sweep()
        others = [await join(h) for _ in range(3)]
        await h.until(lambda: held.transport is None)
        for other in others[-2:]:
            other[1].write(request(SOS))
            assert (await answer(other))[0] == 200


@pytest.mark.asyncio
async def test_a_place_is_taken_from_who_was_silent_longest(house: Any) -> None:
    async with house(connections=3) as h:
        await h.client.aclose()
        await h.until(lambda: not h.gateway.door.connections)
        operator, silent = await join(h), await join(h)
        drip = await join(h)
        drip[1].write(b"POST /ctwing HTTP/1.1\r\nX-Slow: ")
        await h.until(lambda: any(c._buffer for c in h.gateway.door.connections))
        for _ in range(2):
            h.gateway.door.sweep()
        operator[1].write(request())
        assert (await answer(operator))[0] == 200
        late = [await join(h) for _ in range(2)]
        assert await silent[0].read() == b"", "it leaves"
        assert await drip[0].read() == b"", "also one that never comes to an end"
        operator[1].write(request(SOS))
        assert (await answer(operator))[0] == 200, "who speaks stays, however early it came"
        late[1][1].write(request(SOS))
        assert (await answer(late[1]))[0] == 200


@pytest.mark.asyncio
async def test_a_drip_is_ended_and_pieces_have_an_end(house: Any) -> None:
    async with house(body_limit=0.3, max_body=1_000) as h:
        slow = await join(h)
        slow[1].write(b"POST /ctwing HTTP/1.1\r\nX: ")
        status, text = await answer(slow)
        assert status == 408
        assert "超时" in json.loads(text)["error"]
    async with house(max_body=1_000) as h:
        head = f"POST /ctwing/{SECRET} HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n".encode()
        for endless in (b"1;" + b"x" * 20_000 + b"\r\na\r\n", b"1\r\na\r\n0\r\n" + b"X: y\r\n" * 4_000):
            pipe = await join(h)
            pipe[1].write(head + endless)
            assert (await answer(pipe))[0] == 413
        assert not await h.rows()


@pytest.mark.asyncio
async def test_who_asks_first_with_a_wrong_secret_hears_it_at_once(house: Any) -> None:
    async with house() as h:
        pipe = await join(h)
        pipe[1].write(b"POST /ctwing/no HTTP/1.1\r\nExpect: 100-continue\r\nContent-Length: 500\r\n\r\n")
        assert (await answer(pipe, 2))[0] == 401
        pipe[1].write(b"x" * 500)
        assert await pipe[0].read() == b"", "the connection ends: nobody knows whether a body follows"


@pytest.mark.asyncio
async def test_an_offer_to_speak_http_2_is_passed_over(house: Any) -> None:
    offer = "Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABkAAQAAP__\r\n"
    async with house() as h:
        pipe = await join(h)
        pipe[1].write(request(SOS, more=offer))
        assert (await answer(pipe))[0] == 200
        pipe = await join(h)
        pipe[1].write(f"GET /healthz HTTP/1.1\r\n{offer}\r\n".encode())
        assert (await answer(pipe))[0] == 200
        assert len(await h.rows()) == 1


@pytest.mark.asyncio
async def test_a_question_for_the_head_alone_does_not_shift_what_follows(house: Any) -> None:
    async with house() as h:
        pipe = await join(h)
        pipe[1].write(b"HEAD /healthz HTTP/1.1\r\n\r\n")
        head = (await asyncio.wait_for(pipe[0].read(), 30)).partition(b"\r\n\r\n")[0]
        assert head.startswith(b"HTTP/1.1 200")
        assert b"connection: close" in head


@pytest.mark.asyncio
async def test_a_fault_of_ours_leaves_nothing_half_accepted(house: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    made = 0

    def second_fails(*args: Any) -> bytes:
        nonlocal made
        made += 1
        if made == 2:
            raise OverflowError("a number that fits nowhere")
        return head_of(*args)

    head_of = http.head_of
    many = [{"device": f"8{i}", "data": {"SOS": 1}} for i in range(3)]
    async with house() as h:
        with monkeypatch.context() as m:
            m.setattr(http, "head_of", second_fails)
            given = await h.client.post("/generic", json=many, headers={"X-Anju-Secret": SECRET})
        assert given.status_code == 503
        assert (h.gateway.door.pending, h.gateway.door.pending_bytes, h.gateway.store.pending) == (0, 0, 0)
        assert not await h.rows()
        given = await h.client.post("/generic", json=many, headers={"X-Anju-Secret": SECRET})
        assert given.status_code == 200
        assert (h.gateway.door.pending, h.gateway.door.pending_bytes) == (0, 0)
        assert len(await h.rows()) == 3


@pytest.mark.asyncio
async def test_each_message_of_a_body_counts_with_the_memory_it_takes(house: Any) -> None:
    async with house(max_pending_bytes=10_000, patience=20.0, commit_limit=20.0) as h:
        h.wire.stall = True
        many = [{"device": f"8{i}", "data": {"Motion_Status": 1}} for i in range(40)]
        first = asyncio.create_task(h.client.post("/generic", json=many, headers={"X-Anju-Secret": SECRET}))
        await h.until(lambda: h.gateway.door.pending == 40)
        assert h.gateway.door.pending_bytes > 10_000, "40 rows of half a kB and the body once"
        assert await h.post(SOS) == 503
        h.wire.back()
        assert (await first).status_code == 200


@pytest.mark.asyncio
async def test_an_address_in_the_form_of_ipv6_is_the_same_address(house: Any) -> None:
    async with house(sources=(ipaddress.ip_network("127.0.0.0/8"),)) as h:
        assert await h.post(SOS) == 200
        assert h.gateway.door._from_there("::ffff:127.0.0.1")
        assert not h.gateway.door._from_there("::ffff:10.0.0.1")
        assert not h.gateway.door._from_there("::1")


def test_a_full_disk_uses_up_no_files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(fd: int) -> None:
        raise OSError(28, "no space left on device")

    folder = tmp_path / "spool"
    with monkeypatch.context() as m:
        m.setattr(spool.os, "fsync", full)
        before = open_files()
        for _ in range(20):
            with pytest.raises(spool.SpoolFull):
                spool.create(folder, urgent=True, gateway="g")
        assert open_files() == before
        assert not list(folder.iterdir())
    segment = spool.create(folder, urgent=True, gateway="g")
    assert [p.name for p in folder.iterdir()] == [segment.path.name]
    segment.close()


def test_a_draft_of_the_dead_is_thrown_away_and_one_of_the_living_is_not(tmp_path: Path) -> None:
    for name, age in (("plain-old.draft", 5_000), ("plain-new.draft", 0), ("SOS-WAITING.draft", 5_000)):
        path = tmp_path / name
        path.write_bytes(b"{")
        os.utime(path, (path.stat().st_mtime - age,) * 2)
    assert spool.adopt(tmp_path) == []
    assert {p.name for p in tmp_path.iterdir()} == {"plain-new.draft", "SOS-WAITING.draft"}


def test_there_are_files_enough_for_all_connections(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[tuple[int, int]] = []
    limits = {"now": (1_024, 1_048_576)}
    monkeypatch.setattr(resource, "getrlimit", lambda _: limits["now"])
    monkeypatch.setattr(resource, "setrlimit", lambda _, wanted: asked.append(wanted))
    assert server.enough_files(2_000) == 3_000
    assert asked == [(3_000, 1_048_576)]
    limits["now"] = (1_024, 2_048)
    assert server.enough_files(2_000) == 2_048, "as many as there are; the doors take fewer"


@pytest.mark.asyncio
async def test_the_page_for_a_waiting_sos_is_tried_again_until_one_gets_through(
    house: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(fallback, "AGAIN", 0.2)
    async with house() as h:  # no address is configured, so each page fails at once
        h.wire.away()
        assert await h.post(SOS) == 200
        await h.until(lambda: h.gateway.store.fallback.failed >= 3)
        h.wire.back()
        await h.until(lambda: not h.spooled and not h.gateway.store.fallback.waiting)
    told = Fallback(tmp_path / "x", "http://127.0.0.1:1/")
    monkeypatch.setattr(told, "_post", lambda _: None)
    told.sos(1)
    async with asyncio.timeout(30):
        await asyncio.gather(*told._tasks)
    await asyncio.sleep(0.3)  # longer than AGAIN
    told.remind()
    assert not told._tasks
    assert (told.sent, told.failed) == (1, 0), "somebody was reached: not again every minute"


@pytest.mark.asyncio
async def test_a_keeper_that_dies_ends_the_process_and_upkeep_does_not_die(
    house: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def dies() -> None:
        raise RuntimeError("a fault of ours")

    ended: list[int] = []
    with monkeypatch.context() as m:
        m.setattr(store.os, "_exit", ended.append)
        store.keep(dies())
        await asyncio.sleep(0.05)
        assert ended == [70]
        async with house() as h:
            rounds = 0

            async def breaks(_conn: Any) -> None:
                nonlocal rounds
                rounds += 1
                raise KeyError("a row that nobody foresaw")

            m.setattr(upkeep, "make_partitions", breaks)
            m.setattr(connection.Connection, "overdue", lambda _: 1 / 0)
            (await join(h))[1].write(b"P")
            await h.until(lambda: h.gateway.door.connections)
            for c in h.gateway.door.connections:
                c.until = 0.001
            await h.until(lambda: rounds >= 2)
            assert await h.post(SOS) == 200
        assert ended == [70], "neither upkeep nor the sweep died of it"


@pytest.mark.asyncio
async def test_a_bell_that_is_never_answered_makes_no_lane_deaf(house: Any) -> None:
    """The way to the database dies without a word just after a commit, while only the bell is on its way."""
    async with house() as h:
        h.wire.swallow_after = b"anju_heard"
        assert await h.post(SOS) == 200
        await h.until(lambda: h.wire.swallow)
        answered = await asyncio.wait_for(
            h.client.post("/ctwing", json=body(SOS, imei="87"), headers={"X-Anju-Secret": SECRET}), 10
        )
        assert answered.status_code == 200
        assert h.gateway.store.fallback.waiting == 1
        h.wire.back()
        h.wire.cut()
        await h.until(lambda: not h.spooled)
        assert sorted(r[0] for r in await h.rows()) == ["861000000000011", "87"]
