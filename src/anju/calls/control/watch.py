"""The second process: when the switchboard is dead or frozen, callers who wait in its hands go to the dialplan's ring-all.

It needs neither the database nor the switchboard: a file's age says whether that one lives, the engine says who waits.
`manage.py callwatch` runs it.
"""

from __future__ import annotations

import asyncio
import logging
import signal
from collections.abc import Callable
from contextlib import suppress
from typing import Any, Protocol

from django.conf import settings

from anju.calls.asterisk import words
from anju.calls.asterisk.ari import Client, Refused, Unanswered
from anju.calls.control.inbound import RESCUE
from anju.calls.exchange import APP, BridgeView, EngineDown, Gone, LegView, Snapshot
from anju.ops import heartbeat

_log = logging.getLogger(__name__)
NAME = "callwatch"
STALE = 5.0
"""Seconds without a beat after which the switchboard counts as dead; it beats once a second."""
LOOK = 1.0
WAITS = 2
"""Looks in a row at which a caller must be found alone before she is taken: a call being connected is not disturbed."""


class Eyes(Protocol):
    """What the watch needs of an engine: to see the switchboard's legs, and to take one away from it."""

    async def snapshot(self) -> Snapshot:
        """The legs in the switchboard's hands."""

    async def redirect(self, leg_id: str, context: str, exten: str = "s") -> None:
        """Give one to the dialplan."""


class Asterisk:
    """The same channels, seen by an application of our own."""

    def __init__(self, *, url: str, user: str, secret: str) -> None:
        self._ari = Client(
            url=url,
            user=user,
            secret=secret,
            app=f"{APP}-watch",
            on_event=_ignore,
            on_up=_nothing,
            on_down=lambda: None,
        )
        self._open = False

    async def _ask(self, method: str, path: str, **query: str | int | bool) -> Any:
        try:
            if not self._open:
                await self._ari.open(within=3.0)
                self._open = True
            return await self._ari.request(method, path, **query)
        except Unanswered as trouble:
            raise EngineDown(str(trouble)) from trouble

    async def snapshot(self) -> Snapshot:
        """Channels that the switchboard's application runs on."""
        channels, rooms = await self._ask("GET", "channels"), await self._ask("GET", "bridges")
        where = {leg_id: room["id"] for room in rooms for leg_id in room["channels"]}
        legs = [
            words.view(c, args, where.get(c["id"], ""))
            for c in channels
            if words.is_party(c) and (args := words.arguments(c, APP)) is not None
        ]
        return Snapshot(tuple(legs), tuple(BridgeView(r["id"], tuple(r["channels"])) for r in rooms))

    async def redirect(self, leg_id: str, context: str, exten: str = "s") -> None:
        """Another application may do this, whatever became of the one that held it."""
        try:
            await self._ask("POST", f"channels/{leg_id}/continue", context=context, extension=exten, priority=1)
        except Refused as late:
            raise Gone(leg_id) from late

    async def close(self) -> None:
        """Stop."""
        if self._open:
            await self._ari.close()


def _ignore(_event: object) -> None:
    """We hear of nothing and ask instead."""


async def _nothing() -> None:
    """Nothing to do when connected."""


class Watch:
    """`look()` once a second. `age` tells how old the switchboard's beat is (None: it never beat)."""

    def __init__(self, engine: Eyes, *, age: Callable[[], float | None] | None = None) -> None:
        self.engine = engine
        self.age = age or (lambda: heartbeat.age("switchboard"))
        self.alone: dict[str, int] = {}
        self.freed: list[str] = []

    async def look(self) -> int:
        """Free whoever waits in dead hands; how many were freed."""
        age = self.age()
        if age is not None and age <= STALE:
            self.alone.clear()
            return 0
        there = await self.engine.snapshot()
        held = {leg.leg_id for leg in there.legs if is_alone(leg, there)}
        self.alone = {leg_id: self.alone.get(leg_id, 0) + 1 for leg_id in held}
        ripe = [leg_id for leg_id, looks in self.alone.items() if looks >= WAITS]
        for leg_id in ripe:
            _log.warning("the switchboard is silent: %s goes to the rescue", leg_id)
            with suppress(Gone):
                await self.engine.redirect(leg_id, *RESCUE)
                self.freed.append(leg_id)
        return len(ripe)

    async def run(self, stop: asyncio.Event) -> None:
        """Until told to stop; an engine that is away is waited for."""
        while not stop.is_set():
            try:
                await self.look()
                heartbeat.beat(NAME)
            except EngineDown as error:
                _log.info("no telephone engine: %s", error)
                heartbeat.beat(NAME)
            with suppress(TimeoutError):
                await asyncio.wait_for(stop.wait(), LOOK)


def is_alone(leg: LegView, there: Snapshot) -> bool:
    """Whether a caller hears nobody: she came in by herself and is in no room with another party."""
    if leg.args[:1] not in {("trunk",), ("phone",)}:
        return False
    room = next((b for b in there.bridges if b.bridge_id == leg.bridge_id), None)
    return room is None or len(room.leg_ids) < 2


async def serve() -> int:
    """The process. Without Asterisk there is nobody to free: it only shows that it lives."""
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    address = getattr(settings, "ANJU_ARI_URL", "")
    if not address or getattr(settings, "ANJU_EXCHANGE", "") == "simulator":
        while not stop.is_set():
            heartbeat.beat(NAME)
            with suppress(TimeoutError):
                await asyncio.wait_for(stop.wait(), LOOK)
        return 0
    eyes = Asterisk(url=address, user=getattr(settings, "ANJU_ARI_USER", APP), secret=settings.SECRETS.ari)
    await Watch(eyes).run(stop)
    await eyes.close()
    return 0
