"""Stored days say what the calls say: for any calls, any question, and whatever is corrected afterwards."""

from __future__ import annotations

import random
from dataclasses import replace
from datetime import date, datetime, timedelta

import pgtrigger
import pytest
from django.contrib.auth import get_user_model
from django.db import connection, transaction
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from anju.calls.figures.jobs import store as job
from anju.calls.figures.models import Cell, Day
from anju.calls.kpis import Chosen, Counts, days, lines, report
from anju.calls.kpis.counting import direct_lines, direct_seats
from anju.calls.kpis.records import CallRecord
from anju.calls.kpis.tests.test_counting import MORNING, PLACE, ZONE, calls, store, taken
from anju.calls.models import Call, Leg, Queue, SeatLog, SkillGroup
from anju.kernel import clock
from anju.kernel.scope import Scope, seen_by

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("everywhere"), pytest.mark.req("CALL-09")]
SPAN = Chosen(datetime(2026, 11, 18, tzinfo=ZONE), datetime(2026, 11, 23, tzinfo=ZONE))
ODD = Chosen(datetime(2026, 11, 19, 7, 31, tzinfo=ZONE), datetime(2026, 11, 21, 22, 2, 3, tzinfo=ZONE))
DAYS = [date(2026, 11, 18) + timedelta(days=n) for n in range(5)]
WAYS = ("all", "hour", "day", "week", "month", "hour_of_day", "queue", "group", "user", "seat")


def count_all() -> None:
    """Every day of the span is stored."""
    for day in DAYS:
        Day.objects.get_or_create(day=day, defaults={"noted_at": MORNING})
        days.store(day)


@pytest.fixture(autouse=True)
def _later():
    """The span is over."""
    with clock.pretend(datetime(2026, 11, 26, 9, 0, tzinfo=ZONE)):
        yield


def same(chosen: Chosen, dice: random.Random | None = None) -> None:
    """Every question that the page can ask has one answer; with `dice` only some of them are asked."""
    for by in dice.sample(WAYS, 3) if dice else WAYS:
        assert lines(chosen, by) == sorted(direct_lines(chosen, by), key=lambda line: line.key), by
    now = clock.now()
    for by in dice.sample(("all", "user", "seat"), 1) if dice else ("all", "user", "seat"):
        assert {k: c for k, c in days.seats(chosen, by, now).items() if c != Counts()} == {
            k: c for k, c in direct_seats(chosen, by, now).items() if c != Counts()
        }, by


def questions(queue: str) -> list[Chosen]:
    return [
        SPAN, ODD, replace(SPAN, queue=queue), replace(SPAN, group="hang8"), replace(SPAN, emergency=True), replace(ODD, user_id=1),
        replace(SPAN, seat="8002"), replace(SPAN, user_id=2, seat="8002", queue=queue),
    ]  # fmt: skip


@settings(
    max_examples=8, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow]
)
@given(st.lists(calls(), max_size=8), st.integers(0, 2**32))
def test_stored_days_are_what_the_calls_say_before_and_after_corrections(made, seed):
    """Any calls; then anything is changed, removed, added: never for a moment a figure that the calls do not give."""
    dice = random.Random(seed)
    with transaction.atomic():
        queue = Queue.objects.create(code="service8", name="服务")
        queue.skills.set([SkillGroup.objects.create(code="hang8", name="杭州话")])
        for record in made:
            store(record, queue=queue if dice.random() < 0.5 else None, place=dice.choice([PLACE, "330199002001"]))
        count_all()
        assert days.split(SPAN.since, SPAN.until) == (DAYS, [])
        for chosen in questions("service8"):
            same(chosen, dice)
        with seen_by(Scope(places=("330199002",))):
            same(SPAN, dice)
        for _ in range(3):
            change(dice)
            same(SPAN, dice)
        days.store_due(10)
        assert not Day.objects.filter(stale=True).exists()
        for chosen in questions("service8"):
            same(chosen, dice)
        transaction.set_rollback(True)


def change(dice: random.Random) -> None:
    """One correction, as it may come late."""
    rows, legs = list(Call.objects.all()), list(Leg.objects.all())
    kind = dice.randrange(7)
    if kind == 0 or not rows:
        store(taken(at=MORNING + timedelta(minutes=dice.randrange(-1500, 1500)), caller="a", resolved=True))
    elif kind == 1:
        dice.choice(rows).delete()
    elif kind == 2 and legs:
        Leg.objects.filter(pk=dice.choice(legs).pk).update(
            wrapped_at=MORNING, ended_at=MORNING - timedelta(seconds=30), answered_at=MORNING
        )
    elif kind == 3 and legs:
        dice.choice(legs).delete()
    elif kind == 4:
        row = dice.choice(rows)
        Call.objects.filter(pk=row.pk).update(planned_at=row.planned_at + timedelta(hours=dice.randrange(-30, 30)))
    else:
        what = {"resolved": dice.choice([None, True, False]), "satisfaction": dice.randrange(6), "answered_at": dice.choice([None, MORNING]),
                "caller_index": dice.choice(["", "a", "b"]), "place": PLACE, "emergency": True}  # fmt: skip
        name = dice.choice(sorted(what))
        Call.objects.filter(pk=dice.choice(rows).pk).update(**{name: what[name]})


def test_every_question_has_one_answer():
    """All of them, over a few calls that have everything in them."""
    queue = Queue.objects.create(code="service8", name="服务")
    queue.skills.set([SkillGroup.objects.create(code="hang8", name="杭州话")])
    for n in range(12):
        store(taken(wait=3 + 9 * n, at=MORNING + timedelta(hours=5 * n - 30), user=1 + n % 3, caller="a" if n % 4 else "", resolved=bool(n % 3),
                    satisfaction=n % 6), queue=queue if n % 2 else None, place=PLACE if n % 3 else "330199002001")  # fmt: skip
    store(CallRecord(False, MORNING, None, MORNING))
    store(CallRecord(True, MORNING, None, None))
    count_all()
    for chosen in questions("service8"):
        same(chosen)


def test_a_second_call_the_next_day_takes_back_that_the_first_was_solved():
    """The neighbour's day is counted again too: solved once, until she calls again within 24 hours."""
    store(taken(at=MORNING, caller="a", resolved=True))
    count_all()
    assert lines(SPAN)[0].counts.solved == 1
    store(taken(at=MORNING + timedelta(hours=20), caller="a", resolved=True))
    stale = set(Day.objects.filter(stale=True).values_list("day", flat=True))
    assert date(2026, 11, 20) in stale
    assert lines(SPAN)[0].counts.solved == 0
    days.store_due(10)
    assert lines(SPAN)[0].counts.solved == 0


def test_a_stored_day_is_read_and_not_counted_again():
    """The proof that the stored rows are used: with one of them falsified the sum is wrong, until the day is counted anew."""
    call = store(taken(at=MORNING))
    count_all()
    Cell.objects.update(answered=41)
    assert lines(SPAN)[0].counts.answered == 41
    call.satisfaction = 5
    with pgtrigger.ignore("calls.Call:guard_call"):
        call.save()
    assert lines(SPAN)[0].counts.answered == 1
    days.store_due(10)
    assert (lines(SPAN)[0].counts.answered, lines(SPAN)[0].counts.satisfied) == (1, 1)


def test_the_time_of_seats_is_clipped_to_days_and_follows_a_late_end():
    """A stretch over two midnights, one that is still open, and a corrected end."""
    user = get_user_model().objects.create(username="a", name="周晓岚")
    long = SeatLog.objects.create(
        user=user,
        extension="8001",
        state="ready",
        since=MORNING - timedelta(hours=30),
        until=MORNING + timedelta(hours=20),
    )
    SeatLog.objects.create(user=user, extension="8001", state="talking", since=MORNING + timedelta(hours=21))
    count_all()
    same(SPAN)
    same(ODD)
    SeatLog.objects.filter(pk=long.pk).update(until=MORNING)
    same(SPAN)
    SeatLog.objects.filter(until=None).update(until=MORNING + timedelta(hours=22))
    same(SPAN)
    days.store_due(10)
    assert not Day.objects.filter(stale=True).exists()
    same(SPAN)
    present = report(SPAN, "user").total.present_seconds
    assert present == 31 * 3600


def test_the_job_notes_first_and_counts_when_nothing_older_can_be_under_way():
    """A day is counted ten minutes after it was noted; today and yesterday never; a second run does nothing."""
    now = clock.now()
    store(taken(at=MORNING))
    store(taken(at=now - timedelta(hours=30)))
    job()
    noted = set(Day.objects.values_list("day", flat=True))
    assert (min(noted), max(noted)) == (date(2026, 11, 20), date(2026, 11, 24))
    with clock.pretend(now + timedelta(minutes=9)):
        job()
    assert not Day.objects.filter(stale=False).exists()
    with clock.pretend(now + timedelta(minutes=11)):
        job()
    assert not Day.objects.filter(stale=True).exists()
    with clock.pretend(now + timedelta(minutes=31)):
        job()
    assert set(Day.objects.values_list("computed_at", flat=True)) == {now + timedelta(minutes=11)}


@pytest.mark.django_db(transaction=True)
def test_a_change_during_the_count_is_not_lost(everywhere: None):
    """While a day is counted, a correction waits for it and marks the day again; both orders end with the calls' own figures."""
    import threading

    call = store(taken(at=MORNING))
    for day in DAYS:
        Day.objects.create(day=day, noted_at=MORNING)
    done = threading.Event()

    def correct() -> None:
        with seen_by(Scope(places=("",))):
            Call.unscoped.filter(pk=call.pk).update(satisfaction=5)
        done.set()
        connection.close()

    with transaction.atomic():
        days.store(date(2026, 11, 20))
        other = threading.Thread(target=correct)
        other.start()
        assert not done.wait(0.5), "the correction waits for the count"
    other.join(60)
    assert Day.objects.get(day=date(2026, 11, 20)).stale
    assert lines(SPAN)[0].counts.satisfied == 1
