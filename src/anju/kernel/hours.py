"""Office hours as pure functions: which moments count, and when a given time of work is over.

`elapsed` and `due` are each other's inverse; a deadline that falls on closing time is due then, not next morning.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo

import chinese_calendar

Workday = Callable[[date], bool]
SHANGHAI = ZoneInfo("Asia/Shanghai")
_is_workday: Workday = chinese_calendar.is_workday
_log = logging.getLogger(__name__)
_FAR = 3660
"""Days that `due` looks ahead before it says that the calendar has no work days left."""


def weekdays_only(day: date) -> bool:
    """Monday to Friday: all that is known of a year whose holidays are not yet published."""
    return day.weekday() < 5


@lru_cache(maxsize=4096)
def chinese_workday(day: date) -> bool:
    """Whether offices in China work on that day, moved work days (调休) included.

    The State Council publishes the holidays of a year in the autumn before it. For a year that the table does not hold,
    weekdays are taken and a warning is logged; `holidays_known` tells the operations page.
    """
    try:
        return bool(_is_workday(day))
    except NotImplementedError:
        _warn_of(day.year)
        return weekdays_only(day)


@lru_cache(maxsize=64)
def _warn_of(year: int) -> None:
    _log.warning("no Chinese holidays for %d in the calendar: counting Monday to Friday; update chinesecalendar", year)


@lru_cache(maxsize=64)
def holidays_known(year: int) -> bool:
    """Whether the holidays of that year are in the calendar."""
    try:
        _is_workday(date(year, 1, 1))
    except NotImplementedError:
        return False
    return True


@dataclass(frozen=True, slots=True)
class OfficeHours:
    """From `open` to `close` (wall clock of `zone`) on the days for which `holidays` says True = work day."""

    open: time = time(8, 30)
    close: time = time(17, 30)
    holidays: Workday = chinese_workday
    zone: ZoneInfo = SHANGHAI

    def __post_init__(self) -> None:
        if self.open >= self.close:
            raise ValueError("office hours must open before they close")

    def of(self, day: date) -> tuple[datetime, datetime] | None:
        """Opening and closing of that day, or None on a day off."""
        if not self.holidays(day):
            return None
        return datetime.combine(day, self.open, self.zone), datetime.combine(day, self.close, self.zone)


OFFICE = OfficeHours()
"""8:30 to 17:30 (HZ 附件6 三.4)."""


def due(start: datetime, within: timedelta, hours: OfficeHours = OFFICE) -> datetime:
    """The first moment by which `within` of office time has passed since `start`; it lies in office hours."""
    if within < timedelta(0):
        raise ValueError("a deadline lies ahead")
    now, left = start.astimezone(hours.zone), within
    day = now.date()
    for _ in range(_FAR):
        span = hours.of(day)
        if span is not None and now <= span[1]:
            begin = max(now, span[0])
            if span[1] - begin >= left:
                return begin + left
            left -= span[1] - begin
        day += timedelta(days=1)
    raise ValueError("no work day in ten years: look at the calendar")


def elapsed(start: datetime, end: datetime, hours: OfficeHours = OFFICE) -> timedelta:
    """How much office time lies between the two moments; zero if the end is not after the start."""
    first, last = start.astimezone(hours.zone), end.astimezone(hours.zone)
    total, day = timedelta(0), first.date()
    while day <= last.date():
        span = hours.of(day)
        if span is not None:
            total += max(min(last, span[1]) - max(first, span[0]), timedelta(0))
        day += timedelta(days=1)
    return total
