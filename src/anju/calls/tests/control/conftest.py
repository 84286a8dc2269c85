"""A centre on the simulator: seats, callers, a switchboard whose pen writes into the test's own transaction."""

from __future__ import annotations

import asyncio
import contextlib
import functools
import inspect
from collections.abc import Iterator, Sequence
from datetime import timedelta
from typing import Any

import pytest
import time_machine
from django.db import connection, connections, transaction

from anju.accounts.models import User
from anju.calls.control import books as reading
from anju.calls.control import resync, rows, verbs
from anju.calls.control import seats as seating
from anju.calls.control.core import Control
from anju.calls.control.pen import Batch, Pen
from anju.calls.control.rows import Row
from anju.calls.control.teller import Teller
from anju.calls.models import Call, Leg, SeatState, Switchboard
from anju.calls.simulator import Simulator, World
from anju.kernel import clock, facts
from anju.kernel.flow import ticker
from anju.kernel.flow.actor import Actor
from anju.kernel.models import Due
from anju.kernel.testing import NOON

LEAD = frozenset({"lead", "agent"})
AGENT = frozenset({"agent"})


class TestPen(Pen):
    """Writes at once, on the test's own connection; `slow`: when the test says so."""

    __test__ = False

    def __init__(self) -> None:
        super().__init__(lambda: connection.connection)
        self.waits: list[Batch] = []
        self.slow = False

    def write(self, key: str, *rows: Row | None, hurry: bool = False) -> asyncio.Future[None]:
        self._line_up(key, rows, hurry=hurry)
        done: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        done.set_result(None)
        return done

    def _line_up(self, key: str, rows: Sequence[Row | None], *, hurry: bool) -> Batch:
        batch = Batch(key, [r for r in rows if r is not None])
        self.waits.append(batch)
        if not self.slow:
            self.catch_up()
        batch.done.set_result(None)
        return batch

    def catch_up(self) -> None:
        """Write what waits."""
        waits, self.waits, raw = self.waits, [], connection.connection
        with raw.transaction():
            for row in [row for batch in waits for row in batch.rows]:
                if raw.execute(row.sql, row.values).rowcount == 0 and row.must:
                    self.missed.append(row.must)


class Centre:
    """What a test tells its story with."""

    def __init__(self) -> None:
        self.world = World()
        self.engine = Simulator(self.world)
        self.pen = TestPen()
        self.teller = Teller()
        self.control: Control = None  # type: ignore[assignment]
        self._task: asyncio.Task[None] | None = None
        self.travel: Any = None

    async def open(self) -> None:
        """The switchboard begins."""
        self.control = Control(self.engine, self.pen, self.teller, run_sync=_inline, books=reading.read())
        self.control.to_resync = lambda restarted: resync.resync(self.control, restarted)
        Switchboard.objects.update_or_create(
            pk=1, defaults={"beat_at": clock.now(), "engine_ok": True, "engine": "simulator"}
        )
        await self.engine.connect()
        self._task = asyncio.create_task(self.control.run())
        await self.settle()

    async def die(self) -> None:
        """The switchboard is killed: nothing of its memory is left."""
        assert self._task is not None
        for task in [self._task, *self.control.tasks]:
            task.cancel()
        await asyncio.gather(self._task, *self.control.tasks, return_exceptions=True)
        self.world.listener = None

    async def revive(self) -> None:
        """A new process takes over."""
        self.engine = Simulator(self.world)
        await self.open()

    async def settle(self) -> None:
        """Until nothing is being done."""
        quiet = 0
        for _ in range(2000):
            await asyncio.sleep(0)
            busy = [t for t in self.control.tasks if not _waits(t)]
            quiet = 0 if busy or not self.engine._queue.empty() else quiet + 1
            if quiet > 6:
                break
        Switchboard.objects.filter(pk=1).update(beat_at=clock.now())
        await verbs.take_all(self.control)
        for _ in range(60):
            await asyncio.sleep(0)
        while self.teller.tell_all():
            pass

    async def later(self, seconds: float) -> None:
        """Time passes, in the exchange, at the switchboard and in the tables: from one thing that is due to the next."""
        end = clock.now() + timedelta(seconds=seconds)
        while True:
            due = Due.objects.order_by("fire_at").values_list("fire_at", flat=True).first()
            soon = [d for d in (self.world.next_due(), self.control.clockwork.next_due(), due, end) if d is not None]
            self.travel.move_to(min(end, max(min(soon), clock.now())))
            self.engine.tick()
            await self.settle()
            self.control.clockwork.tick()
            await self.settle()
            if self.control.calls:
                self.control.note(None, rows.seen(list(self.control.calls), clock.now()))
            ticker.ring()
            if clock.now() >= end:
                return

    def agent(self, number: str, *, state: str = "ready", lead: bool = False, **fields: Any) -> User:
        """An agent at her seat, with a telephone that rings until the test says otherwise."""
        user = User.objects.create(username=f"u{number}", name=f"坐席{number}", seat_number=number)
        SeatState.objects.create(
            user=user, extension=number, state=state, wants=state, since=clock.now(), mic_ok=True, registered=True,
            is_lead=lead, **fields,
        )  # fmt: skip
        self.world.registered[number] = True
        return user

    def actor(self, user: User, roles: frozenset[str] = AGENT) -> Actor:
        return Actor(user.name, roles, user.pk)

    async def look(self) -> None:
        """The switchboard looks which telephones are there."""
        await seating.look_who_is_there(self.control)

    async def calls(self, number: str = "13900001111", called: str = "emergency", **how: Any) -> str:
        """Somebody calls in; the leg's id."""
        leg_id = self.world.call_in(number, called, **how)
        await self.settle()
        return leg_id

    async def does(self, who: str, *steps: str) -> None:
        self.world.does(who, *steps)
        await self.settle()

    async def asks(self, verb: Any, **args: Any) -> None:
        """A person asks for a verb, and it is done."""
        verb(**args)
        await self.settle()

    def seat(self, number: str) -> str:
        return SeatState.objects.get(extension=number).state

    def call(self, leg_id: str = "") -> Call:
        rows = Call.objects.filter(legs__leg_id=leg_id) if leg_id else Call.objects.order_by("-id")
        found = rows.first()
        assert found is not None
        return found

    def rings(self) -> list[str]:
        """Extensions and numbers whose telephones ring now."""
        return sorted(leg.number for leg in self.world.legs.values() if leg.dialled and not leg.up)

    def hears(self, who: str) -> set[str]:
        """Whom a party hears: extensions and numbers."""
        leg = self.world.party(who)
        return {
            "music" if v == "music" else (self.world.legs[v].number or self.world.legs[v].line)
            for v in self.world.hears(leg.leg_id)
        }

    def legs(self, **which: Any) -> list[Leg]:
        return list(Leg.objects.filter(**which))


async def _inline(what: Any) -> Any:
    with transaction.atomic():
        return what()


def _waits(task: asyncio.Task[Any]) -> bool:
    """A script that waits for a key or a prompt does nothing."""
    return task.get_name().startswith(("script", "menu", "satisfaction"))


@pytest.fixture
def centre(db: None, everywhere: None, monkeypatch: pytest.MonkeyPatch) -> Iterator[Centre]:
    """An empty centre at noon."""

    monkeypatch.setenv("DJANGO_ALLOW_ASYNC_UNSAFE", "true")
    monkeypatch.setattr(facts, "_reactions", {})  # what others make of a call is theirs to test
    reading.read()
    with time_machine.travel(NOON, tick=False) as travel:
        made = Centre()
        made.travel = travel
        yield made


def story(test: Any) -> Any:
    """Decorator: an async test on the centre."""

    @functools.wraps(test)
    def run(**fixtures: Any) -> None:
        outer = connections["default"]

        async def whole() -> None:
            connections["default"] = outer  # a loop has connections of its own; the test's transaction is on this one
            centre = fixtures["centre"]
            try:
                await test(**fixtures)
            finally:
                if centre.control is not None:
                    with contextlib.suppress(Exception):
                        await centre.die()

        asyncio.run(whole())

    run.__signature__ = inspect.signature(test)  # type: ignore[attr-defined]
    return run
