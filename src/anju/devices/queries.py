"""What may be asked of devices. Rows come back as plain dataclasses; the scope of the asker applies."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.db.models import Q

from anju.devices.models import Device, Product, UnknownDevice, Vitals
from anju.devices.profile import Profile
from anju.kernel import clock


@dataclass(frozen=True, slots=True)
class DeviceInfo:
    """A device as the router and the pages need it."""

    id: int
    imei: str
    operator_id: str
    home_id: int | None
    place: str
    product_id: int
    product_code: str
    product_name: str
    kind: str  # sos, motion, door, phone, gas, smoke, fall, other
    status: str  # stock, installed, removed
    position: str
    lco: str
    test_from: datetime | None
    test_until: datetime | None
    battery_low: int  # percent: at or below it the battery is to be changed
    report_every: int  # seconds between reports of a healthy device
    silent_after: int  # seconds without a word after which it counts as silent
    source: str

    def in_test(self, at: datetime) -> bool:
        """Whether what it said at that moment belongs to a test."""
        return (
            self.test_until is not None and at <= self.test_until and (self.test_from is None or at >= self.test_from)
        )


@dataclass(frozen=True, slots=True)
class DeviceHealth:
    """A device with how it is doing."""

    device: DeviceInfo
    last_heard_at: datetime | None
    last_event_at: datetime | None
    battery: int | None
    rsrp: int | None
    snr: int | None
    cell_id: int | None
    firmware: str  # as the device told it; "" when it never did
    tamper: bool
    online: bool  # heard within its product's own limit (not the operator's word, which comes a day late)
    silent: bool
    low: bool  # battery at or below the product's limit

    @property
    def well(self) -> bool:
        """Nothing to mend."""
        return not (self.silent or self.low or self.tamper)


@dataclass(frozen=True, slots=True)
class SilentDevice:
    """An installed device that has not spoken for longer than its product allows."""

    device: DeviceInfo
    since: datetime  # the last word, or the installation if there never was one
    already_told: bool  # silence was announced for this absence before


def _info(row: Device) -> DeviceInfo:
    profile = Profile.safe(row.product.profile)
    return DeviceInfo(
        id=row.pk, imei=row.imei, operator_id=row.operator_id, home_id=row.home_id, place=row.place,
        product_id=row.product_id, product_code=row.product.code, product_name=row.product.name, kind=row.product.kind,
        status=row.status, position=row.position, lco=row.lco, test_from=row.test_from, test_until=row.test_until,
        battery_low=profile.battery_low, report_every=profile.report_every, silent_after=profile.silent_after,
        source=row.product.source,
    )  # fmt: skip


def by_keys(keys: Iterable[str]) -> dict[str, DeviceInfo]:
    """Devices by IMEI or operator id (either may be asked); keys that nobody registered are missing from the answer."""
    wanted = {k for k in keys if k}
    if not wanted:
        return {}
    found: dict[str, DeviceInfo] = {}
    for row in Device.objects.filter(Q(imei__in=wanted) | Q(operator_id__in=wanted)).select_related("product"):
        info = _info(row)
        found.update({k: info for k in (row.operator_id, row.imei) if k in wanted})
    return found


def by_id(device_id: int) -> DeviceInfo | None:
    """One device, or None when there is none in the asker's scope."""
    row = Device.objects.filter(pk=device_id).select_related("product").first()
    return _info(row) if row else None


def serials(device_ids: Iterable[int]) -> dict[int, str]:
    """Serial numbers of devices, for the papers that name each piece; {device id: number}."""
    return dict(Device.objects.filter(pk__in=list(device_ids)).values_list("pk", "sn"))


def installed_at(device_id: int) -> datetime | None:
    """When a device was put where it is, or None."""
    return Device.objects.filter(pk=device_id).values_list("installed_at", flat=True).first()


def _health(row: Device, at: datetime) -> DeviceHealth:
    info, vitals = _info(row), getattr(row, "vitals", None) or Vitals(device=row)
    since = vitals.last_heard_at or row.installed_at
    silent = row.status == Device.Status.INSTALLED and (
        since is None or at - since > timedelta(seconds=info.silent_after)
    )
    return DeviceHealth(
        device=info, last_heard_at=vitals.last_heard_at, last_event_at=vitals.last_event_at, battery=vitals.battery,
        rsrp=vitals.rsrp, snr=vitals.snr, cell_id=vitals.cell_id, firmware=vitals.firmware, tamper=vitals.tamper,
        online=vitals.last_heard_at is not None and not silent, silent=silent,
        low=vitals.battery is not None and vitals.battery <= info.battery_low,
    )  # fmt: skip


def of_home(home_id: int) -> list[DeviceHealth]:
    """The devices of a home and how they are."""
    rows = Device.objects.filter(home_id=home_id, status=Device.Status.INSTALLED).select_related("product", "vitals")
    return [_health(row, clock.now()) for row in rows]


def health(*, after_id: int = 0, limit: int = 1000, **filters: Any) -> list[DeviceHealth]:
    """Installed devices in order of id, a page at a time; `filters` are look-ups on Device (`place__startswith=…`)."""
    rows = Device.objects.filter(status=Device.Status.INSTALLED, pk__gt=after_id, **filters)
    return [_health(row, clock.now()) for row in rows.select_related("product", "vitals").order_by("pk")[:limit]]


def health_of(device_ids: Iterable[int]) -> dict[int, DeviceHealth]:
    """How these devices are, by id."""
    rows = Device.objects.filter(pk__in=list(device_ids)).select_related("product", "vitals")
    return {row.pk: _health(row, clock.now()) for row in rows}


def silent(now: datetime | None = None) -> list[SilentDevice]:
    """Installed devices whose silence is longer than their product allows: a device is judged by its own model,
    never by the operator's online flag (an NB-IoT platform tells about 25 hours late).
    """
    at = now or clock.now()
    found = []
    for product in Product.objects.all():
        limit = at - timedelta(seconds=Profile.safe(product.profile).silent_after)
        rows = (
            Device.objects.filter(product=product, status=Device.Status.INSTALLED)
            .filter(Q(vitals__last_heard_at__lt=limit) | Q(vitals__last_heard_at=None, installed_at__lt=limit))
            .select_related("product", "vitals")
            .order_by("pk")
        )
        for row in rows:
            vitals = getattr(row, "vitals", None)
            since = (vitals.last_heard_at if vitals else None) or row.installed_at
            if since is not None:
                found.append(SilentDevice(_info(row), since, bool(vitals and vitals.silent_since)))
    return found


@dataclass(frozen=True, slots=True)
class UnknownInfo:
    """A device that talks and that nobody registered."""

    id: int
    key: str
    operator_id: str
    source: str
    product_id: str
    product_code: str  # "" when the operator's product is not in the catalogue
    first_heard_at: datetime
    last_heard_at: datetime
    messages: int
    last_kinds: str


def unknown(limit: int = 200) -> list[UnknownInfo]:
    """Devices waiting to be registered, the latest heard first."""
    codes = {(p.source, p.product_id): p.code for p in Product.objects.all()}
    rows = UnknownDevice.objects.filter(registered_at=None).order_by("-last_heard_at")[:limit]
    return [
        UnknownInfo(row.pk, row.key, row.operator_id, row.source, row.product_id, codes.get((row.source, row.product_id), ""),
                    row.first_heard_at, row.last_heard_at, row.messages, row.last_kinds)
        for row in rows
    ]  # fmt: skip


def products() -> list[Product]:
    """The catalogue."""
    return list(Product.objects.order_by("kind", "code"))


def product_names() -> dict[str, str]:
    """Every product's name by its code."""
    return dict(Product.objects.values_list("code", "name"))


def profiles() -> dict[tuple[str, str], Profile]:
    """Every product's profile by (source, operator's product id): what the gateway decodes with."""
    return {(p.source, p.product_id): Profile.safe(p.profile) for p in Product.objects.all()}
