"""What came of a campaign that is over, as another system (or the demo) wrote it down. Nothing rings."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from django.db import transaction

from anju.accounts.roles import Role
from anju.calls.campaigns import rules
from anju.calls.campaigns.actions.course import refuse
from anju.calls.campaigns.actions.people import index_of
from anju.calls.campaigns.models import Campaign, CampaignPerson
from anju.elders import queries as elders
from anju.kernel.flow import engine

if TYPE_CHECKING:
    from anju.elders.models import Elder


@dataclass(frozen=True, slots=True)
class PastPerson:
    """Somebody of the list and what came of her: an elder, or a name with a number. `state` is one of PERSON_STATES' ends."""

    state: str
    done_at: datetime
    elder_id: int | None = None
    name: str = ""
    number: str = ""
    key: str = ""
    tried: int = 1
    answered: bool = False
    why: str = ""
    put_off: int = 0


@transaction.atomic
def put_results(*, campaign_id: int, people: Iterable[PastPerson]) -> int:
    """Fill the list of a draft with people who are settled already, and end it; how many."""
    row, some = Campaign.objects.select_for_update(of=("self",)).get(pk=campaign_id, state="draft"), list(people)
    known = elders.by_ids(one.elder_id for one in some if one.elder_id)
    made = CampaignPerson.objects.bulk_create(_person(row, one, known) for one in some)
    for person in made:
        if person.key == rules.NO_MORE:
            refuse(person)
    engine.make(row, "start", engine.Actor(row.made_by, frozenset({Role.LEAD})))
    engine.make(row, "finish", engine.THE_CLOCK)
    return len(made)


def _person(row: Campaign, one: PastPerson, known: dict[int, Elder]) -> CampaignPerson:
    her = known.get(one.elder_id or 0)
    number = her.phone.partition(",")[0] if her else one.number
    return CampaignPerson(
        campaign=row, place=her.home.place if her else row.place, elder_id=her.pk if her else None, home_id=her.home_id if her else None,
        name="" if her else one.name, number="" if her else one.number, number_index=index_of(number), state=one.state, tried=one.tried,
        next_at=one.done_at, answered=one.answered, key=one.key, why=one.why, done_at=one.done_at, put_off=one.put_off,
    )  # fmt: skip
