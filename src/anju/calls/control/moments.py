"""What an event of a leg means for its call. Every function decides at once, in memory; none waits."""

from __future__ import annotations

from datetime import datetime

from anju.calls import rules
from anju.calls.control import acd, inbound, outbound, parties, rows
from anju.calls.control import seats as seating
from anju.calls.control.core import Control, seconds_between
from anju.calls.control.rows import Row
from anju.calls.control.state import LiveCall, Party
from anju.calls.control.teller import CAME_BACK, OWE
from anju.calls.exchange import Cause, Event, Fenced, Gone, Kind
from anju.calls.flow import CALL
from anju.kernel import clock

JOIN_AGAIN = 2.0
"""Seconds after which two who could not be joined are joined again."""
LOST_SEAT = frozenset({Cause.FAILED, Cause.UNREACHABLE, Cause.NO_ANSWER, Cause.UNKNOWN_NUMBER})
"""A seat that spoke and ends so did not hang up: its browser or its line is gone."""


def of_leg(control: Control, call: LiveCall, party: Party, event: Event) -> None:
    """An event of a leg that we know."""
    match event.kind:
        case Kind.RINGING:
            rings(control, call, party, event.at)
        case Kind.ANSWERED:
            answered(control, call, party, event.at)
        case Kind.ENDED:
            ended(control, call, party, event.at, event.cause)
        case Kind.LEFT:
            left(control, call, party, event.at)
        case Kind.KEY:
            party.keys.put_nowait(event.digit)
        case _:
            pass


def rings(control: Control, call: LiveCall, party: Party, at: datetime) -> None:
    """The telephone that we dialled rings."""
    if party.state != "planned":
        return
    party.state, party.ringing_at = "ringing", at
    control.note(call, rows.leg_set(party.leg_id, ringing_at=at), tell=True)


def answered(control: Control, call: LiveCall, party: Party, at: datetime) -> None:
    """A party lifted."""
    if party.state in {"up", "ended"}:
        return
    party.state, party.answered_at = "up", at
    party.lifted.set()
    if party.let_go or (call.done and not party.came_in):
        control.task(control.hang_up(party), "too late")
        return
    match party.why:
        case "offer":
            _taken(control, call, party, at)
        case "own":
            outbound.own_lifted(control, call, party, at)
        case "far":
            outbound.far_lifted(control, call, party, at)
        case "party" | "consult" | "supervisor":
            parties.lifted(control, call, party, at)
        case _:
            control.note(call, rows.leg_set(party.leg_id, answered_at=at))
            if call.notes.pop(inbound.UNLIFTED, False):
                inbound.lifted_late(control, call)


def _taken(control: Control, call: LiveCall, party: Party, at: datetime) -> None:
    """Of seats that lift together the first has the caller; the others are free again."""
    if call.done or call.owner is not None or not call.waits:
        control.note(call, rows.leg_set(party.leg_id, answered_at=at))
        control.let_go(call, party)
        return
    party.why = "agent"
    call.owner, call.user_id = party, party.user_id
    call.waits, call.only, call.state = False, "", "talking"
    call.refused.clear()
    for other in call.live("offer"):
        control.let_go(call, other)
    first = call.answered_at is None
    call.answered_at = call.answered_at or at
    seat = control.seats.get(party.user_id or 0)
    columns = {"user_id": party.user_id, **({"answered_at": at} if first else {})}
    control.note(
        call,
        rows.leg_set(party.leg_id, answered_at=at),
        rows.move(call, "taken", at, **columns),
        *(seating.becomes(control, seat, "talking", call=call) if seat else []),
        control.news(
            "CallAnswered", call_id=call.call_id, user_id=party.user_id, leg_role="agent", ref=call.ref, purpose=call.purpose,
            direction=call.direction,
        ),
        control.news(CAME_BACK, caller_index=rows.index_of(call.number), call_id=call.call_id) if call.number else None,
        tell=True,
    )  # fmt: skip
    control.do(call, lambda: connect(control, call, party))


async def connect(control: Control, call: LiveCall, party: Party) -> None:
    """Put the caller and the agent together; a request that got no answer, or was refused, is made again while both are up.

    Made once only, both stood on the line and heard nothing. Who is not lifted yet is joined when she is (`lifted_late`).
    """
    try:
        await _join(control, call, party)
    except (Fenced, Gone):
        raise
    except Exception:  # whatever the engine said: they are on the line and wait for each other
        control.clockwork.after(JOIN_AGAIN, lambda: join_soon(control, call, party))
        raise


def join_soon(control: Control, call: LiveCall, party: Party) -> None:
    """In the call's line, unless it went another way meanwhile."""
    if call.owner is party and party.up and not call.done:
        control.do(call, lambda: connect(control, call, party))


async def _join(control: Control, call: LiveCall, party: Party) -> None:
    engine, far = control.engine, call.far
    if call.play_id:
        play, call.play_id = call.play_id, ""
        await control.quietly(engine.stop_playing(play))
    if far is None or not far.up or not party.up:
        return
    if call.music:
        await control.quietly(engine.music(far.leg_id, on=False))
        call.music = False
    await engine.bridge(call.bridge_id)
    call.bridged = True
    far.held = False
    await engine.join(call.bridge_id, *(p.leg_id for p in (far, party) if p.up))


def ended(control: Control, call: LiveCall, party: Party, at: datetime, cause: Cause) -> None:
    """A party is gone, or never came."""
    if party.state == "ended":
        return
    spoke = party.up
    party.state, party.ended_at, party.cause = "ended", at, cause
    party.over.set()
    party.lifted.set()  # whoever waits for it looks whether it is up
    control.legs.pop(party.leg_id, None)
    control.inboxes.pop(party.leg_id, None)
    result = rules.outcome(cause, answered=spoke, rang=party.ringing_at is not None)
    if party.let_go and not spoke:
        result = "cancelled"
    control.note(call, rows.leg_set(party.leg_id, ended_at=at, cause=str(cause), result=result), tell=True)
    match party.why:
        case "caller":
            _caller_left(control, call, party)
        case "offer":
            if spoke or party.let_go:
                control.note(call, *seating.free(control, party.user_id, call, spoke=False))
                acd.serve(control)
            else:
                acd.missed(control, call, party, result)
        case "agent":
            agent_left(control, call, party, cause)
        case "own":
            outbound.own_ended(control, call, party, spoke=spoke, cause=cause)
        case "far":
            outbound.far_ended(control, call, party, spoke=spoke, result=result)
        case _:
            parties.ended(control, call, party, spoke=spoke, result=result)
    if call.done and not call.live():
        control.do(call, lambda: _clear(control, call))


async def _clear(control: Control, call: LiveCall) -> None:
    control.forget(call)
    if call.bridged:
        await control.quietly(control.engine.unbridge(call.bridge_id))


def left(control: Control, call: LiveCall, party: Party, at: datetime) -> None:
    """The dialplan has this leg: the rescue, because we sent it there or because the watch took it from us."""
    party.state, party.ended_at = "ended", at
    party.over.set()
    control.legs.pop(party.leg_id, None)
    control.note(call, rows.leg_set(party.leg_id, ended_at=at, result="rescued"))
    if party is call.far and not call.done:
        finish(control, call, "rescued" if CALL.state(call.state).move("rescued") else "lost")


def _caller_left(control: Control, call: LiveCall, party: Party) -> None:
    if call.done:
        return
    if call.waits or call.answered_at is None:
        finish(control, call, "abandoned")
    elif call.owner is not None and any(p.up and not p.is_seat and p is not party for p in call.speaking()):
        return  # the agent goes on with 120 or the family; the call ends with them
    else:
        finish(control, call, "ended")


def agent_left(control: Control, call: LiveCall, party: Party, cause: Cause) -> None:
    """The agent in charge is gone: another seat in the call takes over, or the call ends, or (line lost) it waits again."""
    control.note(call, *seating.free(control, party.user_id, call, spoke=True))
    if call.done or call.owner is not party:
        acd.serve(control)
        return
    call.owner = None
    for lead in call.live("supervisor"):  # whom she listened to, or spoke beside, is gone
        control.let_go(call, lead)
    others = [p for p in call.speaking() if p.is_seat and p is not party and p is not call.far]
    far_up = call.far is not None and call.far.up
    if parties.consult_takes_over(control, call, party):
        pass
    elif others:
        _heir(control, call, others[0])
    elif call.waits:
        pass  # a transfer: the caller is in the queue already
    elif far_up and (party.lost or (not party.let_go and cause in LOST_SEAT)):
        again(control, call, party)
    elif far_up and inbound.survey(control, call):
        pass
    else:
        finish(control, call, "ended")
    acd.serve(control)


def _heir(control: Control, call: LiveCall, party: Party) -> None:
    party.why, call.owner, call.user_id = "agent", party, party.user_id
    control.note(call, rows.call(call.call_id, user_id=party.user_id), tell=True)


def again(control: Control, call: LiveCall, lost: Party) -> None:
    """The seat is gone and the caller is not: music, and the head of the queue."""
    call.priority = max(call.priority, rules.URGENT)
    call.refused.add(lost.extension)
    far = call.far
    if far is not None:
        inbound.wait_for_seat(control, call, far)


def finish(control: Control, call: LiveCall, move: str, *, cause: str = "") -> None:
    """The call is over: everybody is let go, the row says how it went, and the news goes out."""
    if call.done:
        return
    at = clock.now()
    here = CALL.state(call.state)
    if here.move(move) is None:
        move = next(m for m in ("ended", "abandoned", "no_answer", "unknown") if here.move(m))
    call.done, call.waits = True, False
    for party in call.live():
        control.let_go(call, party)
    if call.script_task is not None:
        call.script_task.cancel()
    result = "answered" if move == "ended" else move
    talked = seconds_between(call.answered_at, at)
    call.state = "ended"
    steps: list[Row | None] = [
        rows.move(call, move, at, ended_at=at, result=result, cause=cause),
        control.news(
            "CallEnded", call_id=call.call_id, ref=call.ref, purpose=call.purpose, result=result, direction=call.direction,
            seconds=talked, user_id=call.user_id, cause=cause,
        ),
    ]  # fmt: skip
    if call.direction == "in" and move in {"abandoned", "lost", "rescued"}:
        steps.append(control.news(OWE, call_id=call.call_id, why=move))
    control.note(call, *steps, tell=True)
    if not call.live():
        control.do(call, lambda: _clear(control, call))


def end_all(control: Control, call: LiveCall) -> None:
    """Somebody ends the call for everybody."""
    finish(control, call, "ended" if call.state == "talking" else "abandoned")
