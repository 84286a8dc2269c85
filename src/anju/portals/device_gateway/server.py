"""The gateway process: one event loop with the HTTP server inside it, no thread and no child process."""

from __future__ import annotations

import asyncio
import contextlib
import gc
import logging
import os
import resource
import signal
import socket
import ssl
from collections.abc import Iterable
from dataclasses import replace
from typing import Any

import uvloop

from anju.portals.device_gateway.connection import LINGER, Connection
from anju.portals.device_gateway.counters import Counters
from anju.portals.device_gateway.http import Door
from anju.portals.device_gateway.mqtt import Broker
from anju.portals.device_gateway.settings import GatewaySettings
from anju.portals.device_gateway.store import Store, keep
from anju.portals.device_gateway.upkeep import Upkeep, before_opening, shipped_profiles

OWN_FILES = (
    1_000  # files besides connections: sessions, the spool, logs, and callers whose ciphers are still being agreed
)
LEAVE = 1.0  # seconds in which a process that ends sends its senders over to its siblings
logger = logging.getLogger("anju.gateway")


def tls(settings: GatewaySettings) -> ssl.SSLContext | None:
    """How the port is enciphered: TLS 1.2 or later with the installation's certificate; None if it is not."""
    if not (settings.tls_cert and settings.tls_key):
        return None
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.load_cert_chain(settings.tls_cert, settings.tls_key)
    return context


class Gateway:
    """Everything of one gateway process."""

    def __init__(self, settings: GatewaySettings) -> None:
        self.settings = settings
        self.counters = Counters()
        self.store = Store(settings, self.counters)
        self.door = Door(settings, self.store, self.counters, shipped_profiles())
        self._tasks: list[asyncio.Task[Any]] = []
        self._broker: Broker | None = None
        self._server: asyncio.Server | None = None
        self._own_door: asyncio.Server | None = None
        self._tls = tls(settings)

    async def start(self) -> None:
        """Open the lanes, then the door."""
        settings, siblings = self.settings, self.door.siblings
        siblings.begin()
        await before_opening(settings.conninfo)
        await self.store.start()
        self._tasks = [keep(Upkeep(self.door).run()), keep(self._sweep())]
        loop = asyncio.get_running_loop()
        if settings.own_port:
            self._own_door = await loop.create_server(
                lambda: Connection(self.door), "127.0.0.1", settings.own_port, **self._ssl
            )
        self._server = await loop.create_server(
            lambda: Connection(self.door), settings.host, settings.port, backlog=1024,
            reuse_port=settings.processes > 1, **self._ssl,
        )  # fmt: skip
        self._tell()
        logger.info(
            "the gateway (%d of %d) listens at %s:%d", settings.number, settings.processes, settings.host, settings.port
        )

    @property
    def _ssl(self) -> dict[str, Any]:
        if self._tls is None:
            return {}
        return {"ssl": self._tls, "ssl_handshake_timeout": self.settings.body_limit, "ssl_shutdown_timeout": LINGER}

    async def _sweep(self) -> None:
        while True:
            await asyncio.sleep(1)
            self.door.sweep()
            try:
                self._tell()
            except Exception:  # who hears must not end because it could not say how it is
                logger.exception("this process could not say how it is")

    def _tell(self) -> None:
        """Say how this process is, and take the lead when nobody has it: who leads hears MQTT."""
        settings, door = self.settings, self.door
        if door.siblings.lead() and settings.mqtt_url and self._broker is None:
            self._broker = Broker(settings.mqtt_url, settings.mqtt_topic, door, name=f"anju-{settings.port}")
            self._broker.start()
        door.siblings.tell(door.health(), door.gauges_now())

    async def stop(self) -> None:
        """Stop hearing, make safe what was heard, end the lanes."""
        if self._broker is not None:
            self._broker.stop()
        if self._server is not None:
            await self._leave(self._server)
        self.door.open = False
        if self._own_door is not None:
            self._own_door.close()
        await self.store.stop()
        for connection in list(self.door.connections):
            connection.close()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        self.door.siblings.end(self.door.health(), self.door.gauges_now())

    async def _leave(self, server: asyncio.Server) -> None:
        """Hear nobody new. With siblings at the port: whoever the kernel had already dealt to this process is heard, and
        everybody is answered and asked to come again; the next connection is a sibling's.
        """
        if self.settings.processes == 1:
            server.close()
            return
        came = list(_came(server))
        server.close()
        loop = asyncio.get_running_loop()
        for connection in came:
            self._tasks.append(loop.create_task(self._hear(connection)))
        self.door.ask_to_leave()
        end = loop.time() + LEAVE
        while loop.time() < end and self.door.connections:  # noqa: ASYNC110 - they leave one by one, and seldom
            await asyncio.sleep(0.02)

    async def _hear(self, connection: socket.socket) -> None:
        try:
            await asyncio.get_running_loop().connect_accepted_socket(
                lambda: Connection(self.door), connection, **self._ssl
            )
        except OSError:  # it went, or its ciphers could not be agreed
            connection.close()


def _came(server: asyncio.Server) -> Iterable[socket.socket]:
    """The connections that the kernel holds for a server that is about to close."""
    for listener in server.sockets:
        again = socket.socket(fileno=os.dup(listener.fileno()))
        with again, contextlib.suppress(BlockingIOError):
            again.setblocking(False)  # noqa: FBT003
            while True:
                connection, _ = again.accept()
                connection.setblocking(False)  # noqa: FBT003
                yield connection


async def _main(settings: GatewaySettings) -> None:
    gateway = Gateway(settings)
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    await gateway.start()
    await stop.wait()
    await gateway.stop()


def enough_files(connections: int) -> int:
    """Let this process open a file for each connection, and those that it needs itself; how many it may open.

    The usual 1,024 are fewer than the connections: without this the doors, the spool and the way back to the database
    would fail together, just when everybody calls.
    """
    wanted = connections + OWN_FILES
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft != resource.RLIM_INFINITY and soft < wanted:
        soft = wanted if hard == resource.RLIM_INFINITY else min(wanted, hard)
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
    if soft != resource.RLIM_INFINITY and soft < wanted:
        logger.critical("only %d files may be opened, %d are wanted: raise the limit (ulimit -n)", soft, wanted)
    return wanted if soft == resource.RLIM_INFINITY else soft


def run(settings: GatewaySettings) -> None:
    """Serve until SIGTERM."""
    allowed = enough_files(settings.connections)
    settings = replace(settings, connections=max(50, min(settings.connections, allowed - OWN_FILES)))
    gc.collect()
    gc.freeze()  # what is loaded stays; the collector need not walk it
    gc.set_threshold(20_000, 20, 50)
    uvloop.run(_main(settings))
