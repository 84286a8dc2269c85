"""Who is calling: the page that opens in the moment of answering, when no case is open for her yet."""

from __future__ import annotations

from typing import Any

from django.http import Http404
from django.utils.crypto import get_random_string

from anju.accounts.models import User
from anju.calls import queries as calls
from anju.calls.lines import queries as lines
from anju.calls.queries import LiveCallView
from anju.elders import queries as elders
from anju.incidents import queries as incidents
from anju.kernel import clock
from anju.kernel.scope import EVERYWHERE, seen_by
from anju.portals.desk import assemble, people, present

URGENCIES = (("9", "紧急，可能有危险"), ("7", "急，要人去看"), ("3", "不急"))


def of_call(user: User, call_id: str) -> LiveCallView:
    """The call at this seat, or one of the scope; 404 else."""
    mine = calls.my_call(user.pk)
    if mine is not None and mine.call_id == call_id:
        return mine
    found = next((c for c in calls.live_calls() if c.call_id == call_id), None)
    if found is None:
        raise Http404("这通电话已经结束，或不在您的管辖范围内。")
    return found


def page(user: User, call_id: str) -> dict[str, Any]:
    """What the page shows."""
    call = of_call(user, call_id)
    roles = people.roles(user)
    elder = elders.elder(call.elder_id) if call.elder_id else None
    seen = elders.masked(elder, roles) if elder else None
    found = [] if seen else [c for c in (_candidate(user, one) for one in call.candidates) if c]
    if seen:
        who, about, where = (
            seen.name,
            f"{seen.sex} {seen.age or ''} 岁".strip() if seen.age else seen.sex,
            f"{seen.place_name}{seen.address}",
        )
    else:
        who, about = (call.number_masked or "没有显示号码"), "在册多人，先问是谁" if found else "册上没有这个号码"
        where = "先问在哪里"
    line = " · ".join(
        p
        for p in (
            call.queue_label,
            f"等了 {call.waited_seconds} 秒",
            f"拨 {call.called} {lines.called_as(call.called)}".strip() if call.called else "",
        )
        if p
    )
    return {
        "now": clock.now(),
        "caller": {
            "call_id": call.call_id, "id": call.call_id[:8], "kind": "emergency" if call.emergency else "work",
            "icon": "sos" if call.emergency else "phone-in",
            "title": "紧急来电" if call.emergency else "来电", "who": who, "about": about, "where": where, "line": line,
            "elder_id": call.elder_id if seen else None,
            "number": call.number, "found": found, "case": _case(user, call), "once": get_random_string(16), "urgencies": URGENCIES,
            "priority": "9" if call.emergency else "7", "past": _past(call),
        },
        "file": assemble.file(user, call.elder_id, {}) if seen else [],
    }  # fmt: skip


def _candidate(user: User, elder_id: int) -> dict[str, Any] | None:
    row = elders.elder(elder_id)
    if row is None:
        return None
    seen = elders.masked(row, people.roles(user))
    return {
        "id": seen.id,
        "name": seen.name,
        "about": f"{seen.sex} {seen.age or ''}".strip(),
        "where": f"{seen.place_name}{seen.address}",
    }


def _case(user: User, call: LiveCallView) -> dict[str, Any] | None:
    if call.ref.startswith("incident:"):
        return {"id": int(call.ref.partition(":")[2]), "label": "这通电话已并入事件"}
    open_id = incidents.open_of_home(call.home_id) if call.home_id else None
    if open_id is None:
        return None
    head = incidents.head(open_id, people.roles(user))
    return {"id": head.id, "label": f"{head.kind_label} · {head.state_label}"}


def _past(call: LiveCallView) -> list[dict[str, str]]:
    if not call.number:
        return []
    rows, _ = calls.page(number=call.number, limit=6)
    return [
        {"icon": "phone-in" if row.direction == "in" else "phone-out", "what": f"{row.purpose_label} · {row.result_label}",
         "note": row.note or row.whom,
         "when": present.day_time(row.at, clock.now())}
        for row in rows
        if row.call_id != call.call_id
    ][:5]  # fmt: skip


def place_of(call: LiveCallView, user: User) -> str:
    """Where a case of this caller belongs: the call's place, never empty."""
    with seen_by(EVERYWHERE):
        return call.place or people.reception(user)
