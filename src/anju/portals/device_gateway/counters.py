"""What the gateway counts, and how it tells: prometheus text and the health answer."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, fields
from typing import Any, Self


@dataclass(slots=True)
class Counters:
    """Counted since the platform was started: a process that was started again goes on from where it was (`family`)."""

    received: Counter[str] = field(default_factory=Counter)  # messages by source
    urgent: int = 0
    acked: int = 0  # messages whose sender was told that they are safe
    spooled: int = 0
    replayed: int = 0
    undecodable: Counter[str] = field(default_factory=Counter)
    rejected: Counter[str] = field(default_factory=Counter)  # requests by reason
    commits: int = 0
    copied: int = 0
    unknown_commits: int = 0
    poisoned: int = 0  # rows that the database refused and that were stored in a plainer form
    last_heard: dict[str, float] = field(default_factory=dict)  # wall clock by source
    started: float = field(default_factory=time.time)

    def figures(self) -> dict[str, Any]:
        """All of it, for JSON."""
        return {f.name: getattr(self, f.name) for f in fields(self)}

    def add(self, figures: Mapping[str, Any]) -> None:
        """Count what another process (or this one before it died) has counted as well."""
        for source, at in figures["last_heard"].items():
            self.last_heard[source] = max(self.last_heard.get(source, 0.0), float(at))
        self.started = min(self.started, float(figures["started"]))
        for name in (f.name for f in fields(self) if f.name not in {"last_heard", "started"}):
            if isinstance(figures[name], dict):
                getattr(self, name).update(figures[name])  # a Counter adds
            else:
                setattr(self, name, getattr(self, name) + int(figures[name]))

    @classmethod
    def sum(cls, many: Iterable[Mapping[str, Any]]) -> Self:
        """Of several processes."""
        total = cls()
        for figures in many:
            total.add(figures)
        return total

    def text(
        self, gauges: dict[str, float], lanes: dict[str, float], processes: Mapping[str, dict[str, float]] | None = None
    ) -> str:
        """Prometheus's text format. `processes`: figures of each single process by its number."""
        lines: list[str] = []

        def family(name: str, kind: str, meaning: str, values: dict[str, float]) -> None:
            lines.append(f"# HELP anju_gateway_{name} {meaning}")
            lines.append(f"# TYPE anju_gateway_{name} {kind}")
            lines.extend(f"anju_gateway_{name}{label} {value:.10g}" for label, value in values.items())

        def by(label: str, values: dict[str, int] | dict[str, float]) -> dict[str, float]:
            return {f'{{{label}="{key}"}}': float(value) for key, value in values.items()}

        family("received_total", "counter", "Messages received and authenticated.", by("source", self.received))
        family("acked_total", "counter", "Messages whose sender was told that they are safe.", {"": self.acked})
        family("urgent_total", "counter", "Messages on the urgent lane.", {"": self.urgent})
        family("spooled_total", "counter", "Messages written to the local spool.", {"": self.spooled})
        family("replayed_total", "counter", "Spooled messages that reached the database.", {"": self.replayed})
        family(
            "undecodable_total",
            "counter",
            "Messages kept raw that nobody could decode.",
            by("source", self.undecodable),
        )
        family("rejected_total", "counter", "Requests refused, by reason.", by("reason", self.rejected))
        family("commits_total", "counter", "Group commits.", {"": self.commits})
        family("copied_total", "counter", "Messages in group commits.", {"": self.copied})
        family("unknown_commits_total", "counter", "Commits whose outcome had to be asked.", {"": self.unknown_commits})
        family(
            "poisoned_total",
            "counter",
            "Rows stored in a plainer form because the database refused them.",
            {"": self.poisoned},
        )
        family("last_message_timestamp_seconds", "gauge", "Last message of a source.", by("source", self.last_heard))
        family("start_timestamp_seconds", "gauge", "Start of the oldest process.", {"": self.started})
        for name, value in gauges.items():
            family(name, "gauge", name.replace("_", " ").capitalize() + ".", {"": value})
        family("lane_pending", "gauge", "Messages waiting on a lane.", by("lane", lanes))
        for name, values in (processes or {}).items():
            kind = "counter" if name.endswith("_total") else "gauge"
            family(f"process_{name}", kind, f"Of each process: {name.replace('_', ' ')}.", by("process", values))
        return "\n".join(lines) + "\n"
