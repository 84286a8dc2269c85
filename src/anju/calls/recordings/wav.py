"""WAV files of a telephone engine: what their header says, what it should say, and mending one that a crash cut off.

Asterisk writes the header when it closes a file. After a crash it says 0 seconds, says more than there is, or is a block of
zeros that the disk never got. Mending never touches a sample: a header is made from what is really there. Pure.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, Final

HEADER: Final = 44
BLOCK: Final = 64 * 1024
FORMATS: Final = {1: "PCM", 6: "A-law", 7: "μ-law"}
_LOOK: Final = 4096
"""How far into a file the samples may begin."""

SOUND, UNFINISHED, HEADER_LOST, CUT_SHORT, EMPTY = "", "unfinished", "header_lost", "cut_short", "empty"
FAULTS: Final = {
    SOUND: "完好",
    UNFINISHED: "写入中断，文件头未写完",
    HEADER_LOST: "文件头丢失",
    CUT_SHORT: "文件比文件头说的短",
    EMPTY: "没有声音",
}


class NotWav(ValueError):
    """This is not a sound file of the telephone engine."""


@dataclass(frozen=True, slots=True)
class Layout:
    """Where the samples of a file lie, and what is wrong with its header (`fault`, a key of FAULTS)."""

    code: int
    channels: int
    rate: int
    width: int
    start: int
    length: int
    fault: str

    @property
    def frame(self) -> int:
        """Bytes of one moment of all channels."""
        return self.channels * self.width

    @property
    def seconds(self) -> float:
        """How long it plays, by the bytes that are there."""
        return self.length / (self.frame * self.rate)


_USUAL = Layout(code=1, channels=1, rate=8000, width=2, start=HEADER, length=0, fault=HEADER_LOST)
"""What the engine records (telephony.md §1): mono, 8 kHz, 16 bit."""


def layout(file: BinaryIO, size: int) -> Layout:
    """Read the header of a file of `size` bytes; NotWav for something else."""
    file.seek(0)
    head = file.read(_LOOK)
    if not head[:HEADER].strip(b"\0"):  # the blocks of the header never reached the disk
        return _from(_USUAL, min(HEADER, size), size, HEADER_LOST if size > HEADER else EMPTY)
    if size < 12 and b"RIFF".startswith(head[:4]):
        return _from(_USUAL, size, size, EMPTY)
    if head[:4] != b"RIFF":  # its beginning was cut off: the name of the samples' chunk still tells where they begin
        mark = head[:HEADER].find(b"data")
        if mark < 0:
            raise NotWav("不是话务引擎写的录音文件")
        return _from(_USUAL, min(mark + 8, size), size, HEADER_LOST if size > mark + 8 else EMPTY)
    if len(head) >= 12 and head[8:12] != b"WAVE":
        raise NotWav("不是话务引擎写的录音文件")
    found, at = _USUAL, 12
    while at + 8 <= len(head):
        name, claimed = head[at : at + 4], int.from_bytes(head[at + 4 : at + 8], "little")
        if name == b"fmt ":
            found = _format(head[at + 8 : at + 24]) or found
        elif name == b"data":
            return _samples(found, at + 8, claimed, head, size, file)
        at += 8 + claimed + claimed % 2
    return _from(found, min(size, HEADER), size, HEADER_LOST if size > HEADER else EMPTY)


def _format(raw: bytes) -> Layout | None:
    if len(raw) < 16:
        return None
    code, channels, rate, _, _, bits = struct.unpack("<HHIIHH", raw)
    if code not in FORMATS or not 1 <= channels <= 2 or not 4000 <= rate <= 48000 or bits not in {8, 16}:
        return None
    return Layout(code, channels, rate, bits // 8, HEADER, 0, HEADER_LOST)


def _samples(found: Layout, start: int, claimed: int, head: bytes, size: int, file: BinaryIO) -> Layout:
    real = size - start
    if real <= 0:
        return _from(found, start, size, EMPTY)
    if claimed == real or (claimed < real and claimed and _only_chunks(file, start + claimed + claimed % 2, size)):
        whole = int.from_bytes(head[4:8], "little") + 8 == size
        return Layout(
            found.code, found.channels, found.rate, found.width, start, claimed, SOUND if whole else UNFINISHED
        )
    return _from(found, start, size, CUT_SHORT if real < claimed < 0xFFFF_FF00 else UNFINISHED)


def _only_chunks(file: BinaryIO, at: int, size: int) -> bool:
    """Whether the bytes after the samples are whole chunks with readable names (LIST, bext …) and nothing else."""
    while at + 8 <= size:
        file.seek(at)
        name, length = file.read(4), int.from_bytes(file.read(4), "little")
        if not (name.isascii() and name.decode().replace(" ", "").isalnum()):
            return False
        at += 8 + length + length % 2
    return at == size


def _from(found: Layout, start: int, size: int, fault: str) -> Layout:
    length = max(0, size - start)
    return Layout(found.code, found.channels, found.rate, found.width, start, length, fault)


def header(sound: Layout) -> bytes:
    """The 44 bytes that belong before these samples; a last half moment is counted as a whole one (`mended` pads it)."""
    length = sound.length + -sound.length % sound.frame
    return struct.pack(
        "<4sI4s4sIHHIIHH4sI",
        b"RIFF", 36 + length, b"WAVE", b"fmt ", 16, sound.code, sound.channels, sound.rate, sound.rate * sound.frame, sound.frame,
        sound.width * 8, b"data", length,
    )  # fmt: skip


def mended(file: BinaryIO, sound: Layout) -> Iterator[bytes]:
    """The file as it should be: itself when it is sound, else a right header and every byte of the samples."""
    if sound.fault == SOUND:
        file.seek(0)
        while block := file.read(BLOCK):
            yield block
        return
    yield header(sound)
    file.seek(sound.start)
    while block := file.read(BLOCK):
        yield block
    if odd := -sound.length % sound.frame:
        yield b"\0" * odd


def is_closed(path: Path) -> bool:
    """Whether the engine has closed the file: its header agrees with its length."""
    try:
        with path.open("rb") as file:
            return layout(file, path.stat().st_size).fault == SOUND
    except (NotWav, OSError):
        return False
