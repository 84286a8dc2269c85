"""The promises of field work as pure functions (HZ 附件6 三.1, 三.4, 六.1, 六.3; TJ 8.3.2.4)."""

from __future__ import annotations

from datetime import datetime, time, timedelta
from typing import Final, Protocol
from zoneinfo import ZoneInfo

ZONE: Final = ZoneInfo("Asia/Shanghai")
REPAIR_WITHIN: Final = timedelta(hours=24)
LOOK_WITHIN: Final = timedelta(hours=48)
REPEATS_COUNTED_OVER: Final = timedelta(days=90)
SUPPORT_FROM: Final = 2
ASSESSED_ABOVE: Final = 3
SHORTEST: Final = timedelta(minutes=1)


def time_left(
    slot: str,
    default: timedelta,
    *,
    now: datetime,
    reported_at: datetime,
    appointment_at: datetime | None,
    seen: bool,
) -> timedelta:
    """How long the present state may last.

    Waiting for the visit ends at whichever promise comes next: the appointment, 24 hours after the report, 48 hours
    after it; past all of them the clock presses each `default`. A withdrawal is decided the same evening by 20:00 when
    asked before 17:30. Every other state lasts its own time.
    """
    if slot == "withdrawing":
        return min(default, _same_evening(now))
    if slot != "appointed":
        return default
    promises = [] if seen else [reported_at + REPAIR_WITHIN, reported_at + LOOK_WITHIN]
    if appointment_at is not None:
        promises.append(appointment_at)
    ahead = [moment - now for moment in promises if moment - now >= SHORTEST]
    return min([*ahead, default])


def _same_evening(now: datetime) -> timedelta:
    here = now.astimezone(ZONE)
    if here.time() >= time(17, 30):
        return timedelta.max
    return datetime.combine(here.date(), time(20, 0), ZONE) - here


def broken_promises(*, now: datetime, reported_at: datetime, seen_at: datetime | None, repaired: bool) -> list[str]:
    """Which promises of this order are already broken, in words; empty when none is."""
    broken: list[str] = []
    if (seen_at or now) - reported_at > LOOK_WITHIN:
        broken.append("超过 48 小时未到场查看")
    if not repaired and now - reported_at > REPAIR_WITHIN:
        broken.append("超过 24 小时未修复")
    return broken


class OrderLike(Protocol):
    """What the conditions read of an order."""

    repeats: int
    support_note: str
    tested: bool
    assignee_id: int | None


def support_checked(order: OrderLike, by: object) -> bool | str:  # noqa: ARG001
    """六.1: the second fault of the same kind within 90 days goes to support before it counts as repaired."""
    if order.repeats < SUPPORT_FROM or order.support_note:
        return True
    return f"这是近 90 天内同一故障第 {order.repeats} 次，请先“报支撑核实”，核实后再回单。"


def tested_on_site(order: OrderLike, by: object) -> bool | str:  # noqa: ARG001
    """三.3.3: tested after the work, result told."""
    return order.tested or "请先在现场测试设备（可开测试模式），登记测试结果后再回单。"


def assigned(order: OrderLike, by: object) -> bool | str:  # noqa: ARG001
    """四.2.4: an order goes to a person, not to a pool."""
    return order.assignee_id is not None or "请先选择装维员，再派单。"


def repeat_label(repeats: int) -> str:
    """What the count of repeats means for people: "" | 须支撑核实 | 计入考核."""
    if repeats > ASSESSED_ABOVE:
        return f"第 {repeats} 次重复，计入考核"
    return f"第 {repeats} 次重复，须支撑核实" if repeats >= SUPPORT_FROM else ""
