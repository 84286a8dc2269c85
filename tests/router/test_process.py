"""The router process: wakes, routes, shows signs of life, tells its figures, survives a database that goes away."""

from __future__ import annotations

import threading
import time
from datetime import timedelta

import pytest
from django.db import OperationalError, connection, connections
from prometheus_client import generate_latest

from anju.alarms import routing
from anju.alarms.models import Alarm, Pulse
from anju.alarms.routing import Round
from anju.alarms.tests.heard import a_device, lane, put, sig
from anju.config import router as router_module
from anju.config.router import LEAST, MOST, PulseBook, Router, next_limit
from anju.kernel import clock


@pytest.fixture
def running(log):
    """A router in a thread of this process."""
    connections.close_all()
    stop, router = threading.Event(), None
    router = Router(stop)
    ended: list[int] = []
    thread = threading.Thread(target=lambda: ended.append(router.run()))
    thread.start()
    router.ended, router.thread = ended, thread
    yield router
    stop.set()
    thread.join(60)
    connections.close_all()


def wait_until(done, seconds: float = 30.0) -> float:
    began = time.monotonic()
    while not done():
        assert time.monotonic() - began < seconds
        threading.Event().wait(0.01)
    return time.monotonic() - began


@pytest.mark.req("SEN-03", "LEAP-02")
@pytest.mark.usefixtures("everywhere")
def test_it_wakes_for_an_sos_and_says_what_it_did(running):
    a_device()
    urgent, rest = lane(urgent=True), lane()
    wait_until(running.is_well)
    put(rest, [sig("motion")])
    put(urgent, [sig("sos")])
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_notify('anju_heard', 'urgent')")
    wait_until(lambda: Alarm.objects.filter(state="open").exists())
    wait_until(lambda: "telemetry" in generate_latest(running.metrics.registry).decode())
    wait_until(lambda: Pulse.objects.filter(source="ctwing").exists())
    running.stop.set()
    running.thread.join(60)
    assert running.ended == [0]
    figures = generate_latest(running.metrics.registry).decode()
    assert 'anju_router_messages_total{lane="urgent",result="signals"} 1.0' in figures
    assert 'anju_router_signals_total{outcome="opened"} 1.0' in figures
    assert 'anju_router_alarm_seconds_count{lane="urgent"} 1.0' in figures
    assert "anju_ledger_difference 0.0" in figures


@pytest.mark.req("SYS-07")
@pytest.mark.usefixtures("everywhere")
def test_it_goes_on_when_the_database_comes_back_and_is_not_well_in_between(running, monkeypatch):
    a_device()
    urgent = lane(urgent=True)
    wait_until(running.is_well)
    real = routing.route_some

    def away(**_):
        raise OperationalError("the database is away")

    monkeypatch.setattr(routing, "route_some", away)
    monkeypatch.setattr(router_module, "FRESH", 0.3)
    wait_until(lambda: not running.is_well())
    put(urgent, [sig("sos")])
    assert not Alarm.objects.exists()
    monkeypatch.setattr(routing, "route_some", real)
    wait_until(Alarm.objects.exists)
    assert running.metrics.reconnects._value.get() >= 1


@pytest.mark.usefixtures("everywhere")
def test_a_reader_that_dies_ends_the_process_so_that_it_is_started_anew(running, monkeypatch):
    wait_until(running.is_well)

    def dies(**_):
        raise RuntimeError("a fault of ours")

    monkeypatch.setattr(routing, "route_some", dies)
    wait_until(lambda: running.ended == [1])
    assert running.broken in {"urgent", "telemetry"}


def test_the_size_of_a_batch_follows_its_time():
    assert next_limit(1000, 1000, 0.4) == 1000
    assert next_limit(1000, 1000, 4.0) == 550
    assert next_limit(LEAST, 200, 60.0) == LEAST
    assert next_limit(1000, 1000, 0.01) == MOST
    assert next_limit(1000, 3, 0.001) == 1000  # a small batch says nothing of a big one
    assert next_limit(1000, 3, 0.0) == 1000


@pytest.mark.django_db
def test_the_pulse_keeps_the_longest_pause_and_forgets_the_platforms_own_voice():
    at, book = clock.now(), PulseBook()
    book.note(Round(sources={"ctwing": [at + timedelta(seconds=50), at], "platform": [at]}))
    book.note(Round(sources={"ctwing": [at + timedelta(seconds=70)]}))
    book.flush()
    row = Pulse.objects.get()
    assert (row.source, row.last_heard_at) == ("ctwing", at + timedelta(seconds=70))
    assert 299 < row.usual_gap <= 300
    Pulse.objects.update(usual_gap=20)
    book.note(Round(sources={"ctwing": [at + timedelta(seconds=75), at + timedelta(seconds=125)]}))
    book.flush()
    assert Pulse.objects.get().usual_gap == 50
