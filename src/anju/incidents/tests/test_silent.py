"""A silent line (INC-04): two call-backs driven by the clock, then the contacts; she answers and all is withdrawn."""

from datetime import timedelta

import pytest

from anju.calls import actions as calls
from anju.calls.models import Call, SeatState, Switchboard
from anju.incidents import actions
from anju.incidents.models import ElderCall
from anju.kernel import clock
from anju.kernel.testing import run_jobs
from anju.notices.models import Notice


def rounds(story):
    """The call-backs: round and state."""
    return [(c.round, c.state) for c in ElderCall.objects.filter(incident=story.it).order_by("id")]


@pytest.mark.req("INC-04")
def test_the_clock_rings_her_back_twice_through_seat_a_and_then_asks_the_contacts(story, phone):
    story.accepted()
    story.do("silent_line")
    assert rounds(story) == [(1, "due")]
    story.let_pass(seconds=5)
    first = phone.dialled("elder")
    assert first.by_user == story.agent.user_id
    assert rounds(story) == [(1, "ringing")]
    story.let_pass(seconds=20)
    phone.ends(first, "no_answer")
    assert rounds(story) == [(1, "failed"), (2, "due")]
    assert story.state == "verifying"
    story.let_pass(seconds=5)
    second = phone.dialled("elder")
    assert second.pk != first.pk
    phone.lifts(second, "elder")  # voicemail, say
    assert rounds(story)[-1] == (2, "listening")
    story.let_pass(seconds=60)  # nobody spoke
    assert rounds(story)[-1] == (2, "failed")
    assert story.state == "contacting"
    assert story.said("回拨 2 次无人应答")
    assert story.view().ladder[0].state == "turn"
    assert story.dues()["keep_calling"] == 120
    assert phone.count("elder") == 2


@pytest.mark.req("INC-04")
def test_she_speaks_in_the_second_call_back_and_the_agent_says_so(story, phone):
    story.accepted()
    story.do("silent_line")
    story.let_pass(seconds=5)
    phone.ends(phone.dialled("elder"), "busy")
    story.let_pass(seconds=5)
    phone.lifts(phone.dialled("elder"), "elder")
    story.do("call_back", answered=True)
    assert rounds(story) == [(1, "failed"), (2, "answered")]
    assert story.fresh().callbacks == 0
    story.let_pass(seconds=60)
    assert story.state == "verifying"
    assert not Call.objects.filter(by_hand=True).exists()
    story.do("safe", note="刚才手机掉地上了")
    assert story.state == "follow_up"


@pytest.mark.req("INC-04")
def test_a_robot_that_rings_her_gives_way_to_the_call_back_and_one_that_she_answered_by_key_does_not(story, phone):
    """Her line has room for one: the robot of another matter is hung up first; whom she has pressed a key for is waited for."""
    story.accepted()
    number = story.fresh().plan["elder"]["phone"]
    care = calls.robot_call(
        number=number, whom="沈玉芬", purpose="elder_check", ref="order:7", place=story.fresh().place, script="elder_check", says="",
    )  # fmt: skip
    story.do("silent_line")
    story.let_pass(seconds=5)
    assert phone.count("elder") == 0
    assert [row.call_id for row in phone.asked("hang_up")] == [care.call_id]
    assert rounds(story) == [(1, "due")]
    assert story.said("先挂断它")
    phone.ends(care, "no_answer")
    story.let_pass(seconds=5)
    assert phone.count("elder") == 1
    phone.ends(phone.dialled("elder"), "no_answer")
    other = calls.robot_call(
        number=f"+86{number}", whom="沈玉芬", purpose="elder_check", ref="order:8", place=story.fresh().place, script="elder_check",
        says="",
    )  # fmt: skip
    calls.heard(call_id=str(other.call_id), event="ringing")
    calls.heard(call_id=str(other.call_id), event="answered")
    phone.presses(other, "1")
    Call.objects.filter(pk=other.pk).update(seen_at=clock.now() + timedelta(minutes=1))
    before = len(phone.asked("hang_up"))
    story.let_pass(seconds=5)
    assert (phone.count("elder"), len(phone.asked("hang_up"))) == (1, before)
    phone.ends(other)
    story.let_pass(seconds=5)
    assert phone.count("elder") == 2


@pytest.mark.req("INC-04")
def test_while_the_silent_call_is_still_up_nobody_is_rung_back(story, phone):
    call = phone.taken(phone.rings_in("057186123456", home=story.home))
    phone.case(call)
    story.do("silent_line")
    story.let_pass(seconds=10)
    assert phone.count("elder") == 0
    assert rounds(story) == [(1, "due")]
    phone.ends(call)
    phone.seat_is("agent", "wrap_up")
    story.let_pass(seconds=5)
    assert phone.count("elder") == 1
    story.do("needs_help", kind="silent")  # decided otherwise: no further call-back
    assert rounds(story) == [(1, "called_off")]
    phone.ends(phone.dialled("elder"), "no_answer")
    assert rounds(story) == [(1, "called_off")]


@pytest.mark.req("INC-04")
def test_when_seat_a_has_no_softphone_the_robot_rings_and_only_a_key_counts(story, phone):
    SeatState.objects.all().delete()
    story.accepted()
    story.do("silent_line")
    story.let_pass(seconds=5)
    first = phone.dialled("elder_check")
    assert first.script == "silent_check"
    phone.lifts(first, "elder")
    phone.ends(first)
    assert rounds(story) == [(1, "failed"), (2, "due")]
    assert story.said("机器人呼叫老人：接通但没有按键，不算应答")
    story.let_pass(seconds=5)
    second = phone.dialled("elder_check")
    phone.lifts(second, "elder")
    phone.presses(second, "1")
    assert rounds(story)[-1] == (2, "answered")
    assert story.state == "verifying"
    assert story.said("老人在机器人电话里按 1")


@pytest.mark.req("INC-04")
def test_without_any_engine_a_person_is_asked_to_dial_and_asked_again(story):
    story.accepted()
    story.do("silent_line")
    story.let_pass(seconds=5)
    assert rounds(story) == [(1, "by_hand")]
    assert story.said("第 1 次回拨要人拨打")
    story.let_pass(seconds=30)
    assert len([b for b in story.view().bells if b.reason == "call_back"]) == 2
    story.do("call_back", answered=False)
    story.let_pass(seconds=5)
    story.do("call_back", answered=False)
    assert story.state == "contacting"
    assert [c.purpose for c in Call.objects.filter(by_hand=True)] == ["elder", "elder"]
    assert rounds(story) == [(1, "failed"), (2, "failed")]


@pytest.mark.req("INC-04", "INC-05")
def test_b_keeps_calling_the_robot_helps_her_key_proposes_to_withdraw_and_everybody_is_told(story, phone):
    story.accepted()
    actions.take_seat(incident_id=story.it.pk, seat="B", by=story.mate)
    story.do("no_answer")
    story.do("nobody_reached")
    story.do("call_110", note="无人应答，请上门查看")
    phone.ends(phone.dialled("110"))  # the police were rung (nobody lifted yet: it is shouted)
    actions.call_elder(incident_id=story.it.pk, by=story.mate)
    phone.ends(phone.dialled("elder"), "no_answer")
    assert story.dues()["keep_calling"] == 120
    done = {d.name: d for d in story.view().duties}["keep_calling"]
    assert (done.times, done.done_by) == (1, story.mate.name)
    story.let_pass(seconds=120)  # B did not: the lead hears of it, and the robot rings
    robot = phone.dialled("elder_check")
    run_jobs()
    phone.lifts(robot, "elder")
    assert not story.said("人有反应")  # an answer alone is nothing
    phone.presses(robot, "1")
    assert story.state == "rescuing"  # nothing is withdrawn by itself
    proposal = next(e for e in story.view().timeline if e.kind == "proposal")
    assert proposal.data["move"] == "withdraw"
    assert "elder_there" in {b.reason for b in story.view().bells}
    phone.presses(robot, "1")
    assert len([e for e in story.view().timeline if e.kind == "proposal"]) == 1
    phone.ends(robot)
    actions.withdraw(incident_id=story.it.pk, by=story.agent, reason="老人在楼下，人没事")
    assert Notice.objects.filter(template="contact_withdrawn").exists()
    assert Notice.objects.filter(template="committee_withdrawn").exists()
    assert story.said("打 110 撤警")


@pytest.mark.req("INC-04")
def test_a_person_who_gets_her_on_the_line_is_offered_to_end_it_and_needs_help_is_never_that(story, phone):
    story.accepted()
    story.do("no_answer")
    actions.call_elder(incident_id=story.it.pk, by=story.mate)
    phone.lifts(phone.dialled("elder"), "elder")
    assert [e.data["move"] for e in story.view().timeline if e.kind == "proposal"] == ["safe"]
    story.do("safe", note="人在，刚睡着了")
    assert story.state == "follow_up"


def test_the_engine_dies_before_the_call_back_so_a_person_is_asked(story, phone):
    story.accepted()
    story.do("silent_line")
    Switchboard.objects.update(engine_ok=False)
    story.let_pass(seconds=5)
    assert rounds(story) == [(1, "by_hand")]
    assert phone.count("elder") == 0
