"""Calls of the past, as another system wrote them down: the records of a centre that is taken over, the demo's history.

They come with the times that they had. Nothing rings, nobody is told, and the process table's own path is kept to.
"""

from __future__ import annotations

import uuid
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db import transaction

from anju.calls.models import Call, Leg, Queue
from anju.kernel import crypto


@dataclass(frozen=True, slots=True)
class PastCall:
    """One call that is over. `answered_at` None: nobody spoke. `wrap` are seconds of write-up."""

    at: datetime
    ended_at: datetime
    place: str
    number: str
    direction: str = "in"
    purpose: str = "service_in"
    queue: str = ""
    emergency: bool = False
    whom: str = ""
    answered_at: datetime | None = None
    user_id: int | None = None
    seat: str = ""
    agent: str = ""
    wrap: float = 0.0
    resolved: bool | None = None
    satisfaction: int = 0
    note: str = ""
    tags: tuple[str, ...] = ()
    home_id: int | None = None
    elder_id: int | None = None
    ref: str = ""
    result: str = "answered"


_PATHS = {
    ("in", True): ("arrived", "offered", "talking", "ended"),
    ("in", False): ("arrived", "ended"),
    ("out", True): ("planned", "ringing", "talking", "ended"),
    ("out", False): ("planned", "ringing", "ended"),
}


@transaction.atomic
def put_past(calls: Iterable[PastCall]) -> int:
    """Write them down; how many. The database's guard sees each of them go the way of the table."""
    some = sorted(calls, key=lambda c: c.at)  # lists go by number: it must grow with time
    queues = {q.code: q.pk for q in Queue.objects.all()}
    path = [_PATHS[c.direction, c.answered_at is not None] for c in some]
    rows = Call.objects.bulk_create(
        Call(
            state=states[0], place=c.place, ref=c.ref, direction=c.direction, purpose=c.purpose, whom=c.whom, number=c.number,
            caller_index=crypto.blind(c.number, "call.number"), emergency=c.emergency, priority=9 if c.emergency else 1,
            queue_id=queues.get(c.queue), home_id=c.home_id, elder_id=c.elder_id, user_id=c.user_id if c.answered_at else None,
            by=c.agent if c.direction == "out" else "", by_user=c.user_id if c.direction == "out" else None, planned_at=c.at,
            placed_at=c.at if c.direction == "out" else None, queued_at=c.at if c.direction == "in" else None, answered_at=c.answered_at,
            ended_at=c.ended_at, result=c.result, resolved=c.resolved, tags=list(c.tags), satisfaction=c.satisfaction, note=c.note,
            by_hand=True, state_since=c.ended_at,
        )
        for c, states in zip(some, path, strict=True)
    )  # fmt: skip
    for states in _PATHS.values():
        mine = [r.pk for r, own in zip(rows, path, strict=True) if own is states]
        for state in states[1:]:
            Call.objects.filter(pk__in=mine).update(state=state)
    legs = []
    for row, c in zip(rows, some, strict=True):
        far = "caller" if c.direction == "in" else "elder" if c.elder_id else "other"
        legs.append(
            _leg(row, far, c, name=c.whom, number=c.number, answered_at=c.at if c.direction == "in" else c.answered_at)
        )
        if c.seat:
            wrapped = c.ended_at + timedelta(seconds=c.wrap) if c.wrap and c.answered_at else None
            legs.append(
                _leg(row, "agent", c, name=c.agent, user_id=c.user_id, seat=c.seat, ringing_at=c.at + timedelta(seconds=1),
                     answered_at=c.answered_at, wrapped_at=wrapped)
            )  # fmt: skip
    Leg.objects.bulk_create(legs)
    return len(rows)


def _leg(call: Call, role: str, c: PastCall, **more: object) -> Leg:
    result = "answered" if more.get("answered_at") else c.result
    return Leg(
        call=call, leg_id=str(uuid.uuid4()), role=role, endpoint="seat" if role == "agent" else "number", planned_at=c.at, ended_at=c.ended_at,
        result=result, **more,
    )  # fmt: skip
