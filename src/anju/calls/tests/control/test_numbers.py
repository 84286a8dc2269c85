"""A number of its own: what is played first, whose people answer, and what the agent is told of it."""

from __future__ import annotations

import pytest

from anju.accounts.models import Posting
from anju.calls.control import books as reading
from anju.calls.lines import queries as lines
from anju.calls.lines.models import AccessNumber, NumberPrompt, number_code
from anju.calls.models import Queue
from anju.calls.rules import Chair, Waiter, may_take
from anju.calls.tests.control.conftest import Centre, story
from anju.kernel import clock
from anju.places.tests.factories import LOTUS, make_district

STREET = f"{LOTUS[:9]}000"


@pytest.mark.req("CALL-02")
@story
async def test_a_streets_own_number_has_its_own_prompt_and_rings_its_own_people_first(centre: Centre) -> None:
    make_district()
    AccessNumber.objects.create(number="96219", label="街道热线", prompt="please_wait", place=STREET)
    Queue.objects.filter(code="service").update(overflow_seconds=20)
    centre.agent("8001")
    hers = centre.agent("8002")
    Posting.unscoped.create(user=hers, role="agent", place=STREET)
    await centre.open()
    caller = await centre.calls("13900001111", "057196219")
    assert [p.prompts for p in centre.world.playing.values()] == [("please_wait",)]
    await centre.later(4)
    assert centre.rings() == ["8002"], "though 8001 has been idle as long and comes first otherwise"
    assert centre.call(caller).place == STREET, "nobody knows her: the number says whose caller she is"
    assert lines.called_as("057196219").startswith("街道热线（")
    await centre.does("8002", "refused")
    assert "8001" not in centre.rings()
    await centre.later(45)
    assert "8001" in centre.rings(), "nobody of the street lifts: then everybody"


@pytest.mark.req("CALL-02", "CALL-13")
@story
async def test_a_numbers_own_recording_is_what_its_callers_hear_first(centre: Centre) -> None:
    number = AccessNumber.objects.create(number="96219", label="街道热线", prompt="please_wait")
    NumberPrompt.objects.create(
        number=number, sound=b"RIFF", seconds=1, level=-20, uploaded_at=clock.now(), uploaded_by="管"
    )
    AccessNumber.objects.create(number="96218", label="别的热线", prompt="please_wait")
    centre.agent("8001")
    await centre.open()
    for called, heard in (("96219", number_code(number.pk)), ("96218", "please_wait")):
        caller = await centre.calls("13900001111", called)
        assert [p.prompts for p in centre.world.playing.values()] == [(heard,)]
        await centre.does("13900001111", "ended")
        assert caller not in centre.world.legs


@pytest.mark.req("CALL-02")
def test_whoever_is_in_need_waits_for_nobodys_street() -> None:
    ordinary = Waiter("a", 1, 0.0, "service", serves=frozenset({"8002"}))
    assert [may_take(Chair(e, 0.0), ordinary) for e in ("8001", "8002")] == [False, True]
    urgent = Waiter("b", 9, 0.0, "emergency", serves=frozenset({"8002"}))
    assert may_take(Chair("8001", 0.0), urgent)


@pytest.mark.req("CALL-02")
@story
async def test_a_number_without_anything_of_its_own_is_as_its_queue_says(centre: Centre) -> None:
    AccessNumber.objects.create(number="96200", label="总机")
    centre.agent("8001")
    Queue.objects.filter(code="service").update(prompt="")
    await centre.open()
    assert reading.read().called("96200").serves == frozenset()
    await centre.calls("13900001111", "96200")
    assert centre.rings() == ["8001"], "nothing is to be said before it rings, so it rings at once"
    assert lines.called_as("96200") == "总机"
    assert lines.called_as("12345") == ""
