"""The counts from the calls themselves, in SQL: some 30,000 calls a second on two busy cores (measured). Days that are over are
stored by `days.py`, which asks the same statements.

`records.py` says the same call by call; a property test holds the two together.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, fields
from datetime import datetime
from typing import Any, Final, Literal

from django.db import connection, transaction

from anju.calls.kpis.definitions import SAME_MATTER, SHORT, Counts
from anju.kernel.scope import current

By = Literal["all", "hour", "day", "week", "month", "hour_of_day", "queue", "group", "user", "seat"]
PERIODS: Final = ("hour", "day", "week", "month")
ZONE: Final = "Asia/Shanghai"


@dataclass(frozen=True, slots=True)
class Line:
    """The counts of one group; `key` is a user id, a seat, a code, or the local start of a period as ISO text; "" for all."""

    key: str
    label: str
    counts: Counts


@dataclass(frozen=True, slots=True)
class Chosen:
    """Which calls: a span of arrivals, and optionally one queue, group, agent, seat, or emergencies only."""

    since: datetime
    until: datetime
    queue: str = ""
    group: str = ""
    user_id: int | None = None
    seat: str = ""
    emergency: bool | None = None


def _where(chosen: Chosen) -> tuple[str, list[Any]]:
    said, values = filters(chosen)
    times = [
        "c.direction IN ('in', 'out')",
        "c.planned_at >= %s",
        "c.planned_at < %s",
    ]  # the index begins with the direction
    return " AND ".join(times + said), [chosen.since, chosen.until, *values]


def filters(chosen: Chosen) -> tuple[list[str], list[Any]]:
    """What is asked of the rows `c` (calls, or stored cells) and their queue `q`, but for the time; the asker's scope is in it."""
    said: list[str] = []
    values: list[Any] = []
    scope = current()
    if not scope.is_everything:
        said.append("c.place LIKE ANY(%s)")
        values.append([f"{p}%" for p in scope.places])
    if chosen.queue:
        said.append("q.code = %s")
        values.append(chosen.queue)
    if chosen.group:
        said.append(
            "EXISTS (SELECT 1 FROM calls_queue_skills qs JOIN calls_skillgroup g ON g.id = qs.skillgroup_id"
            " WHERE qs.queue_id = c.queue_id AND g.code = %s)"
        )
        values.append(chosen.group)
    if chosen.emergency is not None:
        said.append("c.emergency = %s")
        values.append(chosen.emergency)
    return said, values


_KEYS: Final = {
    "all": ("''", "''"),
    **{p: (f"to_char(date_trunc('{p}', c.planned_at AT TIME ZONE '{ZONE}'), 'YYYY-MM-DD\"T\"HH24:MI')", "''") for p in PERIODS},
    "hour_of_day": (f"to_char(c.planned_at AT TIME ZONE '{ZONE}', 'HH24')", "''"),
    "queue": ("coalesce(q.code, '')", "coalesce(q.name, '未入队')"),
    "group": ("coalesce(g.code, '')", "coalesce(g.name, '未分组')"),
    "user": ("coalesce((SELECT l.user_id::text {first}), c.by_user::text, '')", "''"),
    "seat": ("coalesce((SELECT l.seat {first}), '')", "''"),
}  # fmt: skip
_FIRST: Final = "FROM calls_leg l WHERE l.call_id = c.id AND l.role = 'agent' AND l.answered_at IS NOT NULL ORDER BY l.answered_at, l.id LIMIT 1"
"""The seat that took the call first: whose answer it was, whatever happened to the call afterwards."""
_GROUP_JOIN: Final = " LEFT JOIN calls_queue_skills qs ON qs.queue_id = c.queue_id LEFT JOIN calls_skillgroup g ON g.id = qs.skillgroup_id"
_DAY: Final = f"interval '{int(SAME_MATTER.total_seconds())} seconds'"
_SHORT: Final = f"interval '{int(SHORT.total_seconds())} seconds'"
_IN: Final = "direction = 'in' AND (answered_at IS NOT NULL OR ended_at IS NOT NULL)"
_LEVELS: Final = ", ".join(
    f"count(*) FILTER (WHERE {_IN} AND answered_at - planned_at <= interval '{n} seconds') AS within_{n}"
    for n in (15, 20, 60, 180)
)

_CALLS: Final = f"""
WITH chosen AS (
    SELECT c.id, c.direction, c.planned_at, c.answered_at, c.ended_at, c.resolved, c.satisfaction, c.caller_index,
           c.by_user, {{key}} AS key, {{name}} AS name
    FROM calls_call c LEFT JOIN calls_queue q ON q.id = c.queue_id{{join}}
    WHERE {{where}}
), judged AS MATERIALIZED (
    SELECT d.*, l.wrapped, l.wrap, coalesce(l.takers, 0) AS takers,
           (d.direction = 'in' AND d.answered_at IS NOT NULL AND d.resolved IS NOT NULL AND (d.caller_index = '' OR NOT EXISTS (
               SELECT 1 FROM calls_call o WHERE o.caller_index = d.caller_index AND o.direction = 'in' AND o.answered_at IS NOT NULL
               AND o.planned_at < d.planned_at AND o.planned_at >= d.planned_at - {_DAY}))) AS first
    FROM chosen d LEFT JOIN LATERAL (
        SELECT count(DISTINCT l.user_id) FILTER (WHERE l.answered_at IS NOT NULL) AS takers, count(l.wrapped_at) AS wrapped,
               sum(extract(epoch FROM l.wrapped_at - l.ended_at)) AS wrap
        FROM calls_leg l WHERE l.call_id = d.id AND l.role = 'agent'
    ) l ON d.direction = 'in'
)
SELECT key, max(name) AS label,
    count(*) FILTER (WHERE {_IN}) AS offered,
    count(*) FILTER (WHERE {_IN} AND answered_at IS NOT NULL) AS answered,
    {_LEVELS},
    count(*) FILTER (WHERE {_IN} AND answered_at IS NULL) AS abandoned,
    count(*) FILTER (WHERE {_IN} AND answered_at IS NULL AND ended_at - planned_at < {_SHORT}) AS abandoned_short,
    coalesce(sum(extract(epoch FROM answered_at - planned_at)) FILTER (WHERE {_IN}), 0) AS wait_seconds,
    count(*) FILTER (WHERE {_IN} AND answered_at IS NOT NULL AND ended_at IS NOT NULL) AS talked,
    coalesce(sum(extract(epoch FROM ended_at - answered_at)) FILTER (WHERE {_IN}), 0) AS talk_seconds,
    coalesce(sum(wrapped) FILTER (WHERE {_IN}), 0) AS wrapped,
    coalesce(sum(wrap) FILTER (WHERE {_IN}), 0) AS wrap_seconds,
    count(*) FILTER (WHERE first) AS judged,
    count(*) FILTER (WHERE first AND resolved AND takers <= 1 AND (caller_index = '' OR NOT EXISTS (
        SELECT 1 FROM calls_call o WHERE o.caller_index = judged.caller_index AND o.direction = 'in' AND o.answered_at IS NOT NULL
        AND o.planned_at > judged.planned_at AND o.planned_at <= judged.planned_at + {_DAY}))) AS solved,
    count(*) FILTER (WHERE direction = 'out' AND by_user IS NOT NULL) AS outgoing,
    count(*) FILTER (WHERE direction = 'out' AND by_user IS NOT NULL AND answered_at IS NOT NULL) AS outgoing_answered,
    count(*) FILTER (WHERE {_IN} AND answered_at IS NOT NULL AND satisfaction > 0) AS rated,
    count(*) FILTER (WHERE {_IN} AND answered_at IS NOT NULL AND satisfaction >= 4) AS satisfied
FROM judged GROUP BY key ORDER BY key
"""  # noqa: S608 - built of the constants above; every value is a parameter

_START: Final = "(CASE WHEN answered_at <= call_answered + interval '1 second' OR ringing_at IS NULL THEN arrived ELSE ringing_at END)"
_GAVE_UP: Final = "(call_answered IS NULL AND call_ended <= ended_at + interval '1 second')"
_ELSEWHERE: Final = "(call_answered IS NOT NULL AND ringing_at <= call_answered AND call_answered <= ended_at)"
_UNHEARD: Final = "answered_at IS NULL AND ended_at IS NOT NULL"
_LEGS: Final = f"""
WITH rung AS (
    SELECT {{key}} AS key, l.ringing_at, l.answered_at, l.ended_at, l.wrapped_at, c.planned_at AS arrived,
           c.answered_at AS call_answered, c.ended_at AS call_ended, c.satisfaction
    FROM calls_leg l JOIN calls_call c ON c.id = l.call_id LEFT JOIN calls_queue q ON q.id = c.queue_id
    WHERE {{where}} AND c.direction = 'in' AND l.role = 'agent' AND (l.ringing_at IS NOT NULL OR l.answered_at IS NOT NULL)
)
SELECT key, '' AS label,
    count(*) FILTER (WHERE answered_at IS NOT NULL OR ({_UNHEARD} AND ({_GAVE_UP} OR NOT coalesce({_ELSEWHERE}, false)))) AS offered,
    count(answered_at) AS answered,
    {", ".join(f"count(*) FILTER (WHERE answered_at - {_START} <= interval '{n} seconds') AS within_{n}" for n in (15, 20, 60, 180))},
    count(*) FILTER (WHERE {_UNHEARD} AND {_GAVE_UP}) AS abandoned,
    count(*) FILTER (WHERE {_UNHEARD} AND NOT coalesce({_GAVE_UP}, false) AND NOT coalesce({_ELSEWHERE}, false)) AS missed,
    coalesce(sum(extract(epoch FROM answered_at - {_START})), 0) AS wait_seconds,
    count(*) FILTER (WHERE answered_at IS NOT NULL AND ended_at IS NOT NULL) AS talked,
    coalesce(sum(extract(epoch FROM ended_at - answered_at)), 0) AS talk_seconds,
    count(*) FILTER (WHERE wrapped_at IS NOT NULL AND ended_at IS NOT NULL) AS wrapped,
    coalesce(sum(extract(epoch FROM wrapped_at - ended_at)), 0) AS wrap_seconds,
    count(*) FILTER (WHERE satisfaction > 0 AND answered_at <= call_answered + interval '1 second') AS rated,
    count(*) FILTER (WHERE satisfaction >= 4 AND answered_at <= call_answered + interval '1 second') AS satisfied
FROM rung GROUP BY key ORDER BY key
"""  # noqa: S608

_SEATS: Final = """
SELECT {key} AS key,
    sum(extract(epoch FROM least(coalesce(s.until, %(now)s), %(until)s) - greatest(s.since, %(since)s)))
        FILTER (WHERE s.state IN ('ringing', 'talking', 'wrap_up')) AS busy_seconds,
    sum(extract(epoch FROM least(coalesce(s.until, %(now)s), %(until)s) - greatest(s.since, %(since)s)))
        FILTER (WHERE s.state IN ('ready', 'ringing', 'talking', 'wrap_up')) AS present_seconds
FROM calls_seatlog s
WHERE s.since < %(until)s AND coalesce(s.until, %(now)s) > %(since)s AND (%(user)s::bigint IS NULL OR s.user_id = %(user)s)
  AND (%(seat)s = '' OR s.extension = %(seat)s)
GROUP BY 1
"""


def direct_lines(chosen: Chosen, by: By = "all") -> list[Line]:
    """The counts from the calls themselves, one line a group, in the order of the keys. Calls in the asker's scope only."""
    if of_seats(chosen, by):
        return _of_seats(chosen, by)
    where, values = _where(chosen)
    key, name = _KEYS[by]
    return run(_CALLS.format(key=key, name=name, where=where, join=_GROUP_JOIN if by == "group" else ""), values)


def of_seats(chosen: Chosen, by: By) -> bool:
    """Whether ringings of seats are counted instead of calls."""
    return by in {"user", "seat"} or chosen.user_id is not None or bool(chosen.seat)


def _of_seats(chosen: Chosen, by: By) -> list[Line]:
    """By agent and seat: every ringing of the seat, and of the calls that it took first whether they were solved."""
    by = "all" if by in {"queue", "group"} else by
    where, values = _where(chosen)
    rung, took = where, where
    mine: list[Any] = []
    for column, wanted in (("user_id", chosen.user_id), ("seat", chosen.seat or None)):
        if wanted is not None:
            rung += f" AND l.{column} = %s"
            took += f" AND (SELECT l.{column} {_FIRST}) = %s"
            mine.append(wanted)
    leg_key = {"user": "coalesce(l.user_id::text, '')", "seat": "l.seat"}.get(by) or _KEYS[by][0]
    legs = run(_LEGS.format(key=leg_key, where=rung), values + mine)
    calls = run(_CALLS.format(key=_KEYS[by][0].format(first=_FIRST), name="''", where=took, join=""), values + mine)
    return together(
        [*legs, *(Line(line.key, "", taken(line.counts)) for line in calls if counted_for_taker(line.counts))]
    )


def counted_for_taker(c: Counts) -> bool:
    """Whether a call says something about who took it, beyond her ringing."""
    return bool(c.judged or c.outgoing)


def taken(c: Counts) -> Counts:
    """What a call says about who took it first, beyond her ringing."""
    return Counts(judged=c.judged, solved=c.solved, outgoing=c.outgoing, outgoing_answered=c.outgoing_answered)


def together(found: Iterable[Line]) -> list[Line]:
    """Lines of one key become one, in the order of the keys."""
    kept: dict[str, Line] = {}
    for line in found:
        known = kept.get(line.key)
        kept[line.key] = Line(line.key, known.label or line.label, known.counts + line.counts) if known else line
    return [kept[key] for key in sorted(kept)]


_HOUR: Final = f"extract(hour FROM c.planned_at AT TIME ZONE '{ZONE}')::int"
_CELL: Final = f"concat_ws('|', {_HOUR}, c.place, coalesce(c.queue_id, 0), c.emergency::int)"


def cells_of(chosen: Chosen) -> list[Line]:
    """What is stored of a span: keys hour|place|queue|emergency."""
    where, values = _where(chosen)
    return run(_CALLS.format(key=_CELL, name="''", where=where, join=""), values)


def seat_cells_of(chosen: Chosen) -> tuple[list[Line], list[Line]]:
    """The same by agent and seat, keys …|user|seat|1 where she rang or took it, …|user||0 where she only dialled."""
    where, values = _where(chosen)
    rung = f"concat_ws('|', {_CELL}, coalesce(l.user_id, 0), l.seat, 1)"
    first = "coalesce((SELECT l.user_id {0}), c.by_user, 0), coalesce((SELECT l.seat {0}), ''), (SELECT count(*) FROM (SELECT 1 {0}) t)"
    took = f"concat_ws('|', {_CELL}, {first.format(_FIRST)})"
    calls = run(_CALLS.format(key=took, name="''", where=where, join=""), values)
    return run(_LEGS.format(key=rung, where=where), values), [line for line in calls if counted_for_taker(line.counts)]


def run(sql: str, values: Sequence[Any]) -> list[Line]:
    """Key, label and counts by the names of their columns."""
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SET LOCAL jit = off")  # compiling these statements takes longer than running them
        cursor.execute(sql, values)
        names = [column.name for column in cursor.description or ()][2:]
        rows = cursor.fetchall()
    whole = {f.name for f in fields(Counts) if f.type in {"int", int}}
    return [Line(str(row[0] or ""), str(row[1] or ""), _counts(names, row[2:], whole)) for row in rows]


def _counts(names: Sequence[str], values: Sequence[Any], whole: set[str]) -> Counts:
    given: dict[str, Any] = {n: int(v) if n in whole else float(v) for n, v in zip(names, values, strict=True)}
    return Counts(**given)


def direct_seats(chosen: Chosen, by: By | Literal["both"], now: datetime) -> dict[str, Counts]:
    """Busy and present seconds from the log itself: by user, by seat, or of all (key ""), clipped to the span."""
    key = {"user": "s.user_id::text", "seat": "s.extension", "both": "s.user_id || '|' || s.extension"}.get(by, "''")
    given = {
        "since": chosen.since,
        "until": min(chosen.until, now),
        "now": now,
        "user": chosen.user_id,
        "seat": chosen.seat,
    }
    with connection.cursor() as cursor:
        cursor.execute(_SEATS.format(key=key), given)
        return {
            str(k): Counts(busy_seconds=float(busy or 0), present_seconds=float(present or 0))
            for k, busy, present in cursor.fetchall()
        }  # fmt: skip
