"""The list of calls as leads and inspectors read it: how long she waited, who took it, how long they spoke, what came of it."""

from __future__ import annotations

import uuid
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from django.db.models import OuterRef, Q, QuerySet, Subquery

from anju.accounts import queries as accounts
from anju.calls import rules
from anju.calls.models import PURPOSES, Call, Leg
from anju.calls.queries.history import masked
from anju.calls.words import went
from anju.kernel import crypto
from anju.places import queries as places


@dataclass(frozen=True, slots=True)
class CallRow:
    """A call in a list; seconds are None where that never happened. The number is masked."""

    id: int
    call_id: str
    direction: str
    purpose: str
    purpose_label: str
    emergency: bool
    priority: int
    place: str
    place_name: str
    number_masked: str
    whom: str
    home_id: int | None
    elder_id: int | None
    ref: str
    queue: str
    queue_label: str
    arrived_at: datetime
    answered_at: datetime | None
    ended_at: datetime | None
    wait_seconds: float | None
    talk_seconds: float | None
    state: str
    state_label: str
    result: str
    result_label: str
    agent_id: int | None
    agent_name: str
    seat: str
    resolved: bool | None
    satisfaction: int
    by_hand: bool


@dataclass(frozen=True, slots=True)
class LegRow:
    """One party of a call with its times."""

    leg_id: str
    role: str
    role_label: str
    name: str
    user_id: int | None
    seat: str
    number_masked: str
    ringing_at: datetime | None
    answered_at: datetime | None
    ended_at: datetime | None
    wrapped_at: datetime | None
    talk_seconds: float | None
    result: str
    result_label: str
    cause: str


@dataclass(frozen=True, slots=True)
class CallDetail:
    """A call with all who took part."""

    row: CallRow
    legs: list[LegRow]
    note: str
    tags: list[str]
    keys: list[dict[str, str]]


def listed(
    *, limit: int = 50, before_id: int | None = None, since: datetime | None = None, until: datetime | None = None, direction: str = "",
    result: str = "", queue: str = "", user_id: int | None = None, seat: str = "", emergency: bool | None = None, number: str = "",
    place: str = "", home_id: int | None = None, ids: Iterable[str] | None = None, short_of_recording: bool = False,
) -> list[CallRow]:  # fmt: skip
    """Calls in the asker's scope, the newest first. `result`: one of words.RESULTS, or "missed" for incoming ones that nobody took."""
    wanted = Q()
    for name, value in (
        ("pk__lt", before_id), ("planned_at__gte", since), ("planned_at__lt", until), ("direction", direction), ("queue__code", queue),
        ("home_id", home_id), ("emergency", emergency), ("call_id__in", list(ids) if ids is not None else None),
    ):  # fmt: skip
        if value not in {"", None} if not isinstance(value, list) else True:
            wanted &= Q(**{name: value})
    if result == "missed":
        wanted &= Q(direction="in", answered_at=None, ended_at__isnull=False)
    elif result:
        wanted &= Q(result=result)
    if place:
        wanted &= Q(place__startswith=places.prefix_of(place))
    if number:
        wanted &= Q(caller_index__in=[crypto.blind(v, "call.number") for v in rules.variants(number)])
    if short_of_recording:
        wanted &= Q(recording_gap__isnull=False, recording_gap__settled_at=None)
    mine = Leg.unscoped.filter(role="agent")
    if user_id is not None:
        wanted &= Q(user_id=user_id) | Q(pk__in=mine.filter(user_id=user_id).values("call_id"))
    if seat:
        wanted &= Q(pk__in=mine.filter(seat=seat).values("call_id"))
    return _rows(_with_agent(Call.objects.filter(wanted)).order_by("-pk")[:limit])


def detail(call_id: str) -> CallDetail | None:
    """One call with its parties; None when there is none in the asker's scope."""
    try:
        uuid.UUID(call_id)
    except ValueError:
        return None
    rows = list(_with_agent(Call.objects.filter(call_id=call_id)))
    if not rows:
        return None
    call = rows[0]
    legs = list(call.legs.all())
    names = accounts.user_names([leg.user_id for leg in legs if leg.user_id])
    return CallDetail(_rows(rows)[0], [_leg(leg, names) for leg in legs], call.note, list(call.tags), list(call.keys))


def _with_agent(rows: QuerySet[Call]) -> QuerySet[Call]:
    first = Leg.unscoped.filter(call=OuterRef("pk"), role="agent", answered_at__isnull=False).order_by(
        "answered_at", "pk"
    )
    return rows.select_related("queue").annotate(
        taker=Subquery(first.values("user_id")[:1]), taker_seat=Subquery(first.values("seat")[:1])
    )


def _rows(calls: Iterable[Call]) -> list[CallRow]:
    found = list(calls)
    agent_of = {c.pk: c.taker or c.user_id or c.by_user for c in found}  # type: ignore[attr-defined]
    names = accounts.user_names([a for a in agent_of.values() if a])
    where = places.names_of({c.place for c in found})
    return [_row(c, agent_of[c.pk], names, where) for c in found]


def _row(c: Call, agent: int | None, names: dict[int, str], where: dict[str, str]) -> CallRow:
    return CallRow(
        id=c.pk, call_id=str(c.call_id), direction=c.direction, purpose=c.purpose, purpose_label=PURPOSES.get(c.purpose, c.purpose),
        emergency=c.emergency, priority=c.priority, place=c.place, place_name=where.get(c.place, c.place),
        number_masked=masked(c.number) or "未显示号码", whom=c.whom, home_id=c.home_id, elder_id=c.elder_id, ref=c.ref,
        queue=c.queue.code if c.queue else "", queue_label=c.queue.name if c.queue else "", arrived_at=c.planned_at,
        answered_at=c.answered_at, ended_at=c.ended_at, wait_seconds=_between(c.planned_at, c.answered_at or c.ended_at),
        talk_seconds=_between(c.answered_at, c.ended_at), state=c.state, state_label=c.state_label, result=c.result,
        result_label=went(c.result, c.cause, seat=c.purpose == "seat") or c.state_label,
        agent_id=agent, agent_name=names.get(agent or 0, c.by if c.by_hand else ""),
        seat=c.taker_seat or "", resolved=c.resolved, satisfaction=c.satisfaction, by_hand=c.by_hand,  # type: ignore[attr-defined]
    )  # fmt: skip


def _leg(leg: Leg, names: dict[int, str]) -> LegRow:
    return LegRow(
        leg.leg_id, leg.role, leg.get_role_display(), names.get(leg.user_id or 0, leg.name), leg.user_id, leg.seat, masked(leg.number),
        leg.ringing_at, leg.answered_at, leg.ended_at, leg.wrapped_at, _between(leg.answered_at, leg.ended_at), leg.result,
        went(leg.result, leg.cause, seat=bool(leg.seat)) or ("接通" if leg.answered_at else ""), leg.cause,
    )  # fmt: skip


def _between(start: datetime | None, end: datetime | None) -> float | None:
    return round((end - start).total_seconds(), 1) if start and end else None
