"""The teller in a process of its own: what reacts to a call (a case is opened, duties tick) takes as much of the processor
as all ringing does, and two threads of one Python share one. Measured: benchmarks/telephony.

The process ends when its parent does: its standard input is closed then. A byte there means "something was written".
"""

from __future__ import annotations

import logging
import os
import select
import signal
import subprocess
import sys
from contextlib import suppress

from anju.calls.control.teller import NAP, Teller
from anju.ops.home import ROOT

_log = logging.getLogger(__name__)


class TellerApart(Teller):
    """The same three verbs; a process that died is started again at the next `wake`."""

    def __init__(self) -> None:
        super().__init__()
        self._process: subprocess.Popen[bytes] | None = None
        self._stopped = False

    def start(self) -> None:
        """Begin to tell."""
        self._process = subprocess.Popen(
            [sys.executable, str(ROOT / "manage.py"), "switchboard", "--tell"], cwd=ROOT, stdin=subprocess.PIPE
        )
        if self._process.stdin is not None:
            os.set_blocking(self._process.stdin.fileno(), False)

    def stop(self) -> None:
        """End after the fact that is being told."""
        self._stopped = True
        process = self._process
        if process is None or process.stdin is None:
            return
        with suppress(OSError):
            process.stdin.close()
        try:
            process.wait(3)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait(3)

    def wake(self) -> None:
        """Something was written. It looks by itself, too: a byte that does not fit into the pipe is not missed."""
        process = self._process
        if process is None or process.stdin is None or self._stopped:
            return
        if process.poll() is not None:
            _log.warning("the teller ended (%s): started again", process.returncode)
            self.start()
            return
        with suppress(OSError):
            os.write(process.stdin.fileno(), b"\n")


def tell_until_alone() -> int:
    """The process: tell what waits, until the switchboard that started us is gone."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is the switchboard's to answer; its end is ours
    teller, came = Teller(), sys.stdin.fileno()
    while True:
        teller.round()
        ready, _, _ = select.select([came], [], [], NAP)
        if ready and not os.read(came, 4096):
            return 0
