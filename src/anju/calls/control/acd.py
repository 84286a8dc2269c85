"""Which seat rings for which caller: memory in, `rules` decide, rows out, then the ring."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable

from anju.calls import rules
from anju.calls.control import rows
from anju.calls.control import seats as seating
from anju.calls.control.core import Control
from anju.calls.control.state import LiveCall, Party, SeatNow, new_id
from anju.calls.exchange import Fenced, Seat
from anju.calls.rules import Chair, Waiter
from anju.kernel import clock

_log = logging.getLogger(__name__)
RING_AT_ONCE = 3
"""Seats that ring together for a caller in need; the first to lift has her."""
_NO_SKILL: frozenset[str] = frozenset()
BREATH = 3.0
"""Seconds until seats that were rung in vain may be rung again for the same caller."""


def serve(control: Control) -> int:
    """Ring every free seat that a waiting caller may have; how many seats were rung."""
    waiting = [c for c in control.calls.values() if c.waits and not c.done]
    waiters = [w for w in map(_waiter, waiting) if w.ringing < w.at_once]
    if not waiters:  # each has as many seats ringing as she may have: nothing to look for
        return 0
    everybody = any(c.level >= rules.EVERYBODY and c.priority >= rules.URGENT for c in waiting)
    states = seating.FREE if everybody else {"ready"}
    chairs = [_chair(s) for s in control.seats.values() if s.registered and s.state in states]
    if not chairs:
        return 0
    rung = 0
    for waiter, chosen in rules.match(waiters, chairs):
        call = control.calls[waiter.call_id]
        places = [s for c in chosen if (s := control.seat_at(c.extension)) is not None]
        offer(control, call, places)
        rung += len(places)
    return rung


def offer(control: Control, call: LiveCall, places: list[SeatNow]) -> None:
    """Reserve the seats in memory at once; ring them when the intent is safe."""
    at = clock.now()
    first, *others = [
        Party(
            new_id(), "agent", Seat(seat.extension), at, name=seat.name, user_id=seat.user_id, extension=seat.extension,
            why="offer", ring_for=call.queue.ring_seconds if call.queue else 15,
        )
        for seat in places
    ]  # fmt: skip
    safe = control.sure(call, rows.leg(call.call_id, control.add(call, first)), alone=True)
    for seat in places:
        call.held += [row for row in seating.becomes(control, seat, "ringing", call=call) if row is not None]
    for party in others:
        control.add(call, party)
    if call.state in {"arrived", "queued"}:
        call.state = "offered"
        once = {} if call.notes.get("offered") else {"offered_at": at}
        call.notes["offered"] = True
        call.held.append(rows.move(call, "offer", at, **once))
    call.notes["ring"] = control.task(_ring(control, call, first, others, safe), "offer")


async def _ring(control: Control, call: LiveCall, first: Party, others: list[Party], safe: Awaitable[None]) -> None:
    """The best seat rings as soon as its own intent is safe; the rest is written, and rung, while it rings already."""
    if not await _written(control, call, safe, [first, *others]):
        return
    rings = control.task(control.dial(call, first), "ring")
    await asyncio.sleep(0)  # the request is on its way before anything else is done
    others = [party for party in others if party.live]  # one that is not wanted any more was never written
    if not await _written(control, call, control.sure(call, *(rows.leg(call.call_id, p) for p in others)), others):
        others = []
    await asyncio.gather(rings, *(control.dial(call, party) for party in others))


async def _written(control: Control, call: LiveCall, safe: Awaitable[None], parties: list[Party]) -> bool:
    """Whether their rows are safe. Refused, they are not rung: the seats are free again, and she is offered anew after a breath.

    Without that they counted as ringing for ever, and nobody else was looked for.
    """
    try:
        await safe
    except Fenced:
        raise
    except Exception:  # noqa: BLE001 - whatever it was: she waits, and the seats are there
        _log.exception("the intent to ring could not be written; another seat is tried")
        for party in parties:
            call.refused.add(party.extension)
        for party in parties:
            control.let_go(call, party)
        control.clockwork.after(BREATH, lambda: _afresh(control, call))
        return False
    return True


def missed(control: Control, call: LiveCall, party: Party, cause: str) -> None:
    """A seat rang in vain: not again for this call now; after some misses it goes to break."""
    call.refused.add(party.extension)
    if call.only == party.extension:
        call.only = ""  # a blind transfer that nobody took goes to the queue
    seat = control.seats.get(party.user_id or 0)
    if seat is not None and seat.state == "ringing" and seat.call_id == call.call_id:
        seat.misses, away = rules.after_miss(seat.misses, cause)
        if cause == "unreachable":
            seat.registered = False
            control.note(None, *rows.registered({seat.extension: False}))
        if away and seat.wants == "ready":
            seat.wants, seat.reason = "break", "未接"
        steps = seating.becomes(control, seat, seat.wants if seat.wants in {"ready", "break", "off"} else "ready")
        control.note(call, *steps)
    if call.waits and not call.live("offer"):
        nobody_left(control, call)
    serve(control)


def nobody_left(control: Control, call: LiveCall) -> None:
    """All that rang were in vain: the next seats; or, when there are none, all over again after a breath."""
    if serve(control) and call.live("offer"):
        return
    if call.state == "offered":
        call.state = "queued"
        control.note(call, rows.move(call, "queue_up", clock.now()), tell=True)
    if call.refused:
        control.clockwork.after(BREATH, lambda: _afresh(control, call))


def _afresh(control: Control, call: LiveCall) -> None:
    if call.waits and not call.done:
        call.refused.clear()
        serve(control)


def _waiter(call: LiveCall) -> Waiter:
    ring_all = call.queue is not None and call.queue.ring_all
    at_once = RING_AT_ONCE if ring_all or call.priority >= rules.URGENT else 1
    return Waiter(
        call.call_id, call.priority, call.arrived_at.timestamp(), call.queue.code if call.queue else "",
        call.queue.skills if call.queue else frozenset(), call.level, call.only, frozenset(call.refused),
        at_once=10_000 if call.level >= rules.EVERYBODY else at_once, ringing=len(call.live("offer")),
        serves=call.serves,
    )  # fmt: skip


def _chair(seat: SeatNow) -> Chair:
    skills = frozenset(seat.levels) if seat.levels else _NO_SKILL
    return Chair(
        seat.extension, seat.idle_since, seat.state == "ready", seat.registered, seat.is_lead, seat.queue, skills, seat.levels
    )  # fmt: skip
