"""Calls that a person makes from a case with a real engine: they tick themselves, and a failed one is shouted."""

import pytest

from anju.calls import queries as call_queries
from anju.calls.models import Call, SeatState, Switchboard
from anju.incidents import actions
from anju.kernel.flow.actor import NotAllowed


@pytest.mark.req("INC-02", "CALL-08")
def test_a_contact_is_dialled_from_the_case_and_the_attempt_ticks_itself(story, phone):
    story.accepted()
    story.do("no_answer")
    attempt = actions.call_contact(incident_id=story.it.pk, rung=0, by=story.agent)
    call = phone.dialled("contact")
    assert str(attempt.call_id) == str(call.call_id)
    assert [c.args["far_leg"] for c in phone.asked("dial")] == [call.legs.get(role="contact").leg_id]
    assert attempt.state == "ringing"
    story.let_pass(seconds=20)
    phone.lifts(call, "contact")
    assert story.view().ladder[0].state == "talking"
    story.let_pass(seconds=70)  # the ringing time would be over: she still speaks
    assert story.view().ladder[0].state == "talking"
    assert story.view().ladder[1].state == "idle"
    with pytest.raises(NotAllowed, match="正在和这位通话"):
        actions.call_contact(incident_id=story.it.pk, rung=0, by=story.agent)
    phone.ends(call)
    assert story.view().ladder[0].state == "unsaid"
    assert story.said("的通话：接通 1 分 10 秒")
    story.answer(attempt, "coming_with_key", eta_minutes=10)
    assert story.state == "helper_coming"
    assert Call.objects.filter(purpose="contact").count() == 1  # no second row by hand


@pytest.mark.req("INC-02")
@pytest.mark.parametrize(("how", "said"), [("busy", "占线"), ("no_answer", "无人接听"), ("refused", "拒接或空号")])
def test_a_contact_who_is_not_reached_gives_the_turn_to_the_next(story, phone, how, said):
    story.accepted()
    story.do("no_answer")
    actions.call_contact(incident_id=story.it.pk, rung=0, by=story.agent)
    phone.ends(phone.dialled("contact"), how)
    ladder = story.view().ladder
    assert (ladder[0].result, ladder[1].state) == ("no_answer", "turn")
    assert story.said("的通话", said)


@pytest.mark.req("INC-02")
def test_an_answered_call_of_which_nothing_is_written_down_is_said_as_it_is_and_the_next_has_the_turn(story, phone):
    story.accepted()
    story.do("no_answer")
    actions.call_contact(incident_id=story.it.pk, rung=0, by=story.agent)
    call = phone.dialled("contact")
    phone.lifts(call, "contact")
    phone.ends(call)
    story.let_pass(seconds=60)
    ladder = story.view().ladder
    assert (ladder[0].result, ladder[0].result_label, ladder[1].state) == ("no_result", "接通，没有登记结果", "turn")


@pytest.mark.req("INC-05", "CALL-08")
def test_who_is_on_the_way_is_rung_again_and_the_duty_to_ask_ticks_itself(story, phone):
    story.accepted()
    story.do("no_answer")
    attempt = story.live()[0]
    story.answer(attempt, "coming", eta_minutes=15)
    story.let_pass(minutes=4)
    assert story.dues()["ask_helper"] == 60
    actions.call_contact(incident_id=story.it.pk, rung=attempt.rung, by=story.agent)
    call = phone.dialled("contact")
    phone.lifts(call, "contact")
    story.let_pass(seconds=30)
    phone.ends(call)
    assert story.dues()["ask_helper"] == 300
    assert story.state == "helper_coming"
    assert story.it.attempts.count() == 1
    assert story.said("催问赶赴的人到哪里了", "接通 30 秒")


@pytest.mark.req("INC-05", "INC-02")
def test_120_goes_out_from_the_seat_its_duties_tick_and_what_failed_is_shouted(story, phone):
    story.accepted()
    story.do("call_120", note="胸口疼")
    call = phone.dialled("120")
    assert (call.number, call.by_user) == ("120", story.agent.user_id)
    assert story.said("呼 120（座席电话拨出，人工操作）")
    phone.ends(call, "busy")
    assert story.said("120没有拨出：占线。请马上用旁边的电话拨打")
    assert "not_dialled" in {b.reason for b in story.view().bells}
    assert "ask_120_sent" in story.dues()
    actions.call_rescue(incident_id=story.it.pk, number="120", by=story.agent)
    second = phone.dialled("120")
    assert second.pk != call.pk
    story.let_pass(seconds=5)
    phone.lifts(second, "120")
    assert story.said("120 接通")
    story.let_pass(seconds=48)
    phone.ends(second)
    assert story.said("与 120 的通话：接通 48 秒")
    assert story.dues()["ask_120_sent"] == 120  # asked just now
    story.tick("ask_120_sent", sent=True)
    story.let_pass(minutes=4)
    actions.call_rescue(incident_id=story.it.pk, number="120", by=story.agent)
    third = phone.dialled("120")
    phone.lifts(third, "120")
    phone.ends(third)
    assert story.dues()["ask_120_position"] == 300
    with pytest.raises(NotAllowed, match="还没有呼叫 110"):
        actions.call_rescue(incident_id=story.it.pk, number="110", by=story.agent)


@pytest.mark.req("INC-02")
def test_without_an_engine_or_a_softphone_it_stays_by_hand_and_nobody_is_told_otherwise(story):
    story.accepted()
    story.do("call_120")
    assert story.said("呼 120（人工拨打）")
    assert Call.objects.get(purpose="120").by_hand
    attempt = actions.call_contact(incident_id=story.it.pk, rung=0, by=story.agent)
    assert attempt.call_id is None
    assert actions.call_elder(incident_id=story.it.pk, by=story.agent) == ""
    assert not Call.objects.filter(by_hand=False).exists()


@pytest.mark.req("INC-02")
def test_with_an_engine_a_person_may_still_say_that_she_dialled_by_hand(story, phone):
    story.accepted()
    story.do("call_110", by_hand=True)
    assert Call.objects.get(purpose="110").by_hand
    assert story.said("呼 110（人工拨打）")
    Switchboard.objects.update(engine_ok=False)  # the engine is gone: the button works as before
    story.do("call_119", note="要破门")
    assert Call.objects.get(purpose="119").by_hand


@pytest.mark.req("INC-02")
def test_the_simulator_is_never_told_as_a_telephone(story, phone, settings):
    Switchboard.objects.update(real=False)
    story.accepted()
    story.do("call_120", note="胸口疼")
    assert story.said("呼 120（模拟话务，没有真的拨出）")  # a demo plays along, and says so
    settings.DEMO = False
    story.do("call_119", note="要破门")
    assert Call.objects.get(purpose="119").by_hand  # in production nobody is told that it rang


@pytest.mark.req("INC-02")
def test_a_refused_dial_never_undoes_the_move_and_is_never_written_as_made(story, phone, monkeypatch):
    def refuses(**_):
        raise NotAllowed("您的坐席没有上线")

    story.accepted()
    monkeypatch.setattr("anju.incidents.actions.dialling.calls.dial", refuses)
    story.do("call_120")
    assert story.state == "rescuing"
    assert not Call.objects.exists()
    assert story.said("120没有拨出：您的坐席没有上线")


def test_a_drill_rings_nobody(story, phone):
    from anju.places.tests.factories import LOTUS

    story.it = actions.open_by_hand(
        by=story.agent, place=LOTUS, kind="drill", kind_label="演练", home_id=story.home.pk, elder_id=story.elder.pk,
        drill=True,
    )  # fmt: skip
    story.do("call_120", note="演练")
    actions.call_contact(incident_id=story.it.pk, rung=0, by=story.agent)
    actions.call_elder(incident_id=story.it.pk, by=story.agent)
    assert not Call.objects.exists()
    assert not phone.asked("dial")
    assert story.said("演练：没有真的拨打 120")


@pytest.mark.req("INC-03", "CALL-02")
def test_b_joins_the_call_that_a_has_with_the_elder_and_stays_with_her(story, phone):
    call = phone.rings_in("057186123456", home=story.home)
    phone.case(call)
    call = phone.taken(call)
    actions.take_seat(incident_id=story.it.pk, seat="B", by=story.mate)
    joined = phone.asked("join")
    assert [(str(c.call_id), c.by_user) for c in joined] == [(str(call.call_id), story.mate.user_id)]
    story.do("needs_help", kind="fallen")
    story.do("call_119", note="门开不了")
    phone.joins(call, "agent_b", name="mate")
    assert story.said("B 席", "加入通话")
    assert {"calm", "listen_in"} <= {d.name for d in story.view().duties if d.times}


def test_b_without_a_softphone_sits_all_the_same(story, phone):
    call = phone.taken(phone.rings_in("057186123456", home=story.home))
    phone.case(call)
    SeatState.objects.filter(user=story.users["mate"]).update(registered=False)
    actions.take_seat(incident_id=story.it.pk, seat="B", by=story.mate)
    assert story.fresh().b_seat_id == story.mate.user_id
    assert not phone.asked("join")


@pytest.mark.req("CALL-02", "INC-05")
def test_from_within_the_call_with_the_elder_120_and_a_daughter_are_brought_into_it(story, phone):
    call = phone.rings_in("057186123456", home=story.home)
    phone.case(call)
    call = phone.taken(call)
    story.do("call_120", note="摔了")
    asked = phone.asked("conference")[0]
    assert (str(asked.call_id), asked.args["number"], asked.args["role"]) == (str(call.call_id), "120", "120")
    phone.joins(call, "120", leg_id=asked.args["leg_id"])
    assert story.said("120加入通话")
    story.let_pass(seconds=40)
    phone.leaves(call, "120", 40, leg_id=asked.args["leg_id"])
    assert story.dues()["ask_120_sent"] == 120
    attempt = actions.call_contact(incident_id=story.it.pk, rung=0, by=story.agent)
    leg = phone.asked("conference")[1].args["leg_id"]
    assert str(attempt.call_id) == leg
    phone.joins(call, "contact", leg_id=leg)
    assert story.view().ladder[0].state == "talking"
    phone.leaves(call, "contact", 25, leg_id=leg)
    assert story.view().ladder[0].state == "unsaid"
    actions.call_contact(incident_id=story.it.pk, rung=1, by=story.agent)
    leg = phone.asked("conference")[2].args["leg_id"]
    phone.leaves(call, "contact", 0, leg_id=leg, result="busy")
    assert story.view().ladder[1].result == "no_answer"
    phone.leaves(call, "110", 0, result="no_answer")
    assert story.said("110没有拨出：无人接听")


@pytest.mark.req("INC-11")
def test_every_call_is_a_line_of_the_story_with_its_recording_by_call_id(story, phone):
    story.accepted()
    call_id = actions.call_elder(incident_id=story.it.pk, by=story.agent)
    call = phone.dialled("elder")
    assert call_id == str(call.call_id)
    phone.lifts(call, "elder")
    story.let_pass(seconds=65)
    phone.ends(call)
    told = [e for e in story.view().timeline if e.data.get("call_id") == call_id]
    assert [e.text for e in reversed(told)] == ["呼老人", "老人的电话接通了", "与老人的通话：接通 1 分 05 秒"]
    assert told[0].data["seconds"] == 65
    assert call_queries.of(f"incident:{story.it.pk}")[0].result == "answered"


@pytest.mark.req("INC-02", "INC-07")
@pytest.mark.parametrize("lifted", [False, True])
def test_when_she_is_well_the_robot_rings_no_contact_any_more_and_cuts_nobody_off(story, phone, lifted):
    story.opened()
    story.let_pass(seconds=15)
    for _ in range(5):
        story.let_pass(seconds=30)
    call = phone.dialled("contact_robot")
    assert story.it.attempts.get(call_id=call.call_id).state == "ringing"
    if lifted:
        phone.lifts(call, "contact")
    story.do("accept")
    story.do("safe")
    assert [str(c.call_id) for c in phone.asked("hang_up")] == ([] if lifted else [str(call.call_id)])
    assert not story.live()
