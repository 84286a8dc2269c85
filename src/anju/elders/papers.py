"""The printable papers of the registration (HZ 附件1-4; SH2 信息采集): which there are, and what each is filled with.

A paper is filled from the file with what the printer may see or may uncover with a reason; everything else stays a line
to be written by hand. Filling one needs a post and a reason and is a line of the audit: paper leaves the platform's eyes.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date

from django.db import transaction

from anju.accounts.permissions import may, must
from anju.elders import identity, masks, queries, words
from anju.elders.checks import NotAccepted, reason_given
from anju.elders.models import Elder
from anju.elders.rules import GUARDIANS_AT_MOST
from anju.kernel import audit, clock
from anju.kernel.flow.actor import Actor
from anju.kernel.models import AuditLine
from anju.places import queries as places
from anju.places.queries import Level


@dataclass(frozen=True, slots=True)
class Paper:
    """A form: its name, where it stands in the source, who prints it filled, how many copies, which consent it becomes."""

    code: str
    name: str
    source: str
    mark: str  # what its number begins with
    may: str = "paper.print"
    copies: int = 1
    consent: str = ""  # kind of the consent that is recorded when it comes back signed


PAPERS: Mapping[str, Paper] = {
    p.code: p
    for p in (
        Paper("survey", "服务对象摸底信息表", "附件 1", "MD"),
        Paper("consent", "服务告知及确认书", "附件 2", "GZ", copies=2, consent="service"),
        Paper("waiver", "放弃服务承诺书", "附件 3", "FQ", consent="waiver"),
        Paper("acceptance", "设备安装验收表", "附件 4", "YS", may="acceptance.print"),
        Paper("profile", "老年人信息采集表", "信息采集 17 项", "CJ"),
    )
}
_USES: Mapping[str, tuple[str, ...]] = {
    "survey": (
        "name", "phone", "id_number", "ability", "address", "health_state", "meters",
        "contact_name", "contact_phone", "contact_address",
    ),
    "consent": ("name", "phone", "id_number", "address", "contact_name", "contact_phone", "contact_address"),
    "waiver": ("name", "id_number"),
    "acceptance": ("name", "phone", "id_number", "address"),
    "profile": (
        "name", "id_number", "phone", "address", "life", "illnesses", "chronic", "allergies", "contact_name", "contact_phone",
    ),
}  # fmt: skip
"""Which masked fields each paper shows; nothing more is opened for it."""


@dataclass(frozen=True, slots=True)
class Somebody:
    """A contact as it stands on a paper; everything empty is a line to write on."""

    relation: str = ""
    name: str = ""
    sex: str = ""
    phone: str = ""
    address: str = ""


@dataclass(frozen=True, slots=True)
class Sheet:
    """What stands on a paper. Every text may be empty: then it is a line. An empty `Sheet()` is the blank form."""

    number: str = ""  # of the paper, so that the record and the signed paper find each other
    printed_on: date | None = None
    district: str = ""
    street: str = ""
    community: str = ""
    name: str = ""
    sex: str = ""
    age: str = ""
    birth_date: date | None = None
    id_number: str = ""
    phone: str = ""
    ability: str = ""
    health_state: str = ""
    address: str = ""
    electricity_no: str = ""
    water_no: str = ""
    gas_no: str = ""
    entrance: str = ""
    self_rescue: str = ""
    illnesses: str = ""
    chronic: str = ""
    allergies: str = ""
    hobbies: str = ""
    habits: str = ""
    other: str = ""
    guardians: tuple[Somebody, ...] = (Somebody(),) * GUARDIANS_AT_MOST
    social_worker: Somebody = Somebody()
    grid: tuple[Somebody, ...] = (Somebody(),) * 2
    property_phone: str = ""
    night_phone: str = ""
    committee_phone: str = ""
    appointment: date | None = None
    half: str = ""  # am, pm

    @property
    def guardian(self) -> Somebody:
        """The first guardian: who may sign for her."""
        return self.guardians[0]


def printable(by: Actor) -> list[Paper]:
    """The papers that this person may print filled."""
    return [paper for paper in PAPERS.values() if may(by, paper.may)]


@transaction.atomic
def fill(*, elder_id: int, code: str, by: Actor, reason: str) -> Sheet:
    """Fill a paper from the file. Needs a reason; who printed what, and which fields were opened for it, is kept (SYS-04)."""
    paper = PAPERS.get(code)
    if paper is None:
        raise NotAccepted("没有这种文书")
    must(by, paper.may)
    why = reason_given(reason, "打印")
    elder = Elder.objects.select_related("home").get(pk=elder_id)
    seen = frozenset(field for field in _USES[code] if masks.may_uncover(field, by.roles))
    number = f"{paper.mark}-{elder.number}-{clock.today():%Y%m%d}"
    audit.record(
        "elder.print", subject="elder", subject_id=elder.pk, place=elder.home.place, reason=why,
        detail={"paper": code, "number": number, "fields": sorted(seen)},
    )  # fmt: skip
    return _sheet(elder, seen, number)


def last_number(elder_id: int, consent: str) -> str:
    """The number of the newest printed paper that becomes this kind of consent; empty when none was printed."""
    codes = [paper.code for paper in PAPERS.values() if paper.consent == consent]
    if not Elder.objects.filter(pk=elder_id).exists():
        return ""
    line = (
        AuditLine.objects.filter(
            subject="elder", subject_id=str(elder_id), action="elder.print", detail__paper__in=codes
        )
        .order_by("-at", "-pk")
        .first()
    )
    return str(line.detail["number"]) if line else ""


def blank(place: str) -> Sheet:
    """The form without a person: only the district that gives it out."""
    return Sheet(district=_names(place).get(Level.DISTRICT, ""))


def _sheet(elder: Elder, seen: frozenset[str], number: str) -> Sheet:
    home, names = elder.home, _names(elder.home.place)

    def show(field: str, value: str) -> str:
        return value if field in seen else ""

    def person(kind: str, at_least: int) -> tuple[Somebody, ...]:
        found = [
            Somebody(
                c.relation,
                show("contact_name", c.name),
                c.sex,
                show("contact_phone", c.phone),
                show("contact_address", c.address),
            )
            for c in contacts
            if c.kind == kind
        ]
        return tuple(found + [Somebody()] * (at_least - len(found)))

    contacts = queries.contacts_of(elder.pk)
    return Sheet(
        number=number,
        printed_on=clock.today(),
        district=names.get(Level.DISTRICT, ""),
        street=names.get(Level.STREET, ""),
        community=names.get(Level.COMMUNITY, ""),
        name=show("name", elder.name),
        sex=elder.sex,
        age=str(identity.age_on(elder.birth_date, clock.today())) if elder.birth_date else "",
        birth_date=elder.birth_date,
        id_number=show("id_number", elder.id_number),
        phone=show("phone", elder.phone),
        ability=show("ability", words.ABILITY_LABELS.get(elder.ability, "")),
        health_state=show("health_state", elder.health_state),
        address=show("address", home.address),
        electricity_no=show("meters", elder.electricity_no),
        water_no=show("meters", elder.water_no),
        gas_no=show("meters", elder.gas_no),
        entrance=home.entrance,
        self_rescue=show("life", elder.self_rescue),
        illnesses=show("illnesses", elder.illnesses),
        chronic=show("chronic", elder.chronic),
        allergies=show("allergies", elder.allergies),
        hobbies=show("life", elder.hobbies),
        habits=show("life", elder.habits),
        other=show("life", elder.other),
        guardians=person("guardian", GUARDIANS_AT_MOST),
        social_worker=person("social_worker", 1)[0],
        grid=person("grid", 2)[:2],
        property_phone=person("property", 1)[0].phone,
        night_phone=person("night_duty", 1)[0].phone,
        committee_phone=person("committee", 1)[0].phone,
        appointment=elder.appointment,
        half=elder.appointment_half,
    )


def _names(place: str) -> dict[Level, str]:
    line: Iterable[str] = places.line_of(place) if place else ()
    named = places.names_of(line)
    return {places.level_of(code): name for code, name in named.items() if name != code}
