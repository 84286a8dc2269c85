"""Help for the tests of every module; the root conftest loads these fixtures."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, Protocol
from zoneinfo import ZoneInfo

import pytest
import time_machine

if TYPE_CHECKING:
    from anju.kernel.flow.actor import Actor
    from anju.kernel.flow.subject import FlowSubject

NOON = datetime(2026, 11, 20, 12, 0, tzinfo=ZoneInfo("Asia/Shanghai"))
"""When every test with `let_pass` begins: a Friday, a work day."""

_openers: dict[str, Callable[[], FlowSubject]] = {}


def opens(flow: str, make: Callable[[], FlowSubject]) -> None:
    """For `<module>/tests/subjects.py`: how to begin a fresh object of that flow, for the tests that hold of every flow."""
    _openers[flow] = make


def opener(flow: str) -> Callable[[], FlowSubject] | None:
    """What `opens` was told."""
    return _openers.get(flow)


class Pass(Protocol):
    """Moves the clock on and lets what is due happen, each at its own moment; how many deadlines fired.

    A deadline whose effects fail fails the test, unless `failing_ok`.
    """

    def __call__(self, time: timedelta | None = None, /, *, failing_ok: bool = False, **units: float) -> int: ...


def pass_time(travel: Any, time: timedelta, *, failing_ok: bool = False) -> int:
    """Go from deadline to deadline until `time` has passed, as a ticker that never sleeps would."""
    from anju.kernel import clock
    from anju.kernel.flow import ticker
    from anju.kernel.models import Due

    end, fired = clock.now() + time, 0
    while True:
        first = Due.objects.filter(fire_at__lte=end).order_by("fire_at").values_list("fire_at", flat=True).first()
        if first is None:
            break
        if first > clock.now():
            travel.move_to(first)
        fired += ticker.ring()
        broken = None if failing_ok else Due.objects.exclude(problem="").first()
        if broken is not None:
            raise AssertionError(f"{broken} failed: {broken.problem} (the log has the traceback)")
    travel.move_to(end)
    return fired


@pytest.fixture(autouse=True)
def no_jobs_left_behind(request: pytest.FixtureRequest) -> Iterator[None]:
    """After a test that commits, the queue is emptied: the flush at its end does not know procrastinate's tables."""
    mark = request.node.get_closest_marker("django_db")
    commits = mark is not None and mark.kwargs.get("transaction")
    if commits or "transactional_db" in request.fixturenames:
        request.getfixturevalue("transactional_db")
        yield
        from django.db import connection

        with connection.cursor() as cursor:
            cursor.execute("DELETE FROM procrastinate_periodic_defers; DELETE FROM procrastinate_jobs")
    else:
        yield


@pytest.fixture
def everywhere() -> Iterator[None]:
    """The test sees and writes everything."""
    from anju.kernel.scope import EVERYWHERE, seen_by

    with seen_by(EVERYWHERE):
        yield


@pytest.fixture
def let_pass() -> Iterator[Pass]:
    """`let_pass(minutes=2)`: it is 2026-11-20 12:00 in Shanghai and time stands still until the test lets it pass."""
    with time_machine.travel(NOON, tick=False) as travel:

        def pass_(time: timedelta | None = None, /, *, failing_ok: bool = False, **units: float) -> int:
            return pass_time(travel, time if time is not None else timedelta(**units), failing_ok=failing_ok)

        yield pass_


@pytest.fixture
def an_actor() -> Callable[..., Actor]:
    """`an_actor(Role.AGENT, seat="A")`: somebody who holds these roles."""
    from anju.kernel.flow.actor import Actor

    def make(*roles: str, name: str = "测试员", user_id: int | None = None, seat: str = "") -> Actor:
        return Actor(name, frozenset(roles), user_id, seat)

    return make


def run_jobs(limit: int = 100) -> int:
    """Run the waiting jobs here and now, in this transaction, until none is left; how many. An error is raised."""
    from django.db import connection
    from procrastinate.contrib.django import app

    from anju.kernel import clock

    done = 0
    while done < limit:
        with connection.cursor() as cursor:
            cursor.execute(
                "SELECT id, task_name, args FROM procrastinate_jobs WHERE status = 'todo' "
                "AND (scheduled_at IS NULL OR scheduled_at <= %s) ORDER BY priority DESC, id LIMIT 1",
                [clock.now()],
            )
            row = cursor.fetchone()
            if row is None:
                return done
            args = row[2] if isinstance(row[2], dict) else json.loads(row[2])
            cursor.execute("UPDATE procrastinate_jobs SET status = 'doing' WHERE id = %s", [row[0]])
        app.tasks[row[1]].func(**args)
        with connection.cursor() as cursor:
            cursor.execute("UPDATE procrastinate_jobs SET status = 'succeeded' WHERE id = %s", [row[0]])
        done += 1
    raise AssertionError(f"more than {limit} jobs: does a job queue itself?")
