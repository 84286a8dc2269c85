"""A small keep-alive HTTP/1.1 client for the simulator: one core has to make more than a thousand posts a second."""

from __future__ import annotations

import asyncio
import contextlib
import ssl
from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import urlsplit


@dataclass(frozen=True, slots=True)
class Door:
    """Where bodies of one operator go: an address and the headers that prove who posts."""

    url: str
    headers: Mapping[str, str]

    @property
    def address(self) -> tuple[str, int, bool]:
        """Host, port and whether it speaks TLS."""
        parts = urlsplit(self.url)
        tls = parts.scheme == "https"
        return parts.hostname or "127.0.0.1", parts.port or (443 if tls else 80), tls

    @property
    def head(self) -> bytes:
        """The request's head up to its length."""
        parts = urlsplit(self.url)
        path = parts.path + (f"?{parts.query}" if parts.query else "") or "/"
        lines = [f"POST {path} HTTP/1.1", f"Host: {parts.netloc}", "Content-Type: application/json; charset=utf-8"]
        lines += [f"{name}: {value}" for name, value in self.headers.items()]
        return "\r\n".join([*lines, "Content-Length: "]).encode()


class Line:
    """One connection to a door; posts one body after the other and opens itself again when it was cut."""

    def __init__(self, door: Door, *, timeout: float = 10) -> None:
        self._door, self._head, self._timeout = door, door.head, timeout
        self._reader: asyncio.StreamReader | None = None
        self._writer: asyncio.StreamWriter | None = None

    async def post(self, body: bytes) -> int:
        """The status of the answer; 0 when there was none (refused, cut, too late)."""
        try:
            return await asyncio.wait_for(self._post(body), self._timeout)
        except (OSError, EOFError, ValueError, TimeoutError, ssl.SSLError):
            self.close()
            return 0

    async def _post(self, body: bytes) -> int:
        if self._writer is None or self._reader is None or self._writer.is_closing():
            host, port, tls = self._door.address
            self._reader, self._writer = await asyncio.open_connection(host, port, ssl=_trusting() if tls else None)
        self._writer.write(b"%b%d\r\n\r\n%b" % (self._head, len(body), body))
        head = (await self._reader.readuntil(b"\r\n\r\n")).lower()
        status = int(head[9:12])
        await self._drop_body(self._reader, head)
        if b"connection: close" in head:
            self.close()
        return status

    @staticmethod
    async def _drop_body(reader: asyncio.StreamReader, head: bytes) -> None:
        at = head.find(b"content-length:")
        if at >= 0:
            await reader.readexactly(int(head[at + 15 : head.index(b"\r\n", at)]))
        elif b"transfer-encoding: chunked" in head:
            while size := int(await reader.readline(), 16):
                await reader.readexactly(size + 2)
            await reader.readline()

    def close(self) -> None:
        """Cut the connection; the next post opens a new one."""
        if self._writer is not None:
            with contextlib.suppress(OSError, RuntimeError):
                self._writer.close()
        self._reader = self._writer = None


def _trusting() -> ssl.SSLContext:
    """The demo's own certificate is not looked at: only invented data go this way."""
    context = ssl.create_default_context()
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    return context
