"""The switchboard's own short timers (prompts, overflow, wrap-up), by the one clock. Behind each stands a row's deadline."""

from __future__ import annotations

import asyncio
import heapq
import itertools
import logging
from collections.abc import Callable
from datetime import datetime, timedelta

from anju.kernel import clock

_log = logging.getLogger(__name__)
_NAP = 0.25
"""Longest sleep in seconds: a clock that was set is noticed so soon."""


class Timer:
    """One thing to be done later."""

    __slots__ = ("cancelled", "do")

    def __init__(self, do: Callable[[], object]) -> None:
        self.do, self.cancelled = do, False

    def cancel(self) -> None:
        """It is not to be done any more."""
        self.cancelled = True


class Clockwork:
    """`tick()` lets happen what is due; `run()` does so by itself."""

    def __init__(self) -> None:
        self._due: list[tuple[datetime, int, Timer]] = []
        self._count = itertools.count()
        self._bell = asyncio.Event()

    def after(self, seconds: float, do: Callable[[], object]) -> Timer:
        """Do it when so much time has passed; the timer may be cancelled."""
        timer = Timer(do)
        heapq.heappush(self._due, (clock.now() + timedelta(seconds=seconds), next(self._count), timer))
        self._bell.set()
        return timer

    def tick(self) -> int:
        """What is due now; how many things were done. One that fails stops no other."""
        done = 0
        while self._due and self._due[0][0] <= clock.now():
            timer = heapq.heappop(self._due)[2]
            if timer.cancelled:
                continue
            done += 1
            try:
                timer.do()
            except Exception:  # noqa: BLE001 - the others must happen
                _log.exception("a timer failed")
        return done

    def next_due(self) -> datetime | None:
        """When the next one is due."""
        while self._due and self._due[0][2].cancelled:
            heapq.heappop(self._due)
        return self._due[0][0] if self._due else None

    async def run(self) -> None:
        """For ever."""
        while True:
            self.tick()
            due = self.next_due()
            nap = min(_NAP, max(0.0, (due - clock.now()).total_seconds())) if due else _NAP
            self._bell.clear()
            if nap:
                try:
                    await asyncio.wait_for(self._bell.wait(), nap)
                except TimeoutError:
                    continue
