"""The door for measuring: a recording of life signs, run through the rhythm as it would have run live. No database.

Output one row per life sign in the order of the input; the deadlines know only what was known at `last_life_at`, the placement
of the sensor included. Reporting is immediate: what comes late in the file counts at its own time.
"""

from __future__ import annotations

import csv
import json
import math
from array import array
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final, TextIO

from anju.alarms import rhythm
from anju.alarms.recording import HOUR, TELL_EVERY, BadInput, Recording, Tell, day_of, is_door, moment, tod_of
from anju.alarms.rhythm import AWAY, HOME, MODES, Prior, Rhythm

COLUMNS: Final = ("home", "last_life_at", "mode", "soft_deadline_at", "hard_deadline_at", "silence_ended_at")
AFTER_DOOR: Final = 60_000_000
"""Microseconds: motion later than this after the newest door event says that somebody stayed inside."""
MODE_WORDS: Final = {HOME: "home", AWAY: "away"}
FORMAT: Final = "anju-rhythm-prior"
ALL: Final = "*"
MANY: Final = "多处"
"""The placement of a home with motion sensors in several rooms."""
_NEVER: Final = -1


@dataclass(slots=True)
class Home:
    """One home as it runs: what it taught, and the silence that is open since `open_at` (microseconds)."""

    prior: Prior
    rhythm: Rhythm
    open_at: int | None = None
    mode: int = HOME
    door_at: int | None = None

    def live(self, *, at: int, door: bool) -> int:
        """A sign of life ends the silence (it is learnt) and begins the next one; returns its mode."""
        day = day_of(at)
        if self.open_at is not None:
            self.rhythm.learn(
                tod=tod_of(self.open_at), age=(at - self.open_at) / HOUR, mode=self.mode, day=day, prior=self.prior
            )
        self.rhythm.forget(day)
        if door:
            self.door_at, self.mode = at, AWAY
        elif self.door_at is None or at - self.door_at > AFTER_DOOR:
            self.mode = HOME
        self.open_at = at
        return self.mode


Row = tuple[str, str, str, str, str, str]


@dataclass(slots=True)
class Silences:
    """What `silences` found, a number for each life sign of the recording; times in microseconds."""

    of: Recording
    mode: array[int] = field(init=False)
    soft: array[int] = field(init=False)
    hard: array[int] = field(init=False)
    ended: array[int] = field(init=False)

    def __post_init__(self) -> None:
        many = len(self.of)
        self.mode = array("B", bytes(many))
        self.soft, self.hard = array("q", bytes(8 * many)), array("q", bytes(8 * many))
        self.ended = array("q", [_NEVER]) * many

    def __iter__(self) -> Iterator[Row]:
        """One row per life sign, in the order of the file."""
        names = list(self.of.homes)
        for i, at in enumerate(self.of.at):
            ended = self.ended[i]
            yield (
                names[self.of.home[i]], moment(at).isoformat(), MODE_WORDS[self.mode[i]], moment(self.soft[i]).isoformat(),
                moment(self.hard[i]).isoformat(), moment(ended).isoformat() if ended != _NEVER else "",
            )  # fmt: skip


def silences(
    of: Recording,
    priors: Mapping[str, Prior],
    *,
    budget: float,
    soft: float = 4.0,
    tell: Tell = lambda _what, _many: None,
) -> Silences:
    """The deadlines of every life sign."""
    found, done = Silences(of), 0
    sensors = of.names_of_sensors()
    doors = [is_door(word) for word in sensors]
    for _, places in of.in_time():
        rooms: set[str] = set()
        home = Home(prior_for(priors, rooms), rhythm.fresh(day_of(of.at[places[0]])))
        last = _NEVER
        for i in places:
            at, sensor = of.at[i], of.sensor[i]
            if not doors[sensor] and sensors[sensor] not in rooms:
                rooms.add(sensors[sensor])
                home.prior = prior_for(priors, rooms)
            mode = home.live(at=at, door=doors[sensor])
            due = home.rhythm.deadlines(tod=tod_of(at), mode=mode, prior=home.prior, budget=budget, soft=soft)
            found.mode[i] = mode
            found.soft[i], found.hard[i] = at + round(due.soft * HOUR), at + round(due.hard * HOUR)
            if last != _NEVER:
                found.ended[last] = at
            last, done = i, done + 1
            if done % TELL_EVERY == 0:
                tell("已算迹象", done)
    return found


def prior_for(priors: Mapping[str, Prior], rooms: Iterable[str]) -> Prior:
    """The table for homes whose motion sensor is in this room, or in several; else for all; else the hand-set one."""
    known = list(rooms)
    own = priors.get(known[0] if len(known) == 1 else MANY) if known else None
    return own or priors.get(ALL) or rhythm.generic()


def write(rows: Iterable[Row], out: TextIO) -> None:
    """The rows as CSV with a header."""
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(COLUMNS)
    writer.writerows(rows)


# ---- the population


def learn_prior(of: Recording, *, name: str, leave_out: Iterable[str] = ()) -> dict[str, Any]:
    """The population of a recording as a prior: all homes together, those with a sensor in one room, and those with several.

    Learnt in two rounds: the scores of the second are taken with the tables of the first, as a new home will.
    """
    doors = [is_door(word) for word in of.sensors]
    words = of.names_of_sensors()
    homes = [list(places) for _, places in of.in_time(leave_out)]
    if not homes:
        raise BadInput("文件里没有一条生命迹象，无法建立人群先验（no sign of life in the file）")
    groups: dict[str, list[list[int]]] = {ALL: homes}
    for places in homes:
        rooms = {words[of.sensor[i]] for i in places if not doors[of.sensor[i]]}
        if rooms:
            groups.setdefault(rooms.pop() if len(rooms) == 1 else MANY, []).append(places)
    return {
        "format": FORMAT, "version": 1, "name": name,
        "placements": {place: _pooled(of, some, f"{name}:{place}") for place, some in groups.items()},
    }  # fmt: skip


def _pooled(of: Recording, homes: Sequence[Sequence[int]], name: str) -> dict[str, Any]:
    prior = rhythm.generic()
    learnt: list[Rhythm] = []
    for _ in range(2):
        learnt = [_run(of, places, prior) for places in homes]
        prior = merged(learnt, name, rhythm.generic())
    days = sum(max(1, r.day - r.first_day) for r in learnt)
    return {"homes": len(homes), "days": days, **table_of(prior)}


def table_of(prior: Prior) -> dict[str, Any]:
    """A prior as it is stored: rates and tails."""
    return {
        "rates": [round(v, 5) for v in prior.rates],
        "tails": [[[round(v, 4), round(w, 6)] for v, w in tail] for tail in prior.tails],
    }


def merged(prior_of: Sequence[Rhythm], name: str, base: Prior) -> Prior:
    """The population prior of many homes: pooled tables, and how often their silences reach which score."""
    rates = []
    for i in range(2 * rhythm.CELLS):
        exposure = sum(r.exposure[i] for r in prior_of) / rhythm.PER_HOUR
        ends = sum(r.ends[i] for r in prior_of) / rhythm.PER_END
        rates.append(
            max(rhythm.FLOOR_RATE, (ends + rhythm.PRIOR_HOURS * base.rates[i]) / (exposure + rhythm.PRIOR_HOURS))
        )
    days = sum(max(1, min(rhythm.WINDOW, r.day - r.first_day)) for r in prior_of)
    tails = [_shortened(sorted((s.value for r in prior_of for s in r.scores[m]), reverse=True), days) for m in MODES]
    return Prior(name, tuple(rates), (tails[0] or base.tails[HOME], tails[1] or base.tails[AWAY]))


def _shortened(values: Sequence[float], days: int) -> tuple[tuple[float, float], ...]:
    """The tail in at most 60 steps, finer where it is rare: each step is the mean of the silences that it stands for."""
    steps: list[tuple[float, float]] = []
    at = 0
    while at < len(values):
        many = max(1, len(values) // 100, at // 8)
        part = values[at : at + many]
        steps.append((sum(part) / len(part), len(part) * 30.0 / days))
        at += many
    return tuple(steps)


def _run(of: Recording, places: Sequence[int], prior: Prior) -> Rhythm:
    home = Home(prior, rhythm.fresh(day_of(of.at[places[0]])))
    doors = [is_door(word) for word in of.sensors]
    for i in places:
        home.live(at=of.at[i], door=doors[of.sensor[i]])
    return home.rhythm


def load_priors(path: Path) -> dict[str, Prior]:
    """The priors of a file made by `learn_prior`; BadInput says what is wrong with it."""
    data = read_priors(path)
    try:
        return priors_from(data)
    except (ValueError, KeyError, TypeError, AttributeError) as broken:
        raise BadInput(f"先验文件 {path} 已损坏（{broken}）：请用 `./anju rhythm prior` 重新生成") from broken


def read_priors(path: Path) -> dict[str, Any]:
    """A file made by `learn_prior`, its tables not yet looked at; BadInput when it is none."""
    try:
        data = json.loads(path.read_text(encoding="utf-8-sig"))
    except OSError as missing:
        raise BadInput(f"打不开先验文件 {path}：{missing.strerror}") from missing
    except ValueError as broken:
        raise BadInput(f"先验文件 {path} 已损坏（{broken}）：请用 `./anju rhythm prior` 重新生成") from broken
    whole: dict[str, Any] = data if isinstance(data, dict) else {}
    if whole.get("format") != FORMAT or not whole.get("placements") or not isinstance(whole["placements"], dict):
        raise BadInput(f"{path} 不是先验文件：请用 `./anju rhythm prior` 生成（not a prior file）")
    return whole


def priors_from(data: Mapping[str, Any]) -> dict[str, Prior]:
    """The prior of each placement, out of what `learn_prior` made."""
    return {place: prior_from(f"{data['name']}:{place}", table) for place, table in data["placements"].items()}


def prior_from(name: str, table: Mapping[str, Any]) -> Prior:
    """One prior out of `table_of`; ValueError, KeyError or TypeError when it is damaged."""
    rates = tuple(float(v) for v in table["rates"])
    tails = [tuple(sorted(((float(v), float(w)) for v, w in tail), reverse=True)) for tail in table["tails"]]
    if len(rates) != len(MODES) * rhythm.CELLS or len(tails) != len(MODES) or not all(tails):
        raise ValueError("表的大小不对")
    if not all(math.isfinite(v) and v > 0 for v in (*rates, *(w for tail in tails for _, w in tail))):
        raise ValueError("表里有不是正数的值")
    if not all(math.isfinite(v) for tail in tails for v, _ in tail):
        raise ValueError("表里有不是数的值")
    return Prior(name, rates, (tails[0], tails[1]))
