"""What `./run` says in the terminal: one plain line a step."""

from __future__ import annotations

import contextlib
import sys
import time
from collections.abc import Iterator
from typing import TextIO


def say(text: str = "", out: TextIO | None = None) -> None:
    """One line; a terminal that has gone away is no reason to stop the platform."""
    stream = out or sys.stdout
    with contextlib.suppress(OSError, ValueError):
        stream.write(f"{text}\n")
        stream.flush()


def complain(text: str) -> None:
    """What went wrong and what to do about it."""
    say(text, sys.stderr)


@contextlib.contextmanager
def step(what: str) -> Iterator[None]:
    """Say what begins, and how long it took."""
    begin = time.monotonic()
    say(f"  … {what}")
    yield
    took = time.monotonic() - begin
    say(f"  ✓ {what}" + (f" ({took:.1f} s)" if took >= 1 else ""))
