"""What became of a call or of one of its parties, in words that say what happened. Pure."""

from __future__ import annotations

RESULTS = {
    "answered": "接通",
    "no_answer": "无人接听",
    "busy": "占线",
    "refused": "拒接或空号",
    "unreachable": "线路不通",
    "unknown": "不知是否拨出",
    "lost": "系统中断",
    "abandoned": "接通前对方挂断",
    "rescued": "转应急振铃",
}
"""A result's word where the engine's cause is not known: calls that were written down by hand, filters of lists."""

OWN = "seat_"
"""Before the engine's cause when the asker's own telephone did not lift: then nobody else was rung."""
HUNG_UP = "hung_up"
"""The cause when the asker hung up while the other side still rang."""

_OWN = {
    "no_answer": "本席没有接起，没有拨出",
    "busy": "本席正忙，没有拨出",
    "refused": "本席拒接，没有拨出",
    "unreachable": "本席话机未登录，没有拨出",
}
_SEAT = {
    "no_answer": "座席无人接听",
    "busy": "座席忙",
    "refused": "座席拒接",
    "unreachable": "座席话机未登录",
    "off": "座席没有上线",
    "unknown_number": "没有这个座席",
    "failed": "座席话机接不通",
}
_FAR = {
    "busy": "占线",
    "refused": "对方拒接",
    "unreachable": "线路不通",
    "unknown_number": "空号",
    "forbidden": "系统不自动拨这个号码",
    "failed": "线路不通",
    "normal": "对方没有接听",
}


def went(result: str, cause: str = "", *, seat: bool = False) -> str:
    """How it went: 接通, 无人接听, 座席忙 …; "" for a result that is none.

    `cause` is the engine's (`exchange.Cause`), `seat`: a telephone of ours was rung, not somebody outside. Who is busy and who
    does not lift is told by the result; why it was never possible, by the cause.
    """
    if cause.startswith(OWN):
        return _OWN.get(cause.removeprefix(OWN), "本席话机接不通，没有拨出")
    if cause == HUNG_UP:
        return "坐席先挂断，没有等到接听"
    if result == "cancelled":
        return "已停止振铃"
    known = _SEAT if seat else _FAR
    if result in {"refused", "unreachable"} and cause in known:
        return known[cause]
    if result == "refused" and seat:
        return "座席没有接听"
    return (
        known.get(result, "")
        if result in {"no_answer", "busy", "unreachable"} and result in known
        else RESULTS.get(result, "")
    )
