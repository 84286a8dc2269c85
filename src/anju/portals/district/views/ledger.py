"""The ledger: every message and every alarm accounted for; a difference is shown as a sentence, never as a colour alone."""

from __future__ import annotations

import json
from datetime import datetime, timedelta

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.cache import never_cache

from anju.alarms import queries as alarms
from anju.alarms.ledger import SOURCES, LedgerLine
from anju.kernel import clock
from anju.kernel.scope import EVERYWHERE, seen_by
from anju.portals.district import filters
from anju.portals.district.access import actor, may_open, opens
from anju.signals import queries as signals

STEPS = (("hour", "按小时"), ("minute", "按分钟"), ("day", "按天"))
OUTCOMES = (
    ("", "全部结果"),
    ("signals", "已解析"),
    ("duplicate", "重复"),
    ("undecodable", "无法解析"),
    ("pending", "待处理"),
)


LENGTHS = {"hour": timedelta(hours=1), "minute": timedelta(minutes=1), "day": timedelta(days=1)}


class Line:
    """One line of the books as the table wants it: the figures in order, and the span they belong to."""

    def __init__(self, line: LedgerLine, step: str) -> None:
        self.start, self.source, self.source_label, self.difference = (
            line.start,
            line.source,
            line.source_label,
            line.difference,
        )
        self.end = line.start + LENGTHS[step] if line.start else None
        self.row = (
            line.messages, line.duplicates, line.undecodable, line.waiting, line.signals, line.no_alarm, line.opened, line.joined,
            line.drill, line.quarantined, line.pending, line.alarms,
        )  # fmt: skip


@never_cache
@opens("ledger")
def books(request: HttpRequest) -> HttpResponse:
    """Counts of a day by source and hour (of the last hour by minute). The books count the whole platform and name no home."""
    day, step = (
        filters.day(request, "day", clock.today()),
        filters.choice(request, "step", (s for s, _ in STEPS), "hour"),
    )
    source = filters.choice(request, "source", _sources())
    since, until = filters.span_of(day)
    until = min(until, clock.now())
    if step == "minute":
        hour = filters.number(request, "hour", least=0, most=23, default=clock.local(until).hour)
        since = since.replace(hour=hour)
        until = min(since + timedelta(hours=1), clock.now())
    book = alarms.ledger(since=since, until=max(until, since + timedelta(seconds=1)), step=step)  # type: ignore[arg-type]
    lines = [line for line in book.lines if source in ("", line.source)]
    lines.sort(key=lambda line: (line.start or since, line.source), reverse=True)
    return render(
        request,
        "district/ledger.html",
        {
            "book": book, "lines": [Line(line, step) for line in lines], "day": day, "step": step, "steps": STEPS, "source": source, "since": since,
            "until": until, "sources": sorted(_sources().items()), "troubles": alarms.troubles(limit=20),
            "may_look": may_open(actor(request), "frames"), "before": day - timedelta(days=1),
            "after": day + timedelta(days=1) if day < clock.today() else None,
        },
    )  # fmt: skip


def _sources() -> dict[str, str]:
    return dict(SOURCES)


@never_cache
@opens("frames")
def messages(request: HttpRequest) -> HttpResponse:
    """The messages behind a figure: when, which device, what was made of it. Frames carry device numbers, no names."""
    since = _moment(request, "since") or clock.now() - timedelta(hours=1)
    until = _moment(request, "until") or since + timedelta(hours=1)
    outcome, source = (
        filters.choice(request, "outcome", (o for o, _ in OUTCOMES)),
        filters.choice(request, "source", _sources()),
    )
    key = filters.text(request, "device", 40)
    with seen_by(EVERYWHERE):
        rows = signals.messages(since=since, until=until, source=source, outcome=outcome, device_key=key, limit=200)
        bodies = signals.bodies(rows)
    return render(
        request,
        "district/messages.html",
        {
            "rows": [(row, _plain(row.decoded), _raw(bodies[row.id])) for row in rows], "since": since, "until": until, "outcome": outcome,
            "outcomes": OUTCOMES, "source": source, "sources": sorted(_sources().items()), "device": key, "full": len(rows) == 200,
        },
    )  # fmt: skip


def _moment(request: HttpRequest, name: str) -> datetime | None:
    try:
        at = datetime.fromisoformat(request.GET.get(name, "").replace(" ", "+"))
    except ValueError:
        return None
    return at if at.tzinfo else at.replace(tzinfo=clock.SHANGHAI)


def _plain(decoded: str) -> str:
    try:
        value = json.loads(decoded)
    except ValueError:
        return decoded[:300]
    return json.dumps(value, ensure_ascii=False)[:300]


def _raw(raw: bytes | None) -> str:
    if raw is None:
        return "原文已过保存期"
    return raw[:600].decode("utf-8", "backslashreplace")
