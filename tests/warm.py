"""Our own processes in a moment: forked from one that has read all our modules already, where the start itself is not tested.

`start` asks the nursery, a process with Django and the commands read, no thread and no connection. It forks; the child takes
environment, folder and files as told, reads the settings anew and runs the command as `manage.py` does. The kernel ends the
child when the nursery ends, and the nanny ends the nursery with the tests: nothing outlives them.
"""

from __future__ import annotations

import atexit
import contextlib
import ctypes
import importlib
import json
import os
import select
import signal
import socket
import subprocess
import sys
import threading
from pathlib import Path
from types import SimpleNamespace
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
COMMANDS = ("switchboard", "callwatch", "gateway")
"""Read beforehand; any other command is read by its own process."""
MAY_DIFFER = frozenset({
    "ANJU_ARI_URL", "ANJU_ASTERISK_HOME", "ANJU_ASTERISK_TREE", "ANJU_GATEWAY_PORT", "ANJU_HOME", "ANJU_RECORDINGS",
    "ANJU_TEST_DB", "DATABASE_URL", "PYTHONPATH",
})  # fmt: skip
"""What is read with the settings, or later. Whatever else is ours the nursery has read once for all."""
_LARGEST = 1 << 18
_lock = threading.Lock()
_nurseries: dict[int, tuple[socket.socket, dict[str, str], subprocess.Popen[bytes]]] = {}
"""The way to the nursery, what of the environment it has read, and itself; by the process that it serves."""


class Process:
    """As Popen has it: it can be asked, waited for and signalled."""

    def __init__(self, pid: int, handle: int, status: int) -> None:
        self.pid = pid
        self.returncode: int | None = None
        self.stdin: Any = None
        self._handle, self._status = handle, status

    def __del__(self) -> None:
        for one in (self._handle, self._status):
            with contextlib.suppress(OSError):
                os.close(one)

    def poll(self) -> int | None:
        """Its code when it has ended (-9: killed), else None."""
        return self._look(0)

    def wait(self, timeout: float | None = None) -> int:
        """Its code, as soon as it has ended."""
        code = self._look(timeout)
        if code is None:
            raise subprocess.TimeoutExpired(f"process {self.pid}", timeout or 0)
        return code

    def send_signal(self, number: int) -> None:
        """To this very process: never to one that got its number afterwards."""
        if self.poll() is None:
            with contextlib.suppress(ProcessLookupError):
                signal.pidfd_send_signal(self._handle, number)

    def terminate(self) -> None:
        """SIGTERM."""
        self.send_signal(signal.SIGTERM)

    def kill(self) -> None:
        """SIGKILL."""
        self.send_signal(signal.SIGKILL)

    def _look(self, timeout: float | None) -> int | None:
        if self.returncode is None:
            waits = select.poll()
            waits.register(self._status, select.POLLIN)
            if waits.poll(None if timeout is None else timeout * 1000):
                said = os.read(self._status, 16)
                self.returncode = int(said) if said else -signal.SIGKILL  # the nursery is gone, and took it along
        return self.returncode


def start(command: list[str], *, env: dict[str, str], cwd: Path = ROOT, stdout: Any, stderr: Any) -> Process:
    """`manage.py` with these words; files as Popen takes them (no pipes)."""
    with _lock, Path(os.devnull).open("r+b") as nothing:
        line, read, _ = _nursery()
        if wrong := [name for name in _of_ours(env, read) if env.get(name) != read.get(name)]:
            raise AssertionError(f"read once for all, so start this one as everybody does: {', '.join(sorted(wrong))}")
        out = nothing.fileno() if stdout == subprocess.DEVNULL else stdout.fileno()
        err = {subprocess.DEVNULL: nothing.fileno(), subprocess.STDOUT: out}.get(stderr, stderr)
        return _ask(line, command, env, cwd, [nothing.fileno(), out, err])


def _of_ours(*environments: dict[str, str]) -> set[str]:
    names = {name for one in environments for name in one}
    return {name for name in names if name.startswith(("ANJU_", "DATABASE", "PYTHON"))} - MAY_DIFFER


def _ask(line: socket.socket, command: list[str], env: dict[str, str], cwd: Path, files: list[int]) -> Process:
    """A new process. `files` are its input, words and complaints."""
    reading, writing = os.pipe()
    try:
        socket.send_fds(line, [json.dumps([command, env, str(cwd)]).encode()], [*files, writing])
        said, handles, _, _ = socket.recv_fds(line, 64, 1)
    finally:
        os.close(writing)
    if not handles:
        os.close(reading)
        raise AssertionError("the nursery of our processes has ended")
    return Process(int(said), handles[0], reading)


def _nursery() -> tuple[socket.socket, dict[str, str], subprocess.Popen[bytes]]:
    from tests.telephony import nanny

    if os.getpid() not in _nurseries:
        env = {name: value for name, value in os.environ.items() if not name.startswith("ANJU_")}
        env |= {"ANJU_MODE": "test", "DJANGO_SETTINGS_MODULE": "anju.config.settings", "PYTHONPATH": str(ROOT / "src")}
        ours, its = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        with its:
            nursery = nanny.start(
                [sys.executable, "-m", "tests.warm", str(its.fileno())], cwd=ROOT, env=env, pass_fds=[its.fileno()],
                stdin=subprocess.DEVNULL,
            )  # fmt: skip
        atexit.register(_end, ours, nursery)
        _nurseries[os.getpid()] = ours, env, nursery
    return _nurseries[os.getpid()]


def _end(line: socket.socket, nursery: subprocess.Popen[bytes]) -> None:
    line.close()
    nursery.wait(10)


# ---- the nursery


class Nursery:
    """One thread, until nobody asks any more: then its children are ended by the kernel."""

    def __init__(self, line: socket.socket) -> None:
        self.lines: dict[int, socket.socket] = {line.fileno(): line}
        """From the tests, and from each child (a switchboard starts its teller)."""
        self.tests = line.fileno()
        self.children: dict[int, tuple[int, int]] = {}
        """Handle of a process → its number, and where its code is awaited."""

    def serve(self) -> list[str]:
        """In a child only: the words of its command."""
        while True:
            ready, _, _ = select.select([*self.lines, *self.children], [], [])
            for one in ready:
                if one in self.children:
                    self._buries(one)
                elif (born := self._hears(one)) is not None:
                    return born

    def _buries(self, handle: int) -> None:
        pid, status = self.children.pop(handle)
        _, how = os.waitpid(pid, 0)
        with contextlib.suppress(BrokenPipeError):  # nobody wants to know
            os.write(status, str(os.waitstatus_to_exitcode(how)).encode())
        os.close(status)
        os.close(handle)

    def _hears(self, number: int) -> list[str] | None:
        told, files, _, _ = socket.recv_fds(self.lines[number], _LARGEST, 4)
        if not told:
            if number == self.tests:
                raise SystemExit
            self.lines.pop(number).close()
            return None
        if threading.active_count() != 1:
            raise RuntimeError("a module began a thread as it was read: nothing can be forked from here")
        *standard, status = files
        ours, its = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        parent, pid = os.getpid(), os.fork()
        if pid == 0:
            os.close(status)
            ours.close()
            return self._grows_up(*json.loads(told), standard, parent, its)
        handle = os.pidfd_open(pid)
        self.children[handle] = pid, status
        self.lines[ours.fileno()] = ours
        its.close()
        for one in standard:
            os.close(one)
        ours.recv(1)  # from now on it ends with us, whatever it is told next
        with contextlib.suppress(BrokenPipeError):
            socket.send_fds(self.lines[number], [str(pid).encode()], [handle])
        return None

    def _grows_up(
        self, command: list[str], env: dict[str, str], cwd: str, standard: list[int], parent: int, line: socket.socket
    ) -> list[str]:
        os.setsid()
        ctypes.CDLL(None).prctl(1, int(signal.SIGKILL), 0, 0, 0)  # PR_SET_PDEATHSIG
        if os.getppid() != parent:
            os._exit(1)
        line.send(b".")
        for one in self.lines.values():
            one.close()
        for handle, (_, status) in self.children.items():
            os.close(handle)
            os.close(status)
        for number, one in enumerate(standard):
            os.dup2(one, number)
            os.close(one)
        os.chdir(cwd)
        os.environ.clear()
        os.environ.update(env)
        os.environ.setdefault("DJANGO_SETTINGS_MODULE", "anju.config.settings")
        _read_the_settings_anew()
        _its_teller_comes_from_here(line)
        sys.argv = ["manage.py", *command]
        return sys.argv


def _read_the_settings_anew() -> None:
    """As if they had not been read; what libraries added to them stays."""
    from django.conf import Settings, global_settings
    from django.conf import settings as known
    from django.core.cache import caches
    from django.db import connections

    from anju.config import security
    from anju.config import settings as module

    ours = {name for name in vars(module) if name.isupper()}
    of_libraries = {
        name: value
        for name, value in vars(known._wrapped).items()
        if name.isupper() and name not in ours and not hasattr(global_settings, name)
    }
    for one in (security, module):
        for name in [name for name in vars(one) if name.isupper()]:
            delattr(one, name)
        importlib.reload(one)
    known._wrapped = Settings("anju.config.settings")
    for name, value in of_libraries.items():
        setattr(known, name, value)
    for handler in (connections, caches):
        vars(handler).pop("settings", None)
        handler.__init__()
        handler.settings  # noqa: B018 - fills the gaps with its defaults, as the first who asks does


def _its_teller_comes_from_here(line: socket.socket) -> None:
    """A switchboard starts one process more: that one is born here too, and ends as ever when its input ends."""
    from anju.calls.control import apart

    def born(words: list[str], *, cwd: Path, stdin: int) -> Process:
        assert stdin == subprocess.PIPE
        reading, writing = os.pipe()
        with open(reading, "rb"):  # noqa: PTH123
            process = _ask(line, words[2:], dict(os.environ), cwd, [reading, 1, 2])
        process.stdin = open(writing, "wb", buffering=0)  # noqa: PTH123, SIM115
        return process

    apart.subprocess = SimpleNamespace(  # type: ignore[assignment]
        Popen=born, PIPE=subprocess.PIPE, TimeoutExpired=subprocess.TimeoutExpired
    )


def main() -> None:
    """The nursery; and, in each child, its command to the end."""
    import gc

    import django
    from django.core.management import execute_from_command_line

    django.setup()
    for command in COMMANDS:
        importlib.import_module(f"anju.config.management.commands.{command}")
    importlib.import_module("anju.calls.asterisk.engine")
    gc.collect()
    gc.freeze()  # so that children share it
    execute_from_command_line(Nursery(socket.socket(fileno=int(sys.argv[1]))).serve())


if __name__ == "__main__":
    main()
