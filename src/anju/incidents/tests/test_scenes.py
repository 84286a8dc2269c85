"""The five rescue scenes as checklists with their own clocks; silent callers; withdrawing; the way to the archive."""

import pytest

from anju.calls import queries as calls
from anju.incidents import actions
from anju.incidents.flow import INCIDENT
from anju.incidents.scenes import NEED_KINDS, SCENE_DUTIES, SCENES
from anju.kernel.flow.actor import NotAllowed
from anju.notices.models import Notice


def duties(story, who="agent"):
    """Names of the duties that the case has now, by seat."""
    return {d.name: d for d in story.view(who).duties}


@pytest.mark.req("INC-05")
def test_every_scene_names_duties_of_the_table():
    known = {d.name for s in INCIDENT.states for d in s.duties}
    assert known >= SCENE_DUTIES
    assert set(SCENES) >= {"120", "110", "119", "contact", "fallen", "silent"}
    assert {s for _, scenes in NEED_KINDS.values() for s in scenes} <= set(SCENES)


@pytest.mark.req("INC-05", "LEAP-06")
def test_ambulance_none_free_every_two_minutes_then_sent_and_its_position_every_five(story):
    story.accepted()
    story.do("call_120", note="胸口疼，说不出话")
    assert story.state == "rescuing"
    assert story.dues() | {"state": 600, "ask_120_sent": 120, "ask_condition": 120} == story.dues()
    assert "ask_120_position" not in duties(story)
    assert duties(story)["cash_and_card"].seat == "B"
    assert {"give_sheet", "give_route", "meet_at_gate", "ask_relatives", "listen_in"} <= set(duties(story))
    story.let_pass(minutes=2)
    assert duties(story)["ask_120_sent"].overdue
    story.tick("ask_120_sent", sent=False)
    assert story.dues()["ask_120_sent"] == 120
    assert not duties(story)["ask_120_sent"].overdue
    story.tick("ask_120_sent", sent=True, note="约 12 分钟")
    assert "ask_120_sent" not in story.dues()
    assert story.dues()["ask_120_position"] == 300
    assert story.dues()["tell_position"] == 600
    story.let_pass(minutes=4)
    story.tick("ask_120_position", note="到潮音路口")
    assert story.dues()["ask_120_position"] == 300
    story.tick("cash_and_card", by=story.mate)
    assert duties(story)["cash_and_card"].done_by == story.mate.name
    assert story.said("问救护车到哪里了", "潮音路口")


@pytest.mark.req("INC-05")
def test_one_case_may_have_the_ambulance_the_police_and_a_daughter_at_once(story):
    story.accepted()
    story.do("call_120", sent=True)
    story.let_pass(minutes=3)
    story.do("call_110", note="门反锁")
    assert story.state == "rescuing"
    assert story.dues()["state"] == 7 * 60  # one more call does not restart the others' clocks
    assert story.dues()["ask_120_position"] == 120
    assert story.dues()["ask_110_arrived"] == 15 * 60
    attempt = actions.call_contact(incident_id=story.it.pk, rung=0, by=story.agent)
    story.answer(attempt, "coming", eta_minutes=25)
    assert story.state == "rescuing"
    assert story.dues()["ask_contact_arrived"] == 600
    assert {c.purpose for c in calls.of(f"incident:{story.it.pk}")} == {"120", "110", "contact"}
    story.do("call_119", note="要破门")
    assert story.dues()["ask_119_arrived"] == 15 * 60


@pytest.mark.req("INC-05")
def test_a_helper_who_finds_her_on_the_floor_need_not_wait_for_a_state(story):
    story.opened()
    story.do("call_120", note="邻居看见她倒地")  # nobody had even accepted
    assert story.it.accepted_at is not None
    assert story.it.a_seat_id == story.agent.user_id
    story.do("arrived", note="清醒")
    story.do("call_119", note="门锁坏了")
    assert story.state == "rescuing"
    story.do("needs_help", kind="fallen")
    assert "ring_contacts" in duties(story)
    with pytest.raises(NotAllowed, match="选一种救援需要"):
        story.do("needs_help", kind="party")


@pytest.mark.req("INC-02", "REG-06")
def test_without_a_signed_authority_the_button_asks_for_a_reason_and_never_refuses(story):
    from anju.elders.models import Consent

    Consent.objects.all().delete()
    story.accepted()
    button = {m.name: m for m in story.view().moves}["call_120"]
    assert button.needs_reason
    assert "没有代拨 120 的签字授权" in button.reason_why
    with pytest.raises(NotAllowed, match="理由") as refused:
        story.do("call_120")
    assert refused.value.code == "reason"
    story.do("call_120", note="电话里听到她喊疼")
    assert story.state == "rescuing"
    assert story.said("呼 120", "听到她喊疼")


@pytest.mark.req("INC-04")
def test_a_silent_line_is_called_back_twice_and_then_the_contacts_are_asked_at_once(story):
    story.accepted()
    story.do("silent_line")
    story.let_pass(seconds=20)
    story.do("call_back", answered=False)
    assert story.state == "verifying"
    story.do("call_back", answered=False)
    assert story.state == "contacting"
    assert story.said("回拨 2 次无人应答")
    assert story.view().ladder[0].state == "turn"
    assert story.dues()["keep_calling"] == 120  # B goes on
    assert [c.result for c in calls.of(f"incident:{story.it.pk}")] == ["no_answer", "no_answer"]
    story.tick("keep_calling", by=story.mate, note="仍无人接")
    for attempt in iter(story.live, []):
        story.answer(attempt[0], "no_answer")
        if story.state == "rescue_due":
            break
    story.do("call_110", note="无人应答，请上门查看")
    assert {"keep_calling", "tell_committee", "police_lead", "ask_110_arrived"} <= set(duties(story))
    with pytest.raises(NotAllowed, match="写明谁联系上了老人"):
        actions.withdraw(incident_id=story.it.pk, by=story.agent, reason=" ")
    actions.withdraw(incident_id=story.it.pk, by=story.agent, reason="老人接了电话，刚才在楼下，没带手机")
    assert story.state == "follow_up"
    assert story.it.outcome_class == "safe"
    told = Notice.objects.filter(template="contact_withdrawn", channel="sms").count()
    assert told == len(story.it.plan["contacts"])
    assert Notice.objects.filter(template="committee_withdrawn").exists()
    assert story.said("打 110 撤警")
    assert not story.live()


@pytest.mark.req("INC-04")
def test_she_answers_the_call_back_and_the_count_begins_anew(story):
    story.accepted()
    story.do("call_back", answered=False)
    story.do("call_back", answered=True)
    story.do("call_back", answered=False)
    assert story.state == "verifying"
    story.let_pass(minutes=2)
    assert story.state == "contacting"


@pytest.mark.req("INC-06")
def test_the_rescue_sheet_is_read_from_the_frozen_copy_in_seconds(story):
    story.accepted()
    story.tick("ask_state", note="左髋疼，不能站，清醒")
    sheet = story.view().sheet
    lines = {line.label: line.text for line in sheet.lines}
    assert list(lines)[:4] == ["地址", "进场", "病人", "状况"]
    assert "荷汀" in lines["地址"]
    assert "东门" in lines["进场"]
    assert "无电梯" in lines["进场"]
    assert "沈玉芬，女" in lines["病人"]
    assert "左髋疼" in lines["状况"]
    assert "青霉素" in lines["过敏"]
    assert 10 <= sheet.seconds <= 60
    story.home.entrance = "西门"
    story.home.save()
    assert "东门" in story.view().sheet.spoken


@pytest.mark.req("INC-08")
def test_nobody_visits_within_three_days_so_the_lead_hears_of_it_and_it_can_be_opened_again(story):
    story.accepted()
    story.do("safe", note="没事")
    story.let_pass(days=3)
    assert story.state == "follow_up"
    assert Notice.objects.filter(template="page_follow_up").count() == 1
    with pytest.raises(NotAllowed, match="为什么重新处置"):
        story.do("reopened")
    story.do("reopened", note="家属来电，人又不舒服")
    assert story.state == "verifying"
    assert story.it.outcome_class == ""


@pytest.mark.req("INC-09")
def test_false_alarms_are_classes_and_the_third_in_a_month_asks_for_a_visit(story):
    for n, kind in enumerate(["mis_press", "child", "device_fault"]):
        story.accepted()
        with pytest.raises(NotAllowed, match="误报原因"):
            story.do("false_alarm")
        story.do("false_alarm", **{"class": kind})
        assert story.state == "closed"
        assert story.it.outcome_class == kind
        assert Notice.objects.filter(template="page_false_alarms").exists() == (n == 2)
        story.let_pass(hours=5)
    assert story.said("误报", "设备故障")


@pytest.mark.req("INC-08", "INC-09")
def test_late_data_may_close_only_what_nobody_took_and_what_no_press_is_in(story):
    from datetime import timedelta

    from anju.kernel import clock

    later = clock.now() + timedelta(hours=2)
    story.opened("inactivity")
    assert not actions.late_data(incident_id=story.it.pk, deadline=clock.now(), text="时限已过")
    assert actions.late_data(incident_id=story.it.pk, deadline=later, text="11:50 厨房有活动")
    assert story.state == "closed"
    assert story.it.outcome_class == "late_data"
    story.opened("sos")
    assert not actions.late_data(incident_id=story.it.pk, deadline=later, text="有活动")
    assert story.state == "waiting"
    story.do("accept")
    assert not actions.late_data(incident_id=story.it.pk, deadline=later, text="有活动")
    assert story.said("迟到数据：有活动。核实后可解除")


@pytest.mark.req("INC-10")
def test_a_reminder_waits_longer_and_wakes_no_contact_but_can_become_a_rescue(story):
    from dataclasses import replace

    from anju.alarms import actions as alarms
    from anju.alarms.rules import RULES
    from anju.calls import queries as call_queries
    from anju.incidents.models import Incident
    from anju.kernel import clock
    from anju.places.tests.factories import LOTUS

    mild = replace(RULES["inactivity"], priority=3)
    now = clock.now()
    alarm = alarms.raise_or_join(
        rule=mild, at=now, received_at=now, source="platform", place=LOTUS, home_id=story.home.pk, lco=""
    )
    story.it = Incident.objects.get(pk=alarm.case_id)
    assert story.dues()["state"] == 15 * 60
    story.let_pass(minutes=20)
    assert story.state == "overdue"
    assert {c.purpose for c in call_queries.of(f"incident:{story.it.pk}")} == {"elder_check"}
    assert story.said("没有告知第三方的同意书")
    story.do("accept")
    story.do("needs_help", kind="fallen")
    assert story.state == "rescue_due"
    story.do("call_120")
    assert story.state == "rescuing"


@pytest.mark.req("INC-02", "SYS-10")
def test_contacts_who_were_alarmed_hear_that_she_is_well_and_details_go_to_the_family_only(story):
    from anju.notices import drivers

    class Box:
        name, dedupes, taken = "box", True, []

        def send(self, letter):
            self.taken.append(letter)

    drivers.use("sms", Box())
    try:
        story.accepted()
        story.do("safe", note="没事")
        assert not Notice.objects.filter(template="contact_safe").exists()  # nobody had been alarmed
        story.let_pass(hours=1)
        story.accepted()
        story.do("no_answer")
        story.do("safe", note="在洗澡")
        told = Notice.objects.filter(template="contact_safe", channel="sms")
        assert told.count() == len(story.it.plan["contacts"])
        assert "洗澡" not in told[0].text
        story.let_pass(hours=1)
        story.accepted()
        story.do("call_120", sent=True)
        story.do("arrived")
        story.do("to_hospital", hospital="区第一医院")
        told = Notice.objects.filter(template="contact_result", channel="sms")
        assert told.count() == sum(c["kind"] == "guardian" for c in story.it.plan["contacts"])
    finally:
        drivers.use("sms", None)


@pytest.mark.req("INC-05")
def test_a_contact_who_comes_late_is_on_the_scene_all_the_same(story):
    story.accepted()
    story.do("no_answer")
    attempt = story.live()[0]
    story.answer(attempt, "coming", eta_minutes=5)
    story.let_pass(minutes=5)
    assert story.state == "contacting"
    actions.arrived(attempt_id=attempt.pk, by=story.agent, finding="坐在沙发上")
    assert story.state == "on_scene"
    assert not story.live()[1:]


@pytest.mark.req("SYS-10", "INC-02")
def test_a_page_goes_to_the_lead_inside_and_outside_once_each(story):
    from anju.kernel.testing import run_jobs
    from anju.notices import drivers, queries

    class Box:
        name, dedupes, taken = "box", True, []

        def send(self, letter):
            self.taken.append(letter)

    box = Box()
    drivers.use("webhook", box)
    try:
        story.opened()
        story.let_pass(seconds=16)
        run_jobs()
        run_jobs()
        assert [n.template for n in queries.inbox(story.lead.user_id)] == ["page_unanswered"]
        assert queries.inbox(story.agent.user_id) == []
        assert [t.to for t in box.taken] == [story.lead.name]
        assert "15 秒无人接警" in box.taken[0].text
    finally:
        drivers.use("webhook", None)


def test_without_a_lead_on_duty_the_story_says_that_nobody_can_be_paged(story):
    from anju.accounts.models import Posting

    Posting.objects.filter(role="lead").delete()
    story.opened()
    story.let_pass(seconds=15)
    assert story.state == "overdue"
    assert story.said("没有值班长在岗")


@pytest.mark.req("SYS-11")
def test_odd_values_from_machines_are_refused_with_a_sentence_or_dropped(story):
    story.accepted()
    for move, data in (
        ("helper_going", {"eta_minutes": "soon"}),
        ("helper_going", {"eta_minutes": 10**30}),
        ("helper_going", {"eta_minutes": -3}),
        ("needs_help", {"kind": ["medical"]}),
        ("false_alarm", {"class": {"x": 1}}),
        ("hand_over", {"to_user_id": "nobody"}),
        ("hand_over", {"to_user_id": 0}),
        ("no_such_move", {}),
    ):
        with pytest.raises(NotAllowed) as refused:
            actions.move(incident_id=story.it.pk, move=move, by=story.agent, data=data)
        assert str(refused.value)
    story.do("call_120", sent="true", eta_minutes="12", surprise="x\x00y")
    assert story.said("已派车", "约 12 分钟")
    with pytest.raises(NotAllowed, match="区划"):
        actions.open_by_hand(by=story.agent, place="999999999999", kind="call", kind_label="来电")
