"""What a script needs of the switchboard, and a conversation with one party on top of it.

A script says something, waits for a key, and decides. It knows no engine and no tables. `control.core.Control` is the
stage in life; time is its clockwork, so that a test may move it.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from typing import Any, Protocol, TypeVar

from anju.calls.control import rows
from anju.calls.control.rows import Row
from anju.calls.control.state import LiveCall, new_id
from anju.calls.exchange import Engine, EngineDown, Event, Gone, Kind
from anju.calls.scripts import voice
from anju.kernel import clock

T = TypeVar("T")
LONGEST = 60.0
"""Seconds after which something that is read aloud counts as over, whatever the engine says."""


class Cancellable(Protocol):
    """A running timer."""

    def cancel(self) -> None:
        """It is not wanted any more."""


class Timers(Protocol):
    """Who wakes us."""

    def after(self, seconds: float, do: Callable[[], object]) -> Cancellable:
        """Do it later."""


class Stage(Protocol):
    """The switchboard, as far as a script may use it."""

    @property
    def engine(self) -> Engine:
        """The telephone engine."""

    @property
    def clockwork(self) -> Timers:
        """Its timers."""

    @property
    def calls(self) -> Mapping[str, LiveCall]:
        """Live calls by id."""

    @property
    def inboxes(self) -> dict[str, asyncio.Queue[Event]]:
        """Who reads the events of a leg."""

    def inbox(self, leg_id: str) -> asyncio.Queue[Event]:
        """Every event of this leg from now on."""

    async def db(self, what: Callable[..., T], *args: Any, **kwargs: Any) -> T:
        """A Django function in a thread."""

    def news(self, fact: str, **data: Any) -> Row:
        """A fact for the outbox."""

    def note(self, call: LiveCall | None, *steps: Row | None, tell: bool = False) -> None:
        """Have rows written, in order, also while the database is away."""

    async def write(self, what: Callable[..., T], **kwargs: Any) -> T:
        """A Django function in a transaction of its own."""

    async def enqueue(self, call_id: str, leg_id: str, queue: str = "", priority: int | None = None) -> None:
        """This answered party waits for a seat."""

    async def end(self, call_id: str) -> None:
        """End the call."""


class HungUp(Exception):
    """The party is gone."""


class Talk:
    """A conversation with one party: `say`, `ask`, `key`. A key stops what is being read.

    `early`: a key that was pressed in the moment before counts as the first answer.
    """

    def __init__(self, stage: Stage, call_id: str, leg_id: str, *, early: bool = True) -> None:
        self.stage, self.call_id, self.leg_id = stage, call_id, leg_id
        self.said: list[Path] = []
        self._started = False
        self._events = stage.inbox(leg_id)
        party = stage.calls[call_id].parties.get(leg_id) if call_id in stage.calls else None
        self._early = party.keys if party is not None else asyncio.Queue[str]()
        while not self._early.empty() and not early:
            self._early.get_nowait()  # pressed while she spoke with somebody: no answer to what comes now

    @property
    def call(self) -> LiveCall | None:
        """The call, while it lives."""
        return self.stage.calls.get(self.call_id)

    def close(self) -> None:
        """Listen no more; what was read aloud for this one person is thrown away (it may hold the code of a door)."""
        self.stage.inboxes.pop(self.leg_id, None)
        for path in self.said:
            voice.throw_away(path)

    async def say(self, *prompts: str, text: str = "", instead: str = "") -> str:
        """Play prompts and then `text`, to the end or to the first key; the key, or "". `instead`: the prompt without a voice."""
        wanted = [*prompts, *await self._voice(text, instead)]
        if not wanted:
            return ""
        play_id = new_id()
        try:
            await self.stage.engine.play(self.leg_id, wanted, play_id=play_id)
            digit = await self._until(LONGEST, lambda e: e.kind is Kind.PROMPT_DONE and e.play_id == play_id)
            if digit:
                with contextlib.suppress(Gone):
                    await self.stage.engine.stop_playing(play_id)
        except Gone as gone:
            raise HungUp from gone
        return digit

    async def key(self, seconds: float) -> str:
        """Wait so long for a key; "" when none came."""
        return await self._until(seconds, lambda _: False)

    async def ask(self, *prompts: str, text: str = "", instead: str = "", seconds: float = 6, tries: int = 2) -> str:
        """Say it and wait for a key, so many times; "" when none came."""
        for _ in range(tries):
            digit = await self.say(*prompts, text=text, instead=instead) or await self.key(seconds)
            if digit:
                return digit
        return ""

    def pressed(self, digit: str) -> None:
        """Keep the proof that a person was there, and tell it. Written even while the database is away."""
        call = self.call
        if call is None or not digit:
            return
        kept = call.notes.setdefault("keys", [])
        kept.append({"digit": digit, "at": clock.now().isoformat()})
        told = self.stage.news("KeyPressed", call_id=call.call_id, ref=call.ref, purpose=call.purpose, digit=digit)
        self.stage.note(call, rows.call(call.call_id, keys=list(kept)), told, tell=True)

    async def to_seat(self, *, queue: str = "", priority: int | None = None) -> None:
        """She waits for a person; the script is over."""
        await self.stage.enqueue(self.call_id, self.leg_id, queue=queue, priority=priority)

    async def _voice(self, text: str, instead: str) -> list[str]:
        path = await asyncio.to_thread(voice.read_aloud, text) if text else None
        if path is None:
            return [instead] if instead else []
        self.said.append(path)
        return [str(path.with_suffix(""))]

    async def _until(self, seconds: float, enough: Callable[[Event], bool]) -> str:
        """Read events until a key (which is answered), `enough`, or the time is over. HungUp when she is gone."""
        if not self._started:  # keys that were pressed before anybody listened
            self._started = True
            if not self._early.empty() and self._events.empty():
                return self._early.get_nowait()
        late = asyncio.get_running_loop().create_future()
        timer = self.stage.clockwork.after(seconds, partial(_ring, late))
        try:
            while True:
                event = await self._next(late)
                if event is None or enough(event):
                    return ""
                if event.kind is Kind.KEY:
                    return event.digit
                if event.kind in {Kind.ENDED, Kind.LEFT}:
                    raise HungUp
        finally:
            timer.cancel()

    async def _next(self, late: asyncio.Future[None]) -> Event | None:
        got = asyncio.ensure_future(self._events.get())
        try:
            await asyncio.wait([got, late], return_when=asyncio.FIRST_COMPLETED)  # type: ignore[type-var]
            return got.result() if got.done() else None
        finally:
            if not got.done():
                got.cancel()


def _ring(late: asyncio.Future[None]) -> None:
    if not late.done():
        late.set_result(None)


async def quietly(talk: Talk, *prompts: str) -> None:
    """A last word; whoever does not wait for it misses nothing."""
    with contextlib.suppress(HungUp, EngineDown):
        await talk.say(*prompts)
