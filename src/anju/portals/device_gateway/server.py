"""The gateway process: one event loop with the HTTP server inside it, no thread and no child process."""

from __future__ import annotations

import asyncio
import gc
import logging
import resource
import signal
import ssl
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

    async def start(self) -> None:
        """Open the lanes, then the door."""
        await before_opening(self.settings.conninfo)
        await self.store.start()
        self._tasks = [keep(Upkeep(self.door).run()), keep(self._sweep())]
        settings, context = self.settings, tls(self.settings)
        self._server = await asyncio.get_running_loop().create_server(
            lambda: Connection(self.door), settings.host, settings.port, backlog=1024, ssl=context,
            ssl_handshake_timeout=settings.body_limit if context else None,
            ssl_shutdown_timeout=LINGER if context else None,
        )  # fmt: skip
        if self.settings.mqtt_url:
            self._broker = Broker(
                self.settings.mqtt_url, self.settings.mqtt_topic, self.door, name=f"anju-{self.settings.port}"
            )
            self._broker.start()
        logger.info("the gateway listens at %s:%d", self.settings.host, self.settings.port)

    async def _sweep(self) -> None:
        while True:
            await asyncio.sleep(1)
            self.door.sweep()

    async def stop(self) -> None:
        """Stop hearing, make safe what was heard, end the lanes."""
        if self._broker is not None:
            self._broker.stop()
        self.door.open = False
        if self._server is not None:
            self._server.close()
        await self.store.stop()
        for connection in list(self.door.connections):
            connection.close()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)


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
