"""The same figures now: for the wall, for the leads, and for the rule that moves seats between queues."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import nullcontext
from dataclasses import dataclass
from datetime import datetime, time, timedelta

from django.db.models import Count, Min, Q

from anju.calls.kpis.counting import Chosen, Line
from anju.calls.kpis.days import lines
from anju.calls.kpis.definitions import Counts, answer_rate, level_15, level_20
from anju.calls.models import Call, Queue, SeatState
from anju.kernel import clock
from anju.kernel.scope import Scope, current, seen_by

WAITING = ("arrived", "queued", "offered")


@dataclass(frozen=True, slots=True)
class LiveQueue:
    """One queue as it stands."""

    code: str
    name: str
    emergency: bool
    waiting: int
    longest_wait_seconds: float
    talking: int
    recent: Counts
    today: Counts


@dataclass(frozen=True, slots=True)
class Live:
    """The whole centre as it stands. `recent` are the last fifteen minutes; figures are percent or None."""

    at: datetime
    waiting: int
    longest_wait_seconds: float
    talking: int
    seats: Mapping[str, int]
    recent: Counts
    today: Counts
    queues: list[LiveQueue]

    @property
    def answer_rate(self) -> float | None:
        """Today's."""
        return answer_rate(self.today)

    @property
    def level_15(self) -> float | None:
        """Today's."""
        return level_15(self.today)

    @property
    def level_20(self) -> float | None:
        """Today's."""
        return level_20(self.today)


def live(place: str = "", *, minutes: int = 15) -> Live:
    """How it stands at this moment; `place` (a code or prefix) narrows it further inside the asker's scope."""
    narrow = place and current().covers(place)
    with seen_by(Scope(places=(place,))) if narrow else nullcontext():
        return _live(clock.now(), minutes)


def _live(now: datetime, minutes: int) -> Live:
    midnight = datetime.combine(clock.local(now).date(), time(), clock.SHANGHAI)
    soon = now + timedelta(seconds=1)
    today = _by_key(lines(Chosen(midnight, soon), "queue"))
    recent = _by_key(lines(Chosen(now - timedelta(minutes=minutes), soon), "queue"))
    standing = (
        Call.objects.filter(direction="in", ended_at=None, planned_at__gt=now - timedelta(days=1))
        .values("queue__code")
        .annotate(
            waiting=Count("pk", filter=Q(state__in=WAITING)), first=Min("planned_at", filter=Q(state__in=WAITING)),
            talking=Count("pk", filter=Q(state="talking")),
        )
    )  # fmt: skip
    stands = {row["queue__code"] or "": row for row in standing}
    queues = [_queue(q, stands.get(q.code, {}), today, recent, now) for q in Queue.objects.all()]
    firsts = [row["first"] for row in stands.values() if row["first"]]
    return Live(
        at=now, waiting=sum(row["waiting"] for row in stands.values()), longest_wait_seconds=_since(min(firsts, default=None), now),
        talking=sum(row["talking"] for row in stands.values()),
        seats=dict(SeatState.objects.values_list("state").annotate(Count("pk"))), recent=sum(recent.values(), Counts()),
        today=sum(today.values(), Counts()), queues=queues,
    )  # fmt: skip


def _queue(
    q: Queue, row: Mapping[str, object], today: Mapping[str, Counts], recent: Mapping[str, Counts], now: datetime
) -> LiveQueue:
    first = row.get("first")
    return LiveQueue(
        q.code, q.name, q.emergency, int(str(row.get("waiting") or 0)), _since(first if isinstance(first, datetime) else None, now),
        int(str(row.get("talking") or 0)), recent.get(q.code, Counts()), today.get(q.code, Counts()),
    )  # fmt: skip


def _since(moment: datetime | None, now: datetime) -> float:
    return max(0.0, (now - moment).total_seconds()) if moment else 0.0


def _by_key(found: list[Line]) -> dict[str, Counts]:
    return {line.key: line.counts for line in found}
