"""What a script is, which one fits, and what its answers mean. Pure: no database, no clock, no Django."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, time
from typing import Any, Final

KINDS: Final = {
    "text": "文字",
    "phone": "电话",
    "number": "数字",
    "choice": "单选",
    "yes_no": "是或否",
    "date": "日期",
    "time": "钟点（24 小时制）",
}
"""Kinds of answers."""
REASONS: Final = ("对方挂断", "听不清、说不明白", "对方不愿说", "在事件里继续处置", "误碰或没有人说话", "其他")
"""Why required answers are missing when a call is written up; the last wants words of its own."""
LONGEST: Final = 300
_NAME = re.compile(r"[a-z][a-z0-9_]{0,29}")


@dataclass(frozen=True, slots=True)
class Field:
    """One question of a script. `say` is how it is asked aloud."""

    name: str
    label: str
    kind: str = "text"
    must: bool = False
    options: tuple[str, ...] = ()
    say: str = ""


@dataclass(frozen=True, slots=True)
class Branch:
    """When this happens, do that; `go` is the script to change to."""

    when: str
    then: str
    go: str = ""


@dataclass(frozen=True, slots=True)
class Applies:
    """By what a script is recognised before anybody said a word, and while she speaks."""

    kinds: frozenset[str] = frozenset()
    queues: frozenset[str] = frozenset()
    directions: frozenset[str] = frozenset()
    purposes: frozenset[str] = frozenset()
    scenes: frozenset[str] = frozenset()
    words: tuple[str, ...] = ()
    silent: bool = False


@dataclass(frozen=True, slots=True)
class Script:
    """One scenario of the guide. `version` 0 is the edition that comes with the platform."""

    code: str
    group: str
    title: str
    clause: str
    when: str
    say: tuple[str, ...]
    ask: tuple[Field, ...]
    branch: tuple[Branch, ...]
    do: tuple[str, ...]
    wrap: tuple[str, ...]
    applies: Applies = field(default_factory=Applies)
    version: int = 0
    made_by: str = ""

    @property
    def must(self) -> int:
        """How many answers are required."""
        return sum(f.must for f in self.ask)

    @property
    def label(self) -> str:
        """Which edition it is, in words."""
        return f"第 {self.version} 版" if self.version else "随平台"

    @property
    def text(self) -> str:
        """Everything that a search reads."""
        parts = (self.title, self.group, self.when, *self.say, *self.do, *self.wrap, *self.applies.words)
        return " ".join((*parts, *(f.label for f in self.ask), *(f"{b.when} {b.then}" for b in self.branch)))


@dataclass(frozen=True, slots=True)
class Known:
    """What is known of a call or a case at this moment. `known`: the caller stands in the files."""

    kind: str = ""
    direction: str = ""
    purpose: str = ""
    queue: str = ""
    known: bool | None = None
    silent: bool = False
    scenes: frozenset[str] = frozenset()
    words: str = ""


FOR_THE_FILED: Final = ("biz_", "test_", "care_")
"""Scripts of people who stand in the files; a stranger is asked other things first."""


def score(script: Script, known: Known) -> int:
    """How well a script fits; 0 and less: not at all. What was said outweighs the scene, that the kind, that the queue."""
    a = script.applies
    if known.direction and a.directions and known.direction not in a.directions:
        return 0
    found = 10 * sum(1 for word in a.words if word in known.words)
    found += 8 * len(a.scenes & known.scenes) + 6 * (known.silent and a.silent) + 5 * (known.purpose in a.purposes)
    found += 4 * (known.kind in a.kinds) + 2 * (known.queue in a.queues)
    if known.known is False and script.code.startswith(FOR_THE_FILED):
        found -= 3
    return found


def ranked(scripts: Iterable[Script], known: Known, most: int = 5) -> list[Script]:
    """The scripts that fit, the best first; equal ones in the guide's order."""
    scored = [(score(s, known), -n, s) for n, s in enumerate(scripts)]
    return [s for points, _, s in sorted(scored, key=lambda x: (-x[0], -x[1])) if points > 0][:most]


def searched(scripts: Iterable[Script], text: str) -> list[Script]:
    """Scripts in which every word stands; those with it in the title first. Nothing asked: all of them."""
    words = text.split()
    found = [s for s in scripts if all(word in s.text for word in words)]
    return sorted(found, key=lambda s: -sum(word in s.title for word in words)) if words else found


def _number(said: str) -> int | None:
    return int(said) if said.isascii() and said.isdigit() and len(said) <= 6 else None


def _date(said: str) -> str | None:
    try:
        return date.fromisoformat(said).isoformat()
    except ValueError:
        return None


def _time(said: str) -> str | None:
    try:
        return time.fromisoformat(said).strftime("%H:%M")
    except ValueError:
        return None


_READ: Final[Mapping[str, Callable[[str], Any]]] = {
    "text": str,
    "phone": lambda said: said if len(re.sub(r"\D", "", said)) in range(3, 16) else None,
    "number": _number,
    "yes_no": {"yes": True, "no": False}.get,
    "date": _date,
    "time": _time,
}


def typed(f: Field, said: str) -> tuple[Any, str]:
    """(the answer as its kind, what is wrong with it). An empty answer is None and not wrong."""
    said = said.replace("\x00", "").strip()[:LONGEST]
    if not said:
        return None, ""
    if f.kind == "choice":
        return (said, "") if said in f.options else (None, f"{f.label}要从列出的里面选")
    value = _READ[f.kind](said)
    return (value, "") if value is not None else (None, f"{f.label}要填{KINDS[f.kind]}")


def spoken(value: Any) -> str:
    """An answer in words."""
    return "" if value is None else ("是" if value else "否") if isinstance(value, bool) else str(value)


def missing(fields: Iterable[Field], answers: Mapping[str, Any]) -> list[Field]:
    """Required questions without an answer. A plain "no" is an answer."""
    return [f for f in fields if f.must and answers.get(f.name) in {None, ""}]


def reason_given(reason: str, words: str) -> bool:
    """Whether a reason for what is missing is one."""
    return reason in REASONS and (reason != REASONS[-1] or bool(words.strip()))


def faults(script: Script, others: Collection[str]) -> list[str]:
    """What is wrong with a script that somebody wrote; `others` are the codes that a branch may lead to."""
    found = []
    if not script.title.strip() or not script.when.strip():
        found.append("要有名称和适用情形")
    if not script.say:
        found.append("至少要有一句要说的话")
    if not script.ask:
        found.append("至少要有一个问题")
    names = [f.name for f in script.ask]
    if len(set(names)) != len(names):
        found.append("问题的代码重复")
    for f in script.ask:
        if not _NAME.fullmatch(f.name):
            found.append(f"“{f.label}”的代码只能用小写字母、数字、下划线")
        if f.kind not in KINDS or not f.label.strip():
            found.append(f"“{f.label or f.name}”要有名称和类型")
        if f.kind == "choice" and len(set(f.options)) < 2:
            found.append(f"“{f.label}”是单选，至少要有两个选项")
    found += [f"没有话术 {b.go}" for b in script.branch if b.go and b.go not in others]
    if not script.wrap:
        found.append("至少要有一个整理结果")
    return found


# ---- to and from plain data


def field_of(raw: Mapping[str, Any]) -> Field:
    """A question from its JSON."""
    return Field(
        str(raw["name"]), str(raw["label"]), str(raw.get("kind", "text")), bool(raw.get("must")),
        tuple(raw.get("options", ())), str(raw.get("say", "")),
    )  # fmt: skip


def raw_field(f: Field) -> dict[str, Any]:
    """A question as JSON, without what is empty."""
    full = {
        "name": f.name,
        "label": f.label,
        "kind": f.kind,
        "must": f.must,
        "options": list(f.options),
        "say": f.say,
    }
    return {k: v for k, v in full.items() if v not in (False, "", [])}


def script_of(raw: Mapping[str, Any], *, group: str, clause: str, version: int = 0, made_by: str = "") -> Script:
    """A script from its JSON."""
    a: Mapping[str, Any] = raw.get("applies", {})
    return Script(
        code=str(raw["code"]), group=group, title=str(raw["title"]), clause=clause, when=str(raw["when"]), say=tuple(raw["say"]),
        ask=tuple(field_of(f) for f in raw["ask"]), branch=tuple(Branch(*b) for b in raw.get("branch", ())), do=tuple(raw.get("do", ())),
        wrap=tuple(raw["wrap"]), version=version, made_by=made_by,
        applies=Applies(
            kinds=frozenset(a.get("kinds", ())), queues=frozenset(a.get("queues", ())), directions=frozenset(a.get("directions", ())),
            purposes=frozenset(a.get("purposes", ())), scenes=frozenset(a.get("scenes", ())), words=tuple(a.get("words", ())),
            silent=bool(a.get("silent")),
        ),
    )  # fmt: skip


def raw_script(s: Script) -> dict[str, Any]:
    """A script as JSON, to be stored as a version."""
    a = s.applies
    return {
        "code": s.code, "title": s.title, "when": s.when, "say": list(s.say), "ask": [raw_field(f) for f in s.ask],
        "branch": [[b.when, b.then, *([b.go] if b.go else [])] for b in s.branch], "do": list(s.do), "wrap": list(s.wrap),
        "applies": {
            **{k: sorted(getattr(a, k)) for k in ("kinds", "queues", "directions", "purposes", "scenes") if getattr(a, k)},
            "words": list(a.words), **({"silent": True} if a.silent else {}),
        },
    }  # fmt: skip


def expanded(asks: Sequence[Any], common: Mapping[str, Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Questions of a file: "where!" stands for the common question `where`, required."""
    return [
        a if isinstance(a, dict) else {"name": a.rstrip("!"), **common[a.rstrip("!")], "must": a.endswith("!")}
        for a in asks
    ]
