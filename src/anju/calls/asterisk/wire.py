"""HTTP to the engine's own interface, and nothing more of HTTP than that: kept connections, one request after the other on
each, answers with a length. A general client took a third of the switchboard's processor (`benchmarks/telephony`).
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Mapping
from urllib.parse import quote, urlencode, urlsplit

_LENGTH = re.compile(rb"(?im)^content-length:\s*(\d+)")
_END = b"\r\n\r\n"
LINES = 64
"""Requests at a time; further ones wait for one of them."""


class Cut(ConnectionError):
    """The connection ended before the answer. `silent`: not one byte of an answer had come."""

    def __init__(self, *, silent: bool) -> None:
        super().__init__("the connection was cut")
        self.silent = silent


class Line(asyncio.Protocol):
    """One connection."""

    def __init__(self) -> None:
        self.transport: asyncio.Transport | None = None
        self._read = bytearray()
        self._answer: asyncio.Future[tuple[int, bytes]] | None = None
        self.used = False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Open."""
        self.transport = transport  # type: ignore[assignment]

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002
        """Closed, by whomever."""
        self.transport = None
        if self._answer is not None and not self._answer.done():
            self._answer.set_exception(Cut(silent=not self._read))

    def data_received(self, data: bytes) -> None:
        """A part of the answer, or all of it."""
        self._read += data
        head = self._read.find(_END)
        if head < 0 or self._answer is None or self._answer.done():
            return
        said = _LENGTH.search(self._read, 0, head)
        length, begin = int(said[1]) if said else 0, head + len(_END)
        if len(self._read) >= begin + length:
            self._answer.set_result((int(self._read[9:12]), bytes(self._read[begin : begin + length])))
            self._read.clear()

    async def ask(self, request: bytes) -> tuple[int, bytes]:
        """Status and body."""
        if self.transport is None:
            raise Cut(silent=True)
        self._answer = asyncio.get_running_loop().create_future()
        self.used = True
        self._read.clear()
        self.transport.write(request)
        try:
            return await self._answer
        finally:
            if not self._answer.done() or self._answer.cancelled():
                self.close()  # whoever waited is gone: an answer that comes now is nobody's

    def close(self) -> None:
        """No more."""
        if self.transport is not None:
            self.transport.close()


class Wire:
    """Connections to one place. One that was not used for `keep` seconds is not used again: the other side may be closing it."""

    def __init__(self, url: str, headers: Mapping[str, str], *, keep: float) -> None:
        parts = urlsplit(url)
        self._host, self._port, self._keep = parts.hostname or "127.0.0.1", parts.port or 80, keep
        self._root = parts.path.rstrip("/")
        fixed = {"Host": parts.netloc, **headers}
        self._fixed = "".join(f"{name}: {value}\r\n" for name, value in fixed.items()).encode()
        self._idle: list[tuple[float, Line]] = []
        self._turns = asyncio.Semaphore(LINES)
        self.closed = False

    async def request(self, method: str, path: str, query: Mapping[str, str], body: bytes | None) -> tuple[int, bytes]:
        """Status and body of the answer; ConnectionError or OSError without one.

        A kept connection that the other side closed in this moment is no answer: the request goes out once more on a new
        one (all that we ask for carries our own id or may be said twice).
        """
        asked = f"?{urlencode(query, quote_via=quote)}" if query else ""
        sent = f"{method} {self._root}/{quote(path, safe='/:,')}{asked} HTTP/1.1\r\n".encode() + self._fixed
        if body is not None:
            sent += b"Content-Type: application/json\r\nContent-Length: %d\r\n\r\n%b" % (len(body), body)
        else:
            sent += b"Content-Length: 0\r\n\r\n" if method in {"POST", "PUT"} else b"\r\n"
        async with self._turns:
            line = self._kept() or await self._open()
            again = line.used
            try:
                answer = await line.ask(sent)
            except Cut as cut:
                if not (again and cut.silent):
                    raise
                line = await self._open()
                answer = await line.ask(sent)
            self._idle.append((asyncio.get_running_loop().time(), line))
        if self.closed:
            self.close()
        return answer

    def close(self) -> None:
        """Every connection."""
        self.closed = True
        for _, line in self._idle:
            line.close()
        self._idle.clear()

    def _kept(self) -> Line | None:
        now = asyncio.get_running_loop().time()
        while self._idle:
            since, line = self._idle.pop()
            if line.transport is not None and now - since < self._keep:
                return line
            line.close()
        return None

    async def _open(self) -> Line:
        _, line = await asyncio.get_running_loop().create_connection(Line, self._host, self._port)
        return line
