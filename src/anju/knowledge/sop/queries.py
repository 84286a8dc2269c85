"""What may be asked of the scripts and their sheets."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from pathlib import Path
from typing import Any

from django.db.models import Count

from anju.kernel.scope import EVERYWHERE, seen_by
from anju.knowledge.sop import rules
from anju.knowledge.sop.models import Edition, Sheet
from anju.knowledge.sop.rules import KINDS, REASONS, Field, Known, Script

__all__ = [
    "KINDS", "REASONS", "Answer", "Known", "SheetView", "delivered", "edition", "editions", "of_call", "of_case", "open_of",
    "own", "script", "scripts", "search", "suggested", "used",
]  # fmt: skip

DATA = Path(__file__).parent / "data"


@lru_cache(maxsize=1)
def delivered() -> dict[str, Script]:
    """The edition that comes with the platform, by code, in the guide's order."""
    common = json.loads((DATA / "common.json").read_text(encoding="utf-8"))["fields"]
    found: dict[str, Script] = {}
    for path in sorted(DATA.glob("[0-9]_*.json")):
        part = json.loads(path.read_text(encoding="utf-8"))
        for n, raw in enumerate(part["scripts"]):
            clause = f"一键通指南 {part['part']} 场景{_number(n + 1)}"
            full = {**raw, "ask": rules.expanded(raw["ask"], common)}
            found[raw["code"]] = rules.script_of(full, group=part["group"], clause=clause)
    return found


def _number(n: int) -> str:
    digits = "零一二三四五六七八九"
    return digits[n] if n < 10 else "十" + (digits[n - 10] if n > 10 else "")


def scripts() -> list[Script]:
    """Every script as it is in force, in the guide's order."""
    newest: dict[str, Edition] = {}
    for row in Edition.objects.order_by("code", "version"):
        newest[row.code] = row
    return [_as(base, newest.get(code)) for code, base in delivered().items()]


def _as(base: Script, row: Edition | None) -> Script:
    if row is None:
        return base
    return rules.script_of(row.body, group=base.group, clause=base.clause, version=row.version, made_by=row.made_by)


def script(code: str) -> Script | None:
    """One script as it is in force."""
    base = delivered().get(code)
    return _as(base, Edition.objects.filter(code=code).order_by("-version").first()) if base else None


def edition(code: str, version: int) -> Script | None:
    """An older version, to be read."""
    base = delivered().get(code)
    row = Edition.objects.filter(code=code, version=version).first() if version else None
    return None if base is None or (version and row is None) else _as(base, row)


def editions(code: str) -> list[tuple[int, str, datetime]]:
    """Versions of one script, the newest first: (version, by whom, when)."""
    return [(e.version, e.made_by, e.made_at) for e in Edition.objects.filter(code=code).order_by("-version")]


def used() -> dict[str, int]:
    """How often each script was used, in the asker's scope."""
    return dict(Sheet.objects.values_list("code").annotate(n=Count("id")).order_by("code"))


def suggested(known: Known, most: int = 5) -> list[Script]:
    """The scripts that fit what is known, the best first."""
    return rules.ranked(scripts(), known, most)


def search(text: str) -> list[Script]:
    """The scripts in which these words stand."""
    return rules.searched(scripts(), text)


@dataclass(frozen=True, slots=True)
class Answer:
    """One question with its answer; `value` as typed, `text` in words."""

    field: Field
    value: Any
    text: str


@dataclass(frozen=True, slots=True)
class SheetView:
    """A sheet as a page shows it."""

    id: int
    code: str
    title: str
    clause: str
    version: int
    call_id: str
    incident_id: int | None
    answers: tuple[Answer, ...]
    missing: tuple[Field, ...]
    outcome: str
    lacks: str
    user_id: int
    made_by: str
    begun_at: datetime
    closed_at: datetime | None

    @property
    def left(self) -> str:
        """What is still to be asked, in words."""
        return "、".join(f.label for f in self.missing)


def _view(row: Sheet) -> SheetView:
    base, fields = delivered().get(row.code), [rules.field_of(f) for f in row.fields]
    answers = row.answers or {}
    return SheetView(
        id=row.pk, code=row.code, title=base.title if base else row.code, clause=base.clause if base else "", version=row.version,
        call_id=str(row.call_id or ""), incident_id=row.incident_id,
        answers=tuple(Answer(f, answers.get(f.name), rules.spoken(answers.get(f.name))) for f in fields),
        missing=tuple(rules.missing(fields, answers)), outcome=row.outcome,
        lacks=row.lacks + (f"：{row.lacks_words}" if row.lacks_words else ""), user_id=row.user_id, made_by=row.made_by,
        begun_at=row.begun_at, closed_at=row.closed_at,
    )  # fmt: skip


def of_call(call_id: str) -> list[SheetView]:
    """The sheets of one call. Whoever may see the call may see them: the caller has asked for it already."""
    with seen_by(EVERYWHERE):
        return [_view(s) for s in Sheet.objects.filter(call_id=call_id)] if call_id else []


def of_case(incident_id: int, calls: Iterable[str] = ()) -> list[SheetView]:
    """The sheets of a case, and of its calls."""
    rows = Sheet.objects.filter(incident_id=incident_id) | Sheet.objects.filter(call_id__in=list(calls))
    return [_view(s) for s in rows]


def own(user_id: int, sheet_id: int) -> SheetView | None:
    """A sheet that this user began, wherever the caller lives."""
    with seen_by(EVERYWHERE):
        row = Sheet.objects.filter(pk=sheet_id, user_id=user_id).first()
        return _view(row) if row else None


def open_of(user_id: int) -> list[SheetView]:
    """Sheets of calls that this user has not written up, the oldest first: its wrap-up ran out before it was done."""
    with seen_by(EVERYWHERE):
        rows = Sheet.objects.filter(user_id=user_id, closed_at=None).exclude(call_id=None)[:20]
        return [v for v in map(_view, rows) if v.missing]
