"""Rows that wait for the database, in a file that a crash survives: one encrypted line for each step."""

from __future__ import annotations

import datetime as dt
import json
import logging
import os
import uuid
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from anju.calls.control.rows import Row
from anju.kernel import crypto

_log = logging.getLogger(__name__)
_BOUND = "calls.spool"


class Spool:
    """A file of steps. Numbers and names are in it, so every line is encrypted as in the database."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.count = len(path.read_bytes().splitlines()) if path.exists() else 0

    def add(self, key: str, rows: Sequence[Row]) -> None:
        """Keep a step; it is on the disk when this returns."""
        line = json.dumps([key, [[r.sql, [_plain(v) for v in r.values], r.must] for r in rows]])
        self.path.parent.mkdir(parents=True, exist_ok=True)
        with self.path.open("a", encoding="ascii") as file:
            file.write(crypto.encrypt(line, _BOUND) + "\n")
            file.flush()
            os.fsync(file.fileno())
        self.path.chmod(0o600)
        self.count += 1

    def all(self) -> list[tuple[str, list[Row]]]:
        """Every step, the oldest first; a line cut off by a crash is left out and logged."""
        found = []
        for line in self.path.read_text(encoding="ascii").splitlines() if self.path.exists() else []:
            try:
                key, rows = json.loads(crypto.decrypt(line, _BOUND))
            except (crypto.Undecipherable, ValueError):
                _log.error("a spooled step cannot be read and is lost")
                continue
            found.append((key, [Row(sql, tuple(_value(v) for v in values), must) for sql, values, must in rows]))
        return found

    def clear(self) -> None:
        """Everything is in the database."""
        self.path.unlink(missing_ok=True)
        self.count = 0


def _plain(value: Any) -> Any:
    if isinstance(value, dt.datetime):
        return {"at": value.isoformat()}
    if isinstance(value, uuid.UUID):
        return {"id": str(value)}
    return [_plain(v) for v in value] if isinstance(value, list) else value


def _value(value: Any) -> Any:
    if isinstance(value, dict):
        return dt.datetime.fromisoformat(value["at"]) if "at" in value else uuid.UUID(value["id"])
    return [_value(v) for v in value] if isinstance(value, list) else value
