"""When the level of a queue falls: which seat should come from where. Pure.

A seat that is fixed in a queue takes that queue's calls only, except urgent ones, which ring every seat whatever queue it is
fixed in (calls.rules.may_take): so a move can never cost an emergency its seat.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

ENOUGH_CALLS: Final = 3
"""A level of fewer calls than this says nothing."""
MOVES_AT_ONCE: Final = 2
REST_SECONDS: Final = 600
"""A seat that was moved, and a proposal that was declined, is left alone for so long."""


@dataclass(frozen=True, slots=True)
class QueueNow:
    """A queue, what it must hold, and how it stands. `level` is the share answered in time, in percent, of `calls` calls."""

    code: str
    name: str
    waiting: int
    longest_wait: float
    calls: int
    level: float | None
    within: int = 20
    target: int = 80
    longest_allowed: int = 45
    seats_kept: int = 1
    automatic: bool = False
    urgent: bool = False
    skills: frozenset[str] = frozenset()

    @property
    def trouble(self) -> str:
        """Why it needs seats, in words; "" when it holds its level."""
        said = []
        if self.waiting and self.longest_wait > self.longest_allowed:
            said.append(f"{self.waiting} 通在等，最长 {self.longest_wait:.0f} 秒（上限 {self.longest_allowed}）")
        if self.level is not None and self.calls >= ENOUGH_CALLS and self.level < self.target:
            said.append(f"{self.within} 秒内接起 {self.level:.0f} %（目标 {self.target} %，{self.calls} 通）")
        return "；".join(said)


@dataclass(frozen=True, slots=True)
class SeatNow:
    """A seat: `queue` is where it is fixed, "" where it is free for all; `rested` is False soon after a move."""

    user_id: int
    name: str
    extension: str
    state: str
    queue: str = ""
    skills: frozenset[str] = frozenset()
    idle_seconds: float = 0.0
    is_lead: bool = False
    rested: bool = True
    came_from: str | None = None
    """Where it was before a proposal moved it here."""


@dataclass(frozen=True, slots=True)
class Move:
    """This seat to that queue, because."""

    user_id: int
    name: str
    extension: str
    from_queue: str
    to_queue: str
    to_name: str
    why: str
    automatic: bool


def propose(queues: Sequence[QueueNow], seats: Iterable[SeatNow]) -> list[Move]:
    """At most two moves: into queues in trouble, the worst first; and back, when nobody is in trouble any more."""
    present = [s for s in seats if s.state == "ready" and not s.is_lead]
    idle = [s for s in present if s.rested]
    by_code = {q.code: q for q in queues}
    low = sorted((q for q in queues if q.trouble), key=lambda q: (-q.urgent, -q.waiting, q.level or 0.0, q.code))
    if not low:
        return _back(idle, by_code)
    ready, there = _ready(idle), _ready(present)
    moves: list[Move] = []
    for queue in low:
        wanted = _wanted(queue, there.get(queue.code, 0))
        for seat in _donors(queue, idle, ready, by_code):
            if len(moves) >= MOVES_AT_ONCE or wanted <= 0:
                break
            if not _may_go(seat, ready, by_code):
                continue
            ready[seat.queue] -= 1
            ready[queue.code] = ready.get(queue.code, 0) + 1
            idle.remove(seat)
            wanted -= 1
            why = f"“{queue.name}”{queue.trouble}；{_reason(seat, by_code)}"
            moves.append(
                Move(seat.user_id, seat.name, seat.extension, seat.queue, queue.code, queue.name, why, queue.automatic)
            )
    return moves


def _wanted(queue: QueueNow, there: int) -> int:
    """Seats that would help now. Nobody waits and somebody is free: the level of the last minutes gets no better by more."""
    if not queue.waiting:
        return 0 if there else 1
    return max(1, queue.waiting - there)


def _ready(idle: Iterable[SeatNow]) -> dict[str, int]:
    found: dict[str, int] = {}
    for seat in idle:
        found[seat.queue] = found.get(seat.queue, 0) + 1
    return found


def _donors(
    queue: QueueNow, idle: Sequence[SeatNow], ready: Mapping[str, int], by_code: Mapping[str, QueueNow]
) -> list[SeatNow]:
    """Seats that could come, those first whose own queue can spare most; a queue in trouble gives none."""
    able = [
        s for s in idle
        if s.queue != queue.code
        and (queue.urgent or queue.skills <= s.skills)
        and not (s.queue in by_code and by_code[s.queue].trouble)
    ]  # fmt: skip
    spare = {code: count - (by_code[code].seats_kept if code in by_code else 1) for code, count in ready.items()}
    return sorted(able, key=lambda s: (s.queue == "", -spare.get(s.queue, 0), -s.idle_seconds, s.extension))


def _may_go(seat: SeatNow, ready: Mapping[str, int], by_code: Mapping[str, QueueNow]) -> bool:
    kept = by_code[seat.queue].seats_kept if seat.queue in by_code else 1
    return ready.get(seat.queue, 0) > kept


def _reason(seat: SeatNow, by_code: Mapping[str, QueueNow]) -> str:
    if not seat.queue:
        return f"{seat.name}（{seat.extension}）空闲，未固定队列"
    return f"“{by_code[seat.queue].name if seat.queue in by_code else seat.queue}”有余，{seat.name}（{seat.extension}）空闲"


def _back(idle: Iterable[SeatNow], by_code: Mapping[str, QueueNow]) -> list[Move]:
    moves = []
    for seat in idle:
        here, home = by_code.get(seat.queue), seat.came_from
        if here is None or home is None or home == seat.queue or here.waiting:
            continue
        name = by_code[home].name if home in by_code else "不固定队列"
        why = f"“{here.name}”已恢复，{seat.name}（{seat.extension}）回到“{name}”"
        moves.append(Move(seat.user_id, seat.name, seat.extension, seat.queue, home, name, why, here.automatic))
    return moves[:MOVES_AT_ONCE]
