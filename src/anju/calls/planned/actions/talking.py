"""What an agent does with a call that is hers: ring, and write down how it went (SH 六(五)2: 话后小结)."""

from __future__ import annotations

from django.db import transaction

from anju.calls import actions as calls
from anju.calls.models import Call
from anju.calls.planned.models import PlannedCall
from anju.calls.planned.rules import MOODS
from anju.elders import queries as elders
from anju.kernel.flow import engine
from anju.kernel.flow.engine import Actor, NotAllowed


@transaction.atomic
def dial(*, by: Actor, planned_id: int) -> Call:
    """Ring her from one's own seat; the call carries the matter."""
    call = _hers(planned_id)
    elder = elders.elder(call.elder_id) if call.elder_id else None
    if call.elder_id is None and call.number:
        return calls.dial(by=by, number=call.number, whom=call.name, purpose="other", ref=call.ref, place=call.place)
    if elder is None or not elder.phone:
        raise NotAllowed("档案里没有能拨的号码，请先补上。", code="needs")
    return calls.dial(
        by=by, number=elder.phone, whom=elder.name, purpose="follow_up", ref=call.ref or f"planned:{call.pk}", place=call.place,
        elder_id=elder.pk, home_id=call.home_id,
    )  # fmt: skip


@transaction.atomic
def reached(
    *, by: Actor, planned_id: int, note: str, mood: str = "", needs: str = "", score: int = 0, key: str = ""
) -> PlannedCall:
    """An agent spoke with her: how she was, what she needs."""
    call = _hers(planned_id)
    if not note.strip():
        raise NotAllowed("请写话后小结。", code="reason")
    if mood and mood not in MOODS:
        raise NotAllowed("请从列表里选情绪。", code="needs")
    if call.kind == "follow_up" and not 1 <= score <= 5:
        raise NotAllowed("请选她的评价，1 到 5 分。", code="needs")
    call.mood, call.needs, call.note, call.done_by = mood, needs.strip()[:500], note.strip()[:500], by.user_id
    call.score = score if call.kind == "follow_up" else 0
    call.key = key if key in set("0123456789") else ""
    call.save(update_fields=["mood", "needs", "note", "done_by", "score", "key"])
    engine.make(call, "reached", by)
    return call


@transaction.atomic
def no_answer(*, by: Actor, planned_id: int) -> PlannedCall:
    """Nobody lifted: it stays on the list, its clock starts anew."""
    call = _hers(planned_id)
    call.tried += 1
    call.why = f"坐席也没有联系上，共拨 {call.tried} 次"
    call.save(update_fields=["tried", "why"])
    engine.make(call, "no_answer", by)
    return call


@transaction.atomic
def not_lifted(*, by: Actor, planned_id: int) -> PlannedCall:
    """Of a campaign's call: nobody lifted; this try is over, the campaign knows whether there is another."""
    call = _hers(planned_id)
    call.tried += 1
    call.why = f"{by.name[:40]}拨打，没人接"
    call.save(update_fields=["tried", "why"])
    engine.make(call, "close", by, note="没人接")
    return call


@transaction.atomic
def raised(*, by: Actor, planned_id: int) -> PlannedCall:
    """Nobody reaches her: a case was opened (by whoever asks, who may open cases)."""
    call = _hers(planned_id)
    call.done_by = by.user_id
    call.save(update_fields=["done_by"])
    engine.make(call, "raise_case", by)
    return call


@transaction.atomic
def close(*, by: Actor, planned_id: int, reason: str) -> PlannedCall:
    """She is not rung any more for this; why stays."""
    call = _hers(planned_id)
    call.note, call.done_by = reason.strip()[:500], by.user_id
    call.save(update_fields=["note", "done_by"])
    engine.make(call, "close", by, note=reason)
    return call


def _hers(planned_id: int) -> PlannedCall:
    call = PlannedCall.objects.select_for_update(of=("self",)).filter(pk=planned_id).first()
    if call is None:
        raise NotAllowed("没有这一条，请刷新页面。", code="not_here")
    return call
