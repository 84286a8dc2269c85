"""The SQL of each step of a live call. One step is one statement, so that many fit into one round trip.

Every statement may run twice: inserts ignore what is there, moves ask for the state that they leave. So what was spooled
while the database was away is simply written again. The moves are those of the process table (`calls.flow`); the
database's own guard holds them as well.
"""

from __future__ import annotations

# ruff: noqa: S608 - what is put together here are our own table and column names; values are always parameters
import json
import uuid
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from anju.calls.control.state import LiveCall, Party, SeatNow, endpoint_text
from anju.calls.flow import CALL
from anju.calls.models import Call, Command, Leg, News
from anju.kernel import crypto
from anju.kernel.changes import CHANNEL
from anju.kernel.flow.table import STATE

CLOCK_NAME = "话务控制"


@dataclass(frozen=True, slots=True)
class Row:
    """One statement with its values. `must` = it has to touch a row (a move that finds another state is reported)."""

    sql: str
    values: tuple[Any, ...]
    must: str = ""


_CALL = (
    "call_id", "place", "ref", "direction", "purpose", "whom", "number", "caller_index", "called", "access", "emergency",
    "priority", "queue_id", "home_id", "elder_id", "device_id", "exchange", "planned_at", "seen_at", "placed_at", "by",
    "by_user", "user_id",
)  # fmt: skip
_MOVEMENT = "INSERT INTO kernel_movement (flow, subject_id, nth, kind, move, was, now, by, seat, note, data, at) "
_DUE = "INSERT INTO kernel_due (flow, subject_id, nth, slot, move, at, fire_at, tries, problem) "

BEGIN = (
    f"WITH c AS (INSERT INTO calls_call (state, nth, state_since, due_at, {', '.join(_CALL)}) VALUES "
    f"(%s, 0, %s, %s, {', '.join(['%s'] * len(_CALL))}) ON CONFLICT (call_id) DO NOTHING RETURNING id), "
    f"m AS ({_MOVEMENT} SELECT 'call', id, 0, 'begin', 'begin', '', %s, %s, '', '', '{{}}', %s FROM c) "
    f"{_DUE} SELECT 'call', id, 0, '{STATE}', %s, %s, %s, 0, '' FROM c"
)
_OLD = "WITH old AS (SELECT id, state FROM calls_call WHERE call_id = %s AND state = ANY(%s) FOR UPDATE), "
_STORY = (
    f"story AS ({_MOVEMENT} SELECT 'call', new.id, new.nth, 'move', %s, old.state, %s, %s, '', '', '{{}}', %s "
    "FROM new JOIN old USING (id)), "
    "gone AS (DELETE FROM kernel_due d USING new WHERE d.flow = 'call' AND d.subject_id = new.id) "
)
LEG = (
    "INSERT INTO calls_leg (call_id, leg_id, role, endpoint, name, number, user_id, seat, planned_at, ringing_at, "
    "answered_at, cause, result) SELECT id, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, '', '' FROM calls_call "
    "WHERE call_id = %s ON CONFLICT (leg_id) DO NOTHING"
)


def _sealed(model: type[Any], field: str, value: str) -> str:
    return str(model._meta.get_field(field).get_prep_value(value)) if value else ""


def index_of(number: str) -> str:
    """The blind index by which calls of one number are found."""
    return crypto.blind(number, "call.number")


def begin(call: LiveCall, at: datetime, *, engine: str, by: str = CLOCK_NAME) -> Row:
    """A call that came in (or that the engine holds and nobody wrote down)."""
    here = CALL.state(call.state)
    due = at + (here.deadline.within if here.deadline else timedelta(0))
    values = (
        uuid.UUID(call.call_id), call.place, call.ref, call.direction, call.purpose, _sealed(Call, "whom", call.whom),
        _sealed(Call, "number", call.number), index_of(call.number), call.called, call.access, call.emergency, call.priority,
        call.queue.id if call.queue else None, call.home_id, call.elder_id, call.device_id, engine, call.arrived_at, at, None,
        by, call.by_user, call.user_id,
    )  # fmt: skip
    late = here.deadline.move if here.deadline else ""
    return Row(BEGIN, (call.state, at, due, *values, call.state, CLOCK_NAME, at, late, due, due))


def move(call: LiveCall, name: str, at: datetime, **columns: Any) -> Row:
    """One move of the table, with what else changes. Leaves every state that lists it, so the clock's own moves between
    states that wait do not matter; a call that is over in the database stays over.
    """
    sources = [s.name for s, m in CALL.arrows() if m.name == name]
    target = next(m.to for _, m in CALL.arrows() if m.name == name)
    here = CALL.state(target)
    within = here.deadline.within if here.deadline else None
    if target == "queued" and call.queue is not None:
        within = timedelta(seconds=call.queue.overflow_seconds + 15)
    due = at + within if within else None
    sets = "".join(f", {column} = %s" for column in columns)
    new = (
        f"new AS (UPDATE calls_call c SET state = %s, nth = c.nth + 1, state_since = %s, due_at = %s{sets} FROM old "
        "WHERE c.id = old.id RETURNING c.id, c.nth), "
    )
    values: tuple[Any, ...] = (
        uuid.UUID(call.call_id), sources, target, at, due, *columns.values(), name, target, CLOCK_NAME, at,
    )  # fmt: skip
    if here.deadline is None:
        return Row(f"{_OLD}{new}{_STORY}SELECT id FROM new", values, must=f"{name} {call.call_id}")
    last = f"{_DUE} SELECT 'call', id, nth, '{STATE}', %s, %s, %s, 0, '' FROM new"
    return Row(f"{_OLD}{new}{_STORY}{last}", (*values, here.deadline.move, due, due), must=f"{name} {call.call_id}")


def call(call_id: str, **columns: Any) -> Row:
    """Other columns of a call."""
    for name in ("whom", "number"):
        if name in columns:
            columns[name] = _sealed(Call, name, columns[name])
    if "keys" in columns:
        columns["keys"] = json.dumps(columns["keys"])
    if "candidates" in columns:
        columns["candidates"] = json.dumps(columns["candidates"])
    sets = ", ".join(f"{column} = %s" for column in columns)
    return Row(f"UPDATE calls_call SET {sets} WHERE call_id = %s", (*columns.values(), uuid.UUID(call_id)))


def leg(call_id: str, party: Party) -> Row:
    """The intent to ring somebody, or the party that called in."""
    return Row(
        LEG,
        (
            party.leg_id, party.role, endpoint_text(party.to), _sealed(Leg, "name", party.name),
            _sealed(Leg, "number", party.number), party.user_id, party.extension, party.planned_at, party.ringing_at,
            party.answered_at, uuid.UUID(call_id),
        ),
    )  # fmt: skip


def leg_set(leg_id: str, **columns: Any) -> Row:
    """What became of a party."""
    sets = ", ".join(f"{column} = %s" for column in columns)
    return Row(f"UPDATE calls_leg SET {sets} WHERE leg_id = %s", (*columns.values(), leg_id))


def wrapped(call_id: str, user_id: int, at: datetime) -> Row:
    """The write-up of a call is over (its limit, or the next call came first): so long it took."""
    return Row(
        "UPDATE calls_leg l SET wrapped_at = %s FROM calls_call c WHERE c.id = l.call_id AND c.call_id = %s "
        "AND l.user_id = %s AND l.ended_at IS NOT NULL AND l.wrapped_at IS NULL",
        (at, uuid.UUID(call_id), user_id),
    )


def seat(now: SeatNow, at: datetime) -> Row:
    """How a seat stands, and the next stretch of its log."""
    held = uuid.UUID(now.call_id) if now.call_id else None
    return Row(
        "WITH stands AS (UPDATE calls_seatstate SET state = %s, since = %s, until = %s, call_id = %s, reason = %s, "
        "misses = %s, wants = %s WHERE user_id = %s), "
        "closed AS (UPDATE calls_seatlog SET until = %s WHERE user_id = %s AND until IS NULL) "
        "INSERT INTO calls_seatlog (user_id, extension, state, reason, call_id, since) VALUES (%s, %s, %s, %s, %s, %s)",
        (
            now.state, now.since or at, now.until, held, now.reason, now.misses, now.wants, now.user_id, at, now.user_id,
            now.user_id, now.extension, now.state, now.reason, held, at,
        ),
    )  # fmt: skip


def registered(extensions: Mapping[str, bool]) -> list[Row]:
    """Which softphones are there."""
    return [
        Row("UPDATE calls_seatstate SET registered = %s WHERE extension = ANY(%s)", (is_there, names))
        for is_there in (True, False)
        if (names := [e for e, there in extensions.items() if there is is_there])
    ]


def news(news_id: str, fact: str, data: Mapping[str, Any], at: datetime) -> Row:
    """A fact that will be told after the commit."""
    sealed = News._meta.get_field("data").get_prep_value(dict(data))
    return Row(
        "INSERT INTO calls_news (news_id, fact, data, at) VALUES (%s, %s, %s, %s) ON CONFLICT (news_id) DO NOTHING",
        (uuid.UUID(news_id), fact, sealed, at),
    )


TOLD = "SELECT pg_notify(%s, w) FROM unnest(%s::text[]) w"


def told(changes: Iterable[tuple[str, str, str]]) -> Row | None:
    """Tell the open pages: (topic, id, place). The pen says each once in a round (`together`)."""
    words = sorted({json.dumps({"t": t, "i": i, "p": p}, ensure_ascii=False) for t, i, p in changes})
    return Row(TOLD, (CHANNEL, words)) if words else None


def together(steps: Iterable[Row]) -> list[Row]:
    """The same steps; what pages are told comes last, in one statement, each thing once."""
    kept = list(steps)
    words = sorted({w for row in kept if row.sql == TOLD for w in row.values[1]})
    others = [row for row in kept if row.sql != TOLD]
    return [*others, Row(TOLD, (CHANNEL, words))] if words else others


def command_taken(command_id: str, at: datetime) -> Row:
    """A verb is being done."""
    return Row("UPDATE calls_command SET taken_at = %s WHERE command_id = %s", (at, uuid.UUID(command_id)))


def command_done(command_id: str, at: datetime, result: str, error: str) -> Row:
    """A verb is done, or was refused (a Chinese sentence)."""
    return Row(
        "UPDATE calls_command SET done_at = %s, result = %s, error = %s WHERE command_id = %s",
        (at, result, error[:200], uuid.UUID(command_id)),
    )


def seen(call_ids: Iterable[str], at: datetime) -> Row:
    """These calls are carried."""
    return Row("UPDATE calls_call SET seen_at = %s WHERE call_id = ANY(%s)", (at, [uuid.UUID(c) for c in call_ids]))


def beat(epoch: int, at: datetime, columns: Mapping[str, Any]) -> Row:
    """The switchboard's sign of life."""
    sets = "".join(f", {column} = %s" for column in columns)
    return Row(
        f"UPDATE calls_switchboard SET beat_at = %s{sets} WHERE id = 1 AND epoch = %s",
        (at, *columns.values(), epoch),
    )


def fence(epoch: int) -> Row:
    """Fails where another switchboard has taken over (division by zero is the cheapest way to stop a pipeline)."""
    return Row("SELECT 1 / (SELECT count(*) FROM calls_switchboard WHERE id = 1 AND epoch = %s)", (epoch,))


__all__ = ["Command", "Row", "begin", "call", "leg", "leg_set", "move", "news", "registered", "seat", "seen", "told"]
