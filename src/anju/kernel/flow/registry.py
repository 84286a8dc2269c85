"""Which model runs through which flow, which conditions it knows, and who listens to its moves."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, TypeVar

from anju.kernel.flow.actor import Actor
from anju.kernel.flow.table import Flow

if TYPE_CHECKING:
    from anju.kernel.flow.subject import FlowSubject
    from anju.kernel.models import Movement

Condition = Callable[[Any, Actor], "bool | str"]
"""`(subject, by) -> True`, or False, or the Chinese sentence that says what is missing and what to do."""

Listener = Callable[[Any, "Movement"], None]
S = TypeVar("S", bound="type[FlowSubject]")


@dataclass(slots=True)
class Running:
    """A flow in use."""

    flow: Flow
    model: type[FlowSubject]
    conditions: Mapping[str, Condition]
    listeners: list[tuple[str, str, Listener]] = field(default_factory=list)


_running: dict[str, Running] = {}


def runs(flow: Flow, *, conditions: Mapping[str, Condition] | object | None = None) -> Callable[[S], S]:
    """Class decorator: this model runs through that flow. `conditions` is a mapping or a module of functions."""

    def decorate(model: S) -> S:
        other = _running.get(flow.name)
        if other is not None and other.model.__qualname__ != model.__qualname__:
            raise ValueError(f"two models run through {flow.name}: {other.model.__name__} and {model.__name__}")
        _running[flow.name] = Running(flow, model, _named(flow, conditions))
        model.flow = flow
        return model

    return decorate


def _named(flow: Flow, source: Mapping[str, Condition] | object | None) -> dict[str, Condition]:
    if source is None:
        return {}
    if isinstance(source, Mapping):
        return dict(source)
    return {name: getattr(source, name) for name in flow.conditions_used() if callable(getattr(source, name, None))}


def flows() -> list[Flow]:
    """Every flow that a model of an installed app runs through, by name."""
    return [_running[name].flow for name in sorted(_running) if _running[name].model._meta.app_config is not None]


def running(name: str) -> Running:
    """The flow in use under that name; KeyError if no model runs through it."""
    return _running[name]


def missing_conditions(flow: Flow) -> list[str]:
    """Conditions that the table names and nobody wrote."""
    return sorted(flow.conditions_used() - set(_running[flow.name].conditions))


def when(
    flow: Flow, *, do: Listener, entering: str = "", move: str = "", duty_overdue: str = "", any_: bool = False
) -> None:
    """Call `do(subject, movement)` in the same transaction.

    `entering` a state (also when it is entered again), after a `move` (also one that stays, and the tick of a duty of
    that name), when a duty is `duty_overdue` ("*" for every duty), or after `any_` movement.
    """
    states, moves = {s.name for s in flow.states}, {m.name for _, m in flow.arrows()}
    duties = {d.name for s in flow.states for d in s.duties}
    if (entering and entering not in states) or (move and move not in moves | duties | {"begin"}):
        raise ValueError(f"{flow.name} has no {entering or move!r}")
    if duty_overdue and duty_overdue != "*" and duty_overdue not in duties:
        raise ValueError(f"{flow.name} has no duty {duty_overdue!r}")
    kinds = [("entering", entering), ("move", move), ("duty_overdue", duty_overdue), ("any", "*" if any_ else "")]
    _running[flow.name].listeners += [(kind, name, do) for kind, name in kinds if name]


def listeners(flow: Flow, movement: Movement, *, entered: bool) -> list[Listener]:
    """Who wants to hear of this movement, in the order of registration."""
    heard = {("any", "*"), ("duty_overdue" if movement.kind == "duty_overdue" else "move", movement.move)}
    if entered:
        heard.add(("entering", movement.now))
    if movement.kind == "duty_overdue":
        heard.add(("duty_overdue", "*"))
    return [do for kind, name, do in _running[flow.name].listeners if (kind, name) in heard]


_role_labels: dict[str, str] = {"clock": "系统（到时）"}


def name_roles(labels: Mapping[str, str]) -> None:
    """Tell the Chinese names of roles, for the generated pages. Roles with a `label` of their own need none."""
    _role_labels.update({str(k): v for k, v in labels.items()})


def role_label(role: str) -> str:
    """What people call that role."""
    return _role_labels.get(str(role)) or str(getattr(role, "label", role))
