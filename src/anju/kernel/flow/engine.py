"""Moves objects by their process table.  The only code that writes a state."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Protocol, TypeVar

from django.db import models, transaction

from anju.kernel import clock
from anju.kernel.flow.table import Flow, Role
from anju.kernel.models import Due, Movement


class NotAllowed(Exception):
    """This person may not do that, or not now."""


@dataclass(frozen=True, slots=True)
class Actor:
    name: str
    roles: frozenset[Role]


THE_CLOCK = Actor("clock", frozenset({Role.CLOCK}))


class Subject(Protocol):
    """Anything that runs through a flow: it has a state and counts its moves."""

    pk: Any
    state: str
    nth: int

    @property
    def flow(self) -> Flow: ...


Listener = Callable[[Any, Movement], None]
_models: dict[str, type[models.Model]] = {}
_flows: list[Flow] = []
_listeners: dict[tuple[str, str], list[Listener]] = {}

S = TypeVar("S", bound=models.Model)


def runs(flow: Flow) -> Callable[[type[S]], type[S]]:
    """Class decorator: this model runs through that flow."""

    def decorate(model: type[S]) -> type[S]:
        _models[flow.name] = model
        _flows.append(flow)
        return model

    return decorate


def flows() -> list[Flow]:
    return list(_flows)


def when(flow: Flow, entering: str, do: Listener) -> None:
    """Called from config/wiring.py only, so that one page shows who reacts to what."""
    _listeners.setdefault((flow.name, flow.state(entering).name), []).append(do)


@transaction.atomic
def begin(subject: Any, by: Actor) -> None:
    subject.state, subject.nth = subject.flow.start.name, 0
    subject.save()
    _enter(subject, "open", was="", by=by, note="")


@transaction.atomic
def make(subject: Any, move_name: str, by: Actor, note: str = "") -> None:
    """Make one move, or raise NotAllowed.  Locks the row, so two agents cannot both win."""
    fresh = type(subject)._base_manager.select_for_update().get(pk=subject.pk)
    move = subject.flow.state(fresh.state).move(move_name)
    if move is None:
        raise NotAllowed(f"{fresh.state} 状态下没有“{move_name}”操作")
    if not by.roles & set(move.by):
        raise NotAllowed(f"{by.name} 无权{move.label}")
    was, subject.state, subject.nth = fresh.state, move.to, fresh.nth + 1
    subject.save(update_fields=["state", "nth"])
    _enter(subject, move_name, was=was, by=by, note=note)


def ring(limit: int = 100) -> int:
    """Fire the deadlines that have passed.  Safe to run in many processes at once."""
    late = Due.objects.filter(at__lte=clock.now()).order_by("at")[:limit]
    return sum(_ring_one(due) for due in late)


@transaction.atomic
def _ring_one(due: Due) -> bool:
    # The subject is locked first here as in make(): the same order everywhere, so no deadlock.
    # If it has moved on, `nth` differs and there is nothing to ring.
    here = _models[due.flow]._base_manager.select_for_update(skip_locked=True)
    subject = here.filter(pk=due.subject_id, nth=due.nth).first()
    if subject is None:
        return False
    make(subject, due.move, THE_CLOCK)
    return True


def _enter(subject: Any, move_name: str, was: str, by: Actor, note: str) -> None:
    flow, state, at = subject.flow, subject.flow.state(subject.state), clock.now()
    key = {"flow": flow.name, "subject_id": subject.pk}
    done = Movement.objects.create(
        **key, nth=subject.nth, move=move_name, was=was, now=state.name, by=by.name, note=note, at=at
    )
    Due.objects.filter(**key).delete()
    if state.deadline:
        Due.objects.create(**key, nth=subject.nth, move=state.deadline.move, at=at + state.deadline.within)
    for listener in _listeners.get((flow.name, state.name), []):
        listener(subject, done)
