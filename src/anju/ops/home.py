"""The folder of one installation (`var/`, or ANJU_HOME): where each thing lies, and files only its owner reads."""

from __future__ import annotations

import fcntl
import json
import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TextIO

ROOT = Path(__file__).resolve().parents[3]
"""The checkout: `run`, `manage.py`, the lock files."""


@dataclass(frozen=True, slots=True)
class Home:
    """The layout of the folder. Nothing outside it is written, except the database's place (see `postgres`)."""

    path: Path

    @classmethod
    def current(cls) -> Home:
        """What ANJU_HOME says, else `var/` of the checkout."""
        return cls(Path(os.environ.get("ANJU_HOME") or ROOT / "var").resolve())

    def make(self) -> None:
        """Make the folders; others may walk through, not look in."""
        for folder in (self.path, self.logs, self.beats):
            folder.mkdir(mode=0o711, parents=True, exist_ok=True)

    @property
    def secrets(self) -> Path:
        """Keys and passwords, 0600."""
        return self.path / "secrets.json"

    @property
    def settings(self) -> Path:
        """The operator's settings, KEY=VALUE a line."""
        return self.path / "anju.env"

    @property
    def environment(self) -> Path:
        """What the running processes were given, 0600; `./anju` uses it too."""
        return self.path / "environment.json"

    @property
    def run(self) -> Path:
        """What a client needs to know of the running platform, 0600."""
        return self.path / "run.json"

    @property
    def supervisor(self) -> Path:
        """What the supervisor knows of each process."""
        return self.path / "supervisor.json"

    @property
    def logs(self) -> Path:
        """One log a process."""
        return self.path / "log"

    @property
    def beats(self) -> Path:
        """A touched file for each process that has no address."""
        return self.path / "run"

    @property
    def tls(self) -> Path:
        """The local authority and the server's certificate."""
        return self.path / "tls"

    def lock(self, purpose: str) -> TextIO | None:
        """Take the installation for this process (until it ends, however it ends); None when another one has it."""
        handle = os.fdopen(os.open(self.path / "lock", os.O_RDWR | os.O_CREAT, 0o600), "r+")
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            handle.close()
            return None
        handle.seek(0)
        handle.truncate()
        handle.write(f"{os.getpid()} {purpose}\n")
        handle.flush()
        return handle

    def locked_by(self) -> str:
        """Who has it, in words."""
        pid, _, purpose = (self.path / "lock").read_text().strip().partition(" ")
        return f"{purpose} (process {pid})"


def write_private(path: Path, content: Mapping[str, Any]) -> None:
    """Replace a JSON file at once and whole, readable by its owner only."""
    draft = path.with_name(f".{path.name}.{os.getpid()}")
    draft.unlink(missing_ok=True)
    with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="utf-8") as out:
        json.dump(content, out, ensure_ascii=False, indent=1)
    draft.replace(path)


def read_json(path: Path) -> dict[str, Any]:
    """The file's object; empty when the file is absent or half there."""
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return content if isinstance(content, dict) else {}
