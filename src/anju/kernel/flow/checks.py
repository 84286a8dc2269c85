"""What must be true of every process table. Run by a test and by `manage.py flows --check`."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

from anju.kernel.flow.table import CLOCK, STATE, Flow, Move, State


def faults(flow: Flow) -> list[str]:
    """Every way in which this table is not a sound process, in words."""
    return [
        *_names(flow),
        *(fault for state in flow.states for fault in _state(flow, state)),
        *_lost(flow),
        *_conditions(flow),
    ]


def _names(flow: Flow) -> Iterator[str]:
    names = [s.name for s in flow.states]
    yield from (f"{name} is listed twice" for name in sorted(set(names)) if names.count(name) > 1)
    if not any(s.is_final for s in flow.states):
        yield "it never ends: no final state"


def _state(flow: Flow, state: State) -> Iterator[str]:
    if len(state.name) > 30:
        yield f"{state.name}: a name has at most 30 letters"
    names = [m.name for m in state.moves] + [d.name for d in state.duties]
    yield from (f"{state.name}.{name} is listed twice" for name in sorted(set(names)) if names.count(name) > 1)
    for move in state.moves:
        yield from _move(flow, state, move)
    yield from _duties(state)
    if state.is_final:
        if state.moves or state.duties or state.deadline:
            yield f"{state.name} is final and yet has something to do"
        return
    if not state.basis and not any(set(m.by) - {CLOCK} for m in state.moves if m.to not in {"", state.name}):
        yield f"{state.name}: no person can leave it, and basis= does not say why"
    yield from _deadline(state)


def _move(flow: Flow, state: State, move: Move) -> Iterator[str]:
    if not move.stays and move.to not in {s.name for s in flow.states}:
        yield f"{state.name}.{move.name} leads to unknown state {move.to!r}"
    if not move.by:
        yield f"{state.name}.{move.name}: nobody may make it"
    if not move.label:
        yield f"{state.name}.{move.name} has no label"
    if CLOCK in move.by and (move.needs or move.asks):
        yield f"{state.name}.{move.name}: the clock cannot give reasons; a condition would stop it"


def _duties(state: State) -> Iterator[str]:
    for duty in state.duties:
        if duty.name == STATE:
            yield f"{state.name}: a duty may not be called {STATE!r}"
        if not set(duty.by) - {CLOCK}:
            yield f"{state.name}.{duty.name}: nobody has this duty"
        if duty.every and duty.once:
            yield f"{state.name}.{duty.name}: either once or every, not both"
        if duty.clock and (duty.clock.move or duty.clock.within <= timedelta(0)):
            yield f"{state.name}.{duty.name}: a duty's clock needs a time and takes no move"
        if duty.seat not in {"", "A", "B"}:
            yield f"{state.name}.{duty.name}: unknown seat {duty.seat!r}"


def _deadline(state: State) -> Iterator[str]:
    if state.deadline is None:
        yield f"{state.name} waits for ever: give it a deadline"
        return
    if state.deadline.within <= timedelta(0):
        yield f"{state.name}: a deadline needs a time"
    late = state.move(state.deadline.move)
    if late is None:
        yield f"{state.name}: on time-out it does {state.deadline.move!r}, which it does not list"
    elif CLOCK not in late.by:
        yield f"{state.name}: the clock may not do {late.name!r}"


def _lost(flow: Flow) -> Iterator[str]:
    known, seen, todo = {s.name for s in flow.states}, set[str](), list(flow.starts)
    yield from (f"it begins in {name}, which it does not list" for name in flow.also_begins if name not in known)
    while todo:
        name = todo.pop()
        if name in known and name not in seen:
            seen.add(name)
            todo += [m.to for m in flow.state(name).moves]
    yield from (f"{name} cannot be reached" for name in sorted(known - seen))
    ends = _that_end(flow)
    yield from (f"{s.name}: no way leads to an end" for s in flow.states if s.name not in ends)


def _that_end(flow: Flow) -> set[str]:
    ends, grown = {s.name for s in flow.states if s.is_final}, True
    while grown:
        more = {s.name for s, m in flow.arrows() if m.to in ends} - ends
        grown = bool(more)
        ends |= more
    return ends


def _conditions(flow: Flow) -> Iterator[str]:
    yield from (f"condition {c} has no Chinese words" for c in sorted(flow.conditions_used() - set(flow.conditions)))
    yield from (f"condition {c} is used nowhere" for c in sorted(set(flow.conditions) - flow.conditions_used()))
