"""The course of a call that no switchboard carries: a robot call, one made by hand, and what every move leaves behind."""

from __future__ import annotations

from datetime import datetime, timedelta

from django.db import transaction

from anju.calls import jobs, rules
from anju.calls.exchange import NEVER_BY_ITSELF
from anju.calls.facts import CallAbandoned, CallBackDue, CallEnded, KeyPressed
from anju.calls.models import Call, CallBack, Leg
from anju.kernel import clock, crypto, facts
from anju.kernel.changes import changed
from anju.kernel.flow import engine
from anju.kernel.flow.engine import THE_CLOCK, Actor, NotAllowed
from anju.kernel.scope import EVERYWHERE, seen_by

FORGOTTEN = timedelta(seconds=60)
"""A call in the database that no switchboard confirmed for so long is carried by nobody."""
RESULTS = ("answered", "no_answer", "busy", "refused", "unknown", "lost")
_MOVES = {
    "ringing": "placed",
    "answered": "answered",
    "no_answer": "no_answer",
    "busy": "busy",
    "refused": "refused",
    "failed": "unreachable",
    "unreachable": "unreachable",
    "ended": "ended",
}


class ForbiddenNumber(Exception):
    """An automatic call wanted to dial 110, 119 or 120."""


@transaction.atomic
def robot_call(
    *, number: str, whom: str, purpose: str, ref: str, place: str, script: str, says: str, says_after_key: str = "",
    home_id: int | None = None, elder_id: int | None = None,
) -> Call:  # fmt: skip
    """Write the intent and let the worker dial it after the commit. Never 110/119/120 (ForbiddenNumber)."""
    if {rules.digits(number), rules.dialable(number)} & NEVER_BY_ITSELF:  # also as +86120
        raise ForbiddenNumber("系统从不自动拨打 110、119、120，请人工拨打")
    call = Call(
        place=place, ref=ref, direction="out", purpose=purpose, whom=whom, number=number, script=script, says=says,
        says_after_key=says_after_key, by="系统", planned_at=clock.now(), home_id=home_id, elder_id=elder_id,
        caller_index=crypto.blind(rules.dialable(number) or number, "call.number"),
    )  # fmt: skip
    engine.begin(call, THE_CLOCK)
    jobs.dial.defer(call_id=str(call.call_id))
    return call


@transaction.atomic
def record_by_hand(
    *, by: Actor, number: str, whom: str, purpose: str, ref: str, place: str, result: str, note: str = "",
    started_at: datetime | None = None, ended_at: datetime | None = None,
) -> Call:  # fmt: skip
    """A call made on a telephone beside the desk, written down afterwards."""
    if result not in RESULTS:
        raise NotAllowed("通话结果只能是：接通、无人接听、占线、拒接")
    now = clock.now()
    call = Call(
        place=place, ref=ref, direction="out", purpose=purpose, whom=whom, number=number, by_hand=True, by=by.name,
        planned_at=started_at or now, placed_at=started_at or now, note=note,
    )  # fmt: skip
    engine.begin(call, by)
    engine.make(call, "placed", THE_CLOCK)
    if result == "answered":
        call.answered_at = call.placed_at
        engine.make(call, "answered", by)
        engine.make(call, "ended", by)
    else:
        engine.make(call, result if result in {"no_answer", "busy", "refused"} else "no_answer", by)
    call.result, call.ended_at = result, ended_at or now
    call.save(update_fields=["result", "ended_at", "answered_at"])
    return call


@transaction.atomic
def heard(*, call_id: str, event: str) -> bool:
    """The engine reports: ringing, answered, key:<digit>, no_answer, busy, refused, unreachable, ended.

    Late, repeated and unknown reports change nothing and answer False.
    """
    with seen_by(EVERYWHERE):
        call = Call.objects.select_for_update().filter(call_id=call_id).first()
        if call is None:
            return False
        if event.startswith("key:"):
            return _key(call, event.partition(":")[2])
        move = _MOVES.get(event, "")
        if event == "ended" and call.state == "ringing":
            move = "no_answer"
        if call.flow.state(call.state).move(move) is None:
            return False
        engine.make(call, move, THE_CLOCK)
        return True


def _key(call: Call, digit: str) -> bool:
    if call.state != "talking" or not digit:
        return False
    call.keys = [*call.keys, {"digit": digit, "at": clock.now().isoformat()}]
    call.save(update_fields=["keys"])
    facts.announce(KeyPressed(str(call.call_id), call.ref, call.purpose, digit))
    return True


def after_move(call: Call, move: str) -> None:
    """Listener of every move that the flow engine makes: times, result, and the news that it is over."""
    now = clock.now()
    if move == "placed":
        call.placed_at = call.placed_at or now
        call.save(update_fields=["placed_at"])
    elif move == "answered":
        call.answered_at = call.answered_at or now
        call.save(update_fields=["answered_at"])
    elif move in {"overflow", "still_talking", "queue_up"} and forgotten(call):
        engine.make(call, "lost", THE_CLOCK, note="话务控制不再承载")
    elif call.state == "ended" and not call.by_hand:
        _over(call, move)


def forgotten(call: Call) -> bool:
    """Whether no switchboard has confirmed for a minute that it carries this call."""
    seen = call.seen_at or call.planned_at
    return clock.now() - seen > FORGOTTEN


def _over(call: Call, move: str) -> None:
    now = clock.now()
    call.result = "answered" if move == "ended" else move
    call.ended_at = now
    call.save(update_fields=["result", "ended_at"])
    Leg.objects.filter(call=call, ended_at=None).update(ended_at=now, cause="lost")
    seconds = int((now - call.answered_at).total_seconds()) if call.answered_at else 0
    facts.announce(
        CallEnded(
            str(call.call_id), call.ref, call.purpose, call.result, call.direction, seconds, call.user_id, call.cause
        )
    )
    if call.direction == "in" and move == "lost":
        owe_call_back(call, "lost")
    changed("call", str(call.call_id), call.place)


def owe_call_back(call: Call, why: str) -> CallBack | None:
    """A caller in need whom nobody spoke with (or who was cut off) must be rung back; once for each call."""
    facts.announce(
        CallAbandoned(str(call.call_id), call.emergency, call.number, call.home_id, call.elder_id, call.place, why)
    )
    if not call.emergency and not (why == "lost" and call.number):
        return None
    if CallBack.unscoped.filter(call=call).exists():
        return None
    leg = Leg.unscoped.filter(call=call, role="caller").first()
    owed = CallBack(
        call=call, place=call.place, number=call.number, caller_index=call.caller_index, home_id=call.home_id,
        elder_id=call.elder_id, why=why, created_at=clock.now(), endpoint=leg.endpoint if leg else "",
    )  # fmt: skip
    engine.begin(owed, THE_CLOCK)
    facts.announce(CallBackDue(owed.pk, str(call.call_id), 0, call.place))
    changed("callback", owed.pk, owed.place)
    return owed


def after_call_back_move(owed: CallBack, move: str) -> None:
    """Listener: pages see it, and each passed deadline is said again so that a lead is pressed."""
    if move in {"press", "not_reached"}:
        facts.announce(CallBackDue(owed.pk, str(owed.call.call_id), owed.attempts, owed.place))
    if move != "begin":
        changed("callback", owed.pk, owed.place)
