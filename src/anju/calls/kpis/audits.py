"""Calls that an agent took, for those who audit them: the drum of a drawing, and one call by its number."""

from __future__ import annotations

import uuid
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from django.db.models import OuterRef, Q, QuerySet, Subquery

from anju.calls.models import Call, Leg
from anju.kernel.scope import EVERYWHERE, seen_by
from anju.places import queries as places


@dataclass(frozen=True, slots=True)
class Taken:
    """A finished call with the seat that took it first."""

    id: int
    call_id: str
    place: str
    user_id: int
    seat: str
    at: datetime
    seconds: float
    emergency: bool


def _taken() -> QuerySet[Call]:
    first = Leg.unscoped.filter(call=OuterRef("pk"), role="agent", answered_at__isnull=False).order_by(
        "answered_at", "pk"
    )
    rows = Call.objects.filter(answered_at__isnull=False, ended_at__isnull=False).annotate(
        taker=Subquery(first.values("user_id")[:1]), taker_seat=Subquery(first.values("seat")[:1])
    )
    return rows.filter(taker__isnull=False)


def _views(rows: Iterable[Call]) -> list[Taken]:
    return [
        Taken(
            c.pk, str(c.call_id), c.place, c.taker, c.taker_seat, c.planned_at, (c.ended_at - c.answered_at).total_seconds(), c.emergency,  # type: ignore[attr-defined,operator]
        )
        for c in rows
    ]  # fmt: skip


def taken_between(place: str, since: datetime, until: datetime) -> list[Taken]:
    """Calls of a place (and below it) that began in the span, in the order of arrival."""
    rows = _taken().filter(place__startswith=places.prefix_of(place), planned_at__gte=since, planned_at__lt=until)
    return _views(rows.order_by("planned_at", "pk"))


def taken_call(call_id: str) -> Taken | None:
    """One call by its number; None when no agent took it or it lies outside the asker's scope."""
    return next(iter(_views(_taken().filter(call_id=call_id))), None) if _is_number(call_id) else None


@dataclass(frozen=True, slots=True)
class Known:
    """Any call, as those need it who tie something to it."""

    id: int
    call_id: str
    place: str
    user_id: int | None
    elder_id: int | None


def known_call(call_id: str) -> Known | None:
    """A call by its number, taken or not; None when there is none in the asker's scope."""
    call = Call.objects.filter(call_id=call_id).first() if _is_number(call_id) else None
    return Known(call.pk, str(call.call_id), call.place, call.user_id, call.elder_id) if call else None


def _is_number(call_id: str) -> bool:
    try:
        uuid.UUID(call_id)
    except ValueError:
        return False
    return True


def calls_of_person(*, elder_id: int, home_id: int | None) -> list[int]:
    """Row ids of a person's calls everywhere, and of her home's when nobody else lives there (`home_id`)."""
    whose = Q(elder_id=elder_id) | (Q(home_id=home_id) if home_id is not None else Q(pk__in=[]))
    with seen_by(EVERYWHERE):
        return list(Call.objects.filter(whose).values_list("pk", flat=True))
