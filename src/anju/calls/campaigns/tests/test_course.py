"""Campaigns: in their window, after everybody else, an answer each, nobody twice, strangers forgotten."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.core.exceptions import PermissionDenied

from anju.accounts.roles import Role
from anju.alarms import states
from anju.calls import actions as calls
from anju.calls.campaigns import actions, queries
from anju.calls.campaigns.models import Campaign, CampaignPerson, DoNotCall
from anju.calls.models import Call
from anju.calls.planned import actions as planned
from anju.calls.planned.models import PlannedCall
from anju.elders.finding import reindex
from anju.incidents.models import Incident
from anju.kernel import clock, hooks
from anju.kernel.flow.actor import NotAllowed
from anju.kernel.testing import run_jobs

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


@pytest.mark.req("CALL-08", "EXT-04")
def test_who_is_away_or_suspended_or_in_need_or_does_not_want_it_is_left_out_with_the_reason(drive, monkeypatch):
    elder = drive.story.elder
    states.say_state(
        home_id=drive.story.home.pk, kind="holiday", until=clock.now() + timedelta(days=1), by=drive.story.agent
    )
    assert [(p.state, p.why) for p in drive.people(drive.started())] == [("left_out", "外出居住")]
    elder.status = "suspended"
    elder.save()
    assert drive.people(drive.made())[0].why == "停机或服务未开始"
    elder.status = "approved"
    elder.save()
    monkeypatch.setitem(hooks._answers, "home_away", lambda: lambda _: "")
    row = drive.made()
    monkeypatch.setitem(hooks._answers, "home_has_case", lambda: lambda _: True)
    actions.start(by=drive.lead, campaign_id=row.pk)
    run_jobs()
    assert (drive.people(row)[0].state, drive.people(row)[0].why) == ("left_out", "家里有事件在处置")
    monkeypatch.setitem(hooks._answers, "home_has_case", lambda: lambda _: False)
    drive.started()
    drive.robot.goes("ringing", "answered", "key:9", "ended")
    assert DoNotCall.objects.count() == 1
    assert drive.people(drive.made())[0].why == "本人不想接这类电话"
    with pytest.raises(NotAllowed, match="没有能拨的人"):
        actions.start(by=drive.lead, campaign_id=drive.made().pk)


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
