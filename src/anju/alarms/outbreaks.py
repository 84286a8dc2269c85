"""Many homes deaf at once: one outage of a cell, a building, a street, a carrier or a model, not a thousand alarms. Pure.

What may be gathered is only deafness. A home that is heard and silent, an SOS, gas, smoke, a fall, and any silence whose
deadline had passed before the outage began never join: they keep their own alarm and their own speed (SEN-09).
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

LEAST: Final = 8
"""Fewer homes than this are single repairs."""
SHARE: Final = 0.4
"""At least this part of all watched homes of the group must be deaf."""
SPREAD: Final = 3 * 3600.0
"""Seconds within which they must have fallen silent: one cause, one moment (and their reporting periods)."""
KINDS: Final = {
    "cell": "基站",
    "building": "楼栋",
    "model": "型号",
    "firmware": "固件",
    "carrier": "运营商",
    "street": "街道",
}
"""The causes looked for, the most telling first."""

Group = tuple[str, str]
"""(kind, key), e.g. ("cell", "123456")."""


@dataclass(frozen=True, slots=True)
class Deaf:
    """One watched home of which nothing comes: since when (seconds), and the groups that it belongs to."""

    home_id: int
    since: float
    groups: tuple[Group, ...]


@dataclass(frozen=True, slots=True)
class Outbreak:
    """Homes that fell silent together and what they have in common."""

    group: Group
    since: float
    homes: tuple[int, ...]
    of: int


def found(deaf: Sequence[Deaf], totals: Mapping[Group, int]) -> list[Outbreak]:
    """The fewest causes that explain the deaf homes; a home belongs to one of them at most."""
    left = {d.home_id: d for d in deaf}
    outbreaks: list[Outbreak] = []
    while True:
        best: tuple[tuple[float, int, int], Group, list[Deaf]] | None = None
        for group, members in _by_group(left.values()).items():
            together = _together(members)
            total = max(totals.get(group, 0), len(together))
            if len(together) < LEAST or len(together) / total < SHARE:
                continue
            rank = (len(together) * (len(together) / total), -list(KINDS).index(group[0]), len(together))
            if best is None or rank > best[0]:
                best = (rank, group, together)
        if best is None:
            return outbreaks
        _, group, homes = best
        since = min(d.since for d in homes)
        outbreaks.append(Outbreak(group, since, tuple(sorted(d.home_id for d in homes)), totals.get(group, len(homes))))
        for d in homes:
            del left[d.home_id]


def _by_group(deaf: Iterable[Deaf]) -> dict[Group, list[Deaf]]:
    members: dict[Group, list[Deaf]] = defaultdict(list)
    for d in deaf:
        for group in d.groups:
            if group[0] in KINDS and group[1]:
                members[group].append(d)
    return members


def _together(members: list[Deaf]) -> list[Deaf]:
    """The largest part of them that fell silent within SPREAD."""
    ordered = sorted(members, key=lambda d: d.since)
    best: list[Deaf] = []
    start = 0
    for end in range(len(ordered)):
        while ordered[end].since - ordered[start].since > SPREAD:
            start += 1
        if end - start + 1 > len(best):
            best = ordered[start : end + 1]
    return best


def may_join(*, deadline: float | None, outage_since: float) -> bool:
    """A silence whose deadline had passed before the outage began is her own, not the outage's."""
    return deadline is None or deadline >= outage_since
