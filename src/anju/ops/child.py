"""One supervised process: started, watched, started again with growing pauses."""

from __future__ import annotations

import signal
import subprocess
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from anju.ops.processes import ProcessId, end, identify, memory_kib, send

PAUSES = (0.0, 0.5, 1.0, 2.0, 4.0, 8.0, 15.0)
"""Seconds before the next start, after each crash in a row; the last one is kept."""
STEADY_SECONDS = 10.0
"""Who ran that long begins again with no pause."""
DEAF_SECONDS = 45.0
"""Who runs and does not answer for that long is killed and started again."""
SLOWEST = 4
"""So often in a row the time for the first answer is doubled: a machine on which a start takes ten minutes has that time, too."""

Start = Callable[[], subprocess.Popen[bytes]]


@dataclass(slots=True)
class Child:
    """A process and its history. `answers` asks whether it works; `gently` is the signal that it ends well on."""

    name: str
    start: Start
    answers: Callable[[], bool]
    gently: signal.Signals = signal.SIGTERM
    patience: float = 8.0
    tell: Callable[[str], None] = print
    deaf: float = DEAF_SECONDS

    process: subprocess.Popen[bytes] | None = None
    identity: ProcessId | None = None
    restarts: int = 0
    crashes_in_a_row: int = 0
    last_exit: str = ""
    up: bool = False
    began: float = 0.0
    due: float = 0.0
    heard: float = 0.0
    slow: int = 0
    """How often in a row it was killed before it had answered at all."""
    asked: float = field(default=0.0, repr=False)

    @property
    def running(self) -> bool:
        """There is a process (which may not answer yet)."""
        return self.process is not None

    def begin(self) -> None:
        """Start the process now. A start that fails is a crash like any other."""
        now = time.monotonic()
        self.began = self.heard = now
        try:
            self.process = self.start()
        except OSError as problem:
            self._crashed(f"could not start: {problem}")
            return
        self.identity = identify(self.process.pid)

    def reap(self) -> bool:
        """Notice that the process has ended and plan its next start; True when it had."""
        if self.process is None or (code := self.process.poll()) is None:
            return False
        how = f"killed by {signal.Signals(-code).name}" if code < 0 else f"ended with {code}"
        self.process = self.identity = None
        self._crashed(how)
        return True

    def _crashed(self, how: str) -> None:
        now = time.monotonic()
        self.up = False
        self.last_exit = how
        if now - self.began > STEADY_SECONDS:
            self.crashes_in_a_row = 0
        pause = PAUSES[min(self.crashes_in_a_row, len(PAUSES) - 1)]
        self.crashes_in_a_row += 1
        self.restarts += 1
        self.due = now + pause
        self.tell(f"{self.name} {how}; starts again " + ("at once" if not pause else f"in {pause:g} s"))

    def start_if_due(self) -> None:
        """Start again when the pause is over."""
        if not self.running and time.monotonic() >= self.due:
            self.begin()

    def ask(self, every: float) -> bool:
        """Ask whether it works, once in `every` seconds (each time while it is not up); True when that changed."""
        now = time.monotonic()
        if not self.running or (self.up and now - self.asked < every):
            return False
        self.asked = now
        was, self.up = self.up, self.answers()
        if self.up:
            self.heard, self.slow = time.monotonic(), 0
        return was != self.up

    def kill_if_deaf(self) -> None:
        """A process that runs but hears nothing is worse than none; one that still starts gets twice the time with each try.

        Killed each time at the same age, on a machine under load it never came up again.
        """
        starts = self.heard <= self.began
        limit = self.deaf * 2 ** min(self.slow, SLOWEST) if starts else self.deaf
        if self.identity and time.monotonic() - self.heard > limit:
            self.tell(f"{self.name} runs but has not answered for {limit:.0f} s: killed")
            self.slow += starts
            send(self.identity, signal.SIGKILL)
            self.heard = time.monotonic()

    def ask_to_end(self) -> None:
        """Send the gentle signal."""
        if self.identity:
            send(self.identity, self.gently)

    def finish(self, seconds: float) -> None:
        """Wait for the end, kill after `seconds`."""
        if self.identity:
            end(self.identity, gently=signal.Signals.SIGCONT, seconds=seconds)
        if self.process:
            self.process.wait(5)
        self.process = self.identity = None
        self.up = False

    def report(self) -> dict[str, Any]:
        """For `supervisor.json` and the operations page."""
        return {
            "pid": self.identity.pid if self.identity else None,
            "started": self.identity.started if self.identity else None,
            "state": "up" if self.up else "starting" if self.running else "waiting",
            "restarts": self.restarts,
            "last_exit": self.last_exit,
            "up_seconds": round(time.monotonic() - self.began) if self.running else 0,
            "rss_kib": memory_kib(self.identity.pid) if self.identity else 0,
        }
