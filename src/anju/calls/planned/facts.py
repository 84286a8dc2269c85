"""What planned calls announce."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class PlannedCallOver:
    """A planned call is over. `result` is one of models.RESULTS, `score` 1-5 of a satisfaction call (0: none), `ref` its matter."""

    planned_id: int
    kind: str
    ref: str
    result: str
    score: int
    place: str
