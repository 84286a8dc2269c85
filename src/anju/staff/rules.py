"""Is anybody there? Coverage of a span by the roster, and when an expert may be reached. Pure.

Times are aware datetimes; a duty covers [start, end). What must be covered is data: `NEEDS`.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from itertools import pairwise
from typing import Final

SHIFTS: Final = (("夜班", 0, 8), ("早班", 8, 16), ("中班", 16, 24))
"""The three shifts of a day: name, first hour, last hour (China time)."""

SEATED: Final = frozenset({"agent", "lead"})

SKILLS: Final = {
    "rescue": "紧急救援",
    "fire": "火灾燃气处置",
    "health": "健康急救指导",
    "care": "主动关怀",
}
"""Skill groups that alarms ask for. Where a centre keeps no such group, the post alone decides."""


@dataclass(frozen=True, slots=True)
class Alarm:
    """One type of alarm (the kind in the alarm table, `alarms.rules.RULES`) and the needs that answer it."""

    kind: str
    label: str
    needs: tuple[str, ...]


_RESCUE, _FIRE, _HEALTH = ("seats", "rescue", "lead"), ("seats", "fire", "lead"), ("seats", "health", "lead")
_CARE, _FIELD = ("seats", "care", "lead"), ("field",)

ALARMS: Final = {
    a.kind: a
    for a in (
        Alarm("sos", "主动求助", _RESCUE),
        Alarm("help", "电话一键呼叫", _RESCUE),
        Alarm("call", "来电求助", _RESCUE),
        Alarm("fall", "疑似跌倒", _HEALTH),
        Alarm("gas", "燃气泄漏", _FIRE),
        Alarm("smoke", "烟雾报警", _FIRE),
        Alarm("co", "一氧化碳报警", _FIRE),
        Alarm("flood", "漏水报警", _FIRE),
        Alarm("health", "健康紧急", _HEALTH),
        Alarm("wander", "走失报警", _RESCUE),
        Alarm("scene", "家中意外情况", _RESCUE),
        Alarm("storm", "区域失联", _RESCUE),
        Alarm("inactivity", "长时间未活动", _CARE),
        Alarm("no_data", "无数据且无生命迹象", _CARE),
        Alarm("not_back", "外出未归", _CARE),
        Alarm("door_still", "入户门久未开", _CARE),
        Alarm("door_ajar", "入户门未关", _CARE),
        Alarm("leak", "用水异常", _CARE),
        Alarm("tamper", "设备被拆动", _FIELD),
        Alarm("battery", "设备电量低", _FIELD),
        Alarm("silent", "设备长时间无上报", _FIELD),
        Alarm("fault", "设备故障", _FIELD),
        Alarm("mains", "设备市电中断", _FIELD),
    )
}
"""Every type of alarm with what it needs. A contract test holds it to the alarm table, word for word."""


@dataclass(frozen=True, slots=True)
class Need:
    """How many people of these posts (with this skill) must be there at any moment."""

    code: str
    label: str
    posts: frozenset[str]
    least: int
    skill: str = ""

    @property
    def alarms(self) -> str:
        """The alarms that stand or fall with it, in words."""
        return "、".join(a.label for a in ALARMS.values() if self.code in a.needs)


NEEDS: Final = (
    Need("seats", "A、B 双席", SEATED, 2),
    Need("lead", "值班长", frozenset({"lead"}), 1),
    *(Need(code, label, SEATED, 1, code) for code, label in SKILLS.items()),
    Need("field", "派单或装维值守", frozenset({"dispatcher", "installer", "lead"}), 1),
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


def gaps(
    duties: Sequence[OnDuty], start: datetime, end: datetime, needs: Iterable[Need] = NEEDS, kept: Collection[str] = ()
) -> list[Gap]:
    """Every span of [start, end) in which a need is not met, the first first; adjoining spans of one need are one.

    `kept`: the skill groups that the centre keeps; of a skill that it does not keep the post alone decides.
    """
    found: list[Gap] = []
    edges = sorted({start, end, *(e for d in duties for e in (d.start, d.end) if start < e < end)})
    for need in needs:
        for a, b in pairwise(edges):
            there = len({d.user_id for d in duties if d.start <= a and b <= d.end and fits(d, need, kept)})
            if there >= need.least:
                continue
            last = found[-1] if found and found[-1].need == need else None
            if last is not None and last.end == a and last.there == there:
                found[-1] = Gap(need, last.start, b, there)
            else:
                found.append(Gap(need, a, b, there))
    return sorted(found, key=lambda g: (g.start, g.need.code))


def fits(duty: OnDuty, need: Need, kept: Collection[str] = ()) -> bool:
    """Whether this person counts for the need."""
    return duty.post in need.posts and (not need.skill or need.skill not in kept or need.skill in duty.skills)


def worth_telling(found: Sequence[Gap]) -> list[Gap]:
    """Gaps without those that say nothing more: where no seat at all is taken, no skill needs to be missed as well."""
    empty = [g for g in found if g.need.code == "seats" and g.there == 0]
    return [g for g in found if not (g.need.skill and any(e.start <= g.start and g.end <= e.end for e in empty))]


def shifts_from(now: datetime, many: int = 6) -> list[tuple[str, datetime, datetime]]:
    """The shift that runs at this local moment and those that come: (name, start, end)."""
    midnight = now.replace(hour=0, minute=0, second=0, microsecond=0)
    spans = [
        (name, midnight + timedelta(days=day, hours=first), midnight + timedelta(days=day, hours=last))
        for day in range(many // len(SHIFTS) + 2)
        for name, first, last in SHIFTS
    ]
    return [s for s in spans if s[2] > now][:many]


@dataclass(frozen=True, slots=True)
class Cover:
    """One group of alarms (those with the same needs) in one shift: what is missing, and how many are there at least."""

    there: int
    missing: tuple[Need, ...]


def cover(
    duties: Sequence[OnDuty], start: datetime, end: datetime, kept: Collection[str] = ()
) -> dict[tuple[str, ...], Cover]:
    """For each set of needs that some alarm has: what of it is not there during the whole of the shift."""
    by_code = {n.code: n for n in NEEDS}
    lacks = {g.need.code for g in gaps(duties, start, end, kept=kept)}
    found = {}
    for needs in dict.fromkeys(a.needs for a in ALARMS.values()):
        posts = frozenset().union(*(by_code[c].posts for c in needs))
        there = len({d.user_id for d in duties if d.post in posts and d.start < end and start < d.end})
        found[needs] = Cover(there, tuple(by_code[c] for c in needs if c in lacks))
    return found


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
