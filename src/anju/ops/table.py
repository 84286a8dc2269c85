"""The processes of the platform: a table. The supervisor knows nothing else about them."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Process:
    """One process: what it is called, what it does, how it shows that it works.

    `address` names the setting with its port when it answers `GET /healthz`; without one it beats (ops.heartbeat).
    """

    name: str
    purpose: str
    address: str = ""

    @property
    def arguments(self) -> tuple[str, ...]:
        """What follows `python manage.py`."""
        return (self.name,)


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
