"""The real worker with two jobs of its own, which leave a row for each run: `python -m tests.faults.worker`."""

from __future__ import annotations

import os
import threading

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "anju.config.settings")

import django

django.setup()

from django.db import connection  # noqa: E402 - Django must be set up first

from anju.config import worker  # noqa: E402
from anju.kernel.jobs import job, periodic  # noqa: E402


def ran(what: str) -> None:
    """Leave a trace, in the job's own transaction."""
    with connection.cursor() as cursor:
        cursor.execute("INSERT INTO faults_ran (what, at) VALUES (%s, clock_timestamp())", [what])


@periodic("* * * * * */2")  # every two seconds
@job("faults.beat")
def beat(timestamp: int) -> None:
    """What must come by the clock."""
    ran(f"beat {timestamp}")


@job("faults.once")
def once(n: int) -> None:
    """What was asked for."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_sleep(0.05)")
    ran(f"once {n}")


if __name__ == "__main__":
    raise SystemExit(worker.run(threading.Event()))
