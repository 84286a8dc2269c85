"""When recordings are taken in, reconciled, copied, checked and deleted."""

from __future__ import annotations

from anju.calls.recordings import sweep as work
from anju.kernel.jobs import job, periodic


@periodic("* * * * *", queue="recordings")
@job("recordings.sweep", queue="recordings", retry=None)
def sweep() -> None:
    """Every minute: finished files in, answered calls without a recording named."""
    work.sweep()


@periodic("*/5 * * * *", queue="recordings")
@job("recordings.copy", queue="recordings", retry=None)
def copy() -> None:
    """Every five minutes: to the second storage."""
    work.copy_some()


@periodic("10 3 * * *", queue="recordings")
@job("recordings.night", queue="recordings", retry=None)
def night() -> None:
    """Every night: read the oldest ones back, delete what is due."""
    work.check_some()
    work.expire()


@periodic("*/10 * * * *", queue="recordings")
@job("recordings.disk", queue="recordings", retry=None)
def disk() -> None:
    """Every ten minutes: is there room."""
    work.watch_disk()
