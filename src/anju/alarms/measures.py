"""What a measured value means for this person: fine, measure again, or an alarm. Pure.

The usual limits are those of Chinese practice for older adults; a doctor sets a person's own. One value beyond a limit asks
for a repeat (cuffs slip, fingers are cold); the next one within the time, or one beyond the extreme, is an alarm. A value
that no body can have is never believed and never ignored: she is asked to measure again.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

FINE: Final = "fine"
REPEAT: Final = "repeat"
ALARM: Final = "alarm"
OFF: Final = "off"


@dataclass(frozen=True, slots=True)
class Measure:
    """One clinical measure: limits beyond which it is repeated, extremes that alarm at once, what a body can have.

    `within`: hours in which a second value beyond the same limit is a sustained one. `digits`: how it is written.
    """

    code: str
    label: str
    unit: str
    low: float | None
    high: float | None
    extreme_low: float | None
    extreme_high: float | None
    possible: tuple[float, float]
    within: float = 12.0
    digits: int = 0


MEASURES: Final[dict[str, Measure]] = {
    m.code: m
    for m in (
        Measure("systolic", "收缩压", "mmHg", 90, 160, 75, 200, (50, 280)),
        Measure("diastolic", "舒张压", "mmHg", 55, 100, 40, 120, (25, 180)),
        Measure("pulse", "心率", "次/分", 50, 110, 40, 140, (25, 240)),
        Measure("spo2", "血氧饱和度", "%", 92, None, 85, None, (60, 100), within=6),
        Measure("temperature", "体温", "℃", 35.5, 37.8, 34.5, 39.5, (33, 43), digits=1),
        Measure("glucose_fasting", "空腹血糖", "mmol/L", 4.0, 10.0, 3.0, 20.0, (1.0, 45), digits=1),
        Measure("glucose", "餐后/随机血糖", "mmol/L", 4.0, 14.0, 3.0, 22.0, (1.0, 45), digits=1),
        Measure("breath", "呼吸频率", "次/分", 10, 24, 8, 30, (3, 60), within=6),
    )
}
"""Every measure that the platform understands, by code."""


@dataclass(frozen=True, slots=True)
class Limits:
    """A person's own limits; None keeps the usual one."""

    low: float | None = None
    high: float | None = None


@dataclass(frozen=True, slots=True)
class Before:
    """An earlier value of the same measure: when (seconds), and what it was."""

    at: float
    value: float


@dataclass(frozen=True, slots=True)
class Verdict:
    """`kind`: fine, repeat, alarm, off; `words` in Chinese for people."""

    kind: str
    words: str


def judge(measure: Measure, value: float, at: float, before: Sequence[Before], limits: Limits = Limits()) -> Verdict:
    """What this value means, given those measured within the time around it (in any order; the same moment is no second)."""
    shown = f"{measure.label} {value:.{measure.digits}f} {measure.unit}"
    if not measure.possible[0] <= value <= measure.possible[1]:
        return Verdict(OFF, f"{shown}，超出人体可能的范围，可能没有测准，请复测")
    side = side_of(measure, value, limits)
    if not side:
        return Verdict(FINE, shown)
    low, high = bounds(measure, limits)
    against = f"{'低于' if side == 'low' else '高于'} {low if side == 'low' else high:g}"
    if _extreme(measure, value, low, high):
        return Verdict(ALARM, f"{shown}，{against}，达到危急值")
    same = [
        b for b in before
        if b.at != at and abs(at - b.at) <= measure.within * 3600 and side_of(measure, b.value, limits) == side
        and measure.possible[0] <= b.value <= measure.possible[1]
    ]  # fmt: skip
    if same:
        return Verdict(ALARM, f"{shown}，{against}，{measure.within:g} 小时内 {len(same) + 1} 次")
    return Verdict(REPEAT, f"{shown}，{against}，请休息五分钟后复测")


def bounds(measure: Measure, limits: Limits) -> tuple[float | None, float | None]:
    """Her limits: her own where a doctor set them."""
    return (
        limits.low if limits.low is not None else measure.low,
        limits.high if limits.high is not None else measure.high,
    )


def side_of(measure: Measure, value: float, limits: Limits) -> str:
    """low, high, or "" when it is within her limits."""
    low, high = bounds(measure, limits)
    return "low" if low is not None and value < low else "high" if high is not None and value > high else ""


def _extreme(measure: Measure, value: float, low: float | None, high: float | None) -> bool:
    """Extremes are the usual ones, and never inside what a doctor called her limits."""
    least = measure.extreme_low
    most = measure.extreme_high
    if least is not None and low is not None and value < min(least, low):
        return True
    return most is not None and high is not None and value > max(most, high)


def fault(measure: str, low: float | None, high: float | None) -> str:
    """Why these can't be a person's limits, in Chinese; empty when they can."""
    known = MEASURES.get(measure)
    if known is None:
        return "请从列表里选指标"
    if low is None and high is None:
        return "请至少填一个上限或下限"
    for value in (low, high):
        if value is not None and not known.possible[0] <= value <= known.possible[1]:
            return f"{known.label}须在 {known.possible[0]:g} 到 {known.possible[1]:g} {known.unit} 之间"
    least, most = bounds(known, Limits(low, high))
    if least is not None and most is not None and least >= most:
        return f"下限须小于上限（{known.label}常用 {known.low or '—'} 到 {known.high or '—'}）"
    return ""
