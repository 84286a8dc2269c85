"""Who is watched: by signed consent and by sensors. Begins, ends and begins again; what was heard meanwhile is caught up.

A change of consents, devices or service marks the home (`mark`); the next sweep looks at it. Each night all are looked at.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from typing import Final

from django.db import transaction

from anju.alarms import priors, rhythm, witnesses
from anju.alarms.models import HomeWatch
from anju.alarms.rows import DOORS, LIFE, PROMPT, SENSORS, Watch, kept_ear, learnt_of, save, signs_of_life
from anju.alarms.vigil import Ear, Sign
from anju.devices import queries as devices
from anju.devices.queries import DeviceHealth
from anju.elders import queries as elders
from anju.kernel import clock
from anju.kernel.changes import changed
from anju.kernel.scope import EVERYWHERE, seen_by
from anju.signals import queries as signals
from anju.signals.queries import Activity

NO_CONSENT: Final = "没有有效的监测同意"
NO_SENSOR: Final = "没有活动或门磁传感器"
NOT_YET: Final = "刚听到，正在核对同意和设备"
"""A home that is heard for the first time: the next sweep looks whether it may be watched."""
HISTORY: Final = timedelta(days=30)
CHUNK: Final = timedelta(days=3)
"""History is read in pieces: a lively home says more in a month than one question answers."""
AHEAD: Final = timedelta(minutes=6)
"""A device's clock may be so far ahead."""
QUICKEST: Final = 1800
AT_ONCE: Final = 200


def mark(*, home_id: int) -> None:
    """Something changed that decides whether and how this home is watched: the next sweep looks at it."""
    with seen_by(EVERYWHERE):
        HomeWatch.objects.filter(home_id=home_id).update(stale=True)


def look_again(limit: int = AT_ONCE) -> int:
    """Enrol the homes that were marked or heard for the first time; answers how many."""
    ids = list(HomeWatch.objects.filter(stale=True).order_by("home_id").values_list("home_id", flat=True)[:limit])
    for home_id in ids:
        enrol(home_id=home_id)
    return len(ids)


@transaction.atomic
def enrol(*, home_id: int) -> bool:
    """Begin to watch a home, or write down why it is not watched. Answers whether it is.

    Without a signed consent nothing is learnt and nothing raised here; SOS and life-safety sensors never ask for one.
    """
    home, elder = elders.home(home_id), elders.main_elder(home_id)
    if home is None:
        return False
    sensors = sensors_of(home_id)
    why_not = NO_SENSOR if not sensors else ""
    if elder is None or not elders.covered(elder.pk, "monitor") or "monitor" not in elders.services_for(elder.pk):
        why_not = NO_CONSENT
    HomeWatch.objects.bulk_create(
        [HomeWatch(home_id=home_id, place=home.place, watched=False, why_not=NOT_YET)], ignore_conflicts=True
    )
    row = HomeWatch.objects.select_for_update(of=("self",)).get(home_id=home_id)
    was = row.watched
    row.place, row.watched, row.why_not, row.stale = home.place, not why_not, why_not, False
    row.period = _period(sensors)
    row.placement = priors.placement_of([s.device.position for s in sensors if s.device.kind == "motion"])
    row.save(update_fields=["place", "watched", "why_not", "stale", "period", "placement"])
    if row.watched:
        if was and row.last_life_at is not None:
            _fit(row, sensors)
        else:
            _catch_up(row, sensors)
    witnesses.drop_unconsented(home_id)
    changed("home", home_id, home.place)
    return not why_not


def sensors_of(home_id: int) -> list[DeviceHealth]:
    """The installed sensors whose silence counts."""
    return [
        d for d in devices.of_home(home_id) if d.device.kind in SENSORS and d.device.status == "installed"
    ]  # fmt: skip


def _period(sensors: Sequence[DeviceHealth]) -> int:
    watching = [s.device.report_every for s in sensors if s.device.kind not in PROMPT]
    return max([*(watching or [s.device.report_every for s in sensors] or [3600]), QUICKEST])


def _fit(row: HomeWatch, sensors: Sequence[DeviceHealth]) -> None:
    """The ears of a home follow its devices: what was removed holds nothing up, what is new and mute is waited for."""
    ears = {
        str(s.device.id): row.ears.get(str(s.device.id)) or kept_ear(_ear(s))
        for s in sensors
        if s.device.kind not in PROMPT or str(s.device.id) in row.ears or s.last_heard_at
    }
    if ears == row.ears:
        return
    row.ears = ears
    watch = Watch.of(row, learnt_of([row]).get(row.home_id))
    watch.vigil.aim()
    watch.store()
    save([row], [])


def fitted(row: HomeWatch) -> bool:
    """Whether a home that is about to be called deaf had an ear of a device that is gone; then it is mended."""
    before = dict(row.ears)
    _fit(row, sensors_of(row.home_id))
    return bool(row.ears != before)


def _ear(s: DeviceHealth) -> Ear:
    """A sensor that was not heard since this watch began: up to its last word, or else its installation."""
    installed = devices.installed_at(s.device.id)
    heard = s.last_heard_at or installed or clock.now()
    return Ear(
        heard.timestamp(), heard.timestamp(), prompt=s.device.kind in PROMPT, every=float(s.device.report_every),
        limit=float(s.device.silent_after),
    )  # fmt: skip


def _catch_up(row: HomeWatch, sensors: Sequence[DeviceHealth]) -> None:
    """A home that is watched from today on, or again, has often been heard for weeks: nothing of that need be learnt anew.

    What happened while no consent held is not learnt by a home that was watched before: then only its last sign counts.
    """
    now, again = clock.now(), row.first_at is not None
    row.ears, row.raised, row.lost, row.last_life_at, row.natural_at = {}, [], [], None, None
    watch = Watch.of(row, learnt_of([row]).get(row.home_id))
    vigil = watch.vigil
    vigil.ears = {str(s.device.id): _ear(s) for s in sensors if s.device.kind not in PROMPT or s.last_heard_at}
    latest: Activity | None = None
    for sign in _life(row.home_id, now - HISTORY, now + AHEAD):
        if latest is None and not again:
            vigil.rhythm, row.first_at = rhythm.fresh(clock.local(sign.at).toordinal()), sign.at
        latest = sign
        if again:
            vigil.learn_from = sign.at.timestamp() + 1
        vigil.live(Sign(sign.at.timestamp(), door=sign.kind in DOORS))
    if latest is None:
        row.soft_at = row.hard_at = row.look_at = None
        vigil.soft_at = vigil.hard_at = 0.0
    else:
        row.last_life_what = LIFE[latest.kind]
        vigil.aim()
    save([row], watch.store())


def _life(home_id: int, since: datetime, until: datetime) -> Iterator[Activity]:
    """The signs of life of a time, in order."""
    while since < until:
        end = min(until, since + CHUNK)
        yield from signs_of_life(signals.activity(home_id, since, end))
        since = end


def enrol_all() -> int:
    """Nightly: every home with its devices and consents of the day; answers how many are watched."""
    with seen_by(EVERYWHERE):
        return sum(enrol(home_id=h.pk) for h in elders.homes())
