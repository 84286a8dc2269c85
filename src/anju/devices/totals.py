"""Many devices at once, judged and counted by the database: what a page costs does not grow with the district.

The judgement is that of `queries._health` (each device by its own product's limits); a test holds both together.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.db.models import BooleanField, Case, Count, DateTimeField, F, Max, Q, QuerySet, Value, When
from django.db.models.functions import Coalesce

from anju.devices.models import Device, Product
from anju.devices.profile import Profile
from anju.devices.queries import DeviceHealth, health_of
from anju.kernel import clock

WEAK = -112
"""RSRP in dBm: below this a message may be lost."""
TROUBLES = ("silent", "low", "tamper", "weak")


@dataclass(frozen=True, slots=True)
class Totals:
    """How many installed devices there are, how many have which trouble, and when any was last heard."""

    all: int
    silent: int
    low: int
    tamper: int
    weak: int
    newest: datetime | None


@dataclass(frozen=True, slots=True)
class PlaceTotals:
    """One community: homes with devices, homes that nobody hears, devices in trouble."""

    homes: int
    deaf: int
    faults: int


@dataclass(frozen=True, slots=True)
class SilentHome:
    """A home, when any of its devices was last heard, when something moved, when the door was last used."""

    home_id: int
    heard_at: datetime | None
    moved_at: datetime | None
    door_at: datetime | None
    devices: int


def totals(*, place: str = "", kind: str = "", imei: str = "") -> Totals:
    """Counts over the asker's devices; `place` is a prefix of the code."""
    counted = _judged(place, kind, imei).aggregate(
        all=Count("pk"), newest=Max("vitals__last_heard_at"),
        **{trouble: Count("pk", filter=Q(**{_FLAGS[trouble]: True})) for trouble in TROUBLES},
    )  # fmt: skip
    return Totals(**counted)


def page(
    *, place: str = "", kind: str = "", imei: str = "", trouble: str = "", start: int = 0, size: int = 40
) -> tuple[list[DeviceHealth], int]:
    """A page of devices, those in trouble first and of these the silent ones; and how many there are in all."""
    rows = _judged(place, kind, imei)
    if trouble:
        rows = rows.filter(**{_FLAGS[trouble]: True})
    ids = list(rows.order_by("is_well", "-is_silent", "pk").values_list("pk", flat=True)[start : start + size])
    known = health_of(ids)
    return [known[pk] for pk in ids if pk in known], rows.count()


def by_place(*, heard_before: datetime) -> dict[str, PlaceTotals]:
    """Each community of the asker; a home counts as deaf when no device of it was heard since `heard_before`."""
    rows = _judged().filter(home__isnull=False)
    recent = Q(vitals__last_heard_at__gte=heard_before)
    found = rows.values("place").annotate(
        homes=Count("home", distinct=True), heard=Count("home", distinct=True, filter=recent),
        faults=Count("pk", filter=Q(is_well=False)),
    )  # fmt: skip
    return {r["place"]: PlaceTotals(r["homes"], r["homes"] - r["heard"], r["faults"]) for r in found.order_by()}


def longest_silent(
    *, limit: int, place: str = "", heard_before: datetime | None = None, active: bool = False
) -> list[SilentHome]:
    """The homes that were heard last the longest ago; `active` leaves out those whose service is suspended."""
    homes = _homes(place)
    if heard_before is not None:
        homes = homes.filter(Q(heard__lt=heard_before) | Q(heard=None))
    if active:
        homes = homes.filter(home__status="active")
    rows = homes.order_by(F("heard").asc(nulls_first=True), "home_id")[:limit]
    return [SilentHome(r["home_id"], r["heard"], r["moved"], r["door"], r["devices"]) for r in rows]


def homes_by(**words: Q) -> dict[str, int]:
    """How many homes fit each condition on `heard`, `moved`, `door` (moments) and `home__status`; `{}` for none asked."""
    counted: dict[str, int] = _homes("").aggregate(**{w: Count("home_id", filter=q) for w, q in words.items()})
    return counted


def _homes(place: str) -> QuerySet[Any, Any]:
    rows = Device.objects.filter(status=Device.Status.INSTALLED, home__isnull=False, place__startswith=place)
    kind, event = "product__kind", "vitals__last_event_at"
    return (
        rows.order_by()
        .values("home_id", "home__status")
        .annotate(
            heard=Max("vitals__last_heard_at"),
            moved=Max(event, filter=Q(**{kind: "motion"})),
            door=Max(event, filter=Q(**{kind: "door"})),
            devices=Count("pk"),
        )
    )


_FLAGS = {"silent": "is_silent", "low": "is_low", "tamper": "vitals__tamper", "weak": "is_weak"}


def _judged(place: str = "", kind: str = "", imei: str = "") -> QuerySet[Any, Any]:
    """Installed devices with what is wrong with them as columns."""
    now, limits = clock.now(), list[When]()
    low = Q(pk__in=[])
    for pk, data in Product.objects.values_list("pk", "profile"):
        profile = Profile.safe(data)
        limits.append(When(product=pk, then=Value(now - timedelta(seconds=profile.silent_after))))
        low |= Q(product=pk, vitals__battery__lte=profile.battery_low)
    rows = Device.objects.filter(status=Device.Status.INSTALLED, place__startswith=place)
    if kind:
        rows = rows.filter(product__kind=kind)
    if imei:
        rows = rows.filter(imei__contains=imei)
    since = Coalesce("vitals__last_heard_at", "installed_at")
    rows = rows.annotate(
        heard_since=since, heard_limit=Case(*limits, default=Value(now), output_field=DateTimeField())
    ).annotate(
        is_silent=_flag(Q(heard_since__lt=F("heard_limit")) | Q(heard_since=None)),
        is_low=_flag(low),
    )
    return rows.annotate(
        is_weak=_flag(Q(vitals__rsrp__lt=WEAK, is_silent=False)),
        is_well=_flag(Q(is_silent=False, is_low=False) & (Q(vitals__tamper=False) | Q(vitals=None))),
    )


def _flag(condition: Q) -> Case:
    return Case(When(condition, then=Value(True)), default=Value(False), output_field=BooleanField())  # noqa: FBT003
