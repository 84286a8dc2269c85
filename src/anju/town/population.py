"""A population that lives alone: routines, naps, outings, trips, sick days, drift, visitors and pets, with the truth.

Pure and seeded: home n of a seed lives the same life on every machine. One motion sensor and one entrance door, as the
kit prescribes. Times are hours since midnight of day 0 (float), so that a day costs microseconds, not milliseconds.
The life is invented; how it is drawn follows `docs/subsystems/sensing.md`.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass, field
from random import Random
from typing import Final

MOTION: Final = "motion"
DOOR: Final = "door"
PLACEMENTS: Final = ("bathroom", "living", "kitchen")

Event = tuple[float, str]
"""(hours since day 0, "motion" or "door")."""


@dataclass(frozen=True, slots=True)
class Place:
    """What a sensor in this room sees: of a night's walk, of a quiet hour, of a meal; and how long rests look."""

    night: float
    rest: float
    meal: float
    stretch: float


SEES: Final = {
    "bathroom": Place(night=0.9, rest=0.5, meal=0.35, stretch=1.3),
    "living": Place(night=0.25, rest=1.0, meal=0.6, stretch=1.0),
    "kitchen": Place(night=0.1, rest=0.35, meal=0.97, stretch=1.5),
}


@dataclass(frozen=True, slots=True)
class Person:
    """One invented person's habits. Hours of the day, hours, chances per day."""

    n: int
    placement: str
    wake: float
    bed: float
    spread: float
    nap: float
    outings: float
    outing_hours: float
    gap: float
    anchors: tuple[float, ...]
    toilet: float
    pet: bool
    visitors: float
    cleaner: int
    drift: float

    @classmethod
    def of(cls, n: int, seed: int = 1) -> Person:
        """Person n of a population; the same for the same seed."""
        rng = Random(seed * 1_000_003 + n)
        wake = rng.gauss(6.3, 0.9)
        return cls(
            n=n,
            placement=PLACEMENTS[n % 3],
            wake=wake,
            bed=min(23.8, max(wake + 12, rng.gauss(21.3, 0.9))),
            spread=max(0.15, rng.gammavariate(6, 0.09)),
            nap=rng.betavariate(2, 2),
            outings=max(0.0, rng.gauss(1.2, 0.5)),
            outing_hours=math.exp(rng.gauss(0.0, 0.25)),
            gap=math.exp(rng.gauss(math.log(0.33), 0.3)),
            anchors=(wake + rng.uniform(0.3, 0.8), rng.gauss(11.4, 0.4), rng.gauss(17.2, 0.5)),
            toilet=max(0.2, rng.gauss(1.4, 0.6)),
            pet=rng.random() < 0.08,
            visitors=rng.choice((0.02, 0.05, 0.1, 0.2)),
            cleaner=rng.randrange(7) if rng.random() < 0.3 else -1,
            drift=rng.gauss(0.0, 0.012),
        )


@dataclass(slots=True)
class Truth:
    """What really happened: when nobody was in, and what was unusual. Intervals in hours since day 0."""

    away: list[tuple[float, float]] = field(default_factory=list)
    trips: list[tuple[float, float]] = field(default_factory=list)
    sick: list[int] = field(default_factory=list)
    visited: list[int] = field(default_factory=list)


@dataclass(slots=True)
class Life:
    """What the sensors of one home would see, in order of time, and the truth."""

    person: Person
    events: list[Event]
    truth: Truth


def live(person: Person, days: int, *, seed: int = 1) -> Life:
    """`days` days of this person."""
    rng = Random((seed * 7_919 + person.n) * 2 + 1)
    truth = Truth()
    events: list[Event] = []
    gone_until = -1.0
    step = 0.0
    for day in range(days):
        start = day * 24.0
        if rng.random() < 1 / 120:  # a change of season, a stay in hospital: a step that stays
            step += rng.gauss(0, 0.5)
        if gone_until >= start + 24:
            continue
        if gone_until < start and rng.random() < 0.006:
            leave = start + rng.uniform(8, 11)
            events.extend(_until(rng, person, _Day.of(rng, person, day, step), leave - 0.1))
            gone_until = start + 24 * rng.randint(1, 4) + rng.uniform(14, 19)
            events += door(rng, leave)
            events += door(rng, gone_until)
            truth.trips.append((leave, gone_until))
            truth.away.append((leave, gone_until))
            continue
        today = _Day.of(rng, person, day, step)
        if today.sick:
            truth.sick.append(day)
        first = max(start, gone_until)
        events.extend(e for e in _day(rng, person, today, truth) if e[0] > first)
    events.sort()
    return Life(person, events, truth)


@dataclass(frozen=True, slots=True)
class _Day:
    start: float
    wake: float
    bed: float
    sick: bool

    @classmethod
    def of(cls, rng: Random, person: Person, day: int, step: float) -> _Day:
        sick = rng.random() < 0.02
        shift = person.drift * day / 7 + step
        late = rng.uniform(2, 4) if sick else 0.0
        wake = person.wake + shift + rng.gauss(0, person.spread) + late
        bed = person.bed + shift + rng.gauss(0, person.spread) - (1.0 if sick else 0.0)
        return cls(day * 24.0, day * 24.0 + max(3.5, wake), day * 24.0 + min(25.5, max(wake + 6, bed)), sick)


def _day(rng: Random, person: Person, today: _Day, truth: Truth) -> Iterator[Event]:
    away = [] if today.sick else list(_outings(rng, person, today))
    truth.away.extend(away)
    for begin, end in away:
        yield from door(rng, begin)
        yield from door(rng, end)
        if rng.random() < 0.8:
            yield (end + rng.uniform(0.02, 0.2), MOTION)
    sees = SEES[person.placement]
    for at in _night(rng, person, today, sees):
        yield (at, MOTION)
    visited = rng.random() < person.visitors or int(today.start // 24) % 7 == person.cleaner
    if visited:
        truth.visited.append(int(today.start // 24))
        arrive = today.start + rng.uniform(9, 15)
        yield from door(rng, arrive)
        yield from door(rng, arrive + rng.uniform(0.7, 2.5))
    for at in _motion(rng, person, today, sees, lively=visited):
        if not any(begin < at < end for begin, end in away):
            yield (at, MOTION)
    if person.pet:
        at = today.start + rng.expovariate(1 / 5)
        while at < today.start + 24:
            yield (at, MOTION)
            at += rng.expovariate(1 / 5)


def of_day(rng: Random, person: Person, shift: float, truth: Truth, *, weekday: int = 0) -> list[Event]:
    """One day by itself (hours since its midnight), her habits moved by `shift` hours; for a town that lives on."""
    start, kept = 24.0 * weekday, Truth()
    today = _Day.of(rng, person, weekday, shift - person.drift * weekday / 7)
    events = sorted((at - start, kind) for at, kind in _day(rng, person, today, kept))
    truth.away.extend((a - start, b - start) for a, b in kept.away)
    return events


def _until(rng: Random, person: Person, today: _Day, end: float) -> Iterator[Event]:
    sees = SEES[person.placement]
    for at in (*_night(rng, person, today, sees), *_motion(rng, person, today, sees, lively=False)):
        if at < end:
            yield (at, MOTION)


def _outings(rng: Random, person: Person, today: _Day) -> Iterator[tuple[float, float]]:
    at = today.wake + 1
    for _ in range(_poisson(rng, person.outings)):
        begin = at + rng.uniform(0.2, 4.5)
        end = begin + min(10.0, person.outing_hours * math.exp(rng.gauss(0, 0.8)))
        if end > today.bed - 0.3:
            return
        yield (begin, end)
        at = end + 0.3


def _night(rng: Random, person: Person, today: _Day, sees: Place) -> Iterator[float]:
    for _ in range(_poisson(rng, person.toilet)):
        at = today.start + rng.uniform(0.2, max(0.5, today.wake - today.start))
        if at < today.wake and rng.random() < sees.night:
            yield at
            if rng.random() < 0.6:
                yield at + rng.uniform(0.02, 0.1)


def _motion(rng: Random, person: Person, today: _Day, sees: Place, *, lively: bool) -> Iterator[float]:
    nap = (13.0 + today.start + rng.gauss(0, 0.4), rng.uniform(0.5, 1.6)) if rng.random() < person.nap else (0.0, 0.0)
    meals = [today.start + a + (today.wake - today.start - person.wake) * (i == 0) + rng.gauss(0, 0.25)
             for i, a in enumerate(person.anchors)]  # fmt: skip
    slow = person.gap * sees.stretch * (2.0 if today.sick else 1.0) * (0.6 if lively else 1.0)
    at = today.wake + rng.uniform(0.0, 0.3)
    while at < today.bed:
        near_meal = any(abs(at - m) < 0.6 for m in meals)
        chance = sees.meal if near_meal else sees.rest
        if nap[0] <= at < nap[0] + nap[1]:
            at = nap[0] + nap[1] + rng.uniform(0, 0.2)
            continue
        if rng.random() < chance:
            for _ in range(1 + int(rng.expovariate(0.7))):
                yield at
                at += rng.uniform(0.01, 0.08)
        at += rng.gammavariate(0.9, (0.4 if near_meal else 1.0) * slow / 0.9)


def door(rng: Random, at: float) -> list[Event]:
    """She passes the door: it opens, and often the sensor sees her within the minute."""
    events = [(at, DOOR)]
    if rng.random() < 0.3:
        events.append((at + rng.uniform(0.001, 0.014), MOTION))
    return events


def _poisson(rng: Random, mean: float) -> int:
    limit, product, count = math.exp(-mean), rng.random(), 0
    while product > limit:
        product *= rng.random()
        count += 1
    return count
