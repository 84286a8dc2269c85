"""If she fell now and could not press, when would we know? Stated for each home, with its cause and what would shorten it.

Pure. The answer is an upper bound that follows from the watch itself (`vigil`): she may have moved up to this minute
without our having heard it, so the latest deadline of any last sign between the watermark and now counts; then the
clock waits for what may still come. A deaf home is bounded by its last sign, and by nothing once that alarm was closed.

What a measure wins is the difference between this bound and the bound of the same home with the fault mended.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from anju.alarms.rhythm import AWAY, CAPS, HOME
from anju.alarms.vigil import GRACE, Vigil

HOUR: Final = 3600.0
STEP: Final = 900.0
"""Last signs are tried every so many seconds between the watermark and now …"""
COARSE: Final = 3600.0
"""… and every so many when the watermark is farther back than `FAR` (seconds)."""
FAR: Final = 6 * HOUR
MARGIN: Final = 1.06
"""For last signs between the tried moments, and for a clock of the device that is off."""
SWEEP: Final = 90.0
"""Seconds that the sweep itself may take to come round."""
QUICK: Final = 1800.0
"""The quickest reporting period that a battery sensor can be set to (seconds)."""
COLD: Final = 14
"""Days of history after which a rhythm counts as known."""
BLIND: Final = CAPS[AWAY]
"""Hours that "nobody would know" counts for when measures are ranked: the longest deadline there is."""
MOVED: Final = 0.26
"""Share of the rhythm's own hours that a sensor at the bathroom door wins over one in the kitchen: 5.1 against 6.9 h
at the median, measured in one real home (docs/subsystems/sensing.md)."""
KITCHEN: Final = frozenset({"kitchen", "厨房"})
EARLY: Final = 0.5
"""Share of the hours that a battery is worth while its sensor still speaks."""


@dataclass(frozen=True, slots=True)
class Shorter:
    """One measure and the hours that it would win; `device` is the sensor it is done to."""

    measure: str
    words: str
    hours: float
    device: int | None = None


@dataclass(frozen=True, slots=True)
class WorstCase:
    """`hours` until somebody would look, at most; infinite when nobody would. `cause` is a code, `words` says it."""

    hours: float
    cause: str
    words: str
    shorter: tuple[Shorter, ...] = ()


@dataclass(frozen=True, slots=True)
class Sensor:
    """What of a device shortens or lengthens the watch. `since` = since when it is deaf, in words."""

    name: str
    heard_at: float | None
    silent_after: float
    battery: int | None = None
    battery_low: int = 20
    motion: bool = True
    placement: str = ""
    device: int | None = None
    since: str = ""

    def deaf(self, now: float) -> bool:
        """Not heard for longer than its product allows."""
        return self.heard_at is None or now - self.heard_at > self.silent_after


def worst_case(vigil: Vigil, now: float, sensors: Sequence[Sensor]) -> WorstCase:
    """The bound at this moment, its main cause, and the measures ranked by the hours they win."""
    if vigil.last_life_at is None:
        words = "还没有听到过这户的任何活动，无法判断"
        return WorstCase(math.inf, "never_heard", words, _ranked(_repairs(vigil, sensors, now, BLIND)))
    deaf = [s for s in sensors if s.motion and s.deaf(now)]
    if deaf and vigil.raised & {"no_data", "hard"}:
        words = f"{_names(deaf)}听不到，报警已发出过；修好之前不会再报"
        return WorstCase(math.inf, "deaf", words, _ranked(_repairs(vigil, sensors, now, BLIND)))
    hours = bound(vigil, now)
    cause, words = _cause(vigil, now, deaf, hours, sensors)
    return WorstCase(
        hours, cause, words, _ranked([*_repairs(vigil, sensors, now, hours), *_quicker(vigil, now, hours)])
    )


def bound(vigil: Vigil, now: float, *, period: float | None = None) -> float:
    """Hours from now until an alarm stands, if nothing is ever heard of her again from this moment on."""
    since = max(vigil.last_life_at or now, min(vigil.covered_until(), now))
    return _bound(vigil, now, since, vigil.period if period is None else period)


def mended(vigil: Vigil, now: float) -> float:
    """The same bound if every sensor had just been heard: what the home would have without its faults."""
    since = now - (vigil.period if vigil.last_life_at is not None else 0.0)
    return _bound(vigil, now, since, vigil.period, known=False)


def _bound(vigil: Vigil, now: float, since: float, period: float, *, known: bool = True) -> float:
    latest = vigil.hard_at if known else now
    since = max(since, now - BLIND * HOUR)
    step = STEP if now - since <= FAR else COARSE
    at = now
    modes = {vigil.mode, HOME} if known else {HOME}
    while at >= since - step:
        _, tod = vigil.clock(at)
        for mode in modes:
            due = vigil.rhythm.deadlines(tod=tod, mode=mode, prior=vigil.prior, budget=vigil.budget, lost=())
            latest = max(latest, at + due.hard * HOUR * MARGIN)
        at -= step
    one_lost = period  # a report that is lost on the way is no evidence: the clock runs slower in its window
    return max(0.0, latest + 2 * period + one_lost + GRACE + SWEEP - now) / HOUR


def _ranked(measures: Sequence[Shorter]) -> tuple[Shorter, ...]:
    return tuple(sorted((m for m in measures if m.hours > 0.1), key=lambda m: -m.hours)[:4])


def _quicker(vigil: Vigil, now: float, hours: float) -> list[Shorter]:
    if vigil.period <= QUICK:
        return []
    won = hours - bound(vigil, now, period=QUICK)
    words = f"上报周期由 {vigil.period / 60:.0f} 分钟改为 {QUICK / 60:.0f} 分钟"
    return [Shorter("period", words, won)] if won > 0.1 else []


def _repairs(vigil: Vigil, sensors: Sequence[Sensor], now: float, hours: float) -> list[Shorter]:
    good = mended(vigil, now)
    worth, lasting = max(0.5, hours - good), max(0.5, BLIND - good)  # once its one alarm was raised, nobody would know
    found = []
    for s in sensors:
        if s.deaf(now):
            since = f"（{s.since}起听不到）" if s.since else "（从未听到）" if s.heard_at is None else ""
            found.append(Shorter("repair", f"修复{s.name}{since}", lasting if s.motion else worth * EARLY, s.device))
        elif s.battery is not None and s.battery <= s.battery_low:
            found.append(Shorter("battery", f"更换{s.name}电池（剩 {s.battery}%）", lasting * EARLY, s.device))
        elif s.motion and s.placement in KITCHEN:
            own = max(0.0, good - (3 * vigil.period + GRACE + SWEEP) / HOUR)
            found.append(Shorter("placement", f"把{s.name}移到卫生间门口或过道", own * MOVED, s.device))
    if not any(s.motion for s in sensors):
        found.append(Shorter("install", "加装卫生间或过道活动传感器", max(worth, 1.0)))
    return found


def _cause(
    vigil: Vigil, now: float, deaf: Sequence[Sensor], hours: float, sensors: Sequence[Sensor]
) -> tuple[str, str]:
    """What weighs most; the first that holds."""
    if deaf:
        since = f"自 {deaf[0].since} 起" if deaf[0].since else ""
        return "deaf", f"{_names(deaf)}{since}听不到，到期报一次警，以后就没人知道"
    day, _ = vigil.clock(now)
    low = [s for s in sensors if s.battery is not None and s.battery <= s.battery_low]
    level = min((s.battery or 0 for s in low), default=0)
    slow = (3 * vigil.period + GRACE) / HOUR > 0.35 * hours
    kitchen = any(s.motion and s.placement in KITCHEN for s in sensors)
    known = day - vigil.rhythm.first_day
    causes = (
        ("late", vigil.covered_until() < now - 2 * vigil.period - GRACE, "数据迟到，听到的只到较早时间"),
        ("cold", known < COLD, f"刚开始学习（第 {known + 1} 天），期限偏长"),
        ("away", vigil.mode == AWAY, "判断外出，按未归的期限"),
        ("battery", bool(low), f"{_names(low)}电量低（剩 {level}%），随时会听不到"),
        ("period", slow, f"{vigil.period / 60:.0f} 分钟才上报一次，等数据占了大半"),
        ("placement", kitchen, "活动传感器在厨房，夜里和午后看不到她"),
    )
    return next(
        ((code, words) for code, holds, words in causes if holds), ("rhythm", "按她平时的规律，这个时段安静属正常")
    )


def _names(sensors: Sequence[Sensor]) -> str:
    return "、".join(s.name for s in sensors)
