"""A network of its own for a real browser and a real engine: nothing in it but loopback, which has one more address.

WebRTC needs it: the engine offers no address of 127.0.0.0/8 to a browser, and a test must not change the machine's own
network. Who is started `inside` lives there; sockets that were opened inside stay there, whichever thread uses them.
Making one needs root (CAP_SYS_ADMIN).
"""

from __future__ import annotations

import asyncio
import ctypes
import os
import socket
import stat
import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

ADDRESS = "10.99.0.1"
_NEW_NETWORK = 0x40000000
_libc = ctypes.CDLL(None, use_errno=True)


def may_make() -> bool:
    """Whether this user may have a network apart."""
    return (
        os.geteuid() == 0
        and subprocess.run(["unshare", "-n", "true"], capture_output=True, check=False).returncode == 0
    )


def _enter(path: str) -> None:
    handle = os.open(path, os.O_RDONLY)
    try:
        if _libc.setns(handle, _NEW_NETWORK) != 0:
            raise OSError(ctypes.get_errno(), f"cannot enter {path}")
    finally:
        os.close(handle)


class Door:
    """Carries connections into a network apart; `cut` is a cable that somebody pulled."""

    def __init__(self, listening: socket.socket, network: str, to: int) -> None:
        self.port: int = listening.getsockname()[1]
        self._to, self._network, self._listening = to, network, listening
        self._loop = asyncio.new_event_loop()
        self._lines: set[asyncio.StreamWriter] = set()
        self._shut = False
        threading.Thread(target=self._run, daemon=True).start()

    def cut(self) -> None:
        """Every connection ends without a word; new ones are taken."""
        self._loop.call_soon_threadsafe(self._cut)

    def shut(self, *, on: bool = True) -> None:
        """Take no new connections meanwhile."""
        self._shut = on
        if on:
            self.cut()

    def close(self) -> None:
        """No more."""
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._listening.close()

    def _cut(self) -> None:
        for line in self._lines:
            line.transport.abort()

    def _run(self) -> None:
        _enter(self._network)
        asyncio.set_event_loop(self._loop)
        self._loop.run_until_complete(asyncio.start_server(self._came, sock=self._listening))
        self._loop.run_forever()

    async def _came(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if self._shut:
            writer.transport.abort()
            return
        try:
            there, back = await asyncio.open_connection("127.0.0.1", self._to)
        except OSError:
            writer.transport.abort()
            return
        self._lines |= {writer, back}
        await asyncio.gather(self._carry(reader, back), self._carry(there, writer))
        self._lines -= {writer, back}

    @staticmethod
    async def _carry(source: asyncio.StreamReader, target: asyncio.StreamWriter) -> None:
        try:
            while some := await source.read(65536):
                target.write(some)
                await target.drain()
        except OSError:
            pass
        finally:
            target.close()


class Apart:
    """One network; it is gone with `close`."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        words = f"ip link set lo up && ip addr add {ADDRESS}/32 dev lo && echo up && exec sleep infinity"
        self._keeper = subprocess.Popen(["unshare", "-n", "sh", "-c", words], stdout=subprocess.PIPE)
        if self._keeper.stdout is None or self._keeper.stdout.readline() != b"up\n":
            raise AssertionError("a network apart cannot be made here: it needs root and iproute2")
        self._path = f"/proc/{self._keeper.pid}/ns/net"
        self._doors: list[Door] = []

    @contextmanager
    def inside(self) -> Iterator[None]:
        """What this thread starts or opens meanwhile belongs to the network. Keep the database out of it."""
        home = os.open("/proc/thread-self/ns/net", os.O_RDONLY)
        _enter(self._path)
        try:
            yield
        finally:
            if _libc.setns(home, _NEW_NETWORK) != 0:
                raise OSError(ctypes.get_errno(), "cannot come back")
            os.close(home)

    def listening(self) -> socket.socket:
        """A socket that listens on 127.0.0.1 inside, for a server that runs outside."""
        with self.inside():
            return socket.create_server(("127.0.0.1", 0))

    def browser(self, path: str) -> str:
        """A program that starts this browser inside."""
        script = self.folder / "browser-inside"
        script.write_text(f'#!/bin/sh\nexec nsenter --net={self._path} -- {path} "$@"\n')
        script.chmod(script.stat().st_mode | stat.S_IXUSR)
        return str(script)

    def door(self, port: int, *, inside: bool = False) -> Door:
        """A port whose connections end at `port` inside: for a client outside, or for one inside that is to be cut off."""
        listening = self.listening() if inside else socket.create_server(("127.0.0.1", 0))
        door = Door(listening, self._path, port)
        self._doors.append(door)
        return door

    def close(self) -> None:
        """Everything that was started inside has ended before."""
        for door in self._doors:
            door.close()
        self._keeper.kill()
        self._keeper.wait(5)
