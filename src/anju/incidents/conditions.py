"""The named conditions of the incident table. They ask for a reason; none of them forbids."""

from __future__ import annotations

from typing import Any

from anju.incidents.plan import authority_gap
from anju.kernel import clock
from anju.kernel.flow.actor import Actor


def authority_120(subject: Any, by: Actor) -> bool | str:  # noqa: ARG001
    """Whether the frozen authority covers calling 120 today."""
    return authority_gap(subject.plan, 120, clock.today()) or True


def authority_110(subject: Any, by: Actor) -> bool | str:  # noqa: ARG001
    """The same for 110."""
    return authority_gap(subject.plan, 110, clock.today()) or True


def authority_119(subject: Any, by: Actor) -> bool | str:  # noqa: ARG001
    """The same for 119."""
    return authority_gap(subject.plan, 119, clock.today()) or True
