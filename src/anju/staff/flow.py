"""How a shift is handed over, and how an expert's appointment runs."""

from anju.accounts.roles import Role
from anju.kernel.flow.table import CLOCK, SAME, final, flow, move, state, within

AGENT, LEAD, DOCTOR = Role.AGENT, Role.LEAD, Role.DOCTOR

HAND_OVER = flow(
    "hand_over",
    "交接班",
    state("writing", "待交班", within(minutes=15).then("not_written"),
        move("offered", "交班", "offered", LEAD, emphasis="primary"),
        move("not_written", "未交班", "offered", CLOCK),
        basis="7×24 值守：每班结束前由值班长写明未结事件、未回来电、设备与人员情况；时限自本班结束时起算"),
    state("offered", "待接班", within(minutes=15).then("press"),
        move("taken", "接班", "taken", LEAD, emphasis="primary"),
        move("returned", "退回补充", "writing", LEAD),
        move("press", "催接班", SAME, CLOCK),
        basis="接班人 15 分钟内核对并签收，未接班前原班不离岗"),
    final("taken", "已接班"),
)  # fmt: skip

BOOKING = flow(
    "expert_booking",
    "专家预约",
    state("booked", "已预约", within(days=30).then("missed"),
        move("reminded", "提醒专家", "reminded", CLOCK),
        move("cancelled", "取消", "cancelled", AGENT, LEAD, DOCTOR),
        move("moved", "改期", SAME, AGENT, LEAD),
        move("done", "已办", "done", AGENT, LEAD, DOCTOR),
        move("missed", "失约", "missed", CLOCK),
        basis="一键通指南（三）2(2)：专家不在班时登记预约，到时间由坐席接通；到点前 10 分钟提醒"),
    state("reminded", "即将开始", within(minutes=40).then("missed"),
        move("done", "已办", "done", AGENT, LEAD, DOCTOR, emphasis="primary"),
        move("moved", "改期", "booked", AGENT, LEAD),
        move("cancelled", "取消", "cancelled", AGENT, LEAD, DOCTOR),
        move("missed", "失约", "missed", CLOCK),
        basis="约定时间过 30 分钟没有接通即为失约，由值班长跟进"),
    state("missed", "失约待跟进", within(hours=24).then("press"),
        move("moved", "改期", "booked", AGENT, LEAD, emphasis="primary"),
        move("done", "已补办", "done", AGENT, LEAD, DOCTOR),
        move("cancelled", "取消", "cancelled", AGENT, LEAD),
        move("press", "催值班长", SAME, CLOCK),
        basis="答应过的事不能没有下文"),
    final("done", "已办"),
    final("cancelled", "已取消"),
)  # fmt: skip
