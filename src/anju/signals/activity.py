"""What the signals of one home tell about its day. Pure: times in, words and figures out; it judges no person's health.

The words of a home (docs: pages) are six: 有动静, 安静, 外出, 久静, 失联, 停机. "Silent" is never said without knowing that we hear.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta, tzinfo
from itertools import pairwise

LIVELY = timedelta(minutes=30)
"""A motion within this time means 有动静."""
DEAF_AFTER = timedelta(hours=5)
"""No word from any device of the home for longer than this: we do not hear it."""
LEAST_DAYS = 5
"""Fewer earlier days say nothing about what is usual."""
STEP_OUT = timedelta(minutes=10)
"""No motion for this long after the door was last shut: probably nobody is in."""

MOVES = frozenset({"motion"})
DOORS = frozenset({"door_open", "door_closed"})


@dataclass(frozen=True, slots=True)
class Happening:
    """One signal of a home, as the strip needs it."""

    at: datetime
    kind: str
    lco: str = ""
    count: int = 1


@dataclass(frozen=True, slots=True)
class Usual:
    """How long the home is usually without motion at this time of the day: median, 95 %, and over how many days."""

    half: timedelta
    most: timedelta
    days: int


@dataclass(frozen=True, slots=True)
class State:
    """The word of a home and what it rests on. `deaf_since` only when the word is 失联."""

    word: str
    kind: str
    icon: str
    last_move: Happening | None
    last_door: Happening | None
    last_heard: datetime | None
    usual: Usual | None


def state(
    events: Sequence[Happening], now: datetime, *, last_heard: datetime | None, suspended: bool, zone: tzinfo
) -> State:
    """Which of the six words fits now. `events` of the last 30 days in order of time; `last_heard` from any device."""
    moves = [e for e in events if e.kind in MOVES]
    doors = [e for e in events if e.kind in DOORS]
    move, door = (moves[-1] if moves else None), (doors[-1] if doors else None)
    known = usual(moves, now, zone)
    word, kind, icon = _word(move, door, now, last_heard, known, suspended=suspended)
    return State(word, kind, icon, move, door, last_heard, known)


def _word(
    move: Happening | None,
    door: Happening | None,
    now: datetime,
    heard: datetime | None,
    known: Usual | None,
    *,
    suspended: bool,
) -> tuple[str, str, str]:
    if suspended:
        return "停机", "mute", "stop"
    if heard is None or now - heard > DEAF_AFTER:
        return "失联", "deaf", "deaf"
    if move and now - move.at <= LIVELY:
        return "有动静", "ok", "move"
    if door and door.kind == "door_closed" and now - door.at > STEP_OUT and (not move or move.at <= door.at):
        return "外出", "mute", "away"
    if move and known and now - move.at > known.most:
        return "久静", "warn", "clock"
    return "安静", "work", "rest"


def usual(moves: Sequence[Happening], now: datetime, zone: tzinfo) -> Usual | None:
    """Lengths of the pauses that were under way at this time on earlier days; None when there are too few days."""
    here = now.astimezone(zone)
    points = {datetime.combine(here.date() - timedelta(days=n), here.time(), zone) for n in range(1, 31)}
    pauses: dict[date, timedelta] = {}
    for before, after in pairwise(moves):
        for point in _inside(points, before.at, after.at):
            pauses[point.date()] = after.at - before.at
    if len(pauses) < LEAST_DAYS:
        return None
    lengths = sorted(pauses.values())
    return Usual(lengths[len(lengths) // 2], lengths[min(len(lengths) - 1, int(len(lengths) * 0.95))], len(lengths))


def _inside(points: Iterable[datetime], start: datetime, end: datetime) -> list[datetime]:
    if end - start > timedelta(days=2):
        return []  # a hole in the data is no pause
    day = start.date()
    return [p for p in points if start <= p < end and abs((p.date() - day).days) <= 2]


def deaf_spans(heard: Sequence[datetime], since: datetime, until: datetime) -> list[tuple[datetime, datetime]]:
    """When nothing at all came from the home for longer than DEAF_AFTER, inside [since, until]."""
    edges = [since, *sorted(at for at in heard if since <= at <= until), until]
    return [(a, b) for a, b in pairwise(edges) if b - a > DEAF_AFTER]


def per_slot(
    events: Iterable[Happening], days: int, today: date, zone: tzinfo, *, minutes: int = 15
) -> dict[tuple[int, int], int]:
    """Motions counted by (row, column): row 0 is the oldest of `days` days, a column is `minutes` long."""
    first = today - timedelta(days=days - 1)
    found: dict[tuple[int, int], int] = {}
    for event in events:
        if event.kind not in MOVES:
            continue
        at = event.at.astimezone(zone)
        row = (at.date() - first).days
        if 0 <= row < days:
            cell = (row, (at.hour * 60 + at.minute) // minutes)
            found[cell] = found.get(cell, 0) + max(1, event.count)
    return found


def average_day(events: Iterable[Happening], today: date, zone: tzinfo, *, minutes: int = 30) -> list[float]:
    """Mean number of motions in each slot of the day over the earlier days that have any; [] when there are none."""
    sums, days = [0.0] * (1440 // minutes), set()
    for event in events:
        at = event.at.astimezone(zone)
        if event.kind in MOVES and at.date() < today:
            sums[(at.hour * 60 + at.minute) // minutes] += 1
            days.add(at.date())
    return [total / len(days) for total in sums] if len(days) >= 2 else []


def day_edges(events: Iterable[Happening], zone: tzinfo) -> tuple[time, time] | None:
    """When she usually gets up and goes to bed: medians of the first motion after 4:00 and the last before 24:00."""
    firsts: dict[date, time] = {}
    lasts: dict[date, time] = {}
    for event in events:
        at = event.at.astimezone(zone)
        if event.kind in MOVES and at.hour >= 4:
            firsts.setdefault(at.date(), at.time())
            lasts[at.date()] = at.time()
    if len(firsts) < LEAST_DAYS:
        return None
    return sorted(firsts.values())[len(firsts) // 2], sorted(lasts.values())[len(lasts) // 2]
