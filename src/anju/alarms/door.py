"""How long an entrance door stays shut, or open, in this home. Pure.

Gaps between openings are days, not hours: the hour of the day says little, so the statistic of `rhythm` is not needed. What
it shares is the budget: a personal limit is read off the tail of the home's own gaps so that it is exceeded as often as
the budget allows, shrunk to what was seen in real homes (more than 24 h between openings 0-6 times a month, more than 48 h
at most once, more than 72 h nearly never). Times are seconds, ages hours (still) and minutes (ajar).
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

HOUR: Final = 3600.0
WINDOW: Final = 60
"""Days of past gaps that set the limits."""
KEPT: Final = 40
STILL: Final = (24.0, 72.0)
"""No limit for a door that stays shut is shorter or longer (hours)."""
STILL_BUDGET: Final = 0.5
"""How often in 30 days the limit may be exceeded by gaps that ended well."""
PSEUDO_DAYS: Final = 14.0
PSEUDO: Final = ((20.0, 4.0), (26.0, 2.0), (34.0, 1.0), (44.0, 0.4), (60.0, 0.1))
"""Gaps of real homes: (hours, times in 30 days)."""
TAIL: Final = 10.0
DAYTIME: Final = (6.5, 22.0)
AJAR: Final = {"day": (30.0, 60.0, 240.0), "night": (10.0, 15.0, 60.0)}
"""Minutes that a door may stand open: shortest limit, the limit of a home not yet known, longest; at night she sleeps."""
AJAR_KNOWN: Final = 8
"""So many openings of a part of the day teach a limit of their own."""
WAKING: Final = 8.0
"""Local hour before which nobody is asked about a door that stays shut: it is no matter of minutes."""

Clock = Callable[[float], tuple[int, float]]


@dataclass(slots=True)
class DoorRhythm:
    """What one door has taught: gaps as (day, hours), how long it stood open as (day, minutes) by part of the day."""

    gaps: list[tuple[int, float]] = field(default_factory=list)
    day: list[tuple[int, float]] = field(default_factory=list)
    night: list[tuple[int, float]] = field(default_factory=list)
    first_day: int = 0

    @classmethod
    def of(cls, kept: dict[str, Any]) -> DoorRhythm:
        """Back from the row; what can't be read is left out."""
        gaps, day, night = (_pairs(kept.get(name)) for name in ("gaps", "day", "night"))
        return cls(gaps, day, night, int(kept.get("first", 0) or 0))

    def packed(self) -> dict[str, Any]:
        """As it stands in the row."""
        return {"gaps": [list(p) for p in self.gaps], "day": [list(p) for p in self.day],
                "night": [list(p) for p in self.night], "first": self.first_day}  # fmt: skip

    def shut_for(self, *, hours: float, day: int) -> None:
        """The door was opened after so many hours."""
        self.first_day = self.first_day or day
        if hours >= 1:
            self.gaps = _keep(self.gaps, (day, round(hours, 1)), day)

    def open_for(self, *, minutes: float, day: int, part: str) -> None:
        """The door was closed after so many minutes."""
        if part == "night":
            self.night = _keep(self.night, (day, round(minutes, 1)), day)
        else:
            self.day = _keep(self.day, (day, round(minutes, 1)), day)

    def still(self, day: int) -> float:
        """Hours without an opening after which she is asked."""
        days = float(min(WINDOW, max(0, day - self.first_day))) if self.first_day else 0.0
        logs = [(math.log(hours), 1.0) for _, hours in self.gaps]
        logs += [(math.log(hours), times * PSEUDO_DAYS / 30) for hours, times in PSEUDO]
        logs.sort(reverse=True)
        rate = STILL_BUDGET * TAIL
        target, count, total, level = rate * (days + PSEUDO_DAYS) / 30, 0.0, 0.0, logs[-1][0]
        for value, weight in logs:
            if count + weight > target:
                level = value
                break
            count, total = count + weight, total + value * weight
        excess = max(0.05, total / count - level) if count else 0.3
        return min(STILL[1], max(STILL[0], math.exp(level + excess * math.log(TAIL))))

    def ajar(self, part: str) -> float:
        """Minutes that it may stand open in this part of the day: a quarter beyond all but her longest usual ones."""
        least, start, most = AJAR[part]
        known = sorted(minutes for _, minutes in (self.night if part == "night" else self.day))
        if len(known) < AJAR_KNOWN:
            return start
        usual = known[min(len(known) - 1, math.ceil(0.95 * len(known)))]
        return min(most, max(least, 1.25 * usual))


def part_of(tod: float) -> str:
    """day or night."""
    return "day" if DAYTIME[0] <= tod < DAYTIME[1] else "night"


def ajar_at(opened: float, learnt: DoorRhythm, clock: Clock) -> float:
    """When a door that was opened then has stood open too long. It turns to the night's limit when the night begins."""
    _, tod = clock(opened)
    if part_of(tod) == "night":
        return opened + learnt.ajar("night") * 60
    nightfall = opened + (DAYTIME[1] - tod) * HOUR
    return min(opened + learnt.ajar("day") * 60, nightfall + learnt.ajar("night") * 60)


def still_at(opened: float, learnt: DoorRhythm, clock: Clock) -> float:
    """When a door that was last opened then was shut too long; never in the night."""
    day, _ = clock(opened)
    at = opened + learnt.still(day) * HOUR
    _, tod = clock(at)
    if tod < WAKING:
        return at + (WAKING - tod) * HOUR
    return at + (24 + WAKING - tod) * HOUR if tod >= DAYTIME[1] - 2 else at


def _keep(known: Sequence[tuple[int, float]], one: tuple[int, float], day: int) -> list[tuple[int, float]]:
    fresh = [p for p in known if p[0] > day - WINDOW]
    return [*fresh, one][-KEPT:]


def _pairs(kept: Any) -> list[tuple[int, float]]:
    try:
        return [(int(day), float(value)) for day, value in kept or []]
    except (TypeError, ValueError):
        return []
