"""Second witnesses of a home: water, electricity, gas and calls – only while a signed consent covers them (SEN-04).

Without it a reading is not kept, counts for nothing, and the home's page says so. With it: a tap that runs is a sign of
life; one silent sensor sends a call, two silent witnesses send a person; a gas meter that leaks is an emergency.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final

from django.db import transaction

from anju.alarms import actions, states, storms, witness
from anju.alarms.models import HomeWatch
from anju.alarms.more_models import HomeWitness
from anju.alarms.rules import PLATFORM, RULES, Rule
from anju.alarms.vigil import GRACE, Raised
from anju.devices.queries import DeviceInfo
from anju.elders import queries as elders
from anju.kernel import audit, clock
from anju.kernel.changes import changed
from anju.kernel.scope import EVERYWHERE, seen_by
from anju.signals.signal import Heard

SCOPES: Final = {"water": "meters", "power": "meters", "gasuse": "meters", "phone_use": "calls"}
"""Kind of reading → scope of the consent that must cover it."""
LABELS: Final = {"water": "用水", "power": "用电", "gasuse": "用气", "phone_use": "通话"}
NO_CONSENT: Final = {
    "meters": "未签用水、用电、燃气数据的同意，收到的读数不保存、不采用", "calls": "未签电话话单的同意，收到的话单不保存、不采用",
}  # fmt: skip
CALL_LEAST: Final = 5.0
"""Seconds that a call lasts before it proves anything."""
AGAIN: Final = timedelta(hours=1)
TWO: Final = 7


@dataclass(frozen=True, slots=True)
class Reading:
    """One reading: a meter's total (m³, kWh), or the seconds that a call lasted."""

    kind: str
    at: datetime
    value: float
    device_id: int | None = None


def allowed(home_id: int, kind: str) -> bool:
    """Whether a signed consent of the person living there covers this kind of reading today, and she is in service."""
    elder = elders.main_elder(home_id)
    return elder is not None and elders.covered(elder.pk, SCOPES[kind]) and "monitor" in elders.services_for(elder.pk)


def withheld(kind: str, home_id: int | None) -> str:
    """Why the value of a reading may not even be kept with its signal; empty when it may, or when it is no such reading."""
    if kind not in SCOPES or (home_id is not None and allowed(home_id, kind)):
        return ""
    return NO_CONSENT[SCOPES[kind]]


def hear(batch: Iterable[tuple[Heard, DeviceInfo | None]]) -> int:
    """Readings of a batch; answers how many were taken. Those without a consent are not kept."""
    by_home: dict[int, list[Reading]] = {}
    for heard, device in batch:
        if device is None or device.home_id is None or device.status != "installed" or heard.source == PLATFORM:
            continue
        if device.in_test(heard.received_at):
            continue
        for s in heard.signals or ():
            if s.kind in SCOPES and isinstance(s.value, int | float) and not isinstance(s.value, bool):
                by_home.setdefault(device.home_id, []).append(Reading(s.kind, s.at, float(s.value), device.id))
    return sum(len(take(home_id=home_id, readings=by_home[home_id])[0]) for home_id in sorted(by_home))


@transaction.atomic
def take(*, home_id: int, readings: Iterable[Reading]) -> tuple[list[Reading], list[tuple[Reading, str]]]:
    """Take readings of one home: those that are news, and those that are refused with the reason. A repeated one is neither."""
    taken: list[Reading] = []
    refused: list[tuple[Reading, str]] = []
    home = elders.home(home_id)
    may = {kind: home is not None and allowed(home_id, kind) for kind in {r.kind for r in readings}}
    for reading in sorted(readings, key=lambda r: (r.kind, r.at)):
        if home is None or not may[reading.kind]:
            refused.append((reading, NO_CONSENT[SCOPES[reading.kind]]))
            continue
        try:
            if _take(home_id, home.place, reading):
                taken.append(reading)
        except witness.Odd as odd:
            refused.append((reading, str(odd)))
    return taken, refused


def _take(home_id: int, place: str, reading: Reading) -> bool:
    row = HomeWitness.objects.select_for_update(of=("self",)).filter(home_id=home_id, kind=reading.kind).first()
    if row is None:
        row = HomeWitness(home_id=home_id, place=place, kind=reading.kind, heard_at=reading.at)
    at, lived = reading.at.timestamp(), None
    if reading.kind == "phone_use":
        new = [at, reading.value] not in row.series
        row.series = (
            [p for p in sorted([*row.series, [at, reading.value]]) if p[0] > at - witness.KEPT_FOR][-50:]
            if new
            else row.series
        )
        lived = at if new and reading.value >= CALL_LEAST else None
    else:
        newest = not row.series or at > row.series[-1][0]
        series, new = witness.with_reading([(t, v) for t, v in row.series], at, reading.value)
        row.series = [list(p) for p in series]
        lived = witness.use_at(reading.kind, series) if new and newest else None
    if not new:
        return False
    row.heard_at, row.device_id = max(row.heard_at, reading.at), reading.device_id or row.device_id
    row.look_at = clock.now()
    if lived is not None:
        row.last_use_at = max(row.last_use_at or reading.at, datetime.fromtimestamp(lived, UTC))
    row.save()
    if lived is not None:
        what = LABELS[reading.kind]
        states.alive(
            home_id=home_id, at=datetime.fromtimestamp(lived, UTC), what=what, told=reading.kind == "phone_use"
        )  # fmt: skip
    return True


def drop_unconsented(home_id: int) -> int:
    """A consent that lapsed or was taken back: what was kept under it goes. Answers how many witnesses fell silent."""
    kinds = [k for k in SCOPES if not allowed(home_id, k)]
    gone, _ = HomeWitness.objects.filter(home_id=home_id, kind__in=kinds).delete()
    if gone:
        home = elders.home(home_id)
        audit.record("witness.dropped", subject="home", subject_id=str(home_id), place=home.place if home else "",
                     reason="没有有效的同意", detail={"kinds": kinds})  # fmt: skip
    return gone


# ---- what they say


def silent_since(home_id: int, since: float, now: float) -> str:
    """Which second witness shares a silence that began at `since`, in words that end in a full stop; "" when none does."""
    found = []
    for row in HomeWitness.objects.filter(home_id=home_id):
        series = [(t, v) for t, v in row.series]
        if (
            not series
            or row.kind == "phone_use"
            or series[-1][0] < since + 2 * witness.HOUR
            or not allowed(home_id, row.kind)
        ):
            continue
        if row.kind == "water" and witness.dry(series, now) == "12h":
            found.append("近 12 小时用水不足 0.01 立方米")
        elif row.kind == "power" and witness.idle(series, now):
            found.append("近 12 小时用电只有待机")
    return f"两项佐证都无动静：{'；'.join(found)}。" if found else ""


def agree(row: HomeWatch, raised: Raised) -> str:
    """The words of a second witness that shares this silence (two witnesses send a person); "" when none does."""
    return "" if row.mode else silent_since(row.home_id, raised.silent_since, raised.at)


# ---- what they raise by themselves


def sweep(limit: int = 500) -> int:
    """Judge the meters that were read since; answers how many alarms that raised."""
    now, done = clock.now(), 0
    ids = list(HomeWitness.objects.filter(look_at__lte=now).order_by("look_at").values_list("pk", flat=True)[:limit])
    for pk in ids:
        with transaction.atomic():
            rows = HomeWitness.objects.select_for_update(skip_locked=True, of=("self",))
            row = rows.filter(pk=pk, look_at__lte=now).first()
            if row is not None:
                row.look_at = None
                done += _judge(row, now) if allowed(row.home_id, row.kind) else 0
                row.save(update_fields=["look_at", "raised"])
    return done


def _judge(row: HomeWitness, now: datetime) -> int:
    series, at = [(t, v) for t, v in row.series], now.timestamp()
    watch = HomeWatch.objects.filter(home_id=row.home_id).first()
    found: dict[str, tuple[Rule, str]] = {}
    if row.kind == "water":
        if much := witness.burst(series, at):
            found["burst"] = (
                RULES["leak"],
                f"一天用水 {much:.1f} 立方米，超过 {witness.BURST:.0f} 立方米，疑似爆管或水龙头未关",
            )
        elif witness.seeps(series):
            found["seep"] = (RULES["leak"], "近 24 小时每半小时都有水流，疑似漏水或水龙头未关")
        words = _dry(row, series, watch, at)
        if words:
            found["dry"] = words
    elif row.kind == "gasuse" and witness.gas_leaks(series):
        found["leak"] = (RULES["gas"], "燃气表近 24 小时每半小时都有均匀流量，疑似燃气泄漏")
    elif row.kind == "power" and (words := _idle(row, series, watch, at)):
        found["dry"] = words
    done = 0
    for name, (rule, text) in found.items():
        if name not in row.raised:
            actions.raise_or_join(
                rule=rule, at=row.heard_at, received_at=now, source=PLATFORM, place=row.place, home_id=row.home_id,
                device_id=row.device_id, note=text,
            )  # fmt: skip
            changed("home", row.home_id, row.place)
            done += 1
    row.raised = sorted(found)
    return done


def _dry(row: HomeWitness, series: witness.Series, watch: HomeWatch | None, now: float) -> tuple[Rule, str] | None:
    """No water for half a day (or a day) and no other sign of life in that time: two witnesses, or one of a deaf home."""
    span = {"12h": 12.0, "day": 24.0}.get(witness.dry(series, now))
    if span is None:
        return None
    text = f"近 {span:.0f} 小时用水不足 {witness.DRY} 立方米"
    return _nobody(row.home_id, watch, series[-1][0] - span * witness.HOUR, series[-1][0], now, text)


def _idle(row: HomeWitness, series: witness.Series, watch: HomeWatch | None, now: float) -> tuple[Rule, str] | None:
    if not witness.idle(series, now):
        return None
    return _nobody(row.home_id, watch, series[-1][0] - 12 * witness.HOUR, series[-1][0], now, "近 12 小时用电只有待机")


def _nobody(
    home_id: int, watch: HomeWatch | None, since: float, until: float, now: float, text: str
) -> tuple[Rule, str] | None:
    if watch is None or not watch.watched or watch.mode or storms.holds(home_id):
        return None
    if watch.paused_until is not None and watch.paused_until.timestamp() > now:
        return None
    if watch.last_life_at is not None and watch.last_life_at.timestamp() > since:
        return None
    rule = RULES["inactivity"]
    heard = watch.heard_until is not None and now - watch.heard_until.timestamp() <= 2 * watch.period + GRACE
    if heard or until - since >= 24 * witness.HOUR:
        both = "传感器也没有活动" if heard else "传感器听不到"
        return Rule(rule.kind, rule.label, TWO if heard else rule.priority, rule.dty, rule.stc), f"{text}，{both}"
    return None


@dataclass(frozen=True, slots=True)
class WitnessView:
    """One kind of second witness on the home's page."""

    kind: str
    label: str
    allowed: bool
    words: str
    heard_at: datetime | None


def of_home(home_id: int) -> list[WitnessView]:
    """All kinds, with what was read lately or why nothing is kept."""
    rows = {r.kind: r for r in HomeWitness.objects.filter(home_id=home_id)}
    found, now = [], clock.now().timestamp()
    with seen_by(EVERYWHERE):
        may = {kind: allowed(home_id, kind) for kind in SCOPES}
    for kind, scope in SCOPES.items():
        row = rows.get(kind)
        if not may[kind] or row is None:
            found.append(
                WitnessView(kind, LABELS[kind], may[kind], "还没有读数" if may[kind] else NO_CONSENT[scope], None)
            )
            continue
        series = [(t, v) for t, v in row.series]
        last = witness.used(series, series[-1][0] - witness.DAY, series[-1][0]) if len(series) > 1 else None
        unit = {"water": "立方米", "gasuse": "立方米", "power": "度"}.get(kind, "")
        words = f"最近一天 {last:.2f} {unit}" if last is not None and unit else f"近 8 天 {len(series)} 条"
        if kind == "water" and witness.dry(series, now):
            words += "，几乎没有用水"
        found.append(WitnessView(kind, LABELS[kind], may[kind], words, row.heard_at))
    return found
