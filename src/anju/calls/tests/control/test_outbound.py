"""Calls that we make: from a seat, between seats, by a script."""

import pytest

from anju.calls import actions, queries, words
from anju.calls.models import News
from anju.calls.queries import listing
from anju.calls.tests.control.conftest import Centre, story
from anju.incidents.rules import call_went
from anju.kernel.flow.actor import NotAllowed
from anju.portals.desk.phone.bar import not_lifted

SON = "13800002222"


@pytest.mark.req("CALL-04")
@story
async def test_an_agent_dials_and_both_telephones_ring_one_after_the_other(centre: Centre) -> None:
    anna = centre.actor(centre.agent("8001"))
    await centre.open()
    how = {"by": anna, "number": "+86 138-0000-2222", "whom": "儿子", "purpose": "contact", "ref": "incident:1",
           "place": "330199001001"}  # fmt: skip
    call = actions.dial(**how)
    assert [leg.leg_id in centre.world.ever for leg in centre.legs(call=call)] == [False, False]
    await centre.settle()
    assert centre.rings() == ["8001"]
    await centre.does("8001", "answered")
    assert centre.rings() == [SON]
    call.refresh_from_db()
    assert call.state == "ringing"
    await centre.does(SON, "answered")
    call.refresh_from_db()
    assert call.state == "talking"
    assert centre.hears(SON) == {"8001"}
    with pytest.raises(NotAllowed):
        actions.dial(**how)
    await centre.does(SON, "ended")
    call.refresh_from_db()
    assert (call.state, call.result) == ("ended", "answered")
    assert centre.seat("8001") == "wrap_up"
    told = [(n.fact, n.data.get("result"), n.data.get("leg_role")) for n in News.objects.order_by("id")]
    assert ("CallAnswered", None, "contact") in told
    assert ("CallEnded", "answered", None) in told


@story
@pytest.mark.parametrize(
    ("far", "result"),
    [("busy", "busy"), ("refused", "refused"), ("no_answer", "no_answer"), ("unreachable", "unreachable")],
)
async def test_the_other_side_is_busy_or_refuses_or_does_not_lift(centre: Centre, far: str, result: str) -> None:
    anna = centre.actor(centre.agent("8001"))
    centre.world.behaviour.update({"8001": ("answered",), SON: (far,)})
    await centre.open()
    call = actions.dial(by=anna, number=SON, whom="儿子", purpose="contact", ref="", place="330199001001")
    await centre.settle()
    call.refresh_from_db()
    assert (call.state, call.result) == ("ended", result)
    assert not centre.world.legs
    assert centre.seat("8001") == "wrap_up"


@story
async def test_who_dials_hangs_up_before_the_other_lifts_and_who_never_lifts_has_dialled_nobody(centre: Centre) -> None:
    anna = centre.actor(centre.agent("8001"))
    await centre.open()
    call = actions.dial(by=anna, number=SON, whom="儿子", purpose="contact", ref="", place="330199001001")
    await centre.settle()
    await centre.later(21)
    call.refresh_from_db()
    assert (call.result, call.placed_at) == ("refused", None)
    assert queries.call(str(call.call_id)).result_label == "本席没有接起，没有拨出"
    assert SON not in {leg.number for leg in centre.world.legs.values()}
    await centre.later(61)
    call = actions.dial(by=anna, number=SON, whom="儿子", purpose="contact", ref="", place="330199001001")
    await centre.settle()
    await centre.does("8001", "answered")
    await centre.asks(actions.hang_up, by=anna, call_id=str(call.call_id))
    call.refresh_from_db()
    assert call.state == "ended"
    assert not centre.world.legs


@story
async def test_one_seat_calls_another_and_both_write_up(centre: Centre) -> None:
    anna = centre.actor(centre.agent("8001"))
    centre.agent("8002")
    await centre.open()
    call = actions.dial(by=anna, to_seat="8002", whom="坐席8002", purpose="seat", ref="", place="330199001001")
    await centre.settle()
    await centre.does("8001", "answered")
    assert (centre.rings(), centre.seat("8002")) == (["8002"], "ringing")
    await centre.does("8002", "answered")
    assert (centre.hears("8001"), centre.seat("8002")) == ({"8002"}, "talking")
    await centre.asks(actions.hang_up, by=anna, call_id=str(call.call_id))
    assert (centre.seat("8001"), centre.seat("8002")) == ("wrap_up", "wrap_up")
    assert not centre.world.legs


@pytest.mark.req("CALL-05")
@story
@pytest.mark.parametrize(
    ("far", "said"),
    [("busy", "座席忙"), ("refused", "座席拒接"), ("no_answer", "座席无人接听"), ("unreachable", "座席话机未登录")],
)
async def test_a_seat_that_does_not_lift_for_another_is_said_to_be_what_it_was(
    centre: Centre, far: str, said: str
) -> None:
    anna = centre.actor(centre.agent("8001"))
    centre.agent("8002")
    centre.world.behaviour.update({"8001": ("answered",), "8002": (far,)})
    await centre.open()
    call = actions.dial(by=anna, to_seat="8002", whom="坐席8002", purpose="seat", ref="", place="330199001001")
    await centre.settle()
    assert queries.call(str(call.call_id)).result_label == said
    detail = listing.detail(str(call.call_id))
    assert (detail.row.result_label, {leg.seat: leg.result_label for leg in detail.legs}["8002"]) == (said, said)
    assert (centre.seat("8001"), centre.seat("8002")) == ("wrap_up", "ready")
    assert not_lifted(queries.my_call(anna.user_id)) == f"8002：{said}"
    assert centre.world.legs == {}


@pytest.mark.req("CALL-05")
@story
async def test_a_seat_that_talks_is_not_rung_and_its_call_is_left_alone(centre: Centre) -> None:
    anna = centre.actor(centre.agent("8001"))
    bert = centre.agent("8002")
    await centre.open()
    caller = await centre.calls()
    await centre.does("8002", "answered")
    call = actions.dial(by=anna, to_seat="8002", whom="坐席8002", purpose="seat", ref="", place="330199001001")
    await centre.settle()
    assert queries.refusal(anna.user_id) == "8002 座席忙，没有拨出。"
    assert queries.call(str(call.call_id)).result_label == "座席忙"
    assert (centre.seat("8001"), centre.seat("8002"), centre.rings()) == ("ready", "talking", [])
    assert centre.call(caller).user_id == bert.pk
    await centre.does("8002", "ended")
    await centre.later(121)
    call = actions.dial(by=anna, to_seat="8002", whom="坐席8002", purpose="seat", ref="", place="330199001001")
    await centre.settle()
    await centre.calls("13900002222")
    assert centre.rings() == ["8001", "8002"], "somebody in need rings her while Anna's own telephone rings"
    await centre.does("8002", "answered")
    await centre.does("8001", "answered")
    assert queries.call(str(call.call_id)).result_label == "座席忙"
    assert centre.seat("8002") == "talking"


@pytest.mark.req("CALL-04")
@pytest.mark.parametrize(
    ("result", "cause", "seat", "said"),
    [
        ("refused", "seat_no_answer", False, "本席没有接起，没有拨出"), ("refused", "seat_unreachable", False, "本席话机未登录，没有拨出"),
        ("refused", "unknown_number", False, "空号"), ("refused", "refused", False, "对方拒接"), ("refused", "", False, "拒接或空号"),
        ("refused", "", True, "座席没有接听"), ("unreachable", "failed", True, "座席话机接不通"), ("no_answer", "normal", False, "无人接听"),
        ("no_answer", "hung_up", False, "坐席先挂断，没有等到接听"), ("cancelled", "normal", True, "已停止振铃"),
        ("answered", "normal", True, "接通"),
        ("ringing", "", False, ""),
    ],
)  # fmt: skip
def test_every_end_of_a_call_has_a_word_that_says_what_happened(result: str, cause: str, seat: bool, said: str) -> None:
    assert words.went(result, cause, seat=seat) == said


@pytest.mark.req("CALL-13")
@story
async def test_a_robot_call_runs_its_script_and_hands_over_to_a_seat(centre: Centre) -> None:
    centre.agent("8001")
    await centre.open()
    heard: list[str] = []

    async def script(control: object, call_id: str, leg_id: str) -> None:
        await centre.control.engine.play(leg_id, ["elder_check"], play_id="p1")
        inbox = centre.control.inbox(leg_id)
        heard.append((await inbox.get()).digit)
        await centre.control.enqueue(call_id, leg_id, priority=9)

    centre.control.scripts["elder_check"] = script
    call = actions.robot_call(
        number=SON, whom="王奶奶", purpose="elder_check", ref="incident:1", place="330199001001", script="elder_check", says="",
    )  # fmt: skip
    actions.command(verb="robot", by=actions_clock(), call_id=str(call.call_id))
    await centre.settle()
    assert centre.rings() == [SON]
    await centre.does(SON, "answered")
    await centre.does(SON, "key:1")
    assert heard == ["1"]
    assert centre.rings() == ["8001"]
    await centre.does("8001", "answered")
    assert centre.hears(SON) == {"8001"}
    await centre.does(SON, "ended")
    call.refresh_from_db()
    assert (call.state, call.result) == ("ended", "answered")
    assert not centre.world.legs


@pytest.mark.req("CALL-04")
@story
async def test_without_a_line_to_the_outside_a_robots_call_says_so_and_not_that_he_refused(centre: Centre) -> None:
    centre.world.dead.add("trunk")
    await centre.open()
    call = actions.robot_call(
        number=SON, whom="儿子", purpose="contact_robot", ref="", place="330199001001", script="press_one", says="",
    )  # fmt: skip
    actions.command(verb="robot", by=actions_clock(), call_id=str(call.call_id))
    await centre.settle()
    call.refresh_from_db()
    assert (call.state, call.result) == ("ended", "unreachable")
    assert queries.call(str(call.call_id)).result_label == "线路不通"
    assert call_went(call.result, 0) == "线路不通"


def actions_clock():  # type: ignore[no-untyped-def]
    from anju.kernel.flow.actor import THE_CLOCK

    return THE_CLOCK
