"""How far the rhythms of all homes are learnt, and which homes are quiet longer than theirs: for pages that show everybody."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from django.db.models import Q

from anju.alarms.models import HomeRhythm, HomeWatch


@dataclass(frozen=True, slots=True)
class Standing:
    """Homes that are watched, those with a learnt rhythm, and those past their own soft deadline (home → that moment)."""

    watched: int
    learnt: int
    overdue: dict[int, datetime]


def standing(now: datetime) -> Standing:
    """The homes of the asker's scope at this moment; a paused or unwatched home is never overdue."""
    watched = HomeWatch.objects.filter(watched=True)
    awake = watched.filter(Q(paused_until=None) | Q(paused_until__lte=now))
    late = dict(awake.filter(soft_at__lte=now).values_list("home_id", "soft_at"))
    return Standing(watched.count(), HomeRhythm.objects.count(), {k: at for k, at in late.items() if at is not None})
