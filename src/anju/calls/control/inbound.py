"""Somebody calls in: who it is, what she hears, and that she is never forgotten while she waits."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from datetime import datetime

from anju.calls import rules
from anju.calls.control import acd, lookup, rows
from anju.calls.control.core import Control
from anju.calls.control.state import LiveCall, Party, new_id
from anju.calls.exchange import EngineDown, Fenced, LegView, Number, Phone, legible
from anju.calls.flow import CALL
from anju.devices.models import RECEIVING_DISTRICT
from anju.kernel import clock

LONGEST_PROMPT = 12.0
"""Seconds after which a caller is queued even if nobody told us that the prompt is over."""
LIFTS = 2.0
"""Seconds within which the engine reports that it has lifted."""
SOOTHE = 30.0
"""Seconds between two "please wait"."""
UNLIFTED = "unlifted"
"""Note of a call whose caller was asked to be lifted and is not up yet."""
RING_FIRST = 0.5
"""Seconds that lifting and looking her up wait for the ring at most."""
RESCUE = ("rescue", "s")


def entered(control: Control, leg: LegView, at: datetime) -> LiveCall | None:
    """A leg that we did not dial is ours: a new call, unless we know it already."""
    if leg.leg_id in control.legs or not leg.args or leg.args[0] in {"seat", "snoop", "out"}:
        if leg.args[:1] == ("seat",):  # a seat's telephone makes no calls by itself: the desk does
            control.task(control.engine.hang_up(leg.leg_id), "no calls by a seat's own keys")
        return None
    phone = leg.args[0] == "phone"
    access = control.books.called(leg.called)
    device = leg.variables.get("ANJU_DEVICE") or (leg.line if phone else "")
    key = leg.variables.get("ANJU_EMERGENCY", "") in {"1", "true", "yes"} or (phone and leg.called == "emergency")
    emergency = key or access.emergency
    queue = control.books.queue("emergency" if emergency else access.queue, emergency=emergency)
    number = legible(leg.number)
    call = LiveCall(
        new_id(), "in", "emergency_in" if emergency else "service_in", "arrived", access.place or RECEIVING_DISTRICT, at, number=number,
        called=leg.called[:24], access=access.code[:20] or queue.code, line_name=leg.line, emergency=emergency, queue=queue,
        priority=max(queue.priority, rules.arrival(
            emergency_key=key, emergency_number=access.emergency, alarm_device=bool(phone and device), known=False)),
        script=access.script, prompt=access.prompt or queue.prompt, serves=access.serves,
    )  # fmt: skip
    caller = Party(
        leg.leg_id, "caller", Phone(leg.line) if phone else Number(number, leg.line), at, number=number, why="caller",
        came_in=True, state="up" if leg.up else "ringing", ringing_at=at,
    )  # fmt: skip
    control.calls[call.call_id] = call
    call.far = control.add(call, caller)
    control.note(call, rows.begin(call, at, engine=control.engine.name), rows.leg(call.call_id, caller))
    if (told := rows.told([("call", call.call_id, call.place)])) is not None:
        call.held.append(told)  # pages hear of her with what is written next, while the seat rings
    if call.priority >= rules.URGENT or not (call.prompt or call.script):  # nothing is said to her before it rings
        call.waits = True
        acd.serve(control)
    control.task(_identified(control, call, caller, device), "identify")
    control.do(call, lambda: _greet(control, call, caller))
    return call


async def _greet(control: Control, call: LiveCall, caller: Party) -> None:
    """Lift, and say a short word. Who is in need waits in the queue meanwhile; a menu comes before the queue."""
    await _ring_first(call)
    if not caller.up:
        await _lift(control, call, caller)
    menu = control.scripts.get(call.script or "menu")
    if call.priority < rules.URGENT and menu is not None and call.script and caller.up:
        call.script_task = control.task(_menu(control, call, caller, call.script), "menu")
        return
    if call.priority >= rules.URGENT:
        wait_for_seat(control, call, caller, prompt=call.prompt)
        return
    if call.prompt:
        play(control, call, [call.prompt], then=lambda: wait_for_seat(control, call, caller))
    else:
        wait_for_seat(control, call, caller)


async def _lift(control: Control, call: LiveCall, caller: Party) -> None:
    """Lift, and wait a moment for it. A request that got no answer is made again; meanwhile a seat is looked for all the same.

    Made once only, nobody was ever looked for: she heard it ring for as long as she had patience.
    """
    try:
        await control.engine.answer(caller.leg_id)
    except Fenced:
        raise
    except EngineDown:
        control.clockwork.after(LIFTS, lambda: control.task(_lift_again(control, call, caller), "lift again"))
    else:
        with suppress(TimeoutError):
            await asyncio.wait_for(caller.lifted.wait(), LIFTS)
    if not caller.up:
        call.notes[UNLIFTED] = True


async def _lift_again(control: Control, call: LiveCall, caller: Party) -> None:
    if caller.live and not caller.up and not call.done:
        await _lift(control, call, caller)


def lifted_late(control: Control, call: LiveCall) -> None:
    """She is lifted after all: joined with the seat that lifted before her, else she hears that she waits."""
    from anju.calls.control import moments

    if call.owner is not None:
        moments.join_soon(control, call, call.owner)
    elif call.waits:
        _entertain(control, call, call.prompt)


async def _ring_first(call: LiveCall) -> None:
    """What is done for a caller whose seats are about to ring waits for that: it needs the same Python, engine and disk."""
    if (ring := call.notes.get("ring")) is not None:
        await asyncio.wait({ring}, timeout=RING_FIRST)


async def _menu(control: Control, call: LiveCall, caller: Party, script: str) -> None:
    try:
        await control.scripts[script](control, call.call_id, caller.leg_id)
    finally:
        if caller.up and not call.waits and not call.done and call.owner is None:
            wait_for_seat(control, call, caller)


def play(control: Control, call: LiveCall, prompts: list[str], then: object = None) -> None:
    """Let the caller hear something; `then` happens at its end, or when it takes too long."""
    play_id = new_id()
    call.play_id = play_id
    done = False

    def over(*_: object) -> None:
        nonlocal done
        if done:
            return
        done = True
        control.plays.pop(play_id, None)
        if call.play_id == play_id:
            call.play_id = ""
        if callable(then) and not call.done and call.owner is None:
            then()

    control.plays[play_id] = over
    control.clockwork.after(LONGEST_PROMPT, over)

    async def begin() -> None:
        if call.far is not None and call.far.up and call.owner is None and not call.done:
            await control.engine.play(call.far.leg_id, prompts, play_id=play_id)

    control.do(call, begin)


def wait_for_seat(
    control: Control, call: LiveCall, party: Party, *, queue: str = "", priority: int | None = None, prompt: str = ""
) -> None:
    """From here on a seat is looked for, until somebody lifts or the caller hangs up. Also for a party whom we called."""
    if call.done or not party.live or call.owner is not None:
        return
    at = clock.now()
    if queue:
        call.queue = control.books.queue(queue)
    elif call.queue is None:
        call.queue = control.books.queue("emergency" if call.emergency else "service", emergency=call.emergency)
    call.priority = call.priority if priority is None else priority
    call.far, call.waits = party, True
    if party.why != "caller" and party.came_in is False:
        party.why = "far"
    if (
        call.state == "talking" or queue or priority is not None
    ):  # what a menu or a script chose is written before it rings
        _queue(control, call, at)
    acd.serve(control)
    if not call.live("offer"):
        _queue(control, call, at)
    _entertain(control, call, prompt)
    if not call.notes.get("overflowing"):
        call.notes["overflowing"] = True
        if call.priority >= rules.URGENT and not call.live("offer"):
            raise_level(control, call, at_once=True)
        else:
            control.clockwork.after(call.queue.overflow_seconds, lambda: raise_level(control, call))


def _queue(control: Control, call: LiveCall, at: datetime) -> None:
    if call.state == "queued" or CALL.state(call.state).move("queue_up") is None or call.queue is None:
        return
    call.state = "queued"
    first = {} if call.notes.get("queued") else {"queued_at": at}
    call.notes["queued"] = True
    columns = {"priority": call.priority, "queue_id": call.queue.id or None, **first}
    control.note(call, rows.move(call, "queue_up", at, **columns), tell=True)


def _entertain(control: Control, call: LiveCall, prompt: str) -> None:
    alone = not any(p.up and p is not call.far and p.why in {"agent", "party"} for p in call.parties.values())
    if prompt:
        play(control, call, [prompt], then=lambda: _music(control, call))
    elif not call.live("offer") and alone:
        play(control, call, ["all_busy"], then=lambda: _music(control, call))
        control.clockwork.after(SOOTHE, lambda: _soothe(control, call))
    elif alone:
        _music(control, call)


def _music(control: Control, call: LiveCall) -> None:
    async def on() -> None:
        far = call.far
        if far is not None and far.up and call.waits and call.owner is None and not call.music and not call.done:
            if call.bridged:
                await control.quietly(control.engine.part(far.leg_id))
            call.music = True
            await control.engine.music(far.leg_id, on=True)

    control.do(call, on)


def _soothe(control: Control, call: LiveCall) -> None:
    if not call.waits or call.done or call.owner is not None:
        return

    async def off() -> None:
        if call.music and call.far is not None:
            call.music = False
            await control.engine.music(call.far.leg_id, on=False)

    control.do(call, off)
    play(control, call, ["please_wait"], then=lambda: _music(control, call))
    control.clockwork.after(SOOTHE, lambda: _soothe(control, call))


def raise_level(control: Control, call: LiveCall, *, at_once: bool = False) -> None:
    """Nobody lifted in time: leads too, then everybody, then (for who is in need) the dialplan's own ring-all.

    `at_once`: nobody could even be rung, so the next level begins now; only the dialplan is not asked before its time.
    """
    if not call.waits or call.done or call.owner is not None or call.queue is None:
        return
    at = clock.now()
    if call.level >= rules.EVERYBODY:
        if call.priority >= rules.URGENT and not at_once:
            to_rescue(control, call)
            return
    else:
        call.level += 1
        call.refused.clear()
        step = (
            rows.move(call, "overflow", at, level=call.level)
            if call.state == "queued"
            else rows.call(call.call_id, level=call.level)
        )
        control.note(call, step, tell=True)
        acd.serve(control)
        if at_once and not call.live("offer") and call.level < rules.EVERYBODY:
            raise_level(control, call, at_once=True)
            return
    control.clockwork.after(call.queue.overflow_seconds, lambda: raise_level(control, call))


def to_rescue(control: Control, call: LiveCall) -> None:
    """The dialplan rings every telephone of the centre, and needs none of us for it."""
    call.level = rules.RESCUE
    for party in call.live("offer"):
        control.let_go(call, party)

    async def give() -> None:
        if call.far is not None and call.far.up and call.owner is None and not call.done:
            await control.engine.redirect(call.far.leg_id, *RESCUE)

    control.do(call, give)
    control.clockwork.after(5.0, lambda: raise_level(control, call))  # if the engine did not take it: once more


def survey(control: Control, call: LiveCall) -> bool:
    """After the agent hung up: ask the caller how it was, where her queue says so. Never after an emergency."""
    script, far = control.scripts.get("satisfaction"), call.far
    asks = call.direction == "in" and call.queue is not None and call.queue.survey and not call.emergency
    if script is None or far is None or not asks or call.surveyed:
        return False
    call.surveyed = True

    async def ask() -> None:
        await control.quietly(control.engine.part(far.leg_id))
        try:
            await script(control, call.call_id, far.leg_id)
        finally:
            await control.end(call.call_id)

    call.script_task = control.task(ask(), "satisfaction")
    return True


async def _identified(control: Control, call: LiveCall, caller: Party, device: str) -> None:
    """Look her up while the seat rings; then everybody may know that she calls. The ring comes first: both need Python."""
    await _ring_first(call)
    found = lookup.Found()
    try:
        found = await control.db(lookup.identify, number=call.number, device=device)
    finally:
        known = found.home_id or found.device_id or found.candidates
        call.place = found.place if known else call.place  # of a stranger the number that she called says it
        call.home_id = call.home_id or found.home_id
        call.elder_id, call.device_id = call.elder_id or found.elder_id, found.device_id
        call.whom = call.whom or found.whom
        caller.name = call.whom
        if found.alarm_device and call.priority < rules.ALARM_DEVICE:
            call.priority = rules.ALARM_DEVICE
        control.note(
            call,
            rows.call(
                call.call_id, place=call.place, home_id=call.home_id, elder_id=call.elder_id, device_id=call.device_id,
                whom=call.whom, candidates=found.candidates, priority=call.priority,
            ),
            control.news(
                "CallArrived", call_id=call.call_id, number=call.number, called=call.called, home_id=call.home_id,
                elder_id=call.elder_id, device_id=call.device_id, emergency=call.emergency, place=call.place,
            ),
            tell=True,
        )  # fmt: skip
