"""The way to the database, with a door in it that a test can shut."""

from __future__ import annotations

import contextlib
import socket
import threading


class Door:
    """A TCP port that leads to another one. `shut` cuts what goes through and refuses what comes."""

    def __init__(self, host: str, port: int) -> None:
        self._to = host, port
        self._open = threading.Event()
        self._open.set()
        self._through: list[socket.socket] = []
        self._lock = threading.Lock()
        self._server = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._server.getsockname()[1]
        threading.Thread(target=self._accept, daemon=True).start()

    def shut(self) -> None:
        """Nobody gets through, and who is in there is cut off."""
        self._open.clear()
        with self._lock:
            for one in self._through:
                with contextlib.suppress(OSError):
                    one.shutdown(socket.SHUT_RDWR)
                one.close()
            self._through.clear()

    def unlock(self) -> None:
        """As before."""
        self._open.set()

    def close(self) -> None:
        """For good."""
        self.shut()
        self._server.close()

    def _accept(self) -> None:
        while True:
            try:
                visitor, _ = self._server.accept()
            except OSError:
                return
            if not self._open.is_set():
                visitor.close()
                continue
            inside = socket.create_connection(self._to)
            for one in (visitor, inside):  # small answers must not wait 40 ms for an acknowledgement
                one.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            with self._lock:
                self._through += [visitor, inside]
            for one, other in ((visitor, inside), (inside, visitor)):
                threading.Thread(target=self._carry, args=(one, other), daemon=True).start()

    @staticmethod
    def _carry(one: socket.socket, other: socket.socket) -> None:
        with contextlib.suppress(OSError):
            while data := one.recv(65536):
                other.sendall(data)
        with contextlib.suppress(OSError):
            other.shutdown(socket.SHUT_WR)
