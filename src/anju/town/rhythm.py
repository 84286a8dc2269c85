"""How a day goes in a home: when there is motion, when the door opens. Pure, by chance, in one person's habits."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta, tzinfo
from random import Random


@dataclass(frozen=True, slots=True)
class Habit:
    """Minutes of the day when somebody gets up, rests, goes out and goes to bed, and how lively she is."""

    up: int
    bed: int
    nap: tuple[int, int]
    out: tuple[int, int] | None
    per_hour: float

    @classmethod
    def of(cls, n: int) -> Habit:
        """The habit of home n: the same on every machine."""
        rng = Random(n * 31 + 7)
        up = rng.randrange(5 * 60, 7 * 60 + 10)
        nap = 12 * 60 + rng.randrange(20, 80)
        out = None if rng.random() < 0.3 else (8 * 60 + rng.randrange(0, 120), rng.randrange(35, 100))
        return cls(
            up, rng.randrange(20 * 60 + 20, 22 * 60), (nap, nap + rng.randrange(60, 130)), out, rng.uniform(3.0, 7.0)
        )

    def expected(self, minute: int) -> float:
        """Motions an hour to expect at this minute of the day (0-1439)."""
        if minute < self.up - 15 or minute > self.bed + 20:
            return 0.12
        if self.nap[0] <= minute < self.nap[1]:
            return 0.35
        if self.out and self.out[0] <= minute < self.out[0] + self.out[1]:
            return self.per_hour * 0.45
        meal = any(abs(minute - at) < 35 for at in (self.up + 40, 11 * 60 + 10, 17 * 60))
        return self.per_hour * (1.5 if meal else 1.0)


@dataclass(frozen=True, slots=True)
class Doing:
    """Something a sensor notices: `kind` is motion, door_open or door_closed."""

    at: datetime
    kind: str
    count: int = 1


def day(n: int, on: date, zone: tzinfo) -> list[Doing]:
    """All that happens in home n on one day, in order of time."""
    rng = Random(n * 100_003 + on.toordinal())
    habit = Habit.of(n)
    midnight = datetime.combine(on, time(), zone)
    if rng.random() < 0.02:  # a day with the family
        return sorted(_outing(midnight, 9 * 60 + rng.randrange(60), 8 * 60, rng), key=lambda d: d.at)
    late = timedelta(minutes=max(-40, min(100, rng.gauss(0, 14))))
    away: tuple[int, int] | None = None
    things: list[Doing] = []
    if habit.out and rng.random() < 0.75:
        away = (habit.out[0] + rng.randrange(-15, 16), habit.out[1])
        things += _outing(midnight, *away, rng)
    minute = 0.0
    while True:
        rate = max(0.02, habit.expected(int(minute) % 1440))
        minute += rng.expovariate(rate / 60) if rate > 0.5 else min(rng.expovariate(rate / 60), 30)
        if minute >= 1440:
            break
        if rate <= 0.5 and rng.random() > rate / 2:
            continue
        if away and away[0] <= minute < away[0] + away[1]:
            continue
        at = midnight + timedelta(minutes=minute) + (late if minute < 1300 else timedelta())
        things.append(Doing(at, "motion", 1 + int(rng.random() * 4)))
    return sorted((d for d in things if d.at.astimezone(zone).date() == on), key=lambda d: d.at)


def _outing(midnight: datetime, start: int, minutes: int, rng: Random) -> Iterator[Doing]:
    for edge in (start, start + minutes):
        at = midnight + timedelta(minutes=edge, seconds=rng.randrange(60))
        yield Doing(at, "door_open")
        yield Doing(at + timedelta(seconds=rng.randrange(6, 40)), "door_closed")
