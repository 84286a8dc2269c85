"""The router: reads the log by its committed cursors and makes vitals, alarms and incidents of it.

Two processes. `urgent` reads only the lanes that carry an SOS or its like, so nothing that telemetry does can delay one: not
a long batch, not a lock, not the interpreter of a process that is short of breath. `router` reads the rest, in batches that
are kept short, and looks whether anything waits, differs or is silent; it also takes the urgent lanes, once a second while
`urgent` shows signs of life and at once when it does not. Each reader is a thread with its own connection. Any number of
either may run: a lane belongs to whoever has locked it, for one transaction.
"""

from __future__ import annotations

import itertools
import logging
import os
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
URGENT: Final = "urgent"
"""What the bell says when an urgent message was committed."""
URGENT_AT_ONCE: Final = 4
"""Alarms of one transaction: the first of a burst must be on the desk before the last is even read."""
URGENT_NAP: Final = 0.1
HELPED_NAP: Final = 1.0
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
    """One process. `run` blocks until `stop` is set; a reader that dies ends it (the supervisor starts anew)."""

    def __init__(
        self, stop: threading.Event, metrics: RouterMetrics | None = None, *, urgent_only: bool = False
    ) -> None:
        self.stop, self.metrics, self.urgent_only = stop, metrics or RouterMetrics(), urgent_only
        self.name = "urgent" if urgent_only else "router"
        self.readers = ("urgent",) if urgent_only else ("urgent", "telemetry")
        self.rounds: dict[str, float] = {}
        self.broken: str = ""
        self._pulse = PulseBook()

    def run(self) -> int:
        """Route until told to stop; 0, or 1 when a thread died."""
        threads = [
            threading.Thread(target=self._guarded, args=(name, work), name=name, daemon=True)
            for name, work in (("urgent", self._urgent), ("telemetry", self._telemetry), ("watch", self._watch))
            if name in self.readers or not self.urgent_only
        ]
        sys.setswitchinterval(SWITCH)
        for thread in threads:
            thread.start()
        while not self.stop.wait(1.0):
            if self.broken:
                break
            if self.is_well():
                heartbeat.beat(self.name)
        self.stop.set()
        for thread in threads:
            thread.join(timeout=4)
        return 1 if self.broken else 0

    def is_well(self) -> bool:
        """Whether every reader finished a round lately."""
        now = time.monotonic()
        return all(now - self.rounds.get(name, float("-inf")) < FRESH for name in self.readers)

    def has_help(self) -> bool:
        """Whether a process of its own takes the urgent lanes, so that this one need only look after it."""
        if self.urgent_only or "ANJU_HOME" not in os.environ:
            return False
        age = heartbeat.age("urgent")
        return age is not None and age < FRESH

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
        pulse = Every(PULSE_EVERY)
        while not self.stop.is_set():
            if self._round("urgent", limit=URGENT_AT_ONCE, urgent=True).messages:
                continue
            if self.urgent_only and pulse.is_due():
                self._pulse.flush()
            if self.has_help():
                self.stop.wait(HELPED_NAP)
            else:
                self._await_the_bell()

    def _await_the_bell(self) -> None:
        """Sleep until something urgent is committed, a short nap at most. The bell of telemetry is not for us."""
        end = time.monotonic() + URGENT_NAP
        while (left := end - time.monotonic()) > 0:
            rung = list(connection.connection.notifies(timeout=left, stop_after=1))
            if any(n.payload == URGENT for n in rung):
                return

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
