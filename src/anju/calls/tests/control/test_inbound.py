"""Somebody calls in: every phase, until somebody speaks with her or rings her back."""

from typing import Any

import pytest

from anju.calls.control import lookup
from anju.calls.exchange import EngineDown
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


@pytest.mark.req("CALL-01")
@story
async def test_the_seat_rings_before_she_is_lifted_and_looked_up(
    centre: Centre, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Both take the same Python, engine and disk that the ring needs; a ring that hangs holds them up for a moment only."""
    found: list[list[str]] = []
    identify, lift = lookup.identify, centre.engine.answer

    def asked(**who: Any) -> lookup.Found:
        found.append(centre.rings())
        return identify(**who)

    async def lifted(leg_id: str) -> None:
        found.append(centre.rings())
        await lift(leg_id)

    monkeypatch.setattr(lookup, "identify", asked)
    monkeypatch.setattr(centre.engine, "answer", lifted)
    centre.agent("8001")
    await centre.open()
    await centre.calls("13900001111")
    assert found == [["8001"], ["8001"]]


@pytest.mark.req("CALL-01", "CALL-13")
@story
async def test_a_seat_whose_dial_got_no_answer_is_not_busy_for_ever(
    centre: Centre, monkeypatch: pytest.MonkeyPatch
) -> None:
    dial, silent = centre.engine.dial, ["once"]

    async def slow(**how: Any) -> None:
        if silent:
            silent.pop()
            raise EngineDown("no answer in time")
        await dial(**how)

    monkeypatch.setattr(centre.engine, "dial", slow)
    centre.agent("8001")
    await centre.open()
    caller = await centre.calls(called="service")
    assert centre.rings() == []
    await centre.later(8)
    assert centre.rings() == ["8001"], "it was looked after, and rings again"
    await centre.does("8001", "answered")
    assert centre.hears(caller) == {"8001"}


@pytest.mark.req("CALL-01")
@story
async def test_the_intent_is_written_before_every_ring(centre: Centre) -> None:
    """The row of the leg is in the tables when the engine is told to dial; a second dial of the same id dials nothing."""
    centre.agent("8001")
    await centre.open()
    seen: list[int] = []
    dial = centre.engine.dial

    async def watched(**how: object) -> None:
        seen.append(len(centre.legs(leg_id=how["leg_id"])))
        await dial(**how)  # type: ignore[arg-type]

    centre.engine.dial = watched  # type: ignore[method-assign]
    await centre.calls()
    assert seen == [1]
    call, party = next(v for v in centre.control.legs.values() if v[1].why == "offer")
    await centre.control.dial(call, party)
    assert len([leg for leg in centre.world.legs.values() if leg.dialled]) == 1


@pytest.mark.req("CALL-02")
@story
async def test_the_first_seat_lifts_before_the_others_are_rung_and_no_row_of_them_stays_open(centre: Centre) -> None:
    """The best seat rings first, and may lift before the second and third are even written."""
    for number in ("8001", "8002", "8003"):
        centre.agent(number)
    centre.world.behaviour["8001"] = ("answered",)
    await centre.open()
    caller = await centre.calls()
    assert centre.call(caller).state == "talking"
    await centre.does(caller, "ended")
    assert not [leg.seat for leg in centre.legs(ended_at=None)]
    assert {centre.seat(n) for n in ("8002", "8003")} == {"ready"}
    assert not centre.world.legs


@pytest.mark.req("CALL-02")
@story
async def test_two_seats_lift_at_once_and_exactly_one_has_the_caller(centre: Centre) -> None:
    centre.agent("8001")
    centre.agent("8002")
    await centre.open()
    caller = await centre.calls()
    assert centre.rings() == ["8001", "8002"]
    centre.world.does("8001", "answered")
    centre.world.does("8002", "answered")
    await centre.settle()
    winner = centre.call(caller).user_id
    assert centre.hears(caller) == {"8001"}
    assert {centre.seat("8001"), centre.seat("8002")} == {"talking", "ready"}
    assert sorted(p.result for p in centre.legs(role="agent")) == ["", "answered"]
    assert centre.control.seats[winner or 0].extension == "8001"
    assert [s.misses for s in centre.control.seats.values()] == [0, 0], "who was a moment late missed nothing"


@pytest.mark.req("CALL-02")
@story
@pytest.mark.parametrize("called", ["emergency", "service"])
async def test_the_caller_hangs_up_while_the_prompt_plays_or_a_seat_rings(centre: Centre, called: str) -> None:
    centre.agent("8001")
    await centre.open()
    caller = await centre.calls(called=called)
    await centre.does(caller, "ended")
    call = centre.call(caller)
    assert (call.state, call.result, call.answered_at) == ("ended", "abandoned", None)
    assert centre.rings() == []
    assert centre.seat("8001") == "ready"
    assert not centre.control.calls
    owed = CallBack.objects.filter(call=call)
    assert owed.count() == (1 if called == "emergency" else 0)
    assert all(b.state == "waiting" and b.due_at for b in owed)


@story
@pytest.mark.parametrize("verb", ["answer", "join", "play", "music"])
async def test_the_caller_hangs_up_in_the_moment_in_which_we_act(centre: Centre, verb: str) -> None:
    centre.agent("8001", state="off" if verb == "music" else "ready")
    await centre.open()
    leg_id = centre.world.call_in("13900001111", "emergency")
    centre.world.vanish(leg_id, verb)
    await centre.settle()
    if verb == "music":
        await centre.later(6)
    if verb == "join":
        await centre.does("8001", "answered")
    call = centre.call()
    assert call.state == "ended"
    assert call.result == ("answered" if verb == "join" else "abandoned")
    assert not centre.world.legs
    assert not centre.control.calls
    assert centre.seat("8001") in {"ready", "wrap_up", "off"}


@pytest.mark.req("CALL-02")
@story
async def test_the_urgent_come_first_then_the_older_and_a_wrap_up_that_ends_serves_the_next(centre: Centre) -> None:
    first = centre.agent("8001")
    await centre.open()
    talking = await centre.calls("13900000001", "service")
    await centre.later(8)
    await centre.does("8001", "answered")
    service = await centre.calls("13900000002", "service")
    await centre.later(8)
    older = await centre.calls("13900000003", "emergency")
    await centre.later(1)
    await centre.calls("13900000004", "emergency")
    await centre.does(talking, "ended")
    assert centre.seat("8001") == "ringing", "an emergency that nobody can take rings also who writes up"
    await centre.does("8001", "answered")
    assert centre.call(older).user_id == first.pk
    assert centre.call(service).state == "queued"


@pytest.mark.req("CALL-02")
@story
async def test_a_seat_that_does_not_lift_is_not_rung_endlessly_and_goes_to_break(centre: Centre) -> None:
    centre.agent("8001")
    centre.agent("8002")
    await centre.open()
    caller = await centre.calls(called="service")
    await centre.later(8)
    rung = centre.rings()
    assert len(rung) == 1, "a call that is not urgent rings one seat"
    await centre.later(15)
    assert centre.rings() == [{"8001": "8002", "8002": "8001"}[rung[0]]], "the next seat"
    await centre.later(55)
    states = {centre.seat("8001"), centre.seat("8002")}
    assert states == {"break"}
    assert {s.reason for s in centre.control.seats.values()} == {"未接"}
    await centre.later(30)
    assert centre.call(caller).state in {"queued", "offered"}, "she waits, and is not forgotten"


@pytest.mark.req("CALL-02")
@story
async def test_busy_refused_and_unregistered_seats_pass_the_call_on_at_once(centre: Centre) -> None:
    centre.agent("8001")
    centre.agent("8002")
    centre.agent("8003")
    last = centre.agent("8004")
    centre.world.behaviour.update({"8001": ("busy",), "8002": ("refused",), "8004": ("answered",)})
    await centre.open()
    centre.world.registered["8003"] = False
    caller = await centre.calls()
    assert centre.call(caller).user_id == last.pk
    assert {leg.seat: leg.result for leg in centre.legs(role="agent")} == {
        "8001": "busy", "8002": "refused", "8003": "unreachable", "8004": "",
    }  # fmt: skip
    assert centre.control.seat_at("8003").registered is False


@pytest.mark.req("CALL-02")
@story
async def test_nobody_is_there_so_leads_ring_then_everybody_then_the_dialplan(centre: Centre) -> None:
    centre.agent("8001", state="off")
    await centre.open()
    centre.world.registered["8001"] = False
    await centre.look()
    caller = await centre.calls()
    call = centre.call(caller)
    assert (call.state, call.level) == ("queued", 2)
    assert centre.world.playing, "she hears that she is not alone"
    await centre.later(16)
    assert centre.world.given == [(caller, "rescue", "s")]
    call.refresh_from_db()
    assert (call.state, call.result) == ("ended", "rescued")
    assert CallBack.objects.get().call_id == call.pk, "somebody looks whether the rescue reached her"


@story
async def test_a_lead_is_rung_when_the_agents_do_not_lift(centre: Centre) -> None:
    centre.agent("8001")
    boss = centre.agent("8100", lead=True)
    await centre.open()
    caller = await centre.calls()
    assert centre.rings() == ["8001"]
    await centre.later(15)
    assert "8100" in centre.rings()
    await centre.does("8100", "answered")
    assert centre.call(caller).user_id == boss.pk


@pytest.mark.req("CALL-02")
@story
async def test_whoever_waits_hears_a_word_and_music_and_is_served_when_somebody_is_ready(centre: Centre) -> None:
    from anju.calls import actions

    anna = centre.agent("8001", state="break")
    await centre.open()
    caller = await centre.calls(called="service")
    await centre.later(4)
    assert any(p.prompts == ("all_busy",) for p in centre.world.playing.values())
    await centre.later(6)
    assert centre.hears(caller) == {"music"}
    await centre.later(5)
    actions.seat_ready(by=centre.actor(anna))
    await seat_news(centre, anna.pk)
    assert centre.rings() == ["8001"]
    await centre.does("8001", "answered")
    assert centre.hears(caller) == {"8001"}


async def seat_news(centre: Centre, user_id: int) -> None:
    """What the notification brings in the running process."""
    from anju.calls.control import seats

    await seats.heard(centre.control, user_id)
    await centre.settle()


@story
async def test_an_agent_who_wants_a_break_during_a_call_has_it_afterwards(centre: Centre) -> None:
    from anju.calls import actions

    anna = centre.agent("8001")
    await centre.open()
    caller = await centre.calls()
    await centre.does("8001", "answered")
    actions.seat_break(by=centre.actor(anna), reason="用餐")
    await seat_news(centre, anna.pk)
    assert centre.seat("8001") == "talking"
    await centre.does(caller, "ended")
    assert centre.seat("8001") == "wrap_up"
    await centre.later(121)
    assert centre.seat("8001") == "break"
    assert centre.control.seat_at("8001").reason == "用餐"


@pytest.mark.req("CALL-01")
@story
async def test_an_anonymous_caller_and_one_with_a_plus_are_taken_like_any_other(centre: Centre) -> None:
    centre.agent("8001")
    await centre.open()
    for number in ("anonymous", "+8613900001111", "0086 139 0000 1111", "sip:unknown"):
        caller = await centre.calls(number)
        assert centre.rings() == ["8001"]
        call = centre.call(caller)
        assert call.number == ("13900001111" if "1111" in number else "")
        await centre.does("8001", "answered")
        await centre.does(caller, "ended")
        await centre.later(121)


@pytest.mark.req("CALL-01")
@story
async def test_the_agents_browser_dies_and_the_caller_goes_to_the_next_seat(centre: Centre) -> None:
    centre.agent("8001")
    other = centre.agent("8002", state="break")
    await centre.open()
    caller = await centre.calls(called="service")
    await centre.later(8)
    await centre.does("8001", "answered")
    centre.control.seats[other.pk].state = "ready"
    centre.world.end(centre.world.party("8001"), "failed")  # type: ignore[arg-type]
    await centre.settle()
    assert centre.call(caller).state == "offered"
    assert centre.rings() == ["8002"]
    await centre.does("8002", "answered")
    assert centre.hears(caller) == {"8002"}
    assert centre.call(caller).user_id == other.pk


@pytest.mark.req("CALL-01")
@story
async def test_a_caller_whom_we_owe_a_call_rings_again_and_nothing_is_owed_any_more(centre: Centre) -> None:
    centre.agent("8001")
    await centre.open()
    await centre.does(await centre.calls("13900001111"), "ended")
    assert CallBack.objects.get().state == "waiting"
    await centre.later(61)
    assert CallBack.objects.get().state == "waiting", "a lead was pressed, it is still owed"
    await centre.calls("+8613900001111")
    await centre.does("8001", "answered")
    assert CallBack.objects.get().state == "done"


@pytest.mark.req("CALL-02")
@story
async def test_a_plain_telephone_sits_down_by_signing_on_and_leaves_by_signing_off(centre: Centre) -> None:
    anna = centre.agent("8001", state="off")
    centre.world.registered["8001"] = False
    await centre.open()
    assert centre.seat("8001") == "off"
    centre.world.registered["8001"] = True
    await centre.look()
    assert centre.seat("8001") == "ready"
    await centre.does(await centre.calls(), "ended")
    centre.world.registered["8001"] = False
    await centre.look()
    assert centre.seat("8001") == "off"
    centre.world.registered.update({"8001": True, "web8001": True})
    await centre.look()
    assert centre.seat("8001") == "off", "a browser says by itself when its agent is ready"
    assert centre.control.seats[anna.pk].registered


@pytest.mark.req("CALL-02")
@story
async def test_nobody_is_ready_and_who_is_on_break_or_off_but_at_a_telephone_rings_for_a_caller_in_need(
    centre: Centre,
) -> None:
    centre.agent("8001", state="break")
    centre.agent("8002", state="off")
    await centre.open()
    await centre.calls(called="service")
    await centre.later(50)
    assert centre.rings() == [], "not for a call that can wait"
    await centre.calls("13900002222")
    assert centre.rings() == ["8001", "8002"]
