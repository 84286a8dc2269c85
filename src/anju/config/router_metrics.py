"""What the router tells Prometheus. Every figure of the ledger is read from the rows, never counted along."""

from __future__ import annotations

from datetime import datetime
from typing import Final

from django.db import DatabaseError
from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, start_http_server

from anju.alarms import queries
from anju.alarms.ledger import COUNTS, Ledger
from anju.alarms.routing import Round
from anju.signals import queries as signals

BUCKETS: Final = (0.01, 0.02, 0.05, 0.1, 0.2, 0.3, 0.5, 1, 2, 5, 10, 30)


class RouterMetrics:
    """One registry for one process (tests make their own)."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        r = self.registry
        self.messages = Counter("anju_router_messages", "messages routed", ["lane", "result"], registry=r)
        self.signals = Counter("anju_router_signals", "signals settled", ["outcome"], registry=r)
        self.batch = Histogram(
            "anju_router_batch_seconds", "one batch, commit included", ["lane"], buckets=BUCKETS, registry=r
        )
        self.alarm = Histogram(
            "anju_router_alarm_seconds",
            "from durable receipt to the committed alarm",
            ["lane"],
            buckets=BUCKETS,
            registry=r,
        )
        self.troubles = Counter(
            "anju_router_troubles", "messages that could not be handled or read", ["kind"], registry=r
        )
        self.reconnects = Counter("anju_router_reconnects", "times the database was lost", registry=r)
        self.lag = Gauge("anju_router_lag_seconds", "age of the oldest message not yet routed", registry=r)
        self.trouble = Gauge("anju_trouble_open", "open troubles of the platform", ["kind"], registry=r)
        self.rows = Gauge("anju_ledger_rows", "rows of the last minute", ["source", "account"], registry=r)
        self.difference = Gauge("anju_ledger_difference", "rows of the last minute that do not add up", registry=r)
        self.late = Gauge("anju_ledger_late", "rows that wait longer than 5 s", ["what"], registry=r)

    def serve(self, port: int) -> None:
        """Answer GET /metrics on the loopback address."""
        start_http_server(port, addr="127.0.0.1", registry=self.registry)

    def took(self, lane: str, done: Round, seconds: float, now: datetime) -> None:
        """One batch was committed."""
        self.batch.labels(lane).observe(seconds)
        good = done.messages - done.duplicates - done.undecodable
        for result, n in (("signals", good), ("duplicate", done.duplicates), ("undecodable", done.undecodable)):
            self.messages.labels(lane, result).inc(n)
        for outcome, n in done.outcomes.items():
            self.signals.labels(outcome).inc(n)
        for received_at in done.raised_at:
            self.alarm.labels(lane).observe(max(0.0, (now - received_at).total_seconds()))
        for kind, _, _ in done.troubles:
            self.troubles.labels(kind).inc()

    def look(self) -> None:
        """How late the router is, and what troubles are open."""
        try:
            self.lag.set(signals.lag().total_seconds())
            self.trouble.clear()
            for trouble in queries.troubles():
                self.trouble.labels(trouble.kind).inc()
        except DatabaseError:
            self.lag.set(float("inf"))
            raise

    def books(self, books: Ledger) -> None:
        """The ledger of the last minutes."""
        self.rows.clear()
        for line in books.lines:
            for account in COUNTS:
                if n := getattr(line, account):
                    self.rows.labels(line.source, account).inc(n)
        self.difference.set(sum(line.difference for line in books.lines) + sum(gap.missing for gap in books.gaps))
        self.late.labels("messages").set(books.late_messages)
        self.late.labels("signals").set(books.late_signals)
