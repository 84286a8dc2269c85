"""Who calls: by the device that rings, or by the number in any of its spellings. Runs in a thread, after the first ring."""

from __future__ import annotations

from dataclasses import dataclass, field

from anju.calls import rules
from anju.devices import queries as devices
from anju.devices.models import RECEIVING_DISTRICT
from anju.elders import finding
from anju.elders import queries as elders

ALARM_KINDS = frozenset({"sos", "phone", "fall", "gas", "smoke"})
AREA = "0571"
"""Area code of fixed lines that are written without one."""


@dataclass(frozen=True, slots=True)
class Found:
    """What the archive knows of a caller."""

    place: str = RECEIVING_DISTRICT
    home_id: int | None = None
    elder_id: int | None = None
    device_id: int | None = None
    whom: str = ""
    candidates: list[int] = field(default_factory=list)
    """Several elders who fit: the agent asks who it is."""
    alarm_device: bool = False


def identify(*, number: str, device: str = "") -> Found:
    """Never raises for an odd number; an unknown caller belongs to the receiving district."""
    return (_by_device(device) if device else None) or _by_phone(number) or _by_number(number) or Found()


def _by_phone(number: str) -> Found | None:
    """A one-key phone that calls over the public network shows nothing but its own number."""
    from anju.calls.lines import queries as lines

    phone = lines.phone_of(number=number) if number else None
    device = devices.by_id(phone.device_id) if phone else None
    return _by_device(device.imei) if device else None


def _by_device(key: str) -> Found | None:
    info = devices.by_keys([key]).get(key)
    if info is None or info.status != "installed":
        return None
    elder = elders.main_elder(info.home_id) if info.home_id else None
    return Found(
        place=info.place, home_id=info.home_id, elder_id=elder.pk if elder else None, device_id=info.id,
        whom=elder.name if elder else "", alarm_device=info.kind in ALARM_KINDS,
    )  # fmt: skip


def _by_number(number: str) -> Found | None:
    for spelled in rules.variants(number, AREA):
        hits = finding.by_phone(spelled)
        if not hits:
            continue
        own = [pk for pk, why in hits if why == "elder"] or [pk for pk, _ in hits]
        people = [e for e in map(elders.elder, own) if e is not None]
        if not people:
            continue
        homes = {e.home_id for e in people}
        first = people[0]
        return Found(
            place=first.home.place,
            home_id=first.home_id if len(homes) == 1 else None,
            elder_id=first.pk if len(people) == 1 else None,
            whom=first.name if len(people) == 1 and any(why == "elder" for _, why in hits) else "",
            candidates=[e.pk for e in people] if len(people) > 1 else [],
        )
    return None
