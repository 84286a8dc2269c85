"""Lets what is due happen. Run it in as many processes as you like; used by `config` and by tests."""

from __future__ import annotations

import logging
import threading
from datetime import timedelta

import psycopg
from django.db import DatabaseError, close_old_connections, connection, transaction

from anju.kernel import clock
from anju.kernel.flow import engine
from anju.kernel.models import Due
from anju.kernel.scope import EVERYWHERE, seen_by

_log = logging.getLogger(__name__)
NAP = 1.0
"""Longest sleep in seconds."""
BUSY = 0.05
"""Sleep in seconds when something is due but somebody else holds it."""


def ring(limit: int = 100) -> int:
    """Fire up to `limit` deadlines that have passed, each in its own transaction; how many were fired."""
    late = list(Due.objects.filter(fire_at__lte=clock.now()).order_by("fire_at", "id")[:limit])
    with seen_by(EVERYWHERE):
        return sum(_ring_one(due) for due in late)


def _ring_one(due: Due) -> bool:
    try:
        with transaction.atomic():
            return engine.fire(due)
    except psycopg.OperationalError:
        raise
    except Exception as error:  # noqa: BLE001 - one poisonous deadline must never stop the others
        _log.exception("deadline %s failed", due)
        _put_off(due, error)
        return False


def _put_off(due: Due, error: Exception) -> None:
    wait = timedelta(seconds=min(2 ** min(due.tries, 6), 60))
    problem = f"{type(error).__name__}: {error}"[:500]
    with transaction.atomic():
        Due.objects.filter(pk=due.pk).update(tries=due.tries + 1, fire_at=clock.now() + wait, problem=problem)


def run_forever(stop: threading.Event) -> None:
    """Ring until `stop` is set. Sleeps until the next deadline (1 s at most) and wakes at once when one is set nearer."""
    while not stop.is_set():
        try:
            _run_connected(stop)
        except (DatabaseError, psycopg.Error):
            _log.exception("the ticker lost its database; trying again")
            close_old_connections()
            stop.wait(NAP)


def _run_connected(stop: threading.Event) -> None:
    connection.ensure_connection()
    with connection.cursor() as cursor:
        cursor.execute(f"LISTEN {engine.WAKE}")
    raw = connection.connection
    while not stop.is_set():
        if ring() == 0:
            for _ in raw.notifies(timeout=_until_next(), stop_after=1):
                pass


def _until_next() -> float:
    first = Due.objects.order_by("fire_at").values_list("fire_at", flat=True).first()
    if first is None:
        return NAP
    return min(max((first - clock.now()).total_seconds(), BUSY), NAP)
