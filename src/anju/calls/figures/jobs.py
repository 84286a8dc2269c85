"""Days that are over are counted in the background."""

from __future__ import annotations

from anju.calls.kpis import days
from anju.kernel.jobs import job, periodic

AT_ONCE = 60
"""Days of one run; a day of 3,000 calls takes about a third of a second."""


@periodic("7,27,47 * * * *")
@job("kpis.days", retry=None)
def store() -> None:
    """New days are noted, noted and changed ones are counted."""
    days.note_days()
    days.store_due(AT_ONCE)
