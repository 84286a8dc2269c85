"""What people ask for while they talk: hold, transfer, conference, B seat, supervision, outgoing calls."""

import pytest

from anju.calls import actions, queries
from anju.calls.exchange import Cause
from anju.calls.models import Call, Command, News
from anju.calls.tests.control.conftest import LEAD, Centre, story
from anju.kernel.flow.actor import NotAllowed

ELDER, SON = "13900001111", "13800002222"


async def talking(centre: Centre, called: str = "emergency") -> tuple[str, str]:
    """A call between a caller and seat 8001: (leg of the caller, id of the call)."""
    leg_id = await centre.calls(ELDER, called)
    if called == "service":
        await centre.later(4)
    await centre.does("8001", "answered")
    call = centre.call(leg_id)
    assert call.state == "talking"
    return leg_id, str(call.call_id)


def last() -> Command:
    found = Command.objects.order_by("-id").first()
    assert found is not None
    return found


@pytest.mark.req("CALL-05")
@story
async def test_hold_and_mute_and_keys(centre: Centre) -> None:
    anna = centre.actor(centre.agent("8001"))
    await centre.open()
    caller, call_id = await talking(centre)
    await centre.asks(actions.hold, by=anna, call_id=call_id)
    assert centre.hears(caller) == {"music"}
    assert queries.my_call(anna.user_id).held
    await centre.asks(actions.unhold, by=anna, call_id=call_id)
    assert centre.hears(caller) == {"8001"}
    await centre.asks(actions.mute, by=anna, call_id=call_id)
    assert centre.hears(caller) == set()
    assert queries.my_call(anna.user_id).muted
    await centre.asks(actions.unmute, by=anna, call_id=call_id)
    assert centre.hears(caller) == {"8001"}
    await centre.asks(actions.send_keys, by=anna, call_id=call_id, digits="1 2#x")
    assert centre.world.party(caller).variables["pressed"] == "12#"
    with pytest.raises(NotAllowed):
        actions.send_keys(by=anna, call_id=call_id, digits="abc")


@pytest.mark.req("CALL-05")
@story
async def test_blind_transfer_to_a_seat_and_to_the_queue_when_that_one_does_not_lift(centre: Centre) -> None:
    anna = centre.actor(centre.agent("8001"))
    bert = centre.agent("8002")
    centre.agent("8003", state="off")
    centre.world.behaviour["8002"] = ("wait:1", "refused")
    await centre.open()
    caller, call_id = await talking(centre, "service")
    await centre.asks(actions.transfer, by=anna, call_id=call_id, to_seat="8003")
    assert last().result == "refused", "a seat that is off takes nothing"
    assert queries.refusal(anna.user_id) == "8003 座席没有上线，请换一个坐席。"
    await centre.asks(actions.transfer, by=anna, call_id=call_id, to_seat="8002")
    assert centre.rings() == ["8002"]
    assert centre.seat("8001") == "wrap_up"
    assert centre.call(caller).state == "offered"
    centre.world.behaviour.clear()
    await centre.later(1)
    assert centre.rings() == [], "nobody else is free: she waits"
    await centre.later(4)
    assert centre.rings() == ["8002"]
    await centre.does("8002", "answered")
    assert centre.hears(caller) == {"8002"}
    assert centre.call(caller).user_id == bert.pk


@pytest.mark.req("CALL-05")
@story
async def test_attended_transfer_completed_cancelled_and_by_hanging_up(centre: Centre) -> None:
    anna = centre.actor(centre.agent("8001"))
    centre.agent("8002")
    await centre.open()
    caller, call_id = await talking(centre)
    for way in ("cancel", "complete"):
        await centre.asks(actions.transfer, by=anna, call_id=call_id, to_seat="8002", attended=True)
        assert centre.hears(caller) == {"music"}
        await centre.asks(actions.complete_transfer, by=anna, call_id=call_id)
        assert last().result == "refused", "nobody has lifted yet"
        await centre.does("8002", "answered")
        assert centre.hears("8002") == {"8001"}
        if way == "cancel":
            await centre.asks(actions.cancel_transfer, by=anna, call_id=call_id)
            assert centre.hears(caller) == {"8001"}
            await centre.later(121)  # the other's wrap-up
    await centre.asks(actions.complete_transfer, by=anna, call_id=call_id)
    assert centre.hears(caller) == {"8002"}
    assert centre.seat("8001") == "wrap_up"
    bert = centre.control.seat_at("8002")
    assert centre.call(caller).user_id == bert.user_id
    await centre.later(121)
    by_bert = centre.actor(type(anna) and centre_user(bert.user_id))
    await centre.asks(actions.transfer, by=by_bert, call_id=call_id, to_seat="8001", attended=True)
    await centre.does("8001", "answered")
    centre.world.end(centre.world.party("8002"), Cause.NORMAL)
    await centre.settle()
    assert centre.hears(caller) == {"8001"}, "who hangs up while she consults hands over"


def centre_user(pk: int):  # type: ignore[no-untyped-def]
    from anju.accounts.models import User

    return User.objects.get(pk=pk)


@pytest.mark.req("CALL-05", "INC-03")
@story
async def test_the_elder_120_the_doctor_and_the_family_in_one_call(centre: Centre) -> None:
    anna = centre.actor(centre.agent("8001"))
    await centre.open()
    caller, call_id = await talking(centre)
    numbers = {"120": "120", "13811110000": "doctor", SON: "contact"}
    legs = {}
    for number, role in numbers.items():
        legs[number] = actions.conference(by=anna, call_id=call_id, number=number, role=role)
        await centre.settle()
        await centre.does(number, "answered")
    assert centre.hears(caller) == {"8001", *numbers}
    assert centre.hears("120") == {ELDER, "8001", "13811110000", SON}
    assert {leg.role for leg in centre.legs(call__call_id=call_id)} == {"caller", "agent", "120", "doctor", "contact"}
    await centre.asks(actions.drop, by=anna, call_id=call_id, leg_id=legs[SON])
    assert centre.hears(caller) == {"8001", "120", "13811110000"}
    facts = [n.fact for n in News.objects.order_by("id")]
    assert facts.count("PartyJoined") == 3
    assert facts.count("PartyLeft") == 1
    await centre.does(caller, "ended")
    assert centre.hears("120") == {"8001", "13811110000"}, "the agent goes on with 120 when the elder hung up"
    await centre.does("13811110000", "ended")
    await centre.does("120", "ended")
    assert centre.call(caller).state == "ended"
    assert not centre.world.legs


@pytest.mark.req("CALL-05")
@story
async def test_a_conference_leg_asked_for_twice_rings_once_and_one_that_is_busy_leaves_the_others_alone(
    centre: Centre,
) -> None:
    anna = centre.actor(centre.agent("8001"))
    await centre.open()
    caller, call_id = await talking(centre)
    centre.world.behaviour[SON] = ("busy",)
    leg_id = actions.conference(by=anna, call_id=call_id, number=SON, role="contact")
    await centre.settle()
    again = Command.objects.order_by("-id").first()
    Command.objects.filter(pk=again.pk).update(taken_at=None)  # taken twice, as after a crash
    await centre.settle()
    assert [leg.result for leg in centre.legs(leg_id=leg_id)] == ["busy"]
    assert sum(leg_id == one for one in centre.world.ever) == 1
    assert centre.hears(caller) == {"8001"}


@pytest.mark.req("INC-03", "INC-05")
@story
async def test_b_seat_joins_and_takes_over_when_a_is_gone(centre: Centre) -> None:
    anna = centre.actor(centre.agent("8001"))
    bert = centre.actor(centre.agent("8002", state="break"))
    await centre.open()
    caller, call_id = await talking(centre)
    with pytest.raises(NotAllowed):
        actions.hold(by=bert, call_id=call_id)
    await centre.asks(actions.join, by=bert, call_id=call_id)
    await centre.does("8002", "answered")
    assert centre.hears(caller) == {"8001", "8002"}
    await centre.asks(actions.hang_up, by=anna, call_id=call_id)
    assert centre.hears(caller) == {"8002"}
    assert centre.call(caller).user_id == bert.user_id
    await centre.asks(actions.hang_up, by=bert, call_id=call_id)
    assert centre.call(caller).state == "ended"
    assert not centre.world.legs


@pytest.mark.req("CALL-09")
@story
async def test_a_lead_listens_whispers_and_barges_in(centre: Centre) -> None:
    anna = centre.actor(centre.agent("8001"))
    boss = centre.actor(centre.agent("8100", lead=True), LEAD)
    await centre.open()
    caller, call_id = await talking(centre)
    with pytest.raises(NotAllowed):
        actions.supervise(by=anna, call_id=call_id, mode="listen")
    hears = {
        "listen": ({ELDER, "8001"}, {ELDER}, {"8001"}),
        "whisper": ({ELDER, "8001"}, {ELDER, "8100"}, {"8001"}),
        "barge": ({ELDER, "8001"}, {ELDER, "8100"}, {"8001", "8100"}),
    }
    for mode, (lead, agent, elder) in hears.items():
        await centre.asks(actions.supervise, by=boss, call_id=call_id, mode=mode)
        if mode == "listen":
            await centre.does("8100", "answered")
        assert (centre.hears("8100"), centre.hears("8001"), centre.hears(caller)) == (lead, agent, elder), mode
    for mode in ("listen", "barge", "whisper"):  # and to and fro
        await centre.asks(actions.supervise, by=boss, call_id=call_id, mode=mode)
        lead, agent, elder = hears[mode]
        assert (centre.hears("8100"), centre.hears("8001"), centre.hears(caller)) == (lead, agent, elder), mode
    await centre.asks(actions.supervise, by=boss, call_id=call_id, mode="stop")
    assert centre.hears("8001") == {ELDER}
    assert centre.seat("8100") == "ready", "listening is no call to write up"
    await centre.asks(actions.supervise, by=boss, call_id=call_id, mode="listen")
    await centre.does("8100", "answered")
    await centre.does(caller, "ended")
    assert not centre.world.legs
    assert not centre.world.bridges


@pytest.mark.req("CALL-05")
@story
async def test_a_verb_that_waited_too_long_and_one_without_a_switchboard_are_refused(centre: Centre) -> None:
    from datetime import timedelta

    from anju.calls.models import Switchboard
    from anju.kernel import clock

    anna = centre.actor(centre.agent("8001"))
    await centre.open()
    caller, call_id = await talking(centre)
    actions.hold(by=anna, call_id=call_id)
    Command.objects.update(asked_at=clock.now() - timedelta(seconds=30))
    await centre.settle()
    assert (last().result, centre.hears(caller)) == ("refused", {"8001"})
    Switchboard.objects.update(beat_at=clock.now() - timedelta(seconds=30))
    with pytest.raises(NotAllowed, match="人工记录"):
        actions.hold(by=anna, call_id=call_id)
    assert Call.objects.get(call_id=call_id).state == "talking"


@pytest.mark.req("CALL-01")
@story
async def test_a_closed_browser_sends_the_caller_to_the_next_seat(centre: Centre) -> None:
    anna = centre.agent("8001")
    centre.agent("8002", state="break")
    await centre.open()
    caller, _ = await talking(centre)
    centre.control.seat_at("8002").state = "ready"
    actions.seat_lost(user_id=anna.pk, why="页面关闭")
    await centre.settle()
    assert centre.rings() == ["8002"]
    await centre.does("8002", "answered")
    assert centre.hears(caller) == {"8002"}


@pytest.mark.req("CALL-05")
@story
@pytest.mark.parametrize("lifts", [True, False])
async def test_blind_transfer_to_a_number_and_back_to_a_seat_when_it_does_not_lift(
    centre: Centre, *, lifts: bool
) -> None:
    anna = centre.actor(centre.agent("8001"))
    centre.agent("8002", state="break")
    await centre.open()
    caller, call_id = await talking(centre)
    centre.control.seat_at("8002").state = "ready"
    await centre.asks(actions.transfer, by=anna, call_id=call_id, number=SON)
    assert centre.seat("8001") == "wrap_up"
    assert centre.hears(caller) == {"music"}
    assert SON in centre.rings()
    await centre.does(SON, "answered" if lifts else "busy")
    if lifts:
        assert centre.hears(caller) == {SON}
        assert centre.hears(SON) == {ELDER}
        await centre.does(SON, "ended")
        assert centre.call(caller).state == "ended"
        assert not centre.world.legs
    else:
        assert "8002" in centre.rings(), "nobody is left with music alone"
        await centre.does("8002", "answered")
        assert centre.hears(caller) == {"8002"}


@pytest.mark.req("CALL-05")
@story
async def test_attended_transfer_to_a_number_leaves_the_two_alone(centre: Centre) -> None:
    anna = centre.actor(centre.agent("8001"))
    await centre.open()
    caller, call_id = await talking(centre)
    await centre.asks(actions.transfer, by=anna, call_id=call_id, number=SON, attended=True)
    await centre.does(SON, "answered")
    assert (centre.hears(SON), centre.hears(caller)) == ({"8001"}, {"music"})
    await centre.asks(actions.complete_transfer, by=anna, call_id=call_id)
    assert (centre.hears(SON), centre.hears(caller)) == ({ELDER}, {SON})
    assert centre.seat("8001") == "wrap_up"
    await centre.does(caller, "ended")
    assert centre.call(caller).state == "ended"
    assert not centre.world.legs
    assert not centre.control.calls


@story
async def test_the_far_side_is_dropped_or_the_only_agent_leaves_and_the_call_is_over(centre: Centre) -> None:
    anna = centre.actor(centre.agent("8001"))
    await centre.open()
    caller, call_id = await talking(centre)
    await centre.asks(actions.drop, by=anna, call_id=call_id, leg_id=caller)
    assert centre.call(caller).state == "ended"
    assert not centre.world.legs
    assert centre.seat("8001") == "wrap_up"
    with pytest.raises(NotAllowed, match="已经结束"):
        actions.hold(by=anna, call_id=call_id)
    actions.wrap_up_done(by=anna, note="已核实平安", resolved=True, tags=["误按"])
    call = centre.call(caller)
    assert (call.note, call.resolved, call.tags, centre.seat("8001")) == ("已核实平安", True, ["误按"], "ready")
