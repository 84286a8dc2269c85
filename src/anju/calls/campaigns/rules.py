"""Pure decisions of campaigns: the window, the questions, the words, the rows of an uploaded list. No Django, no clock."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta

from anju.calls.planned.rules import Night

ANSWER_KEYS = ("1", "3", "4", "5", "6", "7", "8")
"""Keys that may be an answer; 2 and 0 mean "I need help" as in every robot's call."""
NO_MORE = "9"
"""The key that means "do not ring me for such things again"."""
AT_ONCE = 10
"""More than so many calls at once no campaign may ask for; the gate of all robots (ANJU_PLANNED_CALLS_AT_ONCE) is above it."""
LONGEST = timedelta(days=60)
MOST = 5000
"""People of one campaign."""
STRANGERS_KEPT = timedelta(days=30)
"""So long after the end the names and numbers of people without a file are kept, for the results; then they are forgotten."""
NOT_NOW, LATER = "现在不便接听", timedelta(minutes=30)
"""Why somebody without a file, or whose file the campaign's maker may not see, was not rung; when anybody put off is tried again."""
LOOKS = 100
"""So many people a round looks at to find those who may be rung now."""
_SAID = dict(zip("0123456789", "零一二三四五六七八九", strict=True))


@dataclass(frozen=True, slots=True)
class Wanted:
    """What a campaign shall be, as the form says it. Times are the centre's, gaps are minutes."""

    name: str
    purpose: str
    way: str
    says: str
    labels: Mapping[str, str]
    first: date
    until: date
    from_at: time
    until_at: time
    at_once: int = 2
    tries: int = 2
    gap_minutes: int = 60


def fault(it: Wanted, today: date, night: Night) -> str:
    """What is wrong with it, in Chinese; "" when nothing is."""
    wrong = (
        (not all(text.strip() for text in (it.name, it.purpose, it.says)), "请填名称、为什么打和说什么。"),
        (it.way not in {"robot", "agent"}, "请选由机器人还是坐席拨打。"),
        (it.until < it.first or it.until < today, "结束日期早于开始日期，或已经过去，请改。"),
        (it.until - it.first > LONGEST, f"一个外呼任务最长 {LONGEST.days} 天，请分开做。"),
        (
            not night.ends <= it.from_at < it.until_at <= night.begins,
            f"时段要在 {night} 之间，先填开始、后填结束；夜间不打。",
        ),
        (not 1 <= it.at_once <= AT_ONCE, f"同时拨打请填 1 到 {AT_ONCE} 路。"),
        (not (1 <= it.tries <= 5 and 10 <= it.gap_minutes <= 1440), "最多拨 1 到 5 次，间隔 10 到 1440 分钟。"),
        (not set(it.labels) <= set(ANSWER_KEYS), "按键 2、0 是要人帮忙，9 是不再接听，请用其他键作答。"),
    )
    return next((said for bad, said in wrong if bad), "")


def answers(text: str) -> dict[str, str]:
    """The answers of a form, one a line: "1 参加" → {"1": "参加"}. ValueError (Chinese) where a line is none."""
    found: dict[str, str] = {}
    for line in filter(None, (one.strip() for one in text.splitlines())):
        key, label = line[0], line[1:].strip(" ：:.、，,")
        if key not in ANSWER_KEYS or not label:
            raise ValueError(
                f"“{line[:20]}”看不懂：每行一个，先写键（{'、'.join(ANSWER_KEYS)}），再写意思，如“1 参加”。"
            )
        if key in found:
            raise ValueError(f"按键 {key} 写了两次。")
        found[key] = label[:20]
    return found


def spoken(says: str, labels: Mapping[str, str]) -> str:
    """What the robot says: who we are, the text, the answers, and the two keys that every campaign has."""
    asked = "，".join(f"{label}请按{_SAID[key]}" for key, label in sorted(labels.items())) or "听清了请按一"
    return f"您好，这里是安居中心。{says.strip().rstrip('。')}。{asked}。要人帮忙请按二，以后不想接这类电话请按九。"


def label_of(key: str, labels: Mapping[str, str]) -> str:
    """What a key means in this campaign."""
    fixed = {"2": "要人帮忙", "0": "要人帮忙", NO_MORE: "以后不接"}
    return fixed.get(key) or labels.get(key) or ("听清了" if key == "1" else f"按了 {key}" if key else "")


def in_window(local: datetime, first: date, until: date, from_at: time, until_at: time) -> bool:
    """Whether the campaign may ring at this moment of the centre."""
    return first <= local.date() <= until and from_at <= local.time() < until_at


def window_ends(local: datetime, until_at: time) -> datetime:
    """When today's window is over, in the zone of `local`."""
    return datetime.combine(local.date(), until_at, local.tzinfo)
