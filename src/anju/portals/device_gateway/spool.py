"""Where messages wait while the database is away: append-only files, every record checksummed and fsynced before its sender
is answered. A torn tail (power cut while writing) ends a file; it was never acknowledged.

A file is one lane when it is replayed: the number of a record in the lane follows from its place in the file, so a replay
that died between its commit and the removal of the file goes on exactly where it stopped.
"""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import struct
import time
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import uuid4

from anju.portals.device_gateway.record import COLUMNS, Record, of_version_1

SUFFIX, DRAFT = ".spool", ".draft"
STALE = 600.0  # seconds after which a draft is nobody's
LARGEST = 64 * 1024 * 1024
_HEAD = struct.Struct(">II")
_META = struct.Struct(">BQq")
_COUNT = struct.Struct(">H")
_LENGTH = struct.Struct(">I")
VERSION = 2  # 1: each message had the whole body
_MOST = 8 * 1024 * 1024  # no record is larger; a length beyond is damage


class SpoolFull(OSError):
    """Nothing more can be written here."""


@dataclass(slots=True)
class Segment:
    """A file of the spool that this process holds (flock)."""

    path: Path
    fd: int
    name: str  # uuid: also the name of its lane
    urgent: bool
    size: int
    records: int = 0
    first_at: int = 0

    def close(self) -> None:
        """Let go of it."""
        if self.fd >= 0:
            os.close(self.fd)
            self.fd = -1

    def remove(self) -> None:
        """All of it is in the database."""
        self.path.unlink(missing_ok=True)
        self.close()
        sync_folder(self.path.parent)


def sync_folder(folder: Path) -> None:
    """A new or removed name is only sure when its folder is."""
    fd = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(fd)
    finally:
        os.close(fd)


def create(folder: Path, *, urgent: bool, gateway: str) -> Segment:
    """A new file, locked, on the disk."""
    name = str(uuid4())
    path = folder / f"{'urgent' if urgent else 'plain'}-{name}{SUFFIX}"
    draft = path.with_suffix(DRAFT)  # nobody adopts it before it is locked and has its first line
    head = (
        json.dumps({"v": VERSION, "segment": name, "urgent": urgent, "gateway": gateway, "columns": COLUMNS}).encode()
        + b"\n"
    )
    fd = -1
    try:
        folder.mkdir(parents=True, exist_ok=True)
        fd = os.open(draft, os.O_CREAT | os.O_EXCL | os.O_RDWR | os.O_APPEND, 0o600)
        fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
        _write(fd, memoryview(head))
        draft.rename(path)
        sync_folder(folder)
    except OSError as error:
        if fd >= 0:  # a full disk is tried again and again: neither files nor open files may run out by it
            os.close(fd)
            for made in (draft, path):
                with contextlib.suppress(OSError):
                    made.unlink(missing_ok=True)
        raise SpoolFull(str(error)) from error
    return Segment(path, fd, name, urgent, len(head))


def _write(fd: int, data: memoryview) -> None:
    written = 0
    while written < len(data):
        written += os.write(fd, data[written:])
    os.fsync(fd)


def pack(record: Record) -> bytes:
    """A record as it stands in the file."""
    parts = [_META.pack(record.urgent, record.maybe, record.at), _COUNT.pack(len(record.more))]
    for head in record.more:
        parts += (_LENGTH.pack(len(head)), head)
    payload = b"".join((*parts, record.tail))
    return _HEAD.pack(len(payload), zlib.crc32(payload)) + payload


def append(segment: Segment, records: list[Record]) -> None:
    """Write and fsync. If that fails the file is cut back to what it held, and `SpoolFull` is raised."""
    data = memoryview(b"".join(map(pack, records)))
    try:
        _write(segment.fd, data)
    except OSError as error:
        try:
            os.ftruncate(segment.fd, segment.size)
            os.fsync(segment.fd)
        except OSError:
            segment.size = LARGEST  # its end is unsure: never append to it again; the reader stops at the torn record
        raise SpoolFull(str(error)) from error
    segment.size += len(data)
    segment.first_at = segment.first_at or records[0].at
    segment.records += sum(r.count for r in records)


def adopt(folder: Path) -> list[Segment]:
    """Take over the files that no living process holds, urgent ones first, then the oldest."""
    found = []
    for path in folder.glob(f"*-*{DRAFT}"):  # begun by a process that died: nothing of it was acknowledged
        with contextlib.suppress(FileNotFoundError):
            if time.time() - path.stat().st_mtime > STALE and not path.name.startswith("SOS"):
                path.unlink()
    for path in folder.glob(f"*{SUFFIX}"):
        try:
            fd = os.open(path, os.O_RDWR | os.O_APPEND)
        except FileNotFoundError:
            continue
        try:
            fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            os.close(fd)
            continue
        if os.fstat(fd).st_nlink == 0:  # replayed and removed in the meantime
            os.close(fd)
            continue
        head = header(path)
        if head is None:
            os.close(fd)
            path.rename(path.with_suffix(".damaged"))
            continue
        segment = Segment(path, fd, head["segment"], bool(head["urgent"]), os.fstat(fd).st_size)
        for record in read(path):
            segment.records += record.count
            segment.first_at = min(segment.first_at or record.at, record.at)
        found.append(segment)
    return sorted(found, key=lambda s: (not s.urgent, s.first_at))


def set_aside(path: Path, record: Record) -> None:
    """Keep a record that the database refuses, in the same form."""
    with path.open("ab") as file:
        file.write(pack(record))
        file.flush()
        os.fsync(file.fileno())


def header(path: Path) -> dict[str, Any] | None:
    """The first line, or None when it never got to the disk (then nothing was acknowledged either)."""
    with path.open("rb") as file:
        line = file.readline(65_536)
    try:
        head = json.loads(line)
        return head if isinstance(head, dict) and head.get("v") in {1, VERSION} and line.endswith(b"\n") else None
    except ValueError:
        return None


def read(path: Path) -> Iterator[Record]:
    """The records in their order, up to the end or to the first one that is torn."""
    first = header(path)
    unpack = _unpack_1 if first is not None and first["v"] == 1 else _unpack
    with path.open("rb") as file:
        file.readline(65_536)
        while len(head := file.read(_HEAD.size)) == _HEAD.size:
            length, crc = _HEAD.unpack(head)
            if length > _MOST or length < _META.size:
                return
            payload = file.read(length)
            if len(payload) < length or zlib.crc32(payload) != crc:
                return
            yield unpack(payload)


def _unpack(payload: bytes) -> Record:
    urgent, maybe, at = _META.unpack_from(payload)
    (count,) = _COUNT.unpack_from(payload, _META.size)
    place = _META.size + _COUNT.size
    more: list[bytes] = []
    for _ in range(count):
        (length,) = _LENGTH.unpack_from(payload, place)
        place += _LENGTH.size + length
        more.append(payload[place - length : place])
    return Record(payload[place:], at, bool(urgent), None, maybe, tuple(more))


def _unpack_1(payload: bytes) -> Record:
    urgent, maybe, at = _META.unpack_from(payload)
    return Record(of_version_1(payload[_META.size :]), at, bool(urgent), None, maybe)


def waiting(folder: Path) -> tuple[int, int]:
    """Files and bytes that wait, of all processes."""
    sizes = []
    for path in folder.glob(f"*{SUFFIX}"):
        try:
            sizes.append(path.stat().st_size)
        except FileNotFoundError:
            continue
    return len(sizes), sum(sizes)
