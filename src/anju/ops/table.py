"""The processes of the platform: a table. The supervisor knows nothing else about them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace


@dataclass(frozen=True, slots=True)
class Process:
    """One process: what it is called, what it does, how it shows that it works.

    `address` names the setting with its port when it answers `GET /healthz`; without one it beats (ops.heartbeat).
    Several may share one port: `number` tells them apart, and each answers at a port of its own as well (ANJU_OWN_PORT).
    """

    name: str
    purpose: str
    address: str = ""
    number: int = 0

    @property
    def command(self) -> str:
        """The management command."""
        return self.name.rpartition("-")[0] if self.number > 1 else self.name

    @property
    def arguments(self) -> tuple[str, ...]:
        """What follows `python manage.py`."""
        return (self.command, "--number", str(self.number)) if self.number else (self.command,)


TOWN = Process("town", "the demo's virtual town: its homes post as real ones do")
"""Only in a demo. Nobody depends on it, so it is watched for a crash and nothing else."""

ENGINE = "asterisk"
"""The telephone engine's row in every report: there is one only where Asterisk is."""

PROCESSES = (
    Process("web", "pages, pushes and the open interface", address="ANJU_PORT"),
    Process("gateway", "hears devices and operators' platforms", address="ANJU_GATEWAY_PORT"),
    Process("urgent", "makes an incident of an SOS and its like, before everything else"),
    Process("router", "makes alarms and incidents of what was heard"),
    Process("ticker", "fires the deadlines"),
    Process("worker", "background jobs"),
    Process("switchboard", "handles the calls: queues, seats, conferences"),
    Process("callwatch", "frees calls that a dead or frozen switchboard holds"),
)

SHARED = {"gateway": "ANJU_GATEWAY_PROCESSES"}
"""Whose port several processes share, and the setting that says how many."""


def processes(settings: Mapping[str, str]) -> tuple[Process, ...]:
    """The table, with a row for each process of those that share a port."""
    rows: list[Process] = []
    for process in PROCESSES:
        many = int(settings.get(SHARED.get(process.name, ""), "1"))
        if process.name not in SHARED:
            rows.append(process)
        else:
            rows += [replace(process, name=name_of(process.name, n), number=n) for n in range(1, many + 1)]
    return tuple(rows)


def name_of(name: str, number: int) -> str:
    """What the supervisor calls one of several."""
    return name if number == 1 else f"{name}-{number}"
