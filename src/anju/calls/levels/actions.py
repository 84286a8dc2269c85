"""Looking at the levels, proposing moves, and making them: by a click of the lead, or by itself where the rule says so."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta

from django.db import IntegrityError, transaction
from django.db.models import Q

from anju.accounts.roles import Role
from anju.calls import actions as calls
from anju.calls.kpis import live
from anju.calls.kpis.live import LiveQueue
from anju.calls.levels import rules
from anju.calls.levels.models import LevelRule, Proposal
from anju.calls.models import Queue, SeatState, Skill
from anju.devices.models import RECEIVING_DISTRICT
from anju.kernel import audit, clock
from anju.kernel.changes import changed
from anju.kernel.flow.actor import Actor, NotAllowed
from anju.kernel.flow.table import CLOCK

ITSELF = Actor("话务水平", frozenset({CLOCK}))
LATER = timedelta(seconds=rules.REST_SECONDS)


def rule_of(queue: Queue) -> LevelRule:
    """The queue's rule, or the usual one where nobody set any."""
    return LevelRule.objects.filter(queue=queue).first() or LevelRule(queue=queue)


@transaction.atomic
def look() -> list[Proposal]:
    """Look once: new proposals are written (or made at once where the rule is automatic), those no longer needed lapse."""
    made: list[Proposal] = []
    wanted = rules.propose(_queues(), _seats())
    keep = {(m.user_id, m.to_queue) for m in wanted}
    for old in Proposal.objects.select_for_update().filter(state=Proposal.State.OFFERED):
        if (old.user_id, old.to_queue) not in keep:
            _settle(old, Proposal.State.LAPSED, "系统")
    for move in wanted:
        if Proposal.objects.filter(user_id=move.user_id, state=Proposal.State.OFFERED).exists() or _declined(move):
            continue
        proposal = Proposal(
            user_id=move.user_id, seat_name=move.name, extension=move.extension, from_queue=move.from_queue, to_queue=move.to_queue,
            to_queue_name=move.to_name, why=move.why[:300], made_at=clock.now(),
        )  # fmt: skip
        try:
            with transaction.atomic():
                proposal.save()
        except IntegrityError:  # another worker looked at the same time
            continue
        if move.automatic:
            calls.move_seat(by=ITSELF, user_id=move.user_id, queue=move.to_queue)
            _settle(proposal, Proposal.State.AUTOMATIC, "系统")
        made.append(proposal)
    if made:
        changed("seats", 0, RECEIVING_DISTRICT)
    return made


@transaction.atomic
def take(*, proposal_id: int, by: Actor) -> Proposal:
    """Do what is proposed: one click of the lead."""
    proposal = _open(proposal_id, by)
    calls.move_seat(by=by, user_id=proposal.user_id, queue=proposal.to_queue)
    return _settle(proposal, Proposal.State.TAKEN, by.name)


@transaction.atomic
def decline(*, proposal_id: int, by: Actor) -> Proposal:
    """Not now: the same proposal does not come back for ten minutes."""
    return _settle(_open(proposal_id, by), Proposal.State.DECLINED, by.name)


@transaction.atomic
def set_rule(
    *, queue: str, by: Actor, within_seconds: int, target_percent: int, window_minutes: int, longest_wait_seconds: int, seats_kept: int,
    automatic: bool,
) -> LevelRule:  # fmt: skip
    """What a queue must hold, and whether seats may move by themselves."""
    if Role.LEAD not in by.roles:
        raise NotAllowed("话务水平由值班长设定。", code="not_you")
    found = Queue.objects.filter(code=queue).first()
    if found is None:
        raise NotAllowed("没有这个队列，请刷新页面。", code="not_here")
    if not (
        5 <= within_seconds <= 600
        and 1 <= target_percent <= 100
        and 5 <= window_minutes <= 240
        and 10 <= longest_wait_seconds <= 900
    ):
        raise NotAllowed("数值超出范围：秒数 5-600，目标 1-100 %，时段 5-240 分钟，最长等待 10-900 秒。", code="needs")
    rule, _ = LevelRule.objects.update_or_create(
        queue=found,
        defaults={
            "within_seconds": within_seconds, "target_percent": target_percent, "window_minutes": window_minutes,
            "longest_wait_seconds": longest_wait_seconds, "seats_kept": max(0, min(seats_kept, 50)), "automatic": automatic,
        },
    )  # fmt: skip
    audit.record(
        "level.set", subject="queue", subject_id=queue, detail={"target": target_percent, "automatic": automatic}
    )
    return rule


@transaction.atomic
def put_past(
    *, user_id: int, seat_name: str, extension: str, to_queue: str, why: str, at: datetime, taken: bool, by: str
) -> None:
    """A proposal of the past as another system wrote it down; nobody is moved."""
    queue = Queue.objects.filter(code=to_queue).first()
    Proposal.objects.create(
        user_id=user_id, seat_name=seat_name, extension=extension, to_queue=to_queue, to_queue_name=queue.name if queue else to_queue,
        why=why[:300], made_at=at, state=Proposal.State.TAKEN if taken else Proposal.State.DECLINED,
        settled_at=at + timedelta(seconds=40), settled_by=by[:60],
    )  # fmt: skip


def _open(proposal_id: int, by: Actor) -> Proposal:
    if Role.LEAD not in by.roles:
        raise NotAllowed("调配坐席由值班长操作，请转告值班长。", code="not_you")
    proposal = Proposal.objects.select_for_update().filter(pk=proposal_id).first()
    if proposal is None or proposal.state != Proposal.State.OFFERED:
        raise NotAllowed("这条建议已办理或已不需要，请看最新的。", code="not_here")
    return proposal


def _settle(proposal: Proposal, state: Proposal.State, by: str) -> Proposal:
    proposal.state, proposal.settled_at, proposal.settled_by = state, clock.now(), by[:60]
    proposal.save(update_fields=["state", "settled_at", "settled_by"])
    changed("seats", 0, RECEIVING_DISTRICT)
    return proposal


def _declined(move: rules.Move) -> bool:
    lately = Q(settled_at__gt=clock.now() - LATER)
    return Proposal.objects.filter(
        lately, user_id=move.user_id, to_queue=move.to_queue, state=Proposal.State.DECLINED
    ).exists()


def _queues() -> list[rules.QueueNow]:
    skills = {q.code: frozenset(s.code for s in q.skills.all()) for q in Queue.objects.prefetch_related("skills")}
    return [_queue(q, rule_of(q), skills[q.code]) for q in Queue.objects.all()]


def _queue(q: Queue, rule: LevelRule, skills: frozenset[str]) -> rules.QueueNow:
    now = live(minutes=rule.window_minutes)
    seen: LiveQueue = next(found for found in now.queues if found.code == q.code)
    counts = seen.recent
    in_time = getattr(counts, f"within_{_nearest(rule.within_seconds)}")
    return rules.QueueNow(
        code=q.code, name=q.name, waiting=seen.waiting, longest_wait=seen.longest_wait_seconds, calls=counts.offered,
        level=100.0 * in_time / counts.offered if counts.offered else None, within=_nearest(rule.within_seconds), target=rule.target_percent,
        longest_allowed=rule.longest_wait_seconds, seats_kept=rule.seats_kept, automatic=rule.automatic, urgent=q.emergency,
        skills=skills,
    )  # fmt: skip


def _nearest(seconds: int) -> int:
    """The level that is counted: 15, 20, 60 or 180 seconds, the largest that is not above the rule's."""
    return max((n for n in (15, 20, 60, 180) if n <= seconds), default=15)


def _seats() -> list[rules.SeatNow]:
    now = clock.now()
    lately = Proposal.objects.filter(state__in=[Proposal.State.TAKEN, Proposal.State.AUTOMATIC]).order_by("settled_at")
    last: Mapping[int, Proposal] = {p.user_id: p for p in lately.filter(settled_at__gt=now - timedelta(days=1))}
    skills: dict[int, set[str]] = {}
    for user_id, code in Skill.objects.values_list("user_id", "group__code"):
        skills.setdefault(user_id, set()).add(code)
    return [
        _seat(s, last.get(s.user_id), frozenset(skills.get(s.user_id, ())))
        for s in SeatState.objects.select_related("user", "queue").filter(registered=True)
    ]


def _seat(s: SeatState, moved: Proposal | None, skills: frozenset[str]) -> rules.SeatNow:
    now, here = clock.now(), s.queue.code if s.queue else ""
    brought = moved is not None and moved.to_queue == here
    return rules.SeatNow(
        user_id=s.user_id, name=s.user.name, extension=s.extension, state=s.state, queue=here, skills=skills,
        idle_seconds=(now - s.since).total_seconds(), is_lead=s.is_lead,
        rested=moved is None or moved.settled_at is None or now - moved.settled_at >= LATER,
        came_from=moved.from_queue if brought and moved is not None else None,
    )  # fmt: skip
