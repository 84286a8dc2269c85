"""The switchboard itself: one ordered dispatch of what the engine reports, and a line of work for each call.

What an event means is decided at once, in memory, without waiting for anything: so of two seats that lift together
exactly one wins, and a caller who hangs up is gone for everything that follows. What has to be done about it (write,
then ring, bridge, play) is put into the call's line and done in order.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections import deque
from collections.abc import Awaitable, Callable, Coroutine
from datetime import datetime
from typing import Any, TypeVar

from anju.calls.control import rows
from anju.calls.control.books import Books
from anju.calls.control.clockwork import Clockwork
from anju.calls.control.pen import Pen
from anju.calls.control.rows import Row
from anju.calls.control.state import LiveCall, Party, SeatNow, Work, new_id
from anju.calls.control.teller import Teller
from anju.calls.exchange import Cause, Engine, EngineDown, Event, Fenced, Gone, Kind, Unreachable
from anju.kernel import clock

_log = logging.getLogger(__name__)
T = TypeVar("T")
COMPARE_AGAIN = 2.0
OVER = 1000
"""Calls of the last minutes that are remembered as over: their last row may not be in the tables yet."""
Script = Callable[["Control", str, str], Awaitable[object]]
RunSync = Callable[[Callable[..., Any]], Awaitable[Any]]


class Control:
    """One switchboard. `run_sync` runs a Django function in a thread; `pen` writes; `teller` tells."""

    def __init__(
        self, engine: Engine, pen: Pen, teller: Teller, *, run_sync: RunSync, books: Books | None = None
    ) -> None:
        from anju.calls.control import verbs

        self.engine, self.pen, self.teller, self._run_sync = engine, pen, teller, run_sync
        self.books = books or Books()
        self.clockwork = Clockwork()
        self.calls: dict[str, LiveCall] = {}
        self.legs: dict[str, tuple[LiveCall, Party]] = {}
        self.seats: dict[int, SeatNow] = dict(self.books.seats)
        self.plays: dict[str, Callable[[bool], object]] = {}
        self.inboxes: dict[str, asyncio.Queue[Event]] = {}
        self.scripts: dict[str, Script] = {}
        self.verbs: dict[str, verbs.Verb] = dict(verbs.VERBS)
        self.tasks: set[asyncio.Task[Any]] = set()
        self.over: deque[str] = deque(maxlen=OVER)
        self.engine_ok = False
        self.comparing = True
        """Until we know what is up: a verb that comes meanwhile (after a restart) waits, its call is not "over"."""
        self.stopped = asyncio.Event()
        self.why_stopped = ""
        self.to_resync: Callable[[bool], Awaitable[None]] | None = None

    # ---- the dispatch

    async def run(self) -> None:
        """Until the engine's events end or another switchboard takes over."""
        async for event in self.engine.events():
            await self.hear(event)
            if self.stopped.is_set():
                return

    async def hear(self, event: Event) -> None:
        """One event. Only `connected` takes time: nothing is decided before we know what is up."""
        from anju.calls.control import verbs

        if event.kind is Kind.CONNECTED:
            self.engine_ok = True
            await self.compare(restarted=bool(event.data.get("restarted")))
            self.task(verbs.take_all(self), "verbs that waited")
            return
        try:
            self.decide(event)
        except Exception:  # noqa: BLE001 - one call's odd event must not end the others
            _log.exception("%s of %s", event.kind, event.leg_id)

    async def compare(self, *, restarted: bool) -> None:
        """Find out what is up. What cannot be found out now (the database is away) is asked again."""
        self.comparing = True
        try:
            if self.to_resync is not None:
                await self.to_resync(restarted)
        except (Fenced, asyncio.CancelledError):
            raise
        except Exception:  # noqa: BLE001 - the calls that come in now must be taken all the same
            _log.exception("could not compare with the engine and the tables; again in a moment")
            self.clockwork.after(COMPARE_AGAIN, lambda: self.task(self.compare(restarted=restarted), "compare again"))
        finally:
            self.comparing = False

    def decide(self, event: Event) -> None:
        """What this event means."""
        from anju.calls.control import inbound, moments

        if (inbox := self.inboxes.get(event.leg_id)) is not None:
            inbox.put_nowait(event)
        known = self.legs.get(event.leg_id)
        if known is not None:
            moments.of_leg(self, *known, event)
        elif event.kind is Kind.ENTERED:
            inbound.entered(self, event.leg, event.at)
        elif event.kind is Kind.DISCONNECTED:
            self.engine_ok = False
        elif event.kind is Kind.REPLACED:
            self.stop("another switchboard took over")
        if event.kind is Kind.PROMPT_DONE and (then := self.plays.pop(event.play_id, None)) is not None:
            then(bool(event.data.get("complete")))

    def stop(self, why: str) -> None:
        """Act no more. Calls stay as they are: whoever comes next takes them over."""
        _log.warning("the switchboard stops: %s", why)
        self.why_stopped = self.why_stopped or why
        self.stopped.set()

    # ---- doing

    def do(self, call: LiveCall, work: Work) -> None:
        """Do this for the call after what is already in its line."""
        call.line.append(work)
        if call.runner is None:
            call.runner = self.task(self._work_off(call), f"call {call.call_id}")

    def task(self, work: Coroutine[Any, Any, T], name: str = "") -> asyncio.Task[T | None]:
        """Something beside the lines; its failure is logged."""
        made = asyncio.get_running_loop().create_task(self._guarded(work), name=name)
        self.tasks.add(made)
        made.add_done_callback(self.tasks.discard)
        made.add_done_callback(lambda _: work.close())  # one that was cancelled before it began
        return made

    async def _guarded(self, work: Coroutine[Any, Any, T]) -> T | None:
        try:
            return await work
        except Fenced:
            self.stop("fenced")
        except (Gone, EngineDown) as error:
            _log.info("not done: %s", error)
        except Exception:  # noqa: BLE001 - one call must not end the others
            _log.exception("a step failed")
        return None

    async def _work_off(self, call: LiveCall) -> None:
        while call.line:
            work = call.line.popleft()
            await self._guarded(_awaited(work))
        call.runner = None

    async def db(self, what: Callable[..., T], *args: Any, **kwargs: Any) -> T:
        """Run a Django function in a thread, seeing everything."""
        return await self._run_sync(lambda: what(*args, **kwargs))  # type: ignore[no-any-return]

    async def write(self, what: Callable[..., T], **kwargs: Any) -> T:
        """For scripts: a Django function in a transaction of its own, in a thread."""
        from django.db import transaction

        def atomic() -> T:
            with transaction.atomic():
                return what(**kwargs)

        return await self.db(atomic)

    # ---- writing

    def note(self, call: LiveCall | None, *steps: Row | None, tell: bool = False) -> None:
        """Have rows written; nobody waits for them. `tell`: open pages hear that the call changed."""
        key = call.call_id if call else ""
        done = self.pen.write(key, *self._with_news(call, steps, tell=tell))
        done.add_done_callback(self._written)

    def sure(self, call: LiveCall, *steps: Row | None, tell: bool = True, alone: bool = False) -> Awaitable[None]:
        """Have rows written now, in their turn; what is returned waits until they are safe.

        Call it where memory changes, so that rows follow one another as the decisions did. `alone`: what was held back
        stays so, somebody in need waits for these few.
        """
        safe = self.pen.sure(call.call_id, *(steps if alone else self._with_news(call, steps, tell=tell)))

        async def told() -> None:
            await safe
            self.teller.wake()

        return told()

    async def safe(self, rows_of: Awaitable[None], otherwise: Callable[[], object]) -> None:
        """Wait until these rows are safe (`sure`). Refused by the database, what they were for is undone, and the error goes on:
        without that a seat counted as busy and a call as running for as long as we carried them.
        """
        try:
            await rows_of
        except Fenced:
            raise
        except Exception:
            otherwise()
            raise

    def _with_news(self, call: LiveCall | None, steps: tuple[Row | None, ...], *, tell: bool) -> list[Row | None]:
        held: list[Row] = []
        if call is not None:
            held, call.held = call.held, []
        return [*held, *steps, rows.told([("call", call.call_id, call.place)]) if tell and call else None]

    def _written(self, done: asyncio.Future[None]) -> None:
        if done.cancelled():
            return
        if isinstance(error := done.exception(), Fenced):
            self.stop("fenced by the database")
        elif error is not None:
            _log.error("a step was not written: %s", error)
        self.teller.wake()

    def news(self, fact: str, **data: Any) -> Row:
        """A fact for the outbox; pass it to `note` with the rows that it tells of."""
        return rows.news(new_id(), fact, data, clock.now())

    # ---- parties

    def add(self, call: LiveCall, party: Party) -> Party:
        """A party of this call, known from now on."""
        call.parties[party.leg_id] = party
        self.legs[party.leg_id] = (call, party)
        return party

    async def dial(self, call: LiveCall, party: Party) -> None:
        """Ring a party whose row is safe, unless it is not wanted any more. A second dial of the same id dials nothing."""
        from anju.calls.control import moments

        if not party.live or call.done:
            return
        party.dialled = True
        headers = {"X-Anju-Call": call.call_id, **({"X-Anju-Answer": "auto"} if party.auto else {})}
        try:
            await self.engine.dial(
                leg_id=party.leg_id, to=party.to, caller_id=party.caller_id or call.number or call.called,
                ring_for=party.ring_for, variables=headers, args=(party.why, call.call_id),
            )  # fmt: skip
        except Unreachable as error:
            moments.ended(self, call, party, clock.now(), error.cause)
        except EngineDown:
            self._look_after_soon(call, party)
            raise
        else:
            if not party.live:  # let go while the request was on its way
                await self.quietly(self.hang_up(party))

    def _look_after_soon(self, call: LiveCall, party: Party) -> None:
        """A dial got no answer: nobody knows whether it rings, and one that does not would never end by itself."""
        self.clockwork.after(
            COMPARE_AGAIN, lambda: self.task(self._look_after(call, party), "a dial without an answer")
        )

    async def _look_after(self, call: LiveCall, party: Party) -> None:
        from anju.calls.control import moments

        if party.state != "planned" or not self.engine_ok:  # the comparison after a reconnection finds it otherwise
            return
        try:
            there = await self.engine.snapshot()
        except EngineDown:
            self._look_after_soon(call, party)
            return
        if party.state == "planned" and there.leg(party.leg_id) is None:
            moments.ended(self, call, party, clock.now(), Cause.FAILED)

    def let_go(self, call: LiveCall, party: Party, reason: Cause = Cause.NORMAL) -> None:
        """Hang up a party. One that was not dialled yet is simply not dialled."""
        if not party.live or party.let_go:
            return
        party.let_go = True
        if party.came_in or party.dialled:
            self.task(self.hang_up(party, reason), "hang up")
        else:
            from anju.calls.control import moments

            moments.ended(self, call, party, clock.now(), reason)

    async def hang_up(self, party: Party, reason: Cause = Cause.NORMAL) -> None:
        """End this party's leg; a request that got no answer is made again, until the leg is gone or known to be.

        Made once only, a seat rang on and counted as busy, and a caller stayed on a line with nobody at its other end.
        """
        try:
            await self.engine.hang_up(party.leg_id, reason)
        except Fenced:
            raise
        except EngineDown:
            if party.state != "ended":
                self.clockwork.after(
                    COMPARE_AGAIN, lambda: self.task(self._hang_up_again(party, reason), "hang up again")
                )
            raise

    async def _hang_up_again(self, party: Party, reason: Cause) -> None:
        if party.state != "ended":
            await self.hang_up(party, reason)

    async def quietly(self, verb: Awaitable[object]) -> bool:
        """Do it; a party that is gone is no error. Whether it was done."""
        with contextlib.suppress(Gone):
            await verb
            return True
        return False

    def forget(self, call: LiveCall) -> None:
        """The call is over: nothing of it is kept."""
        for leg_id in call.parties:
            self.legs.pop(leg_id, None)
        if self.calls.get(call.call_id) is call:  # a robot's call that is made again has its id
            del self.calls[call.call_id]
            self.over.append(call.call_id)

    def seat_at(self, extension: str) -> SeatNow | None:
        """The seat with this extension."""
        return next((s for s in self.seats.values() if s.extension == extension), None)

    # ---- for scripts

    def inbox(self, leg_id: str) -> asyncio.Queue[Event]:
        """Every event of this leg from now on, beside what the switchboard does with it."""
        return self.inboxes.setdefault(leg_id, asyncio.Queue())

    async def enqueue(self, call_id: str, leg_id: str, queue: str = "", priority: int | None = None) -> None:
        """This answered party waits for a seat (a caller, or somebody whom a robot rang)."""
        from anju.calls.control import inbound

        if (call := self.calls.get(call_id)) is not None and leg_id in call.parties:
            inbound.wait_for_seat(self, call, call.parties[leg_id], queue=queue, priority=priority)

    async def end(self, call_id: str) -> None:
        """End the call for everybody."""
        from anju.calls.control import moments

        if (call := self.calls.get(call_id)) is not None:
            moments.end_all(self, call)

    @property
    def idle(self) -> bool:
        """Whether nothing is being done (tests)."""
        return not self.tasks


async def _awaited(work: Work) -> object:
    return await work()


def seconds_between(a: datetime | None, b: datetime | None) -> int:
    """Whole seconds, 0 when one is missing."""
    return max(0, int((b - a).total_seconds())) if a and b else 0
