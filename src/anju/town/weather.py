"""What goes wrong between a device and the operator: posts that are lost, late, sent twice or out of order; cells that are
late or dark together. Pure; the same seed gives the same weather.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from random import Random
from typing import TypeVar

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Weather:
    """Shares (0-1) of posts that meet a mishap; `late` seconds at most for the late ones.

    `cell_late` = share of the hours in which all that a cell carries is 10 to 180 minutes late; `dark` = share of the days on
    which a cell is dark for 2 to 8 hours. Half of what is sent into the dark comes afterwards, the rest is lost.
    """

    lost: float = 0.002
    twice: float = 0.01
    late_share: float = 0.01
    late: float = 1800.0
    swapped: float = 0.01
    cell_late: float = 0.01
    dark: float = 0.01

    def of(
        self, post: T, rng: Random, *, precious: bool = False, cell: int = 0, hour: float = 0.0, speed: float = 1.0
    ) -> Iterator[tuple[float, T, str]]:
        """(delay in seconds, post, mishap "" | twice | late | swapped | cell). Precious ones (SOS) are never lost and never late.

        `hour` = simulated hours since the start; the delays of a cell pass `speed` times faster.
        """
        chance = rng.random()
        if precious:
            yield 0.0, post, ""
            if chance < self.twice * 5:
                yield rng.uniform(0.05, 3), post, "twice"
            return
        together = self.together(cell, hour)
        if together > 0:
            if together < HELD or rng.random() < 0.5:
                yield together % HELD * 3600 / speed + rng.uniform(0, 20), post, "cell"
            return
        if chance < self.lost:
            return
        chance -= self.lost
        if chance < self.twice:
            yield 0.0, post, ""
            yield rng.uniform(0.1, 30), post, "twice"
        elif chance < self.twice + self.late_share:
            yield rng.uniform(60, self.late), post, "late"
        elif chance < self.twice + self.late_share + self.swapped:
            yield rng.uniform(2, 20), post, "swapped"
        else:
            yield 0.0, post, ""

    def together(self, cell: int, hour: float) -> float:
        """Hours that everything of this cell is held back at that hour (above `HELD`: dark, and half of it is lost)."""
        if not cell:
            return 0.0
        day = Random(f"{cell}/{int(hour // 24)}/dark")
        if day.random() < self.dark:
            begin = day.uniform(0, 16)
            end = begin + day.uniform(2, 8)
            if begin <= hour % 24 < end:
                return HELD + end - hour % 24
        late = Random(f"{cell}/{int(hour)}/late")
        return late.uniform(10, 180) / 60 if late.random() < self.cell_late else 0.0


HELD = 100.0
"""Added to the hours of a dark cell, so that they are told from those of a late one."""
