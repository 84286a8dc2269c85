"""Files, contacts, papers and devices of the invented homes, each made at the time when it would have been made."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import date, datetime, time, timedelta
from typing import TYPE_CHECKING

from django.db import transaction

from anju.accounts.permissions import THE_PLATFORM
from anju.devices import actions as devices
from anju.elders import actions as elders
from anju.elders import lists
from anju.kernel import clock
from anju.town.people import ConsentSeed, ContactSeed, ElderSeed, HomeSeed

if TYPE_CHECKING:
    from anju.elders.models import Elder, Home

_BY = THE_PLATFORM
_WEEK = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")


def make(seed: HomeSeed) -> int:
    """One home with everything in it, in one transaction; answers its id."""
    consent = seed.elders[0].consent
    start = consent.signed_on if consent else clock.today() - timedelta(days=9)
    with clock.pretend(_at(start, 9)), transaction.atomic():
        home = elders.register_home(
            place=f"{seed.place}{seed.grid:02d}", by=_BY, address=seed.address, building=f"{seed.building} 幢",
            lon=seed.at[0], lat=seed.at[1], entrance=seed.entrance, entrance_lon=seed.entrance_at[0],
            entrance_lat=seed.entrance_at[1], floor=seed.floor, lift=seed.lift, access_note=seed.access_note, key_note=seed.key_note,
        )  # fmt: skip
        files = [_elder(home, person, seed, main=i == 0) for i, person in enumerate(seed.elders)]
    if consent:
        with clock.pretend(_at(start + timedelta(days=2), 10)), transaction.atomic():
            for elder in files:
                elders.approve(elder_id=elder.pk, by=_BY)
        with clock.pretend(_at(start + timedelta(days=4), 14)), transaction.atomic():
            _devices(home, seed)
        if seed.elders[0].status == "suspended":
            with clock.pretend(clock.now() - timedelta(days=6)), transaction.atomic():
                elders.suspend(elder_id=files[0].pk, reason="住院", by=_BY)
    return int(home.pk)


def _elder(home: Home, person: ElderSeed, seed: HomeSeed, *, main: bool) -> Elder:
    consent = person.consent
    start = consent.signed_on if consent else None
    elder = elders.register_elder(
        home_id=home.pk, by=_BY, name=person.name, sex=person.sex, birth_date=person.born, id_number=person.id_number,
        phone=person.phone, kind=person.kind, ability=person.ability, health_state=person.health,
        illnesses="、".join(person.illnesses) or "无", chronic="、".join(person.chronic) or "无",
        allergies="、".join(person.allergies) or "无", hobbies=person.hobbies, habits=person.habits, self_rescue=person.self_rescue,
        other=person.other, hearing_note=person.hearing, water_no=seed.meters[0], electricity_no=seed.meters[1],
        gas_no=seed.meters[2], appointment=clock.today() + timedelta(days=4), appointment_half="pm", main=main,
        service_from=start, service_until=consent.expires_on if consent else None,
    )  # fmt: skip
    for contact in seed.contacts:
        _contact(elder, contact)
    if consent:
        _consent(elder, consent)
    return elder


def _contact(elder: Elder, contact: ContactSeed) -> None:
    elders.add_contact(
        elder_id=elder.pk, by=_BY, kind=contact.kind, name=contact.name, phone=contact.phone, relation=contact.relation,
        sex=contact.sex, has_key=contact.has_key, eta_minutes=contact.eta_minutes, address=contact.address,
        availability=_hours(contact.hours),
    )  # fmt: skip


def _hours(hours: tuple[int, int] | None) -> Mapping[str, object]:
    if hours is None:
        return {}
    return {"week": {day: [[f"{hours[0]:02d}:00", f"{hours[1]:02d}:00"]] for day in _WEEK}}


def _consent(elder: Elder, consent: ConsentSeed) -> None:
    scope = [
        "monitor",
        "family",
        *(["meters"] if consent.meters else []),
        *(["third_party"] if consent.third_party else []),
    ]
    if consent.covers_rescue:
        scope.append("rescue_110_120_119")
    elders.record_consent(
        elder_id=elder.pk, by=_BY, scope=scope, signed_by=consent.signed_by, document=f"GZ-{consent.signed_on:%Y%m%d}-{elder.pk:04d}",
        signed_on=consent.signed_on, expires_on=consent.expires_on,
    )  # fmt: skip


def _devices(home: Home, seed: HomeSeed) -> None:
    for seed_device in seed.devices:
        device = devices.register(
            imei=seed_device.imei, product_code=seed_device.product, operator_id=seed_device.operator_id, sn=seed_device.sn,
            place=home.place,
        )  # fmt: skip
        devices.install(
            device_id=device.pk, home_id=home.pk, place=home.place, position=seed_device.position, lco=seed_device.lco
        )


def _at(day: date, hour: int) -> datetime:
    return datetime.combine(day, time(hour), clock.SHANGHAI)


def missing(seeds: list[HomeSeed]) -> Iterator[HomeSeed]:
    """The homes that are not there yet: a demo that was broken off goes on where it stopped."""
    wanted = {seed.elders[0].id_number: seed for seed in seeds}
    known = lists.known(wanted)
    yield from (seed for number, seed in wanted.items() if number not in known)
