"""How a call runs, and how an abandoned emergency call is rung back. What is written here is written before it is dialled.

The deadlines are the net behind the switchboard's own timers: a call that nobody carries any more (the switchboard and the
engine both forgot it) ends as `lost` and is rung back; one that is carried gets a new deadline.
"""

from anju.accounts.roles import Role
from anju.kernel.flow.table import A_REASON, CLOCK, final, flow, move, state, within

AGENT, LEAD = Role.AGENT, Role.LEAD

_HUNG_UP = move("abandoned", "接通前对方挂断", "ended", CLOCK)
_CUT = move("lost", "系统中断", "ended", CLOCK)
_AGAIN = move("again", "中断后重拨", "planned", CLOCK)
_RESCUED = move("rescued", "转应急振铃", "ended", CLOCK)

CALL = flow(
    "call",
    "一次通话",
    state("planned", "待拨出", within(seconds=30).then("unknown"),
        move("placed", "已拨出", "ringing", CLOCK),
        move("refused", "拨不出去", "ended", CLOCK),
        move("unreachable", "线路不通", "ended", CLOCK),
        move("unknown", "不知是否拨出", "ended", CLOCK),
        basis="先记后拨：不知是否拨出的电话绝不自动重拨；确知被中断的机器人电话重拨，最多三次"),
    state("ringing", "振铃", within(seconds=45).then("no_answer"),
        move("answered", "接通", "talking", CLOCK, AGENT, LEAD),
        move("no_answer", "无人接听", "ended", CLOCK, AGENT, LEAD),
        move("busy", "占线", "ended", CLOCK, AGENT, LEAD),
        move("refused", "拒接或空号", "ended", CLOCK, AGENT, LEAD),
        move("unreachable", "线路不通", "ended", CLOCK),
        _AGAIN, _CUT,
        basis="振铃 45 秒无人接听即算未接"),
    state("arrived", "来电", within(seconds=20).then("queue_up"),
        move("queue_up", "进入排队", "queued", CLOCK),
        move("offer", "振铃坐席", "offered", CLOCK),
        move("taken", "接通", "talking", CLOCK),
        _HUNG_UP, _RESCUED, _CUT,
        basis="接通率自来电进入话务引擎起算"),
    state("queued", "排队", within(seconds=30).then("overflow"),
        move("offer", "振铃坐席", "offered", CLOCK),
        move("overflow", "溢出到下一级", "queued", CLOCK),
        move("taken", "接通", "talking", CLOCK),
        _HUNG_UP, _RESCUED, _CUT,
        basis="先值班长，再全体振铃；无人承载的来电按系统中断结束并回拨"),
    state("offered", "振铃坐席", within(seconds=45).then("queue_up"),
        move("taken", "接通", "talking", CLOCK),
        move("queue_up", "无人接听，再排队", "queued", CLOCK),
        _HUNG_UP, _RESCUED, _CUT,
        basis="坐席 15 秒不接即转下一坐席"),
    state("talking", "通话", within(hours=2).then("still_talking"),
        move("ended", "挂断", "ended", CLOCK, AGENT, LEAD),
        move("queue_up", "坐席掉线，再排队", "queued", CLOCK),
        move("still_talking", "仍在通话", "talking", CLOCK),
        _AGAIN, _CUT,
        basis="两小时查一次：话务控制不再承载的通话按断线记"),
    final("ended", "已结束"),
    also_begins=("arrived",),
)  # fmt: skip

CALL_BACK = flow(
    "call_back",
    "紧急来电回拨",
    state("waiting", "待回拨", within(seconds=60).then("press"),
        move("take", "回拨", "calling", AGENT, LEAD, CLOCK, emphasis="primary"),
        move("came_back", "对方已再次接通", "done", CLOCK),
        move("press", "催办值班长", "waiting", CLOCK),
        move("give_up", "不再回拨", "closed", LEAD, asks=(A_REASON,)),
        basis="紧急来电未接通即挂断，必须回拨；催到有人处理为止"),
    state("calling", "回拨中", within(minutes=3).then("not_reached"),
        move("reached", "已接通", "done", CLOCK, AGENT, LEAD),
        move("not_reached", "未接通", "waiting", CLOCK, AGENT, LEAD),
        move("came_back", "对方已再次接通", "done", CLOCK),
        move("give_up", "不再回拨", "closed", LEAD, asks=(A_REASON,)),
        basis="一次回拨最长 3 分钟，未接通则再回拨"),
    final("done", "已接通"),
    final("closed", "已结案"),
)  # fmt: skip
