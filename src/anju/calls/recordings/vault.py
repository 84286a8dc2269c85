"""A recording at rest: sealed with AES-256-GCM in chunks, so that it can be played from any second.

`ANJUREC1 | key id | salt | nonce | chunk size | length` and then the chunks, each with its tag (the STREAM construction: the
nonce of a chunk holds its number and whether it is the last, the header is bound to every chunk). Chunks cannot be
changed, swapped, dropped or cut off unseen. The key of a file comes from the field keys by HKDF and the file's own salt;
old keys stay readable while keys are rotated (`SECRETS.field`).
"""

from __future__ import annotations

import os
import secrets
import struct
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import BinaryIO, Final

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

MAGIC: Final = b"ANJUREC1"
CHUNK: Final = 64 * 1024
TAG: Final = 16
_HEAD: Final = struct.Struct(">8s8s16s7sIQ")
SUFFIX: Final = ".anjr"
FILE_MODE, FOLDER_MODE = 0o600, 0o700


class Unreadable(ValueError):
    """The sealed file was changed, cut off, or was sealed with a key that is not here."""


def keys_of(written: str) -> dict[str, bytes]:
    """The field keys of the secrets file by their ids; the first one writes."""
    found: dict[str, bytes] = {}
    for part in written.split(","):
        name, _, key = part.strip().rpartition(":")
        found[name or "1"] = bytes.fromhex(key)
    return found


def _cipher(master: bytes, salt: bytes) -> AESGCM:
    return AESGCM(HKDF(SHA256(), 32, salt, b"anju.calls.recordings").derive(master))


def _nonce(prefix: bytes, n: int, *, last: bool) -> bytes:
    return prefix + n.to_bytes(4, "big") + bytes([last])


def seal(blocks: Iterable[bytes], length: int, path: Path, keys: Mapping[str, bytes]) -> None:
    """Write `length` bytes of plain sound as a sealed file, on disk when this returns. A half file is never left under `path`."""
    name, master = next(iter(keys.items()))
    salt, prefix = secrets.token_bytes(16), secrets.token_bytes(7)
    head = _HEAD.pack(MAGIC, name.encode().ljust(8, b"\0"), salt, prefix, CHUNK, length)
    cipher, part = _cipher(master, salt), path.with_name(path.name + ".part")
    private_folder(path.parent)
    with os.fdopen(os.open(part, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, FILE_MODE), "wb") as file:
        file.write(head)
        written = 0
        for n, (chunk, last) in enumerate(_chunks(blocks)):
            file.write(cipher.encrypt(_nonce(prefix, n, last=last), chunk, head))
            written += len(chunk)
        if written != length:
            raise ValueError(f"{path.name}: {written} bytes came, {length} were announced")
        file.flush()
        os.fsync(file.fileno())
    part.replace(path)
    _sync_folder(path.parent)


def private_folder(folder: Path) -> None:
    """Make a folder and those above it that are missing, each for its owner alone (mkdir itself guards only the last one)."""
    missing = [f for f in (folder, *folder.parents) if not f.exists()]
    for one in reversed(missing):
        one.mkdir(exist_ok=True, mode=FOLDER_MODE)


def _sync_folder(folder: Path) -> None:
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _chunks(blocks: Iterable[bytes]) -> Iterator[tuple[bytes, bool]]:
    """Full chunks and whether each is the last one; an empty file has one empty chunk."""
    held = bytearray()
    for block in blocks:
        held += block
        while len(held) > CHUNK:
            yield bytes(held[:CHUNK]), False
            del held[:CHUNK]
    yield bytes(held), True


class Sealed:
    """A sealed file that is open for reading. Use it as a context."""

    def __init__(self, file: BinaryIO, keys: Mapping[str, bytes]) -> None:
        self._file = file
        self._head = file.read(_HEAD.size)
        try:
            magic, name, salt, self._prefix, self._chunk, self.length = _HEAD.unpack(self._head)
        except struct.error as error:
            raise Unreadable("录音文件头不完整") from error
        master = keys.get(name.rstrip(b"\0").decode("ascii", "replace"))
        if magic != MAGIC or master is None or not 0 < self._chunk <= 2**24:
            raise Unreadable("录音文件不是本平台封存的，或缺少当时的密钥")
        self._cipher = _cipher(master, salt)
        self._last = max(0, -(-self.length // self._chunk) - 1)

    def __enter__(self) -> Sealed:
        return self

    def __exit__(self, *_: object) -> None:
        self._file.close()

    def read(self, start: int = 0, length: int | None = None) -> Iterator[bytes]:
        """The plain bytes from `start`, at most `length` of them. Unreadable at the first chunk that was touched."""
        end = self.length if length is None else min(self.length, start + length)
        while start < end:
            n = start // self._chunk
            chunk = self._open(n)
            piece = chunk[start - n * self._chunk : end - n * self._chunk]
            yield piece
            start += len(piece)
        if self.length == 0:
            self._open(0)

    def _open(self, n: int) -> bytes:
        self._file.seek(_HEAD.size + n * (self._chunk + TAG))
        sealed = self._file.read(self._chunk + TAG)
        try:
            plain = self._cipher.decrypt(_nonce(self._prefix, n, last=n == self._last), sealed, self._head)
        except (InvalidTag, ValueError) as error:
            raise Unreadable(f"录音文件第 {n + 1} 段被改动或残缺") from error
        if len(plain) != min(self._chunk, self.length - n * self._chunk):
            raise Unreadable(f"录音文件第 {n + 1} 段长度不对")
        return plain


def open_sealed(path: Path, keys: Mapping[str, bytes]) -> Sealed:
    """Open a sealed file; Unreadable when it is none of ours."""
    file = path.open("rb")
    try:
        return Sealed(file, keys)
    except Unreadable:
        file.close()
        raise
