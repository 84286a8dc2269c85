"""What every telephone engine promises: one suite, run against Asterisk (tests/telephony) and against the simulator."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Collection
from typing import Protocol
from uuid import uuid4

from anju.calls.exchange import Cause, Endpoint, Engine, Event, Fenced, Gone, Kind, Number, Seat, Unreachable

_LISTENS = 20
"""How often an ear listens, a second of sound each time, before what it hears is held to be so."""


def must(what_holds: object, what: str) -> None:
    """AssertionError with these words unless it holds."""
    if not what_holds:
        raise AssertionError(what)


async def hears(one: Party, voices: Collection[str], what: str) -> None:
    """It comes to hear just these voices; AssertionError with what it heard instead.

    Sound takes its time on a busy machine, in the engine as in the telephones: an ear that is not sure listens again.
    """
    heard: list[set[str]] = []
    while not heard or heard[-1] != set(voices):
        must(len(heard) < _LISTENS, f"{what}: it hears {heard[-3:]}")
        heard.append(await one.hears())


class Party(Protocol):
    """Somebody with a telephone, on either back-end. The verbs may wait a moment for the line."""

    @property
    def rung(self) -> int:
        """How often it was rung."""

    def dial(self, called: str) -> None:
        """Call us."""

    def lift(self) -> None:
        """Answer."""

    def refuse(self) -> None:
        """Decline."""

    def is_busy(self) -> None:
        """From now on this telephone is engaged."""

    def hang_up(self) -> None:
        """End."""

    def press(self, digit: str) -> None:
        """A key."""

    async def hears(self) -> set[str]:
        """Whose voices: the names of the parties, "music"."""


class Stage(Protocol):
    """An engine and the people around it. Each test has a fresh one."""

    engine: Engine
    hotline: str

    async def event(self, *kinds: Kind, leg_id: str = "") -> Event:
        """The next event of these kinds (and of this leg); what comes before it is passed over."""

    async def seen(self) -> list[Event]:
        """All events until now, those passed over included, once everything has settled."""

    def caller(self, name: str = "caller", number: str = "13800000001") -> Party:
        """Somebody outside."""

    def seat(self, extension: str) -> Party:
        """A registered seat; its name is its extension."""

    def town(self, name: str = "family") -> Party:
        """Whoever is reached by any number through the trunk."""

    async def next_switchboard(self) -> Engine:
        """Another client of the same engine, connected; `event` reads it from now on."""

    async def power_cut(self) -> None:
        """The engine dies and is started again; returns when it runs."""


async def _caller_enters(stage: Stage, number: str = "13800000001") -> tuple[Party, str]:
    person = stage.caller(number=number)
    person.dial(stage.hotline)
    return person, (await stage.event(Kind.ENTERED)).leg_id


async def _rings(stage: Stage, leg_id: str, to: Endpoint) -> None:
    await stage.engine.dial(leg_id=leg_id, to=to, caller_id="13800000001")
    await stage.event(Kind.RINGING, leg_id=leg_id)


async def _talks(stage: Stage, extension: str = "8001") -> tuple[Party, str, Party, str]:
    """A caller and a seat who talk in the bridge "room"."""
    person, leg = await _caller_enters(stage)
    agent, seat = stage.seat(extension), str(uuid4())
    await _rings(stage, seat, Seat(extension))
    agent.lift()
    await stage.event(Kind.ANSWERED, leg_id=seat)
    await stage.engine.answer(leg)
    await stage.event(Kind.ANSWERED, leg_id=leg)
    await stage.engine.bridge("room")
    await stage.engine.join("room", leg, seat)
    return person, leg, agent, seat


async def _is_gone(verb: Awaitable[None], what: str) -> None:
    try:
        await verb
    except Gone:
        return
    raise AssertionError(f"{what} of a party that left must be Gone")


async def a_caller_and_an_agent_hear_each_other_and_each_leg_ends_once(stage: Stage) -> None:
    """The plain story, and that nothing is said after the last word."""
    person = stage.caller(number="13800000001")
    person.dial(stage.hotline)
    came = (await stage.event(Kind.ENTERED)).leg
    must((came.number, came.called, came.up) == ("13800000001", stage.hotline, False), f"who calls, and whom: {came}")
    must(came.args[:2] == ("trunk", "trunk") and came.line == "trunk", "by which line")
    await stage.engine.ring(came.leg_id)
    agent, seat = stage.seat("8001"), str(uuid4())
    await _rings(stage, seat, Seat("8001"))
    agent.lift()
    await stage.event(Kind.ANSWERED, leg_id=seat)
    await stage.engine.answer(came.leg_id)
    await stage.event(Kind.ANSWERED, leg_id=came.leg_id)
    await stage.engine.bridge("room")
    await stage.engine.bridge("room")
    await stage.engine.join("room", came.leg_id, seat)
    await hears(person, {"8001"}, "the caller hears the agent")
    await hears(agent, {"caller"}, "the agent hears the caller")
    held = await stage.engine.snapshot()
    must({leg.leg_id for leg in held.legs} == {came.leg_id, seat}, "the snapshot has both legs")
    must([(b.bridge_id, set(b.leg_ids)) for b in held.bridges] == [("room", {came.leg_id, seat})], "and the bridge")
    person.hang_up()
    must((await stage.event(Kind.ENDED)).cause is Cause.NORMAL, "a plain hang-up")
    await _is_gone(stage.engine.answer(came.leg_id), "answering")
    await _is_gone(stage.engine.mute(came.leg_id), "muting")
    await _is_gone(stage.engine.join("room", came.leg_id), "joining")
    await _is_gone(stage.engine.play(came.leg_id, ["welcome"], play_id="p"), "playing")
    await stage.engine.hang_up(came.leg_id)
    await stage.engine.hang_up(seat)
    await stage.event(Kind.ENDED, leg_id=seat)
    await stage.engine.unbridge("room")
    await stage.engine.unbridge("room")
    seen = await stage.seen()
    for leg_id in (came.leg_id, seat):
        kinds = [e.kind for e in seen if e.leg_id == leg_id]
        must(kinds.count(Kind.ENDED) == 1 and kinds[-1] is Kind.ENDED, f"one last event: {kinds}")
    must((await stage.engine.snapshot()).legs == (), "nothing is left")


async def a_second_dial_of_one_id_rings_nobody(stage: Stage) -> None:
    """A retry never dials twice: not while it rings, not after it ended."""
    agent, seat = stage.seat("8001"), str(uuid4())
    await _rings(stage, seat, Seat("8001"))
    await stage.engine.dial(leg_id=seat, to=Seat("8001"))
    await stage.engine.hang_up(seat)
    await stage.event(Kind.ENDED, leg_id=seat)
    await stage.engine.dial(leg_id=seat, to=Seat("8001"))
    await stage.seen()
    must(agent.rung == 1, f"rung once, not {agent.rung} times")


async def whoever_is_not_there_costs_no_ringing_time(stage: Stage) -> None:
    """A seat that is not registered is known at once; no event tells of a leg that never was."""
    leg_id = str(uuid4())
    try:
        await stage.engine.dial(leg_id=leg_id, to=Seat("8004"))
    except Unreachable as nobody:
        must(nobody.cause is Cause.UNREACHABLE, "and the reason is said")
    else:
        raise AssertionError("nobody is at 8004")
    must(not [e for e in await stage.seen() if e.leg_id == leg_id], "no event of it")
    stage.seat("8001")
    states = await stage.engine.seat_states()
    must(states.get("8001") is True and not states.get("8004", False), f"who is registered: {states}")


async def busy_refused_and_unanswered_are_told_apart(stage: Stage) -> None:
    """So that the next seat is rung for the right reason."""
    agent = stage.seat("8001")
    unanswered, refused, busy = (str(uuid4()) for _ in range(3))
    await stage.engine.dial(leg_id=unanswered, to=Seat("8001"), ring_for=1)
    must((await stage.event(Kind.ENDED, leg_id=unanswered)).cause is Cause.NO_ANSWER, "nobody lifted")
    await _rings(stage, refused, Seat("8001"))
    agent.refuse()
    must((await stage.event(Kind.ENDED, leg_id=refused)).cause is Cause.REFUSED, "refused")
    agent.is_busy()
    await stage.engine.dial(leg_id=busy, to=Seat("8001"))
    must((await stage.event(Kind.ENDED, leg_id=busy)).cause is Cause.BUSY, "engaged")


async def a_held_caller_hears_music_and_a_muted_one_is_not_heard(stage: Stage) -> None:
    """Hold, and mute both ways."""
    person, leg, agent, seat = await _talks(stage)
    await stage.engine.hold(leg)
    await hears(person, {"music"}, "music for the one on hold")
    await hears(agent, set(), "nothing for the other")
    await stage.engine.unhold(leg, "room")
    await hears(person, {"8001"}, "no music any more")
    await hears(agent, {"caller"}, "both talk again")
    await stage.engine.mute(seat)
    await hears(person, set(), "a muted agent is not heard")
    await hears(agent, {"caller"}, "but hears")
    await stage.engine.unmute(seat)
    await hears(person, {"8001"}, "and is heard again")


async def keys_arrive_in_order_and_prompts_say_when_they_end(stage: Stage) -> None:
    """What every menu needs, before and in a bridge."""
    person, leg = await _caller_enters(stage)
    await stage.engine.answer(leg)
    await stage.event(Kind.ANSWERED, leg_id=leg)
    await stage.engine.play(leg, ["thanks"], play_id="whole")
    whole = await stage.event(Kind.PROMPT_DONE)
    must((whole.play_id, whole.leg_id, whole.data["complete"]) == ("whole", leg, True), f"played to its end: {whole}")
    await stage.engine.play(leg, ["welcome", "please_wait"], play_id="cut")
    for digit in "15#":
        person.press(digit)
        must((await stage.event(Kind.KEY, leg_id=leg)).digit == digit, "the key that was pressed")
    await stage.engine.stop_playing("cut")
    cut = await stage.event(Kind.PROMPT_DONE)
    must((cut.play_id, cut.data["complete"]) == ("cut", False), "cut short")
    await stage.engine.stop_playing("cut")


async def a_supervisor_listens_whispers_and_barges_in(stage: Stage) -> None:
    """Who hears the supervisor is what the three differ in."""
    person, _, agent, seat = await _talks(stage)
    lead, sup = stage.seat("8009"), str(uuid4())
    await _rings(stage, sup, Seat("8009"))
    lead.lift()
    await stage.event(Kind.ANSWERED, leg_id=sup)
    for number, (whisper, to_agent, to_caller) in enumerate(
        (
            ("none", {"caller"}, {"8001"}),
            ("out", {"caller", "8009"}, {"8001"}),
            ("both", {"caller", "8009"}, {"8001", "8009"}),
        )
    ):
        ear = f"ear-{number}-{uuid4()}"
        await stage.engine.snoop(seat, ear, spy="both", whisper=whisper)  # type: ignore[arg-type]
        await stage.engine.bridge(f"cabin{number}")
        await stage.engine.join(f"cabin{number}", ear, sup)
        await hears(lead, {"caller", "8001"}, f"whisper={whisper}: the supervisor hears both")
        await hears(agent, to_agent, f"whisper={whisper}: what the agent hears")
        await hears(person, to_caller, f"whisper={whisper}: what the caller hears")
        await stage.engine.hang_up(ear)
        await stage.event(Kind.ENDED, leg_id=ear)
        await stage.engine.unbridge(f"cabin{number}")


async def four_confer_and_one_leaves(stage: Stage) -> None:
    """Caller, agent, B seat and the family hear each other; after the family left the others go on."""
    person, leg, agent, seat = await _talks(stage)
    second, b = stage.seat("8002"), str(uuid4())
    family, far = stage.town(), str(uuid4())
    await _rings(stage, b, Seat("8002"))
    second.lift()
    await stage.event(Kind.ANSWERED, leg_id=b)
    await _rings(stage, far, Number("13900000001"))
    family.lift()
    await stage.event(Kind.ANSWERED, leg_id=far)
    await stage.engine.join("room", b, far)
    everybody = {"caller": person, "8001": agent, "8002": second, "family": family}
    for name, one in everybody.items():
        await hears(one, set(everybody) - {name}, f"{name} hears all others")
    family.hang_up()
    await stage.event(Kind.ENDED, leg_id=far)
    await hears(person, {"8001", "8002"}, "the others go on")
    await stage.engine.part(b)
    await hears(agent, {"caller"}, "one who was taken out is not heard")
    await _is_gone(stage.engine.join("room", far, b), "joining with one who left")
    await hears(agent, {"caller", "8002"}, "and the one who is there joins all the same")
    await stage.engine.hang_up(leg)
    await stage.engine.hang_up(seat)


async def a_leg_given_back_to_the_dialplan_has_left_and_not_ended(stage: Stage) -> None:
    """Its end with us is one event, and none follows when it hangs up elsewhere."""
    person, leg = await _caller_enters(stage)
    await stage.engine.redirect(leg, "rescue", "s")
    await stage.event(Kind.LEFT, leg_id=leg)
    must(leg not in {one.leg_id for one in (await stage.engine.snapshot()).legs}, "it is not ours")
    await _is_gone(stage.engine.play(leg, ["welcome"], play_id="late"), "playing")
    person.hang_up()
    must([e.kind for e in await stage.seen() if e.leg_id == leg][-1] is Kind.LEFT, "the last word was said")


async def calls_outlive_the_switchboard_and_the_next_one_finds_them(stage: Stage) -> None:
    """No `entered` is repeated; the snapshot tells, and every verb works on what was found."""
    person, leg, agent, seat = await _talks(stage)
    _, waiting = await _caller_enters(stage, "13800000002")
    before = stage.engine
    engine = await stage.next_switchboard()
    found = await engine.snapshot()
    must({one.leg_id for one in found.legs} == {leg, seat, waiting}, f"all legs are found: {found.legs}")
    one = found.leg(waiting)
    must(one is not None and one.number == "13800000002" and not one.up, "with who waits")
    must([set(b.leg_ids) for b in found.bridges] == [{leg, seat}], "and who talks with whom")
    dialled = found.leg(seat)
    must(dialled is not None and dialled.args[:1] == ("out",), "a leg that was dialled is known as such")

    must(not [e for e in await stage.seen() if e.kind is Kind.ENTERED], "nothing enters twice")
    try:
        await before.answer(waiting)
    except Fenced:
        pass
    else:
        raise AssertionError("the former switchboard must not act any more")
    await engine.answer(waiting)
    await stage.event(Kind.ANSWERED, leg_id=waiting)
    await engine.hold(leg)
    await hears(person, {"music"}, "the one who was found is put on hold")
    await engine.unhold(leg, "room")
    await hears(agent, {"caller"}, "and taken back")
    person.hang_up()
    await stage.event(Kind.ENDED, leg_id=leg)
    await engine.hang_up(seat)
    await stage.event(Kind.ENDED, leg_id=seat)


async def after_a_power_cut_nothing_is_left_and_it_is_said(stage: Stage) -> None:
    """The caller is not told by anybody: it is ours to ring back."""
    await _talks(stage)
    await stage.power_cut()
    await stage.event(Kind.DISCONNECTED)
    back = await stage.event(Kind.CONNECTED)
    must(back.data["restarted"] is True, "that it was restarted is said")
    found = await stage.engine.snapshot()
    must(found.legs == () and found.bridges == (), "nothing is left")
    must((await stage.engine.health()).ok, "and it serves")


async def a_leg_that_is_hung_up_while_it_is_dialled_does_not_ring_on(stage: Stage) -> None:
    """The caller leaves in the moment in which the seat is being dialled."""
    agent = stage.seat("8001")
    for _ in range(5):
        leg_id = str(uuid4())
        await asyncio.gather(stage.engine.dial(leg_id=leg_id, to=Seat("8001")), stage.engine.hang_up(leg_id))
        await stage.engine.hang_up(leg_id)
        await stage.event(Kind.ENDED, leg_id=leg_id)
    must((await stage.engine.snapshot()).legs == (), "nobody is rung any more")
    must(agent.rung <= 5, "and nobody was rung twice")


ENGINE_CONTRACT: tuple[Callable[[Stage], Awaitable[None]], ...] = (
    a_caller_and_an_agent_hear_each_other_and_each_leg_ends_once,
    a_second_dial_of_one_id_rings_nobody,
    whoever_is_not_there_costs_no_ringing_time,
    busy_refused_and_unanswered_are_told_apart,
    a_held_caller_hears_music_and_a_muted_one_is_not_heard,
    keys_arrive_in_order_and_prompts_say_when_they_end,
    a_supervisor_listens_whispers_and_barges_in,
    four_confer_and_one_leaves,
    a_leg_given_back_to_the_dialplan_has_left_and_not_ended,
    calls_outlive_the_switchboard_and_the_next_one_finds_them,
    after_a_power_cut_nothing_is_left_and_it_is_said,
    a_leg_that_is_hung_up_while_it_is_dialled_does_not_ring_on,
)
"""What both engines pass."""
