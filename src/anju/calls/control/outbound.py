"""Calls that we make: from a seat (its own telephone first, then the other), or by a script (robot call)."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from datetime import datetime

from anju.calls import words
from anju.calls.control import books, inbound, moments, parties, rows
from anju.calls.control import seats as seating
from anju.calls.control.core import Control
from anju.calls.control.state import LiveCall, Party, new_id
from anju.calls.exchange import NEVER_BY_ITSELF, Cause, Endpoint, Number, Phone, Seat
from anju.calls.models import Call, Command, Leg
from anju.kernel import clock
from anju.kernel.flow.actor import NotAllowed

OWN_RINGS, FAR_RINGS = 20, 40
"""Seconds: the asker's own telephone; the other side (the net behind it is 45 s)."""
NOT_NOW = frozenset({"busy", "unreachable"})
"""Why a seat is not rung at all: known before, so no ringing time is lost. One that is off may be rung by name."""
UNWRITTEN = "unwritten"
"""Cause of a call whose rows the database refused: nobody was rung."""
TRIES = 3
"""So often at most a robot's call is dialled that a restart (ours, the engine's) cut off."""
LEAVES = 5.0
"""Seconds within which the leg of a call that was cut must be gone before it is dialled again."""


def load(call_id: str) -> LiveCall:
    """A call that somebody wrote down to be made, with its parties (in a thread)."""
    row = Call.unscoped.get(call_id=call_id)
    if row.state != "planned":
        raise NotAllowed("这次通话已经拨出或已结束。", code="not_here")
    call = LiveCall(
        str(row.call_id), "out", row.purpose, row.state, row.place, row.planned_at, number=row.number, whom=row.whom,
        emergency=row.emergency, home_id=row.home_id, elder_id=row.elder_id, ref=row.ref, by_user=row.by_user,
        user_id=row.by_user, script=row.script, says=row.says, says_after_key=row.says_after_key,
        priority=max(row.priority, 9 if row.emergency else 1),
    )  # fmt: skip
    legs = Leg.unscoped.filter(call=row).order_by("id")
    call.notes["dialled"] = legs.filter(ended_at__isnull=False).count()
    for leg in legs.filter(ended_at=None):
        call.parties[leg.leg_id] = Party(
            leg.leg_id, leg.role, endpoint_of(leg), leg.planned_at, name=leg.name, number=leg.number, user_id=leg.user_id,
            extension=leg.seat, why="own" if leg.role == "agent" and leg.user_id else "far",
        )  # fmt: skip
    return call


def endpoint_of(leg: Leg) -> Endpoint:
    """Where a row's party is rung."""
    kind, _, name = leg.endpoint.partition(":")
    if kind == "seat":
        return Seat(name)
    return Phone(name) if kind == "phone" else Number(leg.number, books.trunk_for(leg.number))


async def from_seat(control: Control, call_id: str, agent_leg: str, far_leg: str) -> None:
    """The asker's seat rings; what follows is decided when it lifts."""
    call = await control.db(load, call_id)
    own, far = call.parties[agent_leg], call.parties[far_leg]
    own.auto = True
    own.why, own.ring_for, own.caller_id = "own", OWN_RINGS, far.number or far.extension
    far.why, far.ring_for = "far", FAR_RINGS
    seat = control.seats.get(own.user_id or 0)
    if seat is None or seat.state in seating.BUSY:
        moments.finish(control, call, "refused", cause=f"{words.OWN}busy")
        raise NotAllowed("您的坐席正在通话或没有上线，没有拨出。", code="needs")
    if far.is_seat and (why := seating.why_not(control.seat_at(far.extension))) in NOT_NOW:
        moments.finish(control, call, "refused", cause=why)
        raise NotAllowed(f"{far.extension} {words.went('refused', why, seat=True)}，没有拨出。", code="needs")
    _known(control, call, far)
    written = control.sure(
        call, *seating.becomes(control, seat, "ringing", call=call), rows.call(call_id, seen_at=clock.now())
    )
    await control.safe(written, lambda: moments.finish(control, call, "refused", cause=UNWRITTEN))
    await control.dial(call, own)


async def robot(control: Control, call_id: str) -> None:
    """Ring the number of a planned call and let its script speak. Never 110, 119 or 120."""
    call = await control.db(load, call_id)
    if call.number in NEVER_BY_ITSELF:
        moments.finish(control, call, "refused", cause="forbidden")
        return
    trunk = await control.db(books.trunk_for, call.number)
    if call_id in control.calls:  # somebody else's hand was quicker: never twice at once
        return
    at = clock.now()
    call.notes["dialled"] += 1
    role = "elder" if call.purpose.startswith("elder") or call.purpose == "call_back" else "contact"
    far = Party(new_id(), role, Number(call.number, trunk), at, call.whom, call.number, why="far", ring_for=FAR_RINGS)
    far = control.add(call, far)
    _known(control, call, far)
    call.state = "ringing"
    written = control.sure(
        call,
        rows.leg(call_id, far),
        rows.move(call, "placed", at, placed_at=at, exchange=control.engine.name, seen_at=at),
    )
    await control.safe(written, lambda: moments.finish(control, call, "unreachable", cause=UNWRITTEN))
    await control.dial(call, far)


def again(control: Control, call: LiveCall, cause: str) -> bool:
    """A robot's call was cut by a restart: it is dialled once more. False: it is none, a key was pressed (she was there), or
    it was dialled often enough.
    """
    scripted = call.direction == "out" and call.by_user is None and not call.waits and call.owner is None
    tried = int(call.notes.get("dialled", 0))
    if (
        call.done
        or not scripted
        or call.state not in {"ringing", "talking"}
        or call.notes.get("keys")
        or tried >= TRIES
    ):
        return False
    call.done = True  # whatever is still heard of its leg concerns nobody
    if call.script_task is not None:
        call.script_task.cancel()
    control.task(_again(control, call, cause), "again")
    return True


async def _again(control: Control, call: LiveCall, cause: str) -> None:
    old = call.live()
    for party in old:
        control.let_go(call, party)
    with suppress(TimeoutError):
        await asyncio.wait_for(asyncio.gather(*(party.over.wait() for party in old)), LEAVES)
    control.forget(call)
    if any(party.live for party in old):  # nobody can tell whether it still rings: never twice at once
        call.done = False
        moments.finish(control, call, "lost", cause=cause)
        return
    with suppress(ValueError):
        control.over.remove(call.call_id)
    await control.sure(call, rows.move(call, "again", clock.now(), answered_at=None, placed_at=None))
    await undialled(control, call.call_id)


async def undialled(control: Control, call_id: str) -> None:
    """A robot's call that is written and was not dialled, unless somebody does it already."""
    with suppress(NotAllowed):
        await robot(control, call_id)


def unfinished() -> list[str]:
    """Robots' calls that a switchboard took and did not dial before it died (in a thread): written, and nobody was rung."""
    planned = Call.unscoped.filter(state="planned", by_user=None, by_hand=False).values_list("call_id", flat=True)
    taken = Command.objects.filter(verb="robot", call_id__in=list(planned), taken_at__isnull=False)
    return [str(call_id) for call_id in taken.values_list("call_id", flat=True).distinct()]


def _known(control: Control, call: LiveCall, far: Party) -> None:
    control.calls[call.call_id] = call
    for party in call.parties.values():
        control.legs[party.leg_id] = (call, party)
    call.far = far


def own_lifted(control: Control, call: LiveCall, party: Party, at: datetime) -> None:
    """The asker is at her telephone: now the other side rings, and she hears it."""
    call.owner = party
    far = call.far
    if far is None or not far.live:
        return
    if (
        far.is_seat and (why := seating.why_not(control.seat_at(far.extension))) in NOT_NOW
    ):  # it began to ring or talk meanwhile
        moments.finish(control, call, "refused", cause=why)
        return
    seat = control.seats.get(party.user_id or 0)
    call.state = "ringing"
    safe = control.sure(
        call,
        rows.leg_set(party.leg_id, answered_at=at),
        rows.move(call, "placed", at, placed_at=at, exchange=control.engine.name),
        *(seating.becomes(control, seat, "talking", call=call) if seat else []),
        *parties.reserve(control, call, far),
    )

    async def ring() -> None:
        await control.safe(safe, lambda: moments.finish(control, call, "refused", cause=UNWRITTEN))
        await control.quietly(control.engine.ring(party.leg_id))
        await control.dial(call, far)

    control.do(call, ring)


def far_lifted(control: Control, call: LiveCall, party: Party, at: datetime) -> None:
    """The other side lifts: they speak, or the script does."""
    call.answered_at = call.answered_at or at
    call.state = "talking"
    if party.is_seat and (seat := control.seats.get(party.user_id or 0)) is not None:
        control.note(call, *seating.becomes(control, seat, "talking", call=call))
    control.note(
        call,
        rows.leg_set(party.leg_id, answered_at=at),
        rows.move(call, "answered", at, answered_at=at),
        control.news(
            "CallAnswered", call_id=call.call_id, user_id=call.by_user, leg_role=party.role, ref=call.ref,
            purpose=call.purpose, direction="out",
        ),
        tell=True,
    )  # fmt: skip
    own = call.owner
    if own is not None:
        own.why = "agent"
        control.do(call, lambda: moments.connect(control, call, own))
    elif (script := control.scripts.get(call.script) or control.scripts.get("speak")) is not None:
        call.script_task = control.task(_spoken(control, call, script, party), f"script {call.script}")
    else:
        inbound.wait_for_seat(control, call, party)


async def _spoken(control: Control, call: LiveCall, script: object, party: Party) -> None:
    if callable(script):
        await script(control, call.call_id, party.leg_id)
    if not control.engine_ok:  # the engine went away while it spoke: what is compared afterwards says how it goes on
        return
    if not call.done and not call.waits and call.owner is None:
        moments.finish(control, call, "ended")


def own_ended(control: Control, call: LiveCall, party: Party, *, spoke: bool, cause: Cause) -> None:
    """The asker's telephone did not lift, or she hung up before anybody answered."""
    control.note(call, *seating.free(control, party.user_id, call, spoke=spoke))
    if call.done:
        return
    call.owner = None if call.owner is party else call.owner
    if spoke:
        moments.finish(control, call, "no_answer", cause=words.HUNG_UP)
    else:
        moments.finish(control, call, "refused", cause=f"{words.OWN}{cause}")


def far_ended(control: Control, call: LiveCall, party: Party, *, spoke: bool, result: str) -> None:
    """The other side hung up, or could not be reached."""
    if party.is_seat:
        control.note(call, *seating.free(control, party.user_id, call, spoke=spoke))
    if call.done:
        return
    if spoke and any(p.up and not p.is_seat and p is not party for p in call.speaking()):
        return
    if spoke:
        moments.finish(control, call, "ended" if not call.waits else "abandoned")
    elif result == "unreachable" or (party.cause is Cause.FAILED and party.ringing_at is None):
        moments.finish(control, call, "unreachable", cause=str(party.cause))  # no route, no trunk, or it is dead
    else:
        move = {"busy": "busy", "no_answer": "no_answer"}.get(result, "refused")
        moments.finish(control, call, move, cause=str(party.cause))
