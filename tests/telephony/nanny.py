"""Programs that tests start end with the tests, also when those are killed.

The kernel's own way (PR_SET_PDEATHSIG) watches the thread that started a program, and tests start some from threads. So a
process of its own watches: it holds the reading end of a pipe whose writing end only the tests have, is told of every
program, and kills those that are left when the pipe ends. It knows them by handles, so a number that was used again hits
nobody.
"""

from __future__ import annotations

import contextlib
import os
import select
import signal
import subprocess
import sys
from typing import Any

_pipes: dict[int, int] = {}
"""Where the nanny is told, by the process whose children it watches."""


def start(command: list[str], **how: Any) -> subprocess.Popen[bytes]:
    """As Popen, in a session of its own, watched."""
    process = subprocess.Popen(command, start_new_session=True, **how)
    os.write(_telling(), f"{process.pid}\n".encode())
    return process


def _telling() -> int:
    if os.getpid() not in _pipes:
        reading, writing = os.pipe()
        subprocess.Popen(
            [sys.executable, "-S", "-E", __file__, str(reading)], pass_fds=[reading], start_new_session=True,
            stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        )  # fmt: skip
        os.close(reading)
        _pipes[os.getpid()] = writing
    return _pipes[os.getpid()]


def watch(pipe: int) -> None:
    """Until the tests are gone."""
    handles: set[int] = set()
    rest = b""
    while True:
        ready, _, _ = select.select([pipe, *handles], [], [])
        for ended in handles.intersection(ready):
            handles.discard(ended)
            os.close(ended)
        if pipe in ready:
            if not (told := os.read(pipe, 65536)):
                break
            *lines, rest = (rest + told).split(b"\n")
            for line in lines:
                with contextlib.suppress(ProcessLookupError):
                    handles.add(os.pidfd_open(int(line)))
    for handle in handles:
        with contextlib.suppress(ProcessLookupError):
            signal.pidfd_send_signal(handle, signal.SIGKILL)


if __name__ == "__main__":
    watch(int(sys.argv[1]))
