"""A sign of life of a process that answers no address: it touches a file; the supervisor looks at the file's age."""

from __future__ import annotations

import os
import time
from pathlib import Path

from anju.ops.home import Home

FRESH_SECONDS = 10.0
"""A younger beat means: this process does its work."""


def beat(name: str) -> None:
    """Say "my last round succeeded". Outside a running platform (tests, a shell) it says nothing."""
    home = os.environ.get("ANJU_HOME")
    if not home:
        return
    path = Path(home) / "run" / f"{name}.beat"
    try:
        os.utime(path)
    except FileNotFoundError:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()


def age(name: str, home: Home | None = None) -> float | None:
    """Seconds since the last beat; None when there was none."""
    path = (home or Home.current()).beats / f"{name}.beat"
    try:
        return time.time() - path.stat().st_mtime
    except FileNotFoundError:
        return None
