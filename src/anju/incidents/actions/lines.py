"""How a movement reads in the story: short, spoken, with what mattered."""

from __future__ import annotations

from collections.abc import Callable

from anju.incidents.models import Incident
from anju.kernel.models import Movement

_CLOCK = {
    "unanswered": "到时无人接警：呼值班长，机器人呼叫老人，通知联系人",
    "press_on": "仍无人接警，再呼值班长",
    "no_answer": "核实到时没有回应，转联系亲属和网格",
    "nobody_reached": "亲属和网格都没有联系上，须立即代拨",
    "helper_late": "赶赴的人逾时未到，继续联系其他人",
    "press_lead": "到时没有进展，呼值班长",
    "supervise": "满 3 天没有回访，督办",
    "late_data": "迟到数据到达，自动解除",
    "given_up": "赶赴的人来不了，继续联系其他人",
}
_QUIET = {"begin"}


def line_of(incident: Incident, done: Movement) -> str:
    """The text of a movement; "" when another line already says it."""
    if done.move in _QUIET:
        return ""
    data, note = done.data, done.note.strip()
    if done.kind == "duty_overdue":
        duty = incident.flow.state(done.now).duty(done.move)
        return f"到点没做：{duty.label if duty else done.move}"
    if done.kind == "tick":
        duty = incident.flow.state(done.now).duty(done.move)
        return _with(duty.label if duty else done.move, note or _answer(data))
    if done.by_user is None and done.move == "no_answer" and note:
        return f"{note}，转联系亲属和网格"
    if done.by_user is None and done.move in _CLOCK:
        return _with(_CLOCK[done.move], note if done.move == "late_data" else "")
    return _with(_SAID.get(done.move, _label)(incident, done), note)


def _accept(incident: Incident, done: Movement) -> str:
    minutes, seconds = divmod(max(int((done.at - incident.first_alarm_at).total_seconds()), 0), 60)
    return f"接警，等候 {minutes} 分 {seconds} 秒" if minutes > 1 else f"接警，等候 {60 * minutes + seconds} 秒"


def _higher(incident: Incident, done: Movement) -> str:  # noqa: ARG001
    return f"优先级由 {done.data.get('from')} 升到 {done.data.get('to')}，重新响铃"


def _called_back(incident: Incident, done: Movement) -> str:  # noqa: ARG001
    if done.data.get("answered"):
        return "回拨老人，接通"
    return f"回拨老人，第 {done.data.get('times')} 次无人应答"


def _rescue(incident: Incident, done: Movement) -> str:  # noqa: ARG001
    number = done.move.removeprefix("call_")
    sent = "，已派车" if done.data.get("sent") and number == "120" else ""
    eta = f"，约 {done.data['eta_minutes']} 分钟" if done.data.get("eta_minutes") else ""
    way = "座席电话拨出，人工操作" if done.data.get("by_engine") else "人工拨打"
    way = "模拟话务，没有真的拨出" if done.data.get("simulated") else way
    return f"呼 {number}（{way}）{sent}{eta}"


def _going(incident: Incident, done: Movement) -> str:
    eta = done.data.get("eta_minutes")
    return f"{_label(incident, done)}，约 {eta} 分钟到" if eta else _label(incident, done)


def _label(incident: Incident, done: Movement) -> str:
    found = incident.flow.state(done.was).move(done.move) if done.was else None
    return found.label if found else done.move


_SAID: dict[str, Callable[[Incident, Movement], str]] = {
    "accept": _accept,
    "raised": _higher,
    "rung_again": _higher,
    "pressed_again": lambda _i, _d: "确认平安后又报警，重新待接警",
    "call_back": _called_back,
    "call_120": _rescue,
    "call_110": _rescue,
    "call_119": _rescue,
    "needs_help": lambda _i, d: f"需要救援：{d.data.get('kind_label', '')}",
    "false_alarm": lambda _i, d: f"误报：{d.data.get('label', '')}",
    "hand_over": lambda _i, d: f"{d.data.get('seat', '')} 席移交给 {d.data.get('to', '')}",
    "helper_going": _going,
}


def _answer(data: dict[str, object]) -> str:
    if data.get("sent") is True:
        return "已派车"
    if data.get("sent") is False:
        return "还没有车"
    return ""


def _with(text: str, note: str) -> str:
    return f"{text}：{note}" if note else text
