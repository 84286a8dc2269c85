"""How far each sensor of a home was heard, as a short text in the home's row: a hundred bytes instead of five hundred.

Every message rewrites the row and every sweep reads all rows, so their width is what both cost. One ear is eleven words between
spaces: device, heard at, covered until, every, limit, prompt, shut, since when, last number, numbers seen, gaps.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final

from django.db import models

NONE: Final = "-"
WORDS: Final = 11

Ears = dict[str, dict[str, Any]]
"""Device (its id as text) → at, to (seconds), every, limit, prompt, shut (closed, when), seq, seen, gaps (from, to, given up)."""


def text_of(ears: Mapping[str, Mapping[str, Any]]) -> str:
    """The ears of a home in one line. An ear of which no time is known is its device alone."""
    return ";".join(_word(name, ear) for name, ear in ears.items())


def read(text: str) -> Ears:
    """And back. What can't be read is an ear of which nothing is known, so that one odd row hurts only itself."""
    if text.startswith("{"):  # as it was kept before
        kept: Ears = json.loads(text)
        return kept
    found: Ears = {}
    for line in text.split(";") if text else ():
        words = line.split(" ")
        try:
            found[words[0]] = _ear(words) if len(words) == WORDS else {}
        except ValueError:
            found[words[0]] = {}
    return found


def _word(name: str, ear: Mapping[str, Any]) -> str:
    if "at" not in ear or "to" not in ear:
        return name
    shut, seq = ear.get("shut"), ear.get("seq")
    return " ".join((
        name, _short(ear["at"]), _short(ear["to"]), _short(ear.get("every", 0)), _short(ear.get("limit", 0)), "1" if ear.get("prompt") else NONE,
        str(int(shut[0])) if shut else NONE, _short(shut[1]) if shut else NONE, NONE if seq is None else str(seq),
        ",".join(_runs(ear.get("seen", ()))) or NONE, "|".join("/".join(map(_short, gap)) for gap in ear.get("gaps", ())) or NONE,
    ))  # fmt: skip


def _ear(words: Sequence[str]) -> dict[str, Any]:
    ear: dict[str, Any] = {"at": float(words[1]), "to": float(words[2]), "every": float(words[3])}
    if words[4] != "0":
        ear["limit"] = float(words[4])
    if words[5] != NONE:
        ear["prompt"] = 1
    if words[6] != NONE:
        ear["shut"] = [words[6] == "1", float(words[7])]
    if words[8] != NONE:
        ear["seq"] = int(words[8])
        ear["seen"] = list(_numbers(words[9]))
    if words[10] != NONE:
        ear["gaps"] = [[float(at) for at in gap.split("/")] for gap in words[10].split("|")]
    return ear


def _short(value: float) -> str:
    return f"{value:.1f}".removesuffix(".0")


def _runs(numbers: Sequence[int]) -> Iterable[str]:
    """5, 6, 7, 9, 8 as "5+2", "9", "8": reports mostly come in order."""
    at = 0
    while at < len(numbers):
        end = at
        while end + 1 < len(numbers) and numbers[end + 1] == numbers[end] + 1:
            end += 1
        yield f"{numbers[at]}+{end - at}" if end > at else str(numbers[at])
        at = end + 1


def _numbers(word: str) -> Iterable[int]:
    for run in () if word == NONE else word.split(","):
        first, _, more = run.partition("+")
        yield from range(int(first), int(first) + int(more or 0) + 1)


class EarsField(models.TextField):  # type: ignore[type-arg]
    """Ears in a row: a dictionary here, a short text there."""

    def from_db_value(self, value: str | None, *_: object) -> Ears:
        """As the rest of the code knows them."""
        return read(value or "")

    def to_python(self, value: Any) -> Any:
        """Out of a form or a fixture."""
        return read(value) if isinstance(value, str) else value

    def get_prep_value(self, value: Any) -> Any:
        """As they are kept."""
        return text_of(value) if isinstance(value, Mapping) else value

    def value_to_string(self, obj: models.Model) -> str:
        """For a dump."""
        return text_of(self.value_from_object(obj))
