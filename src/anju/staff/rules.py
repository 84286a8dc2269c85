"""Is anybody there? Coverage of a span by the roster, and when an expert may be reached. Pure.

Times are aware datetimes; a duty covers [start, end). What must be covered is data: `NEEDS`.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from itertools import pairwise
from typing import Final


@dataclass(frozen=True, slots=True)
class Need:
    """How many people of these posts must be there at any moment, and for which alarms."""

    code: str
    label: str
    posts: frozenset[str]
    least: int
    alarms: str
    skill: str = ""


NEEDS: Final = (
    Need("seats", "A、B 双席", frozenset({"agent", "lead"}), 2, "主动求助、燃气、烟雾、跌倒等 9 级报警"),
    Need("lead", "值班长", frozenset({"lead"}), 1, "无人接警、须代拨 110/119/120 时的上呼"),
    Need("dispatcher", "派单或装维值守", frozenset({"dispatcher", "installer", "lead"}), 1, "设备失联、拆动、低电量"),
)


@dataclass(frozen=True, slots=True)
class OnDuty:
    """One line of the roster as the rules read it."""

    user_id: int
    post: str
    start: datetime
    end: datetime
    skills: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Gap:
    """A span in which too few are there for a need."""

    need: Need
    start: datetime
    end: datetime
    there: int


def gaps(duties: Sequence[OnDuty], start: datetime, end: datetime, needs: Iterable[Need] = NEEDS) -> list[Gap]:
    """Every span of [start, end) in which a need is not met, the first first; adjoining spans of one need are one."""
    found: list[Gap] = []
    edges = sorted({start, end, *(e for d in duties for e in (d.start, d.end) if start < e < end)})
    for need in needs:
        for a, b in pairwise(edges):
            there = len({d.user_id for d in duties if d.start <= a and b <= d.end and _fits(d, need)})
            if there >= need.least:
                continue
            last = found[-1] if found and found[-1].need == need else None
            if last is not None and last.end == a and last.there == there:
                found[-1] = Gap(need, last.start, b, there)
            else:
                found.append(Gap(need, a, b, there))
    return sorted(found, key=lambda g: (g.start, g.need.code))


def _fits(duty: OnDuty, need: Need) -> bool:
    return duty.post in need.posts and (not need.skill or need.skill in duty.skills)


def overlaps(duties: Iterable[OnDuty], user_id: int, start: datetime, end: datetime) -> bool:
    """Whether this person is already on duty in a part of the span."""
    return any(d.user_id == user_id and d.start < end and start < d.end for d in duties)


def too_long(duties: Iterable[OnDuty], user_id: int, start: datetime, end: datetime) -> bool:
    """Whether the span would make more than twelve hours without a pause of eight."""
    spans = sorted([*((d.start, d.end) for d in duties if d.user_id == user_id), (start, end)])
    began, ended = spans[0]
    for a, b in spans[1:]:
        if a - ended < timedelta(hours=8):
            ended = max(ended, b)
        else:
            began, ended = a, b
        if ended - began > timedelta(hours=12):
            return True
    return ended - began > timedelta(hours=12)


# ---- experts

Hours = Mapping[int, Sequence[tuple[time, time]]]
"""Weekday (0 = Monday) → spans in local time; a span that ends at 00:00 runs to midnight."""


def reachable(hours: Hours, at: datetime, *, away: Collection[date] = ()) -> bool:
    """Whether the expert has duty at this local moment."""
    if at.date() in away:
        return False
    return any(a <= at.time() and (at.time() < b or b == time(0)) for a, b in hours.get(at.weekday(), ()))


def next_slots(
    hours: Hours,
    after: datetime,
    taken: Collection[datetime],
    *,
    minutes: int = 30,
    many: int = 6,
    away: Collection[date] = (),
) -> list[datetime]:
    """The next free appointments, at most two weeks ahead."""
    found: list[datetime] = []
    day = after.date()
    for _ in range(15):
        for a, b in () if day in away else hours.get(day.weekday(), ()):
            at = datetime.combine(day, a, after.tzinfo)
            end = datetime.combine(day if b != time(0) else day + timedelta(days=1), b, after.tzinfo)
            while at + timedelta(minutes=minutes) <= end:
                if at > after and at not in taken:
                    found.append(at)
                    if len(found) == many:
                        return found
                at += timedelta(minutes=minutes)
        day += timedelta(days=1)
    return found
