"""How a movement reads in the story: short, spoken, with what mattered."""

from __future__ import annotations

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
    if done.by_user is None and done.move in _CLOCK:
        return _with(_CLOCK[done.move], note if done.move in {"late_data"} else "")
    return _with(_said(incident, done), note)


def _said(incident: Incident, done: Movement) -> str:
    data, move = done.data, done.move
    if move == "accept":
        waited = int((done.at - incident.first_alarm_at).total_seconds())
        return f"接警，等候 {max(waited, 0)} 秒"
    if move in {"raised", "rung_again"}:
        return f"优先级由 {data.get('from')} 升到 {data.get('to')}，重新响铃"
    if move == "pressed_again":
        return "确认平安后又报警，重新待接警"
    if move == "call_back":
        return "回拨老人，接通" if data.get("answered") else f"回拨老人，第 {data.get('times')} 次无人应答"
    if move in {"call_120", "call_110", "call_119"}:
        number = move.removeprefix("call_")
        sent = "，已派车" if data.get("sent") and number == "120" else ""
        eta = f"，约 {data['eta_minutes']} 分钟" if data.get("eta_minutes") else ""
        return f"呼 {number}（人工拨打）{sent}{eta}"
    if move == "needs_help":
        return f"需要救援：{data.get('kind_label', '')}"
    if move == "false_alarm":
        return f"误报：{data.get('label', '')}"
    if move == "to_hospital":
        return f"送{data.get('hospital', '医院')}" + (f"，{data['escort']}陪同" if data.get("escort") else "")
    if move == "hand_over":
        return f"{data.get('seat', '')} 席移交给 {data.get('to', '')}"
    if move == "helper_going" and data.get("eta_minutes"):
        return f"{data.get('who', '')}赶来，约 {data['eta_minutes']} 分钟到"
    found = incident.flow.state(done.was).move(move) if done.was else None
    return found.label if found else move


def _answer(data: dict[str, object]) -> str:
    if data.get("sent") is True:
        return "已派车"
    if data.get("sent") is False:
        return "还没有车"
    return str(data.get("position") or data.get("answer") or "")


def _with(text: str, note: str) -> str:
    return f"{text}：{note}" if note else text
