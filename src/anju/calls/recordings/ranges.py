"""Range requests (RFC 9110 14): what part of a sound is asked for. One range only, as players ask. Pure."""

from __future__ import annotations

import re
from dataclasses import dataclass

MOST = 1024 * 1024
"""A player that asks for "the rest" gets so much at a time and comes again; nobody holds an hour of sound in memory."""
_ONE = re.compile(r"bytes=(\d{0,19})-(\d{0,19})$")


class Unsatisfiable(ValueError):
    """The range lies outside the file: 416."""


@dataclass(frozen=True, slots=True)
class Part:
    """Bytes `start` … `end` (inclusive) of `length`; `whole` when no range was asked for."""

    start: int
    end: int
    length: int
    whole: bool

    @property
    def count(self) -> int:
        """How many bytes."""
        return self.end - self.start + 1

    @property
    def headers(self) -> dict[str, str]:
        """What the answer says about itself."""
        said = {"Accept-Ranges": "bytes", "Content-Length": str(self.count)}
        if not self.whole:
            said["Content-Range"] = f"bytes {self.start}-{self.end}/{self.length}"
        return said


def part_of(header: str, length: int) -> Part:
    """What the Range header asks of a file of that length. Several ranges and odd headers are answered with the whole file."""
    found = _ONE.match(header.strip())
    if found is None or found[1] == found[2] == "":
        return Part(0, length - 1, length, whole=True)
    first, last = found[1], found[2]
    if not first:  # the last n bytes
        count = min(int(last), length)
        if count == 0:
            raise Unsatisfiable
        start = length - count
        return Part(start, min(length, start + MOST) - 1, length, whole=False)
    start = int(first)
    end = min(int(last), length - 1) if last else length - 1
    if start >= length or end < start:
        raise Unsatisfiable
    return Part(start, min(end, start + MOST - 1), length, whole=False)
