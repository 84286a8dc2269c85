"""What an incident keeps of a file at the moment it opens."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

from anju.elders import identity, rules, words
from anju.elders.models import Consent, Contact, Elder, Home
from anju.kernel import clock
from anju.kernel.hours import chinese_workday
from anju.places import queries as places


def freeze(home_id: int | None, elder_id: int | None, at: datetime) -> dict[str, Any]:
    """Everything an incident keeps from the file at the moment it opens, ready for JSON.

    Later changes of the file do not change it. Contacts are in the order of calling, with who can be reached at `at`; at
    night the duty phone takes the place of the property office. `authority` is null when no signed consent holds.
    """
    who = _who(home_id, elder_id)
    where = who.home if who is not None else Home.objects.filter(pk=home_id).first() if home_id else None
    day, moment = clock.local(at).date(), clock.local(at)
    consents = [_consent(c, day) for c in Consent.objects.filter(elder=who)] if who else []
    rungs = [_rung(c, moment) for c in Contact.objects.filter(elder=who)] if who else []
    return {
        "at": at.isoformat(),
        "home": _home(where) if where else None,
        "elder": _elder(who, day) if who else None,
        "others": [
            {"id": e.pk, "name": e.name, "sex": e.sex, "age": _age(e, day), "phone": e.phone}
            for e in (_residents(where.pk) if where else [])
            if who is None or e.pk != who.pk
        ],
        "contacts": [dict(r) for r in rules.ladder(rungs)],
        "consents": consents,
        "authority": rules.authority(consents),
        "services": sorted(rules.services_for(who.status if who else None)),
    }


def _residents(home_id: int) -> list[Elder]:
    return list(Elder.objects.select_related("home").filter(home=home_id).order_by("-main", "id"))


def _who(home_id: int | None, elder_id: int | None) -> Elder | None:
    if elder_id:
        return Elder.objects.select_related("home").filter(pk=elder_id).first()
    return next((e for e in _residents(home_id) if e.status != "ended"), None) if home_id else None


def _home(row: Home) -> dict[str, Any]:
    return {
        "id": row.pk,
        "place": row.place,
        "area": row.area,
        "place_name": places.path_of(row.area),
        "address": row.address,
        "building": row.building,
        "lon": row.lon,
        "lat": row.lat,
        "entrance": row.entrance,
        "entrance_lon": row.entrance_lon,
        "entrance_lat": row.entrance_lat,
        "floor": row.floor,
        "lift": row.lift,
        "access_note": row.access_note,
        "key_note": row.key_note,
        "status": row.status,
    }


def _elder(row: Elder, day: date) -> dict[str, Any]:
    return {
        "id": row.pk,
        "number": row.number,
        "name": row.name,
        "sex": row.sex,
        "age": _age(row, day),
        "birth_date": row.birth_date.isoformat() if row.birth_date else None,
        "id_number": row.id_number,
        "phone": row.phone,
        "kind": row.kind,
        "kind_label": words.ELDER_KIND_LABELS.get(row.kind, ""),
        "status": row.status,
        "ability": words.ABILITY_LABELS.get(row.ability, ""),
        "health_state": row.health_state,
        "illnesses": row.illnesses,
        "chronic": row.chronic,
        "allergies": row.allergies,
        "self_rescue": row.self_rescue,
        "hobbies": row.hobbies,
        "habits": row.habits,
        "other": row.other,
        "hearing_note": row.hearing_note,
    }


def _rung(row: Contact, moment: datetime) -> dict[str, Any]:
    return {
        "contact_id": row.pk,
        "turn": row.turn,
        "kind": row.kind,
        "kind_label": words.CONTACT_KIND_LABELS[row.kind],
        "name": row.name,
        "relation": row.relation,
        "phone": row.phone,
        "available_now": available(row, moment),
        "has_key": row.has_key,
        "eta_minutes": row.eta_minutes,
        "flagged_reason": row.flagged_reason,
    }


def _consent(row: Consent, day: date) -> dict[str, Any]:
    return {
        "id": row.pk,
        "kind": row.kind,
        "scope": list(row.scope),
        "signed_by": row.signed_by,
        "signer": row.signer,
        "signed_on": row.signed_on.isoformat(),
        "expires_on": row.expires_on.isoformat(),
        "document": row.document,
        "valid": holds(row, day),
    }


def _age(row: Elder, day: date) -> int | None:
    return identity.age_on(row.birth_date, day) if row.birth_date else None


def available(row: Contact, moment: datetime) -> bool:
    """Whether this contact can be reached at that moment (wall clock)."""
    return rules.available(row.availability, row.kind, moment, workday=chinese_workday)


def holds(row: Consent, on: date) -> bool:
    """Whether a consent holds on that day."""
    withdrawn = row.withdrawn_on is not None and row.withdrawn_on <= on
    return row.kind == "service" and row.signed_on <= on <= row.expires_on and not withdrawn
