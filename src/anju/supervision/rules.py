"""Scoring a form, and drawing the calls that are audited: fair, explained, and the same again for the same seed. Pure."""

from __future__ import annotations

import hashlib
import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import Any, Final

PER_WEEK, PER_MONTH = 1, 2
"""Calls drawn for every agent: at least one a week and two a month (EXT-16; UK practice, one of them an emergency call)."""
LEAST_SECONDS: Final = 15
"""Shorter calls say nothing about the agent's work."""
ROLES: Final = {"": "一般项", "accuracy": "答复准确", "phrase": "服务用语"}
NOT_APPLICABLE: Final = "na"


@dataclass(frozen=True, slots=True)
class Item:
    """One line of a form. `fatal` lines give no points: one of them makes the whole call zero."""

    code: str
    label: str
    group: str = ""
    points: int = 0
    fatal: bool = False
    role: str = ""
    hint: str = ""


@dataclass(frozen=True, slots=True)
class Result:
    """What a filled form says. `accurate` and `polite` are None where no such line applied to the call."""

    score: float
    fatal: tuple[str, ...]
    accurate: bool | None
    polite: bool | None
    lost: tuple[str, ...] = ()


def items_of(criteria: Iterable[Mapping[str, Any]]) -> list[Item]:
    """The lines of a form as they are stored."""
    return [Item(**dict(c)) for c in criteria]


def faults_of(criteria: Sequence[Mapping[str, Any]]) -> list[str]:
    """What is wrong with a form before it may be used; [] when nothing is."""
    faults, seen = [], set()
    for n, raw in enumerate(criteria, 1):
        unknown = set(raw) - {"code", "label", "group", "points", "fatal", "role", "hint"}
        if unknown or not raw.get("code") or not raw.get("label"):
            faults.append(f"第 {n} 项：要有代码和名称，且没有别的字段")
            continue
        if raw["code"] in seen:
            faults.append(f"第 {n} 项：代码 {raw['code']} 重复")
        seen.add(raw["code"])
        if raw.get("role", "") not in ROLES:
            faults.append(f"第 {n} 项：类别只能是 {'、'.join(filter(None, ROLES))} 或空")
        if not raw.get("fatal") and not (isinstance(raw.get("points"), int) and 1 <= raw["points"] <= 100):
            faults.append(f"第 {n} 项：分值要在 1 到 100 之间")
    if not faults and not any(not c.get("fatal") for c in criteria):
        faults.append("至少要有一个计分项")
    return faults


def missing(items: Iterable[Item], answers: Mapping[str, Any]) -> list[str]:
    """Labels of lines without a valid answer: points 0…max or "na"; fatal lines True or False."""
    wrong = []
    for item in items:
        given = answers.get(item.code)
        if item.fatal:
            fine = isinstance(given, bool)
        else:
            whole = isinstance(given, int) and not isinstance(given, bool) and 0 <= given <= item.points
            fine = whole or given == NOT_APPLICABLE
        if not fine:
            wrong.append(item.label)
    return wrong


def score(items: Sequence[Item], answers: Mapping[str, Any]) -> Result:
    """0-100, to one decimal: points given of the points that could be had in this call; 0 with a fatal line."""
    counted = [i for i in items if not i.fatal and answers[i.code] != NOT_APPLICABLE]
    fatal = tuple(i.label for i in items if i.fatal and answers[i.code])
    top = sum(i.points for i in counted)
    got = sum(int(answers[i.code]) for i in counted)
    value = 0.0 if fatal else 100.0 if not top else round(100 * got / top, 1)

    def full(role: str) -> bool | None:
        lines = [i for i in counted if i.role == role]
        return all(answers[i.code] == i.points for i in lines) if lines else None

    lost = tuple(i.label for i in counted if answers[i.code] < i.points)
    return Result(value, fatal, full("accuracy"), full("phrase"), lost)


@dataclass(frozen=True, slots=True)
class Candidate:
    """A call that may be drawn, with the agent who took it first."""

    call_id: str
    agent: int
    at: datetime
    seconds: float
    emergency: bool = False


@dataclass(frozen=True, slots=True)
class Done:
    """What was drawn for an agent earlier in the month."""

    count: int = 0
    emergency: bool = False


@dataclass(frozen=True, slots=True)
class Pick:
    """One call that was drawn, and why it was this one."""

    call_id: str
    agent: int
    why: str


@dataclass(frozen=True, slots=True)
class Drawing:
    """The picks, and the agents for whom there were too few calls."""

    picks: tuple[Pick, ...]
    short: Mapping[int, str] = field(default_factory=dict)


def rank_of(seed: str, call_id: str) -> str:
    """The place of a call in the lottery: anybody who knows the seed can compute it."""
    return hashlib.sha256(f"{seed}:{call_id}".encode()).hexdigest()


def weeks_left(week: date, month: date) -> int:
    """How many weekly drawings, this one included, still reach calls of that month. `week` is a Monday."""
    first_of_next = (month.replace(day=28) + timedelta(days=4)).replace(day=1)
    return max(1, math.ceil((first_of_next - week).days / 7))


def draw(
    candidates: Iterable[Candidate], agents: Iterable[int], done: Mapping[int, Done], *, seed: str, weeks: int,
    per_week: int = PER_WEEK, per_month: int = PER_MONTH,
) -> Drawing:  # fmt: skip
    """For every agent enough calls that the month's quota is reached in time, the first of them an emergency if there is one."""
    by_agent: dict[int, list[Candidate]] = {agent: [] for agent in agents}
    for call in candidates:
        if call.seconds >= LEAST_SECONDS and call.agent in by_agent:
            by_agent[call.agent].append(call)
    picks: list[Pick] = []
    short: dict[int, str] = {}
    for agent in sorted(by_agent):
        calls = sorted(by_agent[agent], key=lambda c: rank_of(seed, c.call_id))
        before = done.get(agent, Done())
        wanted = max(per_week, math.ceil(max(0, per_month - before.count) / weeks))
        chosen = _chosen(calls, wanted, before)
        for n, (call, why) in enumerate(chosen, 1):
            place = calls.index(call) + 1
            picks.append(
                Pick(
                    call.call_id,
                    agent,
                    f"本月此前抽 {before.count} 通，本周应抽 {wanted} 通（第 {n} 通）：{why}，{len(calls)} 通候选中按种子排第 {place}",
                )
            )
        if len(chosen) < wanted:
            short[agent] = f"本周应抽 {wanted} 通，可抽的只有 {len(chosen)} 通"
    return Drawing(tuple(picks), short)


def _chosen(calls: Sequence[Candidate], wanted: int, before: Done) -> list[tuple[Candidate, str]]:
    found: list[tuple[Candidate, str]] = []
    if not before.emergency and (urgent := next((c for c in calls if c.emergency), None)):
        found.append((urgent, "本月还没抽过紧急来电，先抽一通"))
    rest = [c for c in calls if not found or c is not found[0][0]]
    return (found + [(c, "随机") for c in rest])[:wanted]


def assign(picks: Iterable[Pick], judges: Sequence[int], *, seed: str) -> dict[str, int | None]:
    """Who judges which call: never her own, the load as even as can be; None where nobody may."""
    load = dict.fromkeys(judges, 0)
    chosen: dict[str, int | None] = {}
    for pick in sorted(picks, key=lambda p: rank_of(seed, p.call_id)):
        able = [j for j in judges if j != pick.agent]
        judge = min(able, key=lambda j: (load[j], rank_of(seed, f"{pick.call_id}:{j}")), default=None)
        chosen[pick.call_id] = judge
        if judge is not None:
            load[judge] += 1
    return chosen


def digest_of(candidates: Iterable[Candidate]) -> str:
    """What was in the drum: equal for equal candidates."""
    lines = sorted(f"{c.call_id}:{c.agent}:{int(c.emergency)}" for c in candidates)
    return hashlib.sha256("\n".join(lines).encode()).hexdigest()
