"""The figures of the call centre. Each is one function of `Counts` with one sentence of definition and the clause it rests on.

The clock of a call starts when it reaches the engine (before any prompt) and stops when an agent speaks with her; calls that
were given up or never reached stay in the denominator. Pure.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields
from datetime import timedelta
from typing import Final

SHORT: Final = timedelta(seconds=5)
"""Who hangs up sooner is told apart: a wrong number, a pocket. She is still counted as abandoned."""
SAME_MATTER: Final = timedelta(hours=24)
"""Calls of one number within so long are about the same matter: the first one was not enough."""


@dataclass(frozen=True, slots=True)
class Counts:
    """What is counted, of any set of calls; two sets that share no call may be added."""

    offered: int = 0
    answered: int = 0
    within_15: int = 0
    within_20: int = 0
    within_60: int = 0
    within_180: int = 0
    abandoned: int = 0
    abandoned_short: int = 0
    missed: int = 0
    wait_seconds: float = 0.0
    talked: int = 0
    talk_seconds: float = 0.0
    wrapped: int = 0
    wrap_seconds: float = 0.0
    judged: int = 0
    solved: int = 0
    outgoing: int = 0
    outgoing_answered: int = 0
    rated: int = 0
    satisfied: int = 0
    busy_seconds: float = 0.0
    present_seconds: float = 0.0
    complaints: int = 0
    answers_checked: int = 0
    answers_right: int = 0
    agents_checked: int = 0
    agents_polite: int = 0

    def __add__(self, other: Counts) -> Counts:
        return Counts(**{f.name: getattr(self, f.name) + getattr(other, f.name) for f in fields(self)})


@dataclass(frozen=True, slots=True)
class Kpi:
    """One figure: how it is computed, what it means, where it must be."""

    name: str
    label: str
    unit: str
    sentence: str
    basis: str
    compute: Callable[[Counts], float | None]
    target: float | None = None
    more_is_better: bool = True
    parts: tuple[str, str] = ("", "")
    """The counts above and below the line, for the page that shows how a figure came about."""

    def of(self, counts: Counts) -> float | None:
        """The figure; None where nothing was counted (never 0 or 100 % for want of calls)."""
        return self.compute(counts)

    def met(self, value: float | None) -> bool | None:
        """Whether the target is met; None without a target or a figure."""
        if value is None or self.target is None:
            return None
        return value >= self.target if self.more_is_better else value <= self.target


_kpis: dict[str, Kpi] = {}
KPIS: Final[Mapping[str, Kpi]] = _kpis
Compute = Callable[[Counts], float | None]


def kpi(
    label: str, unit: str, sentence: str, basis: str, *, target: float | None = None, more_is_better: bool = True,
    parts: tuple[str, str] = ("", ""),
) -> Callable[[Compute], Compute]:  # fmt: skip
    """Register the function below as a figure."""

    def register(compute: Compute) -> Compute:
        _kpis[compute.__name__] = Kpi(
            compute.__name__, label, unit, sentence, basis, compute, target, more_is_better, parts
        )
        return compute

    return register


def _share(part: float, whole: float) -> float | None:
    return 100.0 * part / whole if whole else None


def _mean(total: float, count: int) -> float | None:
    return total / count if count else None


GUIDE = "一键通指南 二、术语"
ACD = "一键通指南 三(四)3(2)①"


@kpi("ACD 呼叫量", "通", "到达平台并已有结果的呼入电话总量。", ACD, parts=("offered", ""))
def calls_offered(c: Counts) -> float | None:
    return float(c.offered)


@kpi("呼入接通率", "%", "坐席接通的呼入电话 ÷ 平台呼入电话总量；接通前挂断、系统中断的都在分母里。",
     f"{GUIDE}；天津 4.3 不低于 95 %；许昌 4.1.3 不低于 90 %", target=95.0, parts=("answered", "offered"))  # fmt: skip
def answer_rate(c: Counts) -> float | None:
    return _share(c.answered, c.offered)


@kpi(
    "15 秒服务水平", "%", "来电到达后 15 秒内得到坐席应答的 ÷ 平台呼入电话总量。", GUIDE, parts=("within_15", "offered")
)
def level_15(c: Counts) -> float | None:
    return _share(c.within_15, c.offered)


@kpi("20 秒应答率", "%", "来电到达后 20 秒内得到坐席应答的 ÷ 平台呼入电话总量。", ACD, parts=("within_20", "offered"))
def level_20(c: Counts) -> float | None:
    return _share(c.within_20, c.offered)


@kpi("60 秒应答率", "%", "来电到达后 60 秒内得到坐席应答的 ÷ 平台呼入电话总量。", "远程照护服务质量框架（英国 TSA）：每月 97.5 %",
     target=97.5, parts=("within_60", "offered"))  # fmt: skip
def level_60(c: Counts) -> float | None:
    return _share(c.within_60, c.offered)


@kpi("180 秒应答率", "%", "来电到达后 180 秒内得到坐席应答的 ÷ 平台呼入电话总量；超过的逐通查原因。",
     "远程照护服务质量框架（英国 TSA）：每月 99 %", target=99.0, parts=("within_180", "offered"))  # fmt: skip
def level_180(c: Counts) -> float | None:
    return _share(c.within_180, c.offered)


@kpi(
    "放弃呼叫",
    "通",
    "没有接通坐席就结束的呼入电话，含对方挂断与系统中断。",
    ACD,
    more_is_better=False,
    parts=("abandoned", ""),
)
def calls_abandoned(c: Counts) -> float | None:
    return float(c.abandoned)


@kpi(
    "放弃率",
    "%",
    "放弃呼叫 ÷ 平台呼入电话总量。",
    ACD,
    target=5.0,
    more_is_better=False,
    parts=("abandoned", "offered"),
)
def abandon_rate(c: Counts) -> float | None:
    return _share(c.abandoned, c.offered)


@kpi(
    "其中短放弃",
    "通",
    "到达后不满 5 秒就挂断的放弃呼叫（误拨）；单列，但仍算放弃。",
    ACD,
    more_is_better=False,
    parts=("abandoned_short", ""),
)
def short_abandons(c: Counts) -> float | None:
    return float(c.abandoned_short)


@kpi(
    "平均答复速度",
    "秒",
    "接通的呼入电话从到达到坐席应答的平均时长。",
    ACD,
    target=15.0,
    more_is_better=False,
    parts=("wait_seconds", "answered"),
)
def average_speed_of_answer(c: Counts) -> float | None:
    return _mean(c.wait_seconds, c.answered)


@kpi(
    "平均通话时长",
    "秒",
    "接通的呼入电话从坐席应答到结束的平均时长。",
    ACD,
    more_is_better=False,
    parts=("talk_seconds", "talked"),
)
def average_talk(c: Counts) -> float | None:
    return _mean(c.talk_seconds, c.talked)


@kpi(
    "平均整理时长",
    "秒",
    "坐席通话结束后进行记录的平均时长。",
    GUIDE,
    more_is_better=False,
    parts=("wrap_seconds", "wrapped"),
)
def average_wrap_up(c: Counts) -> float | None:
    return _mean(c.wrap_seconds, c.wrapped)


@kpi(
    "平均处理时长",
    "秒",
    "接通的呼入电话平均占用坐席的时长：通话加整理。",
    ACD,
    more_is_better=False,
)
def average_handle(c: Counts) -> float | None:
    return _mean(c.talk_seconds + c.wrap_seconds, c.talked)


@kpi(
    "坐席利用率",
    "%",
    "坐席振铃、通话、整理的时长 ÷ 在席时长（小休、离线不算在席）。",
    "通行口径；来源未定义",
    parts=("busy_seconds", "present_seconds"),
)
def occupancy(c: Counts) -> float | None:
    return _share(c.busy_seconds, c.present_seconds)


@kpi("一次呼叫解决率", "%",
     "第一次来电中由第一个接听的坐席完全解决的 ÷ 已判定的第一次来电；转给别的坐席、24 小时内又来电的不算解决。", GUIDE,
     parts=("solved", "judged"))  # fmt: skip
def first_call_resolution(c: Counts) -> float | None:
    return _share(c.solved, c.judged)


@kpi("用户投诉率", "%", "经沟通无果而成立的投诉 ÷ 服务总次数（坐席接通的呼入与呼出电话）。", f"{GUIDE}；三(五) 供应商淘汰线 5 %",
     target=5.0, more_is_better=False, parts=("complaints", ""))  # fmt: skip
def complaint_rate(c: Counts) -> float | None:
    return _share(c.complaints, c.answered + c.outgoing_answered)


@kpi(
    "答复用户准确率",
    "%",
    "质检认定答复准确的通话 ÷ 质检评过答复的通话。",
    GUIDE,
    parts=("answers_right", "answers_checked"),
)
def answer_accuracy(c: Counts) -> float | None:
    return _share(c.answers_right, c.answers_checked)


@kpi(
    "服务用语使用率",
    "%",
    "被质检的通话全部按要求使用服务用语的坐席数 ÷ 被质检的坐席总数。",
    GUIDE,
    parts=("agents_polite", "agents_checked"),
)
def phrase_use(c: Counts) -> float | None:
    return _share(c.agents_polite, c.agents_checked)


@kpi(
    "满意率",
    "%",
    "通话后按键评价为满意或非常满意的 ÷ 作出评价的。",
    "一键通指南 三(四)3(2)②外部监控",
    parts=("satisfied", "rated"),
)
def satisfaction(c: Counts) -> float | None:
    return _share(c.satisfied, c.rated)


@kpi("振铃未接", "次", "轮到本席振铃而没有接起、也不是被别席接走的次数（只按工号、坐席号统计）。", "工作需要；来源未定义",
     more_is_better=False, parts=("missed", ""))  # fmt: skip
def rings_missed(c: Counts) -> float | None:
    return float(c.missed)
