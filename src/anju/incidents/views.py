"""What pages and machines get to see of a case: plain dataclasses, nothing that can be queried further."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from anju.incidents.sheet import RescueSheet, SheetLine

__all__ = [
    "BellView", "CaseView", "DutyView", "EntryView", "IncidentView", "MoveView", "QueueRow", "Replay", "RescueSheet",
    "RungView", "SheetLine", "StepView",
]  # fmt: skip


@dataclass(frozen=True, slots=True)
class QueueRow:
    """One line of the queue. `kind` is its colour (emergency, warn, work), `sound` what it plays while it rings."""

    id: int
    number: str
    priority: int
    state: str
    state_label: str
    elder_name: str
    sex: str
    age: int | None
    where: str
    place_name: str
    kind_label: str
    due_at: datetime | None
    due_label: str
    due_total: int
    opened_at: datetime
    a_seat: str
    b_seat: str
    ringing: bool
    sound: str
    drill: bool
    kind: str
    mine: str
    joined: int


@dataclass(frozen=True, slots=True)
class MoveView:
    """A button. It is never disabled; `needs_reason` asks for a sentence, `reason_why` says why, `fields` what to ask."""

    name: str
    label: str
    emphasis: str
    needs_reason: bool
    reason_why: str
    fields: tuple[dict[str, Any], ...]
    to_label: str


@dataclass(frozen=True, slots=True)
class DutyView:
    """A line of the checklist."""

    name: str
    label: str
    seat: str
    every_seconds: int | None
    due_at: datetime | None
    done_at: datetime | None
    done_by: str
    times: int
    overdue: bool
    mine: bool


@dataclass(frozen=True, slots=True)
class RungView:
    """One contact. `state` is idle | turn | ringing | coming | failed | ended; `attempt_id` is the live or last one."""

    index: int
    kind_label: str
    name: str
    phone_masked: str
    relation: str
    available: bool
    has_key: bool
    eta_minutes: int | None
    state: str
    result: str
    result_label: str
    attempts: int
    attempt_id: int | None
    called_at: datetime | None
    eta_at: datetime | None
    next_due_at: datetime | None


@dataclass(frozen=True, slots=True)
class EntryView:
    """A line of the story."""

    id: int
    at: datetime
    source: str
    kind: str
    text: str
    by: str
    data: dict[str, Any]


@dataclass(frozen=True, slots=True)
class BellView:
    """Something that somebody must notice."""

    id: int
    reason: str
    text: str
    at: datetime
    due_at: datetime | None


@dataclass(frozen=True, slots=True)
class StepView:
    """One of the five steps: done | now | next."""

    label: str
    state: str


@dataclass(frozen=True, slots=True)
class IncidentView:
    """The head of a case."""

    id: int
    number: str
    place: str
    place_name: str
    home_id: int | None
    elder_id: int | None
    priority: int
    kind: str
    kind_label: str
    state: str
    state_label: str
    state_since: datetime | None
    due_at: datetime | None
    due_label: str
    drill: bool
    opened_at: datetime
    first_alarm_at: datetime
    accepted_at: datetime | None
    closed_at: datetime | None
    a_seat_id: int | None
    b_seat_id: int | None
    a_seat: str
    b_seat: str
    elder_name: str
    sex: str
    age: int | None
    where: str
    unknown: bool
    scenes: tuple[str, ...]
    helper_until: datetime | None
    outcome: str
    outcome_class: str
    outcome_label: str
    cause: str
    previous_id: int | None
    previous_number: str
    policy_version: str


@dataclass(frozen=True, slots=True)
class Totals:
    """Cases since a moment: all, not yet archived, false alarms, the median time until one was taken, all by place."""

    cases: int
    open: int
    false: int
    accept: timedelta | None
    by_place: dict[str, int]


@dataclass(frozen=True, slots=True)
class Shift:
    """What somebody did since a moment: cases, those still open, the shortest and longest wait before they were taken."""

    cases: int
    open: int
    fastest: timedelta | None
    slowest: timedelta | None


@dataclass(frozen=True, slots=True)
class CaseView:
    """Everything the desk shows of one case."""

    incident: IncidentView
    plan: dict[str, Any]
    moves: tuple[MoveView, ...]
    duties: tuple[DutyView, ...]
    ladder: tuple[RungView, ...]
    timeline: tuple[EntryView, ...]
    bells: tuple[BellView, ...]
    sheet: RescueSheet
    cards: tuple[str, ...]
    steps: tuple[StepView, ...]
    due_at: datetime | None
    due_label: str
    due_total: int
    seat: str
    both_columns: bool
    authority_until: str
    authority_gap: str


@dataclass(frozen=True, slots=True)
class Replay:
    """A case as it happened, for LEAP-07: movements, lines, attempts, calls and messages in the order of time."""

    incident: IncidentView
    items: tuple[dict[str, Any], ...]
