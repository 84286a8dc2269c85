"""Turns a process table into a page for people: a table, the duties, what may be done anywhere, and a diagram."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

from anju.kernel.flow.table import A_REASON, CLOCK, Deadline, Duty, Flow, Move, State

Namer = Callable[[str], str]


def page(flow: Flow, role: Namer) -> str:
    """The whole page in Markdown; `role` gives the Chinese name of a role."""
    notice = "<!-- 由 `manage.py flows` 生成；请修改代码中的流程表 -->"
    parts = [f"# {flow.label}", notice, table(flow, role)]
    if flow.shared:
        parts.append(shared(flow, role))
    if any(s.duties for s in flow.states):
        parts.append(duties(flow, role))
    if flow.conditions:
        parts.append(conditions(flow))
    return "\n\n".join([*parts, "## 流程图", diagram(flow)]) + "\n"


def table(flow: Flow, role: Namer) -> str:
    """One row a move; what all states share is left to its own table."""
    rows = ["| 状态 | 时限 | 超时后 | 操作 → 下一状态 | 谁可操作 | 条件 | 依据 |", "|---|---|---|---|---|---|---|"]
    for state in flow.states:
        rows += _rows(flow, state, role)
    return "\n".join(rows)


def _rows(flow: Flow, state: State, role: Namer) -> list[str]:
    common = {m for group in flow.shared for m in group.moves}
    own: list[Move | None] = [m for m in state.moves if m not in common]
    rows = []
    for n, move in enumerate(own or [None]):
        first = n == 0
        cells = [
            f"**{state.label}** `{state.name}`" if first else "",
            limit(state.deadline) if first and state.deadline else ("—" if first else ""),
            late(state) if first else "",
            _leads(flow, state, move) if move else ("（终态）" if state.is_final else ""),
            "、".join(role(r) for r in move.by) if move else "",
            _wants(flow, move) if move else "",
            (state.basis if first else "") or (move.basis if move else ""),
        ]
        rows.append("| " + " | ".join(cells) + " |")
    return rows


def _leads(flow: Flow, state: State, move: Move) -> str:
    if move.stays:
        return f"{move.label}（留在本状态）"
    again = "（重新计时）" if move.to == state.name else ""
    return f"{move.label} → {flow.state(move.to).label}{again}"


def _wants(flow: Flow, move: Move) -> str:
    needs = [flow.conditions.get(c, c) for c in move.needs]
    asks = ["须填写理由" if c == A_REASON else f"无“{flow.conditions.get(c, c)}”时须填写理由" for c in move.asks]
    return "；".join([*needs, *asks])


def shared(flow: Flow, role: Namer) -> str:
    """What may be done in many states."""
    rows = [
        "## 多个状态共有的操作",
        "",
        "| 适用状态 | 操作 → 下一状态 | 谁可操作 | 条件 | 依据 |",
        "|---|---|---|---|---|",
    ]
    for group in flow.shared:
        where = _where(flow, group.before, group.after, group.but)
        for n, m in enumerate(group.moves):
            lead = f"{m.label}（留在本状态）" if m.stays else f"{m.label} → {flow.state(m.to).label}"
            cells = [where if n == 0 else "", lead, "、".join(role(r) for r in m.by), _wants(flow, m), m.basis]
            rows.append("| " + " | ".join(cells) + " |")
    return "\n".join(rows)


def _where(flow: Flow, before: str, after: str, but: tuple[str, ...]) -> str:
    edges = []
    if after:
        edges.append(f"自“{flow.state(after).label}”起")
    if before:
        edges.append(f"“{flow.state(before).label}”之前")
    if but:
        edges.append("除" + "、".join(f"“{flow.state(b).label}”" for b in but))
    return "，".join(edges) or "全部未结束状态"


def duties(flow: Flow, role: Namer) -> str:
    """The checklists."""
    rows = ["## 各状态的任务清单", "", "| 状态 | 任务 | 时钟 | 席位 | 谁来做 | 依据 |", "|---|---|---|---|---|---|"]
    for state in flow.states:
        for n, duty in enumerate(state.duties):
            who = "、".join(role(r) for r in duty.by)
            cells = [f"**{state.label}**" if n == 0 else "", duty.label, _pace(duty), duty.seat, who, duty.basis]
            rows.append("| " + " | ".join(cells) + " |")
    return "\n".join(rows)


def _pace(duty: Duty) -> str:
    if duty.every:
        return f"每 {human(duty.every.within)}"
    return f"{human(duty.once.within)}内" if duty.once else "—"


def conditions(flow: Flow) -> str:
    """The named conditions in words."""
    return "\n".join(["## 条件", "", *(f"- `{name}`：{words}" for name, words in sorted(flow.conditions.items()))])


def diagram(flow: Flow) -> str:
    """A Mermaid state diagram; dashed words mark what the clock does."""
    common = {m for group in flow.shared for m in group.moves}
    lines = ["```mermaid", "stateDiagram-v2", *(f"  [*] --> {name}" for name in flow.starts)]
    lines += [f"  {s.name}: {s.label}" for s in flow.states]
    for state, move in flow.arrows():
        timed = state.deadline if state.deadline and state.deadline.move == move.name else None
        if move in common or (move.stays and not timed):
            continue
        alone = "⏱ " if set(move.by) == {CLOCK} else ""
        tail = f"（超时 {human(timed.within)}）" if timed else ""
        lines.append(f"  {state.name} --> {move.to or state.name}: {alone}{move.label}{tail}")
    lines += [f"  {s.name} --> [*]" for s in flow.states if s.is_final]
    return "\n".join([*lines, "```"])


def limit(deadline: Deadline) -> str:
    """A deadline in words."""
    return f"{human(deadline.within)}（{deadline.hours}）"


def late(state: State) -> str:
    """What happens when the time is up."""
    if not state.deadline:
        return "—"
    move = state.move(state.deadline.move)
    return move.label if move else "?"


def human(time: timedelta) -> str:
    """A duration in the largest unit that divides it."""
    seconds = int(time.total_seconds())
    for size, unit in ((86400, "天"), (3600, "小时"), (60, "分钟")):
        if seconds >= size and seconds % size == 0:
            return f"{seconds // size} {unit}"
    return f"{seconds} 秒"
