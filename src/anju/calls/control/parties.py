"""More than two: conference, transfer, B seat, supervision. Who joins, who takes over, and who is left."""

from __future__ import annotations

from datetime import datetime

from anju.calls import words
from anju.calls.control import acd, inbound, moments, rows
from anju.calls.control import seats as seating
from anju.calls.control.core import Control, seconds_between
from anju.calls.control.rows import Row
from anju.calls.control.state import LiveCall, Party, new_id
from anju.calls.exchange import Endpoint, Seat
from anju.kernel import clock
from anju.kernel.flow.actor import NotAllowed

RINGS = 40
WHISPERS = {"listen": "none", "whisper": "out"}
EARS = 2
"""So often an ear is opened; a lead who still cannot be given one is let go instead of sitting in an empty room."""


def reserve(control: Control, call: LiveCall, party: Party) -> list[Row | None]:
    """The seat of a party that we are about to ring is taken."""
    seat = control.seat_at(party.extension) if party.extension else None
    if seat is None:
        return []
    party.user_id, party.name = seat.user_id, party.name or seat.name
    return seating.becomes(control, seat, "ringing", call=call)


def must_be_free(control: Control, extension: str) -> None:
    """A seat that is asked for by name has to be there and idle."""
    if why := seating.why_not(control.seat_at(extension)):
        raise NotAllowed(f"{extension} {words.went('refused', why, seat=True)}，请换一个坐席。", code="needs")


async def add(
    control: Control, call: LiveCall, *, leg_id: str, role: str, to: Endpoint, number: str = "", name: str = "",
    why: str = "party", snoop_id: str = "", auto: bool = False,
) -> Party:  # fmt: skip
    """Ring one more party; its row is safe before. The same leg id asked for twice is rung once."""
    if leg_id in call.parties:
        return call.parties[leg_id]
    party = Party(leg_id, role, to, clock.now(), name, number, why=why, ring_for=RINGS, snoop_id=snoop_id, auto=auto)
    if isinstance(to, Seat):
        must_be_free(control, to.extension)
        party.extension = to.extension
    control.add(call, party)
    taken = reserve(control, call, party)
    await control.safe(control.sure(call, rows.leg(call.call_id, party), *taken), lambda: control.let_go(call, party))
    await control.dial(call, party)
    return party


def lifted(control: Control, call: LiveCall, party: Party, at: datetime) -> None:
    """One more is here."""
    seat = control.seats.get(party.user_id or 0)
    control.note(
        call,
        rows.leg_set(party.leg_id, answered_at=at),
        *(seating.becomes(control, seat, "talking", call=call) if seat and party.is_seat else []),
        control.news(
            "PartyJoined",
            call_id=call.call_id,
            leg_id=party.leg_id,
            role=party.role,
            ref=call.ref,
            user_id=party.user_id,
        ),
        tell=True,
    )
    if party.why == "supervisor":
        control.do(call, lambda: _ear(control, call, party))
    else:
        control.do(call, lambda: _join(control, call, party))


async def _join(control: Control, call: LiveCall, party: Party) -> None:
    far = call.far
    if not party.up:
        return
    await control.engine.bridge(call.bridge_id)
    call.bridged = True
    if call.notes.get("handover") == party.leg_id and far is not None and far.up:
        if call.music:
            call.music = False
            await control.quietly(control.engine.music(far.leg_id, on=False))
        await control.engine.join(call.bridge_id, far.leg_id, party.leg_id)
    else:
        await control.engine.join(call.bridge_id, party.leg_id)


def ended(control: Control, call: LiveCall, party: Party, *, spoke: bool, result: str) -> None:
    """One of several is gone, or did not come."""
    if party.why == "ear":
        for other in call.live("supervisor"):
            if other.snoop_id == party.leg_id:
                control.let_go(call, other)
        return
    if party.is_seat:
        control.note(call, *seating.free(control, party.user_id, call, spoke=spoke and party.why != "supervisor"))
        acd.serve(control)
    if party.snoop_id:
        control.task(control.engine.hang_up(party.snoop_id), "ear")
        control.task(control.engine.unbridge(f"ear-{party.leg_id}"), "ear")
    control.note(
        call,
        control.news(
            "PartyLeft", call_id=call.call_id, leg_id=party.leg_id, role=party.role, ref=call.ref,
            seconds=seconds_between(party.answered_at, clock.now()), result="answered" if spoke else result,
            user_id=party.user_id, cause=str(party.cause),
        ),
    )  # fmt: skip
    if not call.done:
        _go_on(control, call, party, spoke=spoke)


def _go_on(control: Control, call: LiveCall, party: Party, *, spoke: bool) -> None:
    """Whether the rest is still a call."""
    far, rest = call.far, call.speaking()
    if party.why == "consult":
        control.do(call, lambda: _back(control, call))
    elif call.notes.get("handover") == party.leg_id:
        call.notes.pop("handover")
        if spoke:
            moments.finish(control, call, "ended")
        elif far is not None and far.up and call.owner is None:
            inbound.wait_for_seat(control, call, far)
    elif call.state == "talking" and not call.waits:
        alone = len(rest) < 2 and call.owner is None
        far_gone = far is not None and not far.live and all(p.is_seat for p in rest)
        if alone or far_gone:
            moments.finish(control, call, "ended")


async def consult(
    control: Control, call: LiveCall, *, leg_id: str, to: Endpoint, number: str = "", role: str = "other", name: str = ""
) -> None:  # fmt: skip
    """The caller hears music; the agent speaks with somebody else first."""
    if isinstance(to, Seat):
        must_be_free(control, to.extension)
    if call.live("consult"):
        raise NotAllowed("已经在咨询中，请先完成或取消。", code="needs")
    await hold(control, call)
    await add(
        control,
        call,
        leg_id=leg_id,
        role="agent" if isinstance(to, Seat) else role,
        to=to,
        number=number,
        name="" if isinstance(to, Seat) else name,
        why="consult",
    )


async def hold(control: Control, call: LiveCall) -> None:
    """Music for the far side; the others of the conference go on."""
    far = call.far
    if far is None or not far.up or far.held:
        return
    far.held = True
    await control.engine.hold(far.leg_id)
    control.note(call, rows.leg_set(far.leg_id, held=True), tell=True)


async def _back(control: Control, call: LiveCall) -> None:
    far = call.far
    if far is None or not far.held:
        return
    far.held = False
    control.note(call, rows.leg_set(far.leg_id, held=False), tell=True)
    if far.up:
        await control.engine.unhold(far.leg_id, call.bridge_id)


async def unhold(control: Control, call: LiveCall) -> None:
    """Back from the music."""
    await _back(control, call)


async def complete(control: Control, call: LiveCall) -> None:
    """The one who was consulted takes the caller; the agent leaves."""
    other = next((p for p in call.live("consult") if p.up), None)
    if other is None:
        raise NotAllowed("对方还没有接听，不能完成转接；可以取消，或改为直接转接。", code="needs")
    own = call.owner
    _hand_over(control, call, other)
    await _back(control, call)
    if own is not None:
        control.let_go(call, own)


def consult_takes_over(control: Control, call: LiveCall, party: Party) -> bool:
    """The agent hung up while she consulted somebody who is there: that completes the transfer."""
    other = next((p for p in call.live("consult") if p.up), None)
    if other is None or other is party:
        return False
    _hand_over(control, call, other)
    control.do(call, lambda: _back(control, call))
    return True


def _hand_over(control: Control, call: LiveCall, other: Party) -> None:
    if other.is_seat:
        other.why, other.role, call.owner, call.user_id = "agent", "agent", other, other.user_id
        control.note(call, rows.call(call.call_id, user_id=other.user_id), tell=True)
    else:
        other.why, call.owner = "party", None
        call.notes["handover"] = other.leg_id


def cancel(control: Control, call: LiveCall) -> None:
    """Let the one who was consulted go; the caller comes back by her end."""
    found = call.live("consult")
    if not found:
        raise NotAllowed("没有正在进行的咨询。", code="not_here")
    for party in found:
        control.let_go(call, party)


def transfer(control: Control, call: LiveCall, *, to_seat: str = "", queue: str = "") -> None:
    """Blind: the caller waits for that seat or queue, the agent leaves at once. A seat that does not lift: the queue."""
    far, own = call.far, call.owner
    if far is None or not far.up:
        raise NotAllowed("对方已经不在线，不能转接。", code="not_here")
    if to_seat:
        must_be_free(control, to_seat)
        call.only = to_seat
    call.owner = None
    if own is not None:
        call.refused.add(own.extension)
    call.notes.pop("overflowing", None)
    call.level = 0
    inbound.wait_for_seat(control, call, far, queue=queue)
    if own is not None:
        control.let_go(call, own)


async def transfer_out(
    control: Control, call: LiveCall, *, leg_id: str, to: Endpoint, number: str, role: str = "other", name: str = ""
) -> None:  # fmt: skip
    """Blind to a number: the caller hears music until it lifts; a seat when it does not."""
    own = call.owner
    await hold(control, call)
    call.owner, call.notes["handover"] = None, leg_id
    if call.far is not None:
        call.far.held, call.music = False, True
    if own is not None:
        control.let_go(call, own)
    await add(control, call, leg_id=leg_id, role=role, to=to, number=number, name=name)


async def supervise(control: Control, call: LiveCall, *, extension: str, mode: str, leg_id: str, snoop_id: str) -> None:
    """Listen, whisper to the agent, or speak with all; a supervisor who is there already changes her way."""
    here = next((p for p in call.live("supervisor") if p.extension == extension), None)
    if mode == "stop":
        if here is not None:
            control.let_go(call, here)
        return
    if call.owner is None or not call.owner.up:
        raise NotAllowed("这次通话没有坐席在通话，不能旁听。", code="needs")
    call.notes[f"mode:{extension}"] = mode
    if here is not None:
        before, here.snoop_id = here.snoop_id, snoop_id  # first: the end of the old ear, heard meanwhile, is not hers
        await control.quietly(control.engine.hang_up(before))
        if here.up:
            control.do(call, lambda: _ear(control, call, here))
        return
    await add(
        control,
        call,
        leg_id=leg_id,
        role="supervisor",
        to=Seat(extension),
        why="supervisor",
        snoop_id=snoop_id,
        auto=True,
    )


async def _ear(control: Control, call: LiveCall, party: Party) -> None:
    owner, mode = call.owner, str(call.notes.get(f"mode:{party.extension}", "listen"))
    if owner is None or not owner.up or not party.up:
        control.let_go(call, party)
        return
    room = f"ear-{party.leg_id}"
    if mode == "barge":  # a voice of her own in the call: heard by all, also while the agent is muted
        await control.engine.bridge(call.bridge_id)
        call.bridged = True
        await control.engine.join(call.bridge_id, party.leg_id)
        return  # her room stays, empty: the engine makes no second one of its name
    await control.engine.bridge(room)
    await control.engine.join(room, party.leg_id)
    for _ in range(EARS):
        ear = Party(party.snoop_id, "supervisor", party.to, clock.now(), why="ear", came_in=True, state="up")
        control.legs[ear.leg_id] = (call, ear)
        if await control.quietly(_open_ear(control, owner, party.snoop_id, room, WHISPERS[mode])):
            return
        control.legs.pop(ear.leg_id, None)
        await control.quietly(control.engine.hang_up(party.snoop_id))
        if owner.over.is_set() or party.over.is_set():  # one of them hung up meanwhile: that ends it by itself
            return
        party.snoop_id = new_id()
    control.let_go(call, party)


async def _open_ear(control: Control, owner: Party, snoop_id: str, room: str, whisper: str) -> None:
    await control.engine.snoop(owner.leg_id, snoop_id, spy="both", whisper=whisper)  # type: ignore[arg-type]
    await control.engine.join(room, snoop_id)


def new_leg() -> str:
    """An id for a party that a script adds."""
    return new_id()
