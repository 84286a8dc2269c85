"""When has a home been silent for too long? Pure: no database, no clock, no Django.

The algorithm is SR-C (`docs/subsystems/sensing.md`): a Shiryaev-Roberts statistic on the age of the silence, fed by the
home's own table "how soon does a silence of this age end at this hour", with a threshold that keeps a budget of false
alarms. One deadline per home in closed form; the state packs into less than 2 KB.

Units: hours for ages and tables, local clock hours (0 <= tod < 24) for the time of day, alarms per 30 days for budgets.
"""

from __future__ import annotations

import math
from array import array
from bisect import insort
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from functools import cache
from typing import Final

from anju.alarms import packing

HOME: Final = 0
"""The newest sign of life came from inside the home."""
AWAY: Final = 1
"""Door-last: after the newest door event nothing moved inside for more than a minute, so she is probably out."""
MODES: Final = (HOME, AWAY)

START: Final = 0.25
"""A silence counts from this age on (15 minutes); shorter ones say nothing."""
EDGES: Final = (0.25, 0.5, 1.0, 2.0, 4.0, 8.0, math.inf)
"""Bands of the age of a silence, in hours."""
BANDS: Final = len(EDGES) - 1
HOURS: Final = 24
CELLS: Final = BANDS * HOURS

HALF_LIFE: Final = 30.0
"""Days after which what was learnt weighs half."""
PRIOR_HOURS: Final = 2.0
"""How many hours of observation the population's table weighs in each cell."""
WINDOW: Final = 60
"""Days of past silences that set the threshold."""
PSEUDO_DAYS: Final = 14.0
"""How many days of history the population's silences weigh."""
TAIL: Final = 10.0
"""The threshold is read off the tail that is exceeded this many times more often than the budget allows alarms."""
SHARE: Final = (0.8, 0.2)
"""How the budget is split between silence at home and not coming back."""
CAPS: Final = (24.0, 36.0)
"""No deadline is later than this, whatever was learnt."""
KEPT: Final = (60, 20)
"""Past silences kept for each mode: the least usual ones of the window."""
FLOOR_RATE: Final = 1e-3
_ENDLESS: Final = 1e13
_HIGHEST: Final = 60.0
"""No threshold is higher (ln R), however small the budget: the caps come long before."""
_KERNEL: Final = tuple(math.exp(-j * j / 2) for j in range(-3, 4))
_AROUND: Final = tuple(tuple((hour + j) % HOURS for j in range(-3, 4)) for hour in range(HOURS))
"""For each hour the seven hours that an observation of it is spread over, with the weights of `_KERNEL`."""
PER_HOUR: Final = 512.0
PER_END: Final = 128.0
_TOP: Final = 65_535


Lost = Sequence[tuple[float, float]]
"""Parts (from, to) of the age of a silence in which messages are known to be missing: no evidence."""
Piece = tuple[float, float, int, int, bool]
"""A part of a silence: ages from and to, the band and the hour that it lies in, and whether it was heard."""


@dataclass(frozen=True, slots=True)
class Prior:
    """What is usual in homes with a sensor in the same place: the start of every new home.

    `rates`: ends of silence per hour, one for each (mode, band, hour); `tails`: for each mode the scores of the
    population's least usual silences, highest first, each with how often a month (30 days) it weighs.
    """

    name: str
    rates: tuple[float, ...]
    tails: tuple[tuple[tuple[float, float], ...], tuple[tuple[float, float], ...]]


@cache
def generic() -> Prior:
    """The start without any population: hand-set, on the quiet side (measured in `docs/subsystems/sensing.md`)."""
    bands = (1.4, 1.0, 0.7, 0.5, 0.35, 0.35)
    night = {23: 0.35, 0: 0.35, 1: 0.35, 2: 0.35, 3: 0.35, 4: 0.35, 22: 0.6, 5: 0.6}
    home = [rate * night.get(h, 1.0) for rate in bands for h in range(HOURS)]
    away = [rate * 0.7 for rate in bands for _ in range(HOURS)]
    return Prior("generic", (*home, *away), (_tail(3.8, 0.5, 8.0), _tail(3.9, 0.5, 2.0)))


def _tail(level: float, scale: float, rate: float) -> tuple[tuple[float, float], ...]:
    """Pseudo-silences whose scores exceed `level` at `rate` a month and fall off exponentially above it."""
    steps = 40
    count = rate * 2.5
    each = count / steps
    return tuple((level + scale * math.log(rate / (each * (i + 0.5))), each) for i in range(steps))


@dataclass(frozen=True, slots=True)
class Score:
    """One past silence: the day it ended (ordinal), and ln R at its natural end."""

    day: int
    value: float


@dataclass(frozen=True, slots=True)
class Deadlines:
    """Ages of the silence, in hours after the last sign of life, at which somebody is asked and somebody must look."""

    soft: float
    hard: float


@dataclass(frozen=True, slots=True)
class Usual:
    """What is normal for a silence that begins now: half end within `median` hours, 95 of 100 within `p95`."""

    median: float
    p95: float


@dataclass(slots=True)
class Rhythm:
    """What one home has taught. Changed in place by `learn` and `forget`; `pack` and `unpack` keep it in a row.

    `exposure` and `ends` are smoothed over the neighbouring hours when they are added to (the kernel is linear, so
    this equals smoothing later), in fixed point: 1/512 hour and 1/128 end.
    """

    first_day: int
    day: int
    exposure: array[int] = field(default_factory=lambda: array("H", bytes(4 * CELLS)))
    ends: array[int] = field(default_factory=lambda: array("H", bytes(4 * CELLS)))
    scores: tuple[list[Score], list[Score]] = field(default_factory=lambda: ([], []))
    tail: dict[tuple[int, float], tuple[float, float]] | None = None
    """(level, mean excess) for each (mode, times a month) that was asked; None = the scores have changed."""
    tail_of: tuple[int, str] = (0, "")
    known: list[float] | None = None
    """Rates that were asked for since the tables changed (0 = not yet), with the prior `known_with`."""
    known_with: Prior | None = None

    # ---- the table

    def rate(self, mode: int, band: int, hour: int, prior: Prior) -> float:
        """How many silences of this age end per hour at this hour of the day."""
        i = mode * CELLS + band * HOURS + hour
        known = self._rates(prior)
        return known[i] or self._rate(i, prior, known)

    def _rates(self, prior: Prior) -> list[float]:
        if self.known is None or self.known_with is not prior:
            self.known, self.known_with = [0.0] * (2 * CELLS), prior
        return self.known

    def _rate(self, i: int, prior: Prior, known: list[float]) -> float:
        seen = self.ends[i] / PER_END + PRIOR_HOURS * prior.rates[i]
        g = seen / (self.exposure[i] / PER_HOUR + PRIOR_HOURS)
        known[i] = g = g if g > FLOOR_RATE else FLOOR_RATE  # noqa: FURB136
        return g

    def forget(self, day: int) -> None:
        """Let the days since the last call fade; scores older than the window go."""
        days = day - self.day
        if days <= 0:
            return
        keep = 2.0 ** (-days / HALF_LIFE)
        self.exposure = array("H", [int(v * keep) for v in self.exposure])
        self.ends = array("H", [int(v * keep) for v in self.ends])
        for scores in self.scores:
            scores[:] = [s for s in scores if s.day > day - WINDOW]
        self.day = day
        self.tail = self.known = None

    def learn(self, *, tod: float, age: float, mode: int, day: int, prior: Prior, lost: Lost = ()) -> float | None:
        """A silence that began at `tod` ended by itself after `age` hours. Returns its score, None when too short."""
        if age < START:
            return None
        parts = tuple(pieces(tod, age, lost))
        value = self._score(parts, mode, prior)
        last = -1
        for low, high, band, hour, seen in parts:
            if seen:
                self._add(self.exposure, mode, band, hour, (high - low) * PER_HOUR)
                last = mode * CELLS + band * HOURS + hour
        if last >= 0:
            self._add(self.ends, mode, last % CELLS // HOURS, last % HOURS, PER_END)
        self._keep(mode, Score(day, value))
        return value

    def _add(self, table: array[int], mode: int, band: int, hour: int, amount: float) -> None:
        row, known = mode * CELLS + band * HOURS, self.known
        for at, weight in zip(_AROUND[hour], _KERNEL, strict=True):
            i = row + at
            value = table[i] + round(amount * weight)
            table[i] = value if 0 <= value <= _TOP else 0 if value < 0 else _TOP
            if known is not None:
                known[i] = 0.0

    def unlearn(self, *, tod: float, age: float, mode: int, day: int, lost: Lost = ()) -> None:
        """Take back what a silence that ended on `day` taught, as far as it has not faded; its day's scores go too."""
        if age < START or day > self.day:
            return
        keep, last = 2.0 ** (-(self.day - day) / HALF_LIFE), -1
        for low, high, band, hour, seen in pieces(tod, age, lost):
            if seen:
                self._add(self.exposure, mode, band, hour, -keep * (high - low) * PER_HOUR)
                last = mode * CELLS + band * HOURS + hour
        if last >= 0:
            self._add(self.ends, mode, last % CELLS // HOURS, last % HOURS, -keep * PER_END)
        for scores in self.scores:
            scores[:] = [s for s in scores if s.day != day]
        self.tail = self.known = None

    def _keep(self, mode: int, score: Score) -> None:
        scores = self.scores[mode]
        if len(scores) >= KEPT[mode]:
            if score.value <= scores[0].value:
                return
            del scores[0]
        insort(scores, score, key=_value)
        if self.tail is not None:  # what lies below the level of a tail changes nothing in it
            self.tail = {k: t for k, t in self.tail.items() if k[0] != mode or score.value < t[0]}

    # ---- the statistic

    def score(self, *, tod: float, age: float, mode: int, prior: Prior, lost: Lost = ()) -> float:
        """ln R at this age: how much speaks for "silent for a bad reason"."""
        return self._score(pieces(tod, age, lost), mode, prior)

    def _score(self, parts: Iterable[Piece], mode: int, prior: Prior) -> float:
        r, known, base = START, self._rates(prior), mode * CELLS
        for low, high, band, hour, seen in parts:
            if not seen:
                r += high - low
                continue
            i = base + band * HOURS + hour
            g = known[i] or self._rate(i, prior, known)
            power = g * (high - low)
            r = (r + 1 / g) * math.exp(power if power < 30.0 else 30.0) - 1 / g  # noqa: FURB136
            if r > _ENDLESS:
                return math.log(_ENDLESS)
        return math.log(r)

    def thresholds(self, mode: int, budget: float, prior: Prior) -> float:
        """ln of the level that R may reach: exceeded `budget` × share times a month by silences that ended well."""
        wanted = TAIL if budget <= TAIL / 2.5 else 2.5 * budget
        if self.tail is None or self.tail_of != (self.day, prior.name):
            self.tail, self.tail_of = {}, (self.day, prior.name)
        found = self.tail.get((mode, wanted))
        if found is None:
            found = self.tail[mode, wanted] = self._calibrate(mode, wanted, prior)
        level, excess = found
        return level + excess * math.log(wanted / budget)

    def _calibrate(self, mode: int, wanted: float, prior: Prior) -> tuple[float, float]:
        days = float(max(0, min(WINDOW, self.day - self.first_day)))
        pseudo = PSEUDO_DAYS / 30.0
        target = wanted * SHARE[mode] * (days + PSEUDO_DAYS) / 30.0
        own, tail = self.scores[mode], prior.tails[mode]
        mine, theirs, last = len(own) - 1, 0, len(tail)
        count, total, level = 0.0, 0.0, 0.0
        while mine >= 0 or theirs < last:  # both are in order: the highest of the two comes next
            if theirs >= last or (mine >= 0 and own[mine].value >= tail[theirs][0]):
                value, weight = own[mine].value, 1.0
                mine -= 1
            else:
                value, weight = tail[theirs][0], tail[theirs][1] * pseudo
                theirs += 1
            if count + weight > target:
                level = value
                break
            level = value
            count += weight
            total += value * weight
        excess = total / count - level if count else 1.0
        return level, max(0.05, excess)

    def deadlines(
        self, *, tod: float, mode: int, prior: Prior, budget: float, soft: float = 4.0, lost: Lost = ()
    ) -> Deadlines:
        """The two deadlines of a silence that begins at `tod`; the soft one has `soft` times the budget."""
        hard_at = math.exp(min(_HIGHEST, self.thresholds(mode, budget, prior)))
        soft_at = min(hard_at, math.exp(min(_HIGHEST, self.thresholds(mode, budget * soft, prior))))
        cap = CAPS[mode]
        if lost:
            return self._slow(tod, mode, prior, (soft_at, hard_at), lost)
        known, exp, base = self._rates(prior), math.exp, mode * CELLS
        a, r, band, edge = START, START, 0, EDGES[1]
        clock = tod + a
        soft_age = -1.0 if soft_at > r else a
        while a < cap:
            hour = int(clock)
            i = base + band * HOURS + hour % HOURS
            g = known[i] or self._rate(i, prior, known)
            end = hour + 1 - tod
            if end > edge:  # noqa: PLR1730 -- the inner loop of the watch: calls of min and max cost a third of it
                end = edge
            if end > cap:  # noqa: PLR1730
                end = cap
            inverse, power = 1 / g, g * (end - a)
            grown = (r + inverse) * exp(power if power < 30.0 else 30.0) - inverse  # noqa: FURB136
            if soft_age < 0 and grown >= soft_at:
                soft_age = a + math.log((soft_at + inverse) / (r + inverse)) / g
            if grown >= hard_at:
                hard_age = a + math.log((hard_at + inverse) / (r + inverse)) / g if hard_at > r else a
                return Deadlines(min(soft_age, hard_age), min(hard_age, cap))
            r = grown
            a = end if end > a else a + 1e-9
            clock = tod + a + 1e-12
            if a >= edge:
                band += 1
                edge = EDGES[band + 1]
        return Deadlines(soft_age if soft_age >= 0 else cap, cap)

    def _slow(self, tod: float, mode: int, prior: Prior, levels: tuple[float, float], lost: Lost) -> Deadlines:
        cap = CAPS[mode]
        found: list[float] = []
        r = START
        for low, high, band, hour, seen in pieces(tod, cap, lost):
            g = self.rate(mode, band, hour, prior)
            grown = (r + 1 / g) * math.exp(min(g * (high - low), 30.0)) - 1 / g if seen else r + high - low
            while len(found) < len(levels) and grown >= levels[len(found)]:
                level = max(levels[len(found)], r)
                found.append(low + (math.log((level + 1 / g) / (r + 1 / g)) / g if seen else level - r))
            r = grown
            if len(found) == len(levels):
                break
        found += [cap] * (len(levels) - len(found))
        return Deadlines(min(found[0], cap), min(found[1], cap))

    # ---- the sentence

    def usual(self, *, tod: float, mode: int, prior: Prior) -> Usual:
        """Median and 95 % point of a silence that begins at `tod`, given that it lasts 15 minutes at least."""
        hazard, median = 0.0, -1.0
        for low, high, band, hour, _ in pieces(tod, CAPS[mode], ()):
            g = self.rate(mode, band, hour, prior)
            more = hazard + g * (high - low)
            if median < 0 and more >= math.log(2):
                median = low + (math.log(2) - hazard) / g
            if more >= math.log(20):
                return Usual(median, low + (math.log(20) - hazard) / g)
            hazard = more
        return Usual(median if median >= 0 else CAPS[mode], CAPS[mode])

    # ---- keeping it

    def pack(self) -> bytes:
        """The state in about 1 KB."""
        scores = tuple([(s.day, s.value) for s in kept] for kept in self.scores)
        return packing.pack(self.first_day, self.day, self.exposure, self.ends, scores)

    @classmethod
    def unpack(cls, packed: bytes, *, today: int) -> Rhythm:
        """Back from `pack`. `today` (ordinal) restores the high part of the day numbers. ValueError when unreadable."""
        first, day, exposure, ends, scores = packing.unpack(packed, today=today, cells=2 * CELLS)
        home, away = ([Score(*s) for s in kept] for kept in scores)
        return cls(first, day, exposure, ends, (home, away))


def _value(score: Score) -> float:
    return score.value


def fresh(day: int) -> Rhythm:
    """A home of which nothing is known yet, from this day (ordinal) on."""
    return Rhythm(first_day=day, day=day)


def pieces(tod: float, age: float, lost: Lost = ()) -> Iterable[Piece]:
    """The silence from 15 minutes to `age` cut at hours, bands and lost windows: (from, to, band, hour, heard)."""
    a, band = START, 0
    while a < age:
        hour = int(tod + a + 1e-12)
        end, edge, heard = hour + 1 - tod, EDGES[band + 1], True
        if end > edge:  # noqa: PLR1730
            end = edge
        if end > age:  # noqa: PLR1730
            end = age
        for start, stop in lost:
            if start <= a < stop:
                heard = False
                end = min(end, stop)
            elif a < start < end:
                end = start
        end = end if end > a else a + 1e-9
        yield a, end, band, hour % HOURS, heard
        a = end
        if a >= edge:
            band += 1
