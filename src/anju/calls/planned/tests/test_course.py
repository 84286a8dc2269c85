"""Planned calls: written before they are dialled, dialled once, let others go first, end with a key or with a person."""

from __future__ import annotations

from datetime import timedelta

import pytest

from anju.alarms import states
from anju.alarms.models import HomeWatch
from anju.calls.models import Call
from anju.calls.planned import actions, queries
from anju.calls.planned.models import CallPlan, PlannedCall
from anju.incidents.models import Incident
from anju.kernel import clock, hooks
from anju.kernel.flow import engine
from anju.kernel.flow.actor import THE_CLOCK
from anju.kernel.testing import run_jobs
from anju.places import actions as places

ANSWERS_ONE = ("ringing", "answered", "key:1", "ended")


@pytest.mark.req("CALL-08")
def test_a_wake_up_call_is_written_before_its_hour_dialled_once_and_her_key_is_a_sign_of_life(robot, story):
    HomeWatch.objects.update_or_create(
        home_id=story.home.pk,
        defaults={"place": story.home.place, "watched": True, "last_life_at": clock.now() - timedelta(hours=3)},
    )
    plan = robot.plan("wake", hour=5, minute=30, days="daily", first=clock.today() + timedelta(days=1))
    assert queries.in_words(plan).startswith("叫醒电话：每天 05:30")
    written = PlannedCall.objects.get(plan=plan)
    assert (written.state, clock.local(written.call_at).strftime("%H:%M")) == ("waiting", "05:30")
    assert robot.dialled() == []
    call = robot.due(plan)
    assert call.state == "ringing"
    assert "现在是5点30分" in robot.dialled()[-1].says
    engine_asked = PlannedCall.objects.filter(plan=plan, state="waiting").get()
    assert engine_asked.on == written.on + timedelta(days=1), "tomorrow's call stands before today's is over"
    story.let_pass(seconds=10)
    assert len(robot.dialled()) == 1
    robot.goes(*ANSWERS_ONE)
    assert (robot.of(plan).state, robot.of(plan).result) == ("done", "well")
    assert HomeWatch.objects.get(home_id=story.home.pk).last_life_what == "电话按键应答"
    story.let_pass(hours=2)
    assert len(robot.dialled()) == 1, "an answered call is not repeated"


@pytest.mark.req("CALL-08")
def test_in_a_demo_without_an_outside_line_a_person_has_the_call_at_once_and_no_robot_dials(robot, story, monkeypatch):
    monkeypatch.setattr("anju.calls.scripts.queries.no_line", lambda: True)
    call = robot.due(robot.plan())
    assert (call.state, call.why, robot.dialled()) == ("agent", "演示没有外线，请用手边的电话", [])
    monkeypatch.setattr("anju.calls.scripts.queries.no_line", lambda: False)
    assert robot.due(robot.plan("medicine")).state == "ringing"


@pytest.mark.req("CALL-08", "CARE-02")
def test_a_missed_call_is_repeated_and_after_the_last_try_a_person_rings_and_writes_it_up(robot, story):
    plan = robot.plan(tries=2, gap_minutes=10)
    robot.due(plan)
    robot.goes("ringing", "no_answer")
    assert PlannedCall.objects.get(plan=plan).state == "waiting"
    story.let_pass(minutes=9)
    assert len(robot.dialled()) == 1
    story.let_pass(minutes=1)
    assert len(robot.dialled()) == 2
    robot.goes("ringing", "answered", "ended")  # her voicemail: nobody pressed a key
    call = robot.of(plan)
    assert (call.state, call.why) == ("agent", "机器人拨了 2 次，没有按键应答")
    assert [row.id for row in queries.for_agents()] == [call.pk]
    story.let_pass(hours=1)
    assert len(robot.dialled()) == 2
    actions.no_answer(by=story.agent, planned_id=call.pk)
    with pytest.raises(engine.NotAllowed, match="话后小结"):
        actions.reached(by=story.agent, planned_id=call.pk, note=" ", mood="good")
    actions.reached(by=story.agent, planned_id=call.pk, note="在女儿家，一切好", mood="good", needs="想理发")
    row = queries.one(call.pk)
    assert (row.state, row.result, row.mood_label, row.needs) == ("done", "reached", "愉快", "想理发")
    assert CallPlan.objects.get(pk=plan.pk).ended_at is not None, "a plan for once is over with its call"


@pytest.mark.req("CALL-08")
def test_key_two_opens_a_case_and_nothing_is_asked_again(robot, story):
    plan = robot.plan()
    robot.due(plan)
    robot.goes("ringing", "answered", "key:2")
    assert robot.of(plan).result == "help"
    assert Incident.objects.filter(home_id=story.home.pk, state="waiting").count() == 1
    robot.goes("ended")
    assert (robot.of(plan).tried, robot.of(plan).state) == (1, "done")


@pytest.mark.req("CALL-08", "EXT-04")
@pytest.mark.parametrize("kind", ["holiday", "hospital"])
def test_who_is_away_or_in_hospital_is_not_rung_and_the_plan_goes_on(robot, story, kind):
    states.say_state(home_id=story.home.pk, kind=kind, until=clock.now() + timedelta(days=1), by=story.agent)
    plan = robot.plan(days="daily")
    call = robot.due(plan)
    assert (call.state, call.result, robot.dialled()) == ("skipped", "skipped", [])
    assert PlannedCall.objects.filter(plan=plan, state="waiting").exists()


@pytest.mark.req("CALL-08", "REG-09")
@pytest.mark.parametrize("status", ["suspended", "ended"])
def test_whose_service_rests_is_not_rung(robot, story, status):
    plan = robot.plan()
    story.elder.status = status
    story.elder.save()
    assert (robot.due(plan).state, robot.dialled()) == ("skipped", [])


@pytest.mark.req("CALL-08")
def test_an_emergency_of_hers_goes_first_and_the_call_follows_when_it_is_over(robot, story, monkeypatch):
    plan = robot.plan()
    story.accepted("sos")
    assert hooks.ask("home_has_case")(story.home.pk)
    assert not hooks.ask("home_has_case")(story.home.pk + 1)
    monkeypatch.setitem(hooks._answers, "home_has_case", lambda: lambda _: True)
    call = PlannedCall.objects.get(plan=plan)
    before = len(robot.dialled())
    with clock.pretend(call.call_at):
        engine.make(call, "due", THE_CLOCK)
    call.refresh_from_db()
    assert (call.state, call.why, len(robot.dialled())) == ("waiting", "家里有事件在处置", before)
    monkeypatch.setitem(hooks._answers, "home_has_case", lambda: lambda _: False)
    assert call.call_at - call.agreed_at == timedelta(minutes=10)
    with clock.pretend(call.call_at):
        engine.make(call, "due", THE_CLOCK)
    assert robot.of(plan).state == "ringing"


@pytest.mark.req("CALL-08")
def test_callers_who_wait_keep_their_lines(robot, story, phone, settings):
    plan = robot.plan()
    story.let_pass(minutes=59)
    waiting = phone.rings_in("13900000001", emergency=False)
    story.let_pass(minutes=1)
    assert PlannedCall.objects.get(plan=plan).why == "线路先让给来电"
    assert robot.dialled() == []
    engine.make(waiting, "abandoned", THE_CLOCK)
    settings.ANJU_PLANNED_CALLS_AT_ONCE = 0
    story.let_pass(minutes=1)
    assert robot.dialled() == [], "no more robots at once than the setting says"
    settings.ANJU_PLANNED_CALLS_AT_ONCE = 1
    story.let_pass(minutes=1)
    assert len(robot.dialled()) == 1


@pytest.mark.req("CALL-08")
def test_a_districts_night_is_kept_when_it_is_planned_and_when_it_is_due(robot, story, an_actor):
    plan = robot.plan(hour=19)
    call = PlannedCall.objects.get(plan=plan)
    places.set_policy(
        place="330199000000", data={"call.quiet_from": 18 * 3600}, reason="冬天", by=an_actor("system_admin")
    )
    with pytest.raises(engine.NotAllowed, match="8:00 到 18:00"):
        robot.plan(hour=19)
    with clock.pretend(call.call_at):
        engine.make(call, "due", THE_CLOCK)
    call.refresh_from_db()
    assert (call.state, call.why, f"{clock.local(call.call_at):%H:%M}") == ("waiting", "夜间不打扰", "08:00")
    assert robot.dialled() == []
    assert robot.plan("wake", hour=5, first=clock.today() + timedelta(days=1)).kind == "wake", "her own hour"


@pytest.mark.req("CALL-08", "SYS-07")
def test_after_hours_without_a_ticker_no_robot_rings_late_a_person_does(robot, story):
    plan = robot.plan("wake")
    call = PlannedCall.objects.get(plan=plan)
    PlannedCall.objects.filter(pk=call.pk).update(latest=clock.now())
    assert (robot.due(plan).state, robot.dialled()) == ("agent", [])


@pytest.mark.req("CALL-08")
def test_without_a_telephone_engine_the_call_is_an_agents(robot, story, phone):
    from anju.calls.models import Switchboard

    plan = robot.plan()
    Switchboard.objects.update(engine_ok=False)
    call = robot.due(plan)
    assert (call.state, call.why) == ("agent", "电话系统不能拨出，请用手边的电话")
    assert Call.objects.filter(elder_id=story.elder.pk).count() == 0


@pytest.mark.req("CALL-08")
def test_paused_left_out_stopped_called_off(robot, story):
    plan = robot.plan(days="daily")
    actions.pause(by=story.agent, plan_id=plan.pk)
    assert (robot.due(plan).why, robot.dialled()) == ("计划已暂停", [])
    actions.resume(by=story.agent, plan_id=plan.pk)
    assert robot.due(plan).state == "ringing"
    actions.end(by=story.agent, plan_id=plan.pk)
    assert PlannedCall.objects.filter(plan=plan, state="waiting").count() == 0
    robot.goes("ringing", "no_answer")
    story.let_pass(days=2)
    assert len(robot.dialled()) == 2, "the call that was up may be repeated; no new day begins"


@pytest.mark.req("CALL-08", "SYS-01")
def test_what_could_never_be_done_is_refused_when_it_is_planned(robot, story, an_actor):
    from django.core.exceptions import PermissionDenied

    for words, more in (
        ("8:00 到 21:00", {"hour": 22}),
        ("已经过了", {"hour": 9, "first": clock.today() - timedelta(days=3)}),
        ("早于", {"days": "daily", "until": clock.today() - timedelta(days=1)}),
        ("1 到 5 次", {"tries": 9}),
        ("列表", {"kind": "follow_up"}),
    ):
        with pytest.raises(engine.NotAllowed, match=words):
            robot.plan(**more)
    with pytest.raises(PermissionDenied, match="岗位"):
        robot.plan(by=an_actor("installer"))
    assert not CallPlan.objects.exists()


def test_the_net_of_the_hour_writes_what_is_missing_and_nothing_twice(robot, story):
    plan = robot.plan(days="daily")
    assert actions.write_ahead() == 0
    engine.make(PlannedCall.objects.get(plan=plan), "call_off", story.agent)
    PlannedCall.objects.filter(plan=plan, state="waiting").delete()
    assert actions.write_ahead() == 1
    assert actions.write_ahead() == 0
    run_jobs()


@pytest.mark.req("CALL-08")
def test_behind_a_switchboard_a_person_asks_for_her_and_no_robot_speaks_to_whoever_lifts(robot, story):
    story.elder.phone = "057188880001,801"
    story.elder.save()
    call = robot.due(robot.plan())
    assert (call.state, call.why, robot.dialled()) == ("agent", "带分机的号码机器人拨不了", [])
