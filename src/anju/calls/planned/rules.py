"""Pure decisions of planned calls: on which days, until when it still makes sense, what is said. No Django, no clock."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, time, timedelta

from anju.kernel.hours import chinese_workday

DAYS = {"once": "一次", "daily": "每天", "weekdays": "工作日", "weekly": "每周"}
"""How often: once, every day, on Chinese working days (调休 included), on the weekday of the first."""
HORIZON = 400
"""Days within which a plan must have its next day."""


@dataclass(frozen=True, slots=True)
class Kind:
    """What a call is for. `late`: so long after its time (beside the tries) a robot's call still makes sense."""

    label: str
    says: str
    late: timedelta
    at_any_hour: bool = False
    agent_within: timedelta = timedelta(hours=2)


KINDS = {
    "care": Kind("关怀电话", "今天还好吗？", timedelta(hours=4)),
    "wake": Kind(
        "叫醒电话",
        "您约的起床时间到了，请起床。",
        timedelta(minutes=30),
        at_any_hour=True,
        agent_within=timedelta(minutes=30),
    ),
    "medicine": Kind(
        "用药提醒", "该吃药了，请按医嘱服药。", timedelta(hours=1), at_any_hour=True, agent_within=timedelta(minutes=30)
    ),
    "reminder": Kind("事项提醒", "提醒您一件事。", timedelta(hours=4)),
    "follow_up": Kind("满意度回访", "", timedelta(hours=24)),
    "campaign": Kind("外呼任务", "", timedelta(hours=13)),
}
"""The kinds of planned calls (SH 四(一)2 主动关爱, 六(五)4 场景四 晨叫; HZ 附件6 四.1.11 语音回访)."""
CAMPAIGN = "campaign"
"""The kind of a campaign's calls: they come after every other planned call and never become an agent's task by themselves."""
FOR_HER = ("care", "wake", "medicine", "reminder")
"""Kinds that are planned for a person on a page; the others are asked for by the platform."""
CONTENT = 4
"""From this key on (4 满意, 5 非常满意) a satisfaction call counts as content; below a person asks what was wrong."""
MOODS = {"good": "愉快", "calm": "平静", "low": "低落", "anxious": "焦虑", "unclear": "说不清"}


def is_day(days: str, first: date, day: date) -> bool:
    """Whether a plan that began on `first` has a call on `day`."""
    if day < first:
        return False
    return {
        "once": day == first,
        "daily": True,
        "weekdays": chinese_workday(day),
        "weekly": (day - first).days % 7 == 0,
    }[days]


def next_day(days: str, first: date, until: date | None, after: date) -> date | None:
    """The first day of the plan later than `after`; None when it is over."""
    day = max(first, after + timedelta(days=1))
    for _ in range(HORIZON):
        if until is not None and day > until:
            return None
        if is_day(days, first, day):
            return day
        day += timedelta(days=1)
    return None


def latest(kind: str, at: datetime, tries: int, gap: timedelta) -> datetime:
    """After this no robot rings for it any more; a person does."""
    return at + KINDS[kind].late + max(0, tries - 1) * gap


@dataclass(frozen=True, slots=True)
class Night:
    """Centre time. From `begins` to `ends` nobody is rung but who asked for that hour herself (wake-up, medication)."""

    begins: time = time(21)
    ends: time = time(8)

    def __str__(self) -> str:
        """When calls are made, in words: 8:00 到 21:00."""
        return f"{self.ends.hour}:{self.ends:%M} 到 {self.begins.hour}:{self.begins:%M}"

    def has(self, at: time) -> bool:
        """Whether it is night at this hour."""
        return at >= self.begins or at < self.ends


def quiet(kind: str, at: time, night: Night) -> bool:
    """Whether nobody is rung at this hour of the centre (who asked for the hour herself is)."""
    return not KINDS[kind].at_any_hour and night.has(at)


def quiet_ends(local: datetime, night: Night) -> datetime:
    """When the night is over, in the zone of `local`."""
    day = local.date() + timedelta(days=1) if local.time() >= night.begins else local.date()
    return datetime.combine(day, night.ends, local.tzinfo)


def spoken(kind: str, at: time, says: str) -> str:
    """What the robot says; the hour as on a 24-hour clock. A campaign brings its whole text."""
    if kind == "campaign":
        return says
    hour = f"现在是{at.hour}点{at.minute:02d}分。" if kind in {"wake", "medicine"} else ""
    return f"您好，这里是安居中心。{hour}{says.strip() or KINDS[kind].says}一切都好请按一，要人帮忙请按二。"


def in_words(kind: str, days: str, first: date, at: time, until: date | None) -> str:
    """The plan in a sentence, to be read back to who asked for it (SH 六(五)4 场景四.2-3: 24 小时制，核对日期及时间)."""
    weekday = "一二三四五六日"[first.weekday()]
    day = {"once": f"{first:%Y-%m-%d}（周{weekday}）", "weekly": f"每周{weekday}"}.get(days, DAYS[days])
    began = "" if days == "once" else f"，{first:%Y-%m-%d} 起"
    ends = f"，到 {until:%Y-%m-%d} 止" if until and days != "once" else ""
    return f"{KINDS[kind].label}：{day} {at:%H:%M}{began}{ends}"
