"""Last week's emergencies and repairs, made by the same moves as real ones, each at its own time."""

from __future__ import annotations

from datetime import datetime

from anju.town.people import HomeSeed


def make(seeds: list[HomeSeed], until: datetime) -> int:
    """Nothing yet."""
    return 0
