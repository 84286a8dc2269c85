"""The people of the population simulator as the running town lives them: what the sensors of home n notice on a day. Pure.

Each day is drawn from a seed of its own, so that history, a town started today and one that has run for weeks tell the
same life. Habits, naps, outings, trips, sick days, visitors, pets and the slow drift are those of `population`.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from datetime import date, datetime, time, timedelta, tzinfo
from functools import lru_cache
from random import Random
from typing import Final

from anju.town import population
from anju.town.population import DOOR, Person, Truth

SEED: Final = 11
SEASON: Final = 120
"""Days after which a step of habits (a season, a stay in hospital) is drawn anew and the drift begins again."""
TRIP: Final = 0.006
LONGEST: Final = 4
PLACES: Final = {"卫生间门口": "bathroom", "客厅": "living", "厨房": "kitchen", "卧室": "living"}
"""Where a motion sensor hangs → what it sees (`population.SEES`)."""


@dataclass(frozen=True, slots=True)
class Doing:
    """Something a sensor notices: `kind` is motion, door_open or door_closed."""

    at: datetime
    kind: str
    count: int = 1


@lru_cache(maxsize=4096)
def person(n: int, position: str = "") -> Person:
    """Who lives in home n; where her motion sensor hangs decides what is seen of her."""
    drawn = Person.of(n, SEED)
    place = PLACES.get(position, drawn.placement)
    return drawn if place == drawn.placement else replace(drawn, placement=place)


def day(n: int, on: date, zone: tzinfo, position: str = "") -> list[Doing]:
    """All that happens in home n on one day, in order of time."""
    who, ordinal = person(n, position), on.toordinal()
    events = [e for back in (1, 0) for e in _events(who, ordinal - back, shift=-24.0 * back)]
    midnight = datetime.combine(on, time(), zone)
    return list(_doings(sorted(e for e in events if 0 <= e[0] < 24), midnight, Random(f"{SEED}/{n}/{ordinal}/count")))


def away(n: int, on: date) -> list[tuple[float, float]]:
    """When nobody was in, in hours of that day: the truth that the sensors only hint at."""
    truth = Truth()
    _events(person(n), on.toordinal(), shift=0.0, truth=truth)
    return truth.away


def _events(who: Person, ordinal: int, *, shift: float, truth: Truth | None = None) -> list[population.Event]:
    """The life of one day (hours since its midnight, `shift` added); trips reach over several."""
    kept = truth if truth is not None else Truth()
    trip = _trip(who, ordinal)
    if trip is None:
        made = population.of_day(_rng(who, ordinal, "day"), who, _offset(who, ordinal), kept, weekday=ordinal % 7)
        return [(at + shift, kind) for at, kind in made]
    leave, back = trip
    kept.away.append((max(0.0, leave), min(24.0, back)))
    found: list[population.Event] = []
    if 0 <= leave < 24:
        made = population.of_day(_rng(who, ordinal, "day"), who, _offset(who, ordinal), Truth(), weekday=ordinal % 7)
        found += [e for e in made if e[0] < leave - 0.1] + population.door(_rng(who, ordinal, "leave"), leave)
    if 0 <= back < 24:
        made = population.of_day(_rng(who, ordinal, "day"), who, _offset(who, ordinal), Truth(), weekday=ordinal % 7)
        found += population.door(_rng(who, ordinal, "back"), back) + [e for e in made if e[0] > back]
    return [(at + shift, kind) for at, kind in found]


def _trip(who: Person, ordinal: int) -> tuple[float, float] | None:
    """(leaves, comes back) in hours of this day when she is on a trip on it; a trip lasts one to four nights."""
    for began in range(ordinal - LONGEST - 1, ordinal + 1):
        rng = _rng(who, began, "trip")
        if rng.random() < TRIP:
            leave, back = rng.uniform(8, 11), 24.0 * rng.randint(1, LONGEST) + rng.uniform(14, 19)
            gone = 24.0 * (ordinal - began)
            if back - gone > 0:
                return leave - gone, back - gone
    return None


def _offset(who: Person, ordinal: int) -> float:
    """How far her habits have moved by that day, in hours: the step of the season and the slow drift."""
    season, since = divmod(ordinal + who.n, SEASON)
    return Random(f"{SEED}/{who.n}/{season}").gauss(0, 0.4) + who.drift * since / 7


def _rng(who: Person, ordinal: int, what: str) -> Random:
    return Random(f"{SEED}/{who.n}/{ordinal}/{what}")


def _doings(events: list[population.Event], midnight: datetime, rng: Random) -> list[Doing]:
    found: list[Doing] = []
    for hours, kind in events:
        at = midnight + timedelta(hours=hours)
        if kind == DOOR:
            found += [Doing(at, "door_open"), Doing(at + timedelta(seconds=rng.randrange(6, 40)), "door_closed")]
        else:
            found.append(Doing(at, "motion", 1 + int(-math.log(1 - rng.random()) * 1.5)))
    return sorted(found, key=lambda d: d.at)
