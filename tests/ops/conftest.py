"""A home of its own for each test, and the signals given back."""

from __future__ import annotations

import signal
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from anju.ops.home import Home


@pytest.fixture
def home(monkeypatch: pytest.MonkeyPatch) -> Iterator[Home]:
    """Not below pytest's own folder: the database's user must be able to walk to it."""
    with tempfile.TemporaryDirectory(prefix="anju-ops-") as folder:
        Path(folder).chmod(0o755)
        made = Home(Path(folder) / "home")
        made.make()
        monkeypatch.setenv("ANJU_HOME", str(made.path))
        yield made


@pytest.fixture
def _signals() -> Iterator[None]:
    numbers = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGCHLD)
    before = {number: signal.getsignal(number) for number in numbers}
    yield
    signal.set_wakeup_fd(-1)
    for number, handler in before.items():
        signal.signal(number, handler)
