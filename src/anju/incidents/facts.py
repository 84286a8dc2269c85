"""What incidents announce."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class IncidentOpened:
    """A case began."""

    incident_id: int
    priority: int
    place: str


@dataclass(frozen=True, slots=True)
class IncidentClosed:
    """A case is archived; `outcome_class` is one of models.CLASSES."""

    incident_id: int
    outcome_class: str
    place: str


@dataclass(frozen=True, slots=True)
class ManyFalseAlarms:
    """The third false alarm of a home within 30 days: somebody should visit."""

    incident_id: int
    home_id: int
    elder_id: int | None
    count: int
