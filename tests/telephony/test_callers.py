"""Callers of every kind, and a caller who hangs up in every phase: nobody is lost, nothing is left behind."""

import pytest

from anju.calls import actions
from anju.calls.models import Leg
from tests.telephony.centre import EMERGENCY, HOTLINE
from tests.telephony.engine_room import until

pytestmark = [pytest.mark.telephony, pytest.mark.timeout(240)]


@pytest.mark.req("CALL-01", "CALL-02")
def test_an_emergency_rings_the_seat_while_the_prompt_still_plays_and_both_hear_each_other(centre):
    agent = centre.agent("8001")
    centre.opens()
    caller = centre.calls(EMERGENCY)
    agent.waits_for("ringing")
    caller.waits_for("answered")
    caller.hears_just(why="no agent yet: a sentence, no voice of anybody")
    call = centre.talk(agent, caller)
    caller.hears_just("8001")
    agent.hears_just("caller")
    own = Leg.objects.get(call=call, role="agent")
    assert call.emergency
    assert call.number == "13800000001"
    assert own.planned_at <= own.ringing_at <= own.answered_at
    assert call.user_id == centre.by("8001").user_id
    caller.hang_up()
    centre.nothing_is_left()
    assert centre.call().result == "answered"
    centre.is_rung_back(0)


@pytest.mark.req("CALL-02")
@pytest.mark.parametrize("who", ["anonymous", "+8613800000001", "008613800000001", "02112345678"])
def test_an_anonymous_caller_a_plus_and_a_trunk_prefix_are_callers_like_any_other(centre, who):
    agent = centre.agent("8001")
    centre.opens()
    caller = centre.calls(EMERGENCY, number=who)
    call = centre.talk(agent, caller)
    expected = {"anonymous": "", "02112345678": "02112345678"}.get(who, "13800000001")
    assert call.number == expected
    assert call.place, "nobody is hidden: whoever is unknown belongs to the receiving district"
    caller.hears_just("8001")
    caller.hang_up()
    centre.nothing_is_left()


@pytest.mark.req("CALL-03")
def test_two_agents_who_lift_at_once_do_not_both_get_the_caller(centre):
    first, second = centre.agent("8001"), centre.agent("8002")
    centre.opens()
    caller = centre.calls(EMERGENCY)
    for seat in (first, second):
        seat.waits_for("ringing")
    centre.switchboard.freeze()  # both have lifted before it hears of either
    first.lift()
    second.lift()
    centre.switchboard.thaw()
    caller.waits_for("answered")
    call = centre.call_is("talking")
    until(
        lambda: sorted([first.states[-1:], second.states[-1:]]) == [["answered"], ["ended"]], "one of the two is let go"
    )
    winner, other = (first, second) if first.states[-1] == "answered" else (second, first)
    caller.hears_just(winner.user)
    winner.hears_just("caller")
    assert call.user_id == centre.by(winner.user).user_id
    assert Leg.objects.filter(call=call, role="agent", ended_at=None).count() == 1
    centre.rests(other.user)
    caller.hang_up()
    centre.nothing_is_left()


@pytest.mark.req("CALL-01", "CALL-03")
@pytest.mark.parametrize(
    "phase",
    ["at once", "the seat rings", "nobody is there", "the agent lifts", "talking", "on hold", "being transferred"],
)
def test_a_caller_who_hangs_up_leaves_nothing_behind_and_an_unheard_cry_is_rung_back(centre, phase):
    agent = None if phase == "nobody is there" else centre.agent("8001")
    second = centre.agent("8002", state="break") if phase == "being transferred" else None
    centre.opens()
    caller = centre.calls(EMERGENCY)
    if phase == "at once":
        until(lambda: caller.provisional, "the engine has the call")
    elif phase == "nobody is there":
        centre.call_is("queued")
    elif agent is not None:
        agent.waits_for("ringing")
    if phase == "the agent lifts":
        agent.lift()
    elif phase in {"talking", "on hold", "being transferred"}:
        call = centre.talk(agent, caller)
        if phase == "on hold":
            actions.hold(by=centre.by("8001"), call_id=str(call.call_id))
            caller.hears_just("music")
        elif second is not None:
            actions.transfer(by=centre.by("8001"), call_id=str(call.call_id), to_seat="8002", attended=True)
            second.waits_for("ringing")
    caller.hang_up()
    caller.waits_for("ended")
    call = centre.call_is("ended")
    centre.nothing_is_left()
    heard = phase in {"talking", "on hold", "being transferred"}
    if phase != "the agent lifts":  # either may have been first
        assert call.result == ("answered" if heard else "abandoned")
        centre.is_rung_back(0 if heard else 1)
    elif call.result == "abandoned":
        centre.is_rung_back()


@pytest.mark.req("CALL-01", "CALL-03")
@pytest.mark.parametrize("step", ["NoOp()", "Set(ANJU_RECORDED=1)", "MixMonitor("])
def test_a_caller_who_is_gone_before_the_engine_came_to_us_has_a_row_and_is_rung_back(centre, step):
    """Between the INVITE and our line the engine starts the recording: who hung up in that moment was nowhere."""
    written = centre.room.machine.etc / "extensions.conf"
    before = written.read_text()
    line = next(n for n, text in enumerate(before.splitlines()) if step in text)
    slow = before.splitlines(keepends=True)
    slow.insert(line + 1, " same => n,Wait(1)\n")
    centre.agent("8001")
    centre.opens()
    try:
        written.write_text("".join(slow))
        centre.room.cli("dialplan reload")
        caller = centre.calls(EMERGENCY)
        until(lambda: caller.provisional, "the engine has the call")
        caller.hang_up()
        caller.waits_for("ended")
        call = centre.call_is("ended")
    finally:
        written.write_text(before)
        centre.room.cli("dialplan reload")
    assert (call.result, call.emergency, call.number) == ("abandoned", True, caller.user)
    centre.is_rung_back()
    centre.nothing_is_left()


@pytest.mark.req("CALL-03")
def test_a_seat_that_is_busy_refuses_or_does_not_lift_gives_the_caller_to_the_next(centre):
    centre.agent("8001", auto="486 Busy Here")
    centre.agent("8002", auto="603 Decline")
    centre.agent("8003", auto="lift")
    centre.opens()
    caller = centre.calls(HOTLINE)
    centre.call_is("talking", within=40)
    caller.hears_just("8003")
    caller.hang_up()
    centre.nothing_is_left()
