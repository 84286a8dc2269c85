"""Where she is and whether she left her fence (SEN-05): fixes become a side, a side becomes an alarm, once an excursion.

The edge rule tells when she was seen leaving; the state rule tells when she is outside for too long even if nobody saw her
leave (the locator was off, the fix at the gate was lost). Locating is part of the monitoring that she consented to.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from django.db import transaction

from anju.accounts.permissions import must
from anju.alarms import actions, fence
from anju.alarms.fence import Circle, Fix
from anju.alarms.models import HomeState
from anju.alarms.more_models import Fence, Whereabouts
from anju.alarms.rules import PLATFORM, RULES
from anju.devices.queries import DeviceInfo
from anju.elders import queries as elders
from anju.kernel import audit, clock
from anju.kernel.changes import changed
from anju.kernel.flow.actor import Actor
from anju.signals.signal import Heard

RADIUS: Final = (50, 50_000)
"""Metres that a fence may have."""
MINUTES: Final = (0, 24 * 60)
AGAIN: Final = timedelta(hours=1)
SIDES: Final = {fence.IN: "在围栏内", fence.OUT: "在围栏外", fence.UNKNOWN: "不清楚"}


def hear(batch: Iterable[tuple[Heard, DeviceInfo | None]]) -> int:
    """Fixes of a batch; answers how many homes they were of."""
    by_home: dict[int, list[tuple[Fix, DeviceInfo]]] = {}
    for heard, device in batch:
        if device is None or device.home_id is None or device.status != "installed" or heard.source == PLATFORM:
            continue
        if device.in_test(heard.received_at):
            continue
        found = [(fix, device) for s in heard.signals or () if s.kind == "place" and (fix := _fix(s.at, s.value))]
        if found:
            by_home.setdefault(device.home_id, []).extend(found)
    taken = 0
    for home_id in sorted(by_home):
        elder = elders.main_elder(home_id)
        if elder is None or not elders.covered(elder.pk, "monitor"):
            continue
        _take(home_id, by_home[home_id])
        taken += 1
    return taken


def _fix(at: datetime, value: Any) -> Fix | None:
    try:
        lat, lon, accuracy = float(value["lat"]), float(value["lon"]), float(value.get("accuracy", 0) or 0)
    except (TypeError, KeyError, ValueError, AttributeError):
        return None
    if not (-90 <= lat <= 90 and -180 <= lon <= 180 and accuracy >= 0) or (lat == 0 and lon == 0):
        return None
    return Fix(at.timestamp(), round(lat, 6), round(lon, 6), round(min(accuracy, 1e6), 1))


def _take(home_id: int, found: list[tuple[Fix, DeviceInfo]]) -> None:
    device = found[-1][1]
    row = Whereabouts.objects.select_for_update(of=("self",)).filter(home_id=home_id).first()
    row = row or Whereabouts(home_id=home_id, place=device.place)
    fixes = fence.with_fixes([Fix(*f) for f in row.fixes], [fix for fix, _ in found])
    row.fixes, row.device_id = [[f.at, f.lat, f.lon, f.accuracy] for f in fixes], device.id
    _judge(row)
    row.save()
    changed("home", home_id, row.place)


def circle_of(home_id: int) -> tuple[Fence, Circle] | None:
    """The fence of a home that holds now."""
    row = Fence.objects.filter(home_id=home_id, ended_at=None).first()
    if row is None:
        return None
    return row, Circle(row.latitude, row.longitude, float(row.radius), row.at_edge, float(row.minutes))


def _judge(row: Whereabouts) -> None:
    """Which side she is on by all that is known, and when the clock must tell somebody."""
    held = circle_of(row.home_id)
    if held is None:
        row.side, row.since, row.look_at, row.raised = fence.UNKNOWN, None, None, []
        return
    on = fence.course([Fix(*f) for f in row.fixes], held[1])
    row.side, row.since = on.side, datetime.fromtimestamp(on.since, UTC) if on.since else None
    if on.side == fence.IN and row.raised:
        row.raised = []
        if row.device_id is not None and row.since is not None:
            actions.note_reset(device_id=row.device_id, at=row.since)
    due = fence.due_at(on, held[1])
    row.look_at = datetime.fromtimestamp(due, UTC) if due is not None and not row.raised else None


def sweep(limit: int = 500) -> int:
    """Tell of those who are outside for too long, or were seen leaving; answers how many."""
    now, done = clock.now(), 0
    ids = list(
        Whereabouts.objects.filter(look_at__lte=now).order_by("look_at").values_list("home_id", flat=True)[:limit]
    )
    for home_id in ids:
        with transaction.atomic():
            rows = Whereabouts.objects.select_for_update(skip_locked=True, of=("self",))
            row = rows.filter(home_id=home_id, look_at__lte=now).first()
            if row is not None:
                _judge(row)
                done += _tell(row, now)
                row.save(update_fields=["side", "since", "look_at", "raised"])
    return done


def _tell(row: Whereabouts, now: datetime) -> int:
    held = circle_of(row.home_id)
    if held is None or row.look_at is None or row.look_at > now or row.since is None:
        return 0
    away = HomeState.Kind.HOLIDAY, HomeState.Kind.HOSPITAL
    if HomeState.objects.filter(
        home_id=row.home_id, kind__in=away, ended_at=None, since__lte=now, until__gt=now
    ).exists():
        row.look_at = now + AGAIN  # she is said to be elsewhere
        return 0
    last = Fix(*row.fixes[-1])
    far = fence.metres(last, held[0].latitude, held[0].longitude)
    elder = elders.main_elder(row.home_id)
    minutes = max(0, int((now - row.since).total_seconds() // 60))
    edge = fence.course([Fix(*f) for f in row.fixes], held[1]).edge
    how = "离开" if edge else "在外（没有收到离开的定位）"
    text = (
        f"{elder.name if elder else '老人'}自 {clock.local(row.since):%H:%M} 起{how}围栏“{held[0].name}”，已 {minutes} 分钟；"
        f"最近定位 {clock.local(datetime.fromtimestamp(last.at, UTC)):%H:%M}，距中心 {far:.0f} 米，精度 {last.accuracy:.0f} 米"
    )
    actions.raise_or_join(
        rule=RULES["wander"], at=row.since, received_at=now, source=PLATFORM, place=row.place, home_id=row.home_id,
        device_id=row.device_id, lco="019", note=text,
    )  # fmt: skip
    row.raised, row.look_at = ["out"], None
    return 1


# ---- the fence itself


@transaction.atomic
def set_fence(
    *, home_id: int, name: str, latitude: float, longitude: float, radius: int, by: Actor, at_edge: bool = True, minutes: int = 30
) -> Fence:  # fmt: skip
    """Draw her circle (WGS-84; metres; minutes outside until somebody is told). It takes the place of the one before."""
    must(by, "fence.set")
    home = elders.home(home_id)
    if home is None:
        raise ValueError("没有这个家庭")
    if not (-90 <= latitude <= 90 and -180 <= longitude <= 180):
        raise ValueError("请填围栏中心的经纬度，须在有效范围内")
    if not RADIUS[0] <= radius <= RADIUS[1]:
        raise ValueError(f"半径须在 {RADIUS[0]} 到 {RADIUS[1]} 米之间")
    if not MINUTES[0] <= minutes <= MINUTES[1]:
        raise ValueError("在外时间须在 0 到 1440 分钟之间")
    now = clock.now()
    Fence.objects.filter(home_id=home_id, ended_at=None).update(ended_at=now)
    made = Fence.objects.create(
        home_id=home_id, place=home.place, name=name.strip()[:40] or "住处周围", latitude=latitude, longitude=longitude,
        radius=radius, at_edge=at_edge, minutes=minutes, set_by=by.name, set_at=now,
    )  # fmt: skip
    _changed(home_id, home.place, "fence.set", {"radius": radius, "minutes": minutes, "edge": at_edge})
    return made


@transaction.atomic
def end_fence(*, home_id: int, by: Actor) -> bool:
    """No fence any more; False when there was none."""
    must(by, "fence.set")
    home = elders.home(home_id)
    ended = bool(Fence.objects.filter(home_id=home_id, ended_at=None).update(ended_at=clock.now()))
    if ended and home is not None:
        _changed(home_id, home.place, "fence.ended", {})
    return ended


def _changed(home_id: int, place: str, what: str, detail: dict[str, Any]) -> None:
    row = Whereabouts.objects.select_for_update(of=("self",)).filter(home_id=home_id).first()
    if row is not None:
        row.raised = []
        _judge(row)
        row.save()
    audit.record(what, subject="home", subject_id=str(home_id), place=place, detail=detail)
    changed("home", home_id, place)


def of_home(home_id: int) -> tuple[Fence | None, Whereabouts | None]:
    """The fence and where she was last seen, in the asker's scope."""
    return (
        Fence.objects.filter(home_id=home_id, ended_at=None).first(), Whereabouts.objects.filter(home_id=home_id).first(),
    )  # fmt: skip
