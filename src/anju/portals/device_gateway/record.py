"""Messages on their way: the rows for COPY (binary), and the same bytes for the spool.

A body may carry several messages. Those of one lane stay together (`Record`): they are committed in one piece, the first keeps
the body, and each other one says how many numbers before it that stands (`raw_back`).
"""

from __future__ import annotations

import asyncio
import itertools
import os
import struct
import time
from typing import Protocol

from anju.signals import log
from anju.signals.decoders.base import Report
from anju.signals.signal import LANE_BITS

COLUMNS = (
    "id", "received_at", "device_at", "uid", "source", "product_id", "device_key", "operator_id", "kind", "n", "windowed", "dedup",
    "decoded", "note", "raw_back", "raw",
)  # fmt: skip
COPY = f"COPY signals_message ({', '.join(COLUMNS)}) FROM STDIN (FORMAT BINARY)".encode()
COPY_HEAD = b"PGCOPY\n\xff\r\n\0" + struct.pack(">ii", 0, 0)
COPY_END = struct.pack(">h", -1)
_EPOCH_US = 946_684_800_000_000  # PostgreSQL counts microseconds from 2000-01-01
_FIRST = struct.Struct(">hiq")
_OWN = struct.Struct(">ihi")  # it has the body: its length follows
_HERE = struct.pack(">ih", 2, 0)
_FIXED = struct.Struct(">iqiqi16s")
_FIXED_NO_TIME = struct.Struct(">iqii16s")
_LEN = struct.Struct(">i")
_MIDDLE = struct.Struct(">ihi?i16si")

STORED, SPOOLED, REFUSED = 1, 2, 3


class Clock:
    """Microseconds since 1970 that never go back while the process lives; `steps` counts when the wall clock did."""

    def __init__(self) -> None:
        self.last = 0
        self.steps = 0

    def now(self) -> int:
        """Now. A lane's rows must come in the order of time; a backward step of more than a second asks for new lanes."""
        at = time.time_ns() // 1000
        if at < self.last:
            if self.last - at > 1_000_000:
                self.steps += 1
                self.last = at
                return at
            return self.last
        self.last = at
        return at


class Uids:
    """Numbers that no other message ever gets: 8 random bytes of this process, then a count."""

    def __init__(self) -> None:
        self._head = os.urandom(8)
        self._count = itertools.count()

    def next(self) -> bytes:
        """16 bytes."""
        return self._head + next(self._count).to_bytes(8, "big")


class Waiting(Protocol):
    """Who waits for an answer."""

    def safe(self, how: int, count: int = 1) -> None:
        """So many messages of the body are settled: STORED, SPOOLED or REFUSED. Must not raise."""


class Ticket:
    """The answer that a sender waits for: given when all messages of its body are safe."""

    __slots__ = ("future", "left", "worst")

    def __init__(self, future: asyncio.Future[int], left: int) -> None:
        self.future = future
        self.left = left
        self.worst = STORED

    def safe(self, how: int, count: int = 1) -> None:
        """So many messages of the body are settled: STORED, SPOOLED or REFUSED."""
        self.left -= count
        self.worst = max(self.worst, how)
        if self.left == 0 and not self.future.done():
            self.future.set_result(self.worst)


class Record:
    """The messages of one body that go to one lane: stored together or not at all.

    `tail` is the first one's row without its id, the body at its end; `more` are the rows of the others without id and body.
    `maybe` is the first one's id in a lane whose commit has an unknown outcome, else 0.
    """

    __slots__ = ("at", "count", "maybe", "more", "size", "tail", "ticket", "urgent")

    def __init__(
        self, tail: bytes, at: int, urgent: bool, ticket: Waiting | None, maybe: int = 0, more: tuple[bytes, ...] = ()  # noqa: FBT001
    ) -> None:  # fmt: skip
        self.tail = tail
        self.at = at  # received, microseconds since 1970
        self.urgent = urgent
        self.ticket = ticket
        self.maybe = maybe
        self.more = more
        self.count = 1
        self.size = len(tail)
        if more:
            self.count += len(more)
            self.size += sum(map(len, more))

    def row(self, ident: int) -> bytes:
        """The rows for COPY; `ident` is the id of the first."""
        first = _FIRST.pack(_WIDTH, 8, ident) + self.tail
        if not self.more:
            return first
        return first + b"".join(
            _FIRST.pack(_WIDTH, 8, ident + back) + head + _OWN.pack(2, back, -1)
            for back, head in enumerate(self.more, 1)
        )

    def part(self, start: int, stop: int) -> Record:
        """Some of its messages as a record of its own, with the body."""
        body = b"".join(fields(self.tail)[-2:])
        tail = self.more[start - 1] + body if start else self.tail
        return Record(tail, self.at, self.urgent, self.ticket, more=self.more[start : stop - 1])

    def halves(self) -> list[Record]:
        """In two, so that one message which the database refuses does not take the others along."""
        middle = self.count // 2
        return [self.part(0, middle), self.part(middle, self.count)] if middle else [self]


def fields(tail: bytes) -> list[bytes]:
    """The columns of a row without its id, each with its length before it."""
    found, at = [], 0
    while at < len(tail):
        end = at + 4 + max(_LEN.unpack_from(tail, at)[0], 0)
        found.append(tail[at:end])
        at = end
    return found


def of_version_1(tail: bytes) -> bytes:
    """A row as it was written to the spool when each message had the body: the body stood before the note."""
    *others, raw, note = fields(tail)
    return b"".join((*others, note, _HERE, raw))


def ident_of(lane: int, seq: int) -> int:
    """The id of a message."""
    return (lane << LANE_BITS) | seq


_WIDTH = len(COLUMNS)
_words: dict[str, bytes] = {}  # sources, products and kinds: few, and each in thousands of rows


def _word(text: str) -> bytes:
    known = _words.get(text)
    if known is None:
        if len(_words) > 5_000:
            _words.clear()
        data = text.encode("utf-8", "replace")
        known = _words[text] = _LEN.pack(len(data)) + data
    return known


def head_of(report: Report, at: int, uid: bytes) -> bytes:
    """Everything of a row between its id and its body."""
    device_ms, now_ms = report.device_ms, at // 1000
    if device_ms is None:
        fixed = _FIXED_NO_TIME.pack(8, at - _EPOCH_US, -1, 16, uid)
        at_ms = now_ms
    else:
        fixed = _FIXED.pack(8, at - _EPOCH_US, 8, device_ms * 1000 - _EPOCH_US, 16, uid)
        at_ms = device_ms if device_ms < now_ms else now_ms  # noqa: FURB136 - on the hot path
    lines = []
    for k, t, dty, stc, lco, c, v, s in report.lines:
        lines.append((k, at_ms if t is None or t > now_ms else t, dty, stc, lco, c, v, s))
    decoded = log.write(lines, report.vitals) if lines else b""
    key = report.device_key.encode("utf-8", "replace")
    operator = report.operator_id.encode("utf-8", "replace")
    note = report.note.replace("\0", "").encode("utf-8", "replace") if report.notes else b""
    return b"".join(
        (
            fixed, _word(report.source), _word(report.product_id), _LEN.pack(len(key)), key, _LEN.pack(len(operator)), operator,
            _word(report.kind), _MIDDLE.pack(2, len(lines), 1, report.windowed, 16, report.dedup, len(decoded)), decoded,
            _LEN.pack(len(note)), note,
        )
    )  # fmt: skip


def tail_of(report: Report, raw: bytes, at: int, uid: bytes) -> bytes:
    """Everything of a row but its id, with the body."""
    return b"".join((head_of(report, at, uid), _OWN.pack(2, 0, len(raw)), raw))
