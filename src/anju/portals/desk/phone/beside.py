"""Other calls beside one's own: who waits, who must be rung back, whose call one may join as B seat or (a lead) come into.

The actions check again who may.
"""

from __future__ import annotations

from typing import Any

from anju.accounts.models import User
from anju.accounts.roles import Role
from anju.calls import queries as calls
from anju.calls.queries import LiveCallView
from anju.kernel import clock
from anju.portals.desk import people
from anju.portals.desk.phone import wall
from anju.supervision.contacts import queries as contacts

FREE = frozenset({"ready", "break", "wrap_up"})
"""States of one's own seat from which one may come into another call."""


def of_incident(user: User, incident_id: int) -> dict[str, Any]:
    """The calls of a case that colleagues hold; [] while one speaks in it oneself or nobody speaks."""
    return {
        "lines": _lines(user, [c for c in calls.live_calls() if c.ref == f"incident:{incident_id}"]),
        "incident_id": incident_id,
    }


def all_others(user: User) -> list[dict[str, Any]]:
    """Every call of the scope that colleagues hold, the emergencies first."""
    return _lines(user, sorted(calls.live_calls(), key=lambda c: (not c.emergency, c.arrived_at)))


def _lines(user: User, found: list[LiveCallView]) -> list[dict[str, Any]]:
    seat, lead = calls.seat_of(user.pk), Role.LEAD in people.roles(user)
    free = seat is not None and seat.registered and seat.state in FREE
    shown = []
    for call in found:
        sitting = [
            leg for leg in call.legs if leg.seat and leg.state in {"talking", "held"} and leg.role != "supervisor"
        ]
        if (
            call.state != "talking"
            or not sitting
            or any(leg.user_id == user.pk and leg.state != "ended" for leg in call.legs)
        ):
            continue
        who = "、".join(f"{leg.seat} {leg.name}".strip() for leg in sitting)
        shown.append(
            {"call_id": call.call_id, "who": who, "with": wall.spoken(call), "since": call.answered_at, "emergency": call.emergency,
             "icon": "sos" if call.emergency else "phone", "free": free, "lead": lead,
             "why": "" if free else "您的话机就绪后才能加入"}
        )  # fmt: skip
    return shown


def callers(user: User) -> dict[str, Any]:
    """Who waits, and who must be rung back."""
    can = calls.can_dial(user.pk)
    waiting = [
        {"call_id": c.call_id, "kind": "emergency" if c.emergency else "", "icon": "sos" if c.emergency else "phone-in",
         "who": c.whom or c.number_masked or "没有显示号码", "since": c.arrived_at,
         "note": " · ".join(p for p in (f"优先级 {c.priority}", c.queue_label, "正振铃 " + _rings(c) if _rings(c) else "在排队") if p)}
        for c in calls.waiting()
    ]  # fmt: skip
    backs = [
        {"id": b.id, "kind": "emergency" if b.emergency else "warn", "icon": "refresh", "who": b.whom or b.number_masked or "没有显示号码",
         "due_at": b.due_at if b.state == "waiting" else None, "can": can and b.state == "waiting" and bool(b.number_masked),
         "note": f"{b.why} · {clock.local(b.since):%H:%M}" + (f" · 已拨 {b.attempts} 次" if b.attempts else "")
                 + (" · 回拨中" if b.state != "waiting" else "")}
        for b in calls.call_backs()
    ]  # fmt: skip
    written = [c for c in contacts.open_ones(20) if c.state == "waiting" and (c.urgent or not c.suspect)]
    return {
        "waiting": waiting, "backs": backs, "others": all_others(user),
        "distress": [c for c in written if c.urgent], "letters": [c for c in written if not c.urgent],
    }  # fmt: skip


def _rings(call: LiveCallView) -> str:
    return "、".join(leg.seat for leg in call.legs if leg.state in {"planned", "ringing"} and leg.seat)
