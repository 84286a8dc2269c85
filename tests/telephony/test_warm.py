"""A process of ours from the nursery is what one from the shell is: same settings, same ends, and it outlives nobody."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from anju.ops.home import ROOT
from tests import warm
from tests.telephony.engine_room import until

pytestmark = pytest.mark.timeout(240)
NOWHERE = "postgresql://nobody@127.0.0.1:9/nothing"
"""No database: a switchboard stands by, and its log says so."""
PARENT = """
import os, subprocess, sys
from tests import warm
env = {name: value for name, value in os.environ.items() if not name.startswith("ANJU_")}
out = open(sys.argv[1], "ab")
one = warm.start(["switchboard"], env=env | {"ANJU_MODE": "test"}, stdout=out, stderr=subprocess.STDOUT)
print(one.pid, flush=True)
sys.stdin.read()
"""


def environment(home: Path, **more: str) -> dict[str, str]:
    kept = {name: value for name, value in os.environ.items() if not name.startswith("ANJU_")}
    return kept | {
        "ANJU_MODE": "test",
        "ANJU_HOME": str(home),
        "DATABASE_URL": NOWHERE,
        "PYTHONPATH": f"{ROOT}/src",
        **more,
    }


def born(words: list[str], home: Path, said: Path, **more: str) -> warm.Process:
    with said.open("ab") as out:
        return warm.start(words, env=environment(home, **more), stdout=out, stderr=subprocess.STDOUT)


def test_it_has_the_settings_of_the_environment_it_was_given(tmp_path: Path) -> None:
    """All of them, compared with a process that was started as everybody starts one."""
    words = ["diffsettings", "--all"]
    told = {
        "ANJU_ARI_URL": "http://127.0.0.1:7/",
        "ANJU_RECORDINGS": str(tmp_path / "voices"),
        "ANJU_ASTERISK_HOME": "/x",
    }
    assert born(words, tmp_path, tmp_path / "warm", **told).wait(60) == 0
    cold = subprocess.run(
        [sys.executable, "manage.py", *words],
        cwd=ROOT,
        env=environment(tmp_path, **told),
        capture_output=True,
        check=True,
    )
    places = re.compile(r" at 0x[0-9a-f]+")
    expected = places.sub("", cold.stdout.decode()).splitlines()
    assert len(expected) > 200
    assert places.sub("", (tmp_path / "warm").read_text()).splitlines() == expected


def test_it_ends_as_its_command_ends_and_as_it_is_told(tmp_path: Path) -> None:
    said = tmp_path / "said"
    assert born(["no-such-command"], tmp_path, said).wait(60) == 1
    assert "no-such-command" in said.read_text()
    one, other = (born(["switchboard"], tmp_path, said) for _ in range(2))
    with pytest.raises(subprocess.TimeoutExpired):
        one.wait(0.01)
    until(lambda: said.read_text().count("no database yet") >= 2, "both stand by")
    one.send_signal(signal.SIGSTOP)
    until(lambda: _state(one.pid) == "T", "it is frozen")
    assert one.poll() is None
    one.send_signal(signal.SIGCONT)
    one.terminate()
    other.kill()
    assert (one.wait(10), other.wait(10)) == (0, -signal.SIGKILL)
    assert one.poll() == 0
    one.kill()  # hits nobody


def test_what_was_read_once_for_all_cannot_be_told_otherwise(tmp_path: Path) -> None:
    with pytest.raises(AssertionError, match="ANJU_KEEP_DAYS"):
        born(["switchboard"], tmp_path, tmp_path / "said", ANJU_KEEP_DAYS="1")


@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGTERM], ids=["killed", "ended"])
def test_who_is_killed_leaves_no_process_behind(how: signal.Signals, tmp_path: Path) -> None:
    """Neither the nursery nor whom it bore, be it frozen."""
    env = environment(tmp_path, PYTHONPATH=f"{ROOT}/src:{ROOT}")
    with subprocess.Popen(
        [sys.executable, "-c", PARENT, str(tmp_path / "said")],
        cwd=ROOT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        env=env,
    ) as parent:
        assert parent.stdout is not None
        pid = int(parent.stdout.readline())
        os.kill(pid, signal.SIGSTOP)
        parent.send_signal(how)
        parent.wait(10)
        until(lambda: _state(pid) in {"", "Z"}, "the process is gone")


def _state(pid: int) -> str:
    """One letter, as ps has it; "" when there is none."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(") ")[2][:1]
    except OSError:
        return ""
