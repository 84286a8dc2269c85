"""The watch over one home: what was heard of it, how far it was heard, when somebody must look. Pure.

A quiet home and a deaf one are told apart by the *watermark*: `covered_until` is the time up to which every life sign
would have been heard. An alarm "no sign of life" needs a watermark at or after its deadline; when messages do not come,
the alarm is another one: "no data and no sign of life" (detection.md §4). Times are seconds since an epoch (float), the
clock of day is told by `clock`; nothing here knows a database.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Final

from anju.alarms import rhythm
from anju.alarms.habits import DAY, HOUR, Habits, windows
from anju.alarms.rhythm import AWAY, HOME, Prior, Rhythm

AFTER_DOOR: Final = 60.0
"""Seconds: motion later than this after the newest door event says that somebody is inside."""
REMEMBERED: Final = 64
"""So many numbers of a device's messages are remembered: what comes twice is told by them."""
GRACE: Final = 600.0
"""Seconds beyond two reporting periods after which what has not come is taken as lost."""
NIGHT: Final = (22.5, 6.5)
"""Local hours between which no robot rings her, unless an agent would have to soon after."""
LEAD: Final = 1800.0
"""Seconds that she is asked before an agent must look, also at night."""
BY_LEAD: Final = 5400.0
"""Seconds between the time by which she is always up (she is asked) and an agent."""
SAID: Final = frozenset({"inactivity", "not_back", "no_data"})
"""Alarms after which a silence is learnt only when an agent says that she was well."""

WELL: Final = "well"
"""An agent found her well while the silence went on: it is learnt when a sensor ends it."""

Clock = Callable[[float], tuple[int, float]]
"""(day ordinal, local hour of the day) of a time."""


@dataclass(frozen=True, slots=True)
class Sign:
    """A sign of life. `door` = the entrance door; others (SOS, bed, water) count as inside. `told`: no sensor saw it – a key
    pressed in a call, a voice, a visit; it proves that she lives and not where she is.
    """

    at: float
    door: bool = False
    told: bool = False


@dataclass(frozen=True, slots=True)
class Report:
    """One message of a sensor that watches for life: what it saw, and the window that it speaks for.

    `seq` counts a device's messages (None when it has no counter); `since` is where its window begins. `prompt`: its
    events come at once and its reports only say that it lives (a door contact). `every`: its own period; `limit`: after so
    many seconds without a word it counts as dead (0 = never).
    """

    device: str
    received_at: float
    until: float
    since: float | None = None
    seq: int | None = None
    signs: tuple[Sign, ...] = ()
    prompt: bool = False
    every: float = 0.0
    limit: float = 0.0


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
    prompt: bool = False
    every: float = 0.0
    limit: float = 0.0
    shut: tuple[bool, float] | None = None
    """Of a door contact: whether it last said "closed", and when. Its reports repeat that; only a change is a sign of life."""

    def watermark(self) -> float:
        """Up to here nothing is missing that may still come."""
        return min([gap[0] for gap in self.gaps], default=self.covered_until)

    def dead(self, now: float | None) -> bool:
        """Nothing came for longer than its product allows: a repair, and no reason to wait for it."""
        return bool(self.limit) and now is not None and now - self.heard_at > max(self.limit, 2 * self.every + GRACE)


@dataclass(slots=True)
class Vigil:
    """The open silence of one home. `period` is the reporting period of its slowest life sensor, in seconds.

    `natural_at` is the last sign of a sensor: a key pressed in a call restarts the clock, yet the silence that is learnt
    goes on until a sensor sees her (else the robot's own calls would teach that she stirs every few hours).
    """

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
    natural_at: float | None = None
    learn_from: float = 0.0
    habits: Habits = ()

    # ---- hearing

    def hear(self, report: Report) -> bool:
        """Take one message; False when it is a duplicate. Old signs fill history, newer ones end the silence."""
        before = self._unheard()
        if not self._cover(report):
            return False
        self._give_up(report.received_at)
        moved = False
        for sign in sorted(report.signs, key=lambda s: s.at):
            moved = self._take(sign) or moved
        if moved or self.last_life_at is None or self._unheard() != before:
            self.aim()
        return True

    def live(self, sign: Sign) -> None:
        """A sign of life that no sensor of the home reports: a key press, a voice, a visit."""
        if self._take(sign):
            self.aim()

    def restart(self, at: float) -> None:
        """Watching begins anew (she came back, a state ended): a fresh silence at home; what was before is not learnt."""
        self.last_life_at = self.natural_at = at
        self.mode = HOME
        self.lost = [w for w in self.lost if w[1] > at]
        self.raised.clear()
        self.aim()

    def _unheard(self) -> tuple[int, int]:
        gaps = 0
        for ear in self.ears.values():
            gaps += len(ear.gaps)
        return len(self.lost), gaps

    def _take(self, sign: Sign) -> bool:
        if self.last_life_at is None or sign.at > self.last_life_at:
            if sign.told:
                self._told(sign)
            else:
                self._live(sign)
            return True
        return sign.door and self._late_door(sign)

    def _told(self, sign: Sign) -> None:
        if self.natural_at is None or self._unproven():
            self.natural_at = sign.at
        self.last_life_at = sign.at
        self.raised.clear()

    def _late_door(self, sign: Sign) -> bool:
        """A door event that arrives after newer signs: she is out if nothing moved inside later than a minute after it."""
        if self.last_door_at is not None and sign.at <= self.last_door_at:
            return False
        self.last_door_at = sign.at
        if self.mode == AWAY or self.natural_at is None or self.natural_at - sign.at > AFTER_DOOR:
            return False
        self.mode = AWAY
        return True

    def _live(self, sign: Sign) -> None:
        day, _ = self.clock(sign.at)
        if self.natural_at is None:
            self.natural_at = self.last_life_at
        if self.natural_at is not None:
            self._learn(self.natural_at, sign.at, day)
        self.rhythm.forget(day)
        if sign.door:
            self.last_door_at, self.mode = sign.at, AWAY
        elif self.last_door_at is None or sign.at - self.last_door_at > AFTER_DOOR:
            self.mode = HOME
        self.last_life_at = self.natural_at = sign.at
        self.lost = [w for w in self.lost if w[1] > sign.at]
        self.raised.clear()

    def _learn(self, since: float, until: float, day: int) -> None:
        """A silence that ended by itself teaches; one that raised an alarm waits for what the agent says."""
        age = (until - since) / HOUR
        if age >= rhythm.START and since >= self.learn_from and not self._unproven():
            _, tod = self.clock(since)
            lost = self._lost_ages(since, until)
            self.rhythm.learn(tod=tod, age=age, mode=self.mode, day=day, prior=self.prior, lost=lost)

    def _unproven(self) -> bool:
        return bool(self.raised & SAID) and WELL not in self.raised

    def well(self, *, since: float) -> None:
        """An agent found her well, and no sensor has seen her since: the silence that began at `since` is learnt whole when one
        does. Cut off at the telephone call it would look shorter than her silences are, and the thresholds would come too low.
        """
        if self.natural_at is not None and since <= self.natural_at:
            self.natural_at = since
            self.raised.add(WELL)

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
            self.ears[report.device] = Ear(
                report.received_at, report.until, report.seq, seen=_numbers(report.seq), prompt=report.prompt,
                every=report.every, limit=report.limit,
            )  # fmt: skip
            return True
        if report.seq is not None and report.until <= ear.covered_until and report.seq in ear.seen:
            return False
        ear.heard_at = max(ear.heard_at, report.received_at)
        ear.prompt, ear.every, ear.limit = report.prompt, report.every, report.limit
        if report.seq is not None:
            ear.seen.append(report.seq)
            if len(ear.seen) > 2 * REMEMBERED:
                del ear.seen[:-REMEMBERED]
        since = report.since if report.since is not None else ear.covered_until
        if report.until <= ear.covered_until:  # late: it fills its gap
            ear.seq = report.seq if ear.seq is None else ear.seq
            ear.gaps = list(_without(ear.gaps, since, report.until))
            self.lost = [(a, b) for a, b, _ in _without([(a, b, 0.0) for a, b in self.lost], since, report.until)]
            return True
        missing = ear.seq is not None and report.seq is not None and report.seq > ear.seq + 1
        if missing and since > ear.covered_until:
            ear.gaps.append((ear.covered_until, since, since + 2 * self.period + GRACE))
        ear.covered_until, ear.seq = report.until, report.seq if report.seq is not None else ear.seq
        return True

    # ---- aiming and sweeping

    def covered_until(self, now: float | None = None) -> float:
        """The watermark of the home: of the sensors that live, the one that was heard least far counts.

        `now` tells the living from the dead; without it all count. A dead sensor holds nothing up while another is heard:
        it is a repair of its own (DEV-05), and the sentence names it. When none lives, the home is deaf.
        """
        return min((_mark(ear, now) for ear in self._counting(now)), default=0.0)

    def heard_until(self, now: float | None = None) -> float:
        """Up to here its sensors speak, gaps or not: of those that live, the one that was heard least far counts."""
        return min((ear.covered_until for ear in self._counting(now)), default=0.0)

    def _counting(self, now: float | None) -> list[Ear]:
        ears = self.ears.values()
        watching = [ear for ear in ears if not ear.prompt] or list(ears)
        return [ear for ear in watching if not ear.dead(now)] or watching

    def deaf_ears(self, now: float) -> list[str]:
        """Sensors of which nothing came for longer than their product allows."""
        return [name for name, ear in self.ears.items() if ear.dead(now)]

    def aim(self) -> None:
        """Compute both deadlines of the open silence from what is known now."""
        if self.last_life_at is None:
            return
        _, tod = self.clock(self.last_life_at)
        due = self.rhythm.deadlines(
            tod=tod, mode=self.mode, prior=self.prior, budget=self.budget, soft=self.soft,
            lost=self._lost_ages(self.last_life_at, float("inf")),
        )  # fmt: skip
        self.hard_at = self.last_life_at + due.hard * HOUR
        self.soft_at = self._waking(self.last_life_at + due.soft * HOUR, self.hard_at)
        if self.habits and self.mode == HOME:
            self._by(self.last_life_at, tod)

    def _waking(self, soft: float, hard: float) -> float:
        """No robot call in the middle of the night, but always one before an agent has to ring."""
        _, tod = self.clock(soft)
        if NIGHT[1] <= tod < NIGHT[0]:
            return soft
        return max(soft, min(soft + (NIGHT[1] - tod) % 24 * HOUR, hard - LEAD))

    def _by(self, since: float, tod: float) -> None:
        """Times by which she is always up, as people told: nothing since 4 in the morning means that she is asked."""
        midnight = since - tod * HOUR
        for at in windows(self.habits, "up_by", self.clock, midnight, 2):
            if since < at[0] - (at[0] - midnight) % DAY + 4 * HOUR and at[0] > since:
                self.soft_at = min(self.soft_at, at[0])
                self.hard_at = min(self.hard_at, at[0] + BY_LEAD)
                return

    def _lost_ages(self, since: float, until: float) -> Sequence[tuple[float, float]]:
        """Parts of a silence, as ages in hours, in which hearing nothing proves nothing: lost reports, and told habits."""
        found = {*self.lost, *((a, b) for ear in self.ears.values() for a, b, _ in ear.gaps)}
        if self.habits:
            midnight = since - self.clock(since)[1] * HOUR
            found |= set(windows(self.habits, "quiet", self.clock, midnight - DAY, 4))
        if not found:
            return ()
        return tuple(
            ((max(a, since) - since) / HOUR, (min(b, until) - since) / HOUR)
            for a, b in sorted(found)
            if b > since and a < until
        )

    def due_at(self) -> float:
        """When the sweep must look at this home next."""
        return min(
            (at for name, at in (("ask", self.soft_at), ("hard", self.hard_at)) if name not in self.raised),
            default=float("inf"),
        )

    def sweep(self, now: float) -> list[Raised]:
        """What the clock raises now; each alarm once for each silence. Where an agent must ring, no robot rings as well."""
        if self.last_life_at is None:
            return []
        self._give_up(now)
        covered = self.covered_until(now)
        patience = 2 * self.period + GRACE
        if "hard" not in self.raised and now >= self.hard_at:
            if covered >= self.hard_at:
                self.raised |= {"hard", "ask"}
                return [self._raise("not_back" if self.mode == AWAY else "inactivity", now, self.hard_at, covered)]
            if now > self.hard_at + patience and "no_data" not in self.raised:
                self.raised.add("ask")
                return [self._raise("no_data", now, self.hard_at, covered)]
        if "ask" not in self.raised and now >= self.soft_at and covered >= self.soft_at:
            return [self._raise("ask", now, self.soft_at, covered)]
        return []

    def _raise(self, kind: str, now: float, deadline: float, covered: float) -> Raised:
        self.raised.add(kind)
        return Raised(kind, now, deadline, self.last_life_at or 0.0, covered)

    def _give_up(self, now: float) -> None:
        """What did not come in time is lost: no evidence, and the deadlines are computed again."""
        given_up = False
        for ear in self.ears.values():
            for gap in [g for g in ear.gaps if now >= g[2]] if ear.gaps else ():
                ear.gaps.remove(gap)
                self.lost.append((gap[0], gap[1]))
                given_up = True
        if given_up:
            self.aim()


def _mark(ear: Ear, now: float | None) -> float:
    """The watermark of one sensor; what comes at once and lives was heard up to now."""
    if ear.prompt and now is not None and now - ear.heard_at <= 2 * ear.every + GRACE:
        return now
    return ear.watermark()


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
