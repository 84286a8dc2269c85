"""What breaks: our program, the engine, the database, a trunk. No call is lost without being rung back, none is forgotten.

Nothing here sleeps: each step waits for what it is about.
"""

import time

import pytest

from anju.calls import actions
from anju.calls.models import Call, Leg
from tests.telephony.centre import EMERGENCY
from tests.telephony.engine_room import until

pytestmark = [pytest.mark.telephony, pytest.mark.faults, pytest.mark.timeout(240)]
AWAY = 30
"""Seconds that the database is away."""


@pytest.mark.req("CALL-01", "CALL-13")
@pytest.mark.parametrize("how", ["killed", "frozen"])
def test_our_program_is_killed_or_frozen_with_calls_up_waiting_and_arriving(centre, how):
    """Who talks goes on talking; who waits and who comes is rung at all seats by the engine alone, with no Python."""
    talker, helper = centre.agent("8001"), centre.agent("8002", state="off")
    centre.opens("switchboard", "callwatch", cold=True)  # as the supervisor starts them, here if nowhere else
    first = centre.calls(EMERGENCY, number="13800000001")
    talking = centre.talk(talker, first)
    before = helper.invited
    second = centre.calls(EMERGENCY, number="13800000002", voice="second")
    until(lambda: helper.invited > before, "nobody is free: whoever has a telephone is rung for her", 30)
    assert centre.call(caller_index=_index("13800000002")).state != "talking"
    before = helper.invited
    if how == "killed":
        centre.switchboard.kill()
    else:
        centre.switchboard.freeze()
    first.hears_just("8001")
    talker.hears_just("caller")
    third = centre.calls(EMERGENCY, number="13800000003", voice="family")
    until(lambda: helper.invited > before, "the engine rings the seat without us", 30)
    helper.waits_for("ringing").lift()
    helper.waits_for("answered")
    heard = until(lambda: helper.hears() & {"second", "family"}, "somebody is helped")
    assert len(heard) == 1
    centre.switchboard.end()
    centre.opens("switchboard")
    talker.hears_just("caller", why="and still talks when we are back")
    actions.hold(by=centre.by("8001"), call_id=str(talking.call_id))
    first.hears_just("music", why="the call is ours again")
    actions.hang_up(by=centre.by("8001"), call_id=str(talking.call_id))
    first.waits_for("ended", 30)
    for caller in (second, third):
        caller.hang_up()
    helper.hang_up()
    centre.nothing_is_left()
    assert Call.objects.get(pk=talking.pk).result == "answered"


@pytest.mark.req("CALL-13")
def test_the_engine_is_killed_in_mid_call_and_the_caller_is_rung_back(centre):
    """The caller is told by nobody that the line is dead: somebody must ring her."""
    agent = centre.agent("8001")
    centre.opens()
    caller = centre.calls(EMERGENCY)
    cut = centre.talk(agent, caller)
    centre.room.kill()
    agent.put_down()
    centre.room.start()
    agent.register()
    call = centre.call_is("ended", pk=cut.pk)
    assert call.result == "lost"
    centre.is_rung_back()
    centre.ready_again("8001")
    until(lambda: centre.room.ask("applications"), "the switchboard is back at the engine")
    again = centre.calls(EMERGENCY, number="13800000002", voice="second")
    centre.talk(agent, again)
    again.hears_just("8001")
    again.hang_up()
    centre.nothing_is_left()


@pytest.mark.req("CALL-13")
def test_the_database_is_away_for_half_a_minute_and_callers_are_put_through_all_the_same(centre):
    """A call that talks, two that come (at once, and at the end) and one that ends while it is away: all rings, and all is
    written afterwards."""
    first, second, third = centre.agent("8001"), centre.agent("8002"), centre.agent("8003")
    centre.opens()
    caller = centre.calls(EMERGENCY, number="13800000001")
    until(lambda: all("ringing" in one.states for one in (first, second, third)), "all seats ring")
    talking = centre.talk(first, caller)
    centre.rests("8002")
    centre.rests("8003")
    centre.door.shut()
    away = time.monotonic()
    late = centre.calls(EMERGENCY, number="13800000002", voice="second")
    until(lambda: second.invited > 1, "the seat rings though nothing can be written", 40)
    second.lift()
    late.hears_just("8002", why="and both hear each other")
    caller.hang_up()
    first.waits_for("ended")
    until(lambda: time.monotonic() - away > AWAY, "the database stays away", 2 * AWAY)
    before = third.invited
    last = centre.calls(EMERGENCY, number="13800000003", voice="family")
    until(lambda: third.invited > before, "and half a minute later too", 40)
    third.lift()
    last.hears_just("8003", why="they hear each other")
    late.hears_just("8002", why="who talked goes on talking")
    centre.door.unlock()
    assert centre.call_is("ended", 40, pk=talking.pk).result == "answered"
    for number in ("13800000002", "13800000003"):
        call = centre.call_is("talking", 40, caller_index=_index(number))
        assert Leg.objects.filter(call=call, role="agent", ended_at=None).count() == 1
    late.hang_up()
    last.hang_up()
    centre.nothing_is_left()


@pytest.mark.req("CALL-13")
def test_a_dead_trunk_is_known_at_once_and_the_agent_is_free_again(centre):
    """No ringing time is spent on a line that leads nowhere; the row says that nobody was reached."""
    agent = centre.agent("8001", auto="lift")
    centre.opens()
    centre.room.cli("pjsip qualify trunk")
    until(lambda: "Unavail" in centre.room.cli("pjsip show aor trunk"), "the engine has found it dead")
    call = actions.dial(
        by=centre.by("8001"), number="13900000001", whom="儿子", purpose="contact", ref="test:1", place="330199001001"
    )
    call = centre.call_is("ended", pk=call.pk)
    assert call.result in {"refused", "no_answer", "unreachable"}
    assert Leg.objects.get(call=call, role="contact").cause == "unreachable"
    agent.waits_for("ended")
    centre.nothing_is_left()


def _index(number):
    from anju.kernel import crypto

    return crypto.blind(number, "call.number")
