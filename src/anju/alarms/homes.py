"""What the pages show of the watch over a home: quiet, deaf or cut off; the deadlines; the worst case; today's picture."""

from __future__ import annotations

import math
from dataclasses import dataclass
from datetime import datetime, timedelta

from anju.alarms import bounds, explaining, outbreaks, sensing, storms
from anju.alarms.models import HomeState, HomeWatch, StormHome
from anju.alarms.vigil import GRACE
from anju.alarms.worst_case import WorstCase
from anju.kernel import clock
from anju.signals import queries as signals

STORM_KINDS = outbreaks.KINDS
LABELS = {
    "quiet": "安静", "active": "有活动", "out": "外出", "deaf": "听不到", "storm": "区域失联", "paused": "暂停看护", "off": "未看护",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Hour:
    """One hour of today's picture: life signs today, and the chance (0-1) that there is one at this hour on usual days."""

    hour: int
    today: int
    usual: float
    past: bool


@dataclass(frozen=True, slots=True)
class WatchView:
    """The watch over one home at this moment."""

    home_id: int
    state: str
    state_label: str
    why: str
    last_life_at: datetime | None
    last_life_what: str
    heard_until: datetime | None
    soft_at: datetime | None
    hard_at: datetime | None
    paused_until: datetime | None
    worst: WorstCase | None
    worst_text: str
    learnt_days: int
    states: tuple[HomeState, ...] = ()


def watch_of(home_id: int) -> WatchView | None:
    """The watch over a home in the asker's scope; None when nothing was ever heard of it."""
    row = HomeWatch.objects.filter(home_id=home_id).first()
    if row is None:
        return None
    state, why = state_of(row)
    worst = worst_of(row) if row.watched else None
    learnt = (clock.now() - row.first_at).days if row.first_at is not None else 0
    now = clock.now()
    states = HomeState.objects.filter(home_id=home_id, until__gt=now, ended_at=None).order_by("since")
    return WatchView(
        home_id, state, LABELS[state], why, row.last_life_at, row.last_life_what, row.heard_until, row.soft_at, row.hard_at,
        row.paused_until if row.paused_until and row.paused_until > now else None, worst, spell(worst), learnt, tuple(states),
    )  # fmt: skip


def state_of(row: HomeWatch) -> tuple[str, str]:
    """Quiet, active, out, deaf, cut off, paused or not watched; and why in words. A deaf home is never called quiet."""
    now = clock.now()
    if not row.watched:
        return "off", row.why_not
    if storms.holds(row.home_id):
        return "storm", "所在区域多户同时听不到，已列入电话核实名单"
    if row.heard_until is None or now - row.heard_until > timedelta(seconds=2 * row.period + GRACE):
        since = f"自 {clock.local(row.heard_until):%m-%d %H:%M} 起" if row.heard_until else ""
        return "deaf", f"{since}没有收到传感器数据，不能说她平安"
    if row.paused_until is not None and row.paused_until > now:
        return "paused", f"到 {clock.local(row.paused_until):%m-%d %H:%M} 自动恢复"
    if row.last_life_at is not None and now - row.last_life_at < timedelta(minutes=15):
        return "active", ""
    return ("out", "门开过以后屋里没有活动") if row.mode else ("quiet", "")


def worst_of(row: HomeWatch) -> WorstCase:
    """If she fell now and could not press, when would we know: computed at this moment."""
    blind = StormHome.objects.filter(home_id=row.home_id, storm__ended_at=None, back_at=None, called_at=None).exists()
    learnt, sensors = sensing.learnt_of([row]), bounds.sensors_of([row.home_id])
    return bounds.of(row, learnt.get(row.home_id), sensors.get(row.home_id, []), dark=blind)


def spell(worst: WorstCase | None) -> str:
    """ "最迟约 7 小时", "最迟约 40 分钟" or "不会知道"."""
    return spell_hours(worst.hours) if worst is not None else ""


def spell_hours(hours: float) -> str:
    """The same for hours alone."""
    if math.isinf(hours):
        return "不会知道"
    return f"最迟约 {hours:.0f} 小时" if hours >= 2 else f"最迟约 {max(10, round(hours * 6) * 10)} 分钟"


def picture(home_id: int) -> list[Hour]:
    """Today against her usual day, hour by hour (the last 14 days)."""
    now = clock.local(clock.now())
    midnight = now.replace(hour=0, minute=0, second=0, microsecond=0)
    seen = [a for a in signals.activity(home_id, midnight - timedelta(days=14), now) if a.kind in explaining.LIFE_KINDS]
    today = [0] * 24
    usual: list[set[int]] = [set() for _ in range(24)]
    days: set[int] = set()
    for a in seen:
        local = clock.local(a.at)
        if local >= midnight:
            today[local.hour] += max(1, a.count)
        else:
            usual[local.hour].add(local.toordinal())
            days.add(local.toordinal())
    many = max(1, len(days))
    return [Hour(h, today[h], len(usual[h]) / many, h <= now.hour) for h in range(24)]


def away(home_id: int) -> str:
    """Why nobody is to be rung at home now (外出居住, 住院); "" when nothing speaks against it. Everybody's scope."""
    now, gone = clock.now(), (HomeState.Kind.HOLIDAY, HomeState.Kind.HOSPITAL)
    rows = HomeState.unscoped.filter(home_id=home_id, kind__in=gone, since__lte=now, until__gt=now, ended_at=None)
    state = rows.order_by("-since").first()
    return state.get_kind_display() if state is not None else ""
