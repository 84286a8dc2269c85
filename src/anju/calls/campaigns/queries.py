"""What pages ask about campaigns. Names and numbers come out as the asker's roles may see them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime, time

from django.db.models import Count, Q

from anju.calls.campaigns import rules
from anju.calls.campaigns.models import PERSON_STATES, WAYS, Campaign, CampaignPerson
from anju.calls.planned import queries as planned
from anju.calls.queries.history import masked
from anju.elders import masks, words
from anju.elders import queries as elders
from anju.kernel import clock
from anju.places import queries as places

WAY_CHOICES, STATES = list(WAYS.items()), list(PERSON_STATES.items())
FILTERS = (("", "全部"), ("waiting", "待拨"), ("open", "正在联系"), ("done", "已联系上"), ("missed", "未联系上"),
           ("left_out", "没有拨"))  # fmt: skip
ELDER_KINDS, ABILITIES = words.ELDER_KINDS, words.ABILITIES


@dataclass(frozen=True, slots=True)
class Progress:
    """How a campaign stands. `dialled` were rung at least once, `answered` lifted, `keyed` pressed a key or spoke with an agent."""

    people: int
    waiting: int
    dialled: int
    answered: int
    keyed: int
    missed: int
    left_out: int

    @property
    def percent(self) -> int:
        """How much of the list is settled, 0-100."""
        return 100 * (self.people - self.waiting) // self.people if self.people else 0


@dataclass(frozen=True, slots=True)
class CampaignView:
    """A campaign for a page."""

    id: int
    name: str
    purpose: str
    place: str
    place_name: str
    way: str
    way_label: str
    says: str
    spoken: str
    labels: Mapping[str, str]
    window: str
    at_once: int
    tries: int
    gap_minutes: int
    state: str
    state_label: str
    made_by: str
    made_at: datetime
    open_now: bool
    forgotten: bool
    progress: Progress


@dataclass(frozen=True, slots=True)
class PersonRow:
    """Somebody on a list, as the asker may see her."""

    id: int
    elder_id: int | None
    name: str
    number: str
    place_name: str
    state: str
    state_label: str
    tried: int
    answered: bool
    key: str
    answer: str
    why: str
    note: str
    done_at: datetime | None
    put_off: int
    next_at: datetime


def listing(limit: int = 100) -> list[CampaignView]:
    """Campaigns of the asker's scope, the newest first."""
    return _views(list(Campaign.objects.order_by("-id")[:limit]))


def one(campaign_id: int) -> CampaignView | None:
    """One of them, if it is in the scope."""
    found = _views(list(Campaign.objects.filter(pk=campaign_id)))
    return found[0] if found else None


def for_agents() -> list[CampaignView]:
    """Campaigns that agents ring now, with somebody left."""
    rows = Campaign.objects.filter(state="running", way="agent").order_by("until", "id")
    return [view for view in _views(list(rows)) if view.progress.waiting]


def of_planned(ref: str) -> CampaignView | None:
    """The campaign of a planned call ("campaign:7"), for the agent's write-up."""
    kind, _, number = ref.partition(":")
    if kind != "campaign" or not number.isdigit():
        return None
    person = CampaignPerson.objects.filter(pk=int(number)).first()
    return _views([person.campaign])[0] if person is not None else None


def answers(view: CampaignView) -> list[tuple[str, str]]:
    """The answers that an agent may write down: the campaign's, then "no more such calls"."""
    return [*sorted(view.labels.items()), (rules.NO_MORE, "以后不想接这类电话")]


def tally(campaign_id: int) -> list[tuple[str, str, int]]:
    """How often each key was pressed: key, what it means here, how many."""
    row = Campaign.objects.filter(pk=campaign_id).first()
    if row is None:
        return []
    found = CampaignPerson.unscoped.filter(campaign=row).exclude(key="").values_list("key").annotate(n=Count("id"))
    counts = dict(found.order_by())
    keys = sorted({*row.labels, *counts})
    return [(key, rules.label_of(key, row.labels), counts.get(key, 0)) for key in keys]


def people(
    campaign_id: int, roles: Iterable[str], *, state: str = "", start: int = 0, size: int = 50
) -> tuple[list[PersonRow], int]:
    """A page of the list, and how many there are."""
    row = Campaign.objects.filter(pk=campaign_id).first()
    rows = CampaignPerson.objects.filter(campaign_id=campaign_id)
    if row is None:
        return [], 0
    if state in PERSON_STATES:
        rows = rows.filter(state=state)
    found = list(rows.order_by("id")[start : start + size])
    held = frozenset(roles)
    known = elders.by_ids(p.elder_id for p in found if p.elder_id)
    where = places.names_of({p.place for p in found})
    notes = planned.notes_of([p.planned_id for p in found if p.planned_id])

    def shown(p: CampaignPerson) -> tuple[str, str]:
        her = known.get(p.elder_id) if p.elder_id else None
        if her is not None:
            return masks.shown("name", her.name, held), masks.shown("phone", her.phone, held)
        if p.elder_id or not p.number:
            return "（已不保留）", ""
        return p.name or "（没有姓名）", masked(p.number)

    return [
        PersonRow(
            p.pk, p.elder_id, *shown(p), where.get(p.place, p.place), p.state, PERSON_STATES[p.state], p.tried, p.answered, p.key,
            rules.label_of(p.key, row.labels), p.why, notes.get(p.planned_id or 0, ""), p.done_at, p.put_off, p.next_at,
        )
        for p in found
    ], rows.count()  # fmt: skip


def _views(rows: list[Campaign]) -> list[CampaignView]:
    where, now = places.names_of({r.place for r in rows}), clock.local(clock.now())
    counted = _progress([r.pk for r in rows])
    return [
        CampaignView(
            r.pk, r.name, r.purpose, r.place, where.get(r.place, r.place), r.way, WAYS[r.way], r.says,
            rules.spoken(r.says, r.labels) if r.way == "robot" else r.says, r.labels,
            _window(r.first, r.until, r.from_at, r.until_at), r.at_once, r.tries, r.gap_minutes, r.state, r.state_label, r.made_by,
            r.made_at, rules.in_window(now, r.first, r.until, r.from_at, r.until_at), r.forgotten_at is not None, counted[r.pk],
        )
        for r in rows
    ]  # fmt: skip


def _window(first: date, until: date, from_at: time, until_at: time) -> str:
    days = f"{first:%m-%d}" if first == until else f"{first:%m-%d} 到 {until:%m-%d}"
    return f"{days}，每天 {from_at:%H:%M}–{until_at:%H:%M}"


def _progress(ids: list[int]) -> dict[int, Progress]:
    rows = CampaignPerson.unscoped.filter(campaign__in=ids).order_by().values("campaign_id")
    found = rows.annotate(
        people=Count("id"), waiting=Count("id", filter=Q(state__in=["waiting", "open"])),
        dialled=Count("id", filter=Q(tried__gt=0) | Q(state="open")), answered=Count("id", filter=Q(answered=True)),
        keyed=Count("id", filter=Q(state="done")), missed=Count("id", filter=Q(state="missed")),
        left_out=Count("id", filter=Q(state="left_out")),
    )  # fmt: skip
    counted = {
        one["campaign_id"]: Progress(
            one["people"], one["waiting"], one["dialled"], one["answered"], one["keyed"], one["missed"], one["left_out"]
        )
        for one in found
    }  # fmt: skip
    return {pk: counted.get(pk, Progress(0, 0, 0, 0, 0, 0, 0)) for pk in ids}
