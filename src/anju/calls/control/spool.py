"""Rows that wait for the database, in a file that a crash survives: one encrypted line for each step."""

from __future__ import annotations

import datetime as dt
import json
import logging
import os
import threading
import uuid
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from anju.calls.control.rows import Row
from anju.kernel import crypto

_log = logging.getLogger(__name__)
_BOUND = "calls.spool"


class Spool:
    """A file of steps. Numbers and names are in it, so every line is encrypted as in the database.

    The event loop's threads add while the pen's thread writes: what is added meanwhile stays for the next time.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._lock = threading.Lock()
        self.count = len(self._lines())
        self._torn = path.exists() and not path.read_bytes().endswith(b"\n")
        """The last line is a part of one: the next begins a line of its own."""

    def add(self, key: str, rows: Sequence[Row], mark: str = "") -> None:
        """Keep a step; it is on the disk when this returns. `mark` is given back with it."""
        line = json.dumps([key, [[r.sql, [_plain(v) for v in r.values], r.must] for r in rows], mark])
        self.path.parent.mkdir(parents=True, exist_ok=True)
        with self._lock:
            torn, self._torn = self._torn, True
            with self.path.open("a", encoding="ascii") as file:
                file.write("\n" * torn + crypto.encrypt(line, _BOUND) + "\n")
                file.flush()
                os.fsync(file.fileno())
            self._torn = False
            self.path.chmod(0o600)
            self.count += 1

    def pour(self, into: Callable[[str, list[Row], str], None]) -> None:
        """Give every step (key, rows, mark) away, the oldest first, and forget them when all were taken.

        A line cut off by a crash is left out and logged. When `into` raises, all of them stay.
        """
        with self._lock:
            lines = self._lines()
        for line in lines:
            try:
                key, rows, *mark = json.loads(crypto.decrypt(line, _BOUND))
            except (crypto.Undecipherable, ValueError):
                _log.error("a spooled step cannot be read and is lost")
                continue
            steps = [Row(sql, tuple(_value(v) for v in values), must) for sql, values, must in rows]
            into(key, steps, mark[0] if mark else "")
        with self._lock:
            self._keep(self._lines()[len(lines) :])

    def _lines(self) -> list[str]:
        return self.path.read_text(encoding="ascii").splitlines() if self.path.exists() else []

    def _keep(self, lines: Sequence[str]) -> None:
        if lines:
            new = self.path.with_suffix(".new")
            with new.open("w", encoding="ascii") as file:
                file.write("".join(f"{line}\n" for line in lines))
                file.flush()
                os.fsync(file.fileno())
            new.chmod(0o600)
            new.replace(self.path)
        else:
            self.path.unlink(missing_ok=True)
        self.count, self._torn = len(lines), False


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
