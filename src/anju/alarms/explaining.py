"""Why an alarm of silence was raised, in one sentence that an agent can read aloud; and how often it would have been.

Everything comes from the same tables that set the deadline (`rhythm`), so the sentence can't contradict the alarm.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from typing import Final

from anju.alarms import priors, rhythm
from anju.alarms.models import HomeRhythm, HomeWatch
from anju.alarms.rhythm import AWAY, Rhythm
from anju.alarms.rows import signs_of_life
from anju.alarms.vigil import GRACE, Raised
from anju.elders import queries as elders
from anju.kernel import clock
from anju.signals import queries as signals

LIFE_KINDS: Final = frozenset({"motion", "door_open", "door_closed", "sos", "help", "bed"})
LOOK_BACK: Final = timedelta(days=60)
KNOWN: Final = timedelta(days=14)
"""After so long a home's own rhythm is spoken of; before, that of its like."""


def sentence(row: HomeWatch, raised: Raised) -> str:
    """One Chinese sentence: since when, what is usual, where she probably is, how rare such a silence is."""
    elder = elders.main_elder(row.home_id)
    who = f"{elder.name}家" if elder is not None else "该户"
    since = datetime.fromtimestamp(raised.silent_since, UTC)
    age = datetime.fromtimestamp(raised.at, UTC) - since
    start = f"{who}自 {_clock(since)}（{row.last_life_what or '最近一次迹象'}）起"
    if raised.kind == "no_data":
        heard = datetime.fromtimestamp(raised.covered_until, UTC)
        quiet = max(timedelta(), heard - since)
        return (
            f"{who}自 {_clock(heard)} 起设备未上报，此前已静默{_spell(quiet)}，无法确认平安，"
            "请先电话核实，同时已派设备工单。"
        )
    usual = usual_of(row, since)
    cold = row.first_at is None or clock.now() - row.first_at < KNOWN
    rests = "刚开始学，先按同类住户的规律" if cold else "按近 30 天的规律"
    normal = f"{rests}，这个时段通常{_spell(_hours(usual.median))}内会有活动，95% 不超过{_spell(_hours(usual.p95))}"
    if row.mode == AWAY:
        normal = f"外出通常{_spell(_hours(usual.median))}内返回，95% 不超过{_spell(_hours(usual.p95))}"
        return f"{who}{_clock(since)} 开门离家后至今未归{_spell(age)}；{normal}。"
    door = _door(row, since, raised.at)
    if raised.kind == "ask" or cold:
        return f"{start}已{_spell(age)}无活动；{normal}；{door}。"
    return f"{start}已{_spell(age)}无活动；{normal}；{door}；她家平时约{_rare(row.budget)}才会出现一次这样长的静默。"


def _door(row: HomeWatch, since: datetime, now: float) -> str:
    """What the door says about where she is; a door that is not heard, or that there is none, says nothing."""
    contacts = [ear for ear in row.ears.values() if ear.get("prompt")]
    if not contacts:
        return "没有门磁，不知是否外出"
    if all(now - ear["at"] > max(ear.get("limit", 0), 2 * ear["every"] + GRACE) for ear in contacts):
        return "门磁听不到，不知是否外出"
    opened = row.last_door_at is not None and row.last_door_at >= since
    return "入户门开过" if opened else "入户门此后未开过，判断人在家"


def usual_of(row: HomeWatch, since: datetime) -> rhythm.Usual:
    """What is usual for a silence of this home that began at `since`."""
    local = clock.local(since)
    tod = local.hour + local.minute / 60
    return rhythm_of(row.home_id).usual(tod=tod, mode=row.mode, prior=priors.of(row.placement))


def rhythm_of(home_id: int) -> Rhythm:
    """What a home has taught; an empty one when it taught nothing yet or can't be read."""
    kept = HomeRhythm.objects.filter(home_id=home_id).first()
    today = clock.today().toordinal()
    if kept is None:
        return rhythm.fresh(today)
    try:
        return Rhythm.unpack(bytes(kept.packed), today=today)
    except ValueError:
        return rhythm.fresh(today)


@dataclass(frozen=True, slots=True)
class Before:
    """How often a fixed limit of so many hours would have fired in the look-back."""

    hours: float
    times: int
    days: int


def would_have_fired(home_id: int, hours: Sequence[float]) -> list[Before]:
    """For each limit: how many silences of the last 60 days were longer (SEN-08: "at N hours, k times")."""
    now = clock.now()
    seen = [a.at for a in signs_of_life(signals.activity(home_id, now - LOOK_BACK, now))]
    gaps = [(b - a).total_seconds() / 3600 for a, b in pairwise(seen)]
    days = max(1, (now - seen[0]).days) if seen else 0
    return [Before(h, sum(g > h for g in gaps), days) for h in hours]


def _hours(hours: float) -> timedelta:
    return timedelta(hours=hours)


def _clock(at: datetime) -> str:
    local = clock.local(at)
    today = clock.local(clock.now()).date()
    return f"{local:%H:%M}" if local.date() == today else f"{local.month} 月 {local.day} 日 {local:%H:%M}"


def _spell(span: timedelta) -> str:
    minutes = max(1, round(span.total_seconds() / 60))
    hours, rest = divmod(minutes, 60)
    if hours >= 48:
        return f" {hours // 24} 天 {hours % 24} 小时"
    return f" {hours} 小时 {rest} 分" if hours and rest else f" {hours} 小时" if hours else f" {rest} 分"


def _rare(budget: float) -> str:
    days = 30 / budget
    return "一个月" if 25 <= days <= 35 else "半个月" if 12 <= days < 20 else f" {round(days)} 天"
