"""What alarms announce upwards; who reacts stands in `config/wiring.py`."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True)
class AlarmRaised:
    """An alarm that somebody must take: an emergency (incidents) or, when `technical`, a repair (fieldwork).

    Announced inside the transaction that stored the alarm. Whoever takes it calls `alarms.actions.settle`.
    """

    alarm_id: int
    priority: int
    technical: bool


@dataclass(frozen=True, slots=True)
class AlarmRecovered:
    """A technical alarm ended by itself: the device spoke again, the cover was closed, the battery was changed."""

    alarm_id: int
    reason: str


@dataclass(frozen=True, slots=True)
class AlarmReset:
    """The device of an open alarm was reset (Alarm_Status 0). It closes nothing: somebody may have pulled it down."""

    alarm_id: int


@dataclass(frozen=True, slots=True)
class ElderAsked:
    """The soft deadline of a silence passed: a robot call asks her; only her key press is a sign of life.

    `says` is what the robot asks when it is about something else than silence (the door stands open).
    """

    home_id: int
    elder_id: int
    place: str
    sentence: str
    says: str = ""


@dataclass(frozen=True, slots=True)
class SilenceBroken:
    """A home whose silence had raised an alarm was heard again: at `at` (the sensor's time) something moved. Nothing is closed by
    it here; `deadline` is the new hard one (incident.md, late data).
    """

    home_id: int
    at: datetime
    deadline: datetime
    text: str


@dataclass(frozen=True, slots=True)
class RepeatAsked:
    """A measured value is outside her limits for the first time, or can't be true: she is asked to measure again."""

    home_id: int
    elder_id: int
    place: str
    text: str


@dataclass(frozen=True, slots=True)
class StormOver:
    """The homes of a storm are heard again, but for `left`, which get alarms of their own."""

    storm_id: int
    alarm_id: int
    homes: int
    left: int = 0


@dataclass(frozen=True, slots=True)
class TroubleRaised:
    """The platform itself is in trouble (ledger difference, pending too long, poison message): leads are paged."""

    trouble_id: int
    kind: str
    text: str


@dataclass(frozen=True, slots=True)
class SourceSilent:
    """An operator's source has said nothing for 3 × its usual gap (architecture §5): leads are paged."""

    trouble_id: int
    source: str
    text: str


@dataclass(frozen=True, slots=True)
class TroubleEnded:
    """A trouble of the platform is over."""

    trouble_id: int
    kind: str
    text: str
