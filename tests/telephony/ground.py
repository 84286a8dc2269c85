"""Ground that one engine room has for itself: a street of loopback addresses, and ports that nobody else was given.

Other runs of these tests on the same machine (another worker, another checkout) and what is left of killed ones must not
be met. Each street and each port is kept by an abstract socket: the kernel gives it to one process at a time, and takes
it back when that process is gone, however it went.
"""

from __future__ import annotations

import random
import socket

_STREETS = range(1, 255)
_PORTS = range(10000, 19990)
"""Below those that the kernel hands out by itself: nobody gets one of them by chance."""
_KINDS = (socket.SOCK_DGRAM, socket.SOCK_STREAM)
_SOUND = range(20000, 30000, 200)
_SOUND_BLOCK = _SOUND.step


class Ground:
    """What one room holds; `close` gives it back."""

    def __init__(self) -> None:
        self._held: list[socket.socket] = []
        street = next((n for n in random.sample(_STREETS, len(_STREETS)) if self._hold(f"street-{n}")), 0)
        if not street:
            raise AssertionError("every street of loopback addresses is taken")
        self.net = f"127.77.{street}.0/24"
        self.callers, self.agents, self.town, self.home, self.nowhere = (
            f"127.77.{street}.{house}" for house in (2, 3, 4, 5, 9)
        )
        """Who calls in through the trunk, the seats, whom the trunk reaches, a one-key telephone; where nobody is."""

    def _hold(self, what: str) -> bool:
        one = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        try:
            one.bind(f"\0anju-tests-{what}")
        except OSError:
            one.close()
            return False
        self._held.append(one)
        return True

    def port(self) -> int:
        """A number that is free at every address of this machine, for UDP and for TCP, and stays ours."""
        for number in random.sample(_PORTS, len(_PORTS)):
            if all(is_free(number, kind) for kind in _KINDS) and self._hold(f"port-{number}"):
                return number
        raise AssertionError("no port is free")

    def sound(self, wanted: int) -> tuple[int, int]:
        """First and last of so many ports in a row, for an engine's voices."""
        blocks = -(-wanted // _SOUND_BLOCK)
        starts = _SOUND[: len(_SOUND) - blocks + 1]
        for first in random.sample(starts, len(starts)):
            before = len(self._held)
            if all(self._hold(f"sound-{first + n * _SOUND_BLOCK}") for n in range(blocks)):
                return first, first + blocks * _SOUND_BLOCK - 2
            while len(self._held) > before:
                self._held.pop().close()
        raise AssertionError(f"no {wanted} ports in a row are free")

    def close(self) -> None:
        """For others again."""
        for one in self._held:
            one.close()
        self._held.clear()


def is_free(number: int, kind: socket.SocketKind, ip: str = "") -> bool:
    """Whether it could be had now, at this address or (without one) at every address."""
    with socket.socket(socket.AF_INET, kind) as one:
        try:
            one.bind((ip, number))
        except OSError:
            return False
        return True
