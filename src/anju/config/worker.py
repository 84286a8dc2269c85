"""The worker process: background jobs, and the housekeeping that must go on whatever jobs do.

Main thread: procrastinate's worker. Second thread, every two seconds: messages that are due again; once a minute: the
auditor with its dead-man heartbeat, and jobs whose worker died. The process shows a sign of life only while both work.
"""

from __future__ import annotations

import logging
import threading
import time
from datetime import timedelta

from django.db import DatabaseError, close_old_connections, connection
from procrastinate import App
from procrastinate.contrib.django import app

from anju.config import auditor
from anju.kernel import clock
from anju.kernel.scope import EVERYWHERE, seen_by
from anju.notices import actions as notices
from anju.ops import heartbeat

_log = logging.getLogger(__name__)
NAP = 2.0
AUDIT_EVERY = 60.0
FIRST_AUDIT = 15.0
"""The other processes start at the same time; they get so long to show themselves."""
STUCK_SECONDS = 60
"""An urgent job that waits longer than this means that the worker does not work."""
DEAD_SECONDS = 30
CONCURRENCY = 8


def worker_app() -> App:
    """The same tasks on a connector that can wait for work.

    Jobs that queue other jobs keep using the Django connection, so that a job is queued with the transaction that asks
    for it; procrastinate's `replace_connector` would lose that.
    """
    django_connector = app.connector
    made = App(connector=django_connector.get_worker_connector())  # type: ignore[attr-defined]
    made.tasks, made.periodic_registry = app.tasks, app.periodic_registry
    return made


def run(stop: threading.Event) -> int:
    """Work until SIGTERM (procrastinate handles it: running jobs get a few seconds to end)."""
    keeper = threading.Thread(target=housekeeping, args=(stop,), name="housekeeping", daemon=True)
    keeper.start()
    try:
        worker_app().run_worker(
            name="anju", concurrency=CONCURRENCY, shutdown_graceful_timeout=2.0, delete_jobs="successful",
            update_heartbeat_interval=5.0, stalled_worker_timeout=float(DEAD_SECONDS),
        )  # fmt: skip
    finally:
        stop.set()
        keeper.join(timeout=1)
    return 0


def housekeeping(stop: threading.Event) -> None:
    """Rounds until `stop`; a round that fails is logged and tried again, and shows no sign of life."""
    next_audit = time.monotonic() + FIRST_AUDIT
    with seen_by(EVERYWHERE):
        while not stop.is_set():
            try:
                close_old_connections()
                tidy()
                if time.monotonic() >= next_audit:
                    next_audit = time.monotonic() + AUDIT_EVERY
                    auditor.round_()
                    revive()
                heartbeat.beat("worker")
            except DatabaseError:
                _log.exception("housekeeping lost its database; trying again")
                _forget_connection()
            except Exception:  # noqa: BLE001 - whatever it was, the next round must come
                _log.exception("housekeeping failed; trying again")
            stop.wait(NAP)


class Stuck(RuntimeError):
    """Urgent jobs wait and nobody takes them."""


def tidy() -> None:
    """Messages that are due again; and a look whether urgent jobs are taken."""
    notices.sweep()
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT count(*) FROM procrastinate_jobs j WHERE status = 'todo' AND queue_name = 'urgent' "
            "AND coalesce(scheduled_at, (SELECT min(e.at) FROM procrastinate_events e WHERE e.job_id = j.id)) "
            "< %s",
            [clock.now() - timedelta(seconds=STUCK_SECONDS)],
        )
        waiting = cursor.fetchone()[0]
    if waiting:
        raise Stuck(f"{waiting} urgent jobs wait for more than {STUCK_SECONDS} s")


def revive() -> int:
    """Queue the jobs of workers that died once more (jobs are idempotent); how many."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT j.id FROM procrastinate_jobs j LEFT JOIN procrastinate_workers w ON w.id = j.worker_id "
            "WHERE j.status = 'doing' AND (w.id IS NULL OR w.last_heartbeat < now() - make_interval(secs => %s))",
            [DEAD_SECONDS],
        )
        lost = [row[0] for row in cursor.fetchall()]
    for job_id in lost:
        app.job_manager.retry_job_by_id(job_id, retry_at=clock.now())
    return len(lost)


def _forget_connection() -> None:
    try:
        connection.close()
    except DatabaseError:
        _log.debug("the connection was gone already")
