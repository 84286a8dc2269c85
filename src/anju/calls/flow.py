"""How one outgoing call runs. The row with its own number exists before anything is dialled."""

from anju.accounts.roles import Role
from anju.kernel.flow.table import CLOCK, final, flow, move, state, within

AGENT, LEAD = Role.AGENT, Role.LEAD

CALL = flow(
    "call",
    "一次通话",
    state("planned", "待拨出", within(seconds=30).then("unknown"),
        move("placed", "已拨出", "ringing", CLOCK),
        move("refused", "拨不出去", "ended", CLOCK),
        move("unknown", "不知是否拨出", "ended", CLOCK),
        basis="先记后拨：中断后绝不自动重拨同一通电话"),
    state("ringing", "振铃", within(seconds=45).then("no_answer"),
        move("answered", "接通", "talking", CLOCK, AGENT, LEAD),
        move("no_answer", "无人接听", "ended", CLOCK, AGENT, LEAD),
        move("busy", "占线", "ended", CLOCK, AGENT, LEAD),
        move("refused", "拒接或空号", "ended", CLOCK, AGENT, LEAD),
        basis="振铃 45 秒无人接听即算未接"),
    state("talking", "通话", within(hours=2).then("lost"),
        move("ended", "挂断", "ended", CLOCK, AGENT, LEAD),
        move("lost", "未收到挂断", "ended", CLOCK),
        basis="两小时未收到挂断，按断线记"),
    final("ended", "已结束"),
)  # fmt: skip
