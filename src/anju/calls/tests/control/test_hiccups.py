"""The engine does not answer one request, or the database refuses one row: nobody stands in silence, nobody is forgotten."""

from __future__ import annotations

from typing import Any

import pytest

from anju.calls import actions, jobs
from anju.calls.control import seats as seating
from anju.calls.exchange import EngineDown
from anju.calls.models import Command
from anju.calls.tests.control.conftest import Centre, story

pytestmark = pytest.mark.req("CALL-01", "CALL-13")


def deaf_once(monkeypatch: pytest.MonkeyPatch, engine: object, verb: str) -> list[str]:
    """The first request of this kind gets no answer; what is left to fail."""
    real, left = getattr(engine, verb), ["once"]

    async def asked(*args: Any, **how: Any) -> Any:
        if left:
            left.pop()
            raise EngineDown("no answer in time")
        return await real(*args, **how)

    monkeypatch.setattr(engine, verb, asked)
    return left


def refused_once(monkeypatch: pytest.MonkeyPatch, centre: Centre) -> list[str]:
    """The next rows that somebody waits for break a rule of the database."""
    sure, left = centre.control.sure, ["once"]

    def refused(call: Any, *steps: Any, **how: Any) -> Any:
        async def no() -> None:
            raise ValueError("this row breaks a rule")

        if left:
            left.pop()
            return no()
        return sure(call, *steps, **how)

    monkeypatch.setattr(centre.control, "sure", refused)
    return left


@story
async def test_a_cry_that_could_not_be_lifted_at_once_is_queued_lifted_and_goes_to_the_rescue(
    centre: Centre, monkeypatch: pytest.MonkeyPatch
) -> None:
    left = deaf_once(monkeypatch, centre.engine, "answer")
    await centre.open()
    caller = await centre.calls("13900001111")
    assert not left
    assert centre.call(caller).state == "queued", "somebody is looked for all the same"
    await centre.later(5)
    assert centre.world.legs[caller].up, "she is lifted"
    assert centre.hears(caller) == {"music"} or centre.world.playing, "and does not stand in silence"
    await centre.later(60)
    assert [where for _, *where in centre.world.given] == [["rescue", "s"]], "nobody lifts: every telephone rings"


@story
async def test_an_ordinary_caller_who_could_not_be_lifted_at_once_gets_a_seat(
    centre: Centre, monkeypatch: pytest.MonkeyPatch
) -> None:
    deaf_once(monkeypatch, centre.engine, "answer")
    centre.agent("8001")
    await centre.open()
    caller = await centre.calls(called="service")
    await centre.later(15)
    assert centre.rings() == ["8001"]
    await centre.does("8001", "answered")
    assert centre.hears(caller) == {"8001"}


@story
async def test_who_is_lifted_after_the_seat_is_joined_with_it(centre: Centre, monkeypatch: pytest.MonkeyPatch) -> None:
    """A slow engine: the seat lifts before the caller's own lifting is reported."""

    async def accepted(leg_id: str) -> None:
        """Asked for, and not done yet."""

    monkeypatch.setattr(centre.engine, "answer", accepted)
    monkeypatch.setattr("anju.calls.control.inbound.LIFTS", 0.0)
    centre.agent("8001")
    await centre.open()
    caller = await centre.calls("13900001111")
    await centre.does("8001", "answered")
    assert centre.hears("8001") == set()
    centre.world.lift(centre.world.legs[caller])
    await centre.settle()
    assert (centre.hears(caller), centre.hears("8001")) == ({"8001"}, {"13900001111"})


@pytest.mark.parametrize("verb", ["bridge", "join", "music"])
@story
async def test_who_could_not_be_joined_at_once_is_joined_a_moment_later(
    centre: Centre, monkeypatch: pytest.MonkeyPatch, verb: str
) -> None:
    agent = centre.agent("8001", state="break")
    await centre.open()
    caller = await centre.calls(called="service")
    await centre.later(10)
    assert centre.hears(caller) == {"music"}
    actions.seat_ready(by=centre.actor(agent))
    await seating.heard(centre.control, agent.pk)
    await centre.settle()
    assert centre.rings() == ["8001"]
    deaf_once(monkeypatch, centre.engine, verb)
    await centre.does("8001", "answered")
    await centre.later(4)
    assert (centre.hears(caller), centre.hears("8001")) == ({"8001"}, {"13900001111"})


@story
async def test_a_seat_that_could_not_be_let_go_at_once_is_free_a_moment_later(
    centre: Centre, monkeypatch: pytest.MonkeyPatch
) -> None:
    centre.agent("8001")
    centre.agent("8002")
    await centre.open()
    await centre.calls("13900001111")
    assert centre.rings() == ["8001", "8002"]
    deaf_once(monkeypatch, centre.engine, "hang_up")
    await centre.does("8001", "answered")
    await centre.later(4)
    assert centre.rings() == []
    assert centre.seat("8002") == "ready"


@story
async def test_a_caller_who_could_not_be_hung_up_at_once_does_not_stay_on_a_dead_line(
    centre: Centre, monkeypatch: pytest.MonkeyPatch
) -> None:
    centre.agent("8001")
    await centre.open()
    caller = await centre.calls()
    await centre.does("8001", "answered")
    deaf_once(monkeypatch, centre.engine, "hang_up")
    await centre.does("8001", "ended")
    await centre.later(4)
    assert caller not in centre.world.legs
    assert not centre.control.calls, "nothing is left"


@story
async def test_a_ring_whose_row_the_database_refuses_keeps_no_seat_busy_and_the_caller_is_not_given_up(
    centre: Centre, monkeypatch: pytest.MonkeyPatch
) -> None:
    centre.agent("8001")
    await centre.open()
    left = refused_once(monkeypatch, centre)
    caller = await centre.calls("13900001111")
    await centre.later(5)
    assert not left
    assert centre.rings() == ["8001"]
    await centre.does("8001", "answered")
    assert centre.hears(caller) == {"8001"}


@story
async def test_a_call_out_whose_rows_the_database_refuses_is_over_and_her_seat_is_free(
    centre: Centre, monkeypatch: pytest.MonkeyPatch
) -> None:
    anna = centre.actor(centre.agent("8001"))
    await centre.open()
    left = refused_once(monkeypatch, centre)
    call = actions.dial(by=anna, number="13800002222", whom="儿子", purpose="contact", ref="", place="330199001001")
    await centre.settle()
    assert not left
    call.refresh_from_db()
    assert (call.state, centre.control.calls) == ("ended", {})
    assert {seat.state for seat in centre.control.seats.values()} == {"ready"}
    command = Command.objects.latest("pk")
    assert (command.result, "没有做成" in command.error) == ("failed", True), "who pressed hears of it"


@story
async def test_a_robots_call_whose_rows_the_database_refuses_does_not_ring_for_ever(
    centre: Centre, monkeypatch: pytest.MonkeyPatch
) -> None:
    await centre.open()
    left = refused_once(monkeypatch, centre)
    call = actions.robot_call(
        number="13800002222", whom="她", purpose="elder_check", ref="home:1", place="330199001001", script="elder_check", says="喂"
    )  # fmt: skip
    jobs.dial(call_id=str(call.call_id))
    await centre.settle()
    assert not left
    call.refresh_from_db()
    assert (call.state, call.result, centre.control.calls) == ("ended", "unreachable", {})
