"""First-aid cards and hotlines: data files in plain Chinese, made to be read aloud."""

from __future__ import annotations

import json
from collections.abc import Collection
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

DATA = Path(__file__).parent / "data"


@dataclass(frozen=True, slots=True)
class FirstAidCard:
    """One card of the platinum ten minutes: what to ask, what to say step by step, what never to do."""

    code: str
    title: str
    symptoms: tuple[str, ...]
    call: str
    ask: tuple[str, ...]
    steps: tuple[str, ...]
    never: tuple[str, ...]
    repeat_seconds: int
    """How often to ask again how she is."""


@dataclass(frozen=True, slots=True)
class Hotline:
    """A public number and when to give it."""

    number: str
    name: str
    when: str
    kind: str


@lru_cache(maxsize=1)
def cards() -> dict[str, FirstAidCard]:
    """All cards by code, in the order of the file (the most urgent first)."""
    raw = json.loads((DATA / "first_aid.json").read_text(encoding="utf-8"))
    return {
        c["code"]: FirstAidCard(
            c["code"], c["title"], tuple(c["symptoms"]), c["call"], tuple(c["ask"]), tuple(c["steps"]),
            tuple(c["never"]), int(c["repeat_seconds"]),
        )
        for c in raw["cards"]
    }  # fmt: skip


@lru_cache(maxsize=1)
def cards_version() -> str:
    """The edition that is in use."""
    return str(json.loads((DATA / "first_aid.json").read_text(encoding="utf-8"))["version"])


def card(code: str) -> FirstAidCard | None:
    """One card."""
    return cards().get(code)


def cards_for(kind: str, scenes: Collection[str] = ()) -> list[FirstAidCard]:
    """The cards that fit a kind of alarm and the scenes of a case, the closest first; the others are a search away."""
    wanted = {kind, *scenes}
    scored = [(len(wanted & set(c.symptoms)), -n, c) for n, c in enumerate(cards().values())]
    return [c for score, _, c in sorted(scored, key=lambda s: (-s[0], -s[1])) if score]


def search(text: str) -> list[FirstAidCard]:
    """Cards whose title, questions or steps contain the text."""
    plain = text.strip()
    if not plain:
        return list(cards().values())
    return [c for c in cards().values() if plain in c.title or any(plain in line for line in (*c.ask, *c.steps))]


@lru_cache(maxsize=1)
def hotlines() -> tuple[Hotline, ...]:
    """Public numbers, rescue first."""
    raw = json.loads((DATA / "hotlines.json").read_text(encoding="utf-8"))
    return tuple(Hotline(h["number"], h["name"], h["when"], h["kind"]) for h in raw["hotlines"])
