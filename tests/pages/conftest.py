"""A small 望潮区 made by the demo's own code: a few homes, everybody's log-in, some history."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pytest
from django.core.cache import cache
from django.db import connection
from django.test import Client

from anju.accounts.models import User
from anju.devices import actions as devices
from anju.kernel import audit, clock
from anju.kernel.scope import EVERYWHERE, seen_by
from anju.town import people
from anju.town.demo import cases, history, homes, staff
from tests import database

HOMES = 6
_kept: list[tuple[SmallTown, database.Snapshot]] = []


@dataclass(frozen=True)
class SmallTown:
    """What the tests look at. `he_ting` lives in 春浦街道, `liu_tang` in 听潮街道."""

    he_ting: int
    liu_tang: int
    seeds: list[people.HomeSeed]


def build() -> SmallTown:
    """The small town in the present database: the demo's code makes it once for a run, afterwards its rows are put back."""
    if not database.is_allowed():
        return _make(HOMES)
    if not _kept:
        made = _make(HOMES)
        _kept.append((made, database.take()))
        return made
    made, rows = _kept[0]
    rows.put()
    return made


def _make(count: int) -> SmallTown:
    from anju.elders import queries

    with seen_by(EVERYWHERE), audit.acting("测试"):
        staff.put_places()
        staff.put_users()
        devices.load_products()
        seeds = people.homes(count, today=clock.today())
        made = [homes.make(seed) for seed in seeds]
        history.load(seeds[:2], clock.now())
        cases.make(seeds, clock.now())
        first, second = (queries.main_elder(home) for home in made[:2])
    assert first is not None
    assert second is not None
    return SmallTown(first.pk, second.pk, seeds)


@pytest.fixture
def town(db: None) -> SmallTown:
    """The small town."""
    return build()


@pytest.fixture
def as_user(town: SmallTown) -> Callable[[str], Client]:
    """A browser that is logged in: as_user("street1")."""

    def log_in(name: str) -> Client:
        client = Client(headers={"Sec-Fetch-Mode": "navigate"})
        client.force_login(User.objects.get(username=name), backend="django.contrib.auth.backends.ModelBackend")
        return client

    return log_in


_SESSIONS = "django_session"
"""The log-in's own row is written once a minute, by the clock: whether a page meets that minute says nothing of the page."""


@pytest.fixture
def cost_of() -> Callable[[Callable[[], object]], tuple[int, int]]:
    """How many questions something asks of the database, and how many rows come back. Nothing is cached before.

    The cheaper of two times: what is kept for so many seconds (settings, the catalogue) may run out in the midst of one.
    """

    def once(do: Callable[[], object]) -> tuple[int, int]:
        asked = rows = 0

        def count(execute: Any, sql: str, params: Any, many: bool, context: Any) -> Any:
            nonlocal asked, rows
            answer = execute(sql, params, many, context)
            if _SESSIONS not in sql:
                asked += 1
                rows += max(context["cursor"].rowcount, 0)
            return answer

        cache.clear()
        with connection.execute_wrapper(count):
            do()
        return asked, rows

    return lambda do: min(once(do), once(do))


@pytest.fixture
def queries_of() -> Callable[[Callable[[], object]], int]:
    """How many queries something makes."""
    from django.test.utils import CaptureQueriesContext

    def count(do: Callable[[], object]) -> int:
        with CaptureQueriesContext(connection) as seen:
            do()
        return sum(_SESSIONS not in query["sql"] for query in seen.captured_queries)

    return count
