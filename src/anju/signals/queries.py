"""What may be asked of the log. The router reads here; pages ask for signals inside their scope, or for counts."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import msgspec
from django.db import connection

from anju.kernel import clock
from anju.signals import log
from anju.signals.models import Message, Signal, Source
from anju.signals.signal import Heard, lane_of, seq_of
from anju.signals.signal import Signal as SignalValue

_LANES = """
SELECT c.lane_id, c.seq, c.floor, l.urgent FROM signals_cursor c JOIN signals_lane l ON l.id = c.lane_id
WHERE NOT c.done AND l.urgent = %s ORDER BY c.lane_id FOR UPDATE OF c SKIP LOCKED
"""
LEAST_SHARE = 20  # messages of a lane in a batch, whatever waits in the others
SLACK = timedelta(hours=1)  # a spooled lane's times of receipt are nearly, not strictly, in order

_COLUMNS = """id, received_at, device_at, uid, source, product_id, device_key, operator_id, kind, n, windowed, dedup, decoded, note"""
_ROWS = f"""
SELECT {_COLUMNS} FROM signals_message
WHERE id > %s AND id < %s AND received_at >= %s ORDER BY id LIMIT %s
"""  # noqa: S608 - constants only


def _heard(row: tuple[Any, ...], *, urgent: bool) -> Heard:
    ident, received, device_at, uid, source, product, key, operator, kind, n, windowed, dedup, decoded, note = row
    signals: tuple[SignalValue, ...] | None = None
    vitals: dict[str, Any] = {}
    if n > 0:
        try:
            signals, vitals = log.read(decoded)
        except msgspec.DecodeError as error:  # one bad row must not stop its lane
            note = f"解析结果不可读：{error};{note}"
    return Heard(
        lane_id=lane_of(ident), seq=seq_of(ident), received_at=received, urgent=urgent, source=source, device_key=key,
        operator_id=operator, product_id=product, device_at=device_at, uid=uid, dedup=bytes(dedup), windowed=windowed,
        kind=kind, signals=signals, vitals=vitals, note=note,
    )  # fmt: skip


def next_batch(limit: int, *, urgent: bool) -> list[Heard]:
    """The next unread messages of the lanes of that kind, each lane in order. Call inside a transaction and `settle` them
    in the same one: the cursors stay locked until it ends, and another router skips them.
    """
    batch: list[Heard] = []
    with connection.cursor() as cursor:
        cursor.execute(_LANES, [urgent])
        lanes = cursor.fetchall()
        for nth, (lane, seq, floor, is_urgent) in enumerate(lanes):
            if len(batch) >= limit:
                break
            share = max((limit - len(batch)) // (len(lanes) - nth), min(LEAST_SHARE, limit - len(batch)))
            first = (lane << 40) | seq
            cursor.execute(_ROWS, [first, (lane + 1) << 40, floor - SLACK, share])
            batch.extend(_heard(row, urgent=is_urgent) for row in cursor.fetchall())
    return batch


def lag(now: datetime | None = None) -> timedelta:
    """How old the oldest message is that the router has not read; zero when it has read everything."""
    at = now or clock.now()
    oldest = at
    with connection.cursor() as cursor:
        cursor.execute("SELECT lane_id, seq, floor FROM signals_cursor WHERE NOT done")
        for lane, seq, floor in cursor.fetchall():
            cursor.execute(
                "SELECT received_at FROM signals_message WHERE id > %s AND id < %s AND received_at >= %s ORDER BY id LIMIT 1",
                [(lane << 40) | seq, (lane + 1) << 40, floor - SLACK],
            )
            if row := cursor.fetchone():
                oldest = min(oldest, row[0])
    return max(at - oldest, timedelta(0))


@dataclass(frozen=True, slots=True)
class PendingSignal:
    """A signal whose alarm could not be raised yet."""

    id: int
    received_at: datetime
    message_id: int
    nth: int
    signal: SignalValue
    source: str
    device_id: int | None
    home_id: int | None
    place: str
    attempts: int
    reason: str


def due_pending(now: datetime, limit: int = 50) -> list[PendingSignal]:
    """Pending signals whose next attempt is due, locked for this transaction; the oldest first."""
    with connection.cursor() as cursor:
        cursor.execute(
            """SELECT id, received_at, message_id, nth, kind, at, dty, stc, lco, count, value, seq, source, device_id, home_id,
                      place, attempts, reason
               FROM signals_signal WHERE outcome = 'pending' AND retry_at <= %s
               ORDER BY retry_at, id LIMIT %s FOR UPDATE SKIP LOCKED""",
            [now, limit],
        )
        rows = cursor.fetchall()
    return [
        PendingSignal(r[0], r[1], r[2], r[3], SignalValue(r[4], r[5], r[6], r[7], r[8], r[9], _json(r[10]), r[11]),
                      *r[12:])
        for r in rows
    ]  # fmt: skip


def _json(value: Any) -> Any:
    import json

    return json.loads(value) if isinstance(value, str) else value


@dataclass(frozen=True, slots=True)
class Activity:
    """One sign of life (or its like) of a home."""

    at: datetime
    kind: str
    lco: str
    count: int
    device_id: int | None


def activity(home_id: int, since: datetime, until: datetime, limit: int = 20_000) -> list[Activity]:
    """What the devices of a home said in that time, oldest first (inside the asker's scope)."""
    rows = (
        Signal.objects.filter(home_id=home_id, at__gte=since, at__lt=until)
        .order_by("at", "id")
        .values_list("at", "kind", "lco", "count", "device_id")[:limit]
    )
    return [Activity(*row) for row in rows]


def recent(limit: int = 50, before_id: int | None = None, **filters: Any) -> list[Signal]:
    """Signals in the asker's scope, the newest first, a page at a time; `before_id` is the last id of the page before."""
    rows = Signal.objects.filter(**filters)
    if before_id is not None:
        rows = rows.filter(id__lt=before_id)
    return list(rows.order_by("-id")[:limit])


def messages(
    *, since: datetime, until: datetime, source: str = "", outcome: str = "", device_key: str = "", limit: int = 100
) -> list[Message]:
    """Messages of that time, the newest first: for the ledger's drill-down. Frames are not personal until a signal names
    the home, but they may name a device: callers check the role.
    """
    rows = Message.objects.filter(received_at__gte=since, received_at__lt=until)
    for name, value in (("source", source), ("outcome", outcome), ("device_key", device_key)):
        if value:
            rows = rows.filter(**{name: value})
    return list(rows.order_by("-received_at", "-id")[:limit])


def message(ident: int, received_at: datetime | None = None) -> Message | None:
    """One message by its id (faster with its time of receipt, which names its partition)."""
    rows = Message.objects.filter(id=ident)
    return (rows.filter(received_at=received_at) if received_at else rows).first()


def bodies(rows: Sequence[Message]) -> dict[int, bytes | None]:
    """The body that each of these messages came in, by the message's id; None once its retention is over.

    A body that brought several messages is kept once: with the first of them on the same lane.
    """
    found = {row.id: row.raw for row in rows if not row.raw_back}
    away = {row.id - row.raw_back: row.received_at for row in rows if row.raw_back}
    away = {ident: at for ident, at in away.items() if ident not in found}
    if away:  # received in the same moment: the time names the partition
        kept = Message.objects.filter(id__in=away, received_at__in=set(away.values()))
        found.update(kept.values_list("id", "raw"))
    raws = {row.id: found.get(row.id - row.raw_back) for row in rows}
    return {ident: None if raw is None else bytes(raw) for ident, raw in raws.items()}


@dataclass(frozen=True, slots=True)
class SourceHeard:
    """When a source last said anything, and how often it usually does."""

    source: str
    last_at: datetime
    usual_gap: float  # seconds between its messages, averaged over about a day, at least 1


def sources() -> list[SourceHeard]:
    """Every source that was ever heard; the gateway keeps them, also while nobody reads the log."""
    return [SourceHeard(s.source, s.last_at, max(s.usual_gap, 1.0)) for s in Source.objects.order_by("source")]
