"""The ticker process: lets deadlines happen, and sweeps the homes whose silence is due. Any number may run; each deadline
fires once (`kernel.flow.ticker`), each silence once (`alarms.sensing`).

The sweep is a thread of its own: ten thousand homes that fall due together must not hold up the deadlines of a rescue.
"""

from __future__ import annotations

import logging
import threading
import time
from typing import Final

import psycopg
from django.db import DatabaseError, connection, transaction

from anju.alarms import actions as alarms
from anju.alarms import bounds, sensing
from anju.kernel import audit
from anju.kernel.flow import ticker
from anju.kernel.scope import EVERYWHERE, seen_by
from anju.ops import heartbeat

_log = logging.getLogger(__name__)
POISON: Final = "poison"
EVERY: Final = 20.0
"""Seconds between two sweeps."""
FRESH: Final = 90.0
"""A sweep must have succeeded, or its failure must have been told, within so many seconds, or there is no sign of life."""


class Sweeper:
    """Sweeps until told to stop."""

    def __init__(self, stop: threading.Event) -> None:
        self.stop = stop
        self.last = time.monotonic()

    def run(self) -> None:
        """One sweep after the other; a database that is away is waited for."""
        while not self.stop.is_set():
            try:
                sensing.sweep()
                bounds.renew()
                self.last = time.monotonic()
            except (DatabaseError, psycopg.Error):
                _log.exception("the sweep lost its database; trying again")
                connection.close()
            except Exception as error:  # noqa: BLE001 - whatever it is, it is logged and told, and the next sweep must come
                _log.exception("the sweep failed; the next one comes all the same")
                self._tell(error)
            self.stop.wait(EVERY)
        connection.close()

    def _tell(self, error: Exception) -> None:
        """A fault of ours: the leads are paged. That is the sign of life: to end the process would help no home, and would
        hold up the deadlines of rescues again and again.
        """
        text = f"静默看护出错，每 {EVERY:.0f} 秒重试：{type(error).__name__}: {error}"
        try:
            with seen_by(EVERYWHERE), transaction.atomic():
                alarms.trouble(kind=POISON, subject="静默看护", text=text)
        except (DatabaseError, psycopg.Error):
            _log.exception("and nobody could be told")
            connection.close()
        else:
            self.last = time.monotonic()

    def is_well(self) -> bool:
        """Whether a sweep succeeded lately."""
        return time.monotonic() - self.last < FRESH


def run(stop: threading.Event) -> int:
    """Ring until told to stop. Only a round that succeeded, with a sweeper that is alive, is a sign of life."""
    sweeper = Sweeper(stop)
    thread = threading.Thread(target=sweeper.run, name="sweeper", daemon=True)
    thread.start()

    def beat() -> None:
        if thread.is_alive() and sweeper.is_well():
            heartbeat.beat("ticker")

    with audit.acting("系统时钟"):
        ticker.run_forever(stop, after_round=beat)
    thread.join(timeout=4)
    return 0
