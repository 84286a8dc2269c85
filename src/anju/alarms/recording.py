"""A recording of life signs out of a CSV, kept small: 16 bytes a sign, so that years of many homes fit. Pure.

Input `timestamp,home,sensor,value` (local ISO time; sensor = a room, or `door`/`entry`; ON/OPEN/1 = a life sign). A header may
be there or not; with one, its names say which column is which. A line that can't be understood is counted and named, never a
reason to stop, and takes no other line with it; a file of which nothing can be understood is refused.
"""

from __future__ import annotations

import codecs
import csv
import re
from array import array
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from itertools import chain
from pathlib import Path
from typing import Final, TextIO

COLUMNS: Final = ("timestamp", "home", "sensor", "value")
_DOOR: Final = re.compile(
    r"(front|back|main|entry|entrance|house|outside|outer|exterior)?door(contact|sensor|magnet)?[0-9]{0,3}"
    r"|entry|entrance|d[0-9]{1,3}|(入户|大|前|后|房)?门磁?"
)
"""What recordings call the contact of the entrance door, D001 of CASAS too. A word before it that names a room (`bathroom
door`) is the place of a motion sensor."""
LIFE: Final = frozenset({"on", "open", "1", "true", "opened", "1.0"})
QUIET: Final = frozenset({"off", "close", "closed", "0", "false", "0.0", ""})
YEARS: Final = (1900, 2999)
SHOWN: Final = 20
"""So many bad lines are kept by name; the rest is counted."""
TELL_EVERY: Final = 50_000
HOUR: Final = 3_600_000_000
DAY: Final = 24 * HOUR
_EPOCH: Final = datetime(1, 1, 1)  # noqa: DTZ001 -- recordings are in local time

Tell = Callable[[str, int], None]
"""Hears how far a long work is: what is counted, and how many."""


class BadInput(Exception):
    """The file can't be read at all; the text says which line and what to do."""


@dataclass(slots=True)
class Report:
    """What the reader met: rows that were no life sign, and rows that could not be understood (the first ones by name)."""

    signs: int = 0
    quiet: int = 0
    wrong: int = 0
    bad: list[str] = field(default_factory=list)

    def fault(self, line: int, text: str) -> None:
        """One line that can't be understood."""
        self.wrong += 1
        if len(self.bad) < SHOWN:
            self.bad.append(f"第 {line} 行（line {line}）：{text}")


@dataclass(slots=True)
class Recording:
    """Life signs in the order of the file: when (microseconds of local time since 0001-01-01), whose, and by which sensor."""

    at: array[int] = field(default_factory=lambda: array("q"))
    home: array[int] = field(default_factory=lambda: array("I"))
    sensor: array[int] = field(default_factory=lambda: array("I"))
    homes: dict[str, int] = field(default_factory=dict)
    sensors: dict[str, int] = field(default_factory=dict)

    def add(self, home: str, at: datetime, sensor: str) -> None:
        """One more life sign."""
        self.at.append(micros(at))
        self.home.append(self.homes.setdefault(home, len(self.homes)))
        self.sensor.append(self.sensors.setdefault(sensor, len(self.sensors)))

    def __len__(self) -> int:
        return len(self.at)

    def in_time(self, leave_out: Iterable[str] = ()) -> Iterator[tuple[str, Sequence[int]]]:
        """Each home with the places of its signs in order of time; what came at one moment stays in the order of the file."""
        places = [array("I") for _ in self.homes]
        for i, home in enumerate(self.home):
            places[home].append(i)
        without = frozenset(leave_out)
        for name, home in self.homes.items():
            if name not in without:
                yield name, sorted(places[home], key=self.at.__getitem__)
            places[home] = array("I")

    def names_of_sensors(self) -> list[str]:
        """The word of each sensor number."""
        return list(self.sensors)


def micros(at: datetime) -> int:
    """A local time as microseconds since 0001-01-01."""
    span = at - _EPOCH
    return (span.days * 86_400 + span.seconds) * 1_000_000 + span.microseconds


def moment(at: int) -> datetime:
    """And back."""
    return _EPOCH + timedelta(microseconds=at)


def day_of(at: int) -> int:
    """The day as an ordinal."""
    return at // DAY + 1


def tod_of(at: int) -> float:
    """The time of day in hours, 0 <= h < 24."""
    return at % DAY / HOUR


def is_door(sensor: str) -> bool:
    """Whether this word means the entrance door, not a room."""
    return _DOOR.fullmatch(re.sub(r"[\W_]", "", sensor.lower())) is not None


def encoding_of(path: Path) -> str:
    """How a file is written: UTF-8, else what its first bytes say (UTF-16), else what a Chinese spreadsheet writes."""
    if not path.is_file():  # a pipe can be read once only
        return "utf-8-sig"
    with path.open("rb") as source:
        if source.read(2) in (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE):
            return "utf-16"
    for encoding in ("utf-8-sig", "gb18030"):
        try:
            with path.open(encoding=encoding) as text:
                while text.read(1 << 20):
                    pass
        except UnicodeDecodeError:
            continue
        return encoding
    return "utf-8-sig"


def _whole(lines: Iterable[str]) -> Iterator[str]:
    """A quote that is never closed would swallow all lines after it: none of ours goes over a line."""
    return (line.replace('"', "") if line.count('"') % 2 else line for line in lines)


def read(source: TextIO, report: Report, tell: Tell = lambda _what, _many: None) -> Recording:
    """The life signs of a file, opened as UTF-8 with `errors="surrogateescape"`.

    BadInput when it is no CSV, lacks a column, or not one line of it can be understood."""
    found, first = Recording(), source.readline()
    rows = csv.reader(
        _whole(chain([first] if first else [], source)), delimiter=_delimiter(first), skipinitialspace=True
    )
    order: Sequence[int] = range(len(COLUMNS))
    header: list[str] = []
    try:
        for row in rows:
            line = rows.line_num
            if not row or row[0].startswith("#") or not any(cell.strip() for cell in row):
                continue
            if not header:
                header = [cell.strip().lower() for cell in row]
                if _is_header(header):
                    order = _order(header, line)
                    continue
            _take(row, order, line, found, report, header)
            if line % TELL_EVERY == 0:
                tell("已读行数", line)
    except csv.Error as broken:
        raise BadInput(f"第 {rows.line_num} 行读不懂（line {rows.line_num}: {broken}）。请用 CSV 文件。") from broken
    report.signs = len(found)
    if report.wrong and not report.signs and not report.quiet:
        raise BadInput(f"没有一行读得懂（no line could be understood）。{report.bad[0]}")
    return found


def _delimiter(first: str) -> str:
    return next((mark for mark in ",;\t" if mark in first), ",")


def _is_header(cells: Sequence[str]) -> bool:
    return bool(set(cells) & set(COLUMNS)) and _time(cells[0]) is None


def _order(header: Sequence[str], line: int) -> Sequence[int]:
    if missing := [name for name in COLUMNS if name not in header]:
        raise BadInput(
            f"第 {line} 行的表头缺少列 {'、'.join(missing)}（line {line}: missing columns）。须有 {','.join(COLUMNS)}。"
        )
    return [header.index(name) for name in COLUMNS]


def _take(
    row: list[str], order: Sequence[int], line: int, found: Recording, report: Report, header: Sequence[str]
) -> None:
    if len(row) <= max(order):
        report.fault(line, f"应有 4 列（timestamp,home,sensor,value），只有 {len(row)} 列")
        return
    stamp, home, sensor, value = (row[i].strip() for i in order)
    word = value.lower()
    if not (home.isascii() and sensor.isascii()) and _broken(home + sensor):
        report.fault(line, "不是 UTF-8 文字（not UTF-8）")
    elif word not in QUIET and word not in LIFE:
        if [cell.strip().lower() for cell in row] != header:  # files that were put together repeat it
            report.fault(line, f"不认识的 value「{value[:40]}」（unknown value）")
    elif (at := _time(stamp)) is None:
        report.fault(line, f"时间「{stamp[:40]}」不是 ISO 格式（not an ISO time）")
    elif not YEARS[0] <= at.year <= YEARS[1]:
        report.fault(line, f"时间「{stamp[:40]}」不在 {YEARS[0]}-{YEARS[1]} 年之间（year out of range）")
    elif word in QUIET:
        report.quiet += 1
    else:
        found.add(home, at, sensor.lower())


def _broken(text: str) -> bool:
    """Whether it holds bytes that are no UTF-8 (the file is read with `surrogateescape`)."""
    return any("\ud800" <= c <= "\udfff" for c in text)


def _time(stamp: str) -> datetime | None:
    try:
        return datetime.fromisoformat(stamp.strip()).replace(tzinfo=None)
    except ValueError:
        return None
