"""The calls of last week are drawn for audit, on Monday or on the first day after it that the platform runs."""

from __future__ import annotations

from datetime import timedelta

from anju.kernel import clock
from anju.kernel.flow.actor import THE_CLOCK
from anju.kernel.jobs import job, periodic
from anju.places import queries as places
from anju.places.queries import Level
from anju.supervision import actions


@periodic("20 5 * * *")
@job("supervision.draw", retry=None)
def draw() -> None:
    """One drawing a district. Late is as good: a week is drawn once."""
    today = clock.today()
    monday = today - timedelta(days=today.weekday() + 7)
    for district in places.subtree(level=Level.DISTRICT):
        actions.draw_week(place=district.code, week=monday, by=THE_CLOCK)
