"""The rows of a test database: all of them gone in a moment, or kept in memory and put back in a moment.

What rows set in motion (triggers, reactions, checks) is proved when they are made and deleted by our code; here it is silent.
Django's own flush truncates every table of the platform, which takes longer than most tests.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from django.core.cache import cache
from django.db import connection, transaction
from psycopg import sql

OF_DJANGO = ("django_migrations", "django_content_type", "auth_permission")
"""Made by the migrations, changed by nobody."""
_TABLES = (
    "FROM pg_class WHERE relnamespace = 'public'::regnamespace AND relkind IN ('r', 'p') AND NOT relispartition "
    "AND relname <> ALL(%s)"
)

SILENT = "SET LOCAL session_replication_role = replica"
LOUD = "SET LOCAL session_replication_role = DEFAULT"


@dataclass(frozen=True, slots=True)
class Table:
    """One table's rows as COPY speaks them."""

    name: str
    columns: tuple[str, ...]
    rows: bytes


@dataclass(frozen=True, slots=True)
class Snapshot:
    """All rows of the platform at one moment, and how far its sequences had counted."""

    tables: tuple[Table, ...]
    counted: tuple[tuple[str, int], ...]

    def put(self) -> None:
        """Its tables hold these rows and no others."""
        cache.clear()  # the numbers are those of the last test, what is known of them is not
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(SILENT)
            for table in self.tables:
                cursor.execute(sql.SQL("DELETE FROM {}").format(sql.Identifier(table.name)))
                with cursor.copy(_copy("COPY {0} ({1}) FROM STDIN", table.name, table.columns)) as into:
                    into.write(table.rows)
            cursor.execute(
                "SELECT setval(name::regclass, greatest(n, pg_sequence_last_value(name::regclass))) "
                "FROM unnest(%s::text[], %s::bigint[]) AS known (name, n)",
                [[name for name, _ in self.counted], [n for _, n in self.counted]],
            )
            cursor.execute(LOUD)


@contextmanager
def quietly() -> Iterator[None]:
    """Rows made meanwhile are not checked one by one against the keys that they name: thousands would take half a minute."""
    if not is_allowed():
        yield
        return
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(SILENT)
        yield
        cursor.execute(LOUD)


def empty() -> None:
    """No row is left of what a test committed. Locks are taken only where rows are: nobody who still reads holds it up."""
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(f"SELECT relname::text {_TABLES}", [list(OF_DJANGO)])
        asked = [
            sql.SQL("SELECT {} WHERE EXISTS (SELECT FROM {})").format(name, sql.Identifier(name))
            for (name,) in cursor.fetchall()
        ]
        cursor.execute(sql.SQL(" UNION ALL ").join(asked))
        found = [name for (name,) in cursor.fetchall()]
        cursor.execute(SILENT)
        for name in found:
            cursor.execute(sql.SQL("DELETE FROM {}").format(sql.Identifier(name)))
        cursor.execute(LOUD)


def is_allowed() -> bool:
    """Whether this user of the database may work past the guards (that of our own test server may)."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT has_parameter_privilege('session_replication_role', 'SET')")
        return bool(cursor.fetchone()[0])


def take() -> Snapshot:
    """Every table that holds rows now, as this transaction sees them."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT relname::text, (SELECT array_agg(attname::text ORDER BY attnum) FROM pg_attribute WHERE attrelid = pg_class.oid "  # noqa: S608
            f"AND attnum > 0 AND NOT attisdropped AND attgenerated = '') {_TABLES}",
            [[*OF_DJANGO, "django_session"]],
        )
        found = [_table(name, tuple(columns)) for name, columns in cursor.fetchall()]
        cursor.execute(
            "SELECT quote_ident(sequencename), last_value FROM pg_sequences WHERE schemaname = 'public' AND last_value IS NOT NULL"
        )
        return Snapshot(tuple(table for table in found if table.rows), tuple(cursor.fetchall()))


def _table(name: str, columns: tuple[str, ...]) -> Table:
    with (
        connection.cursor() as cursor,
        cursor.copy(_copy("COPY (SELECT {1} FROM {0}) TO STDOUT", name, columns)) as out,
    ):
        return Table(name, columns, b"".join(bytes(part) for part in out))


def _copy(words: str, name: str, columns: tuple[str, ...]) -> sql.Composed:
    return sql.SQL(words).format(sql.Identifier(name), sql.SQL(", ").join(map(sql.Identifier, columns)))
