"""Writing up: what was typed is in the call before the limit, and how long it took is known also when the limit ran out."""

import pytest

from anju.calls import actions
from anju.calls.control import seats as seating
from anju.calls.kpis import KPIS, Chosen, lines
from anju.calls.models import Leg
from anju.calls.tests.control.conftest import Centre, story
from anju.calls.tests.control.test_verbs import talking
from anju.kernel import clock
from anju.kernel.flow.actor import NotAllowed


@pytest.mark.req("CALL-03")
@story
async def test_the_limit_runs_out_though_the_seat_was_read_again_meanwhile(centre: Centre) -> None:
    """A lead changes her skills while she writes up: the seat is free in the switchboard's memory, too, and rings."""
    anna = centre.agent("8001")
    by = centre.actor(anna)
    await centre.open()
    _, call_id = await talking(centre, "service")
    await centre.asks(actions.hang_up, by=by, call_id=call_id)
    await centre.later(5)
    await seating.heard(centre.control, anna.pk)
    assert centre.control.seats[anna.pk].state == "wrap_up"
    await centre.later(70)
    assert centre.control.seats[anna.pk].state == "ready"
    await centre.calls("13900002222")
    assert centre.rings() == ["8001"]


@pytest.mark.req("CALL-05", "CALL-09")
@story
async def test_the_limit_runs_out_over_half_a_sentence(centre: Centre) -> None:
    anna, bert = centre.agent("8001"), centre.actor(centre.agent("8002", state="off"))
    by = centre.actor(anna)
    since = clock.now()
    await centre.open()
    caller, call_id = await talking(centre, "service")
    await centre.asks(actions.hang_up, by=by, call_id=call_id)
    await centre.later(5)
    assert centre.seat("8001") == "wrap_up"
    actions.wrap_up_typed(by=by, call_id=call_id, note="问药量，女儿明")
    with pytest.raises(NotAllowed, match="自己刚接过"):
        actions.wrap_up_typed(by=bert, call_id=call_id, note="改掉")
    await centre.later(70)
    assert centre.seat("8001") == "ready"
    call = centre.call(caller)
    assert (call.note, call.resolved) == ("问药量，女儿明", None)
    leg = Leg.objects.get(call=call, role="agent", user_id=anna.pk)
    assert leg.wrapped_at is not None
    assert leg.ended_at is not None
    assert 55 <= (leg.wrapped_at - leg.ended_at).total_seconds() <= 65
    counts = lines(Chosen(since, clock.now()))[0].counts
    assert KPIS["average_wrap_up"].of(counts) == pytest.approx(60, abs=5), "a limit that ran out is a write-up too"
    await centre.later(3700)
    actions.wrap_up_typed(by=by, call_id=call_id, note="一小时以后", tags=["咨询"])
    with pytest.raises(
        NotAllowed
    ):  # what has a word of what it was about is changed for an hour, what has none is written for a day
        actions.wrap_up_typed(by=by, call_id=call_id, note="再改")
