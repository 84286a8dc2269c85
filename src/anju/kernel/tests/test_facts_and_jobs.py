"""News and background work: what is told now, what later, and what is never told."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from enum import StrEnum

import pytest
from django.db import connection, transaction
from hypothesis import given
from hypothesis import strategies as st
from procrastinate import App
from procrastinate.contrib.django import app

from anju.kernel import audit, changes, facts, jobs, testing
from anju.kernel.scope import EVERYWHERE, current


class Colour(StrEnum):
    RED = "red"


@dataclass(frozen=True, slots=True)
class Inner:
    when: date
    tags: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Rung:
    bell: int
    at: datetime
    colour: Colour = Colour.RED
    inner: Inner | None = None
    wait: timedelta | None = None
    loud: bool = False


@dataclass
class Loose:
    bell: int


heard: list[object] = []


def hear(fact: Rung) -> None:
    heard.append((fact, current() is EVERYWHERE, audit.who().name))


def hear_later(fact: Rung) -> None:
    hear(fact)


def fail(fact: Rung) -> None:
    raise ZeroDivisionError


@pytest.fixture(autouse=True)
def fresh(monkeypatch):
    heard.clear()
    monkeypatch.setattr(facts, "_reactions", {})


facts_ = st.builds(
    Rung, st.integers(), st.datetimes(timezones=st.just(UTC)), st.just(Colour.RED),
    st.none() | st.builds(Inner, st.dates(), st.lists(st.text(max_size=3), max_size=2).map(tuple)),
    st.none() | st.timedeltas(timedelta(0), timedelta(days=99)), st.booleans(),
)  # fmt: skip


@given(facts_)
def test_a_fact_survives_the_queue(fact):
    import json

    assert facts.from_json(Rung, json.loads(json.dumps(facts.to_json(fact)))) == fact


@pytest.mark.django_db
@pytest.mark.usefixtures("everywhere")
def test_now_is_in_the_same_transaction_and_a_job_later():
    facts.reacts(Rung, hear)
    facts.reacts(Rung, hear)
    facts.reacts(Rung, hear_later, how="job")
    fact = Rung(1, datetime(2026, 11, 20, tzinfo=UTC), inner=Inner(date(2026, 1, 1), ("a",)))
    with transaction.atomic():
        facts.announce(fact)
    assert heard == [(fact, True, "系统")], "twice registered is once told"
    assert testing.run_jobs() == 1
    assert heard[1:] == [(fact, True, "任务 kernel.react")]
    assert testing.run_jobs() == 0


@pytest.mark.django_db(transaction=True)
@pytest.mark.usefixtures("everywhere")
def test_what_is_rolled_back_was_never_told_and_a_failing_reaction_rolls_back():
    facts.reacts(Rung, hear_later, how="job")
    facts.reacts(Rung, fail)
    with pytest.raises(ZeroDivisionError), transaction.atomic():
        facts.announce(Rung(1, datetime(2026, 11, 20, tzinfo=UTC)))
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM procrastinate_jobs")
        assert cursor.fetchone() == (0,)
    with pytest.raises(RuntimeError, match="inside the transaction"):
        facts.announce(Rung(2, datetime(2026, 11, 20, tzinfo=UTC)))


def test_only_frozen_facts_may_be_reacted_to():
    with pytest.raises(TypeError, match="frozen"):
        facts.reacts(Loose, hear)
    with pytest.raises(TypeError, match="by its name"):
        facts.reacts(Rung, lambda fact: None, how="job")


done: list[object] = []


@jobs.periodic("*/5 * * * *")
@jobs.job("kernel.tests.sweep")
def sweep(floor: int = 0) -> None:
    done.append((floor, audit.who().name))


@pytest.mark.django_db
def test_a_job_runs_in_its_own_name_and_one_key_waits_once():
    done.clear()
    assert sweep.defer(floor=1) > 0
    assert sweep.defer(floor=2, key="second floor") > 0
    assert sweep.defer(floor=3, key="second floor") == 0
    assert sweep.defer(floor=4, in_seconds=3600) > 0
    assert testing.run_jobs() == 2
    assert done == [(1, "任务 kernel.tests.sweep"), (2, "任务 kernel.tests.sweep")]
    sweep(9)
    assert done[-1] == (9, "系统"), "called, it is an ordinary function"


@pytest.mark.django_db
def test_who_queues_the_same_at_the_same_moment_undoes_nothing(monkeypatch):
    """Two transactions look whether a key waits, neither sees the other's: the second must not fail for it."""
    done.clear()
    assert sweep.defer(floor=1, key="third floor") > 0
    monkeypatch.setattr(jobs, "_waits", lambda _: False)
    with transaction.atomic():
        assert sweep.defer(floor=2) > 0
        assert sweep.defer(floor=3, key="third floor") == 0
    monkeypatch.undo()
    assert testing.run_jobs() == 2
    assert [floor for floor, _ in done] == [1, 2]


@pytest.mark.django_db
def test_a_change_is_pushed_by_topic_and_place_and_nothing_else():
    changes.changed("incident", 7, "330199001001")
    with pytest.raises(ValueError, match="topic"):
        changes.changed("two words", 1, "")


@pytest.mark.django_db(transaction=True)
@pytest.mark.req("SYS-07")
def test_a_real_worker_runs_what_was_committed_and_tries_a_failing_job_again():
    done.clear()
    with transaction.atomic():
        sweep.defer(floor=7)
        stumble.defer()
    worker = App(connector=app.connector.get_worker_connector())
    worker.tasks = app.tasks
    worker.run_worker(wait=False, install_signal_handlers=False, listen_notify=False)
    assert done == [(7, "任务 kernel.tests.sweep")]
    with connection.cursor() as cursor:
        cursor.execute("SELECT task_name, status, attempts FROM procrastinate_jobs ORDER BY id")
        rows = cursor.fetchall()
    assert rows == [("kernel.tests.sweep", "succeeded", 1), ("kernel.tests.stumble", "todo", 1)], (
        "it waits for its next try"
    )


@jobs.job("kernel.tests.stumble")
def stumble() -> None:
    raise ZeroDivisionError


def test_a_job_of_the_night_runs_in_the_night_of_the_centre():
    """The worker reads cron in UTC: a night job written as 3:10 ran at 11:10, in the busiest hour of the desk."""
    assert jobs.in_utc("10 3 * * *") == "10 19 * * *"
    assert jobs.in_utc("50 3 * * 1") == "50 19 * * 0", "Monday before dawn is still Sunday in UTC"
    assert jobs.in_utc("50 3 * * 0") == "50 19 * * 6"
    assert jobs.in_utc("0 20 * * 5") == "0 12 * * 5"
    assert jobs.in_utc("*/10 * * * *") == "*/10 * * * *"
    with pytest.raises(ValueError, match="only one hour"):
        jobs.in_utc("0 */3 * * *")


@pytest.mark.django_db
def test_the_hourly_run_is_registered_and_needs_no_time_stamp():
    done.clear()
    [task] = [t for name, t in app.tasks.items() if name == "kernel.tests.sweep.periodic"]
    task.func(timestamp=1_700_000_000)
    assert done == [(0, "任务 kernel.tests.sweep")]
