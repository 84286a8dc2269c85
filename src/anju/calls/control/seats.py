"""How seats stand: memory first, the row with the same step. The agent's own word (`wants`) holds when her call is over."""

from __future__ import annotations

from datetime import timedelta

from anju.calls.control import books, rows
from anju.calls.control.core import Control
from anju.calls.control.rows import Row
from anju.calls.control.state import LiveCall, SeatNow
from anju.kernel import clock

FREE = frozenset({"off", "ready", "break", "wrap_up"})
BUSY = frozenset({"ringing", "talking"})
BROWSER = "web"
"""How the engine names the browser's line of a seat; without it the seat is a plain telephone."""


def becomes(
    control: Control, seat: SeatNow, state: str, *, call: LiveCall | None = None, until: float | None = None
) -> list[Row | None]:
    """Put a seat into a state; the rows of it. `until`: seconds of wrap-up."""
    at = clock.now()
    written = [rows.wrapped(seat.call_id, seat.user_id, at)] if seat.state == "wrap_up" and seat.call_id else []
    seat.state, seat.since = state, at
    seat.call_id = call.call_id if call else None
    seat.until = at + timedelta(seconds=until) if until else None
    if state != "break":
        seat.reason = seat.reason if seat.wants == "break" else ""
    if state == "ready":
        seat.idle_since = at.timestamp()
    if state == "talking":
        seat.misses = 0
    if seat.until is not None:
        control.clockwork.after(until or 0, lambda: _limit(control, seat.user_id))
    return [*written, rows.seat(seat, at), rows.told([("seats", str(seat.user_id), "")])]


def free(control: Control, user_id: int | None, call: LiveCall, *, spoke: bool) -> list[Row | None]:
    """The seat's part in this call is over: wrap-up when it spoke, else what its agent wants."""
    seat = control.seats.get(user_id or 0)
    if seat is None or seat.call_id != call.call_id or seat.state not in BUSY:
        return []
    if spoke:
        limit = float(call.queue.wrap_up_seconds if call.queue else 60)
        return becomes(control, seat, "wrap_up", call=call, until=limit)
    return becomes(control, seat, _wanted(seat))


def _limit(control: Control, user_id: int) -> None:
    """Of the seat as it is known then: it may have been read again meanwhile."""
    from anju.calls.control import acd

    seat = control.seats.get(user_id)
    if seat is not None and seat.state == "wrap_up" and seat.until is not None and seat.until <= clock.now():
        control.note(None, *becomes(control, seat, _wanted(seat)))
        acd.serve(control)


def why_not(seat: SeatNow | None) -> str:
    """Why this seat cannot be rung by name now, in the engine's words (`exchange.Cause`) or "off"; "" when it can."""
    if seat is None:
        return "unknown_number"
    if not seat.registered:
        return "unreachable"
    return {"off": "off"}.get(seat.state, "busy" if seat.state in BUSY else "")


def _wanted(seat: SeatNow) -> str:
    return seat.wants if seat.wants in {"ready", "break", "off"} else "ready"


async def heard(control: Control, user_id: int) -> None:
    """The agent said something about her seat (or a lead moved it): read its row again."""
    from anju.calls.control import acd

    for row in await control.db(books.seats, user_id):
        known = control.seats.get(user_id)
        if known is None or (known.state in FREE and row.state in FREE):  # a row that says busy is behind our memory
            row.registered = known.registered if known and known.extension == row.extension else row.registered
            control.seats[user_id] = row
        else:
            known.wants, known.reason, known.queue = row.wants, row.reason, row.queue
            known.is_lead, known.levels = row.is_lead, row.levels
    acd.serve(control)


async def look_who_is_there(control: Control) -> None:
    """Which softphones are registered now; what changed is written."""
    from anju.calls.control import acd

    there = await control.engine.seat_states()
    changed = {}
    for seat in control.seats.values():
        now = bool(there.get(seat.extension, False))
        if now != seat.registered:
            seat.registered = now
            changed[seat.extension] = now
            _telephone(control, seat, browser=bool(there.get(f"{BROWSER}{seat.extension}", False)))
    if changed:
        control.note(None, *rows.registered(changed), rows.told([("seats", "", "")]))
        acd.serve(control)


def _telephone(control: Control, seat: SeatNow, *, browser: bool) -> None:
    """A plain telephone that signs on sits down at its seat, and leaves it when it signs off: it has no desk to say so."""
    if seat.registered and not browser and seat.state == "off":
        seat.wants, seat.reason, seat.by_telephone = "ready", "", True
        control.note(None, *becomes(control, seat, "ready"))
    elif not seat.registered and seat.by_telephone:
        seat.wants, seat.by_telephone = "off", False
        if seat.state in FREE:
            control.note(None, *becomes(control, seat, "off"))


def wake_wrap_ups(control: Control) -> None:
    """After a restart: the limits of wrap-up run again."""
    for seat in control.seats.values():
        if seat.state == "wrap_up":
            left = (seat.until - clock.now()).total_seconds() if seat.until else 0.0
            seat.until = seat.until or clock.now()
            control.clockwork.after(max(left, 0.0), lambda user_id=seat.user_id: _limit(control, user_id))  # type: ignore[misc]
