"""The virtual town: homes live, devices post, the operator retries. Talks only to the gateway's front door."""

from __future__ import annotations

import asyncio
import heapq
import itertools
import json
import time
from collections import Counter
from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import partial
from pathlib import Path
from random import Random

from anju.kernel import clock
from anju.town import catalogue, living, operator
from anju.town.people import HomeSeed
from anju.town.radio import Radio
from anju.town.runfile import Broker
from anju.town.voices import Household, Keys, Post, Voice
from anju.town.weather import Weather
from anju.town.wire import Door, Line

Happening = tuple[float, Callable[..., Iterator[Post]]]
"""Seconds after the start, and what to ask (with `at=`) for the posts that follow."""


@dataclass(frozen=True, slots=True)
class Plan:
    """How the town is to live. `rate` messages a second replace the rhythm of the homes; 0 = live at `speed`.

    `collapse_every` = seconds between two people who collapse and can't press; each is a line of `truth` (JSON). `seq` = where
    the devices' numbers begin, so that a town that is started again does not repeat them.
    """

    speed: float = 60.0
    rate: float = 0.0
    duration: float = 60.0
    sos_every: float = 0.0
    seed: int = 1
    lines: int = 48
    weather: Weather = field(default_factory=Weather)
    collapse_every: float = 0.0
    truth: Path | None = None
    seq: int = 0


@dataclass(slots=True)
class Tally:
    """What was posted and what came back."""

    sent: int = 0
    acked: int = 0
    retried: int = 0
    given_up: int = 0
    never_sent: int = 0
    kinds: Counter[str] = field(default_factory=Counter)
    mishaps: Counter[str] = field(default_factory=Counter)
    statuses: Counter[int] = field(default_factory=Counter)
    waits: list[float] = field(default_factory=list)
    sos_unacked: int = 0

    def percentile(self, share: float) -> float:
        """Milliseconds until the acknowledgement, of the last posts."""
        waits = sorted(self.waits[-20_000:])
        return waits[min(len(waits) - 1, int(len(waits) * share))] * 1000 if waits else 0.0


class Town:
    """A running simulation; `tally` may be read at any time."""

    def __init__(
        self, homes: list[HomeSeed], doors: Mapping[str, Door], plan: Plan, *, keys: Keys, broker: Broker | None = None
    ) -> None:
        self.tally = Tally()
        self._doors, self._plan = doors, plan
        self._radio = Radio(broker) if broker else None
        self._rng = Random(plan.seed)
        self._households = [Household.of(home, plan.seed, keys, seq=plan.seq) for home in homes]
        self._queue: asyncio.Queue[tuple[Post, str] | None] = asyncio.Queue(maxsize=4 * plan.lines)
        self._patience = {name: operator.Patience() for name in doors}
        self._nth = itertools.count()
        self._delayed: list[tuple[float, int, Post, str]] = []

    async def run(self, stop: asyncio.Event) -> Tally:
        """Live until the duration is over or `stop` is set; everything under way is finished."""
        began = time.monotonic()
        workers = [asyncio.create_task(self._worker()) for _ in range(self._plan.lines)]
        try:
            async for post in self._events(began, stop):
                hour = (time.monotonic() - began) * self._plan.speed / 3600
                weather = self._plan.weather.of(
                    post, self._rng, precious=post.precious, cell=post.cell, hour=hour, speed=self._plan.speed
                )
                for delay, one, mishap in weather:
                    if delay:
                        due = min(began + self._plan.duration, time.monotonic() + delay)
                        heapq.heappush(self._delayed, (due, next(self._nth), one, mishap))
                    else:
                        await self._queue.put((one, mishap))
                await self._release(time.monotonic())
            await self._release(float("inf"))
        finally:
            for _ in workers:
                await self._queue.put(None)
            await asyncio.gather(*workers)
            if self._radio is not None:
                await self._radio.close()
        return self.tally

    async def _release(self, now: float) -> None:
        while self._delayed and self._delayed[0][0] <= now:
            _, _, post, mishap = heapq.heappop(self._delayed)
            await self._queue.put((post, mishap))

    # ---- what happens ----
    async def _events(self, began: float, stop: asyncio.Event) -> AsyncIterator[Post]:
        stream = self._at_rate() if self._plan.rate else self._living()
        next_sos = self._plan.sos_every or float("inf")
        next_collapse = self._plan.collapse_every or float("inf")
        for at, make in stream:
            while True:
                gone = time.monotonic() - began
                if stop.is_set() or gone >= self._plan.duration:
                    return
                if gone >= next_sos:
                    next_sos += self._plan.sos_every
                    for post in self._press():
                        yield post
                    continue
                if gone >= next_collapse:
                    next_collapse += self._plan.collapse_every
                    self._collapse(clock.now())
                    continue
                if gone >= at:
                    break
                await self._release(time.monotonic())
                await _until(stop, min(at, next_sos, next_collapse, gone + 0.5) - gone)
            for post in make(at=clock.now()):
                yield post

    def _at_rate(self) -> Iterator[Happening]:
        rng = Random(self._plan.seed + 1)
        for n in itertools.count():
            yield n / self._plan.rate, partial(self._one, rng=rng)

    def _one(self, *, at: datetime, rng: Random) -> Iterator[Post]:
        """Exactly one body: a batching device keeps its first motions to itself, so ask until somebody posts."""
        kinds = ("motion", "door_open", "door_closed", "vitals", "battery")
        for _ in range(200):
            what, household = rng.choices(kinds, (86, 4, 4, 5, 1))[0], rng.choice(self._households)
            said = list(household.said(what, at=at, count=rng.randrange(1, 5), rng=rng))
            if said:
                yield said[0]
                return

    def _living(self) -> Iterator[Happening]:
        start = clock.now()
        rng = Random(self._plan.seed + 2)
        lives = [self._life(household, start, rng) for household in self._households]
        pulses = [self._pulse(voice) for household in self._households for voice in household.voices]
        return heapq.merge(*lives, *pulses, key=lambda item: item[0])

    def _life(self, household: Household, start: datetime, rng: Random) -> Iterator[Happening]:
        zone = clock.SHANGHAI
        for days in range(3660):
            on = clock.local(start + timedelta(days=days)).date()
            for doing in living.day(household.home.n, on, zone, household.hung):
                at = (doing.at - start).total_seconds() / self._plan.speed
                if at >= 0:
                    yield at, partial(household.said, doing.kind, count=doing.count, rng=rng)
            if rng.random() < 0.003:
                yield (days + 0.9) * 86400 / self._plan.speed, partial(household.said, "tamper", count=1, rng=rng)

    def _pulse(self, voice: Voice) -> Iterator[Happening]:
        """The report that every device makes by itself, however quiet the home is."""
        every = catalogue.product(voice.device.product).report_every / self._plan.speed
        at = voice.rng.random() * every
        while not voice.dead:
            yield at, partial(voice.say, "vitals", count=1)
            at += every * (4 if voice.weak else 1) * voice.rng.uniform(0.98, 1.02)

    def _collapse(self, now: datetime) -> None:
        """Somebody at home falls and can't press: from now on nothing moves there until help came. The truth is written down."""
        local = clock.local(now)
        hour = local.hour + local.minute / 60
        able = [
            h for h in self._households
            if (h.down_until is None or h.down_until < now) and h.hung
            and not any(a <= hour <= b for a, b in living.away(h.home.n, local.date()))
        ]  # fmt: skip
        if not able:
            return
        household = self._rng.choice(able)
        household.down_until = now + timedelta(hours=self._rng.uniform(6, 30)) / self._plan.speed
        self.tally.kinds["collapse"] += 1
        if self._plan.truth is not None:
            self._plan.truth.parent.mkdir(parents=True, exist_ok=True)
            line = {
                "home": household.home.n, "imei": [v.device.imei for v in household.voices], "at": now.isoformat(),
                "until": household.down_until.isoformat(), "speed": self._plan.speed,
            }  # fmt: skip
            with self._plan.truth.open("a", encoding="utf-8") as file:
                file.write(json.dumps(line, ensure_ascii=False) + "\n")

    def _press(self) -> Iterator[Post]:
        """An SOS; one in four is pressed twice."""
        able = [h for h in self._households if any(v.device.kind == "sos" for v in h.voices)]
        if not able:
            return
        household = self._rng.choice(able)
        for _ in range(2 if self._rng.random() < 0.25 else 1):
            yield from household.said("sos", at=clock.now(), count=1, rng=self._rng)

    # ---- the operator ----
    async def _worker(self) -> None:
        lines = {name: Line(door) for name, door in self._doors.items()}
        try:
            while (work := await self._queue.get()) is not None:
                post, mishap = work
                await self._push(post, mishap, lines)
        finally:
            for line in lines.values():
                line.close()

    async def _push(self, post: Post, mishap: str, lines: Mapping[str, Line]) -> None:
        tally = self.tally
        if post.channel not in lines:
            if self._radio is not None and post.channel == "mqtt":
                self._count(post, mishap)
                ok = await self._radio.publish(post)
                tally.acked, tally.given_up = tally.acked + ok, tally.given_up + (not ok)
                tally.sos_unacked += post.precious and not ok
            return
        patience = self._patience[post.channel]
        if not patience.open(time.monotonic()):
            tally.never_sent += 1
            tally.sos_unacked += post.precious
            return
        self._count(post, mishap)
        for turn in range(1 + operator.RETRIES):
            began = time.monotonic()
            status = await lines[post.channel].post(post.body)
            now = time.monotonic()
            patience.note(now, ok=status == 200)
            tally.statuses[status] += 1
            if status == 200:
                tally.acked += 1
                tally.waits.append(now - began)
                return
            if turn < operator.RETRIES:
                tally.retried += 1
                await asyncio.sleep(0.2 * (turn + 1))
        tally.given_up += 1
        tally.sos_unacked += post.precious

    def _count(self, post: Post, mishap: str) -> None:
        self.tally.sent += 1
        self.tally.kinds[post.what] += 1
        if mishap:
            self.tally.mishaps[mishap] += 1


async def _until(stop: asyncio.Event, seconds: float) -> None:
    """Wait, but wake at once when asked to stop."""
    if seconds <= 0:
        return
    try:
        await asyncio.wait_for(stop.wait(), seconds)
    except TimeoutError:
        return
