"""What happens to a life sign between the sensor and the platform: batches, late cells, losses, duplicates, outages.

Pure and seeded. `carry` turns the events of one home into the messages as they arrive. Times are hours since day 0.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from random import Random

from anju.town.population import DOOR, Event


@dataclass(frozen=True, slots=True)
class Line:
    """How a home's sensors report. Chances are per message; `cell` homes are late together.

    `period` 0 = at once. `drift` shifts the device's clock (hours). `dies` = battery empty from then on, with longer
    periods for the 10 days before. `outages` = spans in which nothing of the whole cell arrives (it comes afterwards
    when `kept`).
    """

    period: float = 0.5
    late: float = 0.0
    lost: float = 0.0
    twice: float = 0.0
    drift: float = 0.0
    cell: int = 0
    dies: float | None = None
    outages: tuple[tuple[float, float], ...] = ()
    kept: bool = True
    stuck_door: float | None = None


@dataclass(frozen=True, slots=True)
class Message:
    """One message as it arrives: the window it speaks for, and what was seen in it (times of the device)."""

    arrives: float
    device: str
    seq: int
    since: float
    until: float
    events: tuple[Event, ...]


def carry(events: Sequence[Event], line: Line, *, days: float, seed: int) -> list[Message]:
    """All messages of one home in the order of their arrival."""
    rng = Random(seed)
    door = [e for e in events if e[1] == DOOR and (line.stuck_door is None or e[0] < line.stuck_door)]
    motion = [e for e in events if e[1] != DOOR]
    made = [*_batches(rng, motion, line, days), *_at_once(rng, door, line)]
    return sorted(_through(rng, made, line, seed), key=lambda m: m.arrives)


def _batches(rng: Random, events: Sequence[Event], line: Line, days: float) -> Iterable[Message]:
    """A motion sensor that reports each period, also when it saw nothing."""
    if line.period == 0:
        yield from _heartbeats(rng, events, line, days)
        return
    at, i, seq = rng.random() * line.period, 0, 0
    since = 0.0
    while at < days * 24:
        if line.dies is not None and at > line.dies:
            return
        seen = i
        while i < len(events) and events[i][0] <= at:
            i += 1
        seq += 1
        yield Message(at, "pir", seq, since, at, tuple((t + line.drift, k) for t, k in events[seen:i]))
        since = at
        weak = line.dies is not None and at > line.dies - 240
        at += line.period * (4 if weak else 1)


def _heartbeats(rng: Random, events: Sequence[Event], line: Line, days: float) -> Iterable[Message]:
    """Motion at once, and an empty heartbeat each half hour."""
    beats = [rng.random() * 0.5 + 0.5 * n for n in range(int(days * 48))]
    marks = sorted([(t, (t + line.drift, k)) for t, k in events] + [(t, None) for t in beats], key=lambda m: m[0])
    since = 0.0
    for seq, (t, event) in enumerate(marks, start=1):
        if line.dies is not None and t > line.dies:
            return
        yield Message(t, "pir", seq, since, t, (event,) if event else ())
        since = t


def _at_once(rng: Random, events: Sequence[Event], line: Line) -> Iterable[Message]:
    del rng
    for seq, (t, kind) in enumerate(events, start=1):
        if line.dies is None or t <= line.dies:
            yield Message(t, "door", seq, t, t, ((t + line.drift, kind),))


def _through(rng: Random, made: Iterable[Message], line: Line, seed: int) -> Iterable[Message]:
    for message in made:
        hour = int(message.arrives)
        together = Random(
            line.cell * 1_000_003 + hour if line.cell else seed * 31 + message.seq * 7 + len(message.device)
        )
        if rng.random() < line.lost:
            continue
        arrives = message.arrives
        if together.random() < line.late:
            arrives += together.uniform(10, 180) / 60
        dark = next(((a, b) for a, b in line.outages if a <= arrives < b), None)
        if dark:
            if not line.kept:
                continue
            arrives = dark[1] + rng.uniform(0, 0.3)
        sent = Message(arrives, message.device, message.seq, message.since, message.until, message.events)
        yield sent
        if rng.random() < line.twice:
            yield Message(arrives + rng.uniform(0, 0.5), *_rest(sent))


def _rest(m: Message) -> tuple[str, int, float, float, tuple[Event, ...]]:
    return m.device, m.seq, m.since, m.until, m.events
