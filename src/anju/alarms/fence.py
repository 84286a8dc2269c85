"""Is she inside her circle? Fixes in any order, each with its accuracy; an edge rule and a state rule. Pure.

A fix counts as outside only when all of its circle of accuracy lies beyond the fence and a margin, and as inside when it
is well within; between the two nothing changes (hysteresis). What was fixed when decides, never what arrived when.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final

IN: Final = "in"
OUT: Final = "out"
UNKNOWN: Final = "unknown"
MARGIN: Final = 50.0
"""Metres beyond the fence before somebody is outside."""
VAGUE: Final = 1500.0
"""A fix less accurate than this (metres) says nothing."""
CONFIRM: Final = 180.0
"""Seconds for which a first fix outside waits for a second one, or for none that says otherwise."""
KEPT: Final = 120
KEPT_FOR: Final = 86_400.0
_EARTH: Final = 6_371_008.8


@dataclass(frozen=True, slots=True)
class Fix:
    """Where she was: seconds, degrees (WGS-84), and the radius in metres within which she was."""

    at: float
    lat: float
    lon: float
    accuracy: float = 0.0


@dataclass(frozen=True, slots=True)
class Circle:
    """The fence: centre, radius in metres, whether leaving it is told at once, and after how many minutes outside."""

    lat: float
    lon: float
    radius: float
    at_edge: bool = True
    minutes: float = 30.0


@dataclass(frozen=True, slots=True)
class Course:
    """Which side she is on, since which fix; whether she was seen inside before (an edge), and the fixes outside since."""

    side: str = UNKNOWN
    since: float = 0.0
    edge: bool = False
    times: int = 0


def metres(a: Fix, lat: float, lon: float) -> float:
    """The distance on the ground."""
    p, q = math.radians(a.lat), math.radians(lat)
    h = math.sin((q - p) / 2) ** 2 + math.cos(p) * math.cos(q) * math.sin(math.radians(lon - a.lon) / 2) ** 2
    return 2 * _EARTH * math.asin(min(1.0, math.sqrt(h)))


def side_of(fix: Fix, fence: Circle) -> str:
    """in, out, or unknown where the accuracy does not tell."""
    if fix.accuracy > VAGUE:
        return UNKNOWN
    away = metres(fix, fence.lat, fence.lon)
    if away - fix.accuracy > fence.radius + MARGIN:
        return OUT
    return IN if away + min(fix.accuracy, fence.radius / 2) <= fence.radius else UNKNOWN


def with_fixes(known: Iterable[Fix], new: Iterable[Fix]) -> list[Fix]:
    """All fixes in order of their time, one a moment (the most accurate), of the last day before the newest."""
    best: dict[float, Fix] = {}
    for fix in (*known, *new):
        other = best.get(fix.at)
        if other is None or (fix.accuracy, fix.lat, fix.lon) < (other.accuracy, other.lat, other.lon):
            best[fix.at] = fix
    ordered = [best[at] for at in sorted(best)]
    return [f for f in ordered if f.at > ordered[-1].at - KEPT_FOR][-KEPT:]


def course(fixes: Sequence[Fix], fence: Circle) -> Course:
    """Where she stands after these fixes (in order of time)."""
    now = Course()
    for fix in fixes:
        side = side_of(fix, fence)
        if side == UNKNOWN:
            continue
        if side == now.side:
            now = Course(side, now.since, now.edge, now.times + 1)
        else:
            now = Course(side, fix.at, edge=side == OUT and now.side == IN, times=1)
    return now


def due_at(on: Course, fence: Circle) -> float | None:
    """When somebody must be told that she is outside; None while she is not known to be."""
    if on.side != OUT:
        return None
    stays = on.since + fence.minutes * 60
    if not (fence.at_edge and on.edge):
        return stays
    return min(stays, on.since if on.times > 1 else on.since + CONFIRM)
