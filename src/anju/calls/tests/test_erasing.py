"""A person's data are deleted: her calls stay as figures, her words and numbers go."""

import pytest

from anju.calls import actions
from anju.calls.models import Call, CallBack, Leg
from anju.calls.tests.subjects import arrived, owed
from anju.elders.checks import NotAccepted
from anju.kernel import clock
from anju.kernel.flow import engine


@pytest.mark.req("SYS-04")
def test_words_and_numbers_go_and_what_is_still_open_refuses(db, everywhere, let_pass):
    call = arrived(elder_id=7, home_id=3)
    Leg.objects.create(call=call, leg_id="1.1", role="caller", endpoint="number", number="139", planned_at=clock.now())
    with pytest.raises(NotAccepted):
        actions.erase_person(elder_id=7, home_id=3, home_empty=True)
    engine.make(call, "taken", engine.THE_CLOCK)
    engine.make(call, "ended", engine.THE_CLOCK)
    assert actions.erase_person(elder_id=7, home_id=3, home_empty=True) == 1
    call = Call.objects.get()
    assert (call.number, call.caller_index, call.elder_id, call.result) == ("", "", None, "answered")
    assert Leg.objects.get().number == ""
    open_one = owed()
    Call.objects.filter(pk=open_one.call_id).update(elder_id=8)
    with pytest.raises(NotAccepted):
        actions.erase_person(elder_id=8, home_id=4, home_empty=False)
    assert CallBack.objects.get().number == "13800009999"
