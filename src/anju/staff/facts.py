"""What the roster announces."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class CoverageGap:
    """Before a shift somebody is missing: `text` says who, when, and for which alarms."""

    place: str
    text: str
    occasion: str


@dataclass(frozen=True, slots=True)
class HandOverLate:
    """A shift was not taken over in time."""

    hand_over_id: int
    place: str
    text: str


@dataclass(frozen=True, slots=True)
class BookingNear:
    """An expert's appointment begins soon, or was missed (`missed`)."""

    booking_id: int
    place: str
    expert_user_id: int | None
    text: str
    missed: bool
