"""Filling the list: elders by a filter, or rows of a sheet that were shown and confirmed before."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from django.db import transaction

from anju.calls.campaigns import rules
from anju.calls.campaigns.actions.steering import mine
from anju.calls.campaigns.models import Campaign, CampaignPerson, DoNotCall
from anju.calls.exchange import NEVER_BY_ITSELF
from anju.elders import identity
from anju.elders import queries as elders
from anju.kernel import audit, clock, crypto
from anju.kernel.flow.engine import Actor, NotAllowed
from anju.kernel.scope import EVERYWHERE, seen_by

if TYPE_CHECKING:
    from anju.elders.models import Elder


@dataclass(frozen=True, slots=True)
class Row:
    """A row of a sheet as it was judged. `fault` says in Chinese why it is not taken; `elder_id` whose number it is."""

    line: int
    name: str
    number: str
    elder_id: int | None = None
    fault: str = ""


def index_of(number: str) -> str:
    """The keyed hash of a number."""
    return crypto.blind(number, "campaign.number")


def checked(cells: Iterable[tuple[int, str, str]]) -> list[Row]:
    """Each row (line, name, number) judged; a number that is an elder's own, in the asker's scope, is hers. Writes nothing."""
    rows = [_checked(line, " ".join(name.split())[:40], said.strip()[:40]) for line, name, said in cells]
    whose = elders.owners_of(row.number for row in rows if not row.fault)
    found: list[Row] = []
    seen: dict[str, int] = {}
    for row in rows:
        fault = row.fault
        if not fault and row.number in seen:
            fault = f"和第 {seen[row.number]} 行是同一个号码"
        elif not fault:
            seen[row.number] = row.line
        found.append(replace(row, fault=fault, elder_id=None if fault else whose.get(row.number)))
    return found


def _checked(line: int, name: str, said: str) -> Row:
    if not said:
        return Row(line, name, "", fault="没有填号码")
    try:
        number = identity.phone_of(said)
    except identity.BadNumber as wrong:
        return Row(line, name, said, fault=str(wrong))
    if number in NEVER_BY_ITSELF or len(number) < 7:
        return Row(line, name, said, fault="公用短号码不能放进外呼任务")
    return Row(line, name, number, fault="带分机的号码机器人拨不了，请换一个" if "," in number else "")


@transaction.atomic
def put_rows(*, by: Actor, campaign_id: int, cells: Iterable[tuple[int, str, str]]) -> tuple[int, int]:
    """Take rows that somebody saw and confirmed, judged once more; (how many new, how many of them are left out already)."""
    row = _open(by, campaign_id)
    good = [one for one in checked(cells) if not one.fault]
    known = elders.by_ids(one.elder_id for one in good if one.elder_id)
    people = [_of_row(row, one, known.get(one.elder_id or 0)) for one in good]
    return _put(row, people)


@transaction.atomic
def put_elders(
    *, by: Actor, campaign_id: int, place: str = "", kinds: Sequence[str] = (), abilities: Sequence[str] = (), from_age: int = 0
) -> tuple[int, int]:  # fmt: skip
    """Elders of the asker's scope by place, kind, ability and age; (how many new, how many of them are left out already)."""
    row = _open(by, campaign_id)
    found = elders.chosen(place=place, kinds=kinds, abilities=abilities, from_age=from_age)
    if not found:
        raise NotAllowed("没有符合条件的服务对象，请放宽条件。", code="needs")
    return _put(row, [_of_elder(row, elder) for elder in found])


def _open(by: Actor, campaign_id: int) -> Campaign:
    row = mine(by, campaign_id)
    if row.state != "draft":
        raise NotAllowed("已经开始的外呼任务不再加人，请另建一个。", code="needs")
    return row


def _of_row(row: Campaign, one: Row, elder: Elder | None) -> CampaignPerson:
    if elder is not None:
        return _of_elder(row, elder)
    index = index_of(one.number)
    return CampaignPerson(campaign=row, place=row.place, name=one.name, number=one.number, number_index=index)


def _of_elder(row: Campaign, elder: Elder) -> CampaignPerson:
    """Who is away or in need today may be well on the day of her call: that is asked when she is rung."""
    index = index_of(elder.phone.partition(",")[0])
    it = CampaignPerson(
        campaign=row, place=elder.home.place, elder_id=elder.pk, home_id=elder.home_id, number_index=index
    )
    if elder.status != "approved":
        it.why = "停机或服务未开始"
    elif not elder.phone.strip():
        it.why = "档案里没有能拨的号码"
    elif "," in elder.phone and row.way == "robot":
        it.why = "带分机的号码，机器人拨不了"
    return it


def _put(row: Campaign, people: list[CampaignPerson]) -> tuple[int, int]:
    """Write them; who is there already is passed over, who does not want it is left out."""
    now, there = clock.now(), set(CampaignPerson.unscoped.filter(campaign=row).values_list("number_index", flat=True))
    elders_there = set(CampaignPerson.unscoped.filter(campaign=row).values_list("elder_id", flat=True)) - {None}
    with seen_by(EVERYWHERE):
        indexes = [p.number_index for p in people]
        refused = set(DoNotCall.objects.filter(number_index__in=indexes).values_list("number_index", flat=True))
    fresh: list[CampaignPerson] = []
    for it in people:
        if (it.number_index and it.number_index in there) or (it.elder_id and it.elder_id in elders_there):
            continue
        there.add(it.number_index)
        elders_there.add(it.elder_id)
        it.next_at = now
        if it.number_index in refused:
            it.why = "本人不想接这类电话"
        if it.why:
            it.state, it.done_at = "left_out", now
        fresh.append(it)
    if len(there) > rules.MOST:
        raise NotAllowed(f"一个外呼任务最多 {rules.MOST} 人，请分开做。", code="needs")
    CampaignPerson.objects.bulk_create(fresh)
    left = sum(it.state == "left_out" for it in fresh)
    detail = {"new": len(fresh), "left_out": left}
    audit.record("campaign.filled", subject="campaign", subject_id=row.pk, place=row.place, detail=detail)
    return len(fresh), left
