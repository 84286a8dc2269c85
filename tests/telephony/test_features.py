"""Every feature of a call, proved by who hears whom: SIPp's callers and seats each say a tone, and what goes over the
wire is captured and measured. Nothing is taken from what a program believes.
"""

from collections.abc import Iterator

import pytest

from anju.calls import actions
from anju.calls.models import Call, Leg
from tests.telephony.centre import EMERGENCY, Centre
from tests.telephony.engine_room import until
from tests.telephony.sipp import Town
from tests.telephony.sound import Ears, may_capture, voices_in

pytestmark = [pytest.mark.telephony, pytest.mark.timeout(240)]


@pytest.fixture
def town(room, tmp_path) -> Iterator[Town]:
    tmp_path.chmod(0o755)
    people = Town(room, tmp_path)
    yield people
    people.end()


@pytest.fixture
def ears(room, tmp_path) -> Iterator[Ears]:
    assert may_capture(), "the proof by sound needs root: it captures what goes over loopback"
    listening = Ears(room, tmp_path)
    yield listening
    listening.close()


def at_the_desk(centre: Centre, town: Town, *extensions: str) -> None:
    for extension in extensions:
        centre.agent_row(extension, state="ready" if extension == extensions[0] else "break")
        town.seat(extension)


def connected(centre: Centre, town: Town) -> Call:
    """A caller and the first seat talk."""
    town.calls("13800000001", EMERGENCY)
    return centre.call_is("talking")


@pytest.mark.req("CALL-04", "CALL-05")
def test_hold_mute_and_the_recording_of_record_hold_what_was_said(centre, town, ears):
    at_the_desk(centre, town, "8001")
    centre.opens()
    call = connected(centre, town)
    me, it = centre.by("8001"), {"by": centre.by("8001"), "call_id": str(call.call_id)}
    ears.find({"caller": {"8001"}, "8001": {"caller"}})
    actions.hold(**it)
    until(lambda: Leg.objects.get(call=call, role="caller").held, "she is on hold")
    ears.find({"caller": {"music"}, "8001": set()})
    actions.unhold(**it)
    until(lambda: not Leg.objects.get(call=call, role="caller").held, "she is back")
    ears.find({"caller": {"8001"}, "8001": {"caller"}})
    actions.mute(**it)
    until(lambda: Leg.objects.get(call=call, user_id=me.user_id).muted, "the agent is muted")
    ears.find({"caller": set(), "8001": {"caller"}})
    actions.unmute(**it)
    until(lambda: not Leg.objects.get(call=call, user_id=me.user_id).muted, "and speaks again")
    ears.find({"caller": {"8001"}, "8001": {"caller"}})
    leg_id = Leg.objects.get(call=call, role="caller").leg_id
    actions.hang_up(**it)
    centre.nothing_is_left()
    folder = centre.room.machine.recordings
    said, heard = folder / f"{leg_id}-in.wav", folder / f"{leg_id}-out.wav"
    until(lambda: said.exists() and heard.exists() and said.stat().st_size > 44 + 16000 * 6, "both voices are on disk")
    assert "caller" in voices_in(said, 5.0)
    assert "8001" not in voices_in(said, 5.0)


@pytest.mark.req("CALL-04")
def test_a_conference_of_caller_seat_b_seat_and_family_and_one_after_another_leaves(centre, town, ears):
    at_the_desk(centre, town, "8001", "8002")
    town.outside(voice="family")
    centre.opens()
    call = connected(centre, town)
    it = {"by": centre.by("8001"), "call_id": str(call.call_id)}
    actions.conference(**it, number="13900000001", role="contact")
    until(
        lambda: Leg.objects.filter(call=call, role="contact", answered_at__isnull=False).exists(), "the family is there"
    )
    ears.find({"caller": {"8001", "family"}, "8001": {"caller", "family"}, "family": {"caller", "8001"}})
    actions.join(by=centre.by("8002"), call_id=str(call.call_id), seat="B")
    until(lambda: Leg.objects.filter(call=call, role="agent_b", answered_at__isnull=False).exists(), "B sits down")
    everybody = {"caller", "8001", "8002", "family"}
    ears.find({name: everybody - {name} for name in everybody})
    actions.drop(**it, leg_id=Leg.objects.get(call=call, role="contact").leg_id)
    until(lambda: Leg.objects.filter(call=call, role="contact", ended_at__isnull=False).exists(), "the family leaves")
    rest = everybody - {"family"}
    ears.find({name: rest - {name} for name in rest})
    actions.hang_up(**it)
    until(lambda: Leg.objects.filter(call=call, role="agent", ended_at__isnull=False).exists(), "A leaves")
    ears.find({"caller": {"8002"}, "8002": {"caller"}}, "the B seat goes on with the caller")
    actions.hang_up(by=centre.by("8002"), call_id=str(call.call_id))
    centre.nothing_is_left()


@pytest.mark.req("CALL-04")
@pytest.mark.parametrize("attended", [False, True], ids=["blind", "attended"])
def test_a_caller_is_transferred_to_another_seat(centre, town, ears, attended):
    at_the_desk(centre, town, "8001", "8002")
    centre.opens()
    call = connected(centre, town)
    it = {"by": centre.by("8001"), "call_id": str(call.call_id)}
    actions.transfer(**it, to_seat="8002", attended=attended)
    until(lambda: Leg.objects.filter(call=call, seat="8002", answered_at__isnull=False).exists(), "8002 lifts")
    if attended:
        ears.find({"caller": {"music"}, "8001": {"8002"}, "8002": {"8001"}})
        actions.complete_transfer(**it)
    until(lambda: Leg.objects.filter(call=call, seat="8001", ended_at__isnull=False).exists(), "8001 has left")
    ears.find({"caller": {"8002"}, "8002": {"caller"}})
    assert Call.objects.get(pk=call.pk).user_id == centre.by("8002").user_id
    centre.rests("8001")
    actions.hang_up(by=centre.by("8002"), call_id=str(call.call_id))
    centre.nothing_is_left()


@pytest.mark.req("CALL-06")
def test_a_lead_listens_whispers_and_barges_in(centre, town, ears):
    at_the_desk(centre, town, "8001", "8009")
    centre.opens()
    call = connected(centre, town)
    lead = {"by": centre.by("8009"), "call_id": str(call.call_id)}
    heard = {
        "listen": {"8009": {"caller", "8001"}, "8001": {"caller"}, "caller": {"8001"}},
        "whisper": {"8009": {"caller", "8001"}, "8001": {"caller", "8009"}, "caller": {"8001"}},
        "barge": {"8009": {"caller", "8001"}, "8001": {"caller", "8009"}, "caller": {"8001", "8009"}},
    }
    for mode, expected in heard.items():
        actions.supervise(**lead, mode=mode)
        ears.find(expected, f"{mode}: who hears whom")
    actions.mute(by=centre.by("8001"), call_id=str(call.call_id))
    alone = {"8009": {"caller"}, "8001": {"caller", "8009"}, "caller": {"8009"}}
    ears.find(alone, "the agent is muted and the caller hears the lead all the same")
    actions.unmute(by=centre.by("8001"), call_id=str(call.call_id))
    actions.supervise(**lead, mode="listen")
    ears.find(heard["listen"], "from the call back to the ear")
    actions.supervise(**lead, mode="stop")
    until(lambda: Leg.objects.filter(call=call, role="supervisor", ended_at__isnull=False).exists(), "the lead leaves")
    ears.find({"caller": {"8001"}, "8001": {"caller"}})
    actions.hang_up(by=centre.by("8001"), call_id=str(call.call_id))
    centre.nothing_is_left()


@pytest.mark.req("CALL-04")
def test_an_agent_calls_out_and_both_hear_each_other(centre, town, ears):
    at_the_desk(centre, town, "8001")
    town.outside(voice="120")
    centre.opens()
    call = actions.dial(
        by=centre.by("8001"), number="120", whom="120", purpose="120", ref="test:1", place="330199001001"
    )
    centre.call_is("talking", pk=call.pk)
    ears.find({"120": {"8001"}, "8001": {"120"}})
    planned = Leg.objects.get(call=call, role="120")
    assert planned.planned_at < planned.ringing_at, "the intent was written before anybody was rung"
    actions.hang_up(by=centre.by("8001"), call_id=str(call.call_id))
    centre.nothing_is_left()
