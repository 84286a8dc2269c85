"""Campaigns: in their window, after everybody else, an answer each, nobody twice, strangers forgotten."""

from __future__ import annotations

from datetime import time, timedelta

import pytest
from django.core.exceptions import PermissionDenied

from anju.accounts.roles import Role
from anju.alarms import states
from anju.calls import actions as calls
from anju.calls.campaigns import actions, queries, rules
from anju.calls.campaigns.models import Campaign, CampaignPerson, DoNotCall
from anju.calls.models import Call
from anju.calls.planned import actions as planned
from anju.calls.planned.models import PlannedCall
from anju.elders.finding import reindex
from anju.incidents.models import Incident
from anju.kernel import clock, crypto, hooks
from anju.kernel.flow import engine
from anju.kernel.flow.actor import NotAllowed
from anju.kernel.scope import Scope, seen_by
from anju.kernel.testing import run_jobs
from anju.places import actions as places

STRANGER = "14400000188"


def later(drive, **by):
    """Time passes, the round of the minute is made."""
    drive.story.let_pass(**by)
    actions.feed_all()
    run_jobs()


@pytest.mark.req("CALL-08")
def test_a_key_is_her_answer_and_the_campaign_ends_when_everybody_is_settled(drive):
    row = drive.started()
    assert "参加请按一" in drive.robot.dialled()[-1].says
    drive.robot.goes("ringing", "answered", "key:3", "ended")
    (person,) = drive.people(row)
    assert (person.state, person.key, person.answered, person.tried) == ("done", "3", True, 1)
    assert queries.tally(row.pk) == [("1", "参加", 0), ("3", "不参加", 1)]
    later(drive, minutes=1)
    assert Campaign.objects.get(pk=row.pk).state == "done"
    assert queries.one(row.pk).progress.percent == 100


@pytest.mark.req("CALL-08")
def test_key_two_takes_the_same_path_as_a_care_call(drive):
    row = drive.started()
    drive.robot.goes("ringing", "answered", "key:2", "ended")
    assert Incident.objects.filter(home_id=drive.story.home.pk, state="waiting").count() == 1
    assert (drive.people(row)[0].state, drive.people(row)[0].key) == ("done", "2")


@pytest.mark.req("CALL-08")
def test_nobody_lifts_tried_again_after_the_gap_then_not_reached_and_no_agents_task(drive):
    row = drive.started()
    drive.robot.goes("ringing", "no_answer")
    assert drive.people(row)[0].state == "waiting"
    later(drive, minutes=58)
    assert len(drive.robot.dialled()) == 1
    later(drive, minutes=3)
    assert len(drive.robot.dialled()) == 2
    drive.robot.goes("ringing", "answered", "ended")
    person = drive.people(row)[0]
    assert (person.state, person.tried, person.answered, person.why) == ("missed", 2, True, "没有按键应答")
    assert not PlannedCall.objects.filter(state="agent").exists()


@pytest.mark.req("CALL-08", "REG-09")
def test_who_is_suspended_or_does_not_want_it_is_left_out_with_the_reason(drive):
    elder = drive.story.elder
    elder.status = "suspended"
    elder.save()
    assert drive.people(drive.made())[0].why == "停机或服务未开始"
    elder.status = "approved"
    elder.save()
    drive.started()
    drive.robot.goes("ringing", "answered", "key:9", "ended")
    assert DoNotCall.objects.count() == 1
    assert drive.people(drive.made())[0].why == "本人不想接这类电话"
    with pytest.raises(NotAllowed, match="没有能拨的人"):
        actions.start(by=drive.lead, campaign_id=drive.made().pk)


def away(drive, hours):
    """She is away for so long."""
    until = clock.now() + timedelta(hours=hours)
    return states.say_state(home_id=drive.story.home.pk, kind="holiday", until=until, by=drive.story.agent)


@pytest.mark.req("CALL-08", "EXT-04")
def test_who_is_away_is_tried_again_when_she_is_back_and_is_no_missed_call(drive):
    away(drive, hours=1)
    row = drive.started()
    (person,) = drive.people(row)
    assert (person.state, person.why, person.put_off, person.tried) == ("waiting", "外出居住", 1, 0)
    later(drive, minutes=29)
    assert drive.people(row)[0].put_off == 1, "not every minute"
    later(drive, minutes=2)
    assert (drive.people(row)[0].put_off, drive.robot.dialled()) == (2, [])
    later(drive, minutes=31)
    assert len(drive.robot.dialled()) == 1
    drive.robot.goes("ringing", "answered", "key:1", "ended")
    assert (drive.people(row)[0].state, drive.people(row)[0].why) == ("done", "")


@pytest.mark.req("CALL-08", "EXT-04")
def test_who_is_away_until_the_last_window_is_over_is_left_out_and_says_why(drive):
    away(drive, hours=100)
    row = drive.started(until=clock.today())
    later(drive, hours=6)
    (person,) = drive.people(row)
    assert (person.state, person.why, Campaign.objects.get(pk=row.pk).state) == ("left_out", "外出居住", "done")
    assert queries.one(row.pk).progress.left_out == 1


@pytest.mark.req("CALL-08")
def test_who_is_in_need_or_in_a_call_is_tried_again(drive, phone, monkeypatch):
    monkeypatch.setitem(hooks._answers, "home_has_case", lambda: lambda home_id: home_id is not None)
    row = drive.started(STRANGER, at_once=1)
    assert [(p.state, p.why) for p in drive.people(row)] == [("waiting", "家里有事件在处置"), ("open", "")]
    other = Call.objects.get(ref=f"campaign:{drive.people(row)[1].pk}")
    for event in ("ringing", "answered", "key:1", "ended"):
        calls.heard(call_id=str(other.call_id), event=event)
    run_jobs()
    monkeypatch.setitem(hooks._answers, "home_has_case", lambda: lambda _: False)
    drive.story.let_pass(minutes=31)
    number = drive.story.elder.phone
    calling = phone.rings_in(number, emergency=False)
    Call.objects.filter(pk=calling.pk).update(caller_index=crypto.blind(number, "call.number"))
    actions.feed_all()
    assert drive.people(row)[0].why == "对方正在通话"
    engine.make(calling, "abandoned", engine.THE_CLOCK)
    later(drive, minutes=31)
    assert [(p.state, p.why) for p in drive.people(row)] == [("open", ""), ("done", "")]


@pytest.mark.req("CALL-08", "SYS-01")
def test_an_elder_whom_the_uploader_may_not_see_is_spared_as_she_must_be_and_stays_a_stranger(drive):
    elder = drive.story.elder
    reindex(elder)
    away(drive, hours=1)
    with seen_by(Scope(("330199002",))):
        row = actions.made(by=drive.lead, place="330199002000", it=drive.wanted(until=clock.today()))
        actions.put_rows(by=drive.lead, campaign_id=row.pk, cells=[(2, "王阿姨", elder.phone)])
        actions.start(by=drive.lead, campaign_id=row.pk)
    run_jobs()
    (person,) = drive.people(row)
    assert (person.elder_id, person.state, person.why) == (None, "waiting", rules.NOT_NOW)
    assert not PlannedCall.objects.exists()
    later(drive, minutes=61)
    (call,) = drive.robot.dialled()
    assert (call.elder_id, call.place) == (elder.pk, drive.story.home.place)
    with seen_by(Scope(("330199002",))):
        (shown,), _ = queries.people(row.pk, [Role.LEAD])
        assert (shown.elder_id, shown.name, shown.note) == (None, "王阿姨", "")
        assert not Call.objects.exists()
    drive.robot.goes("ringing", "answered", "key:2", "ended")
    assert Incident.objects.filter(home_id=drive.story.home.pk).count() == 1, "her call for help is hers"


@pytest.mark.req("CALL-08", "REG-09", "SYS-01")
def test_a_suspended_elder_whom_the_uploader_may_not_see_is_never_rung_and_nothing_says_why(drive):
    reindex(drive.story.elder)
    drive.story.elder.status = "suspended"
    drive.story.elder.save()
    with seen_by(Scope(("330199002",))):
        row = actions.made(by=drive.lead, place="330199002000", it=drive.wanted(until=clock.today()))
        actions.put_rows(by=drive.lead, campaign_id=row.pk, cells=[(2, "", drive.story.elder.phone)])
        assert drive.people(row)[0].state == "waiting"
        actions.start(by=drive.lead, campaign_id=row.pk)
    run_jobs()
    later(drive, hours=6)
    assert (drive.people(row)[0].state, drive.people(row)[0].why) == ("left_out", rules.NOT_NOW)
    assert drive.robot.dialled() == []


@pytest.mark.req("CALL-08")
def test_an_agent_is_given_who_may_be_rung_and_the_others_keep_their_turn(drive):
    away(drive, hours=100)
    row = drive.started(STRANGER, way="agent")
    call = actions.next_person(by=drive.story.agent, campaign_id=row.pk)
    assert call.number == STRANGER
    assert [(p.state, p.why) for p in drive.people(row)] == [("waiting", "外出居住"), ("open", "")]


@pytest.mark.req("CALL-08")
def test_a_district_decides_from_when_to_when_campaigns_may_ring(drive, an_actor):
    places.set_policy(
        place="330199000000", data={"call.quiet_until": 10 * 3600}, reason="冬天", by=an_actor("system_admin")
    )
    with pytest.raises(NotAllowed, match="10:00 到 21:00"):
        drive.made()
    assert drive.made(from_at=time(10)).state == "draft"


@pytest.mark.req("CALL-08")
def test_it_keeps_its_rate_leaves_the_last_line_and_comes_after_other_planned_calls(drive, settings):
    settings.ANJU_PLANNED_CALLS_AT_ONCE = 2
    first = drive.started(*(f"1440000019{n}" for n in range(4)), at_once=3, elders=False)
    assert drive.ringing() == 1
    assert PlannedCall.objects.filter(why="线路先让给来电").count() == 2, (
        "three at once are wanted, one of two lines is left"
    )
    actions.stop(by=drive.lead, campaign_id=first.pk)
    settings.ANJU_PLANNED_CALLS_AT_ONCE = 4
    planned.ask(kind="care", ref="x:1", elder_id=drive.story.elder.pk, at=clock.now() + timedelta(seconds=45))
    drive.started(*(f"1440000018{n}" for n in range(4)), at_once=4, elders=False)
    assert drive.ringing() == 1, "the care call comes first"
    planned.call_off(ref="x:1")
    drive.story.let_pass(seconds=60)
    assert drive.ringing() == 3


@pytest.mark.req("CALL-08")
def test_only_in_the_window_and_what_was_not_rung_until_the_end_is_said(drive):
    row = drive.made(at_once=1, tries=1)
    drive.story.let_pass(hours=6)
    actions.start(by=drive.lead, campaign_id=row.pk)
    run_jobs()
    assert drive.robot.dialled() == [], "it is six in the evening"
    later(drive, hours=24)
    assert (drive.people(row)[0].state, drive.people(row)[0].why) == ("missed", "到期没有拨到")
    assert Campaign.objects.get(pk=row.pk).state == "done"


@pytest.mark.req("CALL-08")
def test_paused_nobody_is_rung_resumed_it_goes_on_stopped_the_rest_is_left_out(drive):
    row = drive.started(STRANGER, at_once=1)
    actions.pause(by=drive.lead, campaign_id=row.pk)
    drive.robot.goes("ringing", "answered", "key:1", "ended")
    later(drive, minutes=5)
    assert [p.state for p in drive.people(row)] == ["done", "waiting"]
    actions.resume(by=drive.lead, campaign_id=row.pk)
    run_jobs()
    assert Call.objects.filter(ref=f"campaign:{drive.people(row)[1].pk}").count() == 1
    actions.stop(by=drive.lead, campaign_id=row.pk)
    other = drive.made()
    actions.stop(by=drive.lead, campaign_id=other.pk)
    assert [(p.state, p.why) for p in drive.people(other)] == [("left_out", "外呼任务停止")]


@pytest.mark.req("CALL-08", "SYS-04")
def test_a_strangers_number_is_rung_and_forgotten_after_the_retention(drive):
    row = drive.started(STRANGER, elders=False)
    (person,) = drive.people(row)
    call = Call.objects.get(ref=f"campaign:{person.pk}")
    assert (call.number, call.purpose, call.script) == (STRANGER, "other", "elder_check")
    for event in ("ringing", "answered", "key:1", "ended"):
        calls.heard(call_id=str(call.call_id), event=event)
    later(drive, minutes=1)
    assert actions.forget_strangers() == 0
    Campaign.objects.update(over_at=clock.now() - timedelta(days=31))
    assert actions.forget_strangers() == 1
    call.refresh_from_db()
    person = CampaignPerson.objects.get(pk=person.pk)
    left = PlannedCall.objects.get(pk=person.planned_id)
    assert (call.number, call.whom, person.number, person.name, person.number_index, left.number, left.name) == (
        "",
    ) * 7
    assert (person.state, person.key) == ("done", "1")
    assert queries.people(row.pk, [Role.LEAD])[0][0].name == "（已不保留）"


@pytest.mark.req("CALL-08", "SYS-01")
def test_rows_are_judged_and_her_number_is_hers(drive, an_actor):
    hers = drive.story.elder.phone
    reindex(drive.story.elder)
    cells = [
        (2, "", hers),
        (3, "甲", "1380013"),
        (4, "", ""),
        (5, "", "120"),
        (6, "乙", STRANGER),
        (7, "", f"+86 {STRANGER}"),
    ]
    judged = actions.checked(cells)
    assert [bool(one.fault) for one in judged] == [False, True, True, True, False, True]
    assert "第 6 行" in judged[-1].fault
    row = drive.made(elders=False)
    assert judged[0].elder_id == drive.story.elder.pk
    assert actions.put_rows(by=drive.lead, campaign_id=row.pk, cells=cells) == (2, 0)
    assert actions.put_rows(by=drive.lead, campaign_id=row.pk, cells=cells) == (0, 0)
    with pytest.raises(PermissionDenied, match="岗位"):
        actions.made(by=an_actor("agent"), place=row.place, it=drive.wanted())


@pytest.mark.req("CALL-08")
def test_agents_take_the_next_person_and_write_down_the_answer(drive):
    row = drive.started(STRANGER, way="agent", gap_minutes=10)
    agent = drive.story.agent
    assert drive.robot.dialled() == []
    call = actions.next_person(by=agent, campaign_id=row.pk)
    assert (call.state, call.says, call.why) == ("agent", "明天免费体检，您参加吗", f"{agent.name}取的下一位")
    with pytest.raises(NotAllowed, match="回答"):
        actions.write_up(by=agent, planned_id=call.pk, how="reached", key="7")
    actions.write_up(by=agent, planned_id=call.pk, how="reached", key="1", note="要接送")
    second = actions.next_person(by=agent, campaign_id=row.pk)
    assert second.number == STRANGER
    actions.write_up(by=agent, planned_id=second.pk, how="no_answer")
    with pytest.raises(NotAllowed, match="过了间隔"):
        actions.next_person(by=agent, campaign_id=row.pk)
    drive.story.let_pass(minutes=11)
    third = actions.next_person(by=agent, campaign_id=row.pk)
    actions.write_up(by=agent, planned_id=third.pk, how="close", note="空号")
    assert [(p.state, p.key) for p in drive.people(row)] == [("done", "1"), ("missed", "")]
    run_jobs()
    assert Campaign.objects.get(pk=row.pk).state == "done"
