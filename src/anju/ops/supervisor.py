"""The supervisor: one thread that starts, watches and stops every process of the platform.

Whatever ends is started again at once, then with growing pauses; one that keeps crashing takes no other down. When
the supervisor itself dies, the kernel ends its children (processes.spawn), and what should remain of them is found
by pid and start time in `supervisor.json` and ended by the next start (`end_the_left`).
"""

from __future__ import annotations

import contextlib
import os
import select
import shutil
import signal
import socket
import time
from collections.abc import Callable, Sequence
from itertools import pairwise
from pathlib import Path
from types import FrameType
from typing import Any

from anju.ops.child import Child
from anju.ops.home import Home, read_json, write_private
from anju.ops.processes import ProcessId, end, identify, memory_kib, start_time

ASK_EVERY = 5.0
REPORT_EVERY = 5.0
LOG_LIMIT = 20 * 1024 * 1024


class StopRequested(BaseException):
    """Ctrl-C or SIGTERM came while the platform was being set up."""


class Supervisor:
    """Holds the children, in the order of their start; `changed` is called with whether all of them answer."""

    def __init__(self, home: Home, changed: Callable[[bool, dict[str, int]], None]) -> None:
        self.home = home
        self.children: list[Child] = []
        self.base: list[Child] = []
        self.stopping = False
        self.setting_up = True
        self.hourly: list[Callable[[], None]] = []
        self.patience: list[Callable[[], None]] = []
        """Called every ten seconds."""
        self._turns: list[tuple[Child, Child, ProcessId | None, str]] = []
        """Who is started again next, when the one before (which was that process) answers anew, and why."""
        self._patience = time.monotonic()
        self._changed = changed
        self._said: tuple[bool, dict[str, int]] | None = None
        self._reported = 0.0
        self._hour = time.monotonic()
        self._wake, wake = socket.socketpair()
        self._wake.setblocking(False)  # noqa: FBT003
        wake.setblocking(False)  # noqa: FBT003
        self._wake_other_end = wake
        signal.set_wakeup_fd(wake.fileno(), warn_on_full_buffer=False)
        signal.signal(signal.SIGCHLD, lambda *_: None)
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            if signal.getsignal(number) is not signal.SIG_IGN or number != signal.SIGHUP:
                signal.signal(number, self._on_stop)

    def _on_stop(self, _number: int, _frame: FrameType | None) -> None:
        self.stopping = True
        if self.setting_up:
            self.setting_up = False
            raise StopRequested

    def note(self, text: str) -> None:
        """A line in `log/supervisor.log`."""
        stamp = time.strftime("%Y-%m-%d %H:%M:%S")
        with contextlib.suppress(OSError), (self.home.logs / "supervisor.log").open("a", encoding="utf-8") as out:
            out.write(f"{stamp} {text}\n")

    def add(self, child: Child, *, base: bool = False) -> None:
        """Watch this child; a base child (the database) is stopped after all others."""
        child.tell = self.note
        (self.base if base else self.children).append(child)

    @property
    def all(self) -> list[Child]:
        """Every child, the base ones first."""
        return [*self.base, *self.children]

    def run(self) -> None:
        """Until a signal says stop. All children have been added; the base ones already run."""
        self.setting_up = False
        for child in self.children:
            if not self.stopping:
                child.begin()
                self.note(f"{child.name} started")
        self.report()
        while not self.stopping:
            self.round()
            self.wait(0.2 if self._said is None or not self._said[0] else 1.0)

    def round(self) -> None:
        """Look after everybody once."""
        for child in self.all:
            child.reap()
            child.start_if_due()
            if child.ask(ASK_EVERY) and child.up:
                self.note(f"{child.name} answers")
        if all(child.up for child in self.base):  # without a database nobody can answer: not their fault
            for child in self.all:
                child.kill_if_deaf()
        self._next_turn()
        now = all(child.up for child in self.all), {c.name: c.identity.pid for c in self.all if c.identity}
        if now != self._said:
            self._said = now
            self.report()
            try:
                self._changed(*now)
            except OSError as problem:  # a full disk must not end the platform: told again in the next round
                self._said = None
                self.note(f"what runs could not be written down: {problem}")
        elif time.monotonic() - self._reported > REPORT_EVERY:
            self.report()
            self._turn_logs()
        self._hour = self._call(self.hourly, self._hour, 3600)
        self._patience = self._call(self.patience, self._patience, 10)

    def _call(self, tasks: list[Callable[[], None]], last: float, every: float) -> float:
        """Call the tasks when they are due; returns when they were called last. One that fails stops nobody else."""
        if time.monotonic() - last < every:
            return last
        for task in tasks:
            try:
                task()
            except Exception as problem:  # noqa: BLE001 - whatever it is, the children live on
                self.note(f"{getattr(task, '__qualname__', task)} failed, tried again in {every:.0f} s: {problem}")
        return time.monotonic()

    def wait(self, seconds: float) -> None:
        """Sleep, until a child ends or a signal comes."""
        ready, _, _ = select.select([self._wake], [], [], seconds)
        if ready:
            with contextlib.suppress(BlockingIOError):
                self._wake.recv(4096)

    def restart(self, names: Sequence[str], why: str) -> None:
        """Start these children again, one after another: the next one when the one before answers anew."""
        chosen = [child for child in self.children if child.name in names]
        self._turns = [turn for turn in self._turns if turn[1] not in chosen]
        for before, child in pairwise(chosen):
            self._turns.append((before, child, before.identity, why))
        if chosen:
            self._start_again(chosen[0], why)

    def _start_again(self, child: Child, why: str) -> None:
        self.note(f"{child.name} is started again: {why}")
        child.ask_to_end()

    def _next_turn(self) -> None:
        for turn in list(self._turns):
            before, child, was, why = turn
            if before.up and before.identity != was:
                self._turns.remove(turn)
                self._start_again(child, why)

    def stop(self) -> None:
        """End everybody: the processes together, then the database. Nothing is lost if one must be killed."""
        self.setting_up = False
        for group in (self.children, self.base):
            limit = time.monotonic() + max((child.patience for child in group), default=0)
            for child in group:
                child.ask_to_end()
            for child in group:
                child.finish(max(0.1, limit - time.monotonic()))
        self.report()
        self.note("stopped")

    def report(self) -> None:
        """Write `supervisor.json`."""
        self._reported = time.monotonic()
        me = os.getpid()
        content: dict[str, Any] = {
            "supervisor": {"pid": me, "started": start_time(me), "rss_kib": memory_kib(me)},
            "at": time.time(),
            "processes": {child.name: child.report() for child in self.all},
        }
        with contextlib.suppress(OSError):  # a full disk must not end the supervisor
            write_private(self.home.supervisor, content)

    def _turn_logs(self) -> None:
        """Keep each log and one older part of it; writers append, so the file may be cut under them."""
        for log in self.home.logs.glob("*.log"):
            with contextlib.suppress(OSError):
                if log.stat().st_size > LOG_LIMIT:
                    shutil.copyfile(log, log.with_suffix(".log.1"))
                    os.truncate(log, 0)


def recorded(home: Home) -> dict[str, ProcessId]:
    """The processes that the last supervisor of this installation wrote down and that still run."""
    known = read_json(home.supervisor).get("processes", {})
    found = {name: ProcessId(row["pid"], row["started"]) for name, row in known.items() if row.get("pid")}
    return {name: process for name, process in found.items() if process.alive}


def end_the_left(home: Home, data: Path | None, say: Callable[[str], None]) -> None:
    """End what a killed supervisor left: the recorded processes, and a database server on our own data.

    Nobody else can be hit: a process counts only with its recorded start time, a server only when its own pid file
    in our data folder names it.
    """
    left = recorded(home)
    if data is not None and "postgres" not in left and (server := _server_on(data)):
        left["postgres"] = server
    if left:
        say(f"  … ending what the last run left: {', '.join(f'{name} ({p.pid})' for name, p in left.items())}")
    for name, process in left.items():
        if name == "postgres":
            end(process, gently=signal.SIGINT, seconds=60)
        else:
            end(process, seconds=5)


def _server_on(data: Path) -> ProcessId | None:
    """The PostgreSQL that runs on this data folder, by its own pid file."""
    with contextlib.suppress(OSError, ValueError, IndexError):
        pid = int((data / "postmaster.pid").read_text().splitlines()[0])
        if Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0")[-2].decode() == str(data):
            return identify(pid)
    return None
