"""Somebody of whom nothing was known turns out to be somebody: the case learns who and where."""

from __future__ import annotations

from typing import Any

from django.db import transaction

from anju.elders import queries as elders
from anju.incidents import plan as plans
from anju.incidents import rules
from anju.incidents.actions import opening
from anju.incidents.actions.story import locked, source_of, write
from anju.incidents.models import Incident
from anju.kernel import clock
from anju.kernel.flow.engine import Actor, NotAllowed
from anju.kernel.scope import EVERYWHERE, seen_by
from anju.places import queries as places


@transaction.atomic
def identify(
    *, incident_id: int, by: Actor, elder_id: int | None = None, phone: str = "", address: str = "", what: str = ""
) -> Incident:
    """Say afterwards who an unknown caller is: an elder of the files, or somebody with an address and a number.

    For an elder the plan is frozen now, with her contacts, consent and entrance (what was typed before stays in it). Not
    for a case that has its home already, and not when that home has an open case: then they belong together there.
    """
    phone, address, what = (t.replace("\x00", "").strip()[:500] for t in (phone, address, what))
    if elder_id is None and not (phone or address or what):
        raise NotAllowed("请选服务对象，或写地址、回电号码", code="needs")
    with seen_by(EVERYWHERE):
        elder = elders.elder(elder_id) if elder_id is not None else None
        if elder_id is not None and elder is None:
            raise NotAllowed("册上没有这位服务对象，请刷新后再选", code="needs")
    incident = locked(incident_id)
    if incident.home_id is not None:
        raise NotAllowed("这件事已经知道是哪一户", code="not_here")
    if incident.state not in rules.OPEN_BEFORE_FOLLOW_UP:
        raise NotAllowed("事件已处置完，不能再改是谁", code="not_here")
    caller: dict[str, Any] = dict(incident.plan.get("caller", {}))
    caller |= {k: v for k, v in (("phone", phone), ("address", address), ("what", what)) if v}
    if elder is None:
        incident.plan = incident.plan | {"caller": caller}
        incident.save(update_fields=["plan"])
        text = "查明来电人：" + "，".join(v for v in (address, phone, what) if v)
    else:
        _belongs(incident, elder, caller)
        text = f"查明是 {elder.name}（档案 {elder.number}），已按档案列出联系人和授权"
    write(incident, source=source_of(incident, by), kind="identified", text=text, by=by.name, data={"elder": elder_id})
    return incident


def _belongs(incident: Incident, elder: Any, caller: dict[str, Any]) -> None:
    # A batch of alarms may hold this case and wait for that home: who came the other way round would wait in a circle.
    if not opening.at_once(f"home:{elder.home_id}"):
        raise NotAllowed("这户正好有新的报警进来，请看一眼队列再点一次", code="not_here")
    with seen_by(EVERYWHERE):
        other = Incident.objects.filter(
            home_id=elder.home_id, drill=False, state__in=rules.OPEN_BEFORE_FOLLOW_UP
        ).first()
        if other is not None:
            raise NotAllowed(f"这户已有未结事件 {other.number}，请在那里处置，把本案注明后结束", code="not_here")
        frozen = elders.freeze(elder.home_id, elder.pk, clock.now())
        policy = places.policy_for(elder.home.place)
        incident.plan = plans.build(frozen, policy.version, policy.seconds) | {"caller": caller}
        incident.home_id, incident.elder_id, incident.place = elder.home_id, elder.pk, elder.home.place
        incident.save(update_fields=["plan", "home", "elder", "place"])
