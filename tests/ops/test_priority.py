"""Telemetry gives way: the router's process is put behind the others, and where that is refused it runs all the same."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from anju.ops import priority

SAYS = """
import os
from pathlib import Path
from anju.ops import priority
priority.give_way(priority.TELEMETRY)
group = Path("/proc/self/autogroup")
print(os.nice(0), group.read_text().split()[-1] if group.exists() else priority.TELEMETRY)
"""


@pytest.mark.req("SEN-03")
def test_a_process_that_gives_way_is_behind_the_others() -> None:
    """In a session of its own, as the supervisor starts it: the process and, where Linux weighs sessions, the session."""
    said = subprocess.run(
        [sys.executable, "-c", SAYS], capture_output=True, text=True, check=True, start_new_session=True,
        env={"PYTHONPATH": str(Path(priority.__file__).parents[2])},
    ).stdout  # fmt: skip
    behind = min(os.nice(0) + priority.TELEMETRY, 19)  # behind us, wherever we are
    assert said.split() == [str(behind), str(priority.TELEMETRY)]


def test_a_machine_that_refuses_stops_nobody(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """No right to renice, no such file: the process goes on."""

    def refuse(_by: int) -> int:
        raise PermissionError

    monkeypatch.setattr("os.nice", refuse)
    monkeypatch.setattr(priority, "_GROUP", tmp_path / "away" / "autogroup")
    priority.give_way(5)
