"""Deadlines under trouble: failing ones, stuck ones, orphans, several tickers and people at the same moment."""

from __future__ import annotations

import threading
import time
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from itertools import pairwise

import pytest
from django.db import connection, connections, transaction

from anju.kernel import clock
from anju.kernel.flow import engine, queries, registry, ticker
from anju.kernel.flow.actor import Actor, NotAllowed
from anju.kernel.models import Due, Movement
from anju.kernel.scope import EVERYWHERE, seen_by
from anju.kernel.tests.samples import PARCEL, Parcel

COURIER, BOSS = Actor("小张", frozenset({"courier"})), Actor("老李", frozenset({"boss"}))
MANY = 40


def parcels(n: int, **kwargs) -> list[Parcel]:
    made = [Parcel(**kwargs) for _ in range(n)]
    for parcel in made:
        engine.begin(parcel, BOSS)
    return made


@pytest.fixture
def listener():
    """A reaction that can be told to fail for some parcels."""
    bad: set[int] = set()

    def do(parcel, movement):
        if parcel.pk in bad:
            raise RuntimeError("the reaction fails")

    heard = registry.running(PARCEL.name).listeners
    before = list(heard)
    registry.when(PARCEL, entering="late", do=do)
    yield bad
    heard[:] = before


@pytest.mark.django_db
@pytest.mark.usefixtures("everywhere")
@pytest.mark.req("SYS-07")
def test_a_failing_deadline_is_noted_and_retried_and_never_stops_the_others(let_pass, listener):
    _, bad = parcels(2)
    listener.add(bad.pk)
    assert let_pass(seconds=30, failing_ok=True) == 1
    bad.refresh_from_db()
    assert (bad.state, bad.nth) == ("packed", 0)
    [late] = queries.overdue()
    assert (late.subject_id, late.tries, late.problem) == (bad.pk, 1, "RuntimeError: the reaction fails")
    let_pass(seconds=40, failing_ok=True)
    [late] = [d for d in queries.overdue() if d.subject_id == bad.pk]
    assert 5 <= late.tries <= 9, "the pauses grow"
    assert late.at < clock.now() - timedelta(seconds=39), "what was promised is not rewritten"
    listener.clear()
    let_pass(seconds=61, failing_ok=True)
    bad.refresh_from_db()
    assert bad.state == "late"
    assert [m.move for m in queries.story_of(bad)][:2] == ["begin", "remind"]


@pytest.mark.django_db
@pytest.mark.usefixtures("everywhere")
def test_a_deadline_of_no_object_and_one_of_another_step_are_dropped_not_rung_for_ever(let_pass):
    gone, odd = parcels(2)
    Parcel.objects.filter(pk=gone.pk).delete()
    Due.objects.filter(subject_id=odd.pk).update(nth=5)
    assert let_pass(seconds=30) == 0
    assert not Due.objects.exists()


@pytest.mark.django_db(transaction=True)
@pytest.mark.usefixtures("everywhere", "clean_samples")
def test_deadlines_that_somebody_holds_do_not_hide_those_behind_them():
    held, free = parcels(3), parcels(3)
    Due.objects.filter(subject_id__in=[p.pk for p in held]).update(fire_at=clock.now() - timedelta(minutes=2))
    Due.objects.filter(subject_id__in=[p.pk for p in free]).update(fire_at=clock.now() - timedelta(minutes=1))
    locked, done = threading.Event(), threading.Event()

    def hold():
        with transaction.atomic():
            list(Parcel.unscoped.select_for_update().filter(pk__in=[p.pk for p in held]))
            locked.set()
            done.wait(30)
        connections.close_all()

    holder = threading.Thread(target=hold)
    holder.start()
    locked.wait(30)
    assert ticker.ring(limit=2) == 2
    assert ticker.ring(limit=2) == 1
    done.set()
    holder.join()
    assert ticker.ring() == 3


@pytest.mark.django_db(transaction=True)
@pytest.mark.usefixtures("clean_samples")
@pytest.mark.req("SYS-07")
def test_race_of_three_tickers_and_two_people_moves_each_exactly_once():
    with seen_by(EVERYWHERE):
        made = parcels(MANY)
    past = clock.now() - timedelta(minutes=1)
    Due.objects.update(at=past, fire_at=past)
    start = threading.Barrier(5)

    def tick() -> int:
        start.wait(30)
        try:
            return sum(ticker.ring(limit=7) for _ in range(20))
        finally:
            connection.close()

    def collect() -> int:
        start.wait(30)
        won = 0
        try:
            with seen_by(EVERYWHERE):
                for parcel in made:
                    try:
                        engine.make(parcel, "collect", COURIER)
                        won += 1
                    except NotAllowed:
                        continue
            return won
        finally:
            connection.close()

    with ThreadPoolExecutor(5) as pool:
        clocks = [pool.submit(tick) for _ in range(3)]
        people = [pool.submit(collect) for _ in range(2)]
        rung = sum(f.result() for f in clocks)
        assert sum(f.result() for f in people) == MANY
    reminded = 0
    for parcel in made:
        story = list(Movement.objects.filter(flow="parcel", subject_id=parcel.pk))
        assert [m.nth for m in story] == list(range(len(story)))
        assert all(a.now == b.was for a, b in pairwise(story))
        assert sum(m.move == "collect" for m in story) == 1
        assert sum(m.move == "remind" for m in story) <= 1
        reminded += sum(m.move == "remind" for m in story)
    assert reminded == rung
    assert Due.objects.count() == 3 * MANY, "exactly the clocks of the state that was entered are running"


@pytest.mark.django_db(transaction=True)
@pytest.mark.usefixtures("clean_samples")
def test_the_ticker_wakes_for_a_near_deadline_and_stops_when_told(monkeypatch):
    monkeypatch.setattr(ticker, "NAP", 60.0)  # it sleeps long when nothing wakes it
    stop = threading.Event()

    def run():
        ticker.run_forever(stop)
        connections.close_all()

    runner = threading.Thread(target=run)
    runner.start()
    try:
        with seen_by(EVERYWHERE):
            [parcel] = parcels(1)
            with transaction.atomic():
                Due.objects.update(
                    at=clock.now() + timedelta(seconds=0.3), fire_at=clock.now() + timedelta(seconds=0.3)
                )
                connection.cursor().execute(f"NOTIFY {engine.WAKE}")
        deadline = time.monotonic() + 30
        while time.monotonic() < deadline:
            rung = Movement.objects.filter(flow="parcel", subject_id=parcel.pk, move="remind").first()
            if rung is not None:
                break
            stop.wait(0.02)
        assert rung is not None
        assert (rung.at - parcel.state_since).total_seconds() < 30
    finally:
        stop.set()
        connection.cursor().execute(f"NOTIFY {engine.WAKE}")
        runner.join(30)
    assert not runner.is_alive()


@pytest.mark.django_db(transaction=True)
@pytest.mark.usefixtures("clean_samples")
@pytest.mark.req("SYS-07")
def test_when_the_leading_ticker_dies_or_sticks_another_takes_over_at_once():
    """The first ticker leads, and is then held fast in a reaction; the second does the rest a quarter of a second late."""
    stop, stuck, release = threading.Event(), threading.Event(), threading.Event()

    def stick(parcel, movement):
        if not stuck.is_set():
            stuck.set()
            release.wait(60)

    heard = registry.running(PARCEL.name).listeners
    before = list(heard)
    registry.when(PARCEL, entering="late", do=stick)

    def run():
        ticker.run_forever(stop)
        connections.close_all()

    runners = [threading.Thread(target=run) for _ in range(2)]
    for runner in runners:
        runner.start()
    try:
        with seen_by(EVERYWHERE):
            made = parcels(5)
        due = clock.now() + timedelta(seconds=0.5)
        Due.objects.update(at=due, fire_at=due)
        limit = time.monotonic() + 30
        while time.monotonic() < limit and Movement.objects.filter(move="remind").count() < 4:
            stop.wait(0.05)
        rest = list(Movement.objects.filter(flow="parcel", move="remind"))
        assert stuck.is_set()
        assert len(rest) == 4, "all but the one that is held"
        assert max((m.at - due).total_seconds() for m in rest) < 20, "not when the one that is stuck is given up"
        release.set()
        while time.monotonic() < limit and Movement.objects.filter(move="remind").count() < 5:
            stop.wait(0.05)
        assert Movement.objects.filter(move="remind").count() == 5 == len(made)
    finally:
        heard[:] = before
        release.set()
        stop.set()
        for runner in runners:
            runner.join(30)
