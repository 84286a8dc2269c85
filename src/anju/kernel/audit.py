"""The audit log: one line for every sensitive read and every change, chained so that tampering shows.

A line is written in the transaction of the act; sealing (number and SM3 hash) follows right after the commit, in a
short transaction of its own: a chain inside the act's transaction would make every act wait for every other one.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from datetime import UTC
from pathlib import Path
from typing import Any

from django.conf import settings
from django.db import connection, transaction

from anju.kernel import chain, clock
from anju.kernel.models import AuditLine

_LOCK = 5021_0001
"""Number of the advisory lock that lets one sealer work at a time."""


@dataclass(frozen=True, slots=True)
class Acting:
    """In whose name things happen here."""

    name: str
    user_id: int | None = None
    address: str = ""


_SYSTEM = Acting("系统")
_acting: ContextVar[Acting] = ContextVar("acting", default=_SYSTEM)


@contextmanager
def acting(name: str, user_id: int | None = None, address: str = "") -> Iterator[None]:
    """What is recorded inside is recorded in this name; `address` is where the person sits (IP)."""
    token = _acting.set(Acting(name, user_id, address))
    try:
        yield
    finally:
        _acting.reset(token)


def who() -> Acting:
    """In whose name things happen here."""
    return _acting.get()


def record(
    action: str,
    *,
    subject: str = "",
    subject_id: int | str = "",
    place: str = "",
    result: str = "ok",
    reason: str = "",
    detail: Mapping[str, Any] | None = None,
) -> None:
    """Write one line, with this transaction. `detail` holds names, numbers and codes, never personal data in clear."""
    me = _acting.get()
    AuditLine.objects.create(
        at=clock.now(), actor=me.name[:60], user_id=me.user_id, address=me.address[:45], action=action, subject=subject,
        subject_id=str(subject_id), place=place, result=result, reason=reason, detail=dict(detail or {}),
    )  # fmt: skip
    if not any(waiting[1] is _seal_soon for waiting in connection.run_on_commit):  # once a transaction is enough
        transaction.on_commit(_seal_soon, robust=True)


def _seal_soon() -> None:
    seal(wait=False)


@transaction.atomic
def seal(*, wait: bool = True, limit: int = 1000) -> int:
    """Chain the lines that are not yet chained; how many. With wait=False gives up at once if another one is sealing.

    Whoever gives up may leave its line to the next seal; the ticker seals every second.
    """
    with connection.cursor() as cursor:
        lock = "pg_advisory_xact_lock" if wait else "pg_try_advisory_xact_lock"
        cursor.execute(f"SELECT {lock}(%s)", [_LOCK])
        if cursor.fetchone() == (False,):
            return 0
        n, before = head() or (0, chain.GENESIS)
        ids: list[int] = []
        hashes: list[str] = []
        for row in _raw("n IS NULL ORDER BY id LIMIT %s", [limit]):
            before = chain.digest(n + len(ids) + 1, before, row)
            ids.append(row["id"])
            hashes.append(before)
        cursor.execute(
            "UPDATE kernel_auditline AS line SET n = seal.n, hash = seal.hash "
            "FROM unnest(%s::bigint[], %s::bigint[], %s::text[]) AS seal (id, n, hash) WHERE line.id = seal.id",
            [ids, list(range(n + 1, n + 1 + len(ids))), hashes],
        )
    return len(ids)


def head() -> tuple[int, str] | None:
    """Number and hash of the last sealed line."""
    last = AuditLine.objects.filter(n__isnull=False).order_by("-n").values_list("n", "hash").first()
    return (last[0], last[1]) if last and last[0] is not None else None


def lines() -> Iterator[dict[str, Any]]:
    """Every sealed line as the chain sees it, in order."""
    start = 0
    while rows := list(_raw("n > %s ORDER BY n LIMIT 5000", [start])):
        yield from rows
        start = rows[-1]["n"]


def _raw(where: str, values: list[Any]) -> Iterator[dict[str, Any]]:
    """Rows as they are stored (`reason` stays encrypted), with the time in one spelling."""
    columns = [*chain.FIELDS, "n", "hash"]
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT {', '.join(columns)} FROM kernel_auditline WHERE {where}", values)  # noqa: S608
        for row in cursor.fetchall():
            line = dict(zip(columns, row, strict=True))
            line["at"] = line["at"].astimezone(UTC).isoformat(timespec="microseconds")
            line["detail"] = json.loads(line["detail"]) if isinstance(line["detail"], str) else line["detail"]
            yield line


def anchors_file() -> Path:
    """Where heads of the chain are noted outside the database."""
    return Path(settings.ANJU_HOME) / "audit" / "anchors.jsonl"


def anchor() -> bool:
    """Note the head of the chain outside the database, if it has moved: what was noted cannot be cut off unseen."""
    now, path = head(), anchors_file()
    known = chain.read(path) if path.exists() else []
    if now is None or (known and known[-1].get("n") == now[0]):
        return False
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    with path.open("a", encoding="utf-8") as file:
        file.write(json.dumps({"n": now[0], "hash": now[1], "at": clock.now().isoformat()}) + "\n")
    return True


def verify() -> list[str]:
    """Seal what waits, then everything that is wrong with the log, in words; [] if it is whole."""
    while seal():
        pass
    path = anchors_file()
    return chain.verify(lines(), chain.read(path) if path.exists() else [])
