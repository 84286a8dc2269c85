"""The watch over one home: what was heard of it, how far it was heard, when somebody must look. Pure.

A quiet home and a deaf one are told apart by the *watermark*: `covered_until` is the time up to which every life sign
would have been heard. An alarm "no sign of life" needs a watermark at or after its deadline; when messages do not come,
the alarm is another one: "no data and no sign of life" (detection.md §4). Times are seconds since an epoch (float), the
clock of day is told by `tod`; nothing here knows a database.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Final

from anju.alarms import rhythm
from anju.alarms.rhythm import AWAY, HOME, Prior, Rhythm

AFTER_DOOR: Final = 60.0
"""Seconds: motion later than this after the newest door event says that somebody is inside."""
GRACE: Final = 600.0
"""Seconds beyond two reporting periods after which what has not come is taken as lost."""
HOUR: Final = 3600.0

Clock = Callable[[float], tuple[int, float]]
"""(day ordinal, local hour of the day) of a time."""


@dataclass(frozen=True, slots=True)
class Sign:
    """A sign of life. `door` = the entrance door; other signs (SOS, key press, water) count as inside."""

    at: float
    door: bool = False


@dataclass(frozen=True, slots=True)
class Report:
    """One message of a sensor that watches for life: what it saw, and the window that it speaks for.

    `seq` counts a device's messages (None when it has no counter); `since` is where its window begins.
    """

    device: str
    received_at: float
    until: float
    since: float | None = None
    seq: int | None = None
    signs: tuple[Sign, ...] = ()


@dataclass(frozen=True, slots=True)
class Raised:
    """An alarm that the clock raised. `kind`: ask (soft), inactivity, not_back, no_data."""

    kind: str
    at: float
    deadline: float
    silent_since: float
    covered_until: float


@dataclass(slots=True)
class Ear:
    """How far one device was heard. `gaps`: windows (from, to, when given up) of messages that have not come."""

    heard_at: float
    covered_until: float
    seq: int | None = None
    gaps: list[tuple[float, float, float]] = field(default_factory=list)
    seen: list[int] = field(default_factory=list)

    def watermark(self) -> float:
        """Up to here nothing is missing that may still come."""
        return min([gap[0] for gap in self.gaps], default=self.covered_until)


@dataclass(slots=True)
class Vigil:
    """The open silence of one home. `period` is the reporting period of its slowest life sensor, in seconds."""

    rhythm: Rhythm
    prior: Prior
    clock: Clock
    budget: float = 2.0
    soft: float = 4.0
    period: float = 1800.0
    last_life_at: float | None = None
    last_door_at: float | None = None
    mode: int = HOME
    ears: dict[str, Ear] = field(default_factory=dict)
    lost: list[tuple[float, float]] = field(default_factory=list)
    soft_at: float = 0.0
    hard_at: float = 0.0
    raised: set[str] = field(default_factory=set)

    # ---- hearing

    def hear(self, report: Report) -> bool:
        """Take one message; False when it is a duplicate. Old signs fill history, newer ones end the silence."""
        if not self._cover(report):
            return False
        self._give_up(report.received_at)
        fresh = [
            s for s in sorted(report.signs, key=lambda s: s.at) if self.last_life_at is None or s.at > self.last_life_at
        ]
        for sign in fresh:
            self._live(sign)
        if fresh or self.last_life_at is None:
            self.aim()
        return True

    def live(self, sign: Sign) -> None:
        """A sign of life that no sensor of the home reports: a key press, a voice, a visit."""
        if self.last_life_at is None or sign.at > self.last_life_at:
            self._live(sign)
            self.aim()

    def _live(self, sign: Sign) -> None:
        day, _ = self.clock(sign.at)
        if self.last_life_at is not None:
            self._learn(sign.at, day)
        self.rhythm.forget(day)
        if sign.door:
            self.last_door_at, self.mode = sign.at, AWAY
        elif self.last_door_at is None or sign.at - self.last_door_at > AFTER_DOOR:
            self.mode = HOME
        self.last_life_at = sign.at
        self.lost = [w for w in self.lost if w[1] > sign.at]
        self.raised.clear()

    def _learn(self, until: float, day: int) -> None:
        """A silence that ended by itself teaches; one that raised an alarm waits for what the agent says."""
        since = self.last_life_at or until
        age = (until - since) / HOUR
        if age >= rhythm.START and not self.raised & {"inactivity", "not_back", "no_data"}:
            _, tod = self.clock(since)
            self.rhythm.learn(tod=tod, age=age, mode=self.mode, day=day, prior=self.prior, lost=self._lost_ages(until))

    def teach(self, *, since: float, until: float, mode: int) -> None:
        """An agent confirmed that this silence was a false alarm: now it is learnt. Emergencies and faults are not."""
        day, _ = self.clock(until)
        _, tod = self.clock(since)
        self.rhythm.learn(tod=tod, age=(until - since) / HOUR, mode=mode, day=day, prior=self.prior)
        self.rhythm.tail = None
        self.aim()

    def _cover(self, report: Report) -> bool:
        ear = self.ears.get(report.device)
        if ear is None:
            self.ears[report.device] = Ear(report.received_at, report.until, report.seq, seen=_numbers(report.seq))
            return True
        if report.seq is not None and report.seq in ear.seen:
            return False
        ear.heard_at = max(ear.heard_at, report.received_at)
        ear.seen = [*ear.seen[-63:], *_numbers(report.seq)]
        since = report.since if report.since is not None else ear.covered_until
        if report.until <= ear.covered_until:  # late: it fills its gap
            ear.gaps = list(_without(ear.gaps, since, report.until))
            self.lost = [(a, b) for a, b, _ in _without([(a, b, 0.0) for a, b in self.lost], since, report.until)]
            return True
        missing = ear.seq is not None and report.seq is not None and report.seq > ear.seq + 1
        if missing and since > ear.covered_until:
            ear.gaps.append((ear.covered_until, since, since + 2 * self.period + GRACE))
        ear.covered_until, ear.seq = report.until, report.seq if report.seq is not None else ear.seq
        return True

    # ---- aiming and sweeping

    def covered_until(self) -> float:
        """The watermark of the home: the sensor that was heard least far counts."""
        return min((ear.watermark() for ear in self.ears.values()), default=0.0)

    def heard_until(self) -> float:
        """Up to here its sensors speak, gaps or not: the one that was heard least far counts."""
        return min((ear.covered_until for ear in self.ears.values()), default=0.0)

    def aim(self) -> None:
        """Compute both deadlines of the open silence from what is known now."""
        if self.last_life_at is None:
            return
        _, tod = self.clock(self.last_life_at)
        due = self.rhythm.deadlines(
            tod=tod, mode=self.mode, prior=self.prior, budget=self.budget, soft=self.soft,
            lost=self._lost_ages(float("inf")),
        )  # fmt: skip
        self.soft_at = self.last_life_at + due.soft * HOUR
        self.hard_at = self.last_life_at + due.hard * HOUR

    def _lost_ages(self, until: float) -> Sequence[tuple[float, float]]:
        since = self.last_life_at or 0.0
        open_gaps = [(a, b) for ear in self.ears.values() for a, b, _ in ear.gaps]
        return tuple(
            ((max(a, since) - since) / HOUR, (min(b, until) - since) / HOUR)
            for a, b in sorted({*self.lost, *open_gaps})
            if b > since and a < until
        )

    def due_at(self) -> float:
        """When the sweep must look at this home next."""
        return min(
            (at for name, at in (("ask", self.soft_at), ("hard", self.hard_at)) if name not in self.raised),
            default=float("inf"),
        )

    def sweep(self, now: float) -> list[Raised]:
        """What the clock raises now; each alarm once for each silence."""
        if self.last_life_at is None:
            return []
        self._give_up(now)
        found: list[Raised] = []
        covered = self.covered_until()
        patience = 2 * self.period + GRACE
        if "ask" not in self.raised and now >= self.soft_at and covered >= self.soft_at:
            found.append(self._raise("ask", now, self.soft_at, covered))
        if "hard" not in self.raised and now >= self.hard_at:
            if covered >= self.hard_at:
                found.append(self._raise("not_back" if self.mode == AWAY else "inactivity", now, self.hard_at, covered))
                self.raised.add("hard")
            elif now > self.hard_at + patience and "no_data" not in self.raised:
                found.append(self._raise("no_data", now, self.hard_at, covered))
        return found

    def _raise(self, kind: str, now: float, deadline: float, covered: float) -> Raised:
        self.raised.add(kind)
        return Raised(kind, now, deadline, self.last_life_at or 0.0, covered)

    def _give_up(self, now: float) -> None:
        """What did not come in time is lost: no evidence, and the deadlines are computed again."""
        given_up = False
        for ear in self.ears.values():
            for gap in [g for g in ear.gaps if now >= g[2]]:
                ear.gaps.remove(gap)
                self.lost.append((gap[0], gap[1]))
                given_up = True
        if given_up:
            self.aim()


def _numbers(seq: int | None) -> list[int]:
    return [] if seq is None else [seq]


def _without(
    windows: Iterable[tuple[float, float, float]], since: float, until: float
) -> Iterable[tuple[float, float, float]]:
    """The windows less (since, until)."""
    for a, b, kept in windows:
        if until <= a or since >= b:
            yield (a, b, kept)
            continue
        if a < since:
            yield (a, since, kept)
        if until < b:
            yield (until, b, kept)
