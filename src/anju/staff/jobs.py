"""Background work of the roster."""

from __future__ import annotations

from datetime import timedelta

from anju.kernel import clock
from anju.kernel.jobs import job, periodic
from anju.kernel.scope import EVERYWHERE, seen_by
from anju.staff import actions, queries
from anju.staff.models import Duty

BEFORE = timedelta(minutes=30)


@periodic("* * * * *")
@job("staff.remind", retry=None)
def remind() -> None:
    """Appointments that begin soon."""
    with seen_by(EVERYWHERE):
        actions.remind_due()


@periodic("*/10 * * * *")
@job("staff.look_ahead", retry=None)
def look_ahead() -> None:
    """The sheets of shifts that end soon, and whether anybody will be there, and is there now, for every type of alarm."""
    now = clock.now()
    with seen_by(EVERYWHERE):
        for place in sorted(set(Duty.objects.filter(end__gt=now, struck_at=None).values_list("place", flat=True))):
            for ends_at in queries.shift_ends(now, place=place):
                if ends_at - now <= BEFORE:
                    lead = next(
                        (d.user_id for d in queries.roster(now, ends_at, place=place) if d.post == "lead"), None
                    )
                    actions.begin_hand_over(place=place, ends_at=ends_at, from_lead_id=lead)
            actions.check_coverage(place=place, start=now + BEFORE, end=now + BEFORE + actions.AHEAD)
            actions.check_present(place=place)
