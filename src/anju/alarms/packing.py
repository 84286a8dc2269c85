"""How the state of a rhythm is kept: about 1 KB, so that a million homes with their open silences fit into 2 GB. Pure.

A byte for the version, then a head, both tables in fixed point (unsigned 16 bit) and the scores, compressed. What was stored
before it was compressed is read as well.
"""

from __future__ import annotations

import struct
import zlib
from array import array
from collections.abc import Sequence
from typing import Final

PLAIN: Final = 1
COMPRESSED: Final = 2
PER_LN: Final = 1000.0
"""Scores are kept in thousandths."""
LONGEST: Final = 16_384
_HEAD: Final = "<BHHBB"

Scores = Sequence[tuple[int, float]]
"""(day that the silence ended, ln R) of the silences kept of one mode."""


def pack(first_day: int, day: int, exposure: array[int], ends: array[int], scores: Sequence[Scores]) -> bytes:
    """All of it as bytes."""
    head = struct.pack(_HEAD, PLAIN, first_day & 0xFFFF, day & 0xFFFF, *map(len, scores))
    body = b"".join(
        struct.pack("<Bh", min(255, max(0, day - of)), round(value * PER_LN)) for kept in scores for of, value in kept
    )
    return bytes([COMPRESSED]) + zlib.compress(head + exposure.tobytes() + ends.tobytes() + body, 1)


def unpack(
    packed: bytes, *, today: int, cells: int
) -> tuple[int, int, array[int], array[int], list[list[tuple[int, float]]]]:
    """(first day, day, exposure, ends, scores of each mode). ValueError when it is cut off or of another version."""
    plain = _opened(packed) if packed[:1] == bytes([COMPRESSED]) else packed
    at, size = struct.calcsize(_HEAD), 2 * cells
    if len(plain) < at + 2 * size:
        raise ValueError("a rhythm cut off")
    version, first, day, *counts = struct.unpack_from(_HEAD, plain)
    if version != PLAIN:
        raise ValueError(f"unknown version {version} of a rhythm")
    exposure, ends = array("H"), array("H")
    exposure.frombytes(plain[at : at + size])
    ends.frombytes(plain[at + size : at + 2 * size])
    try:
        rows = list(struct.iter_unpack("<Bh", plain[at + 2 * size :]))
    except struct.error as broken:
        raise ValueError("a rhythm cut off") from broken
    if len(rows) != sum(counts):
        raise ValueError("a rhythm cut off")
    day = _near(day, today)
    scores = [[(day - ago, value / PER_LN) for ago, value in part] for part in (rows[: counts[0]], rows[counts[0] :])]
    return _near(first, today), day, exposure, ends, scores


def _opened(packed: bytes) -> bytes:
    opened = zlib.decompressobj()
    try:
        plain = opened.decompress(packed[1:], LONGEST)
    except zlib.error as broken:
        raise ValueError("a rhythm that can't be opened") from broken
    if not opened.eof or opened.unused_data:
        raise ValueError("a rhythm cut off, or more than one")
    return plain


def _near(low: int, today: int) -> int:
    """The day whose low 16 bits are these, at or before tomorrow."""
    day = (today & ~0xFFFF) | low
    return day - 0x10000 if day > today + 1 else day
