"""One sender's connection: HTTP/1.1, one request at a time, answered when its message is safe.

Made for many small bodies: no task, no future and no header table for a request whose head came before. Senders repeat
their heads byte by byte, so a head that was read and admitted once is looked up (`Door.heads`); every other head is parsed
by llhttp, strictly. What follows while a request waits for its commit stays in the buffer: answers come in order.
"""

from __future__ import annotations

import asyncio
import logging
import socket
from dataclasses import dataclass
from typing import TYPE_CHECKING, cast
from urllib.parse import unquote

import httptools

from anju.portals.device_gateway.record import REFUSED, STORED
from anju.portals.device_gateway.refusals import BUSY, NO_BODY, NO_SPACE, NOT_HTTP, TOO_LARGE, TOO_SLOW, Refused

if TYPE_CHECKING:
    from anju.portals.device_gateway.http import Decode, Door

LARGEST_HEAD = 16 * 1024
READ_AHEAD = 64 * 1024  # what may wait behind a request that is not answered yet
TURN = 8  # requests of one sender that are answered at once; then others have their turn
FRAMING = 8  # bytes of a chunked body for each byte that it brings, at most
ROW = 512  # bytes that a message takes in memory besides the body that it came in, about
LINGER = 2.0  # seconds in which a refused sender may go on talking, so that it hears the answer
logger = logging.getLogger("anju.gateway")


@dataclass(slots=True)
class Head:
    """What stands before a body. `decode`: who sent it is known, and how it is read; else `refusal` or an answer at once."""

    method: str = ""
    path: str = ""
    query: str = ""
    headers: dict[str, str] | None = None
    length: int = 0
    pieces: bool = False  # Transfer-Encoding: chunked
    keep: bool = True
    decode: Decode | None = None
    refusal: Refused | None = None

    def header(self, name: str) -> str:
        """A header by its name in small letters; "" without it."""
        return (self.headers or {}).get(name, "")


class _Reader:
    """What llhttp calls."""

    def __init__(self) -> None:
        self.url = b""
        self.headers: dict[str, str] = {}
        self.body: list[bytes] = []
        self.size = self.fed = 0
        self.complete = False
        self.headed = False
        self.parser = httptools.HttpRequestParser(self)

    def on_url(self, url: bytes) -> None:
        self.url += url

    def on_header(self, name: bytes, value: bytes) -> None:
        self.headers[name.decode("latin-1").lower()] = value.decode("latin-1").strip()

    def on_headers_complete(self) -> None:
        self.headed = True

    def on_body(self, piece: bytes) -> None:
        self.body.append(piece)
        self.size += len(piece)

    def on_message_complete(self) -> None:
        self.complete = True


def read_head(text: bytes) -> tuple[Head, _Reader]:
    """Parse what stands before a body. Raises Refused."""
    reader = _Reader()
    upgrade = False
    try:
        try:
            reader.parser.feed_data(text)
        except httptools.HttpParserUpgrade:  # an offer (Java's client: h2c) that a server may pass over: 1.1 it is
            upgrade = True
        url = httptools.parse_url(reader.url)
    except (httptools.HttpParserError, httptools.HttpParserInvalidURLError):
        raise NOT_HTTP from None
    if not reader.headed or reader.size:
        raise NOT_HTTP
    headers = reader.headers
    length, coding = headers.get("content-length", ""), headers.get("transfer-encoding", "").lower()
    if (coding and (length or coding != "chunked")) or not (length or "0").isdigit():
        raise NOT_HTTP  # two ways to say where a body ends: two readers would see two different requests
    method = reader.parser.get_method().decode()
    # llhttp forgets what the head said as soon as a request without a body is complete
    keep = reader.parser.should_keep_alive() and "close" not in headers.get("connection", "").lower()
    head = Head(
        method=method,
        path=unquote((url.path or b"/").decode("latin-1")),
        query=(url.query or b"").decode("latin-1"),
        headers=headers,
        length=int(length or 0),
        pieces=bool(coding),
        keep=keep and not (coding or upgrade or method == "HEAD"),
    )
    return head, reader


class Connection(asyncio.Protocol):
    """One connection, and the ticket of its one request: the store tells it what became of each message (`safe`)."""

    __slots__ = (
        "_buffer", "_dropping", "_head", "_left", "_many", "_queued", "_reader", "_size", "_unread", "_waits", "_worst", "client", "door",
        "heard", "refusal", "transport", "until",
    )  # fmt: skip

    def __init__(self, door: Door) -> None:
        self.door = door
        self.transport: asyncio.Transport | None = None
        self.client = ""
        self.refusal: Refused | None = None  # what this address hears at the doors of devices
        self.until = 0.0  # when the rest of a request must be there; 0 = none is under way
        self.heard = 0  # in which second of the gateway's life it last said something
        self._buffer = b""
        self._head: Head | None = None
        self._reader: _Reader | None = None
        self._waits = False  # a request waits for its commit
        self._queued = False  # what is in the buffer has its turn soon
        self._unread = False  # it does not read our answers
        self._dropping = False
        self._left = self._many = self._size = 0
        self._worst = STORED

    # --- asyncio's side ---

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Somebody came."""
        self.transport = cast("asyncio.Transport", transport)  # uvloop's is one without saying so
        if (sock := transport.get_extra_info("socket")) is not None:
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)  # a sender that lost its power never says so
        peer = transport.get_extra_info("peername")
        self.client = str(peer[0]) if isinstance(peer, tuple) else ""
        self.door.enter(self)

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002 - asyncio's name
        """It went. What it sent is kept all the same."""
        self.transport = None
        self.door.leave(self)

    def pause_writing(self) -> None:
        """It does not read our answers: it need not be heard."""
        self._unread = True
        self._ease()

    def resume_writing(self) -> None:
        """It reads again."""
        self._unread = False
        self._ease()

    def _ease(self) -> None:
        """Read on, unless enough waits here already."""
        if self.transport is None:
            return
        if self._unread or ((self._waits or self._queued) and len(self._buffer) > READ_AHEAD):
            self.transport.pause_reading()
        else:
            self.transport.resume_reading()

    def data_received(self, data: bytes) -> None:
        """The short way: one whole request with a head that came before. Everything else goes through the buffer."""
        self.heard = self.door.second
        if self._head is None and not self._buffer and not self._dropping:
            end = data.find(b"\r\n\r\n") + 4
            head = self.door.heads.get(data[:end])
            if head is not None and len(data) == end + head.length:
                try:
                    self._take(head, data[end:])
                except Refused as no:
                    self._refuse(no, keep=head.keep)
                except Exception:  # noqa: BLE001 - logged; a fault of ours is a 503, which the sender repeats
                    self._fail()
                return
        if self._dropping:
            return
        self._buffer += data
        if not (self._waits or self._queued):
            self._advance()
        if len(self._buffer) > READ_AHEAD:
            self._ease()

    # --- a request ---

    def _advance(self) -> None:
        """Go on with what is in the buffer, until something is missing or a request waits."""
        head: Head | None = None
        try:
            for _ in range(TURN):
                if self._waits or self._dropping or self.transport is None:
                    return
                head = self._head or self._next_head()
                if head is None or (body := self._body(head)) is None:
                    return
                self._head, self.until = None, 0.0
                if head.refusal is not None:
                    raise head.refusal  # noqa: TRY301 - answered below, as every refusal
                self._take(head, body)
                head = None
            self._soon()
        except Refused as no:
            self._head = None
            self._refuse(no, keep=head is not None and head.keep, linger=head is None)
            self._soon()
        except Exception:  # noqa: BLE001 - logged, as above
            self._fail()

    def _soon(self) -> None:
        """What is in the buffer has its turn after the others."""
        if self._buffer and not (self._queued or self._waits or self._dropping):
            self._queued = True
            self.door.soon(self._go_on)

    def _go_on(self) -> None:
        self._queued = False
        self._advance()
        self._ease()

    def _next_head(self) -> Head | None:
        if self._buffer[:2] == b"\r\n":
            self._buffer = self._buffer.lstrip(b"\r\n")
        if not self._buffer:
            return None
        if not self.until:
            self.until = self.door.deadline()
        end = self._buffer.find(b"\r\n\r\n") + 4
        if end == 3:
            if len(self._buffer) > LARGEST_HEAD:
                raise TOO_LARGE
            return None
        text, self._buffer = self._buffer[:end], self._buffer[end:]
        head = self.door.heads.get(text)
        if head is None:
            if len(text) > LARGEST_HEAD:
                raise TOO_LARGE
            head, self._reader = read_head(text)
            self.door.judge(head, self, text)
            if head.header("expect").lower() == "100-continue" and self.transport is not None:
                if head.refusal is not None:
                    raise head.refusal  # it asks first: the body need not come
                self.transport.write(b"HTTP/1.1 100 Continue\r\n\r\n")
        self._head = head
        return head

    def _body(self, head: Head) -> bytes | None:
        """The body when it is whole."""
        if not head.pieces:
            if len(self._buffer) < head.length:
                return None
            body, self._buffer = self._buffer[: head.length], self._buffer[head.length :]
            return body
        reader, data, self._buffer = self._reader, self._buffer, b""
        if reader is None:
            raise NOT_HTTP
        reader.fed += len(data)
        if reader.fed > FRAMING * self.door.settings.max_body:
            raise TOO_LARGE  # what stands around the pieces counts too
        try:
            reader.parser.feed_data(data)
        except (httptools.HttpParserError, httptools.HttpParserUpgrade):
            if not reader.complete:  # else it is what follows the body: nothing more is heard on this connection
                raise NOT_HTTP from None
        if reader.size > self.door.settings.max_body:
            raise TOO_LARGE
        return b"".join(reader.body) if reader.complete else None

    def _take(self, head: Head, body: bytes) -> None:
        """A whole request."""
        decode, door = head.decode, self.door
        if decode is None:
            kind, text = door.answer(head, self.client)
            self._write(f"HTTP/1.1 200 OK\r\n{door.date}content-type: {kind}\r\n".encode(), text, keep=head.keep)
            return
        if not body:
            raise NO_BODY
        if door.pending > door.most or door.pending_bytes > door.most_bytes or not door.open:
            raise BUSY
        if self.refusal is not None:
            raise self.refusal
        reports = door.decoded(decode, body)
        if not door.durable:
            self._answer(keep=head.keep)
            return
        self._waits = True
        self._head = head
        self._left = self._many = many = len(reports)
        self._size = size = len(body) + ROW * many
        self._worst = STORED
        door.pending += many
        door.pending_bytes += size
        try:
            door.accept(reports, body, self)
        except Exception:  # not one of them was taken
            door.pending -= many
            door.pending_bytes -= size
            raise

    def safe(self, how: int, count: int = 1) -> None:
        """So many messages of the request are settled: STORED, SPOOLED or REFUSED. Never raises."""
        if how != STORED:
            self._worst = max(self._worst, how)
        self._left -= count
        if self._left:
            return
        door, head = self.door, self._head
        self._head, self._waits = None, False
        door.pending -= self._many
        door.pending_bytes -= self._size
        keep = head is None or head.keep
        if self._worst == REFUSED:
            self._refuse(NO_SPACE, keep=keep)
        else:
            door.counters.acked += self._many
            self._answer(keep=keep)
        self._soon()

    # --- answers ---

    def _answer(self, *, keep: bool) -> None:
        transport = self.transport
        if transport is None:
            return
        transport.write(self.door.ok if keep else self.door.ok_last)
        if not keep:
            self._end(linger=False)

    def _refuse(self, no: Refused, *, keep: bool, linger: bool = False) -> None:
        self.door.counters.rejected[no.reason] += 1
        head = f"HTTP/1.1 {no.status} {no.phrase}\r\n{self.door.date}content-type: application/json; charset=utf-8\r\n"
        head += "".join(f"{name}: {value}\r\n" for name, value in no.headers)
        self._write(head.encode(), no.body, keep=keep and not no.last, linger=linger or no.last)

    def _fail(self) -> None:
        logger.error("a request failed", exc_info=True)  # noqa: LOG014 - called where it was caught
        self._head, self._waits = None, False
        self._refuse(Refused(503, "internal", BUSY.text, (("retry-after", "5"),)), keep=False)

    def _write(self, head: bytes, text: bytes, *, keep: bool, linger: bool = False) -> None:
        if self.transport is None:
            return
        more = b"" if keep else b"connection: close\r\n"
        self.transport.write(b"%bcontent-length: %d\r\n%b\r\n%b" % (head, len(text), more, text))
        if not keep:
            self._end(linger=linger)

    def _end(self, *, linger: bool) -> None:
        """Nothing more is heard here. A sender that is not through may go on for a moment: a reset would take our answer
        from it.
        """
        self._dropping, self._buffer, self._reader, self._head = True, b"", None, None
        if self.transport is None:
            return
        self.transport.resume_reading()
        if not linger:
            self.transport.close()
            return
        self.until = self.door.now() + LINGER
        if self.transport.can_write_eof():
            self.transport.write_eof()

    def overdue(self) -> None:
        """Too late: called when `until` has passed."""
        if self._dropping and self.transport is not None:
            self.transport.abort()
        elif not self._waits:
            self._refuse(TOO_SLOW, keep=False)

    def close(self) -> None:
        """The gateway ends."""
        if self.transport is not None:
            self.transport.close()

    def give_place(self) -> None:
        """Somebody else needs the place. What it does not read is not waited for."""
        if self.transport is not None:
            self.transport.abort()

    @property
    def dispensable(self) -> bool:
        """Nothing of it waits for its commit: a message that was not heard to its end comes again."""
        return self.transport is not None and not self._waits
