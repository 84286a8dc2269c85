"""One message on its way: the row for COPY (binary), and the same bytes for the spool."""

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
    "decoded", "raw", "note",
)  # fmt: skip
COPY = f"COPY signals_message ({', '.join(COLUMNS)}) FROM STDIN (FORMAT BINARY)".encode()
COPY_HEAD = b"PGCOPY\n\xff\r\n\0" + struct.pack(">ii", 0, 0)
COPY_END = struct.pack(">h", -1)
_EPOCH_US = 946_684_800_000_000  # PostgreSQL counts microseconds from 2000-01-01
_FIRST = struct.Struct(">hiq")
_FIXED = struct.Struct(">iqiqi16s")
_FIXED_NO_TIME = struct.Struct(">iqii16s")
_LEN = struct.Struct(">i")
_MIDDLE = struct.Struct(">ihi?i16si")
_LENGTHS = tuple(_LEN.pack(n) for n in range(256))

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

    def safe(self, how: int) -> None:
        """One message of the body is settled: STORED, SPOOLED or REFUSED. Must not raise."""


class Ticket:
    """The answer that a sender waits for: given when all messages of its body are safe."""

    __slots__ = ("future", "left", "worst")

    def __init__(self, future: asyncio.Future[int], left: int) -> None:
        self.future = future
        self.left = left
        self.worst = STORED

    def safe(self, how: int) -> None:
        """One message of the body is settled: STORED, SPOOLED or REFUSED."""
        self.left -= 1
        self.worst = max(self.worst, how)
        if self.left == 0 and not self.future.done():
            self.future.set_result(self.worst)


class Record:
    """A message with its row. `maybe` is its id in a lane whose commit has an unknown outcome, else 0."""

    __slots__ = ("at", "maybe", "tail", "ticket", "urgent")

    def __init__(self, tail: bytes, at: int, urgent: bool, ticket: Waiting | None, maybe: int = 0) -> None:  # noqa: FBT001
        self.tail = tail
        self.at = at  # received, microseconds since 1970
        self.urgent = urgent
        self.ticket = ticket
        self.maybe = maybe

    def row(self, ident: int) -> bytes:
        """The row for COPY under that id."""
        return _FIRST.pack(15, 8, ident) + self.tail


def ident_of(lane: int, seq: int) -> int:
    """The id of a message."""
    return (lane << LANE_BITS) | seq


def _sized(data: bytes) -> bytes:
    return (_LENGTHS[len(data)] if len(data) < len(_LENGTHS) else _LEN.pack(len(data))) + data


_words: dict[str, bytes] = {}  # sources, products and kinds: few, and each in thousands of rows


def _word(text: str) -> bytes:
    known = _words.get(text)
    if known is None:
        if len(_words) > 5_000:
            _words.clear()
        known = _words[text] = _sized(text.encode("utf-8", "replace"))
    return known


def tail_of(report: Report, raw: bytes, at: int, uid: bytes) -> bytes:
    """Everything of a row but its id."""
    received = at - _EPOCH_US
    device_ms, lines, now_ms = report.device_ms, report.lines, at // 1000
    if device_ms is None:
        fixed = _FIXED_NO_TIME.pack(8, received, -1, 16, uid)
        at_ms = now_ms
    else:
        fixed = _FIXED.pack(8, received, 8, device_ms * 1000 - _EPOCH_US, 16, uid)
        at_ms = min(device_ms, now_ms)
    decoded = b""
    if lines:
        decoded = log.write(
            [
                (k, at_ms if t is None or t > now_ms else t, dty, stc, lco, c, v, s)
                for k, t, dty, stc, lco, c, v, s in lines
            ],
            report.vitals,
        )
    note = report.note.replace("\0", "").encode("utf-8", "replace") if report.notes else b""
    return b"".join(
        (
            fixed, _word(report.source), _word(report.product_id), _sized(report.device_key.encode("utf-8", "replace")),
            _sized(report.operator_id.encode("utf-8", "replace")), _word(report.kind),
            _MIDDLE.pack(2, len(lines), 1, report.windowed, 16, report.dedup, len(decoded)), decoded, _LEN.pack(len(raw)), raw,
            _sized(note),
        )
    )  # fmt: skip
