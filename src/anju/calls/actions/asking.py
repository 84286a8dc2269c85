"""Asking the switchboard: each verb is a row that it takes once. What it did is seen in the call, or in `error`."""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from typing import Any

from django.db import connection, transaction

from anju.accounts.roles import Role
from anju.calls import queries, rules
from anju.calls.exchange import NEVER_BY_ITSELF
from anju.calls.models import PURPOSES, Call, Command, Leg, LegRole, SeatState
from anju.kernel import clock, crypto
from anju.kernel.changes import changed
from anju.kernel.flow import engine
from anju.kernel.flow.engine import Actor, NotAllowed
from anju.kernel.scope import current

CHANNEL = "anju_calls"
NO_SWITCHBOARD = "电话系统暂时不可用，请用手边的电话拨打，再“人工记录”这次通话。"


def command(*, verb: str, by: Actor, call_id: str | None = None, args: Mapping[str, Any] | None = None) -> Command:
    """Leave a verb for the switchboard and wake it when this transaction commits. The general form of all below."""
    row = Command(verb=verb, call_id=call_id, by=by.name, by_user=by.user_id, asked_at=clock.now())
    row.args = dict(args or {})
    row.save()
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_notify(%s, %s)", [CHANNEL, "command"])
    return row


@transaction.atomic
def dial(
    *, by: Actor, whom: str, purpose: str, ref: str, place: str, number: str = "", to_seat: str = "",
    elder_id: int | None = None, home_id: int | None = None,
) -> Call:  # fmt: skip
    """Ring the asker's own seat, then the number (or another seat). Both intents are committed before anything rings."""
    mine = _my_seat(by)
    if mine.state in {"ringing", "talking"}:
        raise NotAllowed("您正在通话中，请先结束当前通话，或用“三方通话”。", code="needs")
    far = rules.dialable(number) if number else ""
    if not far and not to_seat:
        raise NotAllowed("号码不对，请核对后再拨。", code="needs")
    if far in NEVER_BY_ITSELF and by.user_id is None:
        raise NotAllowed("系统从不自动拨打 110、119、120，请人工拨打。", code="needs")
    call = Call(
        place=place, ref=ref, direction="out", purpose=purpose if purpose in PURPOSES else "other", whom=whom, number=far or to_seat,
        caller_index=crypto.blind(far, "call.number"), by=by.name, by_user=by.user_id, user_id=by.user_id,
        elder_id=elder_id, home_id=home_id, planned_at=clock.now(), emergency=purpose in {"110", "119", "120"},
    )  # fmt: skip
    engine.begin(call, by)
    own = _leg(call, "agent", f"seat:{mine.extension}", name=by.name, user_id=by.user_id, seat=mine.extension)
    there = _leg(
        call, role_for(purpose, far), f"seat:{to_seat}" if to_seat else "number", name=whom, number=far, seat=to_seat
    )
    command(verb="dial", by=by, call_id=str(call.call_id), args={"agent_leg": own.leg_id, "far_leg": there.leg_id})
    changed("call", str(call.call_id), place)
    return call


def role_for(purpose: str, number: str = "") -> str:
    """What the far party is, by why it is called."""
    if number in NEVER_BY_ITSELF:
        return number if number in LegRole.values else "other"
    return {"elder": "elder", "elder_check": "elder", "contact": "contact", "contact_robot": "contact",
            "doctor": "doctor", "follow_up": "elder", "call_back": "elder", "seat": "agent_b"}.get(purpose, "other")  # fmt: skip


def answer(*, by: Actor, call_id: str) -> None:
    """Lift at one's own seat where the softphone cannot (simulator)."""
    _ask("answer", by, call_id, {"extension": _my_seat(by).extension})


def hang_up(*, by: Actor, call_id: str) -> None:
    """End the call (or leave it, when others go on talking with the caller)."""
    _ask("hang_up", by, call_id)


@transaction.atomic
def robot_gives_way(*, number: str) -> list[str]:
    """A person must ring this number now: robots' calls to it end, but for those in which somebody pressed a key.

    The ids of those that are asked to end; until they have ended the line is busy.
    """
    ending = queries.robots_to(number)
    for call_id in ending:
        command(verb="hang_up", by=engine.THE_CLOCK, call_id=call_id)
    return ending


def hold(*, by: Actor, call_id: str) -> None:
    """The far party hears music; the agent may speak with others."""
    _ask("hold", by, call_id)


def unhold(*, by: Actor, call_id: str) -> None:
    """Back from the music."""
    _ask("unhold", by, call_id)


def mute(*, by: Actor, call_id: str, leg_id: str = "") -> None:
    """The others do not hear this party (without leg: oneself)."""
    _ask("mute", by, call_id, {"leg_id": leg_id})


def unmute(*, by: Actor, call_id: str, leg_id: str = "") -> None:
    """The opposite."""
    _ask("unmute", by, call_id, {"leg_id": leg_id})


def transfer(
    *, by: Actor, call_id: str, to_seat: str = "", number: str = "", queue: str = "", attended: bool = False,
    role: str = "other", name: str = "",
) -> None:  # fmt: skip
    """Give the caller to a seat, a number or a queue: at once (blind) or after speaking with the other first."""
    far = _target(number, to_seat or queue)
    if attended and queue:
        raise NotAllowed("转到队列不能先咨询，请直接转接，或选一个坐席。", code="needs")
    if far in NEVER_BY_ITSELF and by.user_id is None:
        raise NotAllowed("系统从不自动拨打 110、119、120，请人工拨打。", code="needs")
    args = {
        "to_seat": to_seat, "number": far, "queue": queue, "leg_id": str(uuid.uuid4()), "role": _role(far, role), "name": name,
    }  # fmt: skip
    _ask("consult" if attended else "transfer", by, call_id, args)


def complete_transfer(*, by: Actor, call_id: str) -> None:
    """The other takes over; oneself leaves."""
    _ask("complete_transfer", by, call_id)


def cancel_transfer(*, by: Actor, call_id: str) -> None:
    """The other is let go; the caller is back."""
    _ask("cancel_transfer", by, call_id)


def conference(
    *, by: Actor, call_id: str, number: str = "", to_seat: str = "", role: str = "other", name: str = ""
) -> str:
    """Ring one more party (120, doctor, family, social worker, another seat) and put it into the call; its leg id."""
    far, leg_id = _target(number, to_seat), str(uuid.uuid4())
    if far in NEVER_BY_ITSELF and by.user_id is None:
        raise NotAllowed("系统从不自动拨打 110、119、120，请人工拨打。", code="needs")
    args = {"to_seat": to_seat, "number": far, "role": _role(far, role), "name": name, "leg_id": leg_id}
    _ask("conference", by, call_id, args)
    return leg_id


def _role(number: str, role: str) -> str:
    """120, 110 and 119 are what they are; of the rest the asker says what they are."""
    return number if number in NEVER_BY_ITSELF else role if role in LegRole.values else "other"


def drop(*, by: Actor, call_id: str, leg_id: str) -> None:
    """Take one party out of the call; the others go on."""
    _ask("drop", by, call_id, {"leg_id": leg_id})


def join(*, by: Actor, call_id: str, seat: str = "B") -> None:
    """Sit down at the call as B seat: one's own softphone rings and is put into the bridge."""
    if not by.roles & {Role.AGENT, Role.LEAD}:
        raise NotAllowed("只有坐席和值班长可以加入通话。", code="not_you")
    mine = _my_seat(by)
    call = _found(call_id)
    if call is not None and call.state not in {"talking", "ended"}:
        raise NotAllowed("这通电话还没有坐席接起，不能加入。", code="not_here")
    if mine.state in {"ringing", "talking"}:
        raise NotAllowed("您正在通话中，请先结束当前通话，再加入。", code="needs")
    _ask("join", by, call_id, {"extension": mine.extension, "seat": seat, "leg_id": str(uuid.uuid4())}, others=True)


def supervise(*, by: Actor, call_id: str, mode: str) -> None:
    """Listen, whisper (the agent alone hears) or barge in. For leads."""
    if not by.roles & {Role.LEAD, Role.QUALITY}:
        raise NotAllowed("只有值班长和质检可以旁听，请转告值班长。", code="not_you")
    if mode not in {"listen", "whisper", "barge", "stop"}:
        raise NotAllowed("介入方式只能是：旁听、密语、强插。", code="needs")
    if mode not in {"listen", "stop"} and Role.LEAD not in by.roles:
        raise NotAllowed("密语和强插只能由值班长使用。", code="not_you")
    mine = _my_seat(by)
    args = {"extension": mine.extension, "mode": mode, "leg_id": str(uuid.uuid4()), "snoop_id": str(uuid.uuid4())}
    _ask("supervise", by, call_id, args, others=True)


def send_keys(*, by: Actor, call_id: str, digits: str, leg_id: str = "") -> None:
    """Press keys for the other side's menu."""
    kept = "".join(c for c in digits if c in "0123456789*#")
    if not kept:
        raise NotAllowed("只能发送数字、* 和 #。", code="needs")
    _ask("send_keys", by, call_id, {"digits": kept, "leg_id": leg_id})


@transaction.atomic
def link(*, call_id: str, ref: str = "", home_id: int | None = None, elder_id: int | None = None) -> None:
    """This call belongs to that case, home or elder (what is not named stays)."""
    call = Call.objects.select_for_update().get(call_id=call_id)
    wanted = {"ref": ref, "home_id": home_id, "elder_id": elder_id}
    fields = [name for name, value in wanted.items() if value]
    for name in fields:
        setattr(call, name, wanted[name])
    if fields:
        call.save(update_fields=fields)
        command(verb="linked", by=engine.THE_CLOCK, call_id=call_id, args={n: wanted[n] for n in fields})
        changed("call", call_id, call.place)


def _ask(verb: str, by: Actor, call_id: str, args: Mapping[str, Any] | None = None, *, others: bool = False) -> Command:
    with transaction.atomic():
        call = _found(call_id)
        mine = call is not None and by.user_id is not None and _mine(call, by.user_id)
        if call is None or call.state == "ended" or not (mine or current().covers(call.place)):
            raise NotAllowed("这次通话已经结束，请刷新页面。", code="not_here")
        _must_run()
        if by.user_id is not None and not others and Role.LEAD not in by.roles and not mine:
            raise NotAllowed("这是别人的通话，请先加入（B 席），或转告值班长。", code="not_you")
        return command(verb=verb, by=by, call_id=call_id, args=args)


def must_be_in(*, by: Actor, call_id: str) -> None:
    """Who says what a live call is about: its own agent, its B seat, who writes it up, or a lead. A colleague asks to join."""
    here = by.user_id is not None and (
        Leg.unscoped.filter(call__call_id=call_id, user_id=by.user_id, answered_at__isnull=False, ended_at=None)
        .exclude(role="supervisor").exists()
        or SeatState.objects.filter(user=by.user_id, state="wrap_up", call_id=call_id).exists()
    )  # fmt: skip
    if not here and Role.LEAD not in by.roles:
        raise NotAllowed("这是别人的通话，请先加入（B 席），或转告值班长。", code="not_you")


def _found(call_id: str) -> Call | None:
    """The call of that number, wherever: a seat's own call is hers, and of others the scope decides; None for what is no number."""
    try:
        return Call.unscoped.filter(call_id=uuid.UUID(str(call_id))).first()
    except ValueError:
        return None


def _mine(call: Call, user_id: int) -> bool:
    return call.by_user == user_id or Leg.unscoped.filter(call=call, user_id=user_id, ended_at=None).exists()


def _must_run() -> None:
    if not queries.switchboard_runs():
        raise NotAllowed(NO_SWITCHBOARD, code="needs")


def _my_seat(by: Actor) -> SeatState:
    _must_run()
    seat = SeatState.objects.filter(user=by.user_id).first() if by.user_id is not None else None
    if seat is None or seat.state == "off":
        raise NotAllowed("您的坐席没有上线，请先检查麦克风并“就绪”。", code="needs")
    return seat


def _target(number: str, other: str) -> str:
    far = rules.dialable(number) if number else ""
    if not far and not other:
        raise NotAllowed("请填写号码，或选择一个坐席。", code="needs")
    return far


def _leg(call: Call, role: str, endpoint: str, **fields: Any) -> Leg:
    return Leg.objects.create(
        call=call, leg_id=str(uuid.uuid4()), role=role, endpoint=endpoint, planned_at=clock.now(), **fields
    )
