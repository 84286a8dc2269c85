"""Counts by period or group → numbers for an SVG: bars of calls (taken, given up) and lines of percent. Pure; no script needed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

WIDTH, HEIGHT = 960.0, 190.0
LEFT, RIGHT, TOP, BOTTOM = 40.0, 40.0, 10.0, 24.0


@dataclass(frozen=True, slots=True)
class Bar:
    """One column: x and width, the two parts as y and height, the label below (may be empty) and the words on hover."""

    x: str
    width: str
    good_y: str
    good_h: str
    bad_y: str
    bad_h: str
    label: str
    label_x: str
    said: str


@dataclass(frozen=True, slots=True)
class Chart:
    """A figure in a box of WIDTH × HEIGHT. `lines` are SVG paths; `ticks` are y and words of both axes."""

    bars: list[Bar]
    lines: list[tuple[str, str]]
    dots: list[tuple[str, str, str]]
    ticks: list[tuple[str, str, str]]
    goal_y: str
    said: str
    base: float = HEIGHT - BOTTOM


@dataclass(frozen=True, slots=True)
class Point:
    """What one column shows; percents may be None where nothing was counted."""

    label: str
    good: int
    bad: int
    rate: float | None
    level: float | None


def chart(points: Sequence[Point], *, goal: float | None = None) -> Chart | None:
    """None where there is nothing to draw."""
    if not points or not any(p.good + p.bad for p in points):
        return None
    top = _nice(max(p.good + p.bad for p in points))
    step = (WIDTH - LEFT - RIGHT) / len(points)
    every = max(1, -(-len(points) // 14))
    bars = [_bar(p, n, step, top, shown=n % every == 0) for n, p in enumerate(points)]
    ticks = [(f"{_y(share * 100):.1f}", f"{top * share:g}", f"{share * 100:.0f}%") for share in (0, 0.5, 1)]
    whole = sum(p.good + p.bad for p in points)
    taken = sum(p.good for p in points)
    return Chart(
        bars=bars, lines=[("rate", _line([p.rate for p in points], step)), ("level", _line([p.level for p in points], step))],
        dots=_dots([p.rate for p in points], step), ticks=ticks, goal_y=f"{_y(goal):.1f}" if goal is not None else "",
        said=f"共 {whole} 通，接通 {taken} 通，放弃 {whole - taken} 通；{len(points)} 个时段或分组。",
    )  # fmt: skip


def _nice(most: int) -> int:
    size = 1
    while True:
        for step in (1, 2, 4, 5, 10):
            if most <= step * size:
                return max(2, step * size)
        size *= 10


def _y(percent: float) -> float:
    return TOP + (HEIGHT - TOP - BOTTOM) * (1 - percent / 100)


def _x(n: int, step: float) -> float:
    return LEFT + (n + 0.5) * step


def _bar(p: Point, n: int, step: float, top: int, *, shown: bool) -> Bar:
    room, width = HEIGHT - TOP - BOTTOM, min(36.0, step * 0.62)
    good, bad = room * p.good / top, room * p.bad / top
    base = HEIGHT - BOTTOM
    rate = "—" if p.rate is None else f"{p.rate:.1f} %"
    level = "—" if p.level is None else f"{p.level:.1f} %"
    return Bar(
        f"{_x(n, step) - width / 2:.1f}", f"{width:.1f}", f"{base - good:.1f}", f"{good:.1f}", f"{base - good - bad:.1f}", f"{bad:.1f}",
        p.label if shown else "", f"{_x(n, step):.1f}", f"{p.label}：接通 {p.good}，放弃 {p.bad}，接通率 {rate}，15 秒 {level}",
    )  # fmt: skip


def _line(values: Sequence[float | None], step: float) -> str:
    path, pen = "", "M"
    for n, value in enumerate(values):
        if value is None:
            pen = "M"
            continue
        path += f"{pen}{_x(n, step):.1f} {_y(value):.1f}"
        pen = "L"
    return path


def _dots(values: Sequence[float | None], step: float) -> list[tuple[str, str, str]]:
    return [(f"{_x(n, step):.1f}", f"{_y(v):.1f}", f"{v:.1f} %") for n, v in enumerate(values) if v is not None]
