"""Health readings against a person's limits (SEN-07): kept, judged, asked to repeat, or an alarm that a person takes.

The alarm opens a case, and with it her contacts are told as for every other. Only a doctor's limits are personal.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, Final

from django.db import transaction

from anju.accounts.permissions import must
from anju.alarms import actions, measures
from anju.alarms.facts import RepeatAsked
from anju.alarms.measures import MEASURES, Before, Limits
from anju.alarms.more_models import HealthLimit, HealthReading
from anju.alarms.rules import PLATFORM, RULES
from anju.devices.queries import DeviceInfo
from anju.elders import queries as elders
from anju.kernel import audit, clock
from anju.kernel.changes import changed
from anju.kernel.facts import announce
from anju.kernel.flow.actor import Actor
from anju.signals.signal import Heard

if TYPE_CHECKING:
    from anju.elders.models import Elder

TOO_OLD: Final = timedelta(hours=24)
"""A value that arrives later is kept and raises nothing: it tells of yesterday."""
QUIET_FOR: Final = timedelta(minutes=30)
"""A second alarm of the same measure within this time is the same one."""


def hear(batch: Iterable[tuple[Heard, DeviceInfo | None]]) -> int:
    """Readings of a batch; answers how many were new."""
    found = 0
    for heard, device in batch:
        if device is None or device.home_id is None or device.status != "installed" or heard.source == PLATFORM:
            continue
        values = [(s.at, *v) for s in heard.signals or () if s.kind == "reading" and (v := _value(s.value))]
        elder = elders.main_elder(device.home_id) if values else None
        if elder is None or not elders.covered(elder.pk, "monitor"):
            continue
        test = device.in_test(heard.received_at)
        for at, measure, value in sorted(values):
            found += take(elder=elder, measure=measure, value=value, at=at, device_id=device.id, quiet=test) is not None
    return found


def _value(told: Any) -> tuple[str, float] | None:
    try:
        measure, value = str(told["measure"]), float(told["value"])
    except (TypeError, KeyError, ValueError):
        return None
    return (measure, value) if measure in MEASURES and math.isfinite(value) else None


@transaction.atomic
def take(
    *, elder: Elder, measure: str, value: float, at: datetime, device_id: int | None = None, quiet: bool = False
) -> HealthReading | None:
    """One measured value; None when it is known already. It is judged with those around it, in whatever order they come."""
    known = MEASURES[measure]
    if HealthReading.objects.filter(elder=elder, measure=measure, at=at).exists():
        return None
    span = timedelta(hours=known.within)
    around = HealthReading.objects.filter(elder=elder, measure=measure, at__gte=at - span, at__lte=at + span)
    before = [Before(t.timestamp(), v) for t, v in around.values_list("at", "value")]
    verdict = measures.judge(known, value, at.timestamp(), before, limits_of(elder.pk, measure))
    row = HealthReading.objects.create(
        elder=elder, home_id=elder.home_id, place=elder.home.place, device_id=device_id, measure=measure, value=value, at=at,
        verdict=verdict.kind, words=verdict.words[:120],
    )  # fmt: skip
    if not quiet and clock.now() - at <= TOO_OLD:
        _act(row, elder)
    changed("home", elder.home_id, row.place)
    return row


def _act(row: HealthReading, elder: Elder) -> None:
    if row.verdict == HealthReading.Verdict.ALARM:
        said = HealthReading.objects.filter(
            elder=elder, measure=row.measure, verdict=HealthReading.Verdict.ALARM, at__gt=row.at - QUIET_FOR, at__lt=row.at + QUIET_FOR,
        ).exclude(pk=row.pk)  # fmt: skip
        if not said.exists():
            actions.raise_or_join(
                rule=RULES["health"], at=row.at, received_at=clock.now(), source=PLATFORM, place=row.place, home_id=row.home_id,
                device_id=row.device_id, note=f"{elder.name}{row.words}",
            )  # fmt: skip
    elif row.verdict in {HealthReading.Verdict.REPEAT, HealthReading.Verdict.OFF}:
        announce(RepeatAsked(row.home_id, elder.pk, row.place, f"{elder.name}{row.words}"))


def limits_of(elder_id: int, measure: str) -> Limits:
    """Her own limits of this measure."""
    row = HealthLimit.objects.filter(elder_id=elder_id, measure=measure).first()
    return Limits(row.low, row.high) if row is not None else Limits()


@transaction.atomic
def set_limit(
    *, elder_id: int, measure: str, low: float | None, high: float | None, why: str, by: Actor
) -> HealthLimit:
    """A doctor's limits for this person. ValueError says in Chinese what can't be."""
    must(by, "health.limit")
    elder = elders.elder(elder_id)
    if elder is None:
        raise ValueError("没有这份档案")
    if wrong := measures.fault(measure, low, high):
        raise ValueError(wrong)
    if not why.strip():
        raise ValueError("请写依据，如医生的意见")
    row, _ = HealthLimit.objects.update_or_create(
        elder_id=elder_id, measure=measure,
        defaults={
            "place": elder.home.place, "low": low, "high": high, "set_by": by.name, "why": why.strip()[:200], "set_at": clock.now(),
        },
    )  # fmt: skip
    _audit(elder, "health.limit", measure, why)
    return row


@transaction.atomic
def end_limit(*, elder_id: int, measure: str, by: Actor) -> bool:
    """The usual limits hold again; False when there were no others."""
    must(by, "health.limit")
    elder = elders.elder(elder_id)
    gone, _ = HealthLimit.objects.filter(elder_id=elder_id, measure=measure).delete()
    if gone and elder is not None:
        _audit(elder, "health.limit_ended", measure, "恢复常用阈值")
    return bool(gone)


def _audit(elder: Elder, what: str, measure: str, why: str) -> None:
    audit.record(
        what, subject="elder", subject_id=str(elder.pk), place=elder.home.place, reason=why[:200], detail={"measure": measure}
    )  # fmt: skip
    changed("home", elder.home_id, elder.home.place)


@dataclass(frozen=True, slots=True)
class MeasureView:
    """One measure of a person: her limits and what was measured last."""

    code: str
    label: str
    unit: str
    low: float | None
    high: float | None
    personal: bool
    last: HealthReading | None


def of_elder(elder_id: int) -> list[MeasureView]:
    """The measures of which she has readings or limits of her own, in the usual order."""
    last = {r.measure: r for r in HealthReading.objects.filter(elder_id=elder_id).order_by("at")}
    own = {r.measure: r for r in HealthLimit.objects.filter(elder_id=elder_id)}
    found = []
    for code, known in MEASURES.items():
        if code in last or code in own:
            limits = Limits(own[code].low, own[code].high) if code in own else Limits()
            low, high = measures.bounds(known, limits)
            found.append(MeasureView(code, known.label, known.unit, low, high, code in own, last.get(code)))
    return found
