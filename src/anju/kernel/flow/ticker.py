"""Lets what is due happen. Run it in as many processes as you like; used by `config` and by tests.

Each deadline fires in a transaction of its own, together with its effects. One that fails is noted on its row, tried
again with growing pauses, and shows up in `queries.overdue()`; the others do not wait for it.

Of several tickers one leads (it holds a lock of the database's session, so it is free the moment its holder dies). The
others take what the leader has not done a quarter of a second later: they would only race it for the same rows.
"""

from __future__ import annotations

import logging
import random
import threading
from collections.abc import Callable, Iterator
from datetime import timedelta

import psycopg
from django.db import DatabaseError, connection, transaction
from django.db.models import Q

from anju.kernel import audit, clock
from anju.kernel.flow import engine
from anju.kernel.models import Due
from anju.kernel.scope import EVERYWHERE, seen_by

_log = logging.getLogger(__name__)
NAP = 1.0
"""Longest sleep in seconds."""
BUSY = 0.05
"""Sleep in seconds while something is due that somebody else holds."""
ROUND = 25
"""Deadlines in one round, so that the sign of life after it never waits long."""
BACKUP = timedelta(seconds=0.25)
"""How late a deadline is when the tickers that do not lead take it."""
LEAD = 5021_0002
"""Number of the advisory lock of the leading ticker."""
FIRST_PAUSE, LONGEST_PAUSE = 0.25, 60.0
"""Seconds until a failed deadline is tried again: the first time, and at most."""


def ring(limit: int = 100, *, late_by: timedelta = timedelta(0)) -> int:
    """Fire up to `limit` deadlines that passed `late_by` ago; how many were fired.

    A page of deadlines that others hold does not hide those behind it.
    """
    fired = 0
    with seen_by(EVERYWHERE):
        for due in _late(limit, late_by):
            fired += _ring_one(due)
            if fired >= limit:
                break
    return fired


def _late(page: int, late_by: timedelta) -> Iterator[Due]:
    rows = list[Due]()
    wanted = Due.objects.filter(fire_at__lte=clock.now() - late_by).order_by("fire_at", "id")
    while True:
        after = Q(fire_at__gt=rows[-1].fire_at) | Q(fire_at=rows[-1].fire_at, id__gt=rows[-1].pk) if rows else Q()
        rows = list(wanted.filter(after)[:page])
        # who helps begins somewhere else than the leader and the other helpers
        yield from random.sample(rows, len(rows)) if late_by else rows
        if len(rows) < page:
            return


def _ring_one(due: Due) -> bool:
    try:
        with transaction.atomic():
            return engine.fire(due)
    except Exception as error:
        if _lost():
            raise
        _log.exception("deadline %s failed", due)
        _put_off(due, error)
        return False


def _lost() -> bool:
    """Whether the database itself is gone, so that no deadline is to blame."""
    raw = connection.connection
    return raw is None or raw.closed or raw.broken


def _put_off(due: Due, error: Exception) -> None:
    wait = timedelta(seconds=min(FIRST_PAUSE * 2 ** min(due.tries, 20), LONGEST_PAUSE))
    problem = f"{type(error).__name__}: {error}"[:500]
    with transaction.atomic():
        Due.objects.filter(pk=due.pk).update(tries=due.tries + 1, fire_at=clock.now() + wait, problem=problem)


def run_forever(stop: threading.Event, *, after_round: Callable[[], object] = lambda: None) -> None:
    """Ring until `stop` is set. Sleeps until the next deadline (1 s at most) and wakes at once when one is set nearer.

    `after_round` is called after every round that succeeded, at least once a second: a sign of life.
    """
    while not stop.is_set():
        try:
            _run_connected(stop, after_round)
        except (DatabaseError, psycopg.Error):
            _log.exception("the ticker lost its database; trying again")
            connection.close()
            stop.wait(NAP)


def _run_connected(stop: threading.Event, after_round: Callable[[], object]) -> None:
    connection.ensure_connection()
    with connection.cursor() as cursor:
        cursor.execute(f"LISTEN {engine.WAKE}")
    try:
        _ring_until(stop, after_round)
    finally:
        if not _lost():  # a pooled connection lives on: it must not lead without a ticker
            with connection.cursor() as cursor:
                cursor.execute("SELECT pg_advisory_unlock_all()")


def _ring_until(stop: threading.Event, after_round: Callable[[], object]) -> None:
    raw = connection.connection
    next_seal = next_anchor = clock.now()
    leads = False
    while not stop.is_set():
        leads = leads or _try_to_lead()
        late_by = timedelta(0) if leads else BACKUP
        if ring(ROUND, late_by=late_by) == 0:
            for _ in raw.notifies(timeout=_until_next(late_by), stop_after=1):
                pass
        if clock.now() >= next_seal:
            audit.seal(wait=False, limit=5000)
            next_seal = clock.now() + timedelta(seconds=1)
        if clock.now() >= next_anchor:
            audit.anchor()
            next_anchor = clock.now() + timedelta(minutes=1)
        after_round()


def _try_to_lead() -> bool:
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_try_advisory_lock(%s)", [LEAD])
        return bool(cursor.fetchone() == (True,))


def _until_next(late_by: timedelta) -> float:
    first = Due.objects.order_by("fire_at").values_list("fire_at", flat=True).first()
    if first is None:
        return NAP
    left = (first + late_by - clock.now()).total_seconds()
    return BUSY if left <= 0 else min(left, NAP)
