"""The population's rhythm for each placement of the motion sensor, learnt from the homes that are watched (cold start).

The hand-set table is the start; once enough homes with a sensor in the same room have taught for two weeks, their pooled
table is what a new home begins with. Sums only: no home can be told from it.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Any, Final

from django.db import transaction

from anju.alarms import replay, rhythm
from anju.alarms.models import HomeRhythm, HomeWatch
from anju.alarms.more_models import PlacementPrior
from anju.alarms.rhythm import Prior, Rhythm
from anju.kernel import audit, clock

_log = logging.getLogger(__name__)
ALL: Final = replay.ALL
MANY: Final = replay.MANY
NONE: Final = "仅门"
"""And of one that has a door contact only."""
LEAST_HOMES: Final = 100
"""Fewer homes would tell more of themselves than of a population."""
MOST_HOMES: Final = 2000
"""So many are pooled at most, the ones that learnt longest."""
LEAST_DAYS: Final = timedelta(days=14)
FRESH: Final = 600.0
"""Seconds after which a process looks again whether a new table was learnt."""


class _Kept:
    """The tables of this process."""

    def __init__(self) -> None:
        self.tables: dict[str, Prior] = {}
        self.read_at = -FRESH


_kept: Final = _Kept()


def of(placement: str) -> Prior:
    """The prior of homes with this placement: the room's own, else that of all, else the hand-set one."""
    if time.monotonic() - _kept.read_at >= FRESH:
        reload()
    return _kept.tables.get(placement) or _kept.tables.get(ALL) or rhythm.generic()


def reload() -> None:
    """Read the tables anew; one that can't be read is left out, and its homes use the next best."""
    tables: dict[str, Prior] = {}
    for row in PlacementPrior.objects.all():
        try:
            tables[row.placement] = replay.prior_from(f"{row.placement}@{row.learnt_at:%Y%m%d%H%M}", row.table)
        except (ValueError, KeyError, TypeError):
            _log.exception("the population's rhythm of %s can't be read", row.placement)
    _kept.tables, _kept.read_at = tables, time.monotonic()


def placement_of(positions: Sequence[str]) -> str:
    """The placement of a home by the positions of its motion sensors."""
    known = {p for p in positions if p}
    return known.pop()[:20] if len(known) == 1 else MANY if positions else NONE


def learn(*, least: int = LEAST_HOMES) -> dict[str, int]:
    """Pool what the watched homes have taught, by placement; answers how many homes each table rests on."""
    ripe = HomeWatch.objects.filter(watched=True, first_at__lte=clock.now() - LEAST_DAYS)
    placements = sorted({p for p in ripe.values_list("placement", flat=True).distinct() if p})
    found = {}
    for placement in (*placements, ALL):
        homes = ripe if placement == ALL else ripe.filter(placement=placement)
        ids = list(homes.order_by("first_at").values_list("home_id", flat=True)[:MOST_HOMES])
        if len(ids) < least:
            continue
        learnt = _read(ids)
        if len(learnt) >= least:
            _store(placement, learnt)
            found[placement] = len(learnt)
    reload()
    return found


def _read(ids: Sequence[int]) -> list[Rhythm]:
    today, found = clock.today().toordinal(), []
    for packed in HomeRhythm.objects.filter(home_id__in=ids).values_list("packed", flat=True).iterator(500):
        try:
            found.append(Rhythm.unpack(bytes(packed), today=today))
        except ValueError:
            continue
    return found


def _store(placement: str, learnt: Sequence[Rhythm]) -> None:
    pooled = replay.merged(learnt, placement, rhythm.generic())
    days = sum(max(1, r.day - r.first_day) for r in learnt)
    PlacementPrior.objects.update_or_create(
        placement=placement,
        defaults={
            "homes": len(learnt), "days": days, "table": replay.table_of(pooled), "learnt_at": clock.now(), "source": "live",
        },
    )  # fmt: skip


@transaction.atomic
def load(
    data: Mapping[str, Any], *, source: str, placed: Mapping[str, str] | None = None
) -> list[tuple[str, int, int]]:
    """Take the tables of a file made by `anju rhythm prior`; answers (placement, homes, days) of each. ValueError, KeyError or
    TypeError when one is damaged: then none is taken. `placed`: a room of the file → the placement as devices tell it.
    """
    tables = replay.priors_from(data)
    found = []
    for room, prior in tables.items():
        placement, told = (placed or {}).get(room, room).strip(), data["placements"][room]
        if not 0 < len(placement) <= 20:
            raise ValueError(f"位置「{placement[:30]}」须有 1 到 20 个字")
        homes, days = int(told.get("homes", 0)), int(told.get("days", 0))
        if homes < 1 or days < 1:
            raise ValueError(f"「{placement}」没有写明学自几户几天")
        PlacementPrior.objects.update_or_create(
            placement=placement,
            defaults={
                "homes": homes, "days": days, "table": replay.table_of(prior), "learnt_at": clock.now(), "source": source[:60],
            },
        )  # fmt: skip
        found.append((placement, homes, days))
    audit.record(
        "rhythm.prior", subject="prior", subject_id=str(data["name"])[:40], reason=source[:200],
        detail={place: homes for place, homes, _ in found},
    )  # fmt: skip
    reload()
    return found
