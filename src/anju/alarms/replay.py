"""The door for measuring: a recording of life signs, run through the rhythm as it would have run live. No database.

Input `timestamp,home,sensor,value` (local ISO time; sensor = a room, or `door`/`entry`; ON/OPEN/1 = a life sign).
Output one row per life sign in the order of the input; the deadlines know only what was known at `last_life_at`.
Reporting is immediate: what comes late in the file counts at its own time.
"""

from __future__ import annotations

import csv
import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, Final, TextIO

from anju.alarms import rhythm
from anju.alarms.rhythm import AWAY, HOME, MODES, Prior, Rhythm

COLUMNS: Final = ("home", "last_life_at", "mode", "soft_deadline_at", "hard_deadline_at", "silence_ended_at")
DOORS: Final = frozenset({"door", "entry", "frontdoor", "front_door"})
LIFE: Final = frozenset({"on", "open", "1", "true", "opened"})
QUIET: Final = frozenset({"off", "close", "closed", "0", "false", ""})
AFTER_DOOR: Final = timedelta(seconds=60)
"""Motion later than this after the newest door event says that somebody stayed inside."""
MODE_WORDS: Final = {HOME: "home", AWAY: "away"}
FORMAT: Final = "anju-rhythm-prior"


class BadInput(Exception):
    """The file can't be read at all; the text says which line and what to do."""


@dataclass(frozen=True, slots=True)
class Sign:
    """One life sign of a recording. `line` is its place in the input."""

    line: int
    home: str
    at: datetime
    sensor: str

    @property
    def door(self) -> bool:
        """Whether it is the entrance door."""
        return self.sensor in DOORS


@dataclass(slots=True)
class Report:
    """What the reader met: rows that were no life sign, and rows that could not be understood."""

    signs: int = 0
    quiet: int = 0
    bad: list[str] = field(default_factory=list)


@dataclass(slots=True)
class Home:
    """One home as it runs: what it taught, and the silence that is open. `open` is the sign that began it."""

    prior: Prior
    rhythm: Rhythm
    open: Sign | None = None
    mode: int = HOME
    door_at: datetime | None = None

    def live(self, sign: Sign) -> int:
        """A sign of life ends the silence (it is learnt) and begins the next one; returns its mode."""
        if self.open is not None:
            began = self.open.at
            self.rhythm.learn(
                tod=clock_hours(began), age=(sign.at - began).total_seconds() / 3600, mode=self.mode,
                day=sign.at.toordinal(), prior=self.prior,
            )  # fmt: skip
        self.rhythm.forget(sign.at.toordinal())
        if sign.door:
            self.door_at, self.mode = sign.at, AWAY
        elif self.door_at is None or sign.at - self.door_at > AFTER_DOOR:
            self.mode = HOME
        self.open = sign
        return self.mode


def clock_hours(at: datetime) -> float:
    """The time of day in hours, 0 <= h < 24."""
    return at.hour + at.minute / 60 + (at.second + at.microsecond / 1e6) / 3600


def signs(source: TextIO, report: Report) -> list[Sign]:
    """The life signs of a file. A line that can't be understood is counted and named, never a reason to stop."""
    rows = csv.reader(source)
    found: list[Sign] = []
    try:
        for line, row in enumerate(rows, start=1):
            if not row or row[0].startswith("#") or (line == 1 and row[0].strip().lower() == "timestamp"):
                continue
            sign = _sign(line, row, report)
            if sign is not None:
                found.append(sign)
    except (csv.Error, UnicodeDecodeError) as broken:
        raise BadInput(f"第 {rows.line_num} 行起读不懂（{broken}）：请用 UTF-8 的 CSV 文件") from broken
    report.signs = len(found)
    return found


def _sign(line: int, row: list[str], report: Report) -> Sign | None:
    if len(row) < 4:
        report.bad.append(f"第 {line} 行：应有 4 列（timestamp,home,sensor,value），只有 {len(row)} 列")
        return None
    stamp, home, sensor, value = (part.strip() for part in row[:4])
    word = value.lower()
    if word in QUIET:
        report.quiet += 1
        return None
    if word not in LIFE:
        report.bad.append(f"第 {line} 行：不认识的 value「{value}」")
        return None
    try:
        at = datetime.fromisoformat(stamp)
    except ValueError:
        report.bad.append(f"第 {line} 行：时间「{stamp}」不是 ISO 格式")
        return None
    return Sign(line, home, at.replace(tzinfo=None), sensor.lower())


def in_time(found: Iterable[Sign]) -> Iterator[list[Sign]]:
    """The signs of each home in order of time."""
    homes: dict[str, list[Sign]] = {}
    for sign in found:
        homes.setdefault(sign.home, []).append(sign)
    for of_one in homes.values():
        of_one.sort(key=lambda s: s.at)
        yield of_one


Row = tuple[str, str, str, str, str, str]


def silences(found: list[Sign], priors: Mapping[str, Prior], *, budget: float, soft: float = 4.0) -> list[Row]:
    """One row per life sign, in the order of `found`."""
    rows: dict[int, Row] = {}
    for of_one in in_time(found):
        prior = prior_for(priors, of_one[0].sensor)
        home = Home(prior, rhythm.fresh(of_one[0].at.toordinal()))
        for n, sign in enumerate(of_one):
            mode = home.live(sign)
            due = home.rhythm.deadlines(tod=clock_hours(sign.at), mode=mode, prior=prior, budget=budget, soft=soft)
            ended = of_one[n + 1].at if n + 1 < len(of_one) else None
            rows[sign.line] = (
                sign.home, sign.at.isoformat(), MODE_WORDS[mode], _after(sign.at, due.soft), _after(sign.at, due.hard),
                ended.isoformat() if ended else "",
            )  # fmt: skip
    return [rows[sign.line] for sign in found]


def _after(at: datetime, hours: float) -> str:
    return (at + timedelta(hours=hours)).isoformat()


def prior_for(priors: Mapping[str, Prior], sensor: str) -> Prior:
    """The table for homes whose sensor is in this room; else for all; else the hand-set one."""
    return priors.get(sensor) or priors.get("*") or rhythm.generic()


def write(rows: Iterable[Row], out: TextIO) -> None:
    """The rows as CSV with a header."""
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(COLUMNS)
    writer.writerows(rows)


# ---- the population


def learn_prior(found: list[Sign], *, name: str) -> dict[str, Any]:
    """The population of a recording as a prior: all homes together, and each room that is a home's only sensor.

    Learnt in two rounds: the scores of the second are taken with the tables of the first, as a new home will.
    """
    of_homes = list(in_time(found))
    if not of_homes:
        raise BadInput("文件里没有一条生命迹象，无法建立人群先验")
    places: dict[str, list[list[Sign]]] = {"*": of_homes}
    for of_one in of_homes:
        rooms = {s.sensor for s in of_one if not s.door}
        if len(rooms) == 1:
            places.setdefault(rooms.pop(), []).append(of_one)
    return {
        "format": FORMAT, "version": 1, "name": name,
        "placements": {place: _pooled(homes, f"{name}:{place}") for place, homes in places.items()},
    }  # fmt: skip


def _pooled(of_homes: list[list[Sign]], name: str) -> dict[str, Any]:
    prior = rhythm.generic()
    learnt: list[Rhythm] = []
    for _ in range(2):
        learnt = [_run(of_one, prior) for of_one in of_homes]
        prior = merged(learnt, name, rhythm.generic())
    days = sum(max(1, r.day - r.first_day) for r in learnt)
    return {"homes": len(of_homes), "days": days, **table_of(prior)}


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


def _run(of_one: list[Sign], prior: Prior) -> Rhythm:
    home = Home(prior, rhythm.fresh(of_one[0].at.toordinal()))
    for sign in of_one:
        home.live(sign)
    return home.rhythm


def load_priors(path: Path) -> dict[str, Prior]:
    """The priors of a file made by `learn_prior`; BadInput says what is wrong with it."""
    try:
        data = json.loads(path.read_text(encoding="utf-8"))
        if data.get("format") != FORMAT:
            raise BadInput(f"{path} 不是先验文件：请用 `./anju rhythm prior` 生成")
        return priors_from(data)
    except OSError as missing:
        raise BadInput(f"打不开先验文件 {path}：{missing.strerror}") from missing
    except (ValueError, KeyError, TypeError, AttributeError) as broken:
        raise BadInput(f"先验文件 {path} 已损坏（{broken}）：请用 `./anju rhythm prior` 重新生成") from broken


def priors_from(data: Mapping[str, Any]) -> dict[str, Prior]:
    """The prior of each placement, out of what `learn_prior` made."""
    return {place: prior_from(f"{data['name']}:{place}", table) for place, table in data["placements"].items()}


def prior_from(name: str, table: Mapping[str, Any]) -> Prior:
    """One prior out of `table_of`; ValueError, KeyError or TypeError when it is damaged."""
    rates = tuple(float(v) for v in table["rates"])
    tails = [tuple((float(v), float(w)) for v, w in tail) for tail in table["tails"]]
    if len(rates) != len(MODES) * rhythm.CELLS or len(tails) != len(MODES) or min(rates) <= 0 or not all(tails):
        raise ValueError("表的大小不对")
    return Prior(name, rates, (tails[0], tails[1]))
