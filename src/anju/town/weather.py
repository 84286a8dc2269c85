"""What goes wrong between a device and the operator: posts that are lost, late, sent twice or out of order. Pure."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from random import Random
from typing import TypeVar

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Weather:
    """Shares (0-1) of posts that meet a mishap; `late` seconds at most for the late ones."""

    lost: float = 0.002
    twice: float = 0.01
    late_share: float = 0.01
    late: float = 1800.0
    swapped: float = 0.01

    def of(self, post: T, rng: Random, *, precious: bool = False) -> Iterator[tuple[float, T, str]]:
        """(delay in seconds, post, mishap "" | twice | late | swapped). Precious ones (SOS) are never lost and never late."""
        chance = rng.random()
        if precious:
            yield 0.0, post, ""
            if chance < self.twice * 5:
                yield rng.uniform(0.05, 3), post, "twice"
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
