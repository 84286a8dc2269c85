"""How the worst case of a home is shown: a tag for its cause, words for its hours, a dot on the map. Pure."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass

from anju.alarms.bounds import HomeWorst
from anju.alarms.homes import spell_hours
from anju.places.landmap import Picture

CAUSES = {
    "storm": ("deaf", "storm", "区域失联"), "deaf": ("deaf", "deaf", "听不到"), "never_heard": ("deaf", "deaf", "从未听到"),
    "late": ("deaf", "clock", "数据迟到"), "off": ("mute", "stop", "未看护"), "paused": ("mute", "pause", "暂停看护"),
    "cold": ("work", "calendar", "刚开始学"), "away": ("mute", "away", "外出"), "battery": ("maint", "battery-low", "电量低"),
    "period": ("maint", "signal", "上报太稀"), "placement": ("maint", "pin", "位置不佳"), "rhythm": ("ok", "rest", "她的作息"),
}  # fmt: skip
"""Cause → (kind, icon, word) of its tag."""
LEVELS = (
    ("never", "deaf", "deaf", "不会知道", math.inf),
    ("day", "warn", "alert", "超过 24 小时", 24.0),
    ("half", "maint", "clock", "12–24 小时", 12.0),
    ("good", "ok", "check", "12 小时以内", 0.0),
)
"""(code, kind, icon, word, from how many hours on) of the dots, the worst first."""
SCATTER = 7.0
"""Homes of one building stand at the same point: dots are laid so far apart (units of the picture)."""


@dataclass(frozen=True, slots=True)
class Shown:
    """One home's worst case for a cell of a table: hours in words, tag, why; the hours that the best measure wins."""

    hours: str
    tag: tuple[str, str, str]
    words: str
    won: str
    measure: str
    code: str


def shown(worst: HomeWorst | None) -> Shown | None:
    """None when nothing was ever computed for the home."""
    if worst is None:
        return None
    tag = CAUSES.get(worst.cause, ("mute", "info", worst.cause))
    return Shown(spell_hours(worst.hours), tag, worst.words, won(worst.won), worst.measure_words, worst.measure)


def won(hours: float) -> str:
    """ "约早 9 小时"; nothing when there is nothing to win."""
    if hours <= 0:
        return ""
    return f"约早 {hours:.0f} 小时" if hours >= 1 else f"约早 {max(10, round(hours * 6) * 10)} 分钟"


def level(hours: float) -> str:
    """Which class of dots these hours belong to."""
    return next(code for code, *_, least in LEVELS if hours > least or math.isinf(hours) or code == "good")


@dataclass(frozen=True, slots=True)
class Dots:
    """All homes of a class as one path."""

    code: str
    kind: str
    icon: str
    word: str
    d: str
    count: int


def dots(
    picture: Picture, homes: Iterable[tuple[int, float, float, float, str]]
) -> tuple[list[Dots], dict[int, tuple[float, float]]]:
    """One dot a home, never a cluster: a path for each class, and where each home stands."""
    paths: dict[str, list[str]] = {code: [] for code, *_ in LEVELS}
    stands: dict[int, tuple[float, float]] = {}
    taken: dict[tuple[float, float], int] = {}
    for home, lon, lat, hours, _ in homes:
        x, y = picture.xy((lon, lat))
        nth = taken[(x, y)] = taken.get((x, y), -1) + 1
        if nth:  # a spiral around the shared point
            turn, far = nth * 2.4, SCATTER * math.sqrt(nth)
            x, y = round(x + far * math.cos(turn), 1), round(y + far * math.sin(turn), 1)
        stands[home] = (x, y)
        paths[level(hours)].append(f"M{x} {y}h.1")
    made = [
        Dots(code, kind, icon, word, "".join(paths[code]), len(paths[code])) for code, kind, icon, word, _ in LEVELS
    ]
    return made, stands
