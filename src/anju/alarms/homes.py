"""What the pages show of the watch over a home: quiet, deaf or cut off; the deadlines; the worst case; today's picture."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from anju.alarms import explaining, outbreaks, sensing, storms, worst_case
from anju.alarms.models import HomeState, HomeWatch, Storm, StormHome
from anju.alarms.vigil import GRACE
from anju.alarms.worst_case import Sensor, WorstCase
from anju.devices import queries as devices
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
    """If she fell now and could not press, when would we know."""
    vigil = sensing.vigil_of(row)
    health = [
        h for h in devices.of_home(row.home_id) if h.device.kind in sensing.SENSORS and h.device.status == "installed"
    ]
    return worst_case.worst_case(vigil, clock.now().timestamp(), [_sensor(h) for h in health])


def _sensor(h: devices.DeviceHealth) -> Sensor:
    return Sensor(
        name=f"{h.device.position}{h.device.product_name}", heard_at=h.last_heard_at.timestamp() if h.last_heard_at else None,
        silent_after=float(h.device.silent_after), battery=h.battery, battery_low=h.device.battery_low,
        motion=h.device.kind != "door", placement=h.device.position,
    )  # fmt: skip


def spell(worst: WorstCase | None) -> str:
    """ "约 7 小时内" or "不会知道"."""
    if worst is None:
        return ""
    if math.isinf(worst.hours):
        return "不会知道"
    return (
        f"最迟约 {worst.hours:.0f} 小时" if worst.hours >= 2 else f"最迟约 {max(10, round(worst.hours * 6) * 10)} 分钟"
    )


def ranked(rows: Iterable[HomeWatch]) -> list[tuple[HomeWatch, WorstCase]]:
    """Homes with the longest worst case first: where maintenance wins most hours."""
    found = [(row, worst_of(row)) for row in rows if row.watched]
    return sorted(found, key=lambda pair: -min(pair[1].hours, 1e6))


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


# ---- storms for the pages


def open_storms() -> list[Storm]:
    """Outages that are not over, in the asker's scope."""
    return list(Storm.objects.filter(ended_at=None))


def call_list(storm_id: int) -> list[StormHome]:
    """The homes of a storm, the most vulnerable first; those that came back or were spoken with stand last."""
    rows = list(StormHome.objects.filter(storm_id=storm_id).select_related("home"))
    return sorted(
        rows,
        key=lambda r: (
            r.back_at is not None,
            r.called_at is not None,
            r.rank,
            r.due_at or datetime.max.replace(tzinfo=UTC),
        ),
    )
