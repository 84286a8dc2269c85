"""After a restart of ours or of the engine: what is up in the engine, what is in our tables, and what follows from both.

* A leg that came in and that nobody wrote down is a new call: the engine never announces it again.
* A call of ours whose caller the engine does not know is cut: it ends as `lost` (or as hung up while nobody listened) and
  is rung back.
* A call whose caller is there goes on: with its agent when she is there too, else at the head of the queue.
"""

from __future__ import annotations

import logging
from dataclasses import dataclass, field

from django.db import DatabaseError, InterfaceError

from anju.calls.control import acd, inbound, moments, rows
from anju.calls.control import seats as seating
from anju.calls.control.books import Books
from anju.calls.control.core import Control
from anju.calls.control.outbound import again, endpoint_of, undialled, unfinished
from anju.calls.control.state import LiveCall, Party
from anju.calls.exchange import Cause, LegView, Snapshot
from anju.calls.models import Call, Leg
from anju.kernel import clock
from anju.kernel.crypto import Undecipherable

_log = logging.getLogger(__name__)
WHY = {"caller": "caller", "agent": "agent", "agent_b": "party", "supervisor": "supervisor"}


@dataclass(slots=True)
class Written:
    """A call as the tables have it."""

    call: LiveCall
    robot_line: bool = False
    """Made without a switchboard (no leg was ever written): the clock ends it."""
    parties: list[Party] = field(default_factory=list)


def load(books: Books) -> list[Written]:
    """Every call that is not over in the tables (in a thread). A row that cannot be read stops no other."""
    live = Call.unscoped.exclude(state__in=["ended", "planned"]).filter(by_hand=False)
    found = []
    for pk in live.order_by("id").values_list("pk", flat=True):
        try:
            found.append(_written(books, Call.unscoped.select_related("queue").get(pk=pk)))
        except (Undecipherable, Call.DoesNotExist):
            _log.exception("call %s cannot be read; the clock ends it", pk)
    return found


def _written(books: Books, row: Call) -> Written:
    call = LiveCall(
        str(row.call_id), row.direction, row.purpose, row.state, row.place, row.planned_at, number=row.number,
        whom=row.whom, called=row.called, access=row.access, emergency=row.emergency, priority=row.priority,
        queue=books.queues.get(row.queue.code) if row.queue else None, level=row.level, home_id=row.home_id,
        elder_id=row.elder_id, device_id=row.device_id, ref=row.ref, user_id=row.user_id, by_user=row.by_user,
        serves=books.called(row.called).serves if row.direction == "in" else frozenset(), script=row.script,
        says=row.says, says_after_key=row.says_after_key, answered_at=row.answered_at,
    )  # fmt: skip
    legs = list(row.legs.all())
    call.notes.update(offered=row.offered_at is not None, queued=row.queued_at is not None, dialled=len(legs))
    if row.keys:
        call.notes["keys"] = list(row.keys)
    return Written(call, robot_line=not legs, parties=[_party(leg, row) for leg in legs if leg.ended_at is None])


def _party(leg: Leg, row: Call) -> Party:
    why = WHY.get(leg.role, "far" if row.direction == "out" else "party")
    if leg.role == "agent" and leg.answered_at is None:
        why = "offer" if row.direction == "in" else "own"
    return Party(
        leg.leg_id, leg.role, endpoint_of(leg), leg.planned_at, leg.name, leg.number, leg.user_id, leg.seat, why,
        came_in=leg.role == "caller", state="up" if leg.answered_at else "ringing" if leg.ringing_at else "planned",
        ringing_at=leg.ringing_at, answered_at=leg.answered_at, held=leg.held, muted=leg.muted, dialled=True,
    )  # fmt: skip


async def resync(control: Control, restarted: bool) -> None:  # noqa: FBT001 - the engine's word
    """Compare, and act on every difference."""
    there = await control.engine.snapshot()
    _missing(control, there)
    if not restarted or not control.calls:
        for written in await _loaded(control):
            known = written.call.call_id in control.calls or written.call.call_id in control.over
            if not known and not written.robot_line:
                _take_over(control, written, there)
    _unknown(control, there)
    await seating.look_who_is_there(control)
    _free_seats(control)
    await _undialled(control)
    seating.wake_wrap_ups(control)
    acd.serve(control)


async def _loaded(control: Control) -> list[Written]:
    """From the tables; without them our memory is all there is, and it is whole unless we have just been started."""
    try:
        return await control.db(load, control.books)
    except (DatabaseError, InterfaceError):
        if not control.calls:
            raise
        return []


def _missing(control: Control, there: Snapshot) -> None:
    """Legs in our memory that the engine does not have (any more): nobody will ever tell us that they ended."""
    at = clock.now()
    for call in list(control.calls.values()):
        gone = [p for p in call.live() if (p.dialled or p.came_in) and there.leg(p.leg_id) is None]
        if call.far in gone and not call.done:
            _log.warning("call %s was cut", call.call_id)
            if not again(control, call, "engine"):
                moments.finish(control, call, "lost", cause="engine")
        for party in gone:
            moments.ended(control, call, party, at, Cause.FAILED)
        for party in call.live():  # what the engine did while we could not hear
            view = there.leg(party.leg_id)
            if view is not None and view.up and not party.up and party.state != "ended":
                moments.answered(control, call, party, at)


def _take_over(control: Control, written: Written, there: Snapshot) -> None:
    """A call that another process began."""
    call, at = written.call, clock.now()
    control.calls[call.call_id] = call
    views = _gather(control, written, there)
    absent = [p for p in written.parties if p.leg_id not in views]
    scripted = call.direction == "out" and call.by_user is None and not call.waits and call.owner is None
    if again(control, call, "restart"):  # what the script was about to say died with it
        _log.warning("robot call %s was cut: it is made again", call.call_id)
    elif call.far is None or call.far in absent:
        over = call.answered_at is not None and not _restarted(call, there)
        moments.finish(control, call, "ended" if over else "lost", cause="restart")
    elif scripted and call.state in {"ringing", "talking"}:
        moments.finish(control, call, "lost", cause="restart")
    for party in absent:
        moments.ended(control, call, party, at, Cause.FAILED)
    if not call.done:
        control.note(call, rows.call(call.call_id, seen_at=at))
        _resume(control, call, views)


def _gather(control: Control, written: Written, there: Snapshot) -> dict[str, LegView]:
    """Its parties as the engine has them."""
    call = written.call
    views: dict[str, LegView] = {}
    for party in written.parties:
        control.add(call, party)
        if (view := there.leg(party.leg_id)) is not None:
            views[party.leg_id] = view
            party.state = "up" if view.up and party.why not in {"offer", "own"} else "ringing"
    call.far = next((p for p in written.parties if p.why in {"caller", "far"}), None)
    call.owner = next((p for p in written.parties if p.why == "agent" and p.up and p.leg_id in views), None)
    call.bridged = any(b.bridge_id == call.bridge_id for b in there.bridges)
    call.waits = call.owner is None and call.state in {"arrived", "queued", "offered"}
    return views


def _resume(control: Control, call: LiveCall, views: dict[str, LegView]) -> None:
    """With its agent, or at the head of the queue."""
    for party in call.live("supervisor"):
        control.let_go(call, party)
    for party in call.live("offer"):  # its intent may be all that was written before the end
        seat = control.seat_at(party.extension)
        if seat is not None and seat.state not in seating.BUSY:
            control.note(call, *seating.becomes(control, seat, "ringing", call=call))
    for party in call.live("offer"):  # who lifted while nobody listened has the caller
        if call.owner is None and views[party.leg_id].up:
            call.waits = True
            moments.answered(control, call, party, clock.now())
    far, owner = call.far, call.owner
    if far is None:
        return
    if owner is None:
        _log.warning("call %s goes on without its agent", call.call_id)
        inbound.wait_for_seat(control, call, far)
    elif not call.bridged or (not views[far.leg_id].bridge_id and not far.held):
        control.do(call, lambda: moments.connect(control, call, owner))


def _restarted(call: LiveCall, there: Snapshot) -> bool:
    return there.started_at is not None and there.started_at > call.arrived_at


def _unknown(control: Control, there: Snapshot) -> None:
    """Legs that the engine holds for us and nobody knows."""
    for view in there.legs:
        if view.leg_id in control.legs:
            continue
        if view.args[:1] == ("out",) or not view.args:
            _log.warning("leg %s belongs to no call: hung up", view.leg_id)
            control.task(control.engine.hang_up(view.leg_id), "belongs to no call")
        else:
            _log.warning("leg %s came in while nobody listened", view.leg_id)
            inbound.entered(control, view, view.since or clock.now())


async def _undialled(control: Control) -> None:
    """A robot's call whose verb died with who took it; not while rows wait in the spool, that may say more."""
    if control.pen.spool is not None and control.pen.spool.count:
        return
    try:
        waiting = await control.db(unfinished)
    except (DatabaseError, InterfaceError):
        return
    for call_id in waiting:
        if call_id not in control.calls:
            control.task(undialled(control, call_id), "a robot's call that nobody dialled")


def _free_seats(control: Control) -> None:
    for seat in control.seats.values():
        call = control.calls.get(seat.call_id or "")
        mine = call is not None and any(p.user_id == seat.user_id for p in call.live())
        if seat.state in seating.BUSY and not mine:
            wants = seat.wants if seat.wants in {"ready", "break", "off"} else "ready"
            control.note(None, *seating.becomes(control, seat, wants))
