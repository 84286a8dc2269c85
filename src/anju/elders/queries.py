"""What may be asked about homes and the people who live in them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime

from django.db.models.expressions import OrderBy

from anju.elders import identity, masks, rules, words
from anju.elders.finding import Found, by_phone, owners_of, search
from anju.elders.freezing import available, freeze, holds
from anju.elders.masks import View
from anju.elders.models import Consent, Contact, Elder, HistoryLine, Home
from anju.kernel import clock
from anju.kernel.models import AuditLine
from anju.places import queries as places

__all__ = [
    "ContactView",
    "Found",
    "Looker",
    "MaskedElder",
    "by_phone",
    "chosen",
    "consents_of",
    "contacts_of",
    "covered",
    "elder",
    "elders_of",
    "freeze",
    "history_of",
    "home",
    "homes",
    "lookers",
    "main_elder",
    "masked",
    "masked_contacts",
    "missing",
    "owners_of",
    "page_of",
    "search",
    "services_for",
]


@dataclass(frozen=True, slots=True)
class MaskedElder:
    """A file as some roles see it. Texts are already masked; `uncover` names the fields that may be shown for a reason."""

    id: int
    home_id: int
    number: str
    name: str
    sex: str
    age: int | None
    phone: str
    id_number: str
    place: str
    place_name: str
    address: str
    kind: str
    status: str
    status_label: str
    ability: str
    health_state: str
    illnesses: str
    chronic: str
    allergies: str
    self_rescue: str
    hobbies: str
    habits: str
    other: str
    hearing_note: str
    water_no: str
    electricity_no: str
    gas_no: str
    entrance: str
    access_note: str
    key_note: str
    service_from: date | None
    service_until: date | None
    authority: bool
    """Whether a signed consent lets the centre dial 110, 119 and 120 today."""
    uncover: frozenset[str]


@dataclass(frozen=True, slots=True)
class Looker:
    """Somebody who opened or uncovered a file (EXT-15)."""

    at: datetime
    name: str
    action: str
    field: str
    reason: str
    result: str


@dataclass(frozen=True, slots=True)
class ContactView:
    """A contact as some roles see it, in the order of calling."""

    id: int
    turn: int
    kind: str
    kind_label: str
    name: str
    relation: str
    sex: str
    phone: str
    address: str
    has_key: bool
    eta_minutes: int | None
    available_now: bool
    flagged_reason: str


def home(home_id: int) -> Home | None:
    """The home, if it is in the current scope."""
    return Home.objects.filter(pk=home_id).first()


def homes(*, place: str = "") -> list[Home]:
    """Homes of the current scope, or of a place in it."""
    found = Home.objects.all()
    if place:
        found = found.filter(area__startswith=places.prefix_of(place))
    return list(found.order_by("id"))


def elder(elder_id: int) -> Elder | None:
    """The file, if it is in the current scope."""
    return Elder.objects.select_related("home").filter(pk=elder_id).first()


def by_ids(elder_ids: Iterable[int]) -> dict[int, Elder]:
    """Several files of the asker's scope at once; who is not seen is not in it."""
    return {e.pk: e for e in Elder.objects.filter(pk__in=set(elder_ids)).select_related("home")}


def chosen(
    *, place: str = "", kinds: Sequence[str] = (), abilities: Sequence[str] = (), from_age: int = 0
) -> list[Elder]:
    """Everybody of the asker's scope whose service has not ended and whom all that is asked fits; "" and () ask nothing."""
    found = Elder.objects.select_related("home").exclude(status__in=["ended", "draft"])
    if place:
        found = found.filter(home__area__startswith=places.prefix_of(place))
    if kinds:
        found = found.filter(kind__in=kinds)
    if abilities:
        found = found.filter(ability__in=abilities)
    if from_age:
        today = clock.today()
        found = found.filter(birth_date__lte=today.replace(year=today.year - from_age, day=min(today.day, 28)))
    return list(found.order_by("id"))


def elders_of(home_id: int) -> list[Elder]:
    """Who lives there, the main person first."""
    return list(Elder.objects.select_related("home").filter(home=home_id).order_by("-main", "id"))


def main_elder(home_id: int) -> Elder | None:
    """The person an alarm of this home is taken for when nothing says who it was."""
    return next((e for e in elders_of(home_id) if e.status != "ended"), None)


def homes_by_number(numbers: Iterable[str]) -> dict[str, int]:
    """Home by file number, of persons in service in the current scope."""
    rows = Elder.objects.filter(number__in=set(numbers)).exclude(status="ended")
    return dict(rows.values_list("number", "home_id"))


def contacts_of(elder_id: int) -> list[Contact]:
    """Her contacts in the order of calling."""
    order = {kind: n for n, kind in enumerate(rules.LADDER)}
    return sorted(Contact.objects.filter(elder=elder_id), key=lambda c: (order.get(c.kind, len(order)), c.turn))


def consents_of(elder_id: int, on: date | None = None) -> list[Consent]:
    """Consents, newest first; with `on` only those that hold on that day."""
    rows = list(Consent.objects.filter(elder=elder_id))
    return rows if on is None else [c for c in rows if holds(c, on)]


def covered(elder_id: int, scope: str, *, on: date | None = None) -> bool:
    """Whether a signed, unexpired, unwithdrawn consent covers this use (`monitor`, `meters`, `calls`, …) on that day.

    It never answers whether an SOS may be handled: that needs no consent.
    """
    return any(scope in c.scope for c in consents_of(elder_id, on or clock.today()))


def services_for(elder_id: int | None) -> frozenset[str]:
    """What a caller gets; somebody unknown or suspended gets emergency service all the same (REG-10)."""
    found = Elder.objects.filter(pk=elder_id).values_list("status", flat=True).first() if elder_id else None
    return rules.services_for(found)


def history_of(elder_id: int) -> list[HistoryLine]:
    """Lines added to the file, oldest first."""
    return list(HistoryLine.objects.filter(elder=elder_id))


def lookers(elder_id: int, limit: int = 50) -> list[Looker]:
    """Who opened or uncovered the file, newest first; for the elder, the family and the community."""
    if not Elder.objects.filter(pk=elder_id).exists():
        return []
    rows = AuditLine.objects.filter(
        subject="elder",
        subject_id=str(elder_id),
        action__in=["elder.open", "elder.reveal", "elder.export", "elder.print", "consent.scan"],
    ).order_by("-at")
    return [Looker(r.at, r.actor, r.action, _looked_at(r), r.reason, r.result) for r in rows[:limit]]


def _looked_at(line: AuditLine) -> str:
    if line.action == "elder.export":
        return "整份档案（导出）"
    if line.action == "consent.scan":
        return "签字文书的扫描件"
    if line.action == "elder.print":
        from anju.elders.papers import PAPERS

        printed = PAPERS.get(line.detail.get("paper", ""))
        return f"打印{printed.name}" if printed else "打印文书"
    return masks.FIELD_LABELS.get(line.detail.get("field", ""), "")


def missing(elder_id: int) -> list[str]:
    """What the file still lacks before it may be approved, in Chinese."""
    row = Elder.objects.select_related("home").get(pk=elder_id)
    return rules.missing(_held(row))


def page_of(
    roles: Iterable[str],
    *,
    place: str = "",
    status: str = "",
    kind: str = "",
    text: str = "",
    order: tuple[str | OrderBy, ...] = ("home__area", "id"),
    start: int = 0,
    size: int = 50,
) -> tuple[list[MaskedElder], int]:
    """A page of the list of elders as these roles see it, and how many there are. `text` searches as `search` does.

    `order`: what the page sorts by, in SQL; a module above may bring an order of its own (`alarms.bounds.LONGEST`).
    """
    found = Elder.objects.select_related("home")
    if text.strip():
        found = found.filter(pk__in=[f.elder_id for f in search(text, limit=200)])
    if place:
        found = found.filter(home__area__startswith=places.prefix_of(place))
    if status:
        found = found.filter(status=status)
    if kind:
        found = found.filter(kind=kind)
    held = frozenset(roles)
    rows = list(found.order_by(*order)[start : start + size])
    today, signed = clock.today(), set[int]()
    for consent in Consent.objects.filter(elder__in=rows, scope__contains=["rescue_110_120_119"]):
        if holds(consent, today):
            signed.add(consent.elder_id)
    return [masked(e, held, authority=e.pk in signed) for e in rows], found.count()


def masked(elder: Elder, roles: Iterable[str], *, authority: bool | None = None) -> MaskedElder:
    """The file as these roles may see it. `authority` is asked of the consents unless it is given."""
    held, at_home = frozenset(roles), elder.home
    if authority is None:
        authority = covered(elder.pk, "rescue_110_120_119")

    def show(field: str, value: str | None) -> str:
        return masks.shown(field, value or "", held)

    return MaskedElder(
        id=elder.pk,
        home_id=elder.home_id,
        number=elder.number,
        name=show("name", elder.name),
        sex=elder.sex,
        age=identity.age_on(elder.birth_date, clock.today()) if elder.birth_date else None,
        phone=show("phone", elder.phone),
        id_number=show("id_number", elder.id_number),
        place=at_home.place,
        place_name=places.path_of(at_home.area),
        address=show("address", at_home.address),
        kind=words.ELDER_KIND_LABELS.get(elder.kind, ""),
        status=elder.status,
        status_label=words.ELDER_STATE_LABELS[elder.status],
        ability=show("ability", words.ABILITY_LABELS.get(elder.ability, "")),
        health_state=show("health_state", elder.health_state),
        illnesses=show("illnesses", elder.illnesses),
        chronic=show("chronic", elder.chronic),
        allergies=show("allergies", elder.allergies),
        self_rescue=show("life", elder.self_rescue),
        hobbies=show("life", elder.hobbies),
        habits=show("life", elder.habits),
        other=show("life", elder.other),
        hearing_note=show("life", elder.hearing_note),
        water_no=show("meters", elder.water_no),
        electricity_no=show("meters", elder.electricity_no),
        gas_no=show("meters", elder.gas_no),
        entrance=at_home.entrance,
        access_note=show("access_note", at_home.access_note),
        key_note=show("key_note", at_home.key_note),
        service_from=elder.service_from,
        service_until=elder.service_until,
        authority=authority,
        uncover=frozenset(
            f for f in masks.FIELDS if masks.view_of(f, held) is not View.FULL and masks.may_uncover(f, held)
        ),
    )


def masked_contacts(elder_id: int, roles: Iterable[str], *, at: datetime | None = None) -> list[ContactView]:
    """Her contacts as these roles see them, with who can be reached at that moment."""
    held, moment = frozenset(roles), clock.local(at or clock.now())
    return [
        ContactView(
            c.pk,
            c.turn,
            c.kind,
            words.CONTACT_KIND_LABELS[c.kind],
            masks.shown("contact_name", c.name, held),
            c.relation,
            c.sex,
            masks.shown("contact_phone", c.phone, held),
            masks.shown("contact_address", c.address, held),
            c.has_key,
            c.eta_minutes,
            available(c, moment),
            c.flagged_reason,
        )
        for c in contacts_of(elder_id)
    ]


def _held(row: Elder) -> rules.Held:
    fields: Mapping[str, object] = {
        name: getattr(row.home if name in {"address", "entrance"} else row, name) for name, _ in rules.REQUIRED
    }
    contacts = [
        {"kind": c.kind, "relation": c.relation, "sex": c.sex, "address": c.address} for c in contacts_of(row.pk)
    ]
    scopes = {s for c in consents_of(row.pk, clock.today()) for s in c.scope}
    return rules.Held(fields, contacts, frozenset(scopes))
