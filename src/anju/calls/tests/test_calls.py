"""Calls are written before they are dialled, dialled once, and never to 110 by a machine."""

import pytest
from django.db import transaction

from anju.calls import actions, jobs, queries
from anju.calls.models import Call
from anju.calls.simulator import RobotLine, Simulator
from anju.calls.testing import exchange_contract, planned
from anju.kernel.flow.actor import Actor, NotAllowed
from anju.kernel.testing import run_jobs

AGENT = Actor("坐席", frozenset({"agent"}), 7)


@pytest.fixture(autouse=True)
def stage(db, everywhere, let_pass):
    Simulator.forget()
    yield let_pass
    Simulator.forget()


@pytest.mark.req("CALL-08")
def test_the_simulator_keeps_the_port():
    exchange_contract(
        RobotLine(),
        lambda call_id: sum(o.call_id == call_id for o in Simulator.dialled),
        lambda is_broken: setattr(Simulator, "broken", is_broken),
    )


def test_the_contract_catches_an_engine_that_dials_twice():
    class Careless(RobotLine):
        name = "careless"

        def dial(self, order):
            Simulator.dialled.append(order)
            self._report(order.call_id, ("ringing",))

    with pytest.raises(AssertionError, match="dials once"):
        exchange_contract(Careless(), lambda i: sum(o.call_id == i for o in Simulator.dialled), lambda _: None)


@pytest.mark.req("INC-02", "INC-11")
def test_a_call_is_dialled_after_the_commit_once_and_what_was_pressed_is_kept(stage):
    Simulator.will("13800009999", "answered", "key:1", "ended")
    call = planned()
    assert Simulator.dialled == []
    run_jobs()
    jobs.dial(call_id=str(call.call_id))  # the job runs a second time
    assert [o.number for o in Simulator.dialled] == ["13800009999"]
    assert Simulator.dialled[0].keys == {"1": "门禁 2580"}
    view = queries.of("test:1")[0]
    assert (view.result, [k["digit"] for k in view.keys]) == ("answered", ["1"])
    assert view.number_masked == "138****9999"
    assert actions.heard(call_id=view.call_id, event="answered") is False  # late news change nothing
    assert actions.heard(call_id="00000000-0000-0000-0000-000000000000", event="answered") is False


def test_a_call_whose_worker_died_ends_as_unknown_and_is_never_dialled_again(stage):
    call = planned()
    Call.objects.filter(pk=call.pk).update(exchange="simulator")  # claimed, then killed
    run_jobs()
    assert Simulator.dialled == []
    stage(seconds=30)
    assert queries.of("test:1")[0].result == "unknown"
    jobs.dial(call_id=str(call.call_id))
    assert Simulator.dialled == []
    assert not queries.live("test:1", "elder_check")


def test_nobody_lifts_and_the_clock_ends_the_call_and_a_broken_engine_refuses(stage):
    planned()
    run_jobs()
    assert queries.live("test:1", "elder_check")
    stage(seconds=45)
    assert queries.of("test:1")[0].result == "no_answer"
    Simulator.broken = True
    planned()
    run_jobs()
    assert queries.of("test:1")[1].result == "unreachable"
    assert queries.health().ok is False


@pytest.mark.req("INC-02")
@pytest.mark.parametrize("number", ["120", "110", " 119 ", "1-1-0", "+86120", "0086 110"])
def test_no_machine_dials_the_rescue(number):
    with pytest.raises(actions.ForbiddenNumber), transaction.atomic():
        planned(number=number)
    assert not Call.objects.exists()


@pytest.mark.req("SYS-04")
@pytest.mark.parametrize("number", ["8712345", "87123456", "057187123456", "+8613800009999", "13800009999"])
def test_a_masked_number_can_not_be_dialled(number):
    """Also a fixed line of seven or eight figures: three of its beginning and four of its end would be all of it."""
    assert sum(c.isdigit() for c in queries.masked(number)) <= max(2, len(number) - 4)
    assert queries.masked("12345") == "12345", "public numbers are no secret"


@pytest.mark.req("CALL-04")
def test_a_call_made_by_hand_is_written_down():
    actions.record_by_hand(
        by=AGENT,
        number="120",
        whom="120",
        purpose="120",
        ref="incident:9",
        place="330199001001",
        result="answered",
        note="已派车",
    )
    actions.record_by_hand(
        by=AGENT,
        number="13800001111",
        whom="儿子",
        purpose="contact",
        ref="incident:9",
        place="330199001001",
        result="no_answer",
    )
    rows = queries.of("incident:9")
    assert [(r.purpose_label, r.result, r.by, r.by_hand) for r in rows] == [
        ("120", "answered", "坐席", True),
        ("呼叫联系人", "no_answer", "坐席", True),
    ]
    assert Call.objects.filter(state="ended").count() == 2
    with pytest.raises(NotAllowed):
        actions.record_by_hand(
            by=AGENT, number="1", whom="x", purpose="other", ref="r", place="330199001001", result="maybe"
        )
