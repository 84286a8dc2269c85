"""Partitions of the log by local day: made ahead, emptied of raw bodies later, dropped at the end of their retention.

A default partition catches what has no day, so a missing partition costs speed, never a message.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, datetime, timedelta
from typing import Any, Protocol
from zoneinfo import ZoneInfo

ZONE = ZoneInfo("Asia/Shanghai")
TIMED = ("signals_message", "signals_signal")
DAYS_AHEAD = 4
BRIEF, TRIES = "200ms", 10
"""How long the lock of the whole log is waited for at a time, and how often."""
LOCK_NOT_AVAILABLE = "55P03"


class Cursor(Protocol):
    """A database cursor: Django's or psycopg's."""

    def execute(self, query: Any, params: Any = None) -> Any: ...

    rowcount: int

    def fetchone(self) -> Any: ...
    def fetchall(self) -> Any: ...


def local_day(at: datetime) -> date:
    """The day of a moment where the platform stands."""
    return at.astimezone(ZONE).date()


def name_of(table: str, day: date) -> str:
    """The partition of that day."""
    return f"{table}_p{day:%Y%m%d}"


def bounds_of(table: str, day: date) -> tuple[str, str]:
    """From and to (exclusive) as SQL literals' contents."""
    after = day + timedelta(days=1)
    if table == "signals_seen":
        return day.isoformat(), after.isoformat()
    return tuple(datetime(d.year, d.month, d.day, tzinfo=ZONE).isoformat() for d in (day, after))  # type: ignore[return-value]


def existing(cursor: Cursor, table: str) -> list[date]:
    """The days that have their partition."""
    cursor.execute(
        "SELECT c.relname FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid WHERE i.inhparent = %s::regclass ORDER BY 1",
        [table],
    )
    names = [row[0].rpartition("_p")[2] for row in cursor.fetchall() if not row[0].endswith("_default")]
    return [date(int(n[:4]), int(n[4:6]), int(n[6:8])) for n in names if n.isdigit()]


def days(today: date, ahead: int = DAYS_AHEAD) -> list[date]:
    """The days that must have their partition."""
    return [today + timedelta(days=n) for n in range(ahead + 1)]


def statements(today: date, ahead: int = DAYS_AHEAD) -> Iterator[str]:
    """SQL that makes what is missing; rows of those days that wait in the default partition move over.

    To run in one transaction. Locks the default partition for a moment: callers set `lock_timeout` and try again later.
    """
    for table in (*TIMED, "signals_seen"):
        column = "day" if table == "signals_seen" else "received_at"
        fill = " WITH (fillfactor = 90)" if table == "signals_message" else ""
        for day in days(today, ahead):
            name, (low, high) = name_of(table, day), bounds_of(table, day)
            where = f"WHERE {column} >= '{low}' AND {column} < '{high}'"
            yield f"""DO $$ BEGIN IF to_regclass('{name}') IS NULL THEN
                CREATE TABLE {name} (LIKE {table} INCLUDING DEFAULTS INCLUDING CONSTRAINTS){fill};
                LOCK TABLE {table}_default IN ACCESS EXCLUSIVE MODE;
                INSERT INTO {name} SELECT * FROM {table}_default {where};
                DELETE FROM {table}_default {where};
                ALTER TABLE {table} ATTACH PARTITION {name} FOR VALUES FROM ('{low}') TO ('{high}');
            END IF; END $$"""  # noqa: S608 - names and days of ours


def ensure(cursor: Cursor, today: date, *, ahead: int = DAYS_AHEAD) -> int:
    """Make what is missing from today to `ahead` days on; answers how many. Two processes may run it: an advisory lock
    lets one at a time.
    """
    cursor.execute("SELECT pg_advisory_xact_lock(hashtext('anju.partitions'))")
    before = sum(len(existing(cursor, t)) for t in (*TIMED, "signals_seen"))
    for statement in statements(today, ahead):
        cursor.execute(statement)
    return sum(len(existing(cursor, t)) for t in (*TIMED, "signals_seen")) - before


def forget_raw(cursor: Cursor, day: date) -> int:
    """Drop the raw bodies of one closed day; what they meant stays. The day is rewritten in the order of devices, so that a
    device's past lies together. Answers the number of rows. Must run in a transaction.
    """
    columns = [
        "id", "received_at", "device_at", "uid", "source", "product_id", "device_key", "operator_id", "kind", "outcome", "n",
        "windowed", "dedup", "decoded", "raw", "note", "raw_back",
    ]  # fmt: skip
    return _rewrite(cursor, "signals_message", day, columns, without="raw", order="device_key, id")


ARRANGED = "in the order of homes"


def arranged(cursor: Cursor, day: date) -> bool:
    """Whether the signals of that day lie in the order of homes (or there is no such day)."""
    cursor.execute("SELECT obj_description(to_regclass(%s), 'pg_class')", [name_of("signals_signal", day)])
    return bool(cursor.fetchone()[0] == ARRANGED)


def arrange(cursor: Cursor, day: date) -> int:
    """Rewrite the signals of a closed day in the order of homes, so that one home's day lies on neighbouring pages: its last
    weeks are read by a few pages instead of one for each signal. Answers the number of rows. Must run in a transaction.
    """
    return _rewrite(cursor, "signals_signal", day, ["*"], order="home_id, at, id", remark=ARRANGED)


def _rewrite(
    cursor: Cursor, table: str, day: date, columns: list[str], *, order: str, without: str = "", remark: str = ""
) -> int:
    """A day in another order. Readers go on meanwhile; who writes into that day (a late settlement) waits.

    Indexes and the bounds are there before it is attached: the whole log is locked for that moment only. Whoever comes after
    us would wait behind us for that lock, an SOS too, so we wait for it briefly, and rather more often.
    """
    name, (low, high) = name_of(table, day), bounds_of(table, day)
    fresh, inside = f"{name}_fresh", f"{name}_inside"
    cursor.execute("SELECT to_regclass(%s)", [name])
    if cursor.fetchone()[0] is None:
        return 0
    cursor.execute(f"LOCK TABLE {name} IN SHARE MODE")
    cursor.execute(f"CREATE TABLE {fresh} (LIKE {table} INCLUDING DEFAULTS INCLUDING CONSTRAINTS INCLUDING INDEXES)")
    into = "" if columns == ["*"] else f" ({', '.join(columns)})"
    taken = ", ".join("NULL" if c == without else c for c in columns)
    cursor.execute(f"INSERT INTO {fresh}{into} SELECT {taken} FROM {name} ORDER BY {order}")  # noqa: S608 - names of ours
    count = int(cursor.rowcount)
    cursor.execute(
        f"ALTER TABLE {fresh} ADD CONSTRAINT {inside} CHECK (received_at >= '{low}' AND received_at < '{high}')"
    )
    cursor.execute(f"COMMENT ON TABLE {fresh} IS '{remark}'")
    _briefly(cursor, f"ALTER TABLE {table} DETACH PARTITION {name}")
    cursor.execute(f"DROP TABLE {name}")
    cursor.execute(f"ALTER TABLE {fresh} RENAME TO {name}")
    cursor.execute(f"ALTER TABLE {table} ATTACH PARTITION {name} FOR VALUES FROM ('{low}') TO ('{high}')")
    cursor.execute(f"ALTER TABLE {name} DROP CONSTRAINT {inside}")
    return count


def _briefly(cursor: Cursor, statement: str) -> None:
    """Try a statement that locks the whole log so often; each time it waits for the lock no longer than BRIEF."""
    cursor.execute(f"SET LOCAL lock_timeout = '{BRIEF}'")
    for left in range(TRIES - 1, -1, -1):
        cursor.execute("SAVEPOINT briefly")
        try:
            cursor.execute(statement)
        except Exception as error:
            if not left or getattr(error.__cause__ or error, "sqlstate", "") != LOCK_NOT_AVAILABLE:
                raise
            cursor.execute("ROLLBACK TO SAVEPOINT briefly")
        else:
            return


def has_raw(cursor: Cursor, day: date) -> bool:
    """Whether bodies of that day are still there."""
    name = name_of("signals_message", day)
    cursor.execute("SELECT to_regclass(%s)", [name])
    if cursor.fetchone()[0] is None:
        return False
    cursor.execute(f"SELECT EXISTS (SELECT 1 FROM {name} WHERE raw IS NOT NULL LIMIT 1)")  # noqa: S608 - a name of ours
    return bool(cursor.fetchone()[0])


def drop(cursor: Cursor, table: str, day: date) -> bool:
    """Drop a whole day. False if it has no partition."""
    name = name_of(table, day)
    cursor.execute("SELECT to_regclass(%s)", [name])
    if cursor.fetchone()[0] is None:
        return False
    _briefly(cursor, f"DROP TABLE {name}")
    return True
