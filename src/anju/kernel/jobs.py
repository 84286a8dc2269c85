"""Background work: a job is queued if, and only if, the transaction that asks for it commits.

A job may run twice (its worker may die after the work and before the note): make the work idempotent.
Arguments are JSON. Inside, everything is seen and the actor in the audit log is the job.
"""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable
from typing import Any

from django.db import close_old_connections, connection, transaction
from procrastinate import RetryStrategy
from procrastinate.contrib.django import app
from procrastinate.exceptions import AlreadyEnqueued

from anju.kernel import audit
from anju.kernel.scope import EVERYWHERE, seen_by

Work = Callable[..., Any]
PATIENT = RetryStrategy(max_attempts=10, exponential_wait=2)
"""Ten attempts, each twice as long after the last (2 s … 17 min)."""
CENTRE_HOURS = 8
"""The centre's clock (Asia/Shanghai) before UTC, all the year."""


class Job:
    """A function that can be deferred."""

    def __init__(self, name: str, work: Work, *, queue: str, retry: RetryStrategy | None) -> None:
        self.name, self.work = name, work
        self.task = app.task(name=name, queue=queue, retry=retry or False)(self._run)
        functools.update_wrapper(self, work)

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """Do the work here and now (tests, commands)."""
        return self.work(*args, **kwargs)

    def _run(self, **kwargs: Any) -> None:
        own_thread = not connection.in_atomic_block
        try:
            with seen_by(EVERYWHERE), audit.acting(f"任务 {self.name}"):
                self.work(**kwargs)
        finally:
            if own_thread:
                close_old_connections()

    def defer(self, *, in_seconds: int = 0, key: str = "", **kwargs: Any) -> int:
        """Queue it with this transaction. A `key` keeps two of the same from waiting at once (0 is returned then)."""
        options: dict[str, Any] = {"queueing_lock": key} if key else {}
        if in_seconds:
            options["schedule_in"] = {"seconds": in_seconds}
        if key and _waits(key):
            return 0
        try:
            with transaction.atomic():  # who queued the same at this moment must not undo what the caller did
                return int(self.task.configure(**options).defer(**kwargs))
        except AlreadyEnqueued:
            return 0


def _waits(key: str) -> bool:
    with connection.cursor() as cursor:
        cursor.execute("SELECT 1 FROM procrastinate_jobs WHERE queueing_lock = %s AND status = 'todo'", [key])
        return cursor.fetchone() is not None


def job(name: str, *, queue: str = "default", retry: RetryStrategy | None = PATIENT) -> Callable[[Work], Job]:
    """Decorator: the function can be deferred under this name. Put it into `<module>/jobs.py`, where it is found."""

    def decorate(work: Work) -> Job:
        return Job(name, work, queue=queue, retry=retry)

    return decorate


def in_utc(cron: str) -> str:
    """The worker's clock reads cron lines in UTC; ours are written in the centre's time (UTC+8, no summer time).

    An hour is `*` or one number, a day of the month `*`, a day of the week `*` or one number; else ValueError.
    """
    minute, hour, day, month, weekday, *seconds = cron.split()
    if hour == "*":
        return cron
    if not hour.isdigit() or (day, month) != ("*", "*") or not (weekday == "*" or weekday.isdigit()):
        raise ValueError(f"{cron}: only one hour of every day, or of one day of the week, can be told in UTC")
    before, in_utc_hour = divmod(int(hour) - CENTRE_HOURS, 24)
    return " ".join([minute, str(in_utc_hour), "*", "*", _moved(weekday, before), *seconds])


def _moved(weekday: str, by: int) -> str:
    return weekday if weekday == "*" else str((int(weekday) + by) % 7)


def periodic(cron: str, *, queue: str = "default") -> Callable[[Job], Job]:
    """Decorator above `@job`: run it by this cron line, in the centre's time, as well (once in the whole cluster)."""

    def decorate(work: Job) -> Job:
        takes_time = "timestamp" in inspect.signature(work.work).parameters

        def at_the_hour(timestamp: int) -> None:
            work._run(**({"timestamp": timestamp} if takes_time else {}))

        app.periodic(cron=in_utc(cron))(
            app.task(name=f"{work.name}.periodic", queue=queue, pass_context=False)(at_the_hour)
        )
        return work

    return decorate
