"""The stage of the engine's contract over a real Asterisk, with real telephones."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

from anju.calls.asterisk.engine import AsteriskEngine
from anju.calls.exchange import Event, Kind
from tests.telephony.engine_room import HOTLINE, EngineRoom
from tests.telephony.handset import Hands, Handset

_LONG = 20.0


class Person:
    """A handset under the names of the contract."""

    def __init__(self, handset: Handset) -> None:
        self.handset = handset

    @property
    def rung(self) -> int:
        """How often it was rung."""
        return self.handset.invited

    def dial(self, called: str) -> None:
        """Call us."""
        self.handset.call(called)

    def lift(self) -> None:
        """Answer."""
        self.handset.lift()

    def refuse(self) -> None:
        """Decline."""
        self.handset.refuse("603 Decline")

    def is_busy(self) -> None:
        """Engaged from now on."""
        self.handset.auto = "486 Busy Here"

    def hang_up(self) -> None:
        """End."""
        self.handset.hang_up()

    def press(self, digit: str) -> None:
        """A key."""
        self.handset.press(digit)

    async def hears(self) -> set[str]:
        """By its own ears."""
        return await asyncio.to_thread(self.handset.hears)


class RealStage:
    """One test's engine and people."""

    hotline = HOTLINE

    def __init__(self, room: EngineRoom, hands: Hands) -> None:
        self._room, self._hands = room, hands
        self.engine: AsteriskEngine = room.engine()
        self._all: list[Event] = []
        self._unread: asyncio.Queue[Event] = asyncio.Queue()
        self._reader: asyncio.Task[None] | None = None
        self._former: list[AsteriskEngine] = []

    async def open(self) -> None:
        """Connect, and hear."""
        await self.engine.connect()
        self._reader = asyncio.create_task(self._read(self.engine.events()))

    async def close(self) -> None:
        """No leg and no bridge is left to the next test."""
        for leg in (await self.engine.snapshot()).legs:
            await self.engine.hang_up(leg.leg_id)
        for room in (await self.engine.snapshot()).bridges:
            await self.engine.unbridge(room.bridge_id)
        for engine in (*self._former, self.engine):
            await engine.close()
        if self._reader is not None:
            await self._reader

    async def _read(self, events: AsyncIterator[Event]) -> None:
        async for event in events:
            self._all.append(event)
            self._unread.put_nowait(event)

    async def event(self, *kinds: Kind, leg_id: str = "") -> Event:
        """The next of these."""
        try:
            async with asyncio.timeout(_LONG):
                while True:
                    event = await self._unread.get()
                    if event.kind in kinds and leg_id in {"", event.leg_id}:
                        return event
        except TimeoutError:
            story = [(str(e.kind), e.leg_id) for e in self._all]
            raise AssertionError(f"{kinds} of {leg_id or 'any leg'} did not come; so far {story}") from None

    async def seen(self) -> list[Event]:
        """Settled: a request that changes nothing has come back after everything before it, twice."""
        for _ in range(2):
            await self.engine.snapshot()
            await asyncio.sleep(0.1)
        return self._all

    def caller(self, name: str = "caller", number: str = "13800000001") -> Person:
        """Outside."""
        return Person(self._hands.caller(number, voice=name))

    def seat(self, extension: str) -> Person:
        """Registered."""
        return Person(self._hands.seat(extension))

    def town(self, name: str = "family") -> Person:
        """Behind the trunk."""
        return Person(self._hands.town(voice=name, auto=""))

    async def next_switchboard(self) -> AsteriskEngine:
        """The former one is left as a frozen process is: connected and silent."""
        self._former.append(self.engine)
        if self._reader is not None:
            self._reader.cancel()
        self._all, self._unread = [], asyncio.Queue()
        self.engine = self._room.engine()
        await self.open()
        return self.engine

    async def power_cut(self) -> None:
        """SIGKILL, and a new start."""
        await asyncio.to_thread(self._room.kill)
        await asyncio.to_thread(self._room.start)
