"""What an agent says about her own seat. The switchboard hears of it at once and takes it up when her call is over."""

from __future__ import annotations

import uuid
from collections.abc import Mapping, Sequence
from datetime import timedelta

from django.db import connection, transaction

from anju.accounts import queries as accounts
from anju.accounts.permissions import must
from anju.accounts.roles import Role
from anju.calls.actions.asking import CHANNEL, command
from anju.calls.facts import SeatChanged
from anju.calls.models import Call, Leg, Queue, SeatLog, SeatState, Skill, SkillGroup
from anju.calls.queries.present import UNWRITTEN_FOR
from anju.devices.models import RECEIVING_DISTRICT
from anju.kernel import clock, facts
from anju.kernel.changes import changed
from anju.kernel.flow.engine import Actor, NotAllowed
from anju.kernel.scope import EVERYWHERE, seen_by
from anju.knowledge.sop import actions as sop

BREAK_REASONS = ("用餐", "休息", "培训", "会议", "未接", "其他")
FREE = ("off", "ready", "break", "wrap_up")
"""States in which the agent's word holds at once; during a call it waits."""


@transaction.atomic
def mic_checked(*, by: Actor, ok: bool, device: str = "") -> None:
    """The browser tested the microphone; without it a seat cannot become ready."""
    seat = _seat(by)
    seat.mic_ok, seat.device = ok, device[:80]
    seat.save(update_fields=["mic_ok", "device"])
    changed("seats", seat.user_id, "")


@transaction.atomic
def seat_ready(*, by: Actor) -> None:
    """Calls may ring here from now on."""
    seat = _seat(by)
    if not seat.mic_ok:
        raise NotAllowed("请先检查麦克风，能听到自己的声音再就绪。", code="needs")
    seat.misses = 0
    seat.is_lead = Role.LEAD in by.roles
    _becomes(seat, "ready", "")


@transaction.atomic
def seat_break(*, by: Actor, reason: str) -> None:
    """No calls for a while; the reason is kept for the figures."""
    if not reason.strip():
        raise NotAllowed("请选择小休原因。", code="reason")
    _becomes(_seat(by), "break", reason.strip()[:40])


@transaction.atomic
def seat_off(*, by: Actor) -> None:
    """Leave the seat."""
    _becomes(_seat(by), "off", "")


@transaction.atomic
def seat_lost(*, user_id: int, why: str) -> None:
    """The browser of this seat is gone (closed, crashed): no more rings, and a call that it held goes to the next seat."""
    seat = SeatState.objects.select_for_update().filter(user=user_id).first()
    if seat is None:
        return
    if seat.state in FREE:
        _becomes(seat, "off", why[:40])
    command(verb="seat_lost", by=Actor("系统", frozenset()), args={"user_id": user_id, "why": why[:40]})


@transaction.atomic
def wrap_up_done(
    *, by: Actor, note: str = "", resolved: bool | None = None, tags: Sequence[str] = (), call_id: str = "", lacks: str = "",
    lacks_words: str = "",
) -> None:  # fmt: skip
    """The call is written up: its note, whether it was settled, its tags; the seat goes where its agent wants.

    Refused while a script's required answers are missing and no reason (`lacks`) is given. The seat itself is held up by
    nothing: its time for writing up runs out, 就绪 ends it, and an urgent call rings it meanwhile.
    A call without a word then stays on its agent's list (`queries.unwritten`).
    """
    seat = _seat(by)
    of = call_id or (str(seat.call_id) if seat.call_id else "")
    if of:
        _write(by, of, note, resolved=resolved, tags=tags)
        sop.close(by=by, call_id=of, lacks=lacks, words=lacks_words)
    if seat.state == "wrap_up":
        _becomes(seat, seat.wants if seat.wants in FREE else "ready", seat.reason if seat.wants == "break" else "")


@transaction.atomic
def wrap_up_typed(
    *, by: Actor, call_id: str, note: str = "", resolved: bool | None = None, tags: Sequence[str] = ()
) -> None:
    """What was typed so far, kept at once: the limit of wrap-up, a closed page or a dead browser loses none of it."""
    _write(by, call_id, note, resolved=resolved, tags=tags)


@transaction.atomic
def write_up_later(
    *, by: Actor, call_id: str, note: str = "", resolved: bool | None = None, tags: Sequence[str] = ()
) -> None:
    """A call that was left without a word gets it now; the seat stays as it is, it may be writing up another one."""
    if not tags:
        raise NotAllowed("请选这通电话是什么事。", code="needs")
    _write(by, call_id, note, resolved=resolved, tags=tags)


WRITTEN_WITHIN = timedelta(hours=1)
"""So long after she left a call its agent may still change what she wrote."""


def _write(by: Actor, call_id: str, note: str, *, resolved: bool | None, tags: Sequence[str]) -> None:
    """Into the call itself, by who spoke in it. An empty word changes nothing."""
    try:
        known = uuid.UUID(call_id)
    except ValueError:
        raise NotAllowed("没有这通电话，请刷新页面。", code="not_here") from None
    with seen_by(EVERYWHERE):  # her own call is hers, wherever the caller lives
        call = Call.objects.select_for_update().filter(call_id=known).first()
        own = Leg.objects.filter(call=call, user_id=by.user_id, answered_at__isnull=False).exclude(role="supervisor")
        last = own.order_by("-answered_at").first() if call is not None and by.user_id is not None else None
        within = UNWRITTEN_FOR if call is not None and not call.tags and call.resolved is None else WRITTEN_WITHIN
        hers = last is not None and (last.ended_at is None or clock.now() - last.ended_at <= within)
        if call is None or not (
            hers or SeatState.objects.filter(user=by.user_id, state="wrap_up", call_id=known).exists()
        ):
            raise NotAllowed("只能整理自己刚接过的电话。", code="not_you")
        call.note = note or call.note
        call.resolved = call.resolved if resolved is None else resolved
        call.tags = list(tags) or call.tags
        call.save(update_fields=["note", "resolved", "tags"])
        changed("call", str(call.call_id), call.place)


@transaction.atomic
def move_seat(*, by: Actor, user_id: int, queue: str = "") -> None:
    """This seat takes calls of that queue only ("" = of every queue that its skills allow)."""
    if Role.LEAD not in by.roles and by.user_id is not None:
        raise NotAllowed("调配坐席由值班长操作，请转告值班长。", code="not_you")
    seat = SeatState.objects.select_for_update().filter(user=user_id).first()
    if seat is None:
        raise NotAllowed("这位坐席还没有上线过，请等她上线后再调配。", code="not_here")
    seat.queue = Queue.objects.filter(code=queue).first() if queue else None
    seat.save(update_fields=["queue"])
    _wake(seat.user_id)


def ensure_queues() -> None:
    """The two queues without which no call can be taken, where nobody made them."""
    Queue.objects.get_or_create(
        code="emergency",
        defaults={"name": "紧急", "priority": 9, "emergency": True, "ring_all": True, "prompt": "emergency_welcome",
                  "overflow_seconds": 15, "wrap_up_seconds": 120},
    )  # fmt: skip
    Queue.objects.get_or_create(code="service", defaults={"name": "服务", "priority": 1, "survey": True})


def ensure_seats() -> None:
    """A seat for everybody who works at the desk and has a number, so that any telephone may sign on there."""
    taken = set(SeatState.objects.values_list("user_id", flat=True))
    leads = {u.id for u in accounts.on_duty_leads(RECEIVING_DISTRICT)}
    for user in accounts.agents():
        if user.seat_number and user.id not in taken:
            SeatState.objects.get_or_create(
                user_id=user.id,
                defaults={"extension": user.seat_number, "since": clock.now(), "is_lead": user.id in leads},
            )


@transaction.atomic
def put_skill(*, by: Actor, code: str, name: str, members: Mapping[int, int]) -> None:
    """A skill group with its members: user → level 1-9. Who is no longer named leaves it."""
    must(by, "dictionary.change")
    group, _ = SkillGroup.objects.update_or_create(code=code, defaults={"name": name})
    Skill.objects.filter(group=group).exclude(user_id__in=list(members)).delete()
    for user_id, level in members.items():
        Skill.objects.update_or_create(user_id=user_id, group=group, defaults={"level": max(1, min(level, 9))})


def _seat(by: Actor) -> SeatState:
    user = accounts.user(by.user_id) if by.user_id is not None else None
    if user is None or not user.seat_number:
        raise NotAllowed("您的账号没有坐席号，请系统管理员在用户页填写。", code="needs")
    SeatState.objects.get_or_create(user=user, defaults={"extension": user.seat_number, "since": clock.now()})
    seat = SeatState.objects.select_for_update(of=("self",)).get(user=user)
    if seat.extension != user.seat_number:
        seat.extension = user.seat_number
        seat.save(update_fields=["extension"])
    return seat


def _becomes(seat: SeatState, wants: str, reason: str) -> None:
    """The agent's word; the state follows at once unless a call is up. Every stretch is one line of the log."""
    now = clock.now()
    seat.wants, seat.reason = wants, reason
    was = seat.state
    if was == "wrap_up" and seat.call_id is not None:
        Leg.unscoped.filter(
            call__call_id=seat.call_id, user_id=seat.user_id, wrapped_at=None, ended_at__isnull=False
        ).update(wrapped_at=now)
    if was in FREE:
        if was != wants or reason:
            open_stretch(seat, wants, reason, now)
        seat.state, seat.call_id, seat.until = wants, None, None
        if was != wants:
            seat.since = now
            facts.announce(SeatChanged(seat.user_id, seat.extension, was, wants, reason))
    seat.save()
    _wake(seat.user_id)


def open_stretch(seat: SeatState, state: str, reason: str, at: object) -> None:
    """Close the line of the log that runs and begin the next."""
    SeatLog.objects.filter(user_id=seat.user_id, until=None).update(until=at)
    SeatLog.objects.create(user_id=seat.user_id, extension=seat.extension, state=state, reason=reason, since=at)  # type: ignore[misc]


def wrap_up_limit(queue: Queue | None) -> timedelta:
    """How long an agent may write up."""
    return timedelta(seconds=queue.wrap_up_seconds if queue else 60)


def _wake(user_id: int) -> None:
    changed("seats", user_id, "")
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_notify(%s, %s)", [CHANNEL, f"seat:{user_id}"])
