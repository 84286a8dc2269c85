"""Waiting for something outside (a server, a process): bounded, and ended early by a signal."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator


class Pause:
    """Rounds of a wait: `for pause in Pause.up_to(30): if ready(): break; pause()`."""

    @staticmethod
    def up_to(seconds: float, every: float = 0.05) -> Iterator[Callable[[], object]]:
        """Yield a pause until the time is over; pauses grow from `every` to half a second."""
        end = time.monotonic() + seconds
        quiet = threading.Event()
        while time.monotonic() < end:
            step = every
            yield lambda step=step: quiet.wait(step)  # type: ignore[misc]
            every = min(every * 1.3, 0.5)


def wait_for(condition: Callable[[], bool], seconds: float, every: float = 0.05) -> bool:
    """True as soon as the condition holds, False when it does not within `seconds`."""
    for pause in Pause.up_to(seconds, every):
        if condition():
            return True
        pause()
    return condition()
