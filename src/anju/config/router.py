"""The router process: reads the log by its committed cursors and makes vitals, alarms and incidents of it.

Three threads, each with its own connection. `urgent` reads only the lanes that carry an SOS or its like, so nothing that
telemetry does can delay one: not a long batch, not a lock, not a slow disk page. `telemetry` reads the rest in batches
that are kept short. `watch` looks whether anything waits, differs or is silent, and retries what failed. Any number of
router processes may run: a lane belongs to whoever has locked it, for one transaction.
"""

from __future__ import annotations

import itertools
import logging
import sys
import threading
import time
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Final

import psycopg
from django.db import DatabaseError, InterfaceError, connection

from anju.alarms import actions as alarms
from anju.alarms import routing, watch
from anju.alarms.routing import Round
from anju.config.router_metrics import RouterMetrics
from anju.kernel import audit, clock
from anju.kernel.scope import EVERYWHERE, seen_by
from anju.ops import heartbeat

_log = logging.getLogger(__name__)
BELL: Final = "anju_heard"
URGENT_NAP: Final = 0.1
TELEMETRY_NAP: Final = 0.1
BATCH_SECONDS: Final = 0.4
"""What a telemetry batch may take; its size follows. An SOS never waits for it: it has a reader of its own."""
LEAST, MOST = 200, 2000
"""Never less than LEAST: on a machine that is out of breath, small batches would cost more than they save."""
SWITCH: Final = 0.0005
"""Seconds after which one reader lets the other have the interpreter (Python's own 5 ms would be felt by an SOS)."""
LOOK_EVERY: Final = 5.0
PULSE_EVERY: Final = 2.0
BOOKS_EVERY: Final = 30.0
BOOKS_OF: Final = timedelta(minutes=1)
FRESH: Final = 5.0
"""Both readers must have finished a round within so many seconds, or the process shows no sign of life."""
LONGEST_PAUSE: Final = 2.0


class Router:
    """One router process. `run` blocks until `stop` is set; a reader that dies ends it (the supervisor starts anew)."""

    def __init__(self, stop: threading.Event, metrics: RouterMetrics | None = None) -> None:
        self.stop, self.metrics = stop, metrics or RouterMetrics()
        self.rounds: dict[str, float] = {}
        self.broken: str = ""
        self._pulse = PulseBook()

    def run(self) -> int:
        """Route until told to stop; 0, or 1 when a thread died."""
        threads = [
            threading.Thread(target=self._guarded, args=(name, work), name=name, daemon=True)
            for name, work in (("urgent", self._urgent), ("telemetry", self._telemetry), ("watch", self._watch))
        ]
        sys.setswitchinterval(SWITCH)
        for thread in threads:
            thread.start()
        while not self.stop.wait(1.0):
            if self.broken:
                break
            if self.is_well():
                heartbeat.beat("router")
        self.stop.set()
        for thread in threads:
            thread.join(timeout=4)
        return 1 if self.broken else 0

    def is_well(self) -> bool:
        """Whether both readers finished a round lately."""
        now = time.monotonic()
        return all(now - self.rounds.get(name, float("-inf")) < FRESH for name in ("urgent", "telemetry"))

    def _guarded(self, name: str, work: Callable[[], None]) -> None:
        """Go on through a database that is away; anything else ends the process."""
        pause = 0.1
        while not self.stop.is_set():
            started = time.monotonic()
            try:
                with seen_by(EVERYWHERE), audit.acting("路由"):
                    work()
            except (DatabaseError, InterfaceError, psycopg.Error) as error:
                if time.monotonic() - started > 10:
                    pause = 0.1
                _log.warning("%s lost its database (%s); again in %.1f s", name, error, pause)
                self.metrics.reconnects.inc()
                connection.close()
                self.stop.wait(pause)
                pause = min(pause * 2, LONGEST_PAUSE)
            except Exception:  # noqa: BLE001 - whatever it is, the process ends and is started anew
                _log.exception("%s died", name)
                self.broken = name
                return
        connection.close()

    def _urgent(self) -> None:
        connection.ensure_connection()
        with connection.cursor() as cursor:
            cursor.execute(f"LISTEN {BELL}")
        while not self.stop.is_set():
            done = self._round("urgent", limit=50, urgent=True)
            if not done.messages:
                for _ in connection.connection.notifies(timeout=URGENT_NAP, stop_after=1):
                    pass

    def _telemetry(self) -> None:
        limit = LEAST
        while not self.stop.is_set():
            before = time.monotonic()
            done = self._round("telemetry", limit=limit, urgent=False)
            spent = time.monotonic() - before
            if done.messages:
                limit = next_limit(limit, done.messages, spent)
            if done.messages < limit:
                self.stop.wait(TELEMETRY_NAP)

    def _round(self, name: str, *, limit: int, urgent: bool) -> Round:
        before = time.monotonic()
        done = routing.route_some(urgent=urgent, limit=limit)
        self.rounds[name] = time.monotonic()
        if done.messages:
            self.metrics.took(name, done, self.rounds[name] - before, clock.now())
            self._pulse.note(done)
        return done

    def _watch(self) -> None:
        look, pulse, books = Every(LOOK_EVERY), Every(PULSE_EVERY), Every(BOOKS_EVERY)
        while not self.stop.wait(0.5):
            if pulse.is_due():
                self._pulse.flush()
                routing.retry_pending()
            if look.is_due():
                watch.look()
                self.metrics.look()
            if books.is_due():
                now = clock.now()
                self.metrics.books(watch.prove(now - BOOKS_OF, now + timedelta(seconds=1), subject="最近一分钟"))


class Every:
    """Says yes once in so many seconds."""

    def __init__(self, seconds: float) -> None:
        self.seconds, self._next = seconds, 0.0

    def is_due(self) -> bool:
        """True if the time is up; then it starts again."""
        now = time.monotonic()
        if now < self._next:
            return False
        self._next = now + self.seconds
        return True


def next_limit(limit: int, handled: int, seconds: float) -> int:
    """How many messages the next telemetry batch may take, so that it lasts about BATCH_SECONDS."""
    if seconds <= 0:
        return limit
    fitting = int(handled * BATCH_SECONDS / seconds)
    if handled < limit and fitting >= limit:
        return limit
    return max(LEAST, min(MOST, (limit + fitting) // 2))


class PulseBook:
    """Gathers when sources spoke, from both readers, and writes it down now and then."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._heard: dict[str, list[datetime]] = {}

    def note(self, done: Round) -> None:
        """These messages were heard."""
        with self._lock:
            for source, moments in done.sources.items():
                if source != "platform":
                    self._heard.setdefault(source, []).extend(moments)

    def flush(self) -> None:
        """Write the pulses down."""
        with self._lock:
            heard, self._heard = self._heard, {}
        for source, stamps in heard.items():
            stamps.sort()
            longest = max((b - a for a, b in itertools.pairwise(stamps)), default=timedelta(0))
            alarms.heard_from(
                source=source, first_at=stamps[0], last_at=stamps[-1], longest_gap=longest.total_seconds()
            )
