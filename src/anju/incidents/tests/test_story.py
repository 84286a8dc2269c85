"""The story of one press, told in the order in which it happens."""

import pytest
from django.db import transaction
from django.db.utils import DatabaseError

from anju.alarms import queries as alarms
from anju.elders import queries as elders
from anju.incidents import queries
from anju.incidents.models import Incident
from anju.kernel.flow import engine
from anju.kernel.flow.actor import THE_CLOCK, NotAllowed
from anju.notices.models import Notice


@pytest.mark.req("INC-01", "INC-08", "INC-11", "SEN-03")
def test_a_press_becomes_a_case_is_handled_followed_up_and_archived_and_every_step_leaves_a_line(story):
    it = story.opened()
    assert it.state == "waiting"
    assert (it.priority, it.home_id, it.elder_id) == (9, story.home.pk, story.elder.pk)
    assert story.dues() == {"state": 15}
    story.let_pass(seconds=8)
    story.do("accept")
    assert story.it.a_seat_id == story.agent.user_id
    story.let_pass(seconds=9)  # the old deadline is gone
    assert story.state == "verifying"
    story.tick("ask_state", note="卫生间滑倒，左腿动不了")
    story.do("safe", note="扶着坐起来了，不疼")
    assert story.state == "follow_up"
    assert story.dues()["state"] == 3 * 86400
    with pytest.raises(NotAllowed, match="归档前写明"):
        story.do("revisited")
    story.do("revisited", state="能走动", mood="平静", needs="想装扶手", cause="地面湿滑")
    assert story.state == "closed"
    assert story.it.outcome_class == "safe"
    for part in (("卫生间", "求助"), ("接警", "8 秒"), ("左腿动不了",), ("确认平安",), ("回访", "想装扶手")):
        assert story.said(*part), part
    alarm = alarms.by_case(case_kind="incident", case_id=it.pk)[0]
    assert alarm.state == "closed"
    history = [line.text for line in elders.history_of(story.elder.pk)]
    assert len(history) == 1
    assert it.number in history[0]
    assert "地面湿滑" in history[0]
    replay = queries.replay(it.pk, story.agent.roles)
    assert {i["what"] for i in replay.items} >= {"movement", "entry"}
    assert [i["at"] for i in replay.items] == sorted(i["at"] for i in replay.items)


@pytest.mark.req("INC-02")
def test_a_demo_without_an_outside_line_says_so_once_and_dials_nobody(story, monkeypatch):
    monkeypatch.setattr("anju.incidents.actions.messages.no_line", lambda: True)
    story.opened()
    story.let_pass(seconds=90)
    assert story.state == "overdue"
    assert sum("演示没有外线" in line for line in story.lines()) == 1
    assert not story.said("机器人正在呼叫老人")


@pytest.mark.req("INC-02", "INC-01")
def test_nobody_acts_so_the_clock_calls_people_until_a_person_must_dial(story):
    story.opened()
    story.let_pass(seconds=15)
    assert story.state == "overdue"
    pages = Notice.objects.filter(template="page_unanswered", channel="platform")
    assert pages.count() == 1
    assert pages.get().user_id == story.lead.user_id
    assert story.said("机器人正在呼叫老人")
    assert story.said("短信没有发出")  # no channel is configured, and the page says so
    story.let_pass(seconds=30)
    assert pages.count() == 2
    story.let_pass(minutes=3)
    assert story.state == "overdue"
    assert pages.count() >= 4
    assert story.said("机器人呼叫", "按 1 接手")
    with pytest.raises(NotAllowed):
        engine.make(story.it, "call_120", THE_CLOCK, note="到时")
    story.do("accept", by=story.lead)
    assert story.state == "verifying"


@pytest.mark.req("INC-02", "REG-13")
def test_the_contacts_are_asked_one_after_the_other_and_when_nobody_is_reached_somebody_must_dial(story):
    story.accepted()
    story.let_pass(minutes=2)
    assert story.state == "contacting"  # she did not answer
    rungs = story.view().ladder
    assert [r.kind_label for r in rungs][:4] == ["监护人", "监护人", "网格员", "网格员"]
    assert rungs[0].state == "turn"
    assert "****" in rungs[0].phone_masked
    from anju.incidents import actions

    first = actions.call_contact(incident_id=story.it.pk, rung=0, by=story.agent)
    story.answer(first, "wrong_number", note="空号")
    assert elders.contacts_of(story.elder.pk)[0].flagged_reason
    assert story.view().ladder[1].state == "turn"
    story.let_pass(seconds=60)  # nobody dialled the second: said as it is
    assert story.view().ladder[1].result == "not_called"
    third = story.live()[0]
    assert third.rung == 2
    story.answer(third, "no_answer")
    for attempt in iter(story.live, []):
        story.answer(attempt[0], "cannot")
        if story.state != "contacting":
            break
    assert story.state == "rescue_due"
    assert story.dues()["state"] == 30
    assert Notice.objects.filter(template="page_rescue").count() == 1
    story.let_pass(seconds=65)
    assert story.state == "rescue_due"
    assert Notice.objects.filter(template="page_rescue").count() == 3
    story.do("call_110")
    assert story.state == "rescuing"


@pytest.mark.req("INC-02")
def test_six_minutes_are_the_end_of_asking_even_if_contacts_are_left(story):
    story.accepted()
    story.do("no_answer")
    story.let_pass(minutes=6)
    assert story.state == "rescue_due"


@pytest.mark.req("INC-02", "INC-05")
def test_a_contact_goes_is_asked_every_five_minutes_and_when_late_the_rest_is_asked(story):
    story.accepted()
    story.do("no_answer")
    attempt = story.live()[0]
    story.answer(attempt, "coming_with_key", eta_minutes=12)
    assert story.state == "helper_coming"
    assert story.dues()["state"] == 12 * 60
    assert story.dues()["ask_helper"] == 300
    rung = story.view().ladder[0]
    assert (rung.state, rung.result_label) == ("coming", "赶来，带钥匙")
    assert "带钥匙" in {line.label: line.text for line in story.view().sheet.lines}["接应"]
    story.let_pass(minutes=5)
    assert story.said("到点没做", "催问")
    assert Notice.objects.filter(template="page_duty").exists()
    story.tick("ask_helper", note="在路口了")
    story.let_pass(minutes=7)
    assert story.state == "contacting"
    assert Notice.objects.filter(template="page_helper").exists()
    assert story.view().ladder[1].state == "turn"  # the rest of the ladder
    story.answer(story.live()[-1], "coming", eta_minutes=120)
    assert story.dues()["state"] == 15 * 60  # at most fifteen minutes
    from anju.incidents import actions

    actions.arrived(attempt_id=story.live()[-1].pk, by=story.agent, finding="坐在地上，清醒")
    assert story.state == "on_scene"
    story.do("to_hospital", hospital="区第一医院", escort="儿子")
    assert story.it.outcome_class == "hospital"
    assert "区第一医院" in story.it.outcome


def test_the_database_itself_refuses_a_state_that_no_move_leads_to(story):
    story.opened()
    with pytest.raises(DatabaseError), transaction.atomic():
        Incident.objects.filter(pk=story.it.pk).update(state="on_scene")
    story.do("accept")
    assert story.state == "verifying"
