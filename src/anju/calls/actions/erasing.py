"""What calls forget of a person whose data are deleted (SYS-04): the call stays as a figure, its words and numbers go."""

from __future__ import annotations

from collections.abc import Collection
from uuid import UUID

from django.db import transaction
from django.db.models import Q

from anju.calls.flow import CALL, CALL_BACK
from anju.calls.models import Call, CallBack, Command, Leg
from anju.elders.checks import NotAccepted
from anju.kernel import forgetting


@transaction.atomic
def erase_person(*, elder_id: int, home_id: int, home_empty: bool) -> int:
    """Empty name, number, note, tags and what was read aloud in her calls; how many calls. A call that is up refuses.

    Times, results, seats and keys pressed stay, and so does the sealed recording until its term is over (SH ⑦: 36 months):
    it is evidence of what the centre did, lies encrypted under the number of the call, and nothing leads to it by name.
    """
    whose = Q(elder_id=elder_id) | (Q(home_id=home_id) if home_empty else Q(pk__in=[]))
    calls = Call.objects.select_for_update(of=("self",)).filter(whose)
    if (
        calls.exclude(state="ended").exists()
        or CallBack.objects.filter(call__in=calls).exclude(state__in=["done", "closed"]).exists()
    ):
        raise NotAccepted("还有进行中的通话或未完成的回拨，结束以后才能删除个人信息")
    return _empty(list(calls.values_list("pk", "call_id")))


@transaction.atomic
def forget_matters(refs: Collection[str]) -> int:
    """The same for calls with people who have no file, by what they were for; how many. Those that are up stay for now."""
    calls = Call.objects.select_for_update(of=("self",)).filter(ref__in=refs, state="ended")
    return _empty(list(calls.values_list("pk", "call_id")))


def _empty(ids: list[tuple[int, UUID]]) -> int:
    pks = [pk for pk, _ in ids]
    Call.objects.filter(pk__in=pks).update(
        whom="", number="", caller_index="", says="", says_after_key="", note="", candidates=[], tags=[], elder_id=None
    )
    Leg.objects.filter(call__in=pks).update(name="", number="")
    CallBack.objects.filter(call__in=pks).update(number="", caller_index="", elder_id=None)
    for command in Command.objects.filter(call_id__in=[call_id for _, call_id in ids]):
        command.args = {}
        command.save(update_fields=["args"])
    backs = CallBack._base_manager.filter(call__in=pks).values_list("pk", flat=True)
    forgetting.story(CALL.name, pks)
    forgetting.story(CALL_BACK.name, list(backs))
    return len(pks)
