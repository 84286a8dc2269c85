"""A service call that turns out to be an emergency: the agent says so, and the story begins with the call."""

from __future__ import annotations

from django.db import transaction

from anju.calls import actions as calls
from anju.calls import queries as call_queries
from anju.incidents import rules
from anju.incidents.actions.opening import open_by_hand
from anju.incidents.actions.story import locked, ref, source_of, write
from anju.incidents.actions.telephone import case_of
from anju.incidents.models import Incident
from anju.kernel import clock
from anju.kernel.flow.engine import Actor, NotAllowed
from anju.kernel.scope import EVERYWHERE, seen_by


@transaction.atomic
def open_from_call(
    *, call_id: str, by: Actor, kind: str = "call", kind_label: str = "来电求助", priority: int = 9, place: str = "",
    home_id: int | None = None, elder_id: int | None = None, phone: str = "", address: str = "", what: str = "",
) -> Incident:  # fmt: skip
    """Make a case of this call, or join it to the home's open one. What is not said is taken from the call.

    Asked twice for one call, it answers with the same case. Who asks has accepted it.
    """
    with seen_by(EVERYWHERE):
        call = call_queries.call(call_id)
    if call is None:
        raise NotAllowed("没有这次通话，请刷新页面", code="not_here")
    if case_of(call.ref) is not None:
        return locked(case_of(call.ref) or 0)
    home, elder = home_id or call.home_id, elder_id or call.elder_id
    with seen_by(EVERYWHERE):
        calls.link(call_id=call_id, home_id=home, elder_id=elder)  # its row first: calls are locked before cases
    began = f"{clock.local(call.at):%H:%M:%S} 来电，{rules.spoken(_talked(call))}后转为紧急事件"
    joined = _open_of(home)
    if joined is not None:
        write(joined, source=source_of(joined, by), kind="call", text=f"{began}，并入本案{_said(what)}", by=by.name,
              data={"call_id": call_id})  # fmt: skip
        incident = joined
    else:
        incident = open_by_hand(
            by=by, place=place or call.place, kind=kind, kind_label=kind_label, priority=priority, home_id=home,
            elder_id=elder, phone=phone or call_queries.number_of(call_id), address=address, what=what, at=call.at,
        )  # fmt: skip
        write(incident, source="call", kind="call", text=began, at=call.at, data={"call_id": call_id, "in": True})
    with seen_by(EVERYWHERE):
        calls.link(call_id=call_id, ref=ref(incident), home_id=home, elder_id=elder)
    incident.refresh_from_db()
    return incident


def _open_of(home_id: int | None) -> Incident | None:
    if home_id is None:
        return None
    rows = Incident.objects.select_for_update(of=("self",)).filter(home_id=home_id, drill=False)
    return rows.filter(state__in=rules.OPEN_BEFORE_FOLLOW_UP).order_by("-opened_at").first()


def _talked(call: call_queries.CallView) -> int:
    since = call.answered_at or call.at
    return int(((call.ended_at or clock.now()) - since).total_seconds())


def _said(what: str) -> str:
    return f"：{what.strip()}" if what.strip() else ""
