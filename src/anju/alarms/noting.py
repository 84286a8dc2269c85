"""What a batch told about the devices themselves: their vitals, and who talks without being registered.

Bulk statements; a reading that the database refuses costs only itself. Nothing here can stop a message.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from typing import Any, Final

from django.db import DatabaseError, OperationalError, connection, transaction

from anju.alarms import doors, readings, sensing, whereabouts, witnesses
from anju.alarms.faults import TroubleLine, is_database_gone, poison, words
from anju.alarms.rules import PLATFORM
from anju.devices import actions as devices
from anju.devices.actions import UnknownNote, VitalsNote
from anju.devices.queries import DeviceInfo
from anju.kernel import locks
from anju.kernel.scope import EVERYWHERE, seen_by
from anju.signals.signal import Heard

_log = logging.getLogger(__name__)
EVENTS: Final = frozenset({"motion", "door_open", "door_closed", "sos", "help"})
"""Kinds that prove that somebody is at home."""
SECOND: Final = (
    ("doors", frozenset({"door_open", "door_closed"}), doors.hear), ("meters", frozenset(witnesses.SCOPES), witnesses.hear),
    ("places", frozenset({"place"}), whereabouts.hear), ("readings", frozenset({"reading"}), readings.hear),
)  # fmt: skip
"""What else a batch may tell of a home: name, kinds of signals, who hears it."""
DeviceOf = Callable[[Heard], DeviceInfo | None]


def note(batch: Sequence[Heard], device_of: DeviceOf) -> list[TroubleLine]:
    """Write down what these messages told about their devices; answers what went wrong."""
    heard = [(h, device_of(h)) for h in batch if h.source != PLATFORM]
    return [
        *_note_vitals([_vitals(h, device) for h, device in heard if device is not None]),
        *_note_unknown([_stranger(h) for h, device in heard if device is None]),
    ]


def note_life(batch: Sequence[Heard], device_of: DeviceOf, *, give_way: bool) -> list[TroubleLine]:
    """Count the life signs of a batch for its homes. What goes wrong there never stops a message: it is told."""
    heard, told = [(h, device_of(h)) for h in batch], list[TroubleLine]()
    for attempt in (1, 2):
        try:
            with transaction.atomic():
                sensing.hear(heard, give_way=give_way)
            break
        except Exception as error:
            if is_database_gone(error):
                raise
            if attempt == 1 and isinstance(error, OperationalError):  # a lock lost to the sweep
                continue
            if locks.is_lost(error) and not give_way:
                raise  # the batch is given back: no life sign is lost
            _log.exception("the life signs of a batch could not be counted")
            told = [poison("sensing", words(error))]
            break
    return told if give_way else told + _note_second(heard)


def _note_second(heard: Sequence[tuple[Heard, DeviceInfo | None]]) -> list[TroubleLine]:
    """Doors, meters, places and measurements of a batch; each is a matter of its own."""
    kinds = {s.kind for h, _ in heard for s in h.signals or ()}
    told = []
    for name, wanted, hear in SECOND:
        if not kinds.isdisjoint(wanted):
            error = _try(hear, heard)
            told += [poison(name, error)] if error else []
    return told


def note_without_waiting(batch: Sequence[Heard], device_of: DeviceOf) -> list[TroubleLine]:
    """The same after an urgent batch, in a transaction of its own that gives way.

    A telemetry batch holds the vitals of its devices until it commits; an SOS must not wait for that. Where a row is held,
    it is just being told that its device was heard.
    """
    try:
        with seen_by(EVERYWHERE), transaction.atomic():
            with connection.cursor() as cursor:
                cursor.execute("SET LOCAL lock_timeout = '50ms'")
            told = note(batch, device_of) + _note_second([(h, device_of(h)) for h in batch])
            with connection.cursor() as cursor:
                cursor.execute("SET LOCAL lock_timeout = 0")
            return [line for line in told if "LockNotAvailable" not in line[2] and "lock timeout" not in line[2]]
    except DatabaseError as error:
        if is_database_gone(error):
            raise
        return [poison("vitals", words(error))]


def _note_vitals(notes: list[VitalsNote]) -> list[TroubleLine]:
    error = _try(devices.note_vitals, notes) if notes else ""
    if not error or "lock timeout" in error:
        return [poison("vitals", error)] if error else []
    for one in notes:  # one odd reading must not cost the others theirs
        if _try(devices.note_vitals, [one]):
            _try(devices.note_vitals, [VitalsNote(one.device_id, one.heard_at)])
    return [poison("vitals", error)]


def _note_unknown(notes: list[UnknownNote]) -> list[TroubleLine]:
    error = _try(devices.note_unknown, notes) if notes else ""
    return [poison("unknown", error)] if error else []


def _try(write: Callable[[list[Any]], object], notes: Any) -> str:
    try:
        with transaction.atomic():
            write(notes)
    except Exception as error:
        if is_database_gone(error):
            raise
        return words(error)
    return ""


def _vitals(heard: Heard, device: DeviceInfo) -> VitalsNote:
    read: dict[str, Any] = heard.vitals
    said = heard.signals or ()
    return VitalsNote(
        device_id=device.id,
        heard_at=heard.received_at,
        event_at=max((s.at for s in said if s.kind in EVENTS), default=None),
        battery=read.get("battery"),
        rsrp=read.get("rsrp"),
        snr=read.get("snr"),
        cell_id=read.get("cell_id"),
        tamper=read.get("tamper"),
        online=next((s.kind == "online" for s in said if s.kind in {"online", "offline"}), None),
        seq=read.get("seq"),
        firmware=read.get("firmware"),
    )


def _stranger(heard: Heard) -> UnknownNote:
    kinds = tuple(sorted({s.kind for s in heard.signals or ()}))
    return UnknownNote(heard.device_key, heard.operator_id, heard.source, heard.product_id, heard.received_at, kinds)
