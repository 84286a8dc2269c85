"""What the operations page shows of the processes: read from the supervisor's own report."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass

from anju.ops.home import Home, read_json
from anju.ops.table import ENGINE, SHARED, TOWN
from anju.ops.table import processes as table

STALE_SECONDS = 20.0
"""An older report means that nobody supervises."""


@dataclass(frozen=True, slots=True)
class ProcessStatus:
    """One process. `state`: up, starting, waiting (crashed, starts soon), unknown; memory in MiB."""

    name: str
    purpose: str
    state: str
    pid: int | None
    restarts: int
    last_exit: str
    up_seconds: int
    rss_mib: float


def processes(home: Home | None = None) -> tuple[list[ProcessStatus], bool]:
    """Every process, and whether the supervisor's report is fresh."""
    report = read_json((home or Home.current()).supervisor)
    fresh = time.time() - float(report.get("at", 0)) < STALE_SECONDS
    rows = report.get("processes", {})
    running = {setting: str(_many(name, rows)) for name, setting in SHARED.items()}
    own = {p.name: p.purpose for p in (*table(running), TOWN)}
    purposes = {"postgres": "the database", ENGINE: "the telephone engine", **own}
    return [
        ProcessStatus(
            name=name,
            purpose=purpose,
            state=row.get("state", "unknown") if fresh else "unknown",
            pid=row.get("pid"),
            restarts=int(row.get("restarts", 0)),
            last_exit=row.get("last_exit", ""),
            up_seconds=int(row.get("up_seconds", 0)),
            rss_mib=round(row.get("rss_kib", 0) / 1024, 1),
        )
        for name, purpose in purposes.items()
        if (row := rows.get(name, {})) or name in own
    ], fresh


def _many(name: str, rows: Mapping[str, object]) -> int:
    """How many processes of that name the supervisor reports."""
    return max(1, sum(row == name or row.rpartition("-")[0] == name for row in rows))
