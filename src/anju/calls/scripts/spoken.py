"""The scripts: what a machine says on the telephone, and what follows from a key. One coroutine each.

An answer proves nothing (voicemail answers too); only a key does, or what an agent hears. Whoever wants a person gets
one, with the priority of an emergency where it may be one. No script dials anybody.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from anju.calls.exchange import EngineDown
from anju.calls.scripts import actions, queries
from anju.calls.scripts.menus import End, Go, Say, begin
from anju.calls.scripts.stage import HungUp, Stage, Talk, quietly

EMERGENCY, URGENT = "emergency", 9
"""The queue and the priority of who may be in need."""
Spoken = Callable[[Talk], Awaitable[None]]


async def elder_check(talk: Talk) -> None:
    """Is she well? Her key is a sign of life: 2 and 0 bring a seat at once, 1 and others end it with thanks."""
    await _check(talk, "elder_check")


async def silent_check(talk: Talk) -> None:
    """A silent line, rung back by the machine: any key is an answer; 2 and 0 bring a seat."""
    await _check(talk, "silent_check")


async def _check(talk: Talk, prompt: str) -> None:
    call = talk.call
    digit = await talk.ask(text=call.says if call else "", instead=prompt, seconds=8)
    if not digit:
        return
    talk.pressed(digit)
    if digit in {"0", "2"}:  # 2: she needs help; 0: a person, as everywhere
        await talk.say(text=call.says_after_key if call else "", instead="please_wait")
        await talk.to_seat(queue=EMERGENCY, priority=URGENT)
        return
    await talk.say("elder_check_thanks")


async def press_one(talk: Talk) -> None:
    """Who takes it? 1 and 2 take the case and hear how to get in, as often as she likes; 3 cannot; 0 brings a seat."""
    call = talk.call
    digit = await talk.ask(text=call.says if call else "", instead="press_one", seconds=8)
    talk.pressed(digit)
    while digit in {"1", "2"}:
        again = await talk.say(text=_notes(call.says_after_key if call else ""), instead="thanks") or await talk.key(8)
        if again == "0":
            digit = again
        elif again not in {"1", "2"}:
            break
    if digit == "0":
        await talk.to_seat(queue=EMERGENCY, priority=URGENT)
        return
    await quietly(talk, "thanks" if digit else "goodbye_no_answer")


def _notes(access: str) -> str:
    return f"{access}再听一遍请按一，和坐席通话请按零。" if access else ""


async def abandoned_callback(talk: Talk) -> None:
    """She called in need and was cut off. A seat unless she says by key (2) that she is well; a key proves that she is there.

    Without a key nobody is connected: it may be her voicemail, and a person rings next.
    """
    digit = await talk.ask("abandoned_callback", seconds=8)
    if not digit:
        return
    talk.pressed(digit)
    if digit == "2":
        await talk.say("elder_check_thanks")
    else:
        await talk.to_seat(queue=EMERGENCY, priority=URGENT)


async def satisfaction(talk: Talk) -> None:
    """After the agent hung up: how was it, 1 to 5. Once; nobody is pressed."""
    digit = await _score(talk, "", "satisfaction")
    if digit:
        await talk.stage.write(actions.answered, call_id=talk.call_id, digit=digit)
        await quietly(talk, "thanks")


async def survey(talk: Talk) -> None:
    """The same in a call of its own, about something that was done for her (FLD-06)."""
    call = talk.call
    digit = await _score(talk, call.says if call else "", "satisfaction")
    talk.pressed(digit)
    if digit:
        await talk.stage.write(actions.answered, call_id=talk.call_id, digit=digit, subject="service")
    await quietly(talk, "thanks" if digit else "goodbye_no_answer")


async def _score(talk: Talk, text: str, prompt: str) -> str:
    digit = await talk.ask(text=text, instead=prompt, seconds=6)
    if digit and digit not in set("12345"):
        digit = await talk.ask("invalid_key", text=text, instead=prompt, seconds=6, tries=1)
    return digit if digit in set("12345") else ""


async def speak(talk: Talk) -> None:
    """Read something (a wake-up call, a reminder); a key says that it was heard, 0 brings a person."""
    call = talk.call
    digit = await talk.ask(text=call.says if call else "", instead="welcome", seconds=5)
    talk.pressed(digit)
    if digit == "0":
        await talk.to_seat()
        return
    if digit:
        await talk.say(text=call.says_after_key if call else "", instead="thanks")


async def menu(talk: Talk) -> None:
    """The keys of the number that was called; at the end a person, or a goodbye."""
    call = talk.call
    tables = await talk.stage.db(queries.tables)
    code = await talk.stage.db(queries.menu_of, call.called if call else "")
    walk = begin(tables, code)
    while isinstance(walk.step, Say):
        step = walk.step
        digit = await talk.say(*step.prompts, text=step.says) or await talk.key(step.wait_seconds)
        walk = walk.press(digit) if digit else walk.silence()
    if isinstance(walk.step, Go):
        await talk.to_seat(queue=walk.step.queue)
    elif isinstance(walk.step, End):
        await quietly(talk, *walk.step.prompts)
        await talk.stage.end(talk.call_id)


SCRIPTS: dict[str, Spoken] = {
    s.__name__: s for s in (elder_check, silent_check, press_one, abandoned_callback, satisfaction, survey, speak, menu)
}
"""By the name that a call carries."""


def script(spoken: Spoken) -> Callable[[Stage, str, str], Awaitable[None]]:
    """A script as the switchboard runs it: `await it(control, call_id, leg_id)`. A party that hangs up ends it quietly."""

    async def run(stage: Stage, call_id: str, leg_id: str) -> None:
        talk = Talk(stage, call_id, leg_id, early=spoken is not satisfaction)
        try:
            await spoken(talk)
        except (HungUp, EngineDown):
            return
        finally:
            talk.close()

    return run


def register(stage: object) -> None:
    """Give the switchboard every script; called once when it starts."""
    known = getattr(stage, "scripts")  # noqa: B009 - a Control, which knows nothing of us
    known.update({name: script(spoken) for name, spoken in SCRIPTS.items()})
