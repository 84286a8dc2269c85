"""A real mosquitto: a message is acknowledged to the broker only when it is safe, and what was said while we were away
is heard afterwards.
"""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import aiomqtt
import pytest
from django.conf import settings
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.reasoncodes import ReasonCode

from anju.portals.device_gateway import mqtt, spool
from anju.portals.device_gateway.doors import doors
from anju.portals.device_gateway.tests.conftest import free_port

pytestmark = [pytest.mark.asyncio, pytest.mark.broker, pytest.mark.req("DEV-04")]
MOSQUITTO = "/usr/sbin/mosquitto"


@pytest.fixture
def broker(tmp_path: Path) -> Iterator[int]:
    """A broker of its own on a free port."""
    if not Path(MOSQUITTO).exists():
        pytest.skip("mosquitto is not installed")
    port = free_port()
    conf = tmp_path / "mosquitto.conf"
    conf.write_text(f"listener {port} 127.0.0.1\nallow_anonymous true\nmax_queued_messages 10000\n")
    process = subprocess.Popen([MOSQUITTO, "-c", str(conf)], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    yield port
    process.terminate()
    process.wait(60)


async def say(port: int, imei: str, data: Any, *, raw: bytes | None = None) -> None:
    """A device publishes."""
    payload = raw if raw is not None else json.dumps(data).encode()
    async with aiomqtt.Client("127.0.0.1", port) as client:
        await client.publish(f"anju/phone-4g1/{imei}/up", payload, qos=1)


async def connected(h: Any) -> None:
    """The gateway has subscribed."""
    await h.until(lambda: h.gateway.door.gauges.get("mqtt_connected") == 1.0)


async def test_a_phone_calls_for_help_by_mqtt(house: Any, broker: int) -> None:
    async with house(mqtt_url=f"mqtt://127.0.0.1:{broker}/anju-test") as h:
        await connected(h)
        await say(broker, "861000000000777", {"t": 1763683200000, "data": {"SOS": 1, "Battery_Level": 40}})
        await say(broker, "861000000000778", None, raw=b"\x00\xffnonsense")
        await h.until(lambda: h.gateway.counters.acked == 2)
        rows = {r[0]: (r[1], r[2]) for r in await h.rows("device_key, n, source")}
        assert rows == {"861000000000777": (1, "mqtt"), "861000000000778": (0, "mqtt")}
        assert await h.query(
            "SELECT count(*) FROM signals_message m JOIN signals_lane l ON l.id = m.id >> 40 WHERE l.urgent"
        ) == [(1,)]
        assert (await h.client.get("/healthz")).json()["mqtt"] is True


async def test_what_is_not_safe_is_not_acknowledged_and_comes_again(
    house: Any, broker: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    from anju.portals.device_gateway import spool

    url = f"mqtt://127.0.0.1:{broker}/anju-test"
    async with house(mqtt_url=url) as h:
        await connected(h)

        def full(*args: Any, **kwargs: Any) -> None:
            raise spool.SpoolFull("no space left")

        with monkeypatch.context() as m:
            m.setattr(spool, "append", full)
            h.wire.away()
            await asyncio.sleep(1.0)
            await say(broker, "861000000000779", {"SOS": 1})
            await h.until(lambda: h.gateway.store.disk_full)
            assert h.gateway.counters.acked == 0
    await say(broker, "861000000000780", {"SOS": 1})  # while nobody listens
    async with house(mqtt_url=url) as h:
        await h.until(lambda: h.gateway.counters.acked >= 2)
        assert {r[0] for r in await h.rows("device_key")} == {"861000000000779", "861000000000780"}


async def test_the_broker_may_go_and_come(house: Any, broker: int) -> None:
    async with house(mqtt_url=f"mqtt://127.0.0.1:{free_port()}/x") as h:
        assert await h.post({"Alarm_Status": 1}) == 200, "without its broker the gateway serves"
        assert (await h.client.get("/healthz")).json()["mqtt"] is False


@pytest.mark.timeout(180)  # a whole Django starts for it
async def test_the_telephones_of_the_virtual_town_are_understood(house: Any, broker: int, tmp_path: Path) -> None:
    """`anju simulate` as it is started by hand, with a real mosquitto between its 4G telephones and the gateway."""
    async with house(mqtt_url=f"mqtt://127.0.0.1:{broker}/anju-test") as h:
        await connected(h)
        mqtt = {"host": "127.0.0.1", "port": broker, "user": "", "password": "", "topic": "anju/{product}/{imei}/up"}
        run_file = tmp_path / "run.json"
        run_file.write_text(json.dumps({"gateway": doors(h.url), "mqtt": mqtt}))
        told = ["--run-file", str(run_file), "--duration=6", "--speed=7200", "--homes=40", "--calm", "--sos-every=0.4"]
        manage = str(settings.BASE_DIR / "manage.py")
        town = await asyncio.create_subprocess_exec(sys.executable, manage, "simulate", *told, stdout=subprocess.PIPE)
        summary, _ = await town.communicate()
        assert town.returncode == 0, summary.decode()
        await h.until(lambda: h.gateway.counters.acked == sum(h.gateway.counters.received.values()))
        heard = {source: (count, least) for source, count, least in await h.query(
            "SELECT source, count(*), min(n) FROM signals_message GROUP BY source")}  # fmt: skip
        assert heard["mqtt"][0] == h.gateway.counters.received["mqtt"] >= 1
        assert {"ctwing", "onenet", "mqtt"} == set(heard)
        assert all(least >= 1 for _, least in heard.values()), "every body says something"


async def test_what_nobody_could_keep_is_tried_again_without_a_new_connection(
    house: Any, broker: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A broker sends again only after a reconnect, and nothing more while some twenty messages are open."""

    def full(*_args: Any, **_more: Any) -> None:
        raise spool.SpoolFull("no space left on device")

    monkeypatch.setattr(mqtt, "AGAIN", 0.2)
    async with house(mqtt_url=f"mqtt://127.0.0.1:{broker}/anju-full") as h:
        await connected(h)
        with monkeypatch.context() as m:
            m.setattr(spool, "append", full)
            h.wire.away()
            for i in range(30):
                await say(broker, f"8610000000009{i:02d}", {"SOS": 1})
            await h.until(lambda: h.gateway.store.disk_full)
            await asyncio.sleep(0.5)
            assert h.gateway.counters.acked == 0
        h.wire.back()
        await h.until(lambda: h.gateway.counters.acked == 30)
        await h.until(lambda: not h.spooled)
        assert {r[0] for r in await h.rows()} == {f"8610000000009{i:02d}" for i in range(30)}


async def test_a_subscription_that_the_broker_refuses_is_not_called_connected(house: Any, broker: int) -> None:
    async with house(mqtt_url=f"mqtt://127.0.0.1:{broker}/anju-refused") as h:
        await connected(h)
        client = h.gateway._broker._client
        client.on_subscribe(client, None, 1, [ReasonCode(PacketTypes.SUBACK, identifier=0x80)], None)
        await h.until(lambda: h.gateway.door.gauges["mqtt_connected"] == 0.0)
        assert (await h.client.get("/healthz")).json()["mqtt"] is False
