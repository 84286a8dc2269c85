"""The figures of the call centre (一键通指南 二, 三(四)3(2)): definitions, counting, and how it stands now.

`report(chosen, by)` gives counts by group; `KPIS[name].of(counts)` the figure; `live(place)` the wall.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from anju.calls.kpis.counting import By, Chosen, Line
from anju.calls.kpis.days import lines, seats
from anju.calls.kpis.definitions import KPIS, Counts, Kpi
from anju.calls.kpis.live import Live, LiveQueue, live
from anju.kernel import clock

__all__ = ["KPIS", "By", "Chosen", "Counts", "Kpi", "Line", "Live", "LiveQueue", "Report", "lines", "live", "report"]


@dataclass(frozen=True, slots=True)
class Report:
    """Counts by group and of all; of agents and seats the total counts calls, not ringings."""

    lines: list[Line]
    total: Counts


def report(chosen: Chosen, by: By) -> Report:
    """What was asked for, with the seats' busy and present time where the groups are agents, seats or all."""
    now = clock.now()
    found = lines(chosen, by)
    whole = next(iter(lines(chosen, "all")), Line("", "", Counts())).counts
    whole += seats(chosen, "all", now).get("", Counts())
    if by in {"user", "seat"}:
        present = seats(chosen, by, now)
        known = {line.key for line in found}
        found = [replace(line, counts=line.counts + present.get(line.key, Counts())) for line in found]
        found += [Line(key, "", counts) for key, counts in sorted(present.items()) if key not in known]
    return Report(found, whole)
