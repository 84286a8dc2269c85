"""Seats, queues, skill groups, and whether the switchboard and its engine are there."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from anju.accounts import queries as accounts
from anju.calls.models import Command, Queue, SeatState, Skill, SkillGroup, Switchboard
from anju.kernel import clock

ALIVE = timedelta(seconds=10)
"""A switchboard that has not written its beat for so long does not run."""


@dataclass(frozen=True, slots=True)
class SeatView:
    """How a seat stands."""

    user_id: int
    name: str
    extension: str
    state: str
    state_label: str
    wants: str
    reason: str
    since: datetime
    until: datetime | None
    call_id: str
    mic_ok: bool
    registered: bool
    is_lead: bool
    queue: str
    queue_label: str
    misses: int


@dataclass(frozen=True, slots=True)
class QueueView:
    """A queue as a list shows it."""

    code: str
    name: str
    priority: int
    emergency: bool
    skills: tuple[str, ...]
    overflow_seconds: int
    ring_seconds: int
    survey: bool


@dataclass(frozen=True, slots=True)
class EngineView:
    """Whether calls can come in and go out; `real` is False while the simulator serves."""

    running: bool
    ok: bool
    real: bool
    engine: str
    detail: str
    beat_at: datetime | None
    live_calls: int
    waiting_calls: int

    @property
    def sentence(self) -> str:
        """For the desk's banner; empty when all is well."""
        if not self.running:
            return "话务控制没有运行：来电由应急振铃接听，呼出请用手边的电话。"
        if not self.ok:
            return f"话务引擎连接中断：{self.detail or '正在重连'}。呼出请用手边的电话。"
        return "" if self.real else "模拟话务：不能接打真实电话。"


def switchboard_runs() -> bool:
    """Whether a switchboard showed a sign of life lately."""
    return Switchboard.objects.filter(pk=1, beat_at__gt=clock.now() - ALIVE).exists()


def engine_health() -> EngineView:
    """The switchboard's own word about itself and its engine."""
    row = Switchboard.objects.filter(pk=1).first() or Switchboard()
    running = row.beat_at is not None and clock.now() - row.beat_at < ALIVE
    return EngineView(
        running, running and row.engine_ok, row.real, row.engine, row.detail, row.beat_at, row.live_calls, row.waiting_calls
    )  # fmt: skip


def can_dial(user_id: int) -> bool:
    """Whether this user can make a real call from her seat now."""
    seat = SeatState.objects.filter(user=user_id).first()
    able = seat is not None and seat.registered and seat.state in {"ready", "break", "wrap_up"}
    return able and engine_health().ok


def refusal(user_id: int, within: timedelta = timedelta(seconds=8)) -> str:
    """Why this user's newest verb was not done, if that was just now; "" otherwise."""
    newest = Command.objects.filter(by_user=user_id).order_by("-id").first()
    late = newest is not None and newest.done_at is not None and clock.now() - newest.done_at <= within
    return newest.error if newest is not None and late else ""


def seat_of(user_id: int) -> SeatView | None:
    """The seat of one user; None when she never sat down at one."""
    row = SeatState.objects.filter(user=user_id).select_related("user", "queue").first()
    return _seat(row) if row else None


def seats() -> list[SeatView]:
    """Every seat that somebody ever took, by extension."""
    return [_seat(s) for s in SeatState.objects.select_related("user", "queue")]


def _seat(s: SeatState) -> SeatView:
    return SeatView(
        user_id=s.user_id, name=s.user.name, extension=s.extension, state=s.state, state_label=s.get_state_display(),
        wants=s.wants, reason=s.reason, since=s.since, until=s.until, call_id=str(s.call_id or ""), mic_ok=s.mic_ok,
        registered=s.registered, is_lead=s.is_lead, queue=s.queue.code if s.queue else "",
        queue_label=s.queue.name if s.queue else "", misses=s.misses,
    )  # fmt: skip


def queues() -> list[QueueView]:
    """All queues, the most urgent first."""
    return [
        QueueView(
            q.code,
            q.name,
            q.priority,
            q.emergency,
            tuple(sorted(s.code for s in q.skills.all())),
            q.overflow_seconds,
            q.ring_seconds,
            q.survey,
        )
        for q in Queue.objects.prefetch_related("skills")
    ]


def skills() -> dict[int, frozenset[str]]:
    """Who can do what: user → codes of skill groups."""
    found: dict[int, set[str]] = {}
    for user_id, code in Skill.objects.values_list("user_id", "group__code"):
        found.setdefault(user_id, set()).add(code)
    return {user_id: frozenset(codes) for user_id, codes in found.items()}


def here() -> dict[int, frozenset[str]] | None:
    """Who sits at a seat now, ready or not, and as what: user → posts (agent, lead). None while no switchboard runs: that is a
    trouble of its own.
    """
    if not switchboard_runs():
        return None
    rows = SeatState.objects.exclude(state="off").filter(registered=True).values_list("user_id", "is_lead")
    return {user_id: frozenset({"lead"} if is_lead else {"agent"}) for user_id, is_lead in rows}


def skill_groups() -> list[tuple[str, str, tuple[str, ...]]]:
    """(code, name, names of its members, the most skilled first)."""
    groups = SkillGroup.objects.prefetch_related("members")
    names = accounts.user_names({m.user_id for g in groups for m in g.members.all()})
    return [
        (g.code, g.name, tuple(names.get(m.user_id, "") for m in sorted(g.members.all(), key=lambda m: -m.level)))
        for g in groups
    ]
