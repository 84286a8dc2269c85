"""A person's data are deleted: her archived cases keep what the books count and lose what names her."""

from __future__ import annotations

from django.db import OperationalError, transaction

from anju.elders.checks import NotAccepted
from anju.incidents.flow import ATTEMPT, BELL, CALL_BACK, INCIDENT
from anju.incidents.models import Attempt, Bell, ElderCall, Entry, Incident
from anju.kernel import forgetting
from anju.kernel.forgetting import FORGOTTEN
from anju.kernel.scope import EVERYWHERE, seen_by
from anju.notices import actions as notices

__all__ = ["FORGOTTEN", "forget"]
_STAFF = ("A", "B", "lead", "system", "device")
"""Sources of a line whose author is a post or the platform, never somebody of hers."""


def forget(*, elder_id: int) -> int:
    """Empty the frozen plans, outcomes, lines, moves and messages of all her cases; how many. An open case refuses (NotAccepted).

    Times, states, seats, duties, the class of the outcome and which colleague wrote each line stay.
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
            case.unknown_key = case.cause = ""
            case.answers = forgetting.codes(case.answers)
            case.save(update_fields=["plan", "outcome", "unknown_key", "cause", "answers"])
        for entry in Entry.objects.filter(incident__in=cases):
            entry.text, entry.data = FORGOTTEN, forgetting.codes(entry.data)
            entry.by = entry.by if entry.source in _STAFF else ""
            entry.save(update_fields=["text", "data", "by"])
        ids = [case.pk for case in cases]
        forgetting.story(INCIDENT.name, ids)
        for flow, model in ((ATTEMPT, Attempt), (CALL_BACK, ElderCall), (BELL, Bell)):
            rows = model._base_manager.filter(incident__in=ids)
            forgetting.story(flow.name, rows.values_list("pk", flat=True))
        Attempt.objects.filter(incident__in=ids).update(proof={})
        Bell.objects.filter(incident__in=ids).update(text=FORGOTTEN)
    notices.forget(refs=[f"incident:{pk}" for pk in ids])
    return len(cases)
