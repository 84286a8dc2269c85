"""A week of what sensors said (a month for a few homes), straight into the log as settled messages, and how devices are now."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from random import Random

from anju.devices import actions as devices
from anju.devices import queries as device_queries
from anju.devices.actions import VitalsNote
from anju.devices.queries import DeviceInfo
from anju.kernel import clock
from anju.signals import actions as signals
from anju.signals.signal import HistoryRow
from anju.town import living
from anju.town.kits import DeviceSeed
from anju.town.people import HomeSeed

DAYS = 7
LONG = 30
LONG_HOMES = 12
_CODES = {
    "motion": ("0010", "0119"),
    "door_open": ("0014", "0902"),
    "door_closed": ("0014", "0903"),
    "vitals": ("", "0901"),
}


def rows(seeds: list[HomeSeed], known: dict[str, DeviceInfo], until: datetime) -> Iterator[HistoryRow]:
    """Everything the homes' devices said before `until`. Silent devices fell silent some days ago."""
    for seed in seeds:
        mine = [(d, known[d.imei]) for d in seed.devices if d.imei in known]
        if mine:
            yield from _home(seed, mine, until)


def _home(seed: HomeSeed, mine: list[tuple[DeviceSeed, DeviceInfo]], until: datetime) -> Iterator[HistoryRow]:
    rng = Random(seed.n)
    days = LONG if seed.n < LONG_HOMES else DAYS
    motions = [pair for pair in mine if pair[0].kind == "motion"]
    doors = [pair for pair in mine if pair[0].kind == "door"]
    hung = motions[0][0].position if motions else ""
    for back in range(days, -1, -1):
        on = clock.local(until - timedelta(days=back)).date()
        for doing in living.day(seed.n, on, clock.SHANGHAI, hung):
            choices = motions if doing.kind == "motion" else doors
            if doing.at < until - timedelta(minutes=1) and choices:
                noticing = rng.choice(choices)
                if not _mute(noticing[0], doing.at, until):
                    late = timedelta(seconds=rng.randrange(1, 5) if doing.kind != "motion" else rng.randrange(1, 900))
                    yield _row(noticing[1], doing.at, min(doing.at + late, until), doing.kind, doing.count)
    for device, info in mine:
        every = timedelta(seconds=max(4 * 3600, info.report_every))
        at = until - timedelta(days=days) + timedelta(seconds=rng.randrange(0, 4 * 3600))
        while at < until - timedelta(minutes=1):
            if not _mute(device, at, until):
                yield _row(info, at, at + timedelta(seconds=2), "vitals", 1)
            at += every


def _mute(device: DeviceSeed, at: datetime, until: datetime) -> bool:
    return device.trouble == "silent" and at > until - timedelta(hours=60)


def _row(info: DeviceInfo, at: datetime, received: datetime, kind: str, count: int) -> HistoryRow:
    dty, stc = _CODES[kind]
    return HistoryRow(
        received_at=received, at=at, source=info.source, device_id=info.id, device_key=info.imei, home_id=info.home_id,
        place=info.place, kind=kind, dty=dty or "0004", stc=stc, lco=info.lco, count=count,
    )  # fmt: skip


def load(seeds: list[HomeSeed], until: datetime) -> int:
    """Write the history and how every device is now; answers the number of messages."""
    imeis = [d.imei for seed in seeds for d in seed.devices]
    known = device_queries.by_keys(imeis)
    made, last_event = list(rows(seeds, known, until)), dict[int, datetime]()
    for row in made:
        if row.kind != "vitals" and row.device_id is not None:
            last_event[row.device_id] = max(last_event.get(row.device_id, row.at), row.at)
    count = signals.load_history(made)
    devices.note_vitals(_vitals(seeds, known, last_event, until))
    return count


def _vitals(
    seeds: list[HomeSeed], known: dict[str, DeviceInfo], events: dict[int, datetime], until: datetime
) -> Iterator[VitalsNote]:
    for seed in seeds:
        for device in seed.devices:
            info = known.get(device.imei)
            if info is None:
                continue
            rng = Random(device.imei)
            silent = device.trouble == "silent"
            heard = until - (
                timedelta(hours=60, minutes=rng.randrange(90)) if silent else timedelta(minutes=rng.randrange(1, 50))
            )
            weak = device.trouble == "weak"
            yield VitalsNote(
                device_id=info.id, heard_at=heard, event_at=events.get(info.id),
                battery=rng.randrange(6, 15) if device.trouble == "low" else rng.randrange(45, 100),
                rsrp=rng.randrange(-121, -113) if weak else rng.randrange(-108, -78),
                snr=rng.randrange(-4, 2) if weak else rng.randrange(6, 20), cell_id=330_100 + seed.n % 24, tamper=False,
                online=not silent, seq=rng.randrange(100, 4000),
            )  # fmt: skip
