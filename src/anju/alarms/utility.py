"""A utility's daily file: readings of meters, or call records, as CSV or JSON, judged row by row (SEN-04).

Every row is answered: taken, known already, or refused with the reason and what to do. A reading without a signed consent
is refused and not kept. What is taken stands in the log like a device's own message, so that the ledger balances.
"""

from __future__ import annotations

import csv
import io
import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import partial
from typing import Any, Final

from django.db import transaction

from anju.accounts.permissions import must
from anju.alarms import witnesses
from anju.alarms.witnesses import LABELS, SCOPES, Reading
from anju.devices import queries as devices
from anju.elders import queries as elders
from anju.kernel import audit, clock, locks
from anju.kernel.flow.actor import Actor
from anju.signals import actions as signals
from anju.signals.signal import HistoryRow

MOST: Final = 20_000
"""Rows of one file."""
OLDEST: Final = timedelta(days=8)
AHEAD: Final = timedelta(minutes=5)
COLUMNS: Final = ("meter", "elder", "kind", "at", "total")
SOURCE: Final = "utility"


class BadFile(ValueError):
    """The file can't be read at all; the text says what to do."""


@dataclass(frozen=True, slots=True)
class Row:
    """One row as it was written. `meter` is the number of a registered meter, or `elder` a file number."""

    line: int
    meter: str
    elder: str
    kind: str
    at: datetime
    total: float


@dataclass(frozen=True, slots=True)
class Refused:
    """A row that was not taken, and why in Chinese."""

    line: int
    who: str
    why: str


@dataclass(slots=True)
class Result:
    """What became of a file: every row is counted once."""

    taken: int = 0
    known: int = 0
    refused: list[Refused] = field(default_factory=list)

    def add(self, other: Result) -> None:
        """Count that in."""
        self.taken, self.known = self.taken + other.taken, self.known + other.known
        self.refused += other.refused


def read(body: bytes, *, is_json: bool) -> tuple[list[Row], list[Refused]]:
    """The rows of a file, and those that can't be understood. BadFile when it is none."""
    try:
        text = body.decode("utf-8-sig")
    except UnicodeDecodeError as broken:
        raise BadFile("文件须是 UTF-8 编码，请转换后再传。") from broken
    if "\0" in text:
        raise BadFile("文件里有不能识别的字符，请确认传的是文本文件。")
    told = _json(text) if is_json else _csv(text)
    if len(told) > MOST:
        raise BadFile(f"一次最多 {MOST} 行，请分开传。")
    rows, refused = [], []
    for line, one in told:
        row, why = _row(line, one)
        if row is None:
            refused.append(Refused(line, str(one.get("meter") or one.get("elder") or "")[:40], why))
        else:
            rows.append(row)
    return rows, refused


def _json(text: str) -> list[tuple[int, Mapping[str, Any]]]:
    try:
        told = json.loads(text)
    except (ValueError, RecursionError) as broken:
        raise BadFile("不是有效的 JSON，请检查括号、引号。") from broken
    if isinstance(told, dict):
        told = told.get("rows")
    if not isinstance(told, list):
        raise BadFile('JSON 须是行的列表，或 {"rows": [...]}。')
    return [(n, one if isinstance(one, dict) else {}) for n, one in enumerate(told, start=1)]


def _csv(text: str) -> list[tuple[int, Mapping[str, Any]]]:
    source = csv.DictReader(io.StringIO(text))
    names = [str(n).strip().lower() for n in source.fieldnames or ()]
    if not {"at", "total"} <= set(names) or not {"meter", "elder"} & set(names):
        raise BadFile("第一行须是表头：meter,kind,at,total（没有登记的表可用 elder 列写档案号）。")
    source.fieldnames = names
    try:
        return [(source.line_num, {k: v for k, v in one.items() if k}) for one in source if any(one.values())]
    except csv.Error as broken:
        raise BadFile(f"第 {source.line_num} 行起读不懂，请用逗号分隔的 CSV。") from broken


def _row(line: int, one: Mapping[str, Any]) -> tuple[Row | None, str]:
    meter, elder, kind = (_text(one.get(name)) for name in ("meter", "elder", "kind"))
    if why := _nobody(meter, elder, kind):
        return None, why
    at, total, now = _when(one.get("at")), _number(one.get("total")), clock.now()
    if at is None:
        return None, f"at 须是 ISO 时间，如 2026-11-20T08:00，不认识“{_text(one.get('at'))[:30]}”"
    if not now - OLDEST <= at <= now + AHEAD:
        return None, "时间在将来，请核对" if at > now else f"早于 {OLDEST.days} 天，不再采用"
    if total is None or not 0 <= total < 1e9:
        return None, f"total 须是不为负的数，不认识“{_text(one.get('total'))[:30]}”"
    return Row(line, meter, elder, kind, at, total), ""


def _nobody(meter: str, elder: str, kind: str) -> str:
    """Why a row names no meter and no person."""
    if not meter and not elder:
        return "没有 meter（表号）或 elder（档案号）"
    if kind and kind not in SCOPES:
        return f"kind 须是 {'、'.join(SCOPES)} 之一，不认识“{kind[:20]}”"
    return "" if meter or kind else "用档案号时须写 kind"


def _text(value: Any) -> str:
    return "" if value is None or isinstance(value, dict | list) else str(value).strip()[:80]


def _when(value: Any) -> datetime | None:
    try:
        at = datetime.fromisoformat(_text(value))
    except ValueError:
        return None
    return at if at.tzinfo else at.replace(tzinfo=clock.SHANGHAI)


def _number(value: Any) -> float | None:
    try:
        number = float(_text(value))
    except ValueError:
        return None
    return number if math.isfinite(number) else None


# ---- taking it


def deliver(*, rows: Sequence[Row], by: Actor, refused: Sequence[Refused] = ()) -> Result:
    """Take the rows of a file; each home is a transaction of its own. Only homes of the deliverer's own places."""
    must(by, "meters.deliver")
    result = Result(refused=list(refused))
    known = devices.by_keys({r.meter for r in rows if r.meter})
    homes = elders.homes_by_number({r.elder for r in rows if r.elder and not r.meter})
    by_home: dict[int, list[tuple[Row, Reading]]] = {}
    for row in rows:
        device = known.get(row.meter)
        kind = row.kind or (device.kind if device is not None else "")
        home_id = device.home_id if device is not None and device.status == "installed" else homes.get(row.elder)
        if home_id is None or kind not in SCOPES:
            result.refused.append(
                Refused(row.line, row.meter or row.elder, _stranger(row, device is not None, home_id, kind))
            )
            continue
        reading = Reading(kind, row.at, row.total, device.id if device is not None else None)
        by_home.setdefault(home_id, []).append((row, reading))
    for home_id in sorted(by_home):
        result.add(locks.again(partial(_take, home_id, by_home[home_id])))
    result.refused.sort(key=lambda r: r.line)
    audit.record(
        "meters.delivered", subject="file", subject_id="", place="", detail={
            "taken": result.taken, "known": result.known, "refused": len(result.refused)},
    )  # fmt: skip
    return result


def _stranger(row: Row, registered: bool, home_id: int | None, kind: str) -> str:  # noqa: FBT001 - one of four words
    if row.meter and not registered:
        return "这个表号没有登记，或不在您的辖区，请先登记为设备"
    if home_id is None:
        return "这个表没有装在任何一户" if row.meter else "没有这个档案号，或不在您的辖区"
    return f"这个设备不是表（种类 {kind}），请核对表号" if kind else "不知道是哪种读数，请写 kind"


@transaction.atomic
def _take(home_id: int, told: Sequence[tuple[Row, Reading]]) -> Result:
    result = Result()
    taken, refused = witnesses.take(home_id=home_id, readings=[reading for _, reading in told])
    left, why = list(taken), dict(refused)
    now, place = clock.now(), _place(home_id)
    kept = []
    for row, reading in told:
        if reading in why:
            result.refused.append(Refused(row.line, row.meter or row.elder, f"{LABELS[reading.kind]}：{why[reading]}"))
        elif reading in left:
            left.remove(reading)
            result.taken += 1
            kept.append(HistoryRow(
                now, reading.at, SOURCE, reading.device_id, row.meter or row.elder, home_id, place, reading.kind, "0900", "0901",
                value=reading.value,
            ))  # fmt: skip
        else:
            result.known += 1
    signals.load_history(kept)
    return result


def _place(home_id: int) -> str:
    home = elders.home(home_id)
    return home.place if home is not None else ""
