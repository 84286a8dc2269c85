"""What the family reads: the state of a home, an emergency, a fault and the worst case in plain Chinese. Pure."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Final

from anju.kernel import clock

if TYPE_CHECKING:
    from anju.alarms.homes import Hour, WatchView
    from anju.alarms.worst_case import WorstCase
    from anju.devices.queries import DeviceHealth
    from anju.fieldwork.queries import OrderRow
    from anju.incidents.views import IncidentView


@dataclass(frozen=True, slots=True)
class Told:
    """A line with its colour, icon and word; `more` explains it."""

    kind: str
    icon: str
    word: str
    more: str = ""


STATES: Final = {
    "active": Told("ok", "home", "在家，有活动"),
    "quiet": Told("ok", "home", "在家，安静"),
    "out": Told("work", "away", "出门了", "门开过以后，屋里没有动静"),
    "paused": Told("work", "away", "说好不在家"),
    "deaf": Told("deaf", "deaf", "收不到家里的信号", "现在不能说平安，请打电话问一问"),
    "storm": Told("deaf", "storm", "家那一带信号断了", "值班员正在逐户打电话核实"),
    "off": Told("mute", "stop", "现在没有看护"),
}
"""State of the watch → what the family reads."""
UNWATCHED: Final = Told("mute", "stop", "现在没有看护", "起居没有人看；按求助，照样有人马上接")
ALARMED: Final = Told("emergency", "sos", "有紧急情况，正在处理")
LATE: Final = Told("warn", "clock", "安静得比平日久", "我们会先打电话去问")
DOING: Final = {
    "waiting": "已经报警，值班员马上接手",
    "overdue": "已经报警，正在催值班员接手",
    "verifying": "值班员正在联系老人本人",
    "contacting": "值班员正在联系家属和社区的人",
    "helper_coming": "已有人赶去老人家里",
    "rescue_due": "马上要叫 120、110 或 119",
    "rescuing": "救援的人正在路上",
    "on_scene": "救援的人已经到家里",
    "follow_up": "已经处理好，三天内回访",
    "closed": "已经办完",
}
"""State of a case → what is being done."""
WHY: Final = {
    "deaf": "有传感器收不到信号",
    "never_heard": "还没有收到过家里的信号",
    "storm": "家那一带信号断了",
    "late": "家里的数据来得晚",
    "cold": "刚装上不久，还在学老人的作息",
    "away": "判断老人出门了，要按多久没回家来算",
    "battery": "有传感器快没电了",
    "period": "传感器隔一阵才报一次",
    "placement": "传感器装在厨房，夜里看不到人",
    "rhythm": "这个时候平日也安静",
    "paused": "说好不在家，这段时间安静不报警",
    "off": "起居现在没有看护",
}
"""Cause of the worst case → why it takes so long."""
KINDS: Final = {
    "sos": "求助按钮", "motion": "感应器", "door": "门磁", "phone": "一键电话", "gas": "燃气报警器", "smoke": "烟雾报警器",
    "fall": "跌倒感应器", "water": "水表", "bed": "床垫感应器",
}  # fmt: skip
"""Kind of a device → what the family calls it."""
ACTS: Final = {
    "elder.open": "打开档案", "elder.reveal": "看了{field}", "elder.export": "导出档案", "elder.print": "{field}", "consent.scan": "看了签字的文书",
}  # fmt: skip
LOOKED: Final = "家属查看"
"""The reason under which a family's own look is kept."""


def word(watch: WatchView | None, *, alarmed: bool, monitored: bool, now: datetime) -> Told:
    """How she is, in one word. Red only while a case is open."""
    if alarmed:
        return ALARMED
    if watch is None or not monitored:
        return UNWATCHED
    told = STATES.get(watch.state, UNWATCHED)
    if watch.state == "quiet" and watch.soft_at is not None and watch.soft_at <= now:
        return LATE
    if watch.state == "paused":
        kinds = "、".join(dict.fromkeys(s.get_kind_display() for s in watch.states if s.since <= now))
        until = f"到{day(watch.paused_until, now)} 自动恢复看护" if watch.paused_until else ""
        return Told(told.kind, told.icon, kinds or told.word, until)
    if watch.state == "off":
        return Told(told.kind, told.icon, told.word, watch.why or UNWATCHED.more)
    return told


def day(at: datetime | None, now: datetime) -> str:
    """ "今天 09:12", "昨天 21:40", "11 月 18 日 07:05"; "明天" too; empty for never."""
    if at is None:
        return ""
    local = clock.local(at)
    apart = (local.date() - clock.local(now).date()).days
    near = {0: "今天", -1: "昨天", 1: "明天"}.get(apart)
    return f"{near or f'{local.month} 月 {local.day} 日'} {local:%H:%M}"


def last_sign(watch: WatchView | None, now: datetime) -> str:
    """ "今天 09:12 卫生间活动"; says so when there was none."""
    if watch is None or watch.last_life_at is None:
        return "还没有收到过活动的信号"
    what = watch.last_life_what
    return f"{day(watch.last_life_at, now)} {what if what not in {'', '活动'} else '有活动'}"


def next_steps(watch: WatchView | None, now: datetime) -> str:
    """When we would ask her, and when a person would."""
    if watch is None or watch.state not in {"active", "quiet", "out"} or watch.hard_at is None or watch.hard_at <= now:
        return ""
    person = day(watch.hard_at, now)
    if watch.soft_at is not None and now < watch.soft_at < watch.hard_at:
        first = day(watch.soft_at, now)
        return f"到{first} 还没有动静，我们先打电话去问；到{person} 还没有，值班员就联系老人和您。"
    return f"到{person} 还没有动静，值班员就联系老人和您。"


def soon(worst: WorstCase | None) -> tuple[str, str]:
    """How fast we would notice if she could not press, and why it takes so long. None: nobody watches."""
    why = WHY.get(worst.cause, worst.words) if worst is not None else WHY["off"]
    if worst is None or math.isinf(worst.hours):
        return "我们可能不会知道，请您多打电话问问", why
    if worst.hours < 2:
        return f"最迟约 {max(10, round(worst.hours * 6) * 10)} 分钟后会有人来问", why
    return f"最迟约 {worst.hours:.0f} 小时后会有人来问", why


@dataclass(frozen=True, slots=True)
class Bar:
    """One hour of the picture, in units of 20 × 100: what is usual as a pale ground, today as a bar."""

    x: int
    usual: int
    today: int
    future: bool


def bars(hours: Sequence[Hour]) -> list[Bar]:
    """The day hour by hour; a lively hour is as tall as a usual one that never fails."""
    most = max(1, *(h.today for h in hours))
    return [
        Bar(h.hour * 20, round(90 * h.usual), round(30 + 60 * h.today / most) if h.today else 0, not h.past)
        for h in hours
    ]


def compared(hours: Sequence[Hour], learnt_days: int) -> str:
    """Today against her usual day, in one sentence."""
    past = [h for h in hours if h.past]
    seen = [h.hour for h in past if h.today]
    if not seen:
        return "今天还没有收到活动的信号。"
    span = f"今天 {seen[0]} 点到 {seen[-1]} 点多有活动" if seen[0] != seen[-1] else f"今天 {seen[0]} 点多有活动"
    if learnt_days < LEARNT:
        return f"{span}。看护第 {learnt_days + 1} 天，还在学老人的作息。"
    wanted = sum(h.usual for h in past)
    much = "比平日少" if len(seen) < 0.6 * wanted else "比平日多" if len(seen) > 1.6 * wanted + 1 else "和平日差不多"
    return f"{span}，{much}。"


LEARNT: Final = 7
"""Days of a rhythm before it is compared with."""


def emergency(case: IncidentView | None, now: datetime) -> Told | None:
    """What is being done for her now."""
    if case is None:
        return None
    since = f"{day(case.opened_at, now)} {case.kind_label or '报警'}"
    return Told("emergency", "sos", DOING.get(case.state, case.state_label), since)


def cases(found: Iterable[IncidentView], now: datetime) -> list[Told]:
    """What happened lately: when, what, how it ended."""
    rows = []
    for case in found:
        if case.drill:
            continue
        done = case.outcome_label or DOING.get(case.state, case.state_label)
        rows.append(Told("", "", f"{day(case.opened_at, now)} {case.kind_label or '报警'}", done))
    return rows


def faults(devices: Iterable[DeviceHealth], orders: Iterable[OrderRow], now: datetime) -> list[Told]:
    """What of her devices wants care, and what is being done about it."""
    mending = {o.device_id: o for o in orders}
    rows = []
    for d in devices:
        if d.well:
            continue
        kind, icon, what = (
            ("deaf", "deaf", "收不到信号") if d.silent else ("maint", "wrench", "被动过") if d.tamper
            else ("maint", "battery-low", "快没电了")
        )  # fmt: skip
        order = mending.get(d.device.id)
        if order is not None and order.appointment_at and order.appointment_at > now - timedelta(hours=12):
            more = f"师傅约好{day(order.appointment_at, now)} 上门"
        elif order is not None:
            more = "已经派人处理，不用您操心"
        else:
            more = "已记下，会有人处理"
        name = KINDS.get(d.device.kind, d.device.product_name)
        rows.append(
            Told(kind, icon, f"{d.device.position}的{name}{what}" if d.device.position else f"{name}{what}", more)
        )
    return rows
