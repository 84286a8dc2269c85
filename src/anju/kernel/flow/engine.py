"""Moves objects by their process table: the only code that writes a state. Called from `*.actions` only.

The order of locks is the same everywhere: the subject first, then its deadline rows. The other order deadlocks.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, TypeVar

from django.db import connection, transaction
from django.db.models import QuerySet

from anju.kernel import clock, hours
from anju.kernel.flow import registry
from anju.kernel.flow.actor import THE_CLOCK, Actor, NotAllowed
from anju.kernel.flow.subject import FlowSubject
from anju.kernel.flow.table import A_REASON, STATE, Deadline, Hours, Move, State
from anju.kernel.models import Due, Movement
from anju.kernel.scope import ScopedModel

__all__ = ["THE_CLOCK", "Actor", "NotAllowed", "begin", "fire", "make", "rearm", "tick"]

_log = logging.getLogger(__name__)
Data = Mapping[str, Any] | None
S = TypeVar("S", bound=FlowSubject)


@dataclass(frozen=True, slots=True)
class _Act:
    """Who does it, what is said with it, and when."""

    by: Actor
    note: str = ""
    data: Data = None
    at: datetime = field(default_factory=clock.now)


WAKE = "anju_due"
SOON = timedelta(seconds=2)
"""A deadline nearer than this wakes the tickers; they look once a second anyway."""


@transaction.atomic
def begin(
    subject: FlowSubject, by: Actor, *, state: str = "", note: str = "", data: Data = None, at: datetime | None = None
) -> Movement:
    """Save a new object in the first state of its flow (or another of `flow.starts`) and start its clocks.

    `at` is for history, never for live work.
    """
    at = at or clock.now()
    start = subject.flow.state(state) if state else subject.flow.start
    if start.name not in subject.flow.starts:
        raise ValueError(f"{subject.flow.name} does not begin in {start.name}")
    subject.state, subject.nth, subject.state_since = start.name, 0, at
    subject.due_at = _end(subject, start.deadline, STATE, at) if start.deadline else None
    subject.save()
    done = _write(subject, _Act(by, note, data, at), "begin", kind="begin", was="")
    _arm_state(subject, start, at)
    return _tell(subject, done, entered=True)


@transaction.atomic
def make(subject: S, move: str, by: Actor, *, note: str = "", data: Data = None) -> Movement:
    """Make one move, or raise NotAllowed. Locks the row, so of two people who press at once exactly one wins.

    `subject` need not be fresh: it is brought up to date, but for fields that the caller changed and has not saved.
    """
    fresh = _locked(subject)
    here = fresh.flow.state(fresh.state)
    wanted = _allowed(fresh, here, move, by, note)
    return _go(fresh, subject, here, wanted, _Act(by, note, data))


@transaction.atomic
def tick(subject: S, duty: str, by: Actor, *, note: str = "", data: Data = None) -> Movement:
    """Say that a duty of the present state is done (once more). Its clock starts again, or ends if it was for once."""
    fresh = _locked(subject)
    here = fresh.flow.state(fresh.state)
    wanted = here.duty(duty)
    if wanted is None or not fresh.has_duty(wanted):
        raise NotAllowed(f"“{here.label}”阶段没有这项任务，请刷新页面后再操作。", code="not_here")
    if not wanted.allows(by.roles):
        raise NotAllowed(f"“{wanted.label}”由{_who(wanted.by)}登记，请转告他们。", code="not_you")
    act = _Act(by, note, data)
    _step(fresh)
    done = _write(fresh, act, duty, kind="tick", was=fresh.state)
    _dues(fresh).filter(slot=duty).delete()
    if wanted.every:
        _arm(_due(fresh, duty, duty, _end(fresh, wanted.every, duty, act.at)))
    fresh.save(update_fields=["nth"])
    subject.bring_up_to_date(fresh)
    return _tell(subject, done, entered=False)


@transaction.atomic
def rearm(subject: S) -> None:
    """Start the clocks of duties that apply now and have none, and stop those that no longer apply."""
    fresh = _locked(subject)
    at, here = clock.now(), fresh.flow.state(fresh.state)
    wanted = {d.name: d.clock for d in here.duties if d.clock and fresh.has_duty(d)}
    _dues(fresh).exclude(slot__in=[STATE, *wanted]).delete()
    running = set(_dues(fresh).values_list("slot", flat=True))
    finished = {d.name for d in here.duties if d.once} & set(_ticks_here(fresh))
    missing = {name: by for name, by in wanted.items() if name not in running | finished}
    _arm(*(_due(fresh, name, name, _end(fresh, by, name, at)) for name, by in missing.items()))
    subject.bring_up_to_date(fresh)


def fire(due: Due) -> bool:
    """Let the clock do what is due; True if it did. Called by the ticker, inside one transaction for each deadline.

    False if somebody holds the object (the ticker comes back) or has just dealt with it.
    """
    subject = _free(due)
    if subject is None:
        return False
    fresh = Due.objects.select_for_update().filter(pk=due.pk, fire_at__lte=clock.now()).first()
    if fresh is None:
        return False
    if fresh.nth != subject.nth:  # cannot happen while the engine alone writes; it must not ring for ever if it does
        _log.error("deadline %s belongs to step %d of an object at step %d: dropped", fresh, fresh.nth, subject.nth)
        fresh.delete()
        return False
    here = subject.flow.state(subject.state)
    if fresh.slot == STATE:
        wanted = _allowed(subject, here, fresh.move, THE_CLOCK, "")
        _go(subject, subject, here, wanted, _Act(THE_CLOCK, data={"due": fresh.at.isoformat()}))
    else:
        _overdue(subject, here, fresh)
    return True


def _free(due: Due) -> FlowSubject | None:
    """The object of a deadline, locked, unless somebody else holds it. A deadline of no object is thrown away."""
    rows = registry.running(due.flow).model._base_manager.filter(pk=due.subject_id)
    subject = rows.select_for_update(skip_locked=True, of=("self",)).first()
    if subject is None and not rows.exists():
        _log.error("deadline %s belongs to no object: dropped", due)
        Due.objects.filter(pk=due.pk).delete()
    return subject


def _overdue(subject: FlowSubject, here: State, due: Due) -> None:
    """A duty was not done in time: it is recorded, it is due again, and the listeners are told."""
    act, duty = _Act(THE_CLOCK, data={"due": due.at.isoformat()}), here.duty(due.slot)
    _step(subject)
    done = _write(subject, act, due.slot, kind="duty_overdue", was=here.name)
    due.delete()
    if duty is not None and duty.clock is not None and subject.has_duty(duty):
        _arm(_due(subject, duty.name, duty.name, _end(subject, duty.clock, duty.name, act.at)))
    subject.save(update_fields=["nth"])
    _tell(subject, done, entered=False)


def _locked(subject: S) -> S:
    fresh = type(subject)._base_manager.select_for_update(of=("self",)).get(pk=subject.pk)
    if isinstance(fresh, ScopedModel):
        fresh.must_be_in_scope()
    return fresh


def _allowed(subject: FlowSubject, here: State, name: str, by: Actor, note: str) -> Move:
    wanted = here.move(name)
    if wanted is None:
        label = next((m.label for _, m in subject.flow.arrows() if m.name == name), name)
        raise NotAllowed(
            f"当前为“{here.label}”，不能“{label}”，可能已有人处理，请刷新页面查看最新状态。", code="not_here"
        )
    if not wanted.allows(by.roles):
        raise NotAllowed(f"“{wanted.label}”只能由{_who(wanted.by)}操作，请转告他们。", code="not_you")
    for condition in wanted.needs:
        why = unmet(subject, condition, by)
        if why:
            raise NotAllowed(why, code="needs")
    if not note.strip():
        whys = [w for w in (unmet(subject, c, by) for c in wanted.asks) if w]
        if whys:
            raise NotAllowed("".join(whys) + f"如确需“{wanted.label}”，请填写理由后再次提交。", code="reason")
    return wanted


def unmet(subject: FlowSubject, condition: str, by: Actor) -> str:
    """ "" if the condition holds for this object, else the Chinese sentence that says what is missing."""
    if condition == A_REASON:
        return "此操作须说明理由。"
    answer = registry.running(subject.flow.name).conditions[condition](subject, by)
    if isinstance(answer, str):
        return answer
    return "" if answer else f"尚不满足条件：{subject.flow.conditions.get(condition, condition)}。"


def _who(roles: tuple[str, ...]) -> str:
    return "、".join(registry.role_label(r) for r in roles)


def _go(fresh: S, subject: S, here: State, wanted: Move, act: _Act) -> Movement:
    if wanted.stays or wanted.to == here.name:
        _step(fresh)
        done = _write(fresh, act, wanted.name, was=here.name)
        _restart(fresh, here, wanted, act.at)
        fresh.save(update_fields=["nth", "due_at"])
    else:
        there = fresh.flow.state(wanted.to)
        fresh.state, fresh.state_since, fresh.nth = there.name, act.at, fresh.nth + 1
        fresh.due_at = _end(fresh, there.deadline, STATE, act.at) if there.deadline else None
        done = _write(fresh, act, wanted.name, was=here.name)
        _dues(fresh).delete()
        _arm_state(fresh, there, act.at)
        fresh.save(update_fields=["state", "nth", "state_since", "due_at"])
    subject.bring_up_to_date(fresh)
    return _tell(subject, done, entered=not wanted.stays)


def _restart(subject: FlowSubject, here: State, wanted: Move, at: datetime) -> None:
    """The state's own clock starts anew when it was its time-out, or when the table leads into the state again."""
    if here.deadline and (not wanted.stays or here.deadline.move == wanted.name):
        _dues(subject).filter(slot=STATE).delete()
        subject.due_at = _end(subject, here.deadline, STATE, at)
        _arm(_due(subject, STATE, here.deadline.move, subject.due_at))


def _step(subject: FlowSubject) -> None:
    """One more movement in the same state: the clocks that run are brought along."""
    subject.nth += 1
    _dues(subject).update(nth=subject.nth)


def _write(subject: FlowSubject, act: _Act, move: str, *, was: str, kind: str = "move") -> Movement:
    return Movement.objects.create(
        flow=subject.flow.name, subject_id=subject.pk, nth=subject.nth, kind=kind, move=move, was=was, now=subject.state,
        by=act.by.name, by_user=act.by.user_id, seat=act.by.seat, note=act.note, data=dict(act.data or {}), at=act.at,
    )  # fmt: skip


def _tell(subject: FlowSubject, done: Movement, *, entered: bool) -> Movement:
    for listener in registry.listeners(subject.flow, done, entered=entered):
        listener(subject, done)
    return done


def _dues(subject: FlowSubject) -> QuerySet[Due]:
    return Due.objects.filter(flow=subject.flow.name, subject_id=subject.pk)


def _ticks_here(subject: FlowSubject) -> list[str]:
    return list(
        Movement.objects.filter(
            flow=subject.flow.name, subject_id=subject.pk, kind="tick", at__gte=subject.state_since
        ).values_list("move", flat=True)
    )


def _arm_state(subject: FlowSubject, state: State, at: datetime) -> None:
    due = [_due(subject, STATE, state.deadline.move, subject.due_at)] if state.deadline and subject.due_at else []
    duties = [(d, d.clock) for d in state.duties if d.clock and subject.has_duty(d)]
    _arm(*due, *(_due(subject, d.name, d.name, _end(subject, by, d.name, at)) for d, by in duties))


def _due(subject: FlowSubject, slot: str, move: str, at: datetime) -> Due:
    return Due(flow=subject.flow.name, subject_id=subject.pk, nth=subject.nth, slot=slot, move=move, at=at, fire_at=at)


def _arm(*dues: Due) -> None:
    if dues:
        Due.objects.bulk_create(dues)
    if any(due.at - clock.now() < SOON for due in dues):
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_notify(%s, '')", [WAKE])


def _end(subject: FlowSubject, deadline: Deadline, slot: str, at: datetime) -> datetime:
    """When this slot is over: computed once, when it starts, so that a later change moves no running deadline."""
    time = subject.duration(slot, deadline.within)
    if deadline.hours is Hours.OFFICE:
        return hours.due(at, time)
    return at + time
