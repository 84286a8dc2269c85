"""Planned calls of the past, as another system (or the demo) wrote them down: they come with the times that they had.

Nothing rings and nobody is told; the process table's own path is kept to, the database's guard sees each of them go it.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from django.db import transaction

from anju.calls.planned import rules
from anju.calls.planned.models import CallPlan, PlannedCall
from anju.kernel import clock

_PATHS = {
    "well": ("due", "ringing", "done"),
    "reached": ("due", "ringing", "due", "agent", "done"),
    "missed": ("due", "ringing", "due", "agent", "missed"),
    "skipped": ("due", "skipped"),
}
"""Result → the states that it went through after `waiting`."""


@dataclass(frozen=True, slots=True)
class PastPlanned:
    """One call of a plan on a day that is over."""

    on: date
    result: str
    tried: int = 1
    why: str = ""
    mood: str = ""
    needs: str = ""
    note: str = ""
    done_by: int | None = None


@transaction.atomic
def put_past(*, plan_id: int, made_at: datetime, calls: Iterable[PastPlanned]) -> int:
    """Write down the past of a plan that was made at `made_at`; how many calls."""
    CallPlan.objects.filter(pk=plan_id).update(made_at=made_at)
    plan, some = CallPlan.objects.get(pk=plan_id), list(calls)
    rows = PlannedCall.objects.bulk_create(_row(plan, one) for one in some)
    for result, path in _PATHS.items():
        mine = [row.pk for row, one in zip(rows, some, strict=True) if one.result == result]
        for state in path if mine else ():
            PlannedCall.objects.filter(pk__in=mine).update(state=state)
    return len(rows)


def _row(plan: CallPlan, one: PastPlanned) -> PlannedCall:
    at = datetime.combine(one.on, plan.at, clock.SHANGHAI)
    gap = timedelta(minutes=plan.gap_minutes)
    last = at + max(0, one.tried - 1) * gap
    over = last + (timedelta(minutes=25) if one.done_by else timedelta(seconds=40))
    return PlannedCall(
        state="waiting", state_since=over, plan=plan, on=one.on, place=plan.place, elder_id=plan.elder_id, home_id=plan.home_id,
        kind=plan.kind, way=plan.way, says=plan.says, agreed_at=at, call_at=last, latest=rules.latest(plan.kind, at, plan.tries, gap),
        tries=plan.tries, gap_minutes=plan.gap_minutes, tried=one.tried, why=one.why, result=one.result, mood=one.mood, needs=one.needs,
        note=one.note, done_by=one.done_by, done_at=over, key="1" if one.result == "well" else "",
    )  # fmt: skip
