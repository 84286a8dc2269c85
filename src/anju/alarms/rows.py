"""One home between its row and the pure watch: `HomeWatch` and `HomeRhythm` as a `Vigil`, and back.

Used by whoever changes a home's silence: messages and the clock (`sensing`), people (`states`), consents (`enrolling`).
Rows are locked in the order of their homes, everywhere.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final

from anju.alarms import habits, priors, rhythm
from anju.alarms.models import HomeRhythm, HomeWatch
from anju.alarms.vigil import Ear, Report, Sign, Vigil
from anju.devices.queries import DeviceInfo
from anju.kernel import clock
from anju.signals.queries import Activity
from anju.signals.signal import Heard, Signal

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
PROMPT: Final = frozenset({"door"})
"""Kinds of devices whose events come at once; between them they only say, each `report_every`, that they live."""


@dataclass(frozen=True, slots=True)
class Heeded:
    """One message as the homes hear it."""

    device: DeviceInfo
    heard: Heard


def learnt_of(rows: Iterable[HomeWatch]) -> dict[int, bytes]:
    """What these homes have taught, packed."""
    kept = HomeRhythm.objects.filter(home_id__in=[r.home_id for r in rows]).values_list("home_id", "packed")
    return {home_id: bytes(packed) for home_id, packed in kept}


def save(rows: Sequence[HomeWatch], taught: Sequence[HomeRhythm]) -> None:
    """Store what changed of these homes: one statement for the rows, one for what was learnt."""
    if rows:
        HomeWatch.objects.bulk_create(
            rows, update_conflicts=True, unique_fields=["home"],
            update_fields=[
                "mode", "first_at", "last_life_at", "last_life_what", "last_door_at", "covered_until", "heard_until", "soft_at", "hard_at",
                "look_at", "natural_at", "learn_from", "raised", "ears", "lost",
            ],
        )  # fmt: skip
    if taught:
        HomeRhythm.objects.bulk_create(
            taught, update_conflicts=True, unique_fields=["home"], update_fields=["packed", "prior", "changed_at"]
        )


class Watch:
    """A row as a `Vigil`, and back. The rhythm is unpacked only when it is needed: an empty report needs none."""

    def __init__(self, row: HomeWatch, vigil: Vigil) -> None:
        self.row, self.vigil = row, vigil
        self.before = vigil.natural_at

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
            rhythm=learnt, prior=priors.of(row.placement), clock=local, budget=row.budget, period=float(row.period),
            last_life_at=seconds(row.last_life_at), last_door_at=seconds(row.last_door_at), mode=row.mode,
            ears={name: _ear(kept) for name, kept in row.ears.items()}, lost=[(a, b) for a, b in row.lost],
            soft_at=seconds(row.soft_at) or 0.0, hard_at=seconds(row.hard_at) or 0.0, raised=set(row.raised),
            natural_at=seconds(row.natural_at), learn_from=seconds(row.learn_from) or 0.0,
            habits=habits.unpacked(row.habits) if row.habits else (),
        )  # fmt: skip
        return cls(row, vigil)

    def hear(self, said: Heeded) -> None:
        """One message of one device."""
        heard, device = said.heard, said.device
        living = [s for s in heard.signals or () if s.kind in LIFE]
        shut: tuple[bool, float] | None = None
        if device.kind in PROMPT:
            ear = self.vigil.ears.get(str(device.id))
            living, shut = _moved(living, ear.shut if ear else None)
        signs = [(s, Sign(s.at.timestamp(), door=s.kind in DOORS)) for s in living]
        if signs:
            latest = max(signs, key=lambda s: s[1].at)
            if self.vigil.last_life_at is None or latest[1].at > self.vigil.last_life_at:
                where = f"{device.position}{LIFE[latest[0].kind]}"
                self.row.last_life_what = where[:40]
        if device.kind in SENSORS:
            self.vigil.hear(report(heard, device, tuple(sign for _, sign in signs)))
            if shut is not None:
                self.vigil.ears[str(device.id)].shut = shut
        else:
            for _, sign in signs:
                self.vigil.live(sign)

    def store(self) -> list[HomeRhythm]:
        """Put it back into the row; the rhythm's row too when something was learnt."""
        row, vigil, now = self.row, self.vigil, clock.now().timestamp()
        row.mode, row.raised = vigil.mode, sorted(vigil.raised)
        row.last_life_at, row.last_door_at = moment(vigil.last_life_at), moment(vigil.last_door_at)
        row.natural_at, row.learn_from = moment(vigil.natural_at), moment(vigil.learn_from or None)
        row.covered_until = moment(vigil.covered_until(now) or None)
        row.heard_until = moment(vigil.heard_until(now) or None)
        row.soft_at, row.hard_at = moment(vigil.soft_at or None), moment(vigil.hard_at or None)
        row.look_at = self._look_at()
        row.first_at = row.first_at or row.last_life_at
        row.lost = [list(w) for w in vigil.lost[-20:]]
        row.ears = {name: kept_ear(ear) for name, ear in vigil.ears.items()}
        if vigil.natural_at == self.before:
            return []
        return [self.learnt()]

    def learnt(self) -> HomeRhythm:
        """What the home has taught, as a row."""
        row, vigil = self.row, self.vigil
        return HomeRhythm(
            home_id=row.home_id, place=row.place, packed=vigil.rhythm.pack(), prior=vigil.prior.name[:60], changed_at=clock.now()
        )  # fmt: skip

    def _look_at(self) -> datetime | None:
        due = moment(self.vigil.due_at()) if self.vigil.last_life_at is not None else None
        paused = self.row.paused_until
        return max(due, paused) if due and paused and paused > clock.now() else due


def _moved(living: Iterable[Signal], shut: tuple[bool, float] | None) -> tuple[list[Signal], tuple[bool, float] | None]:
    """What of a door's words is a sign of life: that it moved. A heartbeat that repeats its state is none, else a door that
    stands open would live for her.
    """
    found = []
    for s in sorted(living, key=lambda s: s.at):
        if s.kind not in DOORS:
            found.append(s)
            continue
        now, at = s.kind == "door_closed", s.at.timestamp()
        if shut is None:
            found += [] if now else [s]
        elif now != shut[0]:
            found.append(s)
        if shut is None or at >= shut[1]:
            shut = (now, at)
    return found, shut


def signs_of_life(seen: Iterable[Activity]) -> Iterator[Activity]:
    """The signs of life among what a home's devices said, without the repeated words of a door that did not move."""
    shut: dict[int | None, bool] = {}
    for a in seen:
        if a.kind not in LIFE:
            continue
        if a.kind in DOORS:
            closed = a.kind == "door_closed"
            repeated = shut.get(a.device_id, True) == closed
            shut[a.device_id] = closed
            if repeated:
                continue
        yield a


def report(heard: Heard, device: DeviceInfo, signs: tuple[Sign, ...]) -> Report:
    """What this message speaks for: up to the device's own time, in windows when the device counts its reports."""
    until = min(heard.received_at, heard.device_at or heard.received_at).timestamp()
    until = max([until, *(s.at for s in signs)]) if signs else until
    prompt = device.kind in PROMPT
    seq = None if prompt else next((s.seq for s in heard.signals or () if s.seq is not None), None)
    since = until - device.report_every if seq is not None else None
    return Report(
        str(device.id), heard.received_at.timestamp(), until, since, seq, signs, prompt=prompt,
        every=float(device.report_every), limit=float(device.silent_after),
    )  # fmt: skip


def local(at: float) -> tuple[int, float]:
    """Day (ordinal) and hour of the day in China."""
    told = clock.local(datetime.fromtimestamp(at, UTC))
    return told.toordinal(), told.hour + told.minute / 60 + told.second / 3600


def seconds(at: datetime | None) -> float | None:
    """A time as the pure parts count it."""
    return at.timestamp() if at is not None else None


def moment(at: float | None) -> datetime | None:
    """And back; None for never."""
    return datetime.fromtimestamp(at, UTC) if at is not None and at < 1e11 else None


def _ear(kept: dict[str, Any]) -> Ear:
    return Ear(
        kept["at"], kept["to"], kept.get("seq"), [tuple(g) for g in kept.get("gaps", [])], kept.get("seen", []),
        bool(kept.get("prompt")), float(kept.get("every", 0)), float(kept.get("limit", 0)),
        (bool(kept["shut"][0]), float(kept["shut"][1])) if kept.get("shut") else None,
    )  # fmt: skip


def kept_ear(ear: Ear) -> dict[str, Any]:
    """One ear as it stands in the row."""
    kept: dict[str, Any] = {"at": round(ear.heard_at, 1), "to": round(ear.covered_until, 1), "every": ear.every}
    if ear.limit:
        kept["limit"] = ear.limit
    if ear.prompt:
        kept["prompt"] = 1
    if ear.shut is not None:
        kept["shut"] = list(ear.shut)
    if ear.seq is not None:
        kept |= {"seq": ear.seq, "seen": ear.seen[-16:]}
    if ear.gaps:
        kept["gaps"] = [list(g) for g in ear.gaps[-10:]]
    return kept


def vigil_of(row: HomeWatch) -> Vigil:
    """The pure watch of this row, to ask it something."""
    return Watch.of(row, learnt_of([row]).get(row.home_id)).vigil
