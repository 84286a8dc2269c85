"""Calls that are up now, as the desk shows them."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from anju.calls.models import Call, CallBack, Leg, LegRole, SeatState
from anju.calls.queries.history import masked
from anju.calls.words import went
from anju.kernel import clock
from anju.kernel.scope import EVERYWHERE, seen_by

SHOWN = {"offered": "ringing"}
"""The desk knows one word for "it rings", whoever's telephone it is."""


@dataclass(frozen=True, slots=True)
class LegView:
    """One party: `state` is planned | ringing | talking | held | ended."""

    leg_id: str
    role: str
    role_label: str
    name: str
    number_masked: str
    state: str
    since: datetime
    answered_at: datetime | None
    ended_at: datetime | None
    muted: bool
    held: bool
    mine: bool
    user_id: int | None
    seat: str
    result: str
    said: str = ""
    """What became of it, in words, when it is over."""


@dataclass(frozen=True, slots=True)
class LiveCallView:
    """A call that is up (or being written up, state "wrap_up"). `number` is for those whose call it is."""

    call_id: str
    direction: str
    purpose: str
    state: str
    state_label: str
    since: datetime
    arrived_at: datetime
    answered_at: datetime | None
    emergency: bool
    priority: int
    level: int
    whom: str
    number: str
    number_masked: str
    called: str
    home_id: int | None
    elder_id: int | None
    device_id: int | None
    candidates: tuple[int, ...]
    ref: str
    place: str
    queue: str
    queue_label: str
    waited_seconds: int
    user_id: int | None
    held: bool
    muted: bool
    recording: bool
    until: datetime | None = None
    note: str = ""
    resolved: bool | None = None
    tags: tuple[str, ...] = ()
    """Note, verdict and tags: as far as written up, for those whose call it is."""
    legs: list[LegView] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class CallBackView:
    """A caller who must be rung back."""

    id: int
    call_id: str
    number_masked: str
    whom: str
    home_id: int | None
    elder_id: int | None
    emergency: bool
    why: str
    since: datetime
    due_at: datetime | None
    attempts: int
    state: str
    state_label: str
    place: str


def live_calls(place: str = "") -> list[LiveCallView]:
    """Every call that is up in the asker's scope (and below `place`), the oldest first."""
    rows = Call.objects.exclude(state="ended").filter(by_hand=False).select_related("queue").prefetch_related("legs")
    return [_live(c) for c in (rows.filter(place__startswith=place) if place else rows)]


def waiting() -> list[LiveCallView]:
    """Callers whom nobody has answered: the urgent first, then the longest waiting."""
    rows = Call.objects.filter(state__in=["arrived", "queued", "offered"]).select_related("queue")
    rows = rows.prefetch_related("legs").order_by("-priority", "planned_at", "id")
    return [_live(c) for c in rows]


def my_call(user_id: int) -> LiveCallView | None:
    """The call at this user's seat: ringing, talking, or being written up; None when the seat is free.

    A seat that rings sees its call wherever the caller lives: otherwise it could not answer.
    """
    with seen_by(EVERYWHERE):
        seat = SeatState.objects.filter(user=user_id).first()
        legs = Leg.objects.filter(user_id=user_id, ended_at=None).exclude(call__state="ended")
        mine = legs.order_by("-id").select_related("call__queue").first()
        row = mine.call if mine else None
        if row is None and seat is not None and seat.call_id is not None:
            row = Call.objects.filter(call_id=seat.call_id).select_related("queue").first()
        if row is None or (row.state == "ended" and (seat is None or seat.state != "wrap_up")):
            return None
        return _live(row, user_id, seat)


UNWRITTEN_FOR = timedelta(hours=24)
"""So long a call that nobody wrote up stands on its agent's list: her next shift is in it."""


def unwritten(user_id: int, *, call_id: str = "") -> list[LiveCallView]:
    """Calls that came in, that this user took, and that are over without a word of what they were about, the oldest first.

    The seat is held up by nothing (就绪, the limit and an urgent call end its wrap-up), so what was left undone is kept here.
    """
    mine = my_call(user_id)
    with seen_by(EVERYWHERE):
        rows = Call.objects.filter(
            direction="in", user_id=user_id, by_hand=False, state="ended", answered_at__isnull=False, resolved=None, tags=[],
            ended_at__gt=clock.now() - UNWRITTEN_FOR,
        )  # fmt: skip
        if call_id:
            rows = rows.filter(call_id=call_id)
        found = rows.select_related("queue").prefetch_related("legs").order_by("ended_at", "pk")
        return [_live(c, user_id) for c in found if mine is None or str(c.call_id) != mine.call_id]


def call_backs(place: str = "") -> list[CallBackView]:
    """Callers in need who must be rung back, the oldest first."""
    rows = CallBack.objects.exclude(state__in=["done", "closed"]).select_related("call")
    if place:
        rows = rows.filter(place__startswith=place)
    return [
        CallBackView(
            id=b.pk,
            call_id=str(b.call.call_id),
            number_masked=masked(b.number),
            whom=b.call.whom,
            home_id=b.home_id,
            elder_id=b.elder_id,
            emergency=b.call.emergency,
            why=b.get_why_display(),
            since=b.created_at,
            due_at=b.due_at,
            attempts=b.attempts,
            state=b.state,
            state_label=b.state_label,
            place=b.place,
        )
        for b in rows
    ]


def _live(c: Call, user_id: int | None = None, seat: SeatState | None = None) -> LiveCallView:
    legs = [_leg(leg, user_id) for leg in c.legs.all()]
    own = next((one for one in reversed(legs) if one.mine and one.state != "ended"), None)
    state = SHOWN.get(c.state, c.state)
    until = None
    if own is not None and own.state in {"planned", "ringing"}:
        state = "ringing"
    elif own is None and seat is not None and seat.state == "wrap_up":
        state, until = "wrap_up", seat.until
    return LiveCallView(
        call_id=str(c.call_id), direction=c.direction, purpose=c.purpose, state=state, state_label=_label(state, c),
        since=c.state_since or c.planned_at, arrived_at=c.planned_at, answered_at=c.answered_at, emergency=c.emergency,
        priority=c.priority, level=c.level, whom=c.whom, number=c.number if user_id else "", number_masked=masked(c.number),
        called=c.called, home_id=c.home_id, elder_id=c.elder_id, device_id=c.device_id, candidates=tuple(c.candidates),
        ref=c.ref, place=c.place, queue=c.queue.code if c.queue else "", queue_label=c.queue.name if c.queue else "",
        waited_seconds=int(((c.answered_at or c.ended_at or clock.now()) - c.planned_at).total_seconds()),
        user_id=c.user_id, held=_any(legs, "held"), muted=own is not None and own.muted,
        recording=c.answered_at is not None and c.state != "ended", until=until, legs=legs,
        note=c.note if user_id else "", resolved=c.resolved if user_id else None, tags=tuple(c.tags) if user_id else (),
    )  # fmt: skip


def _label(state: str, c: Call) -> str:
    return {"ringing": "振铃", "wrap_up": "整理"}.get(state, c.state_label)


def _any(legs: Iterable[LegView], flag: str) -> bool:
    return any(getattr(one, flag) for one in legs if one.state != "ended")


def _leg(row: Leg, user_id: int | None) -> LegView:
    if row.ended_at:
        state = "ended"
    elif row.answered_at:
        state = "held" if row.held else "talking"
    else:
        state = "ringing" if row.ringing_at else "planned"
    return LegView(
        leg_id=row.leg_id, role=row.role, role_label=LegRole(row.role).label, name=row.name, number_masked=masked(row.number),
        state=state, since=row.answered_at or row.ringing_at or row.planned_at, answered_at=row.answered_at,
        ended_at=row.ended_at, muted=row.muted, held=row.held, mine=user_id is not None and row.user_id == user_id,
        user_id=row.user_id, seat=row.seat, result=row.result, said=went(row.result, row.cause, seat=bool(row.seat)),
    )  # fmt: skip
