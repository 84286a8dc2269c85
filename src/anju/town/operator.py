"""How an operator's platform behaves when it pushes: only 200 counts, three retries, and it stops when we fail too often.

CTWing: after more than 100 failures in a row, or more than 10 % failing within 10 s, pushing stops for one minute and
the messages of that minute are never sent. Pure bookkeeping; the simulator asks before each post.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field

RETRIES = 3
IN_A_ROW = 100
WINDOW = 10.0
SHARE = 0.10
LEAST = 50  # below so few posts in the window a share says nothing
PAUSE = 60.0


@dataclass(slots=True)
class Patience:
    """The operator's patience with our front door. Times are seconds of any running clock."""

    row: int = 0
    stopped_until: float = 0.0
    stops: int = 0
    _recent: deque[tuple[float, bool]] = field(default_factory=deque)
    _failed: int = 0

    def open(self, now: float) -> bool:
        """Does the operator push at this moment?"""
        return now >= self.stopped_until

    def note(self, now: float, *, ok: bool) -> None:
        """Count one post (retries count too)."""
        self.row = 0 if ok else self.row + 1
        self._recent.append((now, ok))
        self._failed += not ok
        while self._recent and self._recent[0][0] < now - WINDOW:
            self._failed -= not self._recent.popleft()[1]
        many = len(self._recent) >= LEAST and self._failed > SHARE * len(self._recent)
        if self.row > IN_A_ROW or (many and not ok):
            self.stopped_until = now + PAUSE
            self.stops += 1
            self.row = self._failed = 0
            self._recent.clear()
