"""News that travels up: a module announces a frozen dataclass, `config/wiring.py` and `config/wiring_calls.py` say who reacts.

`now` reacts inside the announcing transaction (if it fails, nothing happened); `job` reacts afterwards, from a queue
that is written in the same transaction.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import fields, is_dataclass
from typing import Any, Literal, TypeVar

import msgspec
from django.db import connection

from anju.kernel.jobs import job

F = TypeVar("F")
Reaction = Callable[[Any], object]
_reactions: dict[type, list[tuple[Literal["now", "job"], Reaction]]] = {}
_types: dict[str, type] = {}
_names: dict[str, Reaction] = {}


def reacts(fact: type[F], do: Callable[[F], object], how: Literal["now", "job"] = "now") -> None:
    """From wiring only: when `fact` is announced, do that, now or as a job. Saying it twice changes nothing."""
    if not is_dataclass(fact) or not fact.__dataclass_params__.frozen:  # type: ignore[attr-defined]
        raise TypeError(f"{fact.__name__} must be a frozen dataclass")
    if how == "job":
        if "<" in do.__qualname__:
            raise TypeError(
                f"{_name(do)}: a job needs a function of a module, which another process can find by its name"
            )
        msgspec.json.Decoder(fact)  # complains at start, not at three in the morning
        _types[_name(fact)], _names[_name(do)] = fact, do
    known = _reactions.setdefault(fact, [])
    if (how, do) not in known:
        known.append((how, do))


def announce(fact: object) -> None:
    """Tell all who react to it. Must be said inside the transaction of what it tells."""
    if not connection.in_atomic_block:
        raise RuntimeError(f"announce {type(fact).__name__} inside the transaction of what happened")
    for how, do in _reactions.get(type(fact), []):
        if how == "now":
            do(fact)
        else:
            react.defer(reaction=_name(do), fact=_name(type(fact)), data=to_json(fact))


@job("kernel.react")
def react(reaction: str, fact: str, data: dict[str, Any]) -> None:
    """Let one reaction happen to one announced fact."""
    _names[reaction](from_json(_types[fact], data))


def to_json(fact: object) -> dict[str, Any]:
    """The fact as JSON values."""
    return {f.name: msgspec.to_builtins(getattr(fact, f.name)) for f in fields(fact)}  # type: ignore[arg-type]


def from_json(fact: type[F], data: dict[str, Any]) -> F:
    """The fact again, of the same type and equal."""
    return msgspec.convert(data, fact)


def _name(thing: Any) -> str:
    return f"{thing.__module__}.{thing.__qualname__}"
