"""The ticker process: the sweep of silences goes on whatever one sweep meets, and what it meets is told."""

from __future__ import annotations

import threading

import pytest
from django.db import DatabaseError

from anju.alarms.models import Trouble
from anju.config import ticker

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.req("SEN-01")]


class Swept:
    """Each sweep meets the next of these; after the last one the sweeper is told to stop."""

    def __init__(self, stop: threading.Event, *met: Exception | None) -> None:
        self.stop, self.met, self.sweeps = stop, list(met), 0

    def __call__(self) -> int:
        self.sweeps += 1
        error = self.met.pop(0)
        if not self.met:
            self.stop.set()
        if error is not None:
            raise error
        return 0


def sweeper(monkeypatch: pytest.MonkeyPatch, *met: Exception | None) -> tuple[ticker.Sweeper, Swept]:
    """A sweeper that has swept all of these."""
    stop = threading.Event()
    swept = Swept(stop, *met)
    monkeypatch.setattr(ticker, "EVERY", 0.0)
    monkeypatch.setattr(ticker.sensing, "sweep", swept)
    monkeypatch.setattr(ticker.bounds, "renew", lambda: 0)
    made = ticker.Sweeper(stop)
    made.last = 0.0
    made.run()
    return made, swept


def test_a_sweep_that_falls_over_is_told_and_the_next_one_comes(monkeypatch: pytest.MonkeyPatch) -> None:
    made, swept = sweeper(monkeypatch, KeyError("at"), ValueError("odd"), None)
    assert swept.sweeps == 3
    assert made.last > 0
    trouble = Trouble.objects.get(until=None)
    assert (trouble.kind, trouble.times) == (Trouble.Kind.POISON, 2)
    assert "静默看护" in trouble.text


def test_without_its_database_it_shows_no_sign_of_life(monkeypatch: pytest.MonkeyPatch) -> None:
    made, swept = sweeper(monkeypatch, DatabaseError("away"), DatabaseError("away"))
    assert swept.sweeps == 2
    assert made.last == 0
    assert not Trouble.objects.exists()
