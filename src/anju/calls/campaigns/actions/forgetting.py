"""What campaigns forget: of an elder whose data are deleted, and of strangers when the results have been read."""

from __future__ import annotations

from django.db import transaction
from django.db.models import Q

from anju.calls import actions as calls
from anju.calls.campaigns import rules
from anju.calls.campaigns.models import Campaign, CampaignPerson
from anju.calls.planned import actions as planned
from anju.kernel import clock, forgetting
from anju.kernel.scope import EVERYWHERE, seen_by


@transaction.atomic
def forget(*, elder_id: int, home_id: int, home_empty: bool) -> int:
    """A person's data are deleted (SYS-04): her lines stay as figures, nothing leads to her; she is not rung any more."""
    whose = CampaignPerson.objects.filter(Q(elder_id=elder_id) | (Q(home_id=home_id) if home_empty else Q(pk__in=[])))
    ids = list(whose.values_list("pk", flat=True))
    forgetting.empty(whose, keep={"place"})
    mine = CampaignPerson.objects.filter(pk__in=ids)
    mine.filter(state__in=["waiting", "open"]).update(state="left_out", done_at=clock.now())
    CampaignPerson.unscoped.filter(pk__in=ids).update(elder_id=None, home_id=None)
    return len(ids)


def forget_strangers() -> int:
    """Names and numbers of people without a file go some time after the end, in lists, planned calls and calls; how many."""
    with seen_by(EVERYWHERE):
        ended = Campaign.objects.filter(over_at__lt=clock.now() - rules.STRANGERS_KEPT, forgotten_at=None)
        return sum(_forget_strangers(row) for row in ended)


@transaction.atomic
def _forget_strangers(row: Campaign) -> int:
    strangers = CampaignPerson.objects.filter(campaign=row, elder_id=None).exclude(number_index="")
    ids = list(strangers.values_list("pk", flat=True))
    refs = [f"campaign:{pk}" for pk in ids]
    calls.forget_matters(refs)
    planned.forget_matters(refs)
    forgetting.empty(strangers, keep={"place", "why"})
    Campaign.objects.filter(pk=row.pk).update(forgotten_at=clock.now())
    return len(ids)
