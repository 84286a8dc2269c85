"""A person's data are deleted: her archived cases keep what the books count and lose what names her."""

from __future__ import annotations

from django.db import OperationalError, transaction

from anju.elders.checks import NotAccepted
from anju.incidents.models import Entry, Incident
from anju.kernel.scope import EVERYWHERE, seen_by

FORGOTTEN = "（个人信息已删除）"


def forget(*, elder_id: int) -> int:
    """Empty the frozen plans, outcomes and lines of all her cases; how many. An open case refuses (NotAccepted).

    Times, states, seats, duties, the class of the outcome and who wrote each line stay.
    """
    with seen_by(EVERYWHERE):
        try:  # her record is locked already, and who closes a case of hers comes the other way: nobody waits here
            with transaction.atomic():
                cases = list(Incident.objects.select_for_update(of=("self",), nowait=True).filter(elder=elder_id))
        except OperationalError:
            raise NotAccepted("她的事件正有人在处置，请稍后再删除个人信息") from None
        if still := [case.number for case in cases if case.state != "closed"]:
            raise NotAccepted(f"有未归档的事件 {'、'.join(still)}，归档以后才能删除个人信息")
        for case in cases:
            case.plan = {"policy": case.plan.get("policy") or {}, "erased": True}
            case.outcome = FORGOTTEN if case.outcome else ""
            case.unknown_key = ""
            case.save(update_fields=["plan", "outcome", "unknown_key"])
        for entry in Entry.objects.filter(incident__in=cases):
            entry.text = FORGOTTEN
            entry.save(update_fields=["text"])
    return len(cases)
