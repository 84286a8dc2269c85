"""What the tests of telephony stand on: nobody else's ports, and nothing is left when they are killed."""

import itertools
import os
import signal
import socket
import subprocess
import sys

import pytest

from anju.ops.home import ROOT
from tests.telephony.engine_room import until
from tests.telephony.ground import Ground, is_free

PARENT = """
import sys, threading
from tests.telephony import nanny
one = []
thread = threading.Thread(target=lambda: one.append(nanny.start(["sleep", "300"])))
thread.start(); thread.join()
ended = nanny.start(["true"]); ended.wait()
print(one[0].pid, flush=True)
sys.stdin.read()
"""


def test_two_grounds_have_nothing_in_common() -> None:
    grounds = [Ground() for _ in range(8)]
    try:
        assert len({one.net for one in grounds}) == 8
        ports = [one.port() for one in grounds for _ in range(20)]
        assert len(set(ports)) == len(ports)
        sounds = sorted(one.sound(600) for one in grounds)
        assert all(first[1] < then[0] for first, then in itertools.pairwise(sounds))
    finally:
        for one in grounds:
            one.close()


def test_a_port_that_somebody_has_is_not_given() -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as somebody:
        somebody.bind(("127.0.0.1", 0))
        number = somebody.getsockname()[1]
        assert not is_free(number, socket.SOCK_DGRAM, "127.0.0.1")
        assert not is_free(number, socket.SOCK_DGRAM)
        assert is_free(number, socket.SOCK_DGRAM, "127.0.0.2")


@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGTERM], ids=["killed", "ended"])
def test_who_is_killed_leaves_no_program_behind(how: signal.Signals) -> None:
    """Also one that a thread started which is long over."""
    with subprocess.Popen(
        [sys.executable, "-c", PARENT], cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE,
        env={**os.environ, "PYTHONPATH": f"{ROOT}/src:{ROOT}"},
    ) as parent:  # fmt: skip
        assert parent.stdout is not None
        child = os.pidfd_open(int(parent.stdout.readline()))
        parent.send_signal(how)
        parent.wait(10)
    try:
        until(lambda: _is_over(child), "the child is gone")
    finally:
        os.close(child)


def _is_over(child: int) -> bool:
    try:
        signal.pidfd_send_signal(child, 0)
    except ProcessLookupError:
        return True
    return False
