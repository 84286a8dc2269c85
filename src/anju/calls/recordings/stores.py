"""The second storage of sealed recordings: a folder (another disk, NFS) or any S3-compatible store.

Both resume where a broken transfer stopped and say a file is there only after its SHA-256 was computed from what they read
back. Files are sealed before they leave, so that the second storage needs no trust.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable
from pathlib import Path
from typing import Protocol
from urllib.parse import parse_qs, unquote, urlsplit

from anju.calls.recordings.s3 import S3Store
from anju.calls.recordings.vault import private_folder

BLOCK = 1024 * 1024


class CopyFailed(Exception):
    """The copy was not made or does not match; the text says what to look at. It is tried again."""


class Store(Protocol):
    """Where copies go."""

    label: str

    def put(self, name: str, source: Path, sha256: str, mark: str, note: Callable[[str], None]) -> None:
        """Copy and verify. `mark` is what `note` was last told (for going on after a break). CopyFailed or OSError otherwise."""

    def get(self, name: str, target: Path) -> None:
        """Bring a copy back."""

    def remove(self, name: str) -> None:
        """Delete a copy; nothing happens when it is not there."""


def sha256_of(path: Path) -> str:
    """SHA-256 of a file, in hex."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


class FolderStore:
    """A folder, e.g. a mounted disk of another machine. A marker file guards against writing beside an absent mount."""

    MARK = ".anju-recordings"

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.label = f"目录 {folder}"

    def prepare(self) -> None:
        """Once, by hand (`anju recordings prepare-copy`): say that this folder is the second storage."""
        self.folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        (self.folder / self.MARK).touch(mode=0o600)

    def _ready(self) -> None:
        if not (self.folder / self.MARK).exists():
            raise CopyFailed(f"备份目录 {self.folder} 没有挂载或没有初始化：请挂载，首次使用运行 recordings prepare")

    def put(self, name: str, source: Path, sha256: str, mark: str, note: Callable[[str], None]) -> None:  # noqa: ARG002
        """Go on with the part that is there, if it is the beginning of this very file."""
        self._ready()
        target = self.folder / name
        if target.exists() and sha256_of(target) == sha256:
            return
        private_folder(target.parent)
        part = target.with_name(target.name + ".part")
        with source.open("rb") as file, os.fdopen(os.open(part, os.O_RDWR | os.O_CREAT, 0o600), "r+b") as out:
            os.fchmod(out.fileno(), 0o600)
            done = _common(file, out)
            file.seek(done)
            out.seek(done)
            out.truncate()
            while block := file.read(BLOCK):
                out.write(block)
            out.flush()
            os.fsync(out.fileno())
        if sha256_of(part) != sha256:
            part.unlink()
            raise CopyFailed(f"备份 {name} 读回后校验不符，已作废重来")
        part.replace(target)

    def get(self, name: str, target: Path) -> None:
        """Read a copy back into `target`."""
        self._ready()
        with (
            (self.folder / name).open("rb") as file,
            os.fdopen(os.open(target, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as out,
        ):
            while block := file.read(BLOCK):
                out.write(block)

    def remove(self, name: str) -> None:
        """Delete a copy."""
        self._ready()
        (self.folder / name).unlink(missing_ok=True)


def _common(source: object, part: object) -> int:
    """How many bytes of the part are the beginning of the source."""
    done = 0
    while True:
        a, b = source.read(BLOCK), part.read(BLOCK)  # type: ignore[attr-defined]
        if a[: len(b)] != b or not b:
            return done
        done += len(b)


def store_at(address: str) -> Store | None:
    """The store that the settings name: `/mnt/copies`, or `s3://key:secret@host:port/bucket/prefix?region=…&tls=0`; None for ""."""
    if not address:
        return None
    if not address.startswith("s3://"):
        return FolderStore(Path(address))
    parts = urlsplit(address)
    options = {name: values[0] for name, values in parse_qs(parts.query).items()}
    bucket, _, prefix = parts.path.strip("/").partition("/")
    if not (parts.hostname and parts.username and parts.password and bucket):
        raise ValueError("ANJU_RECORDINGS_COPY 写法：s3://密钥号:密钥@主机/桶/前缀?region=…")
    return S3Store(
        host=f"{parts.hostname}:{parts.port}" if parts.port else parts.hostname, bucket=bucket, prefix=prefix, key=unquote(parts.username),
        secret=unquote(parts.password), region=options.get("region", "us-east-1"), tls=options.get("tls", "1") != "0",
    )  # fmt: skip
