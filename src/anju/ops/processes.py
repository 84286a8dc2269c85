"""Operating-system processes: start one that can't outlive its parent, recognise one again, end one."""

from __future__ import annotations

import contextlib
import ctypes
import os
import select
import signal
import subprocess
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

_PR_SET_PDEATHSIG = 1
_libc = ctypes.CDLL(None, use_errno=True)


@dataclass(frozen=True, slots=True)
class OsUser:
    """Whom a process runs as; only root may start one as somebody else."""

    name: str
    uid: int
    gid: int


@dataclass(frozen=True, slots=True)
class ProcessId:
    """A process for certain: pids are used again by the system, a pid with its start time (ticks since boot) is not."""

    pid: int
    started: int

    @property
    def alive(self) -> bool:
        """The very same process still runs (a zombie does not)."""
        return start_time(self.pid) == self.started


def start_time(pid: int) -> int | None:
    """When the process started, in clock ticks since the machine's boot; None when there is none (or only a zombie)."""
    try:
        text = Path(f"/proc/{pid}/stat").read_text()
    except OSError:
        return None
    fields = text[text.rindex(")") + 2 :].split()  # the name before may hold blanks and brackets
    return None if fields[0] in "ZX" else int(fields[19])


def identify(pid: int) -> ProcessId | None:
    """The lasting name of a running process."""
    started = start_time(pid)
    return None if started is None else ProcessId(pid, started)


def memory_kib(pid: int) -> int:
    """Resident memory in KiB, 0 when the process is gone."""
    try:
        lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    except OSError:
        return 0
    return next((int(line.split()[1]) for line in lines if line.startswith("VmRSS:")), 0)


def _bound_to_parent(death: signal.Signals) -> Callable[[], None]:
    """What the child does before exec: ask the kernel for `death` as soon as its parent is gone."""
    parent = os.getpid()

    def prepare() -> None:
        _libc.prctl(_PR_SET_PDEATHSIG, int(death), 0, 0, 0)
        if os.getppid() != parent:  # it died between fork and prctl
            os._exit(1)

    return prepare


def spawn(
    command: Sequence[str | Path],
    *,
    env: Mapping[str, str],
    cwd: Path,
    out: BinaryIO | int = subprocess.DEVNULL,
    user: OsUser | None = None,
    death: signal.Signals = signal.SIGKILL,
) -> subprocess.Popen[bytes]:
    """Start a process that gets `death` from the kernel when the caller dies, however it dies.

    It has its own session, so a Ctrl-C in the terminal reaches only the caller. Call it from the main thread: the
    kernel watches the thread that forked.
    """
    return subprocess.Popen(
        [str(part) for part in command],
        env=dict(env),
        cwd=cwd,
        stdin=subprocess.DEVNULL,
        stdout=out,
        stderr=subprocess.STDOUT if out != subprocess.DEVNULL else subprocess.DEVNULL,
        start_new_session=True,
        preexec_fn=_bound_to_parent(death),  # noqa: PLW1509 - callers have one thread when they start processes
        user=user.uid if user else None,
        group=user.gid if user else None,
        extra_groups=[] if user else None,
    )


def send(process: ProcessId, number: signal.Signals) -> None:
    """Signal the process if it is still the same one."""
    if process.alive:
        with contextlib.suppress(ProcessLookupError):
            os.kill(process.pid, number)


def wait_gone(process: ProcessId, seconds: float) -> bool:
    """Wait until the process (child or not) has ended; False when it has not."""
    if not process.alive:
        return True
    try:
        handle = os.pidfd_open(process.pid)
    except OSError:
        return not process.alive
    try:
        if process.alive:  # the pid was not used again before we opened it
            select.select([handle], [], [], seconds)
    finally:
        os.close(handle)
    return not process.alive


def end(process: ProcessId, *, gently: signal.Signals = signal.SIGTERM, seconds: float = 5.0) -> None:
    """Ask the process to end, and kill it when it does not within `seconds`."""
    send(process, gently)
    if not wait_gone(process, seconds):
        send(process, signal.SIGKILL)
        wait_gone(process, seconds)
