"""What the log needs in the background: silence found, partitions ahead, raw bodies forgotten in time."""

from __future__ import annotations

import os
from collections.abc import Callable
from datetime import date, timedelta
from functools import partial
from typing import Any

from django.db import DatabaseError, connection, transaction

from anju.devices import actions as devices
from anju.devices import queries as device_queries
from anju.kernel import clock
from anju.kernel.jobs import job, periodic
from anju.signals import actions, partitions
from anju.signals.signal import Signal

RAW_DAYS = int(os.environ.get("ANJU_RAW_DAYS", "90"))  # how long bodies stay as they came
KEEP_DAYS = int(os.environ.get("ANJU_KEEP_DAYS", "1100"))  # how long messages and signals stay at all
SEEN_DAYS = 14  # how long an equal message counts as a duplicate


@periodic("* * * * *")
@job("signals.find_silence")
def find_silence() -> None:
    """Installed devices that are silent for longer than their model allows: said once for each absence, into the log, so
    that the alarm table and the ledger treat it as anything else. Maintenance, not an emergency.
    """
    now = clock.now()
    for silent in device_queries.silent(now):
        if silent.already_told:
            continue
        with transaction.atomic():
            devices.mark_silent(device_ids=[silent.device.id], at=now)
            hours = (now - silent.since).total_seconds() / 3600
            actions.say(
                device_key=silent.device.imei,
                signals=[Signal("silent", now, "", "0900", silent.device.lco, value={"hours": round(hours, 1)})],
                note=f"{hours:.0f} 小时无上报",
                dedup=f"silent|{silent.since.isoformat()}",
            )


@periodic("17 * * * *")
@job("signals.partitions")
def make_partitions() -> None:
    """Partitions of the coming days (the gateway makes them too; whoever comes first)."""
    actions.ensure_partitions()


@periodic("40 3 * * *")
@job("signals.forget")
def forget() -> None:
    """End of retention: raw bodies after RAW_DAYS, whole days after KEEP_DAYS, de-duplication after SEEN_DAYS. A day that is
    locked by somebody waits for the next night.
    """
    today = clock.today()
    with connection.cursor() as cursor:
        raw = [d for d in partitions.existing(cursor, "signals_message") if today - d > timedelta(days=RAW_DAYS)]
        old = [
            (t, d)
            for t in partitions.TIMED
            for d in partitions.existing(cursor, t)
            if today - d > timedelta(days=KEEP_DAYS)
        ]
        old += [
            ("signals_seen", d)
            for d in partitions.existing(cursor, "signals_seen")
            if today - d > timedelta(days=SEEN_DAYS)
        ]
    for table, day in old:
        _try(partial(partitions.drop, table=table, day=day))
    for day in raw:
        _try(partial(_forget_raw, day=day))


@periodic("10 2 * * *")
@job("signals.arrange")
def arrange() -> None:
    """The signals of the days that are over, put into the order of homes (a day after their end, when nothing late comes any
    more). A day that is locked waits for the next night; so does the rest after a dozen.
    """
    with connection.cursor() as cursor:
        over = [d for d in partitions.existing(cursor, "signals_signal") if clock.today() - d > timedelta(days=1)]
        wanted = [d for d in over if not partitions.arranged(cursor, d)]
    for day in wanted[-12:]:
        _try(partial(partitions.arrange, day=day))


def _forget_raw(cursor: Any, *, day: date) -> None:
    if partitions.has_raw(cursor, day):
        partitions.forget_raw(cursor, day)


def _try(work: Callable[[Any], object]) -> None:
    try:
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute("SET LOCAL lock_timeout = '5s'")
            work(cursor)
    except DatabaseError:
        return
