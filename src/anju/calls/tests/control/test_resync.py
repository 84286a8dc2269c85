"""The switchboard is killed, the engine is killed: nobody is lost without being rung back, nobody is forgotten in "ringing"."""

import asyncio

import pytest

from anju.calls import actions
from anju.calls.control.watch import Watch
from anju.calls.models import Call, CallBack
from anju.calls.tests.control.conftest import Centre, story
from anju.kernel.flow import queries as flow


@pytest.mark.req("CALL-01")
@story
async def test_the_switchboard_is_killed_while_they_talk_and_all_control_comes_back(centre: Centre) -> None:
    anna = centre.actor(centre.agent("8001"))
    await centre.open()
    caller = await centre.calls()
    await centre.does("8001", "answered")
    await centre.die()
    assert centre.hears(caller) == {"8001"}, "they talk on without us"
    await centre.revive()
    call = centre.call(caller)
    assert call.state == "talking"
    await centre.asks(actions.hold, by=anna, call_id=str(call.call_id))
    assert centre.hears(caller) == {"music"}
    await centre.asks(actions.unhold, by=anna, call_id=str(call.call_id))
    await centre.does(caller, "ended")
    assert centre.call(caller).result == "answered"
    assert centre.seat("8001") == "wrap_up"
    assert Call.objects.count() == 1


@pytest.mark.req("CALL-01")
@story
async def test_a_caller_who_waits_when_it_dies_and_one_who_comes_while_it_is_dead_are_both_served(
    centre: Centre,
) -> None:
    anna = centre.agent("8001", state="off")
    await centre.open()
    waits = await centre.calls("13900000001")
    await centre.die()
    held = centre.world._new(
        "late.1", "trunk", "13900000002", "emergency", ("trunk", "trunk", "emergency"), dialled=False
    )
    assert held.ours, "it entered around the crash: it was never announced and never will be"
    actions.mic_checked(by=centre.actor(anna), ok=True)
    actions.seat_ready(by=centre.actor(anna))
    await centre.revive()
    assert Call.objects.filter(state="ended").count() == 0
    assert {c.number for c in Call.objects.all()} == {"13900000001", "13900000002"}
    await centre.does("8001", "answered")
    assert centre.call(waits).state == "talking", "who waited longer is first"
    assert centre.call("late.1").state in {"queued", "offered"}


@pytest.mark.req("CALL-01")
@story
async def test_who_hung_up_while_nobody_listened_is_over_and_rung_back_when_nobody_had_spoken(centre: Centre) -> None:
    centre.agent("8001")
    await centre.open()
    talked = await centre.calls("13900000001")
    await centre.does("8001", "answered")
    waited = await centre.calls("13900000002")
    await centre.die()
    for leg_id in (talked, waited):
        centre.world.end(centre.world.party(leg_id), "normal")  # type: ignore[arg-type]
    centre.world.end(centre.world.party("8001"), "normal")  # type: ignore[arg-type]
    await centre.revive()
    assert centre.call(talked).result == "answered"
    assert centre.call(waited).result == "lost"
    assert [b.call_id for b in CallBack.objects.all()] == [centre.call(waited).pk]
    assert centre.seat("8001") == "wrap_up"
    assert not centre.control.calls


@pytest.mark.req("CALL-01")
@story
async def test_the_engine_is_killed_mid_call_and_every_caller_is_rung_back(centre: Centre) -> None:
    centre.agent("8001")
    await centre.open()
    talked = await centre.calls("13900000001")
    await centre.does("8001", "answered")
    waited = await centre.calls("13900000002")
    centre.world.crash()
    await centre.settle()
    centre.world.start()
    await centre.settle()
    assert {centre.call(leg).result for leg in (talked, waited)} == {"lost"}
    assert CallBack.objects.count() == 2
    assert centre.seat("8001") in {"wrap_up", "ready"}
    assert not centre.control.calls
    again = await centre.calls("13900000003")
    await centre.later(1)
    assert centre.call(again).state in {"offered", "queued"}


@pytest.mark.req("CALL-01")
@story
async def test_a_seat_that_rang_when_it_died_is_not_forgotten_and_may_still_lift(centre: Centre) -> None:
    anna = centre.agent("8001")
    await centre.open()
    caller = await centre.calls()
    await centre.die()
    centre.world.does("8001", "answered")
    await centre.revive()
    assert centre.call(caller).state == "talking"
    assert centre.call(caller).user_id == anna.pk
    assert centre.hears(caller) == {"8001"}


@pytest.mark.req("CALL-01")
@story
async def test_an_intent_that_was_written_and_never_dialled_rings_nobody_twice(centre: Centre) -> None:
    centre.agent("8001")
    centre.agent("8002", state="break")
    await centre.open()

    async def dies(**_: object) -> None:
        raise ConnectionError

    centre.engine.dial = dies  # type: ignore[method-assign,assignment]
    caller = await centre.calls()
    planned = centre.legs(role="agent")
    assert len(planned) == 1
    assert centre.rings() == []
    await centre.die()
    await centre.revive()
    assert planned[0].leg_id not in centre.world.ever, "what may have been dialled is never dialled again"
    assert centre.rings() == ["8001"], "a new intent, with its own id"
    assert centre.call(caller).state == "offered"


@pytest.mark.req("CALL-01")
@story
async def test_nobody_carries_a_call_and_the_clock_ends_it_and_it_is_rung_back(centre: Centre) -> None:
    """Neither switchboard nor engine comes back: the deadline in the table is the last net."""
    centre.agent("8001")
    await centre.open()
    caller = await centre.calls()
    assert centre.call(caller).state == "offered"
    await centre.die()
    centre.control.calls.clear()
    await centre.later(180)
    call = centre.call(caller)
    assert (call.state, call.result) == ("ended", "lost")
    assert CallBack.objects.get().call_id == call.pk
    assert flow.without_clock(Call.flow) == []
    assert flow.without_clock(CallBack.flow) == []


@pytest.mark.req("CALL-01")
@story
async def test_the_second_process_frees_who_waits_in_dead_hands_and_leaves_alone_who_talks(centre: Centre) -> None:
    centre.agent("8001")
    await centre.open()
    talks = await centre.calls("13900000001")
    await centre.does("8001", "answered")
    waits = await centre.calls("13900000002")
    age = [0.5]
    watch = Watch(centre.engine, age=lambda: age[0])
    assert [await watch.look() for _ in range(3)] == [0, 0, 0]
    await centre.die()
    age[0] = 6.0
    assert [await watch.look() for _ in range(2)] == [0, 1]
    assert centre.world.given == [(waits, "rescue", "s")]
    assert centre.hears(talks) == {"8001"}
    await centre.revive()
    assert centre.call(talks).state == "talking"
    assert centre.call(waits).state == "ended"
    assert CallBack.objects.filter(call=centre.call(waits)).exists(), "somebody asks whether the rescue reached her"


@story
async def test_another_switchboard_takes_over_and_this_one_acts_no_more(centre: Centre) -> None:
    from anju.calls.simulator import Simulator

    centre.agent("8001")
    await centre.open()
    other = Simulator(centre.world)
    await other.connect()
    await centre.settle()
    assert centre.control.stopped.is_set()
    centre.world.call_in("13900001111", "emergency")
    await centre.settle()
    assert Call.objects.count() == 0, "the other one has it"


@pytest.mark.req("CALL-01")
@story
async def test_a_row_that_cannot_be_read_and_tables_that_are_away_keep_nobody_from_being_served(centre: Centre) -> None:
    from django.db import OperationalError, connection

    centre.agent("8001")
    await centre.open()
    spoilt, good = await centre.calls("13900000001"), await centre.calls("13900000002")
    await centre.die()
    with connection.cursor() as cursor:
        cursor.execute("UPDATE calls_call SET number = '1.AAAA' WHERE id = %s", [centre.legs(leg_id=spoilt)[0].call_id])
    await centre.revive()
    assert {c.call_id for c in centre.control.calls.values()} >= {str(centre.legs(leg_id=good)[0].call.call_id)}
    db = centre.control.db

    async def away(*_: object, **__: object) -> object:
        raise OperationalError

    centre.control.db = away  # type: ignore[method-assign,assignment]
    centre.world.crash()
    centre.world.start()
    late = centre.world.call_in("13900000003", "emergency")
    for _ in range(200):
        await asyncio.sleep(0)
    centre.control.db = db  # type: ignore[method-assign]
    await centre.later(4)
    assert late in centre.control.legs, "she is served from memory"


@pytest.mark.req("CALL-01")
@story
async def test_the_line_to_the_engine_is_cut_for_a_moment_and_nothing_is_told_twice(centre: Centre) -> None:
    """A call that is over in memory and not yet in the tables is not taken for one that was lost."""
    from anju.calls.exchange import Event, Kind
    from anju.calls.models import News
    from anju.kernel import clock

    centre.agent("8001")
    await centre.open()
    over = await centre.calls("13900000001")
    await centre.does("8001", "answered")
    centre.pen.slow = True
    await centre.does(over, "ended")
    assert centre.call(over).state == "talking", "its last row is still on the way"
    for kind in (Kind.DISCONNECTED, Kind.CONNECTED):
        await centre.control.hear(Event(kind, "", clock.now(), {"restarted": False}))
    await centre.settle()
    centre.pen.slow = False
    centre.pen.catch_up()
    assert centre.call(over).result == "answered"
    assert [n.data["result"] for n in News.objects.filter(fact="CallEnded")] == ["answered"]
    assert not CallBack.objects.exists()
