"""How a planned call runs: written before its time, dialled by the robot, and what nobody answers goes to an agent.

A missed call is no alarm: she may be shopping, and the sensors watch on. So after the last try a person rings her; that agent
raises it to a case (the milder path) with one key when she has reason to (一键通指南 六(五)2: 所有回访均需做话后小结).
"""

from __future__ import annotations

from typing import Final

from anju.accounts.roles import Role
from anju.kernel.flow.table import A_REASON, CLOCK, final, flow, move, state, within

AGENT, LEAD = Role.AGENT, Role.LEAD
_CALL_OFF = move("call_off", "取消本次", "called_off", AGENT, LEAD, Role.COMMUNITY, Role.STREET, CLOCK)

PLANNED: Final = flow(
    "planned_call",
    "计划外呼",
    state("waiting", "待拨", within(days=1).then("due"),
        move("due", "到时", "due", CLOCK),
        _CALL_OFF,
        basis="一键通指南 六(五)4 场景四：按约定的日期和 24 小时制时间叫醒；先记后拨，时限就是约定的时刻"),
    state("due", "到时待拨", within(minutes=1).then("look_again"),
        move("dial", "机器人拨出", "ringing", CLOCK),
        move("put_off", "稍后再拨", "waiting", CLOCK),
        move("hand_over", "转坐席联系", "agent", CLOCK),
        move("skip", "本次不拨", "skipped", CLOCK),
        move("give_up", "未联系上", "missed", CLOCK),
        move("look_again", "再看一次", "due", CLOCK),
        _CALL_OFF,
        basis="外出、住院、停机不打扰；有紧急事件、来电等待、夜间时让路；同一时刻只拨一次"),
    state("ringing", "机器人通话中", within(minutes=15).then("not_reached"),
        move("well", "按键应答", "done", CLOCK),
        move("help", "按键求助", "done", CLOCK),
        move("scored", "按键评价", "done", CLOCK),
        move("not_content", "评价不满意，转坐席联系", "agent", CLOCK),
        move("not_reached", "没有按键", "due", CLOCK),
        _CALL_OFF,
        basis="接通不等于有人（语音信箱也会接通）：只有按键才算应答"),
    state("agent", "待坐席联系", within(hours=2).then("press"),
        move("reached", "已联系上", "done", AGENT, LEAD, emphasis="primary"),
        move("no_answer", "没人接，过后再打", "agent", AGENT, LEAD),
        move("raise_case", "联系不上，转为关怀事件", "raised", AGENT, LEAD),
        move("close", "不再联系", "missed", AGENT, LEAD, asks=(A_REASON,)),
        move("press", "催办联系", "agent", CLOCK),
        _CALL_OFF,
        basis="一键通指南 六(五)2：主动关爱，所有回访均需填写话后小结；早晨叫不醒的 30 分钟内、其余 2 小时内由人联系"),
    final("done", "已联系上"),
    final("skipped", "本次未拨"),
    final("missed", "未联系上"),
    final("raised", "已转事件"),
    final("called_off", "已取消"),
)  # fmt: skip
