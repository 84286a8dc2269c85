"""The processes of one gateway: several at one port (the kernel deals connections out among them), told as one.

They share nothing but the database, the spool's folder and a few words in `ANJU_HOME/run`: each writes once a second what
it has counted and how it is, so that whoever is asked for metrics or health can answer for all of them, also for one that
is dead. A process that was started again goes on from its own last words: sums never fall. One of them leads: it holds a
lock that the kernel takes from it when it ends, hears MQTT, and tells the database how lately the sources spoke.
"""

from __future__ import annotations

import fcntl
import logging
import os
import time
from pathlib import Path
from typing import Any

from anju.ops.home import read_json, write_private
from anju.ops.processes import ProcessId, identify
from anju.portals.device_gateway.counters import Counters
from anju.portals.device_gateway.settings import GatewaySettings

FRESH = 5.0  # seconds; whoever said nothing for longer is not up
LANES = 2  # of each process
_ADDED = ("pending", "lanes_ready", "fallback_pages_sent", "fallback_pages_failed")
_WORST = ("disk_full", "commit_age_seconds")
_LASTING = ("fallback_pages_sent", "fallback_pages_failed")  # counted: what a dead process said of them still holds
logger = logging.getLogger("anju.gateway")


def name_of(number: int) -> str:
    """What a process is called, by the supervisor too."""
    return "gateway" if number == 1 else f"gateway-{number}"


class Siblings:
    """This process among its siblings."""

    def __init__(self, settings: GatewaySettings, counters: Counters) -> None:
        self.settings = settings
        self.counters = counters
        self.told: dict[str, int] = {}  # messages of each source that the database knows of; the leader keeps it
        self._folder = settings.home / "run"
        self._me = identify(os.getpid()) or ProcessId(os.getpid(), 0)
        parent = identify(os.getppid())
        self._run = [parent.pid, parent.started] if parent else []  # the supervisor of this very start
        self._lock = -1
        self._written = True
        self.leads = False

    def begin(self) -> None:
        """Go on from what this process said last, if the same supervisor started it."""
        try:
            said = self._said(self.settings.number)
            if said:
                self.counters.add(said["counters"] | {"started": self.counters.started})
        except (LookupError, TypeError, ValueError, AttributeError):
            logger.warning("what this process counted before can't be read: it counts from 0")

    def lead(self) -> bool:
        """Take the lead if nobody has it; whether it is ours."""
        if self.leads:
            return True
        try:
            if self._lock < 0:
                self._folder.mkdir(mode=0o711, parents=True, exist_ok=True)
                self._lock = os.open(self._folder / "gateway.lead", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
            fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        except OSError as error:  # a full disk, say: somebody must hear all the same, and one only
            if self.settings.number > 1:
                return False
            logger.warning("the lead is taken without a lock: %s", error)
        for said in self._all().values():
            for source, count in said.get("told", {}).items():
                self.told[source] = max(self.told.get(source, 0), int(count))
        self.leads = True
        return True

    def end(self, health: dict[str, Any], gauges: dict[str, float]) -> None:
        """Last words; the lead goes to whoever asks next."""
        self.tell(health, gauges, ended=True)
        self.leads = False
        if self._lock >= 0:
            os.close(self._lock)
            self._lock = -1

    # --- words ---

    def tell(self, health: dict[str, Any], gauges: dict[str, float], *, ended: bool = False) -> None:
        """Write down how this process is. A disk that is full must not end it."""
        words = {
            "pid": self._me.pid, "started": self._me.started, "run": self._run, "at": 0.0 if ended else time.monotonic(),
            "counters": self.counters.figures(), "health": health, "gauges": gauges, "told": self.told,
        }  # fmt: skip
        try:
            self._folder.mkdir(mode=0o711, parents=True, exist_ok=True)
            write_private(self._path(self.settings.number), words)
            self._written = True
        except OSError as error:
            if self._written:
                logger.warning("what this process counts can't be written down: %s", error)
            self._written = False

    def _path(self, number: int) -> Path:
        return self._folder / f"{name_of(number)}.json"

    def _said(self, number: int) -> dict[str, Any]:
        """Its last words under this supervisor; empty when there are none."""
        said = read_json(self._path(number))
        return said if said.get("run") == self._run and "counters" in said else {}

    def _all(self) -> dict[int, dict[str, Any]]:
        """Everybody's words by number, this process's own as well."""
        return {number: self._said(number) for number in range(1, self.settings.processes + 1)}

    @staticmethod
    def _up(said: dict[str, Any]) -> bool:
        fresh = 0 <= time.monotonic() - float(said.get("at", 0.0)) < FRESH
        return fresh and ProcessId(int(said["pid"]), int(said["started"])).alive

    def _living(self) -> tuple[dict[int, dict[str, Any]], set[int]]:
        said = self._all()
        return said, {number for number, words in said.items() if words and self._up(words)}

    # --- together ---

    def total(self) -> Counters:
        """What all processes have counted; of the others as of a second ago."""
        others = (words["counters"] for n, words in self._all().items() if words and n != self.settings.number)
        return Counters.sum([self.counters.figures(), *others])

    def metrics(self, health: dict[str, Any], gauges: dict[str, float]) -> str:
        """All processes added up, and each by itself. `health` and `gauges` are this one's."""
        self.tell(health, gauges)  # what was told once is never taken back by a kill
        said, up = self._living()
        up.add(self.settings.number)
        said[self.settings.number] = {"counters": self.counters.figures(), "health": health, "gauges": gauges}
        total = dict(gauges)
        for number, words in said.items():
            if not words or number == self.settings.number:
                continue
            theirs = words["gauges"]
            for name in _ADDED if number in up else _LASTING:
                total[name] += theirs[name]
            if number in up:
                total |= {name: max(total[name], theirs[name]) for name in _WORST}
                total["database_up"] = min(total["database_up"], theirs["database_up"])
                if "mqtt_connected" in theirs:
                    total["mqtt_connected"] = max(total.get("mqtt_connected", 0.0), theirs["mqtt_connected"])
        total["lanes"] = LANES * self.settings.processes
        total |= {"processes": self.settings.processes, "processes_up": len(up)}
        lanes = {n: lane["pending"] for n, lane in self._lanes(said, up).items()}
        known = {str(number): words for number, words in said.items() if words}
        each = {
            "up": {str(number): float(number in up) for number in said},
            "start_timestamp_seconds": {n: w["counters"]["started"] for n, w in known.items()},
            "acked_total": {n: w["counters"]["acked"] for n, w in known.items()},
        }
        counted = Counters.sum(words["counters"] for words in known.values())
        return counted.text(total, lanes, each)

    @staticmethod
    def _lanes(said: dict[int, dict[str, Any]], up: set[int]) -> dict[str, dict[str, Any]]:
        return {
            label if number == 1 else f"{label}-{number}": lane
            for number, words in said.items() if number in up
            for label, lane in words["health"]["lanes"].items()
        }  # fmt: skip

    def health(self, own: dict[str, Any]) -> dict[str, Any]:
        """How the gateway is as a whole. A process that is dead or deaf makes it degraded: the others hear for it."""
        said, up = self._living()
        up.add(self.settings.number)
        said[self.settings.number] = {"health": own}
        told = [said[number]["health"] for number in sorted(up)]
        well = len(up) == self.settings.processes and all(h["status"] == "ok" for h in told)
        pages = [h["fallback"] for h in told]
        return own | {
            "status": own["status"] if well or own["status"] == "down" else "degraded",
            "database": all(h["database"] for h in told),
            "spool": own["spool"] | {"disk_full": any(h["spool"]["disk_full"] for h in told)},
            "fallback": own["fallback"] | {what: sum(p[what] for p in pages) for what in ("sent", "failed")},
            "pending": sum(h["pending"] for h in told),
            "lanes": self._lanes(said, up),
            "mqtt": any(h["mqtt"] for h in told) if self.settings.mqtt_url else None,
            "processes": [
                {"number": n, "up": n in up, "status": said[n]["health"]["status"] if n in up else "gone"} for n in said
            ],
        }
