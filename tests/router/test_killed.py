"""Kill −9 of router processes at random moments, under load: everything acknowledged is there once (LEAP-02)."""

from __future__ import annotations

import multiprocessing
import os
import random
import signal
import threading
import time
from datetime import timedelta

import pytest
from django.db import connection, connections

from anju.alarms.ledger import ledger
from anju.alarms.models import Alarm
from anju.alarms.tests.heard import a_device, lane, put, sig
from anju.config.router import Router
from anju.incidents.models import Incident
from anju.kernel import clock
from anju.kernel.scope import EVERYWHERE, seen_by

pytestmark = [pytest.mark.faults, pytest.mark.timeout(240), pytest.mark.usefixtures("log", "everywhere")]
FORK = multiprocessing.get_context("fork")
HOMES, KILLS = 8, 6


def a_router() -> int:
    """A router process of its own; its pid."""

    def live() -> None:
        connections.close_all()
        os._exit(Router(threading.Event()).run())

    connections.close_all()
    process = FORK.Process(target=live, daemon=True)
    process.start()
    return process.pid


def unread() -> int:
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM signals_message WHERE outcome = 'pending'")
        return cursor.fetchone()[0]


def wait_until(done, seconds: float) -> None:
    end = time.monotonic() + seconds
    while not done():
        assert time.monotonic() < end, "the router does not get through"
        threading.Event().wait(0.05)


@pytest.mark.req("LEAP-02", "DEV-04", "SEN-03", "SYS-07")
def test_routers_that_are_killed_at_random_lose_nothing_and_double_nothing():
    for n in range(HOMES):
        a_device(f"86000000000000{n}")
    urgent, rest = lane(urgent=True), lane()
    presses = sent = 0
    dice = random.Random(20261121)
    pids = [a_router(), a_router()]
    try:
        for _ in range(KILLS):
            for n in range(HOMES):
                key = f"86000000000000{n}"
                put(urgent, [sig("sos")], key=key, dedup=f"{presses}")
                put(rest, [sig("motion")], key=key)
                put(rest, [sig("battery", value=9)], key=key, vitals={"battery": 9})
                put(rest, [sig("sos")], key=key, dedup=f"{presses}")  # the same press once more, on another lane
                presses, sent = presses + 1, sent + 4
            threading.Event().wait(dice.random() * 0.5)
            victim = pids.pop(0)
            os.kill(victim, signal.SIGKILL)
            os.waitpid(victim, 0)
            pids.append(a_router())
        wait_until(lambda: unread() == 0, 90)
    finally:
        for pid in pids:
            os.kill(pid, signal.SIGKILL)
            os.waitpid(pid, 0)
    with seen_by(EVERYWHERE):
        books = ledger(clock.now() - timedelta(hours=1), clock.now() + timedelta(minutes=1))
        assert books.balances, books.differences
        assert (books.total.messages, books.total.duplicates, books.total.pending) == (sent, presses, 0)
        assert Alarm.objects.filter(technical=False).count() == presses
        assert Incident.objects.count() == HOMES
        assert Alarm.objects.filter(technical=True).count() == HOMES
