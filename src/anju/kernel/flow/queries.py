"""What may be asked of a process: what is running, what happened, what a person may do, what is late."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db.models import Q

from anju.kernel import clock
from anju.kernel.flow import registry
from anju.kernel.flow.subject import FlowSubject
from anju.kernel.flow.table import STATE, Duty, Flow, Move
from anju.kernel.models import Due, Movement


def dues_of(subject: FlowSubject) -> list[Due]:
    """The deadlines that run for this object, the next one first."""
    return list(Due.objects.filter(flow=subject.flow.name, subject_id=subject.pk).order_by("at"))


def story_of(subject: FlowSubject) -> list[Movement]:
    """Everything that happened to this object, in order."""
    return list(Movement.objects.filter(flow=subject.flow.name, subject_id=subject.pk).order_by("nth"))


def moves_for(subject: FlowSubject, roles: Collection[str]) -> list[Move]:
    """The buttons that a person with these roles sees."""
    return subject.flow.moves_for(subject.state, roles)


def overdue(by: timedelta = timedelta(0)) -> list[Due]:
    """Deadlines that passed more than `by` ago and are not yet dealt with, the oldest first; `problem` may say why."""
    edge = clock.now() - by
    return list(Due.objects.filter(Q(tries=0, fire_at__lte=edge) | Q(tries__gt=0, at__lte=edge)).order_by("at"))


def without_clock(flow: Flow) -> list[int]:
    """Objects of this flow that are not at an end and have no running deadline: there must never be one."""
    model = registry.running(flow.name).model
    running = Due.objects.filter(flow=flow.name, slot=STATE).values("subject_id")
    ended = [s.name for s in flow.states if s.is_final]
    return list(model._base_manager.exclude(state__in=ended).exclude(pk__in=running).values_list("pk", flat=True))


@dataclass(frozen=True, slots=True)
class DutyNow:
    """A duty of the present state and how it stands."""

    duty: Duty
    due_at: datetime | None
    done_at: datetime | None
    done_by: str
    times: int
    overdue: bool
    """True if it was missed and has not been done since."""


def duties_of(subject: FlowSubject) -> list[DutyNow]:
    """The checklist of the present state, in the order of the table."""
    at = {d.slot: d.at for d in dues_of(subject)}
    done: dict[str, list[Movement]] = {}
    missed: dict[str, int] = {}
    rows = Movement.objects.filter(
        flow=subject.flow.name, subject_id=subject.pk, kind__in=["tick", "duty_overdue"], at__gte=subject.state_since
    ).order_by("nth")
    for row in rows:
        if row.kind == "tick":
            done.setdefault(row.move, []).append(row)
            missed.pop(row.move, None)
        else:
            missed[row.move] = row.nth
    return [
        _duty_now(d, at.get(d.name), done.get(d.name, []), d.name in missed)
        for d in subject.now_in.duties
        if subject.has_duty(d)
    ]


def _duty_now(duty: Duty, due_at: datetime | None, done: list[Movement], missed: bool) -> DutyNow:  # noqa: FBT001
    last = done[-1] if done else None
    return DutyNow(duty, due_at, last.at if last else None, last.by if last else "", len(done), missed)
