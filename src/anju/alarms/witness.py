"""What a meter says about a home: nothing used for half a day, far too much, always a little. Pure.

A series is the meter's readings as (seconds, total), in order of time; totals are m³ (water, gas) or kWh (power). A meter
that was not heard lately says nothing: silence of the meter is never silence of the home.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import Final

HOUR: Final = 3600.0
HALF: Final = 1800.0
DAY: Final = 86_400.0
DRY: Final = 0.01
"""m³ of water: less in 12 hours, or in a day, is no use (the rule of Shanghai's utilities)."""
BURST: Final = 2.0
"""m³ of water in a day: more is a burst pipe or a tap that runs."""
KEPT_FOR: Final = 8 * DAY
KEPT: Final = 420
"""Readings kept at most: eight days of half-hours and some."""
TOLERANCE: Final = 1e-6
USE: Final = {"water": 0.002, "gasuse": 0.01}
"""m³ above the constant flow within an hour that prove that somebody turned a tap or lit a flame."""
GAS_LEAK: Final = (0.002, 0.1, 1.6)
"""Gas that flows in every half-hour of a day: least and largest m³, and how even (largest : smallest) a leak is."""
IDLE: Final = 1.5
"""Power below so many times the base load for half a day: the fridge alone."""

Series = Sequence[tuple[float, float]]


class Odd(ValueError):
    """A reading that can't be true; the Chinese text says why."""


def with_reading(series: Series, at: float, total: float) -> tuple[list[tuple[float, float]], bool]:
    """The series with one more reading, and whether it is news. A total that falls is a new meter: the series begins anew.

    Readings may come in any order; one that does not fit between its neighbours is refused (`Odd`).
    """
    if total < 0:
        raise Odd("读数不能为负")
    known = dict(series)
    if at in known:
        if abs(known[at] - total) <= TOLERANCE:
            return list(series), False
        raise Odd("同一时刻已有不同的读数")
    before = [p for p in series if p[0] < at]
    after = [p for p in series if p[0] > at]
    if after and total > after[0][1] + TOLERANCE:
        raise Odd("读数比后来的还大")
    if before and total < before[-1][1] - TOLERANCE:
        if after:
            raise Odd("读数比先前的还小")
        before = []
    found = [*before, (at, total), *after]
    return [p for p in found if p[0] > found[-1][0] - KEPT_FOR][-KEPT:], True


def used(series: Series, since: float, until: float) -> float | None:
    """How much was used in this time; None where the readings do not reach."""
    a, b = _at(series, since), _at(series, until)
    return None if a is None or b is None else max(0.0, b - a)


def _at(series: Series, at: float) -> float | None:
    for (t0, v0), (t1, v1) in pairwise(series):
        if t0 <= at <= t1:
            return v0 + (v1 - v0) * (at - t0) / (t1 - t0)
    return series[0][1] if len(series) == 1 and series[0][0] == at else None


def dry(series: Series, now: float, *, fresh: float = 3 * HOUR) -> str:
    """Whether next to no water was used: "12h" when the meter was read lately, "day" for daily readings; "" when not known."""
    if not series:
        return ""
    last = series[-1][0]
    half, whole = used(series, last - 12 * HOUR, last), used(series, last - DAY, last)
    if now - last <= fresh and half is not None and half < DRY:
        return "12h"
    return "day" if now - last <= 1.5 * DAY and whole is not None and whole < DRY else ""


def burst(series: Series, now: float) -> float:
    """m³ of the last day when that is far too much, else 0."""
    if not series or now - series[-1][0] > 1.5 * DAY:
        return 0.0
    whole = used(series, series[-1][0] - DAY, series[-1][0])
    if whole is None:  # less than a day is known, and already too much
        whole = series[-1][1] - series[0][1] if series[-1][0] - series[0][0] < DAY else 0.0
    return whole if whole > BURST else 0.0


def flows(series: Series, span: float = DAY) -> list[float] | None:
    """What flowed in each half-hour of the last `span` seconds; None unless every hour of it was read."""
    if not series:
        return None
    last = series[-1][0]
    points = [p[0] for p in series if p[0] >= last - span - HALF]
    if not points or points[0] > last - span + HALF or any(b - a > HOUR + 60 for a, b in pairwise(points)):
        return None
    found = []
    for n in range(int(span / HALF)):
        one = used(series, max(points[0], last - (n + 1) * HALF), last - n * HALF)
        if one is None:
            return None
        found.append(one)
    return found


def seeps(series: Series) -> bool:
    """Whether water flowed in every half-hour of a day: a leak, or a tap that nobody closes."""
    known = flows(series)
    return known is not None and min(known) > 0.0001


def gas_leaks(series: Series) -> bool:
    """Whether gas flowed a little and evenly in every half-hour of a day. A boiler does not flow evenly."""
    known = flows(series)
    least, most, even = GAS_LEAK
    return known is not None and min(known) >= least and max(known) <= most and max(known) <= even * min(known)


def idle(series: Series, now: float, *, fresh: float = 3 * HOUR) -> bool:
    """Whether half a day of power was the base load alone (the fridge); False when the meter was not read lately."""
    if not series or now - series[-1][0] > fresh:
        return False
    last = series[-1][0]
    rates = [((v1 - v0) / (t1 - t0), t1) for (t0, v0), (t1, v1) in pairwise(series) if 0 < t1 - t0 <= 2 * HOUR]
    recent = [rate for rate, t in rates if t > last - 12 * HOUR]
    if len(rates) < 48 or len(recent) < 6:
        return False
    base = sorted(rate for rate, _ in rates)[len(rates) // 5]
    return max(recent) <= IDLE * base + 1e-9


def use_at(kind: str, series: Series) -> float | None:
    """When the newest reading proves that somebody turned a tap or lit a flame: the start of its interval (the bound that
    holds for sure); None when it proves nothing.
    """
    if kind not in USE or len(series) < 2:
        return None
    (t0, v0), (t1, v1) = series[-2], series[-1]
    if not 0 < t1 - t0 <= HOUR + 60:
        return None
    day = [p for p in series if p[0] > t1 - DAY]
    rates = [(b - a) / (u - t) for (t, a), (u, b) in pairwise(day) if u > t]
    constant = min(rates) * (t1 - t0) if len(rates) >= 6 else 0.0
    return t0 if v1 - v0 - constant >= USE[kind] else None
