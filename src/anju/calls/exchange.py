"""The port to a telephone engine. What is behind it (a simulator now, Asterisk later) is chosen by a setting.

An engine dials what it is told and reports what happens through `calls.actions.heard`; it never decides. It must pass
`calls.testing.exchange_contract`.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import lru_cache
from typing import Protocol, runtime_checkable

from django.conf import settings
from django.utils.module_loading import import_string

NEVER_BY_ITSELF = frozenset({"110", "119", "120", "112", "122"})
"""Numbers that no automatic call may dial (the clock presses people; people dial)."""


@dataclass(frozen=True, slots=True)
class Order:
    """One call to place. `call_id` is ours and was stored before; an engine that knows it must not dial twice."""

    call_id: str
    number: str
    script: str
    says: str
    keys: dict[str, str] = field(default_factory=dict)
    """What is read aloud after a key was pressed, e.g. {"1": "门禁 2580，…"}."""


@dataclass(frozen=True, slots=True)
class Health:
    """Whether calls can be placed now."""

    ok: bool
    detail: str


class CannotDial(Exception):
    """The engine refused the order; nothing was dialled."""


@runtime_checkable
class Exchange(Protocol):
    """What every telephone engine must be able to do."""

    name: str

    def dial(self, order: Order) -> None:
        """Start the call, or CannotDial. Returns at once; the course is reported through `calls.actions.heard`."""

    def hang_up(self, call_id: str) -> None:
        """End the call; unknown ids are ignored."""

    def health(self) -> Health:
        """Whether the engine is there."""


@lru_cache(maxsize=1)
def exchange() -> Exchange:
    """The engine of this process."""
    path = getattr(settings, "ANJU_EXCHANGE", "anju.calls.simulator.Simulator")
    engine = import_string(path)()
    if not isinstance(engine, Exchange):
        raise TypeError(f"{path} is no telephone exchange")
    return engine
