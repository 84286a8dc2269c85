"""What staff and family know of her habits, as hours of the week: "she naps 13–15", "out on Tuesdays". Pure.

A *quiet* habit says that hearing nothing then proves nothing: the statistic runs there like a plain stopwatch, and what
happens there is not learnt as unusual. *Up by* says the latest time at which she always stirs.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Final

HOUR: Final = 3600.0
DAY: Final = 86_400.0
WEEK: Final = 127
"""All seven days as bits, Monday = 1."""


@dataclass(frozen=True, slots=True)
class Habit:
    """`kind`: quiet or up_by. `days`: bits, Monday = 1. `start`, `end`: local hours; an end before the start is next day."""

    kind: str
    days: int
    start: float
    end: float

    def packed(self) -> list[Any]:
        """As it stands in the home's row."""
        return [self.kind, self.days, self.start, self.end]


Habits = Sequence[Habit]


def unpacked(rows: Sequence[Sequence[Any]]) -> tuple[Habit, ...]:
    """Back from the row; a line that can't be read is left out (watching goes on without it)."""
    found = []
    for row in rows:
        try:
            found.append(Habit(str(row[0]), int(row[1]), float(row[2]), float(row[3])))
        except (TypeError, ValueError, IndexError):
            continue
    return tuple(found)


def windows(
    habits: Habits, kind: str, clock: Callable[[float], tuple[int, float]], midnight: float, days: int
) -> Iterator[tuple[float, float]]:
    """(from, to) in seconds of the habits of this kind on the days from `midnight` on."""
    chosen = [h for h in habits if h.kind == kind]
    if not chosen:
        return
    first = clock(midnight + 60)[0]
    for n in range(days):
        weekday = (first + n - 1) % 7  # ordinal 1 was a Monday
        for habit in chosen:
            if habit.days >> weekday & 1:
                start = midnight + n * DAY + habit.start * HOUR
                long = (habit.end - habit.start) % 24 or (24.0 if kind == "quiet" else 0.0)
                yield start, start + long * HOUR


def fault(kind: str, days: int, start: float, end: float) -> str:
    """Why this can't be a habit, in Chinese; empty when it can."""
    if kind not in {"quiet", "up_by"}:
        return "请选这是哪种习惯"
    if not 0 < days <= WEEK:
        return "请至少选一个星期几"
    if not (0 <= start < 24 and 0 <= end <= 24):
        return "请填 0 到 24 点之间的时间"
    if kind == "quiet" and (end - start) % 24 > 14:
        return "一段不超过 14 小时；更久的请记为外出居住或住院"
    if kind == "up_by" and not 5 <= start <= 14:
        return "最晚起床须在 5 点到 14 点之间"
    return ""
