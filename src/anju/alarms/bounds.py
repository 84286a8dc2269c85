"""The worst case of every home, computed round by round by the sweep and stored, so that lists and maps sort in SQL.

A home is looked at again when its row is older than `ROUND`; a round of the sweep spends at most `SPENT` seconds on it,
so that what is due never waits for it. The pages say when a figure was computed.
"""

from __future__ import annotations

import math
import time
from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from typing import Any, Final

from django.db.models import Case, Count, F, Min, Q, QuerySet, Value, When
from django.db.models.expressions import OrderBy

from anju.alarms import sensing, worst_case
from anju.alarms.models import HomeWatch, HomeWorst, StormHome
from anju.alarms.worst_case import Sensor, Shorter, WorstCase
from anju.devices import queries as devices
from anju.kernel import clock
from anju.kernel.scope import EVERYWHERE, seen_by

__all__ = [
    "LONGEST", "OFF", "HomeWorst", "by_homes", "longest", "of", "places_of", "renew", "repairs", "sensor", "sensors_of", "store", "summary",
]  # fmt: skip
ROUND: Final = timedelta(minutes=10)
"""A stored worst case is at most about so old."""
SPENT: Final = 3.0
"""Seconds of one sweep that may go into it."""
AT_ONCE: Final = 250
NO_CONSENT: Final = Shorter("consent", "请她或家属补签监测同意", worst_case.BLIND)
NO_SENSOR: Final = Shorter("install", "加装卫生间或过道活动传感器", worst_case.BLIND)


def renew(*, spent: float = SPENT) -> int:
    """Compute the homes whose figure is the oldest; answers how many. Called at the end of each sweep."""
    began, done = time.monotonic(), 0
    with seen_by(EVERYWHERE):
        while time.monotonic() - began < spent:
            rows = _oldest(clock.now() - ROUND)
            store(rows)
            done += len(rows)
            if len(rows) < AT_ONCE:
                break
    return done


def _oldest(before: datetime) -> list[HomeWatch]:
    new = HomeWatch.objects.filter(home__worst=None).order_by("home_id")[:AT_ONCE]
    rows = list(new)
    if len(rows) < AT_ONCE:
        ids = HomeWorst.objects.filter(computed_at__lt=before).order_by("computed_at")
        known = list(ids.values_list("home_id", flat=True)[: AT_ONCE - len(rows)])
        rows += HomeWatch.objects.filter(home_id__in=known)
    return rows


def store(rows: Sequence[HomeWatch]) -> None:
    """Compute and store these homes."""
    if not rows:
        return
    now, ids = clock.now(), [r.home_id for r in rows]
    blind = StormHome.objects.filter(home_id__in=ids, storm__ended_at=None, back_at=None, called_at=None)
    dark = set(blind.values_list("home_id", flat=True))
    learnt, at_home = sensing.learnt_of(rows), sensors_of(ids)
    made = []
    for row in rows:
        sensors = at_home.get(row.home_id, [])
        worst = of(row, learnt.get(row.home_id), sensors, dark=row.home_id in dark)
        best = next((m for m in worst.shorter), None)
        made.append(HomeWorst(
            home_id=row.home_id, place=row.place, hours=round(worst.hours, 2), cause=worst.cause, words=worst.words[:120],
            won=round(best.hours, 2) if best else 0.0, measure=best.measure if best else "",
            measure_words=best.words[:120] if best else "", device_id=best.device if best else None,
            others=[[m.measure, m.words, round(m.hours, 1), m.device] for m in worst.shorter[1:]], computed_at=now,
        ))  # fmt: skip
    HomeWorst.objects.bulk_create(
        made, update_conflicts=True, unique_fields=["home"],
        update_fields=["place", "hours", "cause", "words", "won", "measure", "measure_words", "device", "others", "computed_at"],
    )  # fmt: skip


def of(row: HomeWatch, packed: bytes | None, sensors: Sequence[Sensor], *, dark: bool = False) -> WorstCase:
    """The worst case of one home, states that people told and storms included."""
    now = clock.now()
    if not row.watched:
        measure = NO_CONSENT if row.why_not == sensing.NO_CONSENT else NO_SENSOR
        return WorstCase(math.inf, OFF, row.why_not or "还没有核对同意和设备", (measure,))
    worst = worst_case.worst_case(sensing.Watch.of(row, packed).vigil, now.timestamp(), sensors)
    if dark:
        return WorstCase(math.inf, "storm", "所在区域失联，还没有打通电话核实", worst.shorter)
    if row.paused_until is not None and row.paused_until > now:
        rest = (row.paused_until - now).total_seconds() / 3600
        until = clock.local(row.paused_until)
        return WorstCase(worst.hours + rest, "paused", f"暂停看护到 {until:%m-%d %H:%M}，期间安静不报", ())
    return worst


def sensors_of(home_ids: Sequence[int]) -> dict[int, list[Sensor]]:
    """The sensors whose silence counts, of these homes."""
    found: dict[int, list[Sensor]] = {}
    for h in devices.health(home_id__in=list(home_ids), product__kind__in=sorted(sensing.SENSORS), limit=20 * AT_ONCE):
        if h.device.home_id is not None:
            found.setdefault(h.device.home_id, []).append(sensor(h))
    return found


def sensor(h: devices.DeviceHealth) -> Sensor:
    """A device as the worst case sees it."""
    heard = h.last_heard_at
    return Sensor(
        name=f"{h.device.position}{h.device.product_name}", heard_at=heard.timestamp() if heard else None,
        silent_after=float(h.device.silent_after), battery=h.battery, battery_low=h.device.battery_low,
        motion=h.device.kind != "door", placement=h.device.position, device=h.device.id,
        since=f"{clock.local(heard):%m-%d %H:%M}" if heard else "",
    )  # fmt: skip


# ---- for the pages

Stands = tuple[int, float, float, float, str]
"""(home, longitude, latitude, hours, cause)."""

OFF: Final = "off"
"""Cause of the homes that are not watched at all: their way is a signature, not a repair, so they stand after the deaf ones."""
LONGEST: Final = (
    F("home__worst__hours").desc(nulls_first=True), OrderBy(Case(When(home__worst__cause=OFF, then=Value(1)), default=Value(0))), "id",
)  # fmt: skip
"""An order of elders: who would not be found for the longest first; who was never computed stands before all."""


def by_homes(home_ids: Iterable[int]) -> dict[int, HomeWorst]:
    """What is stored of these homes."""
    return {w.home_id: w for w in HomeWorst.objects.filter(home_id__in=list(home_ids))}


def repairs(*, place: str = "", cause: str = "", start: int = 0, size: int = 40) -> tuple[list[HomeWorst], int]:
    """What would win hours, the most hours first, in the asker's scope; and how many homes there are. Homes that are not
    watched want a signature: they are asked for by their cause.
    """
    rows = _of_place(place).filter(won__gt=0)
    rows = rows.filter(cause=cause) if cause else rows.exclude(cause=OFF)
    return list(rows.order_by("-won", "home_id")[start : start + size]), rows.count()


def longest(*, place: str = "", limit: int = 30) -> list[HomeWorst]:
    """The homes in which it would take the longest, in the asker's scope."""
    last = Case(When(cause=OFF, then=Value(1)), default=Value(0))
    return list(_of_place(place).order_by("-hours", last, "-won", "home_id")[:limit])


def places_of(place: str = "") -> list[Stands]:
    """(home, longitude, latitude, hours, cause) of every home that has a place on the map."""
    rows = _of_place(place).filter(home__lon__isnull=False, home__lat__isnull=False)
    found = rows.order_by("home_id").values_list("home_id", "home__lon", "home__lat", "hours", "cause")
    return [(home, lon or 0.0, lat or 0.0, hours, cause) for home, lon, lat, hours, cause in found]


def summary(place: str = "") -> dict[str, Any]:
    """How many homes, how many that nobody would know of, over a day, over 12 h; and the oldest figure."""
    return _of_place(place).aggregate(
        homes=Count("home"), never=Count("home", filter=Q(hours=math.inf)), day=Count("home", filter=Q(hours__gt=24)),
        half=Count("home", filter=Q(hours__gt=12)), off=Count("home", filter=Q(cause=OFF)), oldest=Min("computed_at"),
    )  # fmt: skip


def _of_place(place: str) -> QuerySet[HomeWorst]:
    return HomeWorst.objects.filter(place__startswith=place) if place else HomeWorst.objects.all()
