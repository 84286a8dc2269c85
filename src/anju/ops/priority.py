"""Who goes first when the processors are short: what a person waits for, before what only has to be counted."""

from __future__ import annotations

import os
from contextlib import suppress
from pathlib import Path

TELEMETRY = 10
"""Nice value of what takes telemetry in: it catches up later, an SOS does not wait for it."""
_GROUP = Path("/proc/self/autogroup")


def give_way(by: int) -> None:
    """Let the platform's other processes go first from now on. Nothing is lost: idle processors are used all the same.

    Linux weighs sessions before it weighs processes (autogroup), and the supervisor gives each process a session of its
    own: so both are said. Where the machine does not let us, the process runs as before.
    """
    with suppress(OSError):
        os.nice(by)
    with suppress(OSError):
        _GROUP.write_text(str(by), encoding="ascii")
