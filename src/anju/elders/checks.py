"""What is typed into a file, checked and put into one spelling. Refusals are Chinese and say what to mend."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from anju.elders import geo, identity, rules, words
from anju.elders.models import Home
from anju.kernel import clock

HOME_FIELDS = frozenset(
    {
        "address",
        "building",
        "lon",
        "lat",
        "datum",
        "entrance",
        "entrance_lon",
        "entrance_lat",
        "floor",
        "lift",
        "access_note",
        "key_note",
    }
)
ELDER_FIELDS = frozenset(
    {
        "name",
        "sex",
        "birth_date",
        "id_number",
        "phone",
        "kind",
        "ability",
        "health_state",
        "illnesses",
        "chronic",
        "allergies",
        "self_rescue",
        "hobbies",
        "habits",
        "other",
        "hearing_note",
        "water_no",
        "electricity_no",
        "gas_no",
        "appointment",
        "appointment_half",
        "service_from",
        "service_until",
        "main",
    }
)
CONTACT_FIELDS = frozenset(
    {
        "kind",
        "name",
        "relation",
        "sex",
        "phone",
        "address",
        "availability",
        "has_key",
        "eta_minutes",
        "turn",
    }
)
_CHOICES = {
    "sex": dict(words.SEXES),
    "kind": words.ELDER_KIND_LABELS,
    "ability": words.ABILITY_LABELS,
    "appointment_half": dict(words.HALF_DAYS),
}


class NotAccepted(ValueError):
    """The input cannot be used as it is; the message is Chinese and says what to mend."""


class Incomplete(NotAccepted):
    """A file with gaps cannot be approved. `gaps` names what is missing."""

    def __init__(self, gaps: list[str]) -> None:
        super().__init__(f"还差 {len(gaps)} 项：{'、'.join(gaps)}。请补齐")
        self.gaps = gaps


def known(fields: Mapping[str, Any], allowed: frozenset[str]) -> dict[str, Any]:
    if strange := set(fields) - allowed:
        raise NotAccepted(f"没有这些项目：{'、'.join(sorted(strange))}")
    return {k: v.strip() if isinstance(v, str) else v for k, v in fields.items()}


def elder_values(fields: Mapping[str, Any]) -> dict[str, Any]:
    """The values of a file, normalised; `NotAccepted` lists every fault at once."""
    values, faults = known(fields, ELDER_FIELDS), []
    if not values.get("name", "x"):
        faults.append("请填姓名")
    for name, labels in _CHOICES.items():
        if values.get(name) and values[name] not in labels:
            faults.append(f"“{values[name]}”不在可选的范围里，请从列表里选")
    if values.get("phone"):
        try:
            values["phone"] = identity.phone_of(values["phone"])
        except identity.BadNumber as bad:
            faults.append(str(bad))
    if values.get("id_number"):
        faults += _compare_identity(values)
    if faults:
        raise NotAccepted("；".join(faults))
    return values


def _compare_identity(values: dict[str, Any]) -> list[str]:
    """Fill in what the ID number says; what is wrong with it, or with what was typed beside it."""
    try:
        said = identity.identity_of(values["id_number"], today=clock.today())
    except identity.BadNumber as bad:
        return [str(bad)]
    faults = []
    if values.get("sex") not in {None, "", said.sex}:
        faults.append(f"性别填的是{values['sex']}，身份证号里是{said.sex}，请核对")
    if values.get("birth_date") not in {None, "", said.birth_date}:
        faults.append(f"出生日期填的是 {values['birth_date']}，身份证号里是 {said.birth_date}，请核对")
    values |= {"id_number": said.number, "sex": said.sex, "birth_date": said.birth_date}
    return faults


def contact_values(fields: Mapping[str, Any]) -> dict[str, Any]:
    values = known(fields, CONTACT_FIELDS)
    if "name" in values and not values["name"]:
        raise NotAccepted("请填联系人姓名")
    try:
        if "phone" in values:
            values["phone"] = identity.phone_of(values["phone"])
        rules.check_availability(values.get("availability") or {})
    except (identity.BadNumber, rules.BadAvailability) as bad:
        raise NotAccepted(str(bad)) from None
    return values


def place_on_map(home: Home, given: Mapping[str, Any]) -> None:
    """Coordinates that came in a Chinese datum are turned; the datum is kept as where they came from."""
    datum = given.get("datum", "wgs84")
    for lon, lat in (("lon", "lat"), ("entrance_lon", "entrance_lat")):
        if given.get(lon) is None and given.get(lat) is None:
            continue
        if given.get(lon) is None or given.get(lat) is None:
            raise NotAccepted("经度和纬度要一起填")
        try:
            x, y = geo.to_wgs84(float(given[lon]), float(given[lat]), datum)
        except geo.BadCoordinates as bad:
            raise NotAccepted(str(bad)) from None
        setattr(home, lon, x)
        setattr(home, lat, y)


def reason_given(text: str, what: str) -> str:
    if not text.strip():
        raise NotAccepted(f"请写{what}的原因，事后要能查")
    return text.strip()
