"""Calls that were: one, those of a matter, a page of all."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.db.models import QuerySet

from anju.calls import rules
from anju.calls.exchange import Health, exchange
from anju.calls.models import PURPOSES, Call
from anju.calls.words import went
from anju.elders import masks
from anju.kernel import clock, crypto


@dataclass(frozen=True, slots=True)
class CallView:
    """One call for a page or a replay; the number is masked."""

    call_id: str
    at: datetime
    purpose: str
    purpose_label: str
    whom: str
    number_masked: str
    result: str
    by: str
    by_hand: bool
    answered_at: datetime | None
    ended_at: datetime | None
    keys: tuple[dict[str, Any], ...]
    note: str
    direction: str = "out"
    emergency: bool = False
    priority: int = 1
    ref: str = ""
    home_id: int | None = None
    elder_id: int | None = None
    user_id: int | None = None
    result_label: str = ""
    satisfaction: int = 0
    resolved: bool | None = None
    place: str = ""


def masked(number: str) -> str:
    """13900002046 → 139****2046, 87654321 → ******21; short public numbers stay."""
    digits = number.strip()
    return digits if len(digits) <= 5 else masks.phone(digits)


def of(ref: str) -> list[CallView]:
    """The calls of one matter in the order of time."""
    return [_view(c) for c in Call.objects.filter(ref=ref)]


def call(call_id: str) -> CallView | None:
    """One call, or None outside the asker's scope."""
    row = Call.objects.filter(call_id=call_id).first()
    return _view(row) if row else None


def number_of(call_id: str) -> str:
    """The whole number of the other side, for what must keep or dial it; pages show `number_masked`."""
    return Call.objects.filter(call_id=call_id).values_list("number", flat=True).first() or ""


def page(
    *, direction: str = "", result: str = "", user_id: int | None = None, number: str = "", emergency: bool | None = None,
    since: datetime | None = None, until: datetime | None = None, elder_id: int | None = None, offset: int = 0, limit: int = 50,
) -> tuple[list[CallView], int]:  # fmt: skip
    """The newest calls that fit, and how many fit in all. A number is found whole, in any of its spellings."""
    rows: QuerySet[Call] = Call.objects.order_by("-planned_at", "-id")
    wanted = {"direction": direction, "result": result, "user_id": user_id, "emergency": emergency, "elder_id": elder_id,
              "planned_at__gte": since, "planned_at__lt": until}  # fmt: skip
    rows = rows.filter(**{name: value for name, value in wanted.items() if value not in {"", None}})
    if number:
        rows = rows.filter(caller_index__in=[crypto.blind(v, "call.number") for v in rules.variants(number)])
    return [_view(c) for c in rows[offset : offset + limit]], rows.count()


def _view(c: Call) -> CallView:
    return CallView(
        call_id=str(c.call_id), at=c.placed_at or c.planned_at, purpose=c.purpose,
        purpose_label=PURPOSES.get(c.purpose, c.purpose), whom=c.whom, number_masked=masked(c.number),
        result=c.result or c.state, by=c.by, by_hand=c.by_hand, answered_at=c.answered_at, ended_at=c.ended_at,
        keys=tuple(c.keys), note=c.note, direction=c.direction, emergency=c.emergency, priority=c.priority, ref=c.ref,
        home_id=c.home_id, elder_id=c.elder_id, user_id=c.user_id, result_label=went(c.result, c.cause, seat=c.purpose == "seat") or c.state_label,
        satisfaction=c.satisfaction, resolved=c.resolved, place=c.place,
    )  # fmt: skip


def live(ref: str, purpose: str) -> bool:
    """Whether such a call is planned, ringing or talking now."""
    return Call.objects.filter(ref=ref, purpose=purpose).exclude(state="ended").exists()


CARRIED = timedelta(seconds=60)
"""A conversation that the switchboard has not confirmed for so long keeps nobody's line busy."""


def live_with(number: str) -> bool:
    """Whether anybody (a person, a robot, herself) is in a call with this number or rings it, of whatever case."""
    up = _with(number).exclude(state="talking") | _with(number).filter(seen_at__gt=clock.now() - CARRIED)
    return bool(up.exists())


def robots_to(number: str) -> list[str]:
    """The robots' calls to this number that are up and in which no key was pressed: nobody speaks in them."""
    robots = _with(number).filter(direction="out", by_user=None, user_id=None, keys=[])
    return [str(pk) for pk in robots.values_list("call_id", flat=True)]


def _with(number: str) -> QuerySet[Call]:
    known = [crypto.blind(v, "call.number") for v in rules.variants(number)]
    return Call.unscoped.filter(caller_index__in=known, by_hand=False).exclude(state="ended")


def health() -> Health:
    """Whether calls can be placed."""
    return exchange().health()
