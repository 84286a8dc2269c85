"""Looks every few seconds whether anything waits, differs or has fallen silent; what it finds is a trouble of its own.

Run by the router (every 5 s) and, in case the router is the one that died, by a job of the worker (every minute). Each look
is a handful of small queries; a trouble that is over ends by itself.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from pathlib import Path
from typing import Final

from django.conf import settings
from django.db import connection, transaction

from anju.alarms import actions, queries
from anju.alarms.ledger import LATE, SOURCES, Ledger, ledger
from anju.alarms.models import Trouble
from anju.alarms.rules import spell
from anju.kernel import clock
from anju.kernel.scope import EVERYWHERE, seen_by
from anju.signals import queries as signals

POISON_FORGOTTEN: Final = timedelta(minutes=10)
"""A message that could not be handled is a trouble until none came for so long and nothing waits."""


def look(*, spool: Path | None = None) -> list[str]:
    """Look once; answers the sentences of what is wrong now (empty when all is well)."""
    now, said = clock.now(), []
    with seen_by(EVERYWHERE):
        said += _verdict(Trouble.Kind.PENDING, "", _waiting(now))
        said += _verdict(Trouble.Kind.SPOOLED, "", _spooled(now, spool or Path(settings.ANJU_HOME) / "spool"))
        said += _verdict(Trouble.Kind.ORPHAN, "", _orphans(now))
        said += _silent(now)
        _forget(now)
    return said


def prove(since: datetime, until: datetime, *, subject: str = "") -> Ledger:
    """Make the books of that time; a difference is raised as a trouble under that subject, a later balance ends it."""
    with seen_by(EVERYWHERE):
        books = ledger(since, until)
        wrong = "；".join(books.differences[:3])
        _verdict(
            Trouble.Kind.DIFFERENCE,
            subject or f"{clock.local(since):%m-%d %H:%M} 起",
            f"对账不平：{wrong}" if wrong else "",
        )
    return books


def _verdict(kind: str, subject: str, text: str) -> list[str]:
    if text:
        with transaction.atomic():
            actions.trouble(kind=kind, subject=subject, text=text)
        return [text]
    actions.trouble_over(kind=kind, subject=subject)
    return []


def _waiting(now: datetime) -> str:
    lag = signals.lag(now)
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT count(*), min(received_at) FROM signals_signal WHERE outcome = 'pending' AND retry_at IS NOT NULL "
            "AND received_at < %s",
            [now - LATE],
        )
        count, oldest = cursor.fetchone()
    parts = [f"最早未处理的报文已等待{spell(lag)}"] if lag > LATE else []
    if count:
        parts.append(f"{count} 条信号处理失败待重试，最早已等待{spell(now - oldest)}")
    return "；".join(parts)


def spool_age(folder: Path, now: float) -> float:
    """Seconds since the oldest message was put into the gateway's spool; 0 when it is empty."""
    try:
        stamps = [
            f.stat().st_mtime for f in folder.rglob("*") if f.is_file() and f.stat().st_size and f.suffix != ".done"
        ]
    except FileNotFoundError:
        return 0.0
    return max(0.0, now - min(stamps)) if stamps else 0.0


def _spooled(now: datetime, folder: Path) -> str:
    age = spool_age(folder, now.timestamp())
    return f"网关暂存的报文已等待{spell(timedelta(seconds=age))}，尚未入库" if age > LATE.total_seconds() else ""


def _orphans(now: datetime) -> str:
    lost = queries.unclaimed(older_than=LATE, now=now)
    if not lost:
        return ""
    return f"{len(lost)} 条告警没有事件或工单受理，最早 {lost[0].number} {lost[0].label}"


def _silent(now: datetime) -> list[str]:
    said, silent = [], {source: (last, usual) for source, last, usual in queries.silent_sources(now)}
    for source, (last, usual) in silent.items():
        name = SOURCES.get(source, source)
        text = f"{name} 已{spell(now - last)}没有任何报文（平时最长间隔约{spell(timedelta(seconds=usual))}），请联系运营商并检查网关"
        said += _verdict(Trouble.Kind.SOURCE_SILENT, source, text)
    for trouble in queries.troubles():
        if trouble.kind == Trouble.Kind.SOURCE_SILENT and trouble.subject not in silent:
            actions.trouble_over(kind=trouble.kind, subject=trouble.subject)
    return said


def _forget(now: datetime) -> None:
    quiet = {Trouble.Kind.POISON, Trouble.Kind.UNDECODABLE}
    for trouble in queries.troubles():
        if trouble.kind in quiet and now - trouble.last_at > POISON_FORGOTTEN:
            actions.trouble_over(kind=trouble.kind, subject=trouble.subject)
