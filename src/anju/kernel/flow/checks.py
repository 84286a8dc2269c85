"""What must be true of every process table.  Run by a test and by `manage.py flows --check`."""

from __future__ import annotations

from collections.abc import Iterator

from anju.kernel.flow.table import Flow, Role, State


def faults(flow: Flow) -> list[str]:
    """Every way in which this table is not a sound process, in words."""
    return [*_names(flow), *(fault for state in flow.states for fault in _state(flow, state)), *_lost(flow)]


def _names(flow: Flow) -> Iterator[str]:
    names = [s.name for s in flow.states]
    yield from (f"{name} is listed twice" for name in sorted(set(names)) if names.count(name) > 1)


def _state(flow: Flow, state: State) -> Iterator[str]:
    known = {s.name for s in flow.states}
    for move in state.moves:
        if move.to not in known:
            yield f"{state.name}.{move.name} leads to unknown state {move.to!r}"
        if not move.by:
            yield f"{state.name}.{move.name}: nobody may make it"
    if state.is_final:
        return
    if not any(set(m.by) - {Role.CLOCK} for m in state.moves):
        yield f"{state.name}: no person can leave it"
    yield from _deadline(state)


def _deadline(state: State) -> Iterator[str]:
    if state.deadline is None:
        if not state.basis:
            yield f"{state.name} waits for ever; give it a deadline, or say in basis= why not"
        return
    late = state.move(state.deadline.move)
    if late is None:
        yield f"{state.name}: on time-out it does {state.deadline.move!r}, which it does not list"
    elif Role.CLOCK not in late.by:
        yield f"{state.name}: the clock may not do {late.name!r}"


def _lost(flow: Flow) -> Iterator[str]:
    known, seen, todo = {s.name for s in flow.states}, set[str](), [flow.start.name]
    while todo:
        name = todo.pop()
        if name in known and name not in seen:
            seen.add(name)
            todo += [m.to for m in flow.state(name).moves]
    yield from (f"{name} cannot be reached" for name in sorted(known - seen))
