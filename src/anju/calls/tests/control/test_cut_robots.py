"""A robot's call that a restart cut off is made again: never twice at once, not for ever, and not when she was there."""

import pytest

from anju.calls import actions
from anju.calls.models import Call, Command, Leg
from anju.calls.tests.control.conftest import Centre, story
from anju.kernel import clock
from anju.kernel.flow.actor import THE_CLOCK

SON = "13800002222"


async def rung(centre: Centre) -> Call:
    """A robot rings him."""
    call = actions.robot_call(
        number=SON, whom="王奶奶", purpose="elder_check", ref="", place="330199001001", script="elder_check", says="",
    )  # fmt: skip
    actions.command(verb="robot", by=THE_CLOCK, call_id=str(call.call_id))
    await centre.settle()
    assert centre.rings() == [SON]
    return call


def legs(centre: Centre) -> list[str]:
    return [leg.leg_id for leg in centre.world.legs.values() if leg.number == SON]


async def hears_nothing(control, call_id, leg_id):  # type: ignore[no-untyped-def]
    """A script that waits for a key."""
    await control.inbox(leg_id).get()


@pytest.mark.req("CALL-01", "CALL-08")
@story
async def test_the_switchboard_dies_while_a_robot_speaks_and_she_is_rung_again_three_times_in_all(
    centre: Centre,
) -> None:
    await centre.open()
    centre.control.scripts["elder_check"] = hears_nothing
    call = await rung(centre)
    await centre.does(SON, "answered")
    first = legs(centre)
    for left in (2, 1):
        await centre.die()
        await centre.revive()
        assert len(legs(centre)) == 1, "never twice at once"
        assert legs(centre) != first
        call.refresh_from_db()
        assert (call.state, call.answered_at) == ("ringing", None), left
    await centre.die()
    await centre.revive()
    call.refresh_from_db()
    assert (call.state, call.result) == ("ended", "lost")
    assert legs(centre) == []
    assert Leg.objects.filter(call=call).count() == 3
    assert not Leg.objects.filter(ended_at=None).exists()
    assert not centre.control.calls


@pytest.mark.req("CALL-01")
@story
async def test_the_engine_dies_while_a_robot_rings_and_speaks(centre: Centre) -> None:
    await centre.open()
    centre.control.scripts["elder_check"] = hears_nothing
    call = await rung(centre)
    await centre.does(SON, "answered")
    centre.world.crash()
    await centre.settle()
    centre.world.start()
    await centre.settle()
    assert centre.rings() == [SON]
    assert Call.objects.get(pk=call.pk).state == "ringing"
    await centre.does(SON, "answered")
    assert Call.objects.get(pk=call.pk).state == "talking"
    await centre.does(SON, "ended")
    assert Call.objects.get(pk=call.pk).result == "answered"


@pytest.mark.req("CALL-01")
@story
async def test_who_pressed_a_key_before_the_cut_is_not_asked_again(centre: Centre) -> None:
    await centre.open()
    centre.control.scripts["elder_check"] = hears_nothing
    call = await rung(centre)
    await centre.does(SON, "answered")
    Call.objects.filter(pk=call.pk).update(keys=[{"digit": "1", "at": clock.now().isoformat()}])
    await centre.die()
    await centre.revive()
    assert Call.objects.get(pk=call.pk).result == "lost"
    assert legs(centre) == []


@pytest.mark.req("CALL-01")
@story
async def test_a_robots_verb_that_died_with_who_took_it_is_done_by_the_next_one(centre: Centre) -> None:
    call = actions.robot_call(
        number=SON, whom="王奶奶", purpose="elder_check", ref="", place="330199001001", script="elder_check", says="",
    )  # fmt: skip
    actions.command(verb="robot", by=THE_CLOCK, call_id=str(call.call_id))
    Command.objects.update(taken_at=clock.now())
    await centre.open()
    assert centre.rings() == [SON]
    assert Call.objects.get(pk=call.pk).state == "ringing"
