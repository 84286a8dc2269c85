"""What the call bar shows: the seat's state, the parties of its call, what can be pressed. No rules here, only words."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from anju.accounts.models import User
from anju.calls import queries as calls
from anju.calls.actions.seats import BREAK_REASONS
from anju.calls.queries import LegView, LiveCallView, SeatView
from anju.elders import queries as elders
from anju.kernel import clock
from anju.knowledge.sop import queries as sop
from anju.portals.desk import people
from anju.portals.desk.models import Telephone

STATES = {
    "off": ("离席", "mute", "away"),
    "ready": ("就绪", "ok", "check"),
    "ringing": ("振铃", "emergency", "bell"),
    "talking": ("通话", "work", "phone"),
    "wrap_up": ("整理", "mute", "pen"),
    "break": ("小休", "mute", "pause"),
}
"""state of a seat → word, look, icon"""
ROLE_ICONS = {
    "caller": "phone-in", "elder": "phone", "contact": "phone-out", "agent": "headset", "agent_b": "headset", "doctor": "heart",
    "expert": "user", "social": "users", "grid": "pin", "property": "building", "committee": "building", "120": "ambulance",
    "110": "shield", "119": "flame", "supervisor": "ear", "robot": "volume", "other": "phone-out",
}  # fmt: skip
LEG_WORDS = {"planned": "正在拨", "ringing": "振铃中", "talking": "", "held": "保持中，听音乐", "ended": "已离开"}
WRAP_RESULTS = (("求助", "求助"), ("咨询", "咨询"), ("关怀", "关怀"), ("误按", "误按"), ("打错", "打错"))
WRAP_TAGS = ("听力不便", "情绪低落", "要上门看", "投诉", "设备问题")
WRAP_WORDS = frozenset({value for value, _ in WRAP_RESULTS} | set(WRAP_TAGS))


@dataclass(frozen=True, slots=True)
class Party:
    """One party in the call bar."""

    key: str
    leg: str
    state: str
    icon: str
    title: str
    note: str
    since: datetime | None
    urgent: bool
    actions: tuple[dict[str, str], ...] = ()


def bar(user: User) -> dict[str, Any]:
    """Everything of the call bar for this user."""
    seat, call = calls.seat_of(user.pk), calls.my_call(user.pk)
    talk = "" if call is None or call.state == "wrap_up" else "ringing" if call.state == "ringing" else "talking"
    mine = next((one for one in call.legs if one.mine and one.state != "ended"), None) if call else None
    if talk == "talking" and (mine is None or mine.answered_at is None):
        talk = ""
    parties = [] if call is None or talk == "" else [p for p in call.legs if not p.mine and p.state != "ended"]
    held = any(p.state == "held" for p in parties)
    consulting = held and any(p.role != "caller" and p.state in {"planned", "ringing", "talking"} for p in parties)
    supervising = mine is not None and mine.role == "supervisor"
    several = len(parties) > 1
    state = seat.state if seat else "off"
    label, kind, icon = STATES[state]
    if state == "ringing" and call is not None and not call.emergency:
        kind = "warn"
    telephone = Telephone.objects.filter(user=user).first()
    return {
        "state": state if user.seat_number else "", "state_label": label, "state_kind": kind, "state_icon": icon,
        "reason": seat.reason if seat and state in {"break", "off"} else "",
        "since": seat.since if seat and state != "off" else None,
        "locked": "通话结束后生效。" if state in {"ringing", "talking"} else "", "reasons": [r for r in BREAK_REASONS if r != "未接"],
        "about": _about(user, seat), "talk": talk, "call_id": call.call_id if call and talk else "",
        "urgent": ("emergency" if call.emergency else "call") if call and talk == "ringing" else "",
        "muted": bool(call and call.muted), "muted_word": ("yes" if call.muted else "no") if call and talk == "talking" else "",
        "held": held and not consulting, "can_hold": bool(parties) and not consulting and not supervising, "consulting": consulting,
        "supervising": talk == "talking" and supervising,
        "can_transfer": talk == "talking" and not supervising, "end_word": "离开" if several or supervising else "挂断",
        "end_title": "您离开，其他人继续" if several or supervising else "挂断",
        "can_dial": calls.can_dial(user.pk), "no_dial": "话机就绪后才能外呼" if state != "off" else "先就绪，再外呼",
        "lines": [_party(p, call, several=several and talk == "talking", rings=talk == "ringing") for p in parties] if call else [],
        "pop": pop_of(call, mine) if talk == "talking" else "",
        "page": telephone.page if telephone else "", "refused": calls.refusal(user.pk) or not_lifted(call),
        "incoming": incoming(call, user) if call and talk == "ringing" else None,
        "wrap": wrap_up(call) if call and call.state == "wrap_up" else None, **_idle(state, seat),
    }  # fmt: skip


def _about(user: User, seat: SeatView | None) -> str:
    where = seat.queue_label if seat and seat.queue_label else ""
    posts = " · ".join(sorted(role.label for role in people.roles(user)))
    return " · ".join(part for part in (f"{user.seat_number} 席" if user.seat_number else "", where or posts) if part)


def _idle(state: str, seat: SeatView | None) -> dict[str, str]:
    """What the bar says while nobody is on the line."""
    icon, title, note = {
        "ready": ("headset", "下一通将振铃到您这里", "紧急优先，按 F8 接听"),
        "break": ("pause", "小休，不振铃", "回来点就绪"),
        "wrap_up": ("pen", "整理上一通", "整理完自动回到就绪"),
        "off": ("away", "未就绪，不振铃", "检查麦克风后点就绪"),
    }.get(state, ("phone", "正在接通", ""))
    if seat and seat.misses and state == "break":
        note = f"连续 {seat.misses} 次未接，已转小休。回来点就绪"
    return {"idle_icon": icon, "idle_title": title, "idle_note": note}


def _party(leg: LegView, call: LiveCallView, *, several: bool, rings: bool) -> Party:
    name = leg.name or (call.whom if leg.role in {"caller", "elder"} else "") or leg.number_masked or "号码未知"
    role = "" if leg.role in {"caller", "other"} or (leg.role == "contact" and leg.name) else f"{leg.role_label} "
    if leg.role in {"120", "110", "119"}:
        name, role = f"{leg.role} 调度", ""
    if leg.role in {"agent", "agent_b", "supervisor"}:
        role = f"{leg.seat} " if leg.seat else f"{leg.role_label} "
    way = "来电" if leg.role == "caller" else "呼出"
    facts = [
        LEG_WORDS.get(leg.state, ""),
        f"{way} {leg.number_masked}" if leg.number_masked and leg.number_masked != name else "",
    ]
    if leg.role == "caller":
        facts += [call.queue_label, f"等了 {call.waited_seconds} 秒" if call.answered_at else ""]
    state = "ringing" if rings and leg.role == "caller" else {"planned": "ringing"}.get(leg.state, leg.state)
    since = (
        call.arrived_at
        if leg.role == "caller" and rings
        else leg.answered_at or (leg.since if state == "ringing" else None)
    )
    acts = ({"verb": "drop", "icon": "x", "title": f"请{name}离开"},) if several else ()
    return Party(
        key=leg.leg_id.replace(".", "-"), leg=leg.leg_id, state=state, icon=ROLE_ICONS.get(leg.role, "phone"), title=f"{role}{name}",
        note=" · ".join(f for f in facts if f) or leg.role_label, since=since,
        urgent=call.emergency and leg.role == "caller" and state == "ringing", actions=acts,
    )  # fmt: skip


def pop_of(call: LiveCallView | None, mine: LegView | None) -> str:
    """What the page opens in the moment of answering: the open case, else who is calling. Not for what one dialled oneself."""
    if call is None or (call.direction == "out" and (mine is None or mine.role == "agent")):
        return ""
    if call.ref.startswith("incident:"):
        return f"/desk/incident/{call.ref.partition(':')[2]}"
    return f"/desk/caller/{call.call_id}"


def incoming(call: LiveCallView, user: User) -> dict[str, Any]:
    """The card while it rings: who, where, how urgent, and why here."""
    elder = next((e for e in [elders.elder(call.elder_id)] if e), None) if call.elder_id else None
    seen = elders.masked(elder, people.roles(user)) if elder else None
    title = "紧急来电" if call.emergency else ("来电" if call.direction == "in" else "呼出，先接起您的话机")
    far = next((leg for leg in call.legs if not leg.mine and leg.state != "ended"), None)
    who = (seen.name if seen else "") or call.whom or (far.name if far else "") or call.number_masked or "没有显示号码"
    about = (
        f"{seen.sex} {seen.age or ''}".strip()
        if seen
        else f"号码对上 {len(call.candidates)} 位老人"
        if call.candidates
        else ""
    )
    where = (
        f"{seen.place_name}{seen.address}"
        if seen
        else "册上没有这个号码"
        if call.direction == "in" and not call.candidates
        else "接起后看"
    )
    how = " · ".join(
        p
        for p in (
            call.number_masked if call.number_masked != who else "", "一键呼叫器" if call.device_id else "",
            f"拨 {call.called}" if call.called else "",
        )
        if p
    )  # fmt: skip
    why = {0: call.queue_label, 1: f"{call.queue_label}溢出到值班长"}.get(call.level, f"{call.queue_label}全体振铃")
    return {
        "emergency": call.emergency, "icon": "sos" if call.emergency else "phone-in", "title": title, "who": who, "about": about, "where": where,
        "how": how, "why": f"优先级 {call.priority} · {why}" if why else f"优先级 {call.priority}", "since": call.arrived_at,
        "after": "不接会转给下一席" if call.direction == "in" else "接起后自动拨对方",
    }  # fmt: skip


NEWS = timedelta(seconds=20)
"""So long the bar says whom she did not reach."""


def not_lifted(call: LiveCallView | None) -> str:
    """Whom the agent asked for in this call and who did not lift, if that was just now: 8002 座席无人接听."""
    legs = (one for one in call.legs if not one.mine and one.ended_at and not one.answered_at) if call else ()
    last = max((one for one in legs if one.role != "caller"), key=lambda one: one.ended_at or one.since, default=None)
    if last is None or last.result in {"", "cancelled"} or clock.now() - (last.ended_at or last.since) > NEWS:
        return ""
    return f"{last.seat or last.name or last.number_masked or '对方'}：{last.said}"


def wrap_up(call: LiveCallView) -> dict[str, Any]:
    """The form after the call."""
    ended = max((leg.ended_at for leg in call.legs if leg.ended_at), default=None)
    talked = int((ended - call.answered_at).total_seconds()) if ended and call.answered_at else 0
    left, results = call.until - clock.now() if call.until else timedelta(), {value for value, _ in WRAP_RESULTS}
    return {
        "call_id": call.call_id, "who": call.whom or call.number_masked or "号码未知", "talked": f"{talked // 60}:{talked % 60:02d}",
        "until": call.until, "total": max(60, left.total_seconds()), "note": call.note,
        "results": [(value, label, value in call.tags or (n == 0 and not results & set(call.tags))) for n, (value, label) in enumerate(WRAP_RESULTS)],
        "tags": [(tag, tag in call.tags) for tag in WRAP_TAGS], "open": call.resolved is False,
        "sheets": sop.of_call(call.call_id), "reasons": sop.REASONS,
    }  # fmt: skip


def engine() -> dict[str, str]:
    """What the strip above the desk says about the engine; state "" when all is well."""
    health = calls.engine_health()
    if not health.running:
        return {
            "state": "down",
            "icon": "alert",
            "title": "话务控制没有运行",
            "say": "来电由应急振铃接听；呼出请用手边的电话，再登记结果。请值班长看运行页。",
        }
    if not health.ok:
        return {
            "state": "down",
            "icon": "alert",
            "title": "话务引擎断开，正在重连",
            "say": f"{health.detail or '接不进、拨不出电话'}。呼出请用手边的电话，再登记结果。",
        }
    if not health.real:
        return {
            "state": "simulated",
            "icon": "alert",
            "title": "模拟话务 — 不能接真实电话",
            "say": "没有接话务引擎，页面上的通话都是演示。",
        }
    return {"state": "", "icon": "", "title": "", "say": ""}
