"""How a call is audited, and how a grievance becomes a complaint or does not.

The guide's tables of the quality form are lost (they were pictures); what is here follows the words around them: a shift lead
spot-checks every week, a quality post scores daily, problems are handled, the agent's service improves, the client may
complain (一键通指南 三(四)3(2)②). Terms that the sources do not give (7 days, 3 days) are good practice of alarm receiving centres.
"""

from __future__ import annotations

from typing import Final

from anju.accounts.roles import Role
from anju.kernel.flow.table import A_REASON, CLOCK, SAME, duty, final, flow, move, state, within

AGENT, LEAD, QUALITY = Role.AGENT, Role.LEAD, Role.QUALITY
JUDGES = (LEAD, QUALITY)

REVIEW: Final = flow(
    "review",
    "通话质检",
    state("drawn", "待质检", within(days=7).then("press"),
        move("score", "提交评分", "scored", *JUDGES, needs=("not_myself", "every_item"), emphasis="primary"),
        move("pass_on", "改派他人", SAME, *JUDGES, asks=(A_REASON,)),
        move("void", "作废", "void", *JUDGES, asks=(A_REASON,)),
        move("press", "催办质检", "drawn", CLOCK),
        basis="一键通指南 三(四)3(2)②：值班长每周抽查；抽到后一周内评完"),
    state("scored", "待坐席确认", within(days=3).then("settle"),
        move("accept", "确认", "closed", AGENT, LEAD, needs=("my_own",), emphasis="primary"),
        move("appeal", "申诉", "appealed", AGENT, LEAD, needs=("my_own",), asks=(A_REASON,)),
        move("settle", "到期视为确认", "closed", CLOCK),
        basis="坐席有 3 天时间看分数、听录音、申诉"),
    state("appealed", "申诉待复核", within(days=3).then("press"),
        move("uphold", "维持原分", "closed", *JUDGES, needs=("another", "not_myself"), asks=(A_REASON,)),
        move("correct", "改分", "closed", *JUDGES, needs=("another", "not_myself", "every_item"), asks=(A_REASON,)),
        move("press", "催办复核", "appealed", CLOCK),
        basis="复核由原评分人以外的人做"),
    final("closed", "已确认"),
    final("void", "已作废"),
    conditions={
        "not_myself": "不能评自己的通话", "every_item": "每一项都已评", "my_own": "是本人的通话", "another": "不是原评分人",
    },
)  # fmt: skip

COMPLAINT: Final = flow(
    "complaint",
    "客户意见与投诉",
    state("talking", "沟通中", within(hours=24).then("press"),
        move("talked_out", "沟通解决（不计投诉）", "settled", AGENT, LEAD, QUALITY, needs=("not_about_me",),
            asks=(A_REASON,), emphasis="primary"),
        move("formal", "沟通无果，投诉成立", "investigating", AGENT, LEAD, QUALITY, asks=(A_REASON,)),
        move("press", "催办沟通", "talking", CLOCK),
        basis="一键通指南 二：用户对服务有意见，经平台沟通无果，才是投诉；装维手册 三.4.5：24 小时内联系"),
    state("investigating", "调查处理", within(hours=45).in_office_hours().then("press"),
        move("answer", "已答复投诉人", "answered", LEAD, QUALITY, needs=("both_heard", "not_about_me"), asks=(A_REASON,), emphasis="primary"),
        move("press", "催办调查", "investigating", CLOCK),
        duty("heard_client", "听取投诉人说法", LEAD, QUALITY),
        duty("heard_other", "听取被投诉方说法，调听录音", LEAD, QUALITY),
        basis="许昌 8.4.1.3：不超过 5 个工作日（每日 9 小时计 45 个工作小时）；天津 6.6.2：与双方核实、收集材料、提出意见"),
    state("answered", "待回访", within(days=3).then("press"),
        move("content", "投诉人认可，归档", "closed", AGENT, LEAD, QUALITY, needs=("not_about_me",), emphasis="primary"),
        move("not_content", "投诉人不认可，重新处理", "investigating", AGENT, LEAD, QUALITY, asks=(A_REASON,)),
        move("press", "催办回访", "answered", CLOCK),
        basis="天津 6.6.3-6.6.4：主动联系、协商意见、形成完整记录"),
    final("settled", "沟通解决"),
    final("closed", "已归档"),
    conditions={"both_heard": "双方说法都已听取", "not_about_me": "不是对本人的意见"},
)  # fmt: skip
