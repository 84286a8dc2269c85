"""If she fell now and could not press, when would we know? Stated for each home, with its cause and what would shorten it.

Pure. The answer is an upper bound that follows from the watch itself (`vigil`): she may have moved up to this minute
without our having heard it, so the latest deadline of any last sign between the watermark and now counts; then the
clock waits for what may still come. A deaf home is bounded by its last sign, and by nothing once that alarm was closed.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from anju.alarms.rhythm import AWAY, HOME
from anju.alarms.vigil import GRACE, HOUR, Vigil

STEP: Final = 900.0
"""Last signs are tried every so many seconds between the watermark and now."""
MARGIN: Final = 1.06
"""For last signs between the tried moments, and for a clock of the device that is off."""
SWEEP: Final = 90.0
"""Seconds that the sweep itself may take to come round."""
QUICK: Final = 1800.0
"""The quickest reporting period that a battery sensor can be set to (seconds)."""
COLD: Final = 14
"""Days of history after which a rhythm counts as known."""


@dataclass(frozen=True, slots=True)
class Shorter:
    """One measure and the hours that it would win."""

    measure: str
    words: str
    hours: float


@dataclass(frozen=True, slots=True)
class WorstCase:
    """`hours` until somebody would look, at most; infinite when nobody would. `cause` is a code, `words` says it."""

    hours: float
    cause: str
    words: str
    shorter: tuple[Shorter, ...] = ()


@dataclass(frozen=True, slots=True)
class Sensor:
    """What of a device shortens or lengthens the watch."""

    name: str
    heard_at: float | None
    silent_after: float
    battery: int | None = None
    battery_low: int = 20
    motion: bool = True
    placement: str = ""


def worst_case(vigil: Vigil, now: float, sensors: Sequence[Sensor]) -> WorstCase:
    """The bound at this moment, its main cause, and the measures ranked by the hours they win."""
    if vigil.last_life_at is None:
        words = "还没有听到过这户的任何活动，无法判断"
        return WorstCase(math.inf, "never_heard", words, tuple(_repairs(sensors, now, math.inf)))
    deaf = [s for s in sensors if s.motion and (s.heard_at is None or now - s.heard_at > s.silent_after)]
    if deaf and vigil.raised & {"no_data", "hard"}:
        words = f"{_names(deaf)}听不到，报警已发出过；修好之前不会再报"
        return WorstCase(math.inf, "deaf", words, tuple(_repairs(sensors, now, math.inf)))
    hours = bound(vigil, now)
    measures = sorted([*_repairs(sensors, now, hours), *_quicker(vigil, now, hours)], key=lambda m: -m.hours)
    cause, words = _cause(vigil, now, deaf, hours)
    return WorstCase(hours, cause, words, tuple(measures[:4]))


def bound(vigil: Vigil, now: float, *, period: float | None = None) -> float:
    """Hours from now until an alarm stands, if nothing is ever heard of her again from this moment on."""
    period = vigil.period if period is None else period
    since = max(vigil.last_life_at or now, min(vigil.covered_until(), now))
    latest = vigil.hard_at
    at = now
    modes = {vigil.mode, HOME}
    while at >= since - STEP:
        _, tod = vigil.clock(at)
        for mode in modes:
            due = vigil.rhythm.deadlines(tod=tod, mode=mode, prior=vigil.prior, budget=vigil.budget, lost=())
            latest = max(latest, at + due.hard * HOUR * MARGIN)
        at -= STEP
    one_lost = period  # a report that is lost on the way is no evidence: the clock runs slower in its window
    return max(0.0, latest + 2 * period + one_lost + GRACE + SWEEP - now) / HOUR


def _quicker(vigil: Vigil, now: float, hours: float) -> list[Shorter]:
    if vigil.period <= QUICK:
        return []
    won = hours - bound(vigil, now, period=QUICK)
    return (
        [Shorter("period", f"上报周期由 {vigil.period / 60:.0f} 分钟改为 {QUICK / 60:.0f} 分钟", won)]
        if won > 0.1
        else []
    )


def _repairs(sensors: Sequence[Sensor], now: float, hours: float) -> list[Shorter]:
    worth = 24.0 if math.isinf(hours) else max(0.0, hours - 8.0)
    found = []
    for sensor in sensors:
        if sensor.heard_at is None or now - sensor.heard_at > sensor.silent_after:
            found.append(Shorter("repair", f"修复{sensor.name}", worth))
        elif sensor.battery is not None and sensor.battery <= sensor.battery_low:
            found.append(Shorter("battery", f"更换{sensor.name}电池（{sensor.battery}%）", worth / 2))
        elif sensor.motion and sensor.placement in {"kitchen", "厨房"}:
            found.append(Shorter("placement", f"把{sensor.name}移到卫生间门口或过道", max(0.0, hours * 0.2)))
    if not any(s.motion for s in sensors):
        found.append(Shorter("install", "加装卫生间或过道活动传感器", worth))
    return found


def _cause(vigil: Vigil, now: float, deaf: Sequence[Sensor], hours: float) -> tuple[str, str]:
    if deaf:
        return "deaf", f"{_names(deaf)}听不到，只能等最近一次迹象的期限"
    if vigil.covered_until() < now - 2 * vigil.period - GRACE:
        return "late", "数据迟到，听到的只到较早时间"
    day, _ = vigil.clock(now)
    if day - vigil.rhythm.first_day < COLD:
        return "cold", f"刚开始学习（第 {day - vigil.rhythm.first_day + 1} 天），期限偏长"
    if vigil.mode == AWAY:
        return "away", "判断外出，按未归的期限"
    if (2 * vigil.period + GRACE) / HOUR > 0.35 * hours:
        return "period", "上报周期长，等数据占了大半"
    return "rhythm", "按她平时的规律，这个时段安静属正常"


def _names(sensors: Sequence[Sensor]) -> str:
    return "、".join(s.name for s in sensors)
