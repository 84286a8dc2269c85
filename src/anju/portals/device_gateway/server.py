"""The gateway process: one event loop with the HTTP server inside it, no thread and no child process."""

from __future__ import annotations

import asyncio
import gc
import logging
import signal
import ssl
from typing import Any

import uvloop

from anju.portals.device_gateway.connection import Connection
from anju.portals.device_gateway.counters import Counters
from anju.portals.device_gateway.http import Door
from anju.portals.device_gateway.mqtt import Broker
from anju.portals.device_gateway.settings import GatewaySettings
from anju.portals.device_gateway.store import Store
from anju.portals.device_gateway.upkeep import Upkeep, before_opening, shipped_profiles

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
        create = asyncio.get_running_loop().create_task
        self._tasks = [create(Upkeep(self.door).run()), create(self._sweep())]
        settings = self.settings
        self._server = await asyncio.get_running_loop().create_server(
            lambda: Connection(self.door), settings.host, settings.port, backlog=1024, ssl=tls(settings)
        )
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


def run(settings: GatewaySettings) -> None:
    """Serve until SIGTERM."""
    gc.collect()
    gc.freeze()  # what is loaded stays; the collector need not walk it
    gc.set_threshold(20_000, 20, 50)
    uvloop.run(_main(settings))
