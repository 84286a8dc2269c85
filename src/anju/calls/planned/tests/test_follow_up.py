"""After a repair and after a case a robot asks how it was; who is not content or not reached is rung by a person (FLD-06)."""

from __future__ import annotations

from datetime import timedelta

import pytest

from anju.calls.planned import actions, queries
from anju.calls.planned.models import PlannedCall
from anju.calls.scripts import actions as scripts
from anju.config import wiring
from anju.fieldwork import actions as fieldwork
from anju.fieldwork.models import RepairOrder
from anju.incidents.facts import IncidentClosed
from anju.kernel import clock
from anju.kernel.flow.actor import THE_CLOCK
from anju.kernel.testing import run_jobs


@pytest.fixture
def order(robot, story, an_actor):
    """A repair at her home whose fitter has just reported it as done."""
    lead, fitter = an_actor("lead", "dispatcher"), an_actor("installer", user_id=story.users["agent"].pk)
    row = fieldwork.report_fault(
        device_id=None, home_id=story.home.pk, place=story.home.place, cause="fault", text="按键没反应", by=story.agent
    )
    fieldwork.move(row.pk, "accept", lead)
    fieldwork.move(row.pk, "assign", lead, data={"assignee": story.users["agent"].pk})
    fieldwork.move(
        row.pk,
        "contacted",
        fitter,
        data={"appointment_at": (clock.now() + timedelta(hours=2)).isoformat()},
        note="约好",
    )
    fieldwork.move(row.pk, "arrive", fitter)
    fieldwork.tick(row.pk, "tested", fitter)
    fieldwork.move(row.pk, "repaired", fitter, data={"found": "换按键", "tested": True}, note="换按键")
    run_jobs()
    return row


def asked(order):
    """The follow-up call of the order."""
    return PlannedCall.objects.get(ref=f"repair:{order.pk}")


def rings(robot, order, score):
    """It is due, she lifts and presses."""
    robot.story.let_pass(asked(order).call_at - clock.now())
    for event in ("ringing", "answered"):
        from anju.calls import actions as calls

        calls.heard(call_id=str(asked(order).last_call_id), event=event)
    if score:
        scripts.answered(call_id=str(asked(order).last_call_id), digit=str(score), subject="service")
    robot.goes("ended")


@pytest.mark.req("FLD-06", "CALL-08")
@pytest.mark.parametrize("score", [4, 5])
def test_a_content_key_lets_the_order_go_on_to_the_archive(robot, order, score):
    assert asked(order).call_at - clock.now() == timedelta(minutes=30)
    rings(robot, order, score)
    assert (asked(order).state, asked(order).score) == ("done", score)
    assert RepairOrder.objects.get(pk=order.pk).state == "materials"


@pytest.mark.req("FLD-06", "CALL-08")
def test_a_bad_mark_is_a_persons_task_and_what_she_hears_decides(robot, order, story):
    rings(robot, order, 2)
    call = asked(order)
    assert (call.state, call.why) == ("agent", "按键评价 2 分，请问问哪里不满意")
    assert RepairOrder.objects.get(pk=order.pk).state == "follow_up"
    actions.reached(by=story.agent, planned_id=call.pk, note="师傅没讲怎么用", score=2)
    run_jobs()
    assert RepairOrder.objects.get(pk=order.pk).state == "redo"


@pytest.mark.req("FLD-06", "CALL-08")
def test_who_is_not_reached_is_rung_twice_and_then_by_a_person(robot, order, story):
    rings(robot, order, 0)
    story.let_pass(minutes=30)
    assert asked(order).tried == 2
    robot.goes("ringing", "no_answer")
    assert [r.id for r in queries.for_agents()] == [asked(order).pk]


@pytest.mark.req("FLD-06")
def test_an_order_that_a_person_followed_up_is_not_asked_again(robot, order, story, an_actor):
    fieldwork.move(order.pk, "satisfied", an_actor("agent"))
    assert (asked(order).state, robot.dialled()) == ("called_off", [])


@pytest.mark.req("CALL-08")
def test_after_a_case_she_is_asked_next_day_but_not_after_a_false_alarm(robot, story):
    story.accepted("sos")
    for outcome, many in (("mis_press", 0), ("safe", 1), ("safe", 1)):
        wiring.ask_after(IncidentClosed(story.it.pk, outcome, story.home.place))
        assert PlannedCall.objects.filter(ref=f"closed:{story.it.pk}").count() == many
    call = PlannedCall.objects.get(ref=f"closed:{story.it.pk}")
    assert clock.local(call.call_at).strftime("%H:%M") == "10:00"
    assert actions.call_off(ref=call.ref, by=THE_CLOCK) == 1
