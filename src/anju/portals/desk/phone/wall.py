"""The wallboard: waiting, levels, queues, seats, and what a lead may do about it."""

from __future__ import annotations

from collections import Counter
from typing import Any

from anju.accounts.models import User
from anju.accounts.roles import Role
from anju.calls import kpis
from anju.calls import queries as calls
from anju.calls.levels import actions as level_actions
from anju.calls.levels import queries as levels
from anju.calls.queries import LiveCallView, SeatView
from anju.kernel import clock
from anju.kernel.flow.actor import Actor, NotAllowed
from anju.portals.desk import people
from anju.portals.desk.phone.bar import STATES

LONG_WAIT = 15
"""Seconds after which a wait is said in amber (the 15-second level)."""
MODES = ("listen", "whisper", "barge")
"""How a lead comes into a colleague's call."""


def spoken(call: LiveCallView, *, public: bool = False) -> str:
    """Whom this call is with, in a few words; on a wall that everybody sees only the surname."""
    who = call.whom or call.number_masked or "没有显示号码"
    return f"{who[0]}**" if public and call.whom else who


def board(user: User, *, public: bool = False) -> dict[str, Any]:
    """Waiting, levels, queues, seats, and what a lead may do about it."""
    now, roles = clock.now(), people.roles(user)
    lead = Role.LEAD in roles
    seats, waiting, live = calls.seats(), calls.waiting(), {c.call_id: c for c in calls.live_calls()}
    backs = calls.call_backs()
    queues = [
        {"code": q.code, "name": q.name, "emergency": q.emergency, "waiting": sum(c.queue == q.code for c in waiting),
         "longest": max((int((now - c.arrived_at).total_seconds()) for c in waiting if c.queue == q.code), default=0),
         "bound": sum(s.queue == q.code for s in seats), "overflow": q.overflow_seconds}
        for q in calls.queues()
    ]  # fmt: skip
    return {
        "now": now, "lead": lead, "queues": queues, "proposals": _proposals() if lead else [],
        "stats": _stats(len(backs)), "states": _states(seats),
        "waiting": [
            {"call_id": c.call_id, "kind": "emergency" if c.emergency else "", "icon": "sos" if c.emergency else "phone-in",
             "who": spoken(c, public=public),
             "note": f"{c.queue_label} · 优先级 {c.priority}", "since": c.arrived_at}
            for c in waiting
        ],
        "seats": [
            _seat(s, live.get(s.call_id), user, lead=lead, public=public)
            for s in sorted(seats, key=lambda s: (s.state == "off", s.extension))
        ],
    }  # fmt: skip


def _seat(seat: SeatView, call: LiveCallView | None, user: User, *, lead: bool, public: bool) -> dict[str, Any]:
    word, kind, icon = STATES[seat.state]
    if call is not None and call.emergency and seat.state == "talking":
        kind, icon, word = "emergency", "sos", "处置"
    elif seat.state == "ringing":
        kind = "warn"
    about = (
        spoken(call, public=public) if call is not None else seat.reason if seat.state == "break" else seat.queue_label
    )
    return {
        "user_id": seat.user_id, "extension": seat.extension, "name": seat.name, "word": word, "kind": kind, "icon": icon,
        "since": seat.since if seat.state != "off" else None, "about": about, "queue": seat.queue, "queue_label": seat.queue_label,
        "call_id": seat.call_id if call is not None and seat.state == "talking" else "", "is_lead": seat.is_lead,
        "spy": lead and call is not None and seat.state == "talking" and seat.user_id != user.pk,
        "lost": seat.state != "off" and not seat.registered,
    }  # fmt: skip


def _states(seats: list[SeatView]) -> list[dict[str, Any]]:
    number = Counter(seat.state for seat in seats)
    order = ("ready", "ringing", "talking", "wrap_up", "break", "off")
    return [
        {
            "word": STATES[s][0],
            "kind": STATES[s][1] if s != "ringing" else "warn",
            "icon": STATES[s][2],
            "count": number[s],
        }
        for s in order
    ]


def _stats(backs: int) -> list[dict[str, Any]]:
    """Today's figures; one that misses its target is ink with an amber note."""
    now = kpis.live()
    longest = int(now.longest_wait_seconds)
    found = [
        {"name": "等待", "value": now.waiting, "unit": "", "note": f"最久 {longest} 秒" if now.waiting else "没有人在等", "meaning": "",
         "kind": "warn" if longest > LONG_WAIT else ""},
    ]  # fmt: skip
    for name in ("level_15", "level_20", "answer_rate"):
        kpi = kpis.KPIS[name]
        value = kpi.of(now.today)
        missed = value is not None and kpi.target is not None and value < kpi.target
        target = f"目标 {kpi.target:g}{kpi.unit}" if kpi.target is not None else f"今日 {now.today.offered} 通"
        found.append(
            {"name": kpi.label, "value": "—" if value is None else f"{value:.1f}", "unit": "" if value is None else kpi.unit,
             "note": f"低于{target}" if missed else target, "meaning": kpi.sentence, "kind": "warn" if missed else ""}
        )  # fmt: skip
    lost = now.today.abandoned
    found.append(
        {"name": "放弃", "value": lost, "unit": "", "note": f"{backs} 通要回拨" if backs else "紧急的都已回拨" if lost else "没有",
         "meaning": kpis.KPIS["calls_abandoned"].sentence,
         "kind": "warn" if backs else ""}
    )  # fmt: skip
    found.append(
        {
            "name": "通话中",
            "value": now.talking,
            "unit": "",
            "note": f"今日 {now.today.offered} 通来电",
            "meaning": "",
            "kind": "",
        }
    )
    return found


def _proposals() -> list[dict[str, Any]]:
    """What the falling level proposes, to be taken by one click."""
    return [
        {
            "id": one.id,
            "title": f"建议 {one.extension} {one.seat_name} 改接{one.to_queue_name}",
            "why": one.why,
            "go": "采纳",
        }
        for one in levels.proposals()
    ]


def settle(proposal_id: int, how: str, by: Actor) -> None:
    """Take or decline a proposal."""
    if how == "take":
        level_actions.take(proposal_id=proposal_id, by=by)
    elif how == "decline":
        level_actions.decline(proposal_id=proposal_id, by=by)
    else:
        raise NotAllowed("只能采纳或不采纳。", code="needs")
