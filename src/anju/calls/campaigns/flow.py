"""The course of a campaign. Its people are rows of a list; each of their calls is a planned call with a process of its own."""

from __future__ import annotations

from typing import Final

from anju.accounts.roles import Role
from anju.kernel.flow.table import CLOCK, final, flow, move, state, within

_WHO = (Role.LEAD, Role.STREET, Role.BUREAU)
_STOP = move("stop", "停止", "stopped", *_WHO)
_LAPSE = move("lapse", "搁置太久，停止", "stopped", CLOCK)

CAMPAIGN: Final = flow(
    "campaign",
    "外呼任务",
    state("draft", "待开始", within(days=30).then("lapse"),
        move("start", "开始", "running", *_WHO, emphasis="primary"), _STOP, _LAPSE,
        basis="名单、说的话和时段由人核对以后才开始；30 天没有开始的不再留着别人的号码"),
    state("running", "进行中", within(hours=24).then("look"),
        move("pause", "暂停", "paused", *_WHO), _STOP,
        move("finish", "全部打完", "done", CLOCK),
        move("look", "再看一天", "running", CLOCK),
        basis="只在定好的时段里拨（夜间以外，默认 8:00 到 21:00）；来电、紧急事件和其他计划外呼先用线路"),
    state("paused", "已暂停", within(days=30).then("lapse"),
        move("resume", "继续", "running", *_WHO, emphasis="primary"), _STOP, _LAPSE),
    final("done", "已打完"),
    final("stopped", "已停止"),
)  # fmt: skip
