"""`anju ledger`: the books, as a table or JSON; exit 1 when they do not balance."""

from __future__ import annotations

import json
import unicodedata
from datetime import datetime, timedelta
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from anju.alarms.ledger import Ledger, LedgerLine, ledger
from anju.kernel import clock

COLUMNS: list[tuple[str, str]] = [
    ("messages", "报文"), ("duplicates", "重复"), ("undecodable", "无法解析"), ("waiting", "待读"), ("signals", "信号"),
    ("no_alarm", "无需报警"), ("opened", "立警"), ("joined", "并入"), ("drill", "测试"), ("quarantined", "隔离"),
    ("pending", "滞留"), ("alarms", "告警"), ("alarms_open", "处置中"), ("alarms_closed", "已关闭"),
    ("alarms_joined", "已并入"), ("difference", "差额"),
]  # fmt: skip


class Command(BaseCommand):
    """Shows what became of every acknowledged message and every alarm."""

    help = "对账：每条已确认的报文、每条告警的去向。不平时退出码为 1。"

    def add_arguments(self, parser: CommandParser) -> None:
        """--since/--until take a time (2026-11-20T08:00) or a span back from now (90m, 24h, 7d)."""
        parser.add_argument("--since", default="1h", help="起始时间，或距今多久（30m、24h、7d）；默认 1h")
        parser.add_argument("--until", default="", help="结束时间（不含），默认现在")
        parser.add_argument("--step", default="", choices=["", "minute", "hour", "day"], help="每行的时间跨度")
        parser.add_argument("--json", action="store_true", help="输出 JSON")

    def handle(self, *args: Any, **options: Any) -> None:  # noqa: ARG002
        """Print, and end with 1 if something does not add up."""
        now = clock.now()
        since, until = _moment(options["since"], now), _moment(options["until"], now) if options["until"] else None
        if until is not None and until <= since:
            raise CommandError("--until 须晚于 --since。")
        # a message of this very moment belongs to the books as well
        books = ledger(since, until or now + timedelta(seconds=1), step=options["step"] or _step(since, until or now))
        if options["json"]:
            self.stdout.write(json.dumps(books.as_json(), ensure_ascii=False, indent=1))
        else:
            for line in table(books):
                self.stdout.write(line)
        if not books.balances:
            raise SystemExit(1)


def _step(since: datetime, until: datetime) -> Any:
    span = until - since
    if span <= timedelta(hours=2):
        return "minute"
    return "hour" if span <= timedelta(days=3) else "day"


def _moment(text: str, now: datetime) -> datetime:
    units = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days"}
    if text[:-1].isdigit() and text[-1:] in units:
        return now - timedelta(**{units[text[-1]]: int(text[:-1])})
    try:
        moment = datetime.fromisoformat(text)
    except ValueError as error:
        raise CommandError(f"看不懂时间“{text}”。请写 2026-11-20T08:00，或 30m、24h、7d。") from error
    return moment if moment.tzinfo else moment.replace(tzinfo=clock.SHANGHAI)


def table(books: Ledger) -> list[str]:
    """The books as lines of text."""
    shown = [c for c in COLUMNS if c[0] in _ALWAYS or any(getattr(line, c[0]) for line in books.lines)]
    rows = [["时间", "来源", *(title for _, title in shown)]]
    for line in books.lines:
        when = clock.local(line.start).strftime("%m-%d %H:%M") if line.start else ""
        rows.append([when, line.source_label, *_cells(line, shown)])
    rows.append(["合计", "", *_cells(books.total, shown)])
    widths = [max(_width(row[n]) for row in rows) for n in range(len(rows[0]))]
    lines = [
        "  ".join(_pad(cell, width, left=n < 2) for n, (cell, width) in enumerate(zip(row, widths, strict=True)))
        for row in rows
    ]
    span = f"{clock.local(books.since):%Y-%m-%d %H:%M:%S} 至 {clock.local(books.until):%Y-%m-%d %H:%M:%S}"
    lines.insert(0, f"对账 {span}（统计于 {clock.local(books.at):%H:%M:%S}）")
    if books.late_messages or books.late_signals:
        lines.append(f"滞留超过 5 秒：报文 {books.late_messages} 条，信号 {books.late_signals} 条")
    lines += [f"不平：{text}" for text in books.differences]
    lines.append("账平。" if books.balances else "账不平！请按《docs/subsystems/ledger.md》逐条核查。")
    return lines


_ALWAYS = {"messages", "duplicates", "undecodable", "signals", "no_alarm", "opened", "joined", "alarms", "difference"}


def _cells(line: LedgerLine, shown: list[tuple[str, str]]) -> list[str]:
    return [str(getattr(line, name)) for name, _ in shown]


def _width(text: str) -> int:
    return sum(2 if unicodedata.east_asian_width(c) in "WF" else 1 for c in text)


def _pad(text: str, width: int, *, left: bool) -> str:
    space = " " * (width - _width(text))
    return text + space if left else space + text
