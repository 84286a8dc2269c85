"""The gateway process: one event loop, granian's server inside it (no child process that could outlive it)."""

from __future__ import annotations

import asyncio
import contextlib
import gc
import logging
import signal
from pathlib import Path
from typing import Any

import uvloop
from granian.constants import HTTPModes, Interfaces
from granian.http import HTTP1Settings
from granian.log import LogLevels
from granian.server.embed import Server

from anju.portals.device_gateway.counters import Counters
from anju.portals.device_gateway.http import Door
from anju.portals.device_gateway.mqtt import Broker
from anju.portals.device_gateway.settings import GatewaySettings
from anju.portals.device_gateway.store import Store
from anju.portals.device_gateway.upkeep import Upkeep, before_opening, shipped_profiles

logger = logging.getLogger("anju.gateway")


class Gateway:
    """Everything of one gateway process."""

    def __init__(self, settings: GatewaySettings) -> None:
        self.settings = settings
        self.counters = Counters()
        self.store = Store(settings, self.counters)
        self.door = Door(settings, self.store, self.counters, shipped_profiles())
        self._tasks: list[asyncio.Task[Any]] = []
        self._broker: Broker | None = None
        tls = bool(settings.tls_cert and settings.tls_key)
        self._server = Server(
            self.door,
            address=settings.host,
            port=settings.port,
            interface=Interfaces.RSGI,
            http=HTTPModes.http1,
            websockets=False,
            backlog=1024,
            backpressure=settings.connections,
            http1_settings=HTTP1Settings(header_read_timeout=10_000, keep_alive=True, max_buffer_size=64 * 1024),
            log_level=LogLevels.warning,
            log_enabled=False,
            ssl_cert=Path(settings.tls_cert) if tls else None,
            ssl_key=Path(settings.tls_key) if tls else None,
        )

    async def start(self) -> None:
        """Open the lanes, then the door."""
        await before_opening(self.settings.conninfo)
        await self.store.start()
        create = asyncio.get_running_loop().create_task
        self._tasks = [create(Upkeep(self.door).run()), create(self._sweep()), create(self._server.serve())]
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
        await self.store.stop()
        self._server.stop()  # type: ignore[no-untyped-call]
        with contextlib.suppress(TimeoutError, asyncio.CancelledError):
            await asyncio.wait_for(asyncio.shield(self._tasks[-1]), 3)
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
