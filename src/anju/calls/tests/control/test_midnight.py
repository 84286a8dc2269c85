"""A call over midnight is one call: of the day on which she called, answered on the next."""

from datetime import datetime, timedelta

import pytest

from anju.calls import queries
from anju.calls.models import Call, CallBack, SeatLog
from anju.calls.tests.control.conftest import Centre, story
from anju.kernel import clock


def until_midnight() -> float:
    """Seconds until the local day ends."""
    now = clock.local(clock.now())
    tomorrow = datetime(now.year, now.month, now.day, tzinfo=now.tzinfo) + timedelta(days=1)
    return (tomorrow - now).total_seconds()


@pytest.mark.req("CALL-02", "CALL-10")
@story
async def test_a_call_that_comes_before_midnight_is_answered_after_it_and_belongs_to_the_day_on_which_she_called(
    centre: Centre,
) -> None:
    centre.agent("8001")
    await centre.open()
    centre.travel.shift(timedelta(seconds=until_midnight() - 2))
    yesterday = clock.today()
    caller = await centre.calls("13900001111")
    assert centre.rings() == ["8001"]
    await centre.later(4)
    assert clock.today() == yesterday + timedelta(days=1)
    await centre.does("8001", "answered")
    call = centre.call(caller)
    assert call.state == "talking"
    assert call.answered_at is not None
    assert (clock.local(call.planned_at).date(), clock.local(call.answered_at).date()) == (yesterday, clock.today())
    assert 3 <= (call.answered_at - call.planned_at).total_seconds() <= 6, "her waiting is counted over midnight"
    await centre.does(caller, "ended")
    call.refresh_from_db()
    assert (call.state, call.result, Call.objects.count()) == ("ended", "answered", 1)
    stretches = SeatLog.objects.filter(extension="8001").order_by("id")
    assert [s.state for s in stretches] == ["ringing", "talking", "wrap_up"]
    assert not CallBack.objects.exists()


@pytest.mark.req("CALL-08")
@story
async def test_a_caller_who_gives_up_at_midnight_is_rung_back_on_the_new_day(centre: Centre) -> None:
    await centre.open()
    centre.travel.shift(timedelta(seconds=until_midnight() - 1))
    caller = await centre.calls("13900001111")
    await centre.later(2)
    await centre.does(caller, "ended")
    owed = CallBack.objects.get()
    assert centre.call(caller).result == "abandoned"
    assert clock.local(owed.created_at).date() == clock.today()
    assert owed.state == "waiting"


@story
async def test_at_midnight_a_call_belongs_to_one_day_and_waits_no_negative_time(centre: Centre) -> None:
    centre.agent("8001")
    await centre.open()
    at = clock.local(clock.now()).replace(hour=23, minute=59, second=58)
    centre.travel.move_to(at)
    caller = await centre.calls()
    await centre.later(8)
    waiting = queries.waiting()
    assert [w.waited_seconds for w in waiting] == [8]
    await centre.does("8001", "answered")
    call = centre.call(caller)
    assert clock.local(call.planned_at).day != clock.local(call.answered_at).day
    assert call.answered_at - call.planned_at == timedelta(seconds=8)
