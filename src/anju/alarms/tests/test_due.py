"""What every sweep asks stands in a narrow copy: it says the same as the homes' rows, whoever wrote them and however."""

from __future__ import annotations

from datetime import datetime, timedelta
from importlib import import_module
from typing import Any

import pytest
from django.db import connection, transaction
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from anju.alarms import sensing
from anju.alarms.models import HomeDue, HomeWatch
from anju.alarms.rows import save
from anju.alarms.tests.conftest import Taker
from anju.elders.models import Home
from anju.kernel import clock
from anju.kernel.scope import EVERYWHERE, seen_by

pytestmark = pytest.mark.django_db
PLACE = "330199001001"


@pytest.fixture(autouse=True)
def _everywhere(taker: Taker):
    with seen_by(EVERYWHERE):
        yield


def some_homes(many: int = 3) -> list[int]:
    """Homes of which nobody knows anything yet."""
    return [Home.objects.create(place=PLACE, area=PLACE).pk for _ in range(many)]


def copied() -> dict[int, tuple[datetime | None, datetime | None]]:
    """What the narrow table says."""
    return {d.pk: (d.look_at, d.heard_until) for d in HomeDue.objects.all()}


def said() -> dict[int, tuple[datetime | None, datetime | None]]:
    """What it must say."""
    return {
        w.home_id: (w.look_at, w.heard_until) if w.watched else (None, None) for w in HomeWatch.objects.order_by("pk")
    }


TIMES = st.none() | st.integers(-300, 300)
HOME = st.integers(0, 2)
WRITES = st.one_of(
    st.tuples(st.just("made"), HOME, TIMES, TIMES, st.booleans()),
    st.tuples(st.just("saved"), HOME, TIMES, TIMES, st.booleans()),
    st.tuples(st.just("updated"), HOME, TIMES, TIMES, st.booleans()),
    st.tuples(st.just("all"), HOME, TIMES, TIMES, st.booleans()),
    st.tuples(st.just("stored"), HOME, TIMES, TIMES, st.booleans()),
    st.tuples(st.just("deleted"), HOME, TIMES, TIMES, st.booleans()),
    st.tuples(st.just("undone"), HOME, TIMES, TIMES, st.booleans()),
)


def write(homes: list[int], how: str, home: int, look: int | None, heard: int | None, watched: bool) -> None:
    """One write in one of the ways in which the platform, an operator or a test writes the row."""
    now, home_id = clock.now(), homes[home]
    values: dict[str, Any] = {
        "look_at": None if look is None else now + timedelta(minutes=look),
        "heard_until": None if heard is None else now + timedelta(minutes=heard),
        "watched": watched,
    }
    rows = HomeWatch.objects.filter(home_id=home_id)
    if how == "made":
        made = [HomeWatch(home_id=h, place=PLACE, **values) for h in homes]
        HomeWatch.objects.bulk_create(made, ignore_conflicts=True)
    elif how == "all":
        HomeWatch.objects.update(**values)
    elif how == "deleted":
        rows.delete()
    elif how == "undone":
        with transaction.atomic():
            rows.update(**values)
            transaction.set_rollback(True)
    elif how == "updated":
        rows.update(**values)
    elif (row := rows.first()) is not None:
        for name, value in values.items():
            setattr(row, name, value)
        save([row], []) if how == "stored" else row.save()  # `save` keeps its own columns only


@pytest.mark.req("SEN-01", "SEN-04")
@settings(
    max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow]
)
@given(writes=st.lists(WRITES, min_size=1, max_size=8))
def test_the_copy_follows_every_write(writes: list[tuple[Any, ...]]) -> None:
    with seen_by(EVERYWHERE), transaction.atomic():
        homes = some_homes()
        for one in writes:
            write(homes, *one)
            assert copied() == said()
        now = clock.now()
        due = sensing._look_over(100)
        assert sorted(due[0]) == sorted(
            HomeWatch.objects.filter(watched=True, look_at__lte=now).values_list("pk", flat=True)
        )
        transaction.set_rollback(True)


def test_the_homes_that_were_there_before_are_carried_over() -> None:
    homes, now = some_homes(), clock.now()
    for n, home_id in enumerate(homes):
        HomeWatch.objects.create(home_id=home_id, place=PLACE, watched=n > 0, look_at=now, heard_until=now)
    HomeDue.objects.filter(pk=homes[2]).update(look_at=None)
    with connection.cursor() as cursor:
        cursor.execute("DELETE FROM alarms_homedue WHERE home_id <> %s", [homes[2]])
        cursor.execute(import_module("anju.alarms.migrations.0010_due").CARRY)
    assert copied() == said()
    assert copied()[homes[0]] == (None, None)


def test_a_home_goes_from_both(everywhere: None) -> None:
    homes = some_homes(2)
    for home_id in homes:
        HomeWatch.objects.create(home_id=home_id, place=PLACE)
    Home.objects.filter(pk=homes[0]).delete()
    assert list(copied()) == homes[1:]


def test_the_sweep_reads_the_copy_in_one_pass_without_helpers() -> None:
    """Its plan: one scan of the narrow table by one process, whatever its size."""
    with connection.cursor() as cursor:
        cursor.execute("EXPLAIN (COSTS OFF) " + sensing._LOOK_OVER, {"now": clock.now(), "deaf": clock.now()})
        plan = "\n".join(row[0] for row in cursor.fetchall())
        cursor.execute("SELECT reloptions FROM pg_class WHERE relname = 'alarms_homedue'")
        options = set(cursor.fetchone()[0])
    assert "alarms_homedue" in plan
    assert "alarms_homewatch" not in plan
    assert {"parallel_workers=0", "fillfactor=60"} <= options
