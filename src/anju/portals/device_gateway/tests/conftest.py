"""A real gateway on a free port before a real PostgreSQL, with a wire between them that a test can cut at any byte."""

from __future__ import annotations

import asyncio
import contextlib
import json
import socket
import time
from collections.abc import AsyncIterator, Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import httpx
import psycopg
import pytest
import uvloop
from django.db import connection
from psycopg.conninfo import conninfo_to_dict, make_conninfo

from anju.portals.device_gateway.server import Gateway
from anju.portals.device_gateway.settings import GatewaySettings

SECRET = "ctwing-of-the-tests-0123456789abcdef"
TABLES = "signals_message, signals_signal, signals_seen, signals_lane, signals_cursor, signals_source"


def free_port() -> int:
    """A port of loopback that nobody has now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


class Wire:
    """A TCP way to the database. `cut()` breaks it, `refuse` lets nobody in; `swallow` keeps the server's answers back (the
    commit happens, nobody hears of it); `stall` keeps back what the gateway says.
    """

    def __init__(self, host: str, port: int) -> None:
        self.host, self.port = host, port
        self.listen = free_port()
        self.refuse = self.swallow = self.stall = False
        self.swallow_after: bytes = b""  # begin to swallow when the gateway has sent this
        self._writers: set[asyncio.StreamWriter] = set()
        self._server: asyncio.Server | None = None

    async def start(self) -> None:
        """Listen."""
        self._server = await asyncio.start_server(self._join, "127.0.0.1", self.listen)

    async def _join(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if self.refuse:
            writer.close()
            return
        there, back = await asyncio.open_connection(self.host, self.port)
        self._writers |= {writer, back}
        with contextlib.suppress(OSError, asyncio.CancelledError):
            await asyncio.gather(self._up(reader, back), self._down(there, writer))

    async def _up(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while data := await reader.read(65536):
            if self.swallow_after and self.swallow_after in data:
                self.swallow = True
            while self.stall:  # noqa: ASYNC110 - a test's knob
                await asyncio.sleep(0.02)
            writer.write(data)
            await writer.drain()
        writer.close()

    async def _down(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while data := await reader.read(65536):
            if not self.swallow:
                writer.write(data)
                await writer.drain()
        writer.close()

    def cut(self) -> None:
        """Every connection breaks."""
        for writer in self._writers:
            writer.transport.abort()
        self._writers.clear()

    def away(self) -> None:
        """The database is away."""
        self.refuse = True
        self.cut()

    def back(self) -> None:
        """It is back."""
        self.refuse = self.swallow = self.stall = False
        self.swallow_after = b""

    async def stop(self) -> None:
        """Close."""
        self.cut()
        if self._server is not None:
            self._server.close()


def body(
    payload: Any, *, imei: str = "861000000000011", at: int | None = None, product: str = "15001001", **more: Any
) -> dict[str, Any]:
    """A CTWing dataReport."""
    return {
        "upPacketSN": -1, "upDataSN": -1, "topic": "v1/up/ad19", "timestamp": at or time.time_ns() // 1_000_000, "tenantId": "10000001",
        "serviceId": "Alarm", "protocol": "lwm2m", "productId": product, "payload": payload, "messageType": "dataReport",
        "deviceType": "", "deviceId": f"d{imei}", "assocAssetId": "", "IMSI": "undefined", "IMEI": imei, **more,
    }  # fmt: skip


SOS = {"serviceId": "Alarm", "serviceData": {"Alarm_Status": 1, "Battery_Level": 87}}
MOTION = {"serviceId": "Motion", "serviceData": {"Motion_Status": 1, "Battery_Level": 87}}


class House:
    """A gateway under test and what a sender and an onlooker can do."""

    def __init__(self, gateway: Gateway, wire: Wire, direct: str) -> None:
        self.gateway, self.wire, self.direct = gateway, wire, direct
        self.url = f"http{'s' if gateway.settings.tls_cert else ''}://127.0.0.1:{gateway.settings.port}"
        limits = httpx.Limits(max_connections=200)
        self.client = httpx.AsyncClient(base_url=self.url, timeout=60, limits=limits, verify=False)  # noqa: S501

    async def post(self, payload: Any, **more: Any) -> int:
        """Send a CTWing body; the status."""
        answer = await self.client.post("/ctwing", json=body(payload, **more), headers={"X-Anju-Secret": SECRET})
        return answer.status_code

    async def rows(self, what: str = "device_key, uid, n, raw", where: str = "true") -> list[tuple[Any, ...]]:
        """What the log holds, in the order of ids."""
        async with await psycopg.AsyncConnection.connect(self.direct) as conn:
            cursor = await conn.execute(f"SELECT {what} FROM signals_message WHERE {where} ORDER BY id")  # noqa: S608
            return await cursor.fetchall()

    async def stored(self, least: int) -> bool:
        """Whether the log holds so many."""
        return len(await self.rows()) >= least

    async def query(self, sql: str) -> list[tuple[Any, ...]]:
        """Anything else."""
        async with await psycopg.AsyncConnection.connect(self.direct, autocommit=True) as conn:
            return await (await conn.execute(sql)).fetchall()

    async def execute(self, sql: str) -> None:
        """A statement without rows."""
        async with await psycopg.AsyncConnection.connect(self.direct, autocommit=True) as conn:
            await conn.execute(sql)

    async def until(self, true: Callable[[], Any], seconds: float = 45) -> None:
        """Wait for something to become true."""
        limit = asyncio.get_running_loop().time() + seconds
        while True:
            value = true()
            if asyncio.iscoroutine(value):
                value = await value
            if value:
                return
            if asyncio.get_running_loop().time() > limit:
                raise AssertionError(f"did not become true: {json.dumps(self.gateway.door.health())}")
            await asyncio.sleep(0.02)

    @property
    def spooled(self) -> int:
        """Files that wait."""
        return len(list(self.gateway.settings.spool.glob("*.spool")))

    async def gapless(self) -> None:
        """Every lane's numbers are consecutive from 1: the ledger's evidence that nothing is gone."""
        for lane, count, most in await self.query(
            "SELECT id >> 40, count(*), max(id & ((1::bigint << 40) - 1)) FROM signals_message GROUP BY 1"
        ):
            assert count == most, f"lane {lane} has a gap"


def pytest_asyncio_loop_factories() -> dict[str, Callable[[], asyncio.AbstractEventLoop]]:
    """The loop of the real process: its transports differ from asyncio's own."""
    return {"uvloop": uvloop.new_event_loop}


@pytest.fixture
def house(transactional_db: None, tmp_path: Path) -> Callable[..., contextlib.AbstractAsyncContextManager[House]]:
    """`async with house() as h:` – a gateway, its wire, a client. Changes to the settings as keywords."""
    with connection.cursor() as cursor:
        cursor.execute(f"TRUNCATE {TABLES} CASCADE")
    base = GatewaySettings.load()
    from anju.portals.device_gateway.settings import conninfo

    direct = conninfo(connection.settings_dict)
    parts = conninfo_to_dict(direct)

    @contextlib.asynccontextmanager
    async def made(**changes: Any) -> AsyncIterator[House]:
        wire = Wire(str(parts.get("host", "127.0.0.1")), int(parts.get("port", 5432)))  # type: ignore[arg-type]
        await wire.start()
        through = make_conninfo(direct, host="127.0.0.1", port=wire.listen)
        settings = replace(
            base,
            **(
                {"port": free_port(), "home": tmp_path, "conninfo": through, "patience": 0.6, "commit_limit": 0.5}
                | changes
            ),
        )
        gateway = Gateway(settings)
        await gateway.start()
        h = House(gateway, wire, direct)
        try:
            await h.until(lambda: _up(h))
            yield h
        finally:
            wire.back()
            await h.client.aclose()
            await gateway.stop()
            await wire.stop()

    return made


async def _up(h: House) -> bool:
    try:
        return (await h.client.get("/healthz")).status_code in {200, 503}
    except httpx.HTTPError:
        return False
