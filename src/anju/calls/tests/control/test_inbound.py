"""Somebody calls in: every phase, until somebody speaks with her or rings her back."""

import pytest

from anju.calls.models import Call, CallBack, SeatLog
from anju.calls.tests.control.conftest import Centre, story


@pytest.mark.req("CALL-01", "CALL-02")
@story
async def test_a_caller_in_need_reaches_a_seat_and_both_hear_each_other(centre: Centre) -> None:
    anna = centre.agent("8001")
    await centre.open()
    caller = await centre.calls("13900001111")
    assert centre.rings() == ["8001"], "the seat rings while the prompt still plays"
    assert centre.seat("8001") == "ringing"
    assert centre.call().state == "offered"
    await centre.does("8001", "answered")
    call = centre.call(caller)
    assert (call.state, call.user_id, call.emergency, call.priority) == ("talking", anna.pk, True, 9)
    assert call.answered_at is not None
    assert centre.hears(caller) == {"8001"}
    assert centre.hears("8001") == {"13900001111"}
    assert centre.seat("8001") == "talking"
    await centre.does(caller, "ended")
    call.refresh_from_db()
    assert (call.state, call.result) == ("ended", "answered")
    assert centre.seat("8001") == "wrap_up"
    assert not centre.world.legs
    assert not centre.world.bridges
    assert not centre.control.calls
    assert not CallBack.objects.exists()
    assert [s.state for s in SeatLog.objects.filter(extension="8001")] == ["ringing", "talking", "wrap_up"]
    assert centre.pen.missed == type(centre.pen.missed)()
    assert Call.objects.count() == 1
