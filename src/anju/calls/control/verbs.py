"""What people ask for, as rows: each is taken once, done, and answered (a refusal is a Chinese sentence)."""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from django.db import transaction

from anju.calls.control import books, rows
from anju.calls.control.state import LiveCall, Party
from anju.calls.exchange import Endpoint, EngineDown, Gone, Number, Seat
from anju.calls.models import Command
from anju.kernel import clock
from anju.kernel.flow.actor import NotAllowed

if TYPE_CHECKING:
    from anju.calls.control.core import Control

_log = logging.getLogger(__name__)
STALE = timedelta(seconds=15)
"""A verb that waited so long (nobody ran) is not done any more: the agent has acted otherwise since."""


@dataclass(frozen=True, slots=True)
class Asked:
    """A command as it was taken."""

    command_id: str
    verb: str
    call_id: str
    args: dict[str, Any]
    by: str
    by_user: int | None
    asked_at: datetime


Verb = Callable[["Control", Asked], Awaitable[object]]


@transaction.atomic
def take() -> list[Asked]:
    """Every command that nobody took, each once (in a thread)."""
    found = list(Command.objects.select_for_update(skip_locked=True).filter(taken_at=None).order_by("id")[:200])
    Command.objects.filter(pk__in=[c.pk for c in found]).update(taken_at=clock.now())
    return [
        Asked(str(c.command_id), c.verb, str(c.call_id or ""), dict(c.args or {}), c.by, c.by_user, c.asked_at)
        for c in found
    ]


async def take_all(control: Control) -> None:
    """Take and do, each beside the others. Nothing is taken before we know which calls are up."""
    if control.comparing:
        return
    for asked in await control.db(take):
        control.task(do(control, asked), f"verb {asked.verb}")


async def do(control: Control, asked: Asked) -> None:
    """One verb, and its answer."""
    result, error = "done", ""
    try:
        await _verb(control, asked)(control, asked)
    except NotAllowed as refusal:
        result, error = "refused", str(refusal)
    except Gone:
        result, error = "gone", "对方已经挂断。"
    except EngineDown:
        result, error = "failed", "话务引擎连接中断，请用手边的电话。"
    except Exception:  # noqa: BLE001 - who pressed must hear that it was not done
        _log.exception("%s was not done", asked.verb)
        result, error = "failed", "没有做成，请再按一次；还不行请用手边的电话。"
    call = control.calls.get(asked.call_id)
    asker = rows.told([("seats", str(asked.by_user), "")]) if asked.by_user is not None and error else None
    control.note(call, rows.command_done(asked.command_id, clock.now(), result, error), asker, tell=call is not None)


def _verb(control: Control, asked: Asked) -> Verb:
    verb = control.verbs.get(asked.verb)
    if verb is None:
        raise NotAllowed(f"话务控制不认识“{asked.verb}”。")
    if clock.now() - asked.asked_at > STALE and asked.verb not in KEPT:
        raise NotAllowed("电话系统刚刚恢复，请重新操作一次。")
    return verb


def _call(control: Control, asked: Asked) -> LiveCall:
    call = control.calls.get(asked.call_id)
    if call is None or call.done:
        raise NotAllowed("这次通话已经结束。", code="not_here")
    return call


def _mine(call: LiveCall, asked: Asked) -> Party | None:
    return next((p for p in reversed(call.live()) if p.user_id is not None and p.user_id == asked.by_user), None)


async def _target(control: Control, asked: Asked) -> tuple[Endpoint, str]:
    number = str(asked.args.get("number") or "")
    if number:
        return Number(number, await control.db(books.trunk_for, number)), number
    return Seat(str(asked.args["to_seat"])), ""


async def dial(control: Control, asked: Asked) -> None:
    """From the asker's seat."""
    from anju.calls.control import outbound

    await outbound.from_seat(control, asked.call_id, asked.args["agent_leg"], asked.args["far_leg"])


async def robot(control: Control, asked: Asked) -> None:
    """By a script."""
    from anju.calls.control import outbound

    await outbound.robot(control, asked.call_id)


async def answer(control: Control, asked: Asked) -> None:
    """Lift for a seat without a telephone of its own (simulator)."""
    party = _mine(_call(control, asked), asked)
    if party is None or party.state not in {"planned", "ringing"}:
        raise NotAllowed("您的坐席没有在振铃。", code="not_here")
    await control.engine.answer(party.leg_id)


async def hang_up(control: Control, asked: Asked) -> None:
    """Leave, or end the call when nobody else would be with the caller."""
    from anju.calls.control import inbound, moments

    call = _call(control, asked)
    party = _mine(call, asked)
    if party is not None and party.why == "offer":
        control.task(control.engine.hang_up(party.leg_id), "refused at the seat")
        return
    stays = [p for p in call.speaking() if p.is_seat and p is not party and p is not call.far]
    consulted = [p for p in call.live("consult") if p.up and p is not party]
    leaves = party is not None and (party is not call.owner or bool(stays) or bool(consulted))
    if party is not None and (leaves or inbound.survey(control, call)):
        control.let_go(call, party)
    else:
        moments.end_all(control, call)


async def hold(control: Control, asked: Asked) -> None:
    """Music for the far side."""
    from anju.calls.control import parties

    await parties.hold(control, _call(control, asked))


async def unhold(control: Control, asked: Asked) -> None:
    """Back."""
    from anju.calls.control import parties

    await parties.unhold(control, _call(control, asked))


async def mute(control: Control, asked: Asked) -> None:
    """The others do not hear this party."""
    await _silence(control, asked, on=True)


async def unmute(control: Control, asked: Asked) -> None:
    """They hear it again."""
    await _silence(control, asked, on=False)


async def _silence(control: Control, asked: Asked, *, on: bool) -> None:
    call = _call(control, asked)
    party = call.parties.get(str(asked.args.get("leg_id") or "")) or _mine(call, asked)
    if party is None or not party.up:
        raise NotAllowed("这一方不在通话中。", code="not_here")
    await (control.engine.mute if on else control.engine.unmute)(party.leg_id, "in")
    party.muted = on
    control.note(call, rows.leg_set(party.leg_id, muted=on), tell=True)


async def transfer(control: Control, asked: Asked) -> None:
    """Blind."""
    from anju.calls.control import parties

    call = _call(control, asked)
    if asked.args.get("number"):
        to, number = await _target(control, asked)
        await parties.transfer_out(
            control, call, leg_id=asked.args["leg_id"], to=to, number=number, role=_role(asked), name=_name(asked)
        )
    else:
        parties.transfer(
            control, call, to_seat=str(asked.args.get("to_seat") or ""), queue=str(asked.args.get("queue") or "")
        )


async def consult(control: Control, asked: Asked) -> None:
    """Attended: speak with the other first."""
    from anju.calls.control import parties

    to, number = await _target(control, asked)
    await parties.consult(
        control, _call(control, asked), leg_id=asked.args["leg_id"], to=to, number=number, role=_role(asked), name=_name(asked)
    )  # fmt: skip


async def complete_transfer(control: Control, asked: Asked) -> None:
    """The other takes over."""
    from anju.calls.control import parties

    await parties.complete(control, _call(control, asked))


async def cancel_transfer(control: Control, asked: Asked) -> None:
    """The other is let go."""
    from anju.calls.control import parties

    parties.cancel(control, _call(control, asked))


async def conference(control: Control, asked: Asked) -> None:
    """One more party."""
    from anju.calls.control import parties

    call = _call(control, asked)
    to, number = await _target(control, asked)
    await parties.add(
        control, call, leg_id=asked.args["leg_id"], role=_role(asked), to=to, number=number, name=_name(asked)
    )  # fmt: skip


def _role(asked: Asked) -> str:
    return str(asked.args.get("role") or "other")


def _name(asked: Asked) -> str:
    return str(asked.args.get("name") or "")


async def drop(control: Control, asked: Asked) -> None:
    """Take a party out."""
    call = _call(control, asked)
    party = call.parties.get(str(asked.args.get("leg_id") or ""))
    if party is None or not party.live:
        raise NotAllowed("这一方已经离开。", code="not_here")
    control.let_go(call, party)


async def join(control: Control, asked: Asked) -> None:
    """Sit down as B seat."""
    from anju.calls.control import parties

    call = _call(control, asked)
    await parties.add(
        control,
        call,
        leg_id=asked.args["leg_id"],
        role="agent_b",
        to=Seat(str(asked.args["extension"])),
        name=asked.by,
        auto=True,
    )


async def supervise(control: Control, asked: Asked) -> None:
    """Listen, whisper, barge."""
    from anju.calls.control import parties

    args = asked.args
    await parties.supervise(
        control, _call(control, asked), extension=args["extension"], mode=args["mode"], leg_id=args["leg_id"],
        snoop_id=args["snoop_id"],
    )  # fmt: skip


async def send_keys(control: Control, asked: Asked) -> None:
    """Keys for the other side's menu."""
    call = _call(control, asked)
    party = call.parties.get(str(asked.args.get("leg_id") or "")) or call.far
    if party is None or not party.up:
        raise NotAllowed("对方不在通话中。", code="not_here")
    await control.engine.press(party.leg_id, str(asked.args["digits"]))


async def seat_lost(control: Control, asked: Asked) -> None:
    """A browser is gone: whoever it spoke with goes to the next seat."""
    user_id = int(asked.args["user_id"])
    for call in list(control.calls.values()):
        for party in call.live():
            if party.user_id == user_id and party.is_seat:
                party.lost = True
                control.task(control.engine.hang_up(party.leg_id), "seat lost")


async def linked(control: Control, asked: Asked) -> None:
    """The call belongs to a case, a home, an elder: remembered for the news to come."""
    call = control.calls.get(asked.call_id)
    if call is not None:
        call.ref = str(asked.args.get("ref") or call.ref)
        call.home_id = asked.args.get("home_id") or call.home_id
        call.elder_id = asked.args.get("elder_id") or call.elder_id


KEPT = frozenset({"linked", "seat_lost", "robot"})
"""Verbs that are right also when they come late."""
VERBS: dict[str, Verb] = {
    v.__name__: v
    for v in (
        dial, robot, answer, hang_up, hold, unhold, mute, unmute, transfer, consult, complete_transfer, cancel_transfer,
        conference, drop, join, supervise, send_keys, seat_lost, linked,
    )
}  # fmt: skip
