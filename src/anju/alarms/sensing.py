"""The watch over all homes: life signs of a batch go to the homes' rows, and the clock sweeps what is due.

The writer of `HomeWatch` and `HomeRhythm` (with `states`, for what people tell). `hear` runs inside the router's transaction, after the
vitals: a message that is settled has been counted as a life sign, and one that is routed again has not. Rows are locked
in the order of their homes, everywhere.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from django.db import transaction

from anju.alarms import actions, explaining, queries, rhythm, storms
from anju.alarms.facts import ElderAsked
from anju.alarms.models import HomeRhythm, HomeWatch
from anju.alarms.rules import PLATFORM, RULES
from anju.alarms.vigil import Ear, Raised, Report, Sign, Vigil
from anju.devices import queries as devices
from anju.devices.queries import DeviceInfo
from anju.elders import queries as elders
from anju.kernel import audit, clock
from anju.kernel.changes import changed
from anju.kernel.facts import announce
from anju.kernel.scope import EVERYWHERE, seen_by
from anju.signals import queries as signals
from anju.signals.signal import Heard

_log = logging.getLogger(__name__)
LIFE: Final = {
    "motion": "活动",
    "door_open": "开门",
    "door_closed": "关门",
    "sos": "呼救",
    "help": "一键呼叫",
    "bed": "床上活动",
}
"""Kinds of signals that prove that somebody is there."""
SENSORS: Final = frozenset({"motion", "door", "bed"})
"""Kinds of devices whose silence counts: a message of them says how far the home was heard."""
DOORS: Final = frozenset({"door_open", "door_closed"})
AT_ONCE: Final = 200
NO_CONSENT: Final = "没有有效的监测同意"
NO_SENSOR: Final = "没有活动或门磁传感器"
HISTORY: Final = timedelta(days=30)
NOT_YET: Final = "刚听到，正在核对同意和设备"
"""A home that is heard for the first time: the next sweep looks whether it may be watched."""


@dataclass(frozen=True, slots=True)
class Heeded:
    """One message as the homes hear it."""

    device: DeviceInfo
    heard: Heard


def hear(messages: Iterable[tuple[Heard, DeviceInfo | None]], *, give_way: bool = False) -> int:
    """Count the life signs of a batch; answers how many homes were heard.

    `give_way`: the urgent reader must not wait for a row that a telemetry batch holds; that batch counts its own signs.
    """
    by_home: dict[int, list[Heeded]] = {}
    for heard, device in messages:
        if device is not None and device.home_id is not None and _counts(heard, device):
            by_home.setdefault(device.home_id, []).append(Heeded(device, heard))
    if not by_home:
        return 0
    rows = _rows({h: by_home[h][0].device.place for h in sorted(by_home)}, give_way=give_way)
    taught: list[HomeRhythm] = []
    learnt = learnt_of(rows)
    for row in rows:
        watch = Watch.of(row, learnt.get(row.home_id))
        for said in sorted(by_home[row.home_id], key=lambda s: s.heard.received_at):
            watch.hear(said)
        taught += watch.store()
    save(rows, taught)
    return len(rows)


def _counts(heard: Heard, device: DeviceInfo) -> bool:
    if device.status != "installed" or not heard.signals or heard.source == PLATFORM:
        return False
    if device.in_test(heard.received_at):
        return False
    return device.kind in SENSORS or any(s.kind in LIFE for s in heard.signals)


def _rows(home_ids: Mapping[int, str], *, give_way: bool) -> list[HomeWatch]:
    wanted = HomeWatch.objects.select_for_update(skip_locked=give_way, of=("self",)).filter(home_id__in=list(home_ids))
    rows = list(wanted.order_by("home_id"))
    missing = {h: place for h, place in home_ids.items() if h not in {r.home_id for r in rows}}
    if missing and not give_way:
        HomeWatch.objects.bulk_create(
            [HomeWatch(home_id=h, place=p, watched=False, why_not=NOT_YET) for h, p in missing.items()],
            ignore_conflicts=True,
        )
    return [r for r in rows if r.watched]


def learnt_of(rows: Iterable[HomeWatch]) -> dict[int, bytes]:
    """What these homes have taught, packed."""
    kept = HomeRhythm.objects.filter(home_id__in=[r.home_id for r in rows]).values_list("home_id", "packed")
    return {home_id: bytes(packed) for home_id, packed in kept}


def save(rows: Sequence[HomeWatch], taught: Sequence[HomeRhythm]) -> None:
    if rows:
        HomeWatch.objects.bulk_create(
            rows, update_conflicts=True, unique_fields=["home"],
            update_fields=[
                "mode", "first_at", "last_life_at", "last_life_what", "last_door_at", "covered_until", "heard_until", "soft_at", "hard_at",
                "look_at", "raised", "ears", "lost",
            ],
        )  # fmt: skip
    if taught:
        HomeRhythm.objects.bulk_create(
            taught, update_conflicts=True, unique_fields=["home"], update_fields=["packed", "changed_at"]
        )


# ---- one home between its row and the pure watch


class Watch:
    """A row as a `Vigil`, and back. The rhythm is unpacked only when it is needed: an empty report needs none."""

    def __init__(self, row: HomeWatch, vigil: Vigil) -> None:
        self.row, self.vigil = row, vigil
        self.before = vigil.last_life_at

    @classmethod
    def of(cls, row: HomeWatch, packed: bytes | None) -> Watch:
        """The watch of this row with what the home has taught."""
        today = clock.today().toordinal()
        learnt = rhythm.fresh(today)
        if packed is not None:
            try:
                learnt = rhythm.Rhythm.unpack(packed, today=today)
            except ValueError:  # it starts anew rather than stop watching
                _log.exception("the rhythm of home %s can't be read", row.home_id)
        vigil = Vigil(
            rhythm=learnt, prior=rhythm.generic(), clock=_local, budget=row.budget, period=float(row.period),
            last_life_at=_seconds(row.last_life_at), last_door_at=_seconds(row.last_door_at), mode=row.mode,
            ears={name: _ear(kept) for name, kept in row.ears.items()}, lost=[(a, b) for a, b in row.lost],
            soft_at=_seconds(row.soft_at) or 0.0, hard_at=_seconds(row.hard_at) or 0.0, raised=set(row.raised),
        )  # fmt: skip
        return cls(row, vigil)

    def hear(self, said: Heeded) -> None:
        """One message of one device."""
        heard, device = said.heard, said.device
        signs = [(s, Sign(s.at.timestamp(), door=s.kind in DOORS)) for s in heard.signals or () if s.kind in LIFE]
        if signs:
            latest = max(signs, key=lambda s: s[1].at)
            if self.vigil.last_life_at is None or latest[1].at > self.vigil.last_life_at:
                where = f"{device.position}{LIFE[latest[0].kind]}"
                self.row.last_life_what = where[:40]
        if device.kind in SENSORS:
            self.vigil.hear(_report(heard, device, tuple(sign for _, sign in signs)))
        else:
            for _, sign in signs:
                self.vigil.live(sign)

    def store(self) -> list[HomeRhythm]:
        """Put it back into the row; the rhythm's row too when something was learnt."""
        row, vigil = self.row, self.vigil
        row.mode, row.raised = vigil.mode, sorted(vigil.raised)
        row.last_life_at, row.last_door_at = _moment(vigil.last_life_at), _moment(vigil.last_door_at)
        row.covered_until = _moment(vigil.covered_until() or None)
        row.heard_until = _moment(vigil.heard_until() or None)
        row.soft_at, row.hard_at = _moment(vigil.soft_at or None), _moment(vigil.hard_at or None)
        row.look_at = self._look_at()
        row.first_at = row.first_at or row.last_life_at
        row.lost = [list(w) for w in vigil.lost[-20:]]
        row.ears = {name: _kept(ear) for name, ear in vigil.ears.items()}
        if vigil.last_life_at == self.before:
            return []
        return [HomeRhythm(home_id=row.home_id, place=row.place, packed=vigil.rhythm.pack(), changed_at=clock.now())]

    def _look_at(self) -> datetime | None:
        due = _moment(self.vigil.due_at()) if self.vigil.last_life_at is not None else None
        paused = self.row.paused_until
        return max(due, paused) if due and paused and paused > clock.now() else due


def _report(heard: Heard, device: DeviceInfo, signs: tuple[Sign, ...]) -> Report:
    """What this message speaks for: up to the device's own time, in windows when the device counts its reports."""
    until = min(heard.received_at, heard.device_at or heard.received_at).timestamp()
    until = max([until, *(s.at for s in signs)]) if signs else until
    seq = next((s.seq for s in heard.signals or () if s.seq is not None), None)
    since = until - device.report_every if seq is not None else None
    return Report(str(device.id), heard.received_at.timestamp(), until, since, seq, signs)


def _local(at: float) -> tuple[int, float]:
    local = clock.local(datetime.fromtimestamp(at, UTC))
    return local.toordinal(), local.hour + local.minute / 60 + local.second / 3600


def _seconds(at: datetime | None) -> float | None:
    return at.timestamp() if at is not None else None


def _moment(at: float | None) -> datetime | None:
    return datetime.fromtimestamp(at, UTC) if at is not None and at < 1e11 else None


def _ear(kept: dict[str, Any]) -> Ear:
    return Ear(kept["at"], kept["to"], kept.get("seq"), [tuple(g) for g in kept.get("gaps", [])], kept.get("seen", []))


def _kept(ear: Ear) -> dict[str, Any]:
    kept: dict[str, Any] = {"at": round(ear.heard_at, 1), "to": round(ear.covered_until, 1)}
    if ear.seq is not None:
        kept |= {"seq": ear.seq, "seen": ear.seen[-16:]}
    if ear.gaps:
        kept["gaps"] = [list(g) for g in ear.gaps[-10:]]
    return kept


def vigil_of(row: HomeWatch) -> Vigil:
    """The pure watch of this row, to ask it something."""
    return Watch.of(row, learnt_of([row]).get(row.home_id)).vigil


# ---- who is watched


def enrol(*, home_id: int) -> bool:
    """Begin to watch a home, or write down why it is not watched. Answers whether it is.

    Without a signed consent nothing is learnt and nothing raised here; SOS and life-safety sensors never ask for one.
    """
    home, elder = elders.home(home_id), elders.main_elder(home_id)
    if home is None:
        return False
    sensors = [
        d.device for d in devices.of_home(home_id) if d.device.kind in SENSORS and d.device.status == "installed"
    ]
    why_not = NO_SENSOR if not sensors else ""
    if elder is None or not elders.covered(elder.pk, "monitor") or "monitor" not in elders.services_for(elder.pk):
        why_not = NO_CONSENT
    period = max((d.report_every for d in sensors if d.kind != "door"), default=3600)
    row, _ = HomeWatch.objects.update_or_create(
        home_id=home_id,
        defaults={"place": home.place, "watched": not why_not, "why_not": why_not, "period": max(1800, period)},
    )
    if row.watched and row.first_at is None:
        _learn_history(row)
    changed("home", home_id, home.place)
    return not why_not


def _learn_history(row: HomeWatch) -> None:
    """A home that is watched from today on has often been heard for weeks: nothing of that need be learnt again."""
    now = clock.now()
    seen = [a for a in signals.activity(row.home_id, now - HISTORY, now) if a.kind in LIFE]
    if not seen:
        return
    watch = Watch.of(row, None)
    watch.vigil.rhythm = rhythm.fresh(clock.local(seen[0].at).toordinal())
    for sign in seen:
        watch.vigil.live(Sign(sign.at.timestamp(), door=sign.kind in DOORS))
    for health in devices.of_home(row.home_id):
        if health.device.kind in SENSORS and health.last_heard_at is not None:
            heard = health.last_heard_at.timestamp()
            watch.vigil.ears[str(health.device.id)] = Ear(heard, heard)
    watch.vigil.aim()
    row.first_at, row.last_life_what = seen[0].at, LIFE[seen[-1].kind]
    save([row], watch.store())


def enrol_all() -> int:
    """Nightly, and after a change of consent or devices: every home with devices; answers how many are watched."""
    with seen_by(EVERYWHERE):
        return sum(enrol(home_id=h.pk) for h in elders.homes())


# ---- the sweep


def sweep(limit: int = 2000) -> int:
    """Let what is due happen; answers how many alarms were raised or elders asked. Safe in any number of processes."""
    done = 0
    with seen_by(EVERYWHERE), audit.acting("系统时钟"):
        for home_id in HomeWatch.objects.filter(why_not=NOT_YET).values_list("home_id", flat=True)[:AT_ONCE]:
            enrol(home_id=home_id)
        storms.look()
        for home_ids in _due(limit):
            with transaction.atomic():
                done += _sweep_some(home_ids)
    return done


def _due(limit: int) -> Iterator[list[int]]:
    ids = list(
        HomeWatch.objects.filter(watched=True, look_at__lte=clock.now())
        .order_by("look_at")
        .values_list("home_id", flat=True)[:limit]
    )
    for at in range(0, len(ids), AT_ONCE):
        yield ids[at : at + AT_ONCE]


def _sweep_some(home_ids: Sequence[int]) -> int:
    now = clock.now()
    rows = list(
        HomeWatch.objects.select_for_update(skip_locked=True, of=("self",))
        .filter(home_id__in=home_ids, watched=True, look_at__lte=now)
        .order_by("home_id")
    )
    done, learnt = 0, learnt_of(rows)
    for row in rows:
        watch = Watch.of(row, learnt.get(row.home_id))
        found = watch.vigil.sweep(now.timestamp())
        watch.store()
        if not found and row.look_at is not None and row.look_at <= now:
            row.look_at = now + timedelta(minutes=1)
        for raised in found:
            done += _tell(row, raised)
    save(rows, [])
    return done


def _tell(row: HomeWatch, raised: Raised) -> int:
    if row.paused_until is not None and row.paused_until > clock.now():
        return 0
    if raised.kind == "ask":
        elder = elders.main_elder(row.home_id)
        if elder is not None:
            announce(ElderAsked(row.home_id, elder.pk, row.place, _sentence(row, raised)))
        return 1
    if raised.kind == "no_data" and storms.holds(row.home_id):
        return 0
    rule = RULES[raised.kind]
    actions.raise_or_join(
        rule=rule, at=datetime.fromtimestamp(raised.deadline, UTC), received_at=clock.now(), source=PLATFORM,
        place=row.place, home_id=row.home_id, note=_sentence(row, raised),
    )  # fmt: skip
    if raised.kind == "no_data":
        _send_repair(row)
    changed("home", row.home_id, row.place)
    return 1


def _send_repair(row: HomeWatch) -> None:
    """A deaf home is a repair too: for each of its sensors that was not heard, unless one is under way."""
    sensors = [d for d in devices.of_home(row.home_id) if d.device.kind in SENSORS and d.device.status == "installed"]
    known = queries.open_causes({d.device.id for d in sensors})
    for sensor in sensors:
        ear = row.ears.get(str(sensor.device.id))
        heard = ear is not None and row.hard_at is not None and ear["to"] >= row.hard_at.timestamp()
        if not heard and "silent" not in known.get(sensor.device.id, set()):
            actions.raise_or_join(
                rule=RULES["silent"], at=clock.now(), received_at=clock.now(), source=PLATFORM, place=row.place,
                home_id=row.home_id, device_id=sensor.device.id, where=sensor.device.position,
                note="家中长时间听不到任何数据，请尽快检修",
            )  # fmt: skip


def _sentence(row: HomeWatch, raised: Raised) -> str:
    return explaining.sentence(row, raised)
