"""The supervisor: starts again what ends, lets nobody pull the others down, leaves nobody behind."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import textwrap
from collections.abc import Callable
from pathlib import Path

import pytest

from anju.ops import heartbeat, probes, status
from anju.ops.child import Child
from anju.ops.home import ROOT, Home, read_json, write_private
from anju.ops.processes import ProcessId, end, identify, spawn, start_time, wait_gone
from anju.ops.supervisor import Supervisor, end_the_left, recorded
from anju.ops.waiting import wait_for

PATIENT = "import signal; signal.pause()"
STUBBORN = "import signal; signal.signal(signal.SIGTERM, signal.SIG_IGN); print('x', flush=True); signal.pause()"


def python(code: str) -> subprocess.Popen[bytes]:
    return spawn([sys.executable, "-c", code], env=os.environ, cwd=Path("/"))


def turn(supervisor: Supervisor, until: Callable[[], bool], seconds: float = 15) -> None:
    """Let the supervisor work until something is so."""

    def round_and_ask() -> bool:
        supervisor.round()
        return until()

    assert wait_for(round_and_ask, seconds, every=0.02)


@pytest.mark.usefixtures("_signals")
def test_what_ends_is_started_again_and_the_others_stay(home: Home) -> None:
    seen: list[tuple[bool, dict[str, int]]] = []
    supervisor = Supervisor(home, lambda ready, pids: seen.append((ready, pids)))
    good = Child("good", lambda: python(PATIENT), lambda: True)
    bad = Child("bad", lambda: python("raise SystemExit(3)"), lambda: False)
    for child in (good, bad):
        supervisor.add(child)
        child.begin()
    try:
        turn(supervisor, lambda: bad.restarts >= 3)
        assert bad.last_exit == "ended with 3"
        assert good.restarts == 0
        assert good.up
        first = good.identity
        assert first is not None
        os.kill(first.pid, signal.SIGKILL)
        turn(supervisor, lambda: good.restarts == 1 and good.up)
        assert good.last_exit == "killed by SIGKILL"
        assert good.identity != first
        words = (home.logs / "supervisor.log").read_text()
        assert "good killed by SIGKILL; starts again at once" in words
        assert "bad ended with 3; starts again in 0.5 s" in words
        rows, fresh = status.processes(home)
        assert fresh
        assert {row.name for row in rows} >= {"web", "gateway", "router", "ticker", "worker"}
        report = read_json(home.supervisor)["processes"]
        assert report["good"]["restarts"] == 1
        assert report["good"]["pid"] == good.identity.pid
        turn(supervisor, lambda: good.report()["rss_kib"] > 1000)
        assert not seen[-1][0]  # "ready" only when all answer
    finally:
        supervisor.stop()
    assert good.identity is None
    assert not recorded(home)


@pytest.mark.usefixtures("_signals")
def test_neither_a_full_disk_nor_a_chore_that_fails_ends_the_platform(
    home: Home, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A certificate that could not be renewed, a line table that could not be written: the children live on."""
    told: list[bool] = []
    disk = {"full": True}

    def changed(ready: bool, _pids: dict[str, int]) -> None:
        if disk["full"]:
            raise OSError(28, "No space left on device")
        told.append(ready)

    def fails() -> None:
        raise RuntimeError("the lines could not be written")

    supervisor, done = Supervisor(home, changed), []
    child = Child("good", lambda: python(PATIENT), lambda: True)
    supervisor.add(child)
    child.begin()
    monkeypatch.setattr(supervisor, "_hour", -4000.0)
    supervisor.hourly += [fails, lambda: done.append(1)]
    try:
        turn(supervisor, lambda: child.up)
        assert done == [1]
        assert told == []
        disk["full"] = False
        supervisor.round()
        assert told == [True], "what could not be told is told as soon as there is room"
        assert child.restarts == 0
        words = (home.logs / "supervisor.log").read_text()
        assert "the lines could not be written" in words
        assert "No space left" in words
    finally:
        supervisor.stop()


@pytest.mark.usefixtures("_signals")
def test_a_child_that_will_not_end_is_killed(home: Home) -> None:
    supervisor = Supervisor(home, lambda *_: None)
    child = Child("stubborn", lambda: python(STUBBORN), lambda: True, patience=0.3)
    supervisor.add(child)
    child.begin()
    who = child.identity
    assert who is not None
    supervisor.stop()
    assert not who.alive


@pytest.mark.usefixtures("_signals")
def test_a_child_that_hears_nothing_is_killed(home: Home) -> None:
    supervisor = Supervisor(home, lambda *_: None)
    child = Child("deaf", lambda: python(PATIENT), lambda: False, deaf=0.2)
    supervisor.add(child)
    child.begin()
    try:
        turn(supervisor, lambda: child.restarts == 1)
        assert child.last_exit == "killed by SIGKILL"
    finally:
        supervisor.stop()


def test_one_that_never_answered_has_longer_with_each_try_and_one_that_did_has_not(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """On a machine under load every start took longer than the limit, and none was ever let finish."""
    now, hears, killed = 1000.0, False, []
    monkeypatch.setattr("anju.ops.child.time.monotonic", lambda: now)
    monkeypatch.setattr("anju.ops.child.identify", lambda pid: ProcessId(pid, 1))
    monkeypatch.setattr("anju.ops.child.send", lambda *_: killed.append(now))

    def lived(seconds: int) -> float:
        """How old it was when it was killed; 0 when it was not."""
        nonlocal now
        child.begin()
        began, before = now, len(killed)
        while len(killed) == before and now < began + seconds:
            now += 1
            child.ask(0)
            child.kill_if_deaf()
        return now - began if len(killed) > before else 0

    child = Child("slow", lambda: subprocess.CompletedProcess, lambda: hears, deaf=45, tell=lambda _: None)  # type: ignore[arg-type, return-value]
    monkeypatch.setattr(subprocess.CompletedProcess, "pid", 1, raising=False)
    assert [lived(2000) for _ in range(6)] == [46, 91, 181, 361, 721, 721]
    hears = True
    assert lived(100) == 0
    hears = False
    assert lived(2000) == 46


def test_a_pause_grows_with_crashes_in_a_row() -> None:
    said: list[str] = []
    child = Child("x", lambda: python("raise SystemExit(1)"), lambda: False, tell=said.append)
    for _ in range(8):
        child.begin()
        assert child.process is not None
        child.process.wait(60)
        assert child.reap()
    assert [line.rsplit("starts again ", 1)[1] for line in said] == [
        "at once", "in 0.5 s", "in 1 s", "in 2 s", "in 4 s", "in 8 s", "in 15 s", "in 15 s",
    ]  # fmt: skip


def test_children_die_with_a_supervisor_that_is_killed(home: Home) -> None:
    code = textwrap.dedent(
        f"""
        import sys
        from pathlib import Path
        from anju.ops.child import Child
        from anju.ops.home import Home
        from anju.ops.processes import spawn
        from anju.ops.supervisor import Supervisor
        s = Supervisor(Home(Path({str(home.path)!r})), lambda *_: None)
        start = lambda: spawn([sys.executable, "-c", {STUBBORN!r}], env={{}}, cwd=Path("/"))
        s.add(Child("one", start, lambda: True)); s.add(Child("two", start, lambda: True))
        s.run()
        """,
    )
    supervisor = subprocess.Popen([sys.executable, "-c", code], env={**os.environ, "PYTHONPATH": str(ROOT / "src")})
    assert wait_for(lambda: len(recorded(home)) == 2, 20)
    left = recorded(home)
    supervisor.kill()
    supervisor.wait(60)
    assert all(wait_gone(process, 5) for process in left.values())


def test_the_next_start_ends_what_was_left_and_nothing_else(home: Home) -> None:
    left, innocent = python(STUBBORN), python(PATIENT)
    who, other = identify(left.pid), identify(innocent.pid)
    assert who is not None
    assert other is not None
    rows = {
        "web": {"pid": who.pid, "started": who.started},
        "router": {"pid": other.pid, "started": other.started - 1},  # the pid was used again by somebody else
        "ticker": {"pid": None, "started": None},
    }
    write_private(home.supervisor, {"processes": rows})
    said: list[str] = []
    try:
        assert recorded(home) == {"web": who}
        end_the_left(home, None, said.append)
        assert not who.alive
        assert other.alive
        assert said == [f"  … ending what the last run left: web ({who.pid})"]
    finally:
        innocent.kill()
        innocent.wait()
        left.wait()


def test_a_process_is_known_by_its_start_time() -> None:
    process = python(PATIENT)
    who = identify(process.pid)
    assert who is not None
    assert who.alive
    assert not ProcessId(who.pid, who.started + 1).alive
    end(who, seconds=5)
    assert start_time(process.pid) is None  # a zombie does not count
    process.wait()


def test_a_beat_goes_stale(home: Home) -> None:
    assert not probes.beats("router", home)
    heartbeat.beat("router")
    assert probes.beats("router", home)
    os.utime(home.beats / "router.beat", (0, 0))
    assert not probes.beats("router", home)
    heartbeat.beat("router")
    assert probes.beats("router", home)


def test_reports_are_private_and_whole(home: Home) -> None:
    write_private(home.run, {"密": "码"})
    assert home.run.stat().st_mode & 0o777 == 0o600
    assert json.loads(home.run.read_text()) == {"密": "码"}
    home.run.write_text("{half")
    assert read_json(home.run) == {}
