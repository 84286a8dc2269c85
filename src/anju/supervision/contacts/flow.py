"""How a letter, a message or a visit is dealt with. The clock presses; nothing is dropped and nothing answered by itself.

许昌 7.2.4: 通过网站服务栏目、在线客服、服务电话、微信等多种方式为客户服务; 一键通指南 六(五)5 场景二: 来信表扬、投诉以填写工单的方式记录;
许昌 6.1.2: 无法直接答复的 48 小时内答复, 指南: 1 个工作日. The stricter holds: one day; who waits at a screen, ten minutes.
"""

from __future__ import annotations

from typing import Final

from anju.accounts.roles import Role
from anju.kernel.flow.table import A_REASON, CLOCK, SAME, Move, final, flow, move, state, within

AGENT, LEAD, QUALITY = Role.AGENT, Role.LEAD, Role.QUALITY


def _settles() -> tuple[Move, ...]:
    return (
        move("answer", "答复", "answered", AGENT, LEAD, QUALITY, emphasis="primary"),
        move("to_case", "立案（紧急）", "turned", AGENT, LEAD),
        move("to_complaint", "转意见与投诉", "turned", AGENT, LEAD, QUALITY),
        move("close", "不用答复", "closed", AGENT, LEAD, QUALITY, asks=(A_REASON,)),
        move("forget", "个人信息已删除", "closed", CLOCK),
    )


CONTACT: Final = flow(
    "contact",
    "来信与留言",
    state("waiting", "待办理", within(hours=24).then("press"),
        move("take", "由我办理", "handling", AGENT, LEAD, QUALITY, emphasis="primary"),
        *_settles(),
        move("press", "催办", "waiting", CLOCK),
        basis="紧急字样 1 分钟、在线留言和微信 10 分钟、来信来访 24 小时内须有人办理"),
    state("handling", "办理中", within(hours=24).then("press"),
        *_settles(),
        move("give_back", "放回", "waiting", AGENT, LEAD, QUALITY),
        move("press", "催办答复", SAME, CLOCK),
        basis="一键通指南 六(五)3：1 个工作日内答复；许昌 6.1.2：48 小时"),
    final("answered", "已答复"),
    final("turned", "已转办"),
    final("closed", "不用答复"),
)  # fmt: skip
