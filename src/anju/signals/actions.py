"""The only writers of the log inside Django: the router's results, the platform's own signals, the demo's history.

Messages of devices are written by the gateway (`portals.device_gateway.lane`), by COPY, before they are acknowledged.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from typing import Any
from uuid import uuid4

from django.db import connection, transaction

from anju.kernel import clock
from anju.signals import log, partitions
from anju.signals.models import Cursor, Lane
from anju.signals.signal import Heard, HistoryRow, Routed, Signal, lane_of, message_id, seq_of

WINDOW = timedelta(seconds=10)  # without a time stamp the same content is a duplicate only within this time
BELL = "anju_heard"

_MESSAGE_COLUMNS = (
    "id", "received_at", "device_at", "uid", "source", "product_id", "device_key", "operator_id", "kind", "outcome", "n",
    "windowed", "dedup", "decoded", "raw", "note",
)  # fmt: skip
_SIGNAL_COLUMNS = (
    "received_at", "at", "message_id", "nth", "source", "device_id", "home_id", "place", "kind", "dty", "stc", "lco", "count",
    "value", "seq", "outcome", "reason", "alarm_id", "attempts", "retry_at",
)  # fmt: skip


def _copy(table: str, columns: tuple[str, ...], rows: Iterable[Sequence[Any]]) -> None:
    with connection.cursor() as cursor, cursor.copy(f"COPY {table} ({', '.join(columns)}) FROM STDIN") as copy:
        for row in rows:
            copy.write_row(row)


def claim(batch: Sequence[Heard]) -> set[tuple[int, int]]:
    """Which of these messages are new, as (lane_id, seq); the others are duplicates of something heard before (or earlier
    in the batch). Written in the caller's transaction: if it rolls back, nothing was claimed.
    """
    new: set[tuple[int, int]] = set()
    stamped: dict[tuple[Any, bytes], Heard] = {}
    windowed: dict[tuple[Any, bytes], list[Heard]] = {}
    for heard in batch:
        key = (partitions.local_day(heard.device_at or heard.received_at), heard.dedup)
        if heard.windowed:
            windowed.setdefault(key, []).append(heard)
        else:
            stamped.setdefault(key, heard)
    sql = """INSERT INTO signals_seen AS s (day, dedup, at, message_id)
             SELECT * FROM unnest(%s::date[], %s::bytea[], %s::timestamptz[], %s::bigint[])
             ON CONFLICT (day, dedup) DO {} RETURNING message_id"""
    later = sql.format(
        "UPDATE SET at = excluded.at, message_id = excluded.message_id "
        f"WHERE abs(extract(epoch FROM excluded.at - s.at)) > {WINDOW.total_seconds()}"
    )

    def run(query: str, rows: list[tuple[tuple[Any, bytes], Heard]]) -> None:
        rows.sort(key=lambda row: row[0])
        days, keys = [k[0] for k, _ in rows], [k[1] for k, _ in rows]
        with connection.cursor() as cursor:
            cursor.execute(query, [days, keys, [h.received_at for _, h in rows], [h.id for _, h in rows]])
            new.update((lane_of(ident), seq_of(ident)) for (ident,) in cursor.fetchall())

    if stamped:
        run(sql.format("NOTHING"), list(stamped.items()))
    while windowed:  # a key at most once in each statement
        run(later, [(key, rows.pop(0)) for key, rows in windowed.items()])
        windowed = {key: rows for key, rows in windowed.items() if rows}
    return new


def settle(batch: Sequence[Routed]) -> None:
    """Write what became of these messages and move the cursors past them, all in the caller's transaction."""
    if not batch:
        return
    _copy("signals_signal", _SIGNAL_COLUMNS, (
        (
            routed.heard.received_at, s.signal.at, routed.heard.id, s.nth, routed.heard.source, s.device_id, s.home_id, s.place,
            s.signal.kind, s.signal.dty, s.signal.stc, s.signal.lco, s.signal.count,
            None if s.signal.value is None else json.dumps(s.signal.value), s.signal.seq,
            s.outcome, s.reason, s.alarm_id, s.attempts, s.retry_at,
        )
        for routed in batch for s in routed.signals
    ))  # fmt: skip
    times = [r.heard.received_at for r in batch]
    read: dict[int, Heard] = {}
    for routed in batch:
        if routed.heard.lane_id not in read or routed.heard.seq > read[routed.heard.lane_id].seq:
            read[routed.heard.lane_id] = routed.heard
    lanes = [read[k] for k in sorted(read)]
    with connection.cursor() as cursor:
        cursor.execute(
            """UPDATE signals_message m SET outcome = v.outcome,
                 note = CASE WHEN v.error = '' THEN m.note WHEN m.note = '' THEN v.error ELSE m.note || ';' || v.error END
               FROM unnest(%s::bigint[], %s::text[], %s::text[]) AS v(id, outcome, error)
               WHERE m.id = v.id AND m.received_at BETWEEN %s AND %s""",
            [[r.heard.id for r in batch], [r.outcome for r in batch], [r.error for r in batch], min(times), max(times)],
        )
        cursor.execute(
            """UPDATE signals_cursor c SET seq = v.seq, floor = v.floor,
                 done = l.closed_at IS NOT NULL AND v.seq >= l.last_seq
               FROM unnest(%s::bigint[], %s::bigint[], %s::timestamptz[]) AS v(lane, seq, floor)
               JOIN signals_lane l ON l.id = v.lane WHERE c.lane_id = v.lane AND v.seq > c.seq""",
            [[h.lane_id for h in lanes], [h.seq for h in lanes], [h.received_at for h in lanes]],
        )


def resolve(
    *, signal_id: int, outcome: str, reason: str = "", alarm_id: int | None = None, attempts: int = 0,
    retry_at: datetime | None = None,
) -> None:  # fmt: skip
    """What became of a signal that was pending (or pending again, with its next attempt)."""
    with connection.cursor() as cursor:
        cursor.execute(
            """UPDATE signals_signal SET outcome = %s, reason = %s, alarm_id = %s, attempts = %s, retry_at = %s
               WHERE id = %s AND outcome = 'pending'""",
            [outcome, reason, alarm_id, attempts, retry_at, signal_id],
        )


def _lane(kind: str, gateway: str, floor: datetime, *, last_seq: int, done: bool) -> int:
    now = clock.now()
    lane = Lane.objects.create(gateway=gateway, kind=kind, opened_at=now, closed_at=now, last_seq=last_seq)
    Cursor.objects.create(lane=lane, floor=floor, done=done, seq=last_seq if done else 0)
    return lane.pk


def say(*, device_key: str, signals: Sequence[Signal], note: str, dedup: str) -> int:
    """The platform itself says something about a device (it is silent, …): into the same log, so that its alarms balance in
    the same ledger. Said once for equal `dedup` on one day. Answers the message id.
    """
    with transaction.atomic():
        now = clock.now()
        lane = _lane(Lane.Kind.INNER, "platform", now, last_seq=1, done=False)
        ident = message_id(lane, 1)
        key = hashlib.blake2b(f"platform|{device_key}|{dedup}".encode(), digest_size=16).digest()
        _copy("signals_message", _MESSAGE_COLUMNS, [(
            ident, now, now, uuid4(), "platform", "", device_key, "", "event", "pending", len(signals), False, key,
            log.write_signals(signals, {}).decode(), b"", note,
        )])  # fmt: skip
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_notify(%s, '')", [BELL])
    return ident


def load_history(rows: Iterable[HistoryRow]) -> int:
    """An invented past for the demo: messages with one settled signal each, in a closed lane of its own. Answers the count."""
    ordered = sorted(rows, key=lambda row: row.received_at)
    if not ordered:
        return 0
    with transaction.atomic():
        lane = _lane(Lane.Kind.HISTORY, "history", ordered[0].received_at, last_seq=len(ordered), done=True)
        _copy("signals_message", _MESSAGE_COLUMNS, (
            (
                message_id(lane, n), row.received_at, row.at, uuid4(), row.source, "", row.device_key, "", "report", "signals", 1,
                False, hashlib.blake2b(f"{lane}|{n}".encode(), digest_size=16).digest(),
                log.write_signals([_signal(row)], {}).decode(), row.raw, "",
            )
            for n, row in enumerate(ordered, 1)
        ))  # fmt: skip
        _copy("signals_signal", _SIGNAL_COLUMNS, (
            (
                row.received_at, row.at, message_id(lane, n), 0, row.source, row.device_id, row.home_id, row.place, row.kind,
                row.dty, row.stc, row.lco, row.count, None if row.value is None else json.dumps(row.value), None,
                row.outcome, row.reason, row.alarm_id, 0, None,
            )
            for n, row in enumerate(ordered, 1)
        ))  # fmt: skip
    return len(ordered)


def _signal(row: HistoryRow) -> Signal:
    return Signal(row.kind, row.at, row.dty, row.stc, row.lco, row.count, row.value)


def ensure_partitions() -> int:
    """Make the partitions of today and the coming days; answers how many were missing."""
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SET LOCAL lock_timeout = '2s'")
        return partitions.ensure(cursor, clock.today())
