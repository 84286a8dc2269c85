"""Conference, transfer and supervision pressed in the page, proved by tones: a real Chromium, a real Asterisk, SIPp around them.

All browsers share one microphone (VOICE). Who of two browsers speaks is told apart by stopping one's microphone in the browser.
"""

from __future__ import annotations

# ruff: noqa: F811 - fixtures of the sister module, asked for by name
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import expect
from tests.telephony import apart
from tests.telephony.engine_room import EngineRoom
from tests.telephony.sipp import TONES, Town
from tests.telephony.sound import Ears

from anju.calls.models import Call, Leg
from anju.kernel.scope import EVERYWHERE, seen_by
from anju.portals.desk.tests.centre import Centre, wait_for
from anju.portals.desk.tests.conftest import District, Seat
from anju.portals.desk.tests.test_softphone import (  # noqa: F401
    EAR,
    VOICE,
    centre,
    chromium,
    in_call,
    line,
    net,
    room,
    server,
    take_seat,
    talking,
    town,
    web,
)

pytestmark = [
    pytest.mark.browser, pytest.mark.telephony, pytest.mark.timeout(300),
    pytest.mark.skipif(not apart.may_make(), reason="a network apart needs root"),
]  # fmt: skip
Sit = Callable[..., Seat]
LEVELS = EAR.replace(
    "window.loudest = ",
    """window.level = (tone) => {
          const room = new Float32Array(ear.frequencyBinCount);
          ear.getFloatFrequencyData(room);
          const at = Math.round(tone * ear.fftSize / audio.sampleRate);
          return Math.max(...room.slice(at - 2, at + 3));
        };
        window.loudest = """,
)
"""As EAR, and how loud one tone is, in dB: several speak at once."""
HEARD = -70


@pytest.fixture
def ears(net: apart.Apart, room: EngineRoom, tmp_path: Path) -> Iterator[Ears]:
    """What reaches the telephones outside."""
    with net.inside():
        one = Ears(room, tmp_path)
    yield one
    one.close()


def hears(seat: Seat, *tones: int, silent: tuple[int, ...] = ()) -> None:
    """These tones come out of the browser's loudspeaker together, and those do not."""
    told = " && ".join(
        [f"window.level({t}) > {HEARD}" for t in tones] + [f"window.level({t}) <= {HEARD}" for t in silent]
    )
    seat.page.wait_for_function(f"() => window.level && {told}", timeout=60_000)


def chooses(seat: Seat, key: str, to: str, button: str, **fields: str) -> None:
    """Through the dialog of the page, as an agent does."""
    seat.page.keyboard.press(key)
    dialog = seat.page.locator("dialog[open]")
    dialog.locator(f"input[value='{to}']").check(force=True)
    for name, value in fields.items():
        box = dialog.locator(f"[name={name}]")
        (box.select_option if box.evaluate("e => e.tagName") == "SELECT" else box.fill)(value)
    dialog.get_by_role("button", name=button).click()
    expect(dialog).to_have_count(0)


def legs(role: str) -> list[Leg]:
    with seen_by(EVERYWHERE):
        return list(Leg.objects.filter(role=role, answered_at__isnull=False, ended_at=None))


@pytest.mark.req("CALL-02")
def test_a_doctor_is_brought_in_from_the_page_and_everybody_hears_everybody(
    district: District,
    centre: Centre,
    sit: Sit,
    town: Town,
    net: apart.Apart,
    ears: Ears,
) -> None:
    """Caller, agent and doctor; then the doctor is let go by the page and the two go on."""
    seat = sit(district.agent, ear=LEVELS)
    take_seat(seat)
    with net.inside():
        town.outside(voice="doctor")
    caller = in_call(seat, town, net)
    chooses(seat, "g", "number", "请进来", number="13900000001", role="doctor")
    expect(seat.page.locator("#phone-lines")).to_contain_text("医生")
    wait_for(lambda: legs("doctor"), "the doctor speaks")
    hears(seat, TONES["caller"], TONES["doctor"])
    ears.find({"caller": {"8001", "doctor"}, "doctor": {"caller", "8001"}})
    seat.page.locator("#phone-lines .line").filter(has_text="医生").get_by_role("button").click()
    wait_for(lambda: not legs("doctor"), "the doctor is gone")
    hears(seat, TONES["caller"], silent=(TONES["doctor"],))
    wait_for(lambda: ears.hears(parties=1)["caller"] == {"8001"}, "the caller hears her alone")
    seat.page.keyboard.press("F10")
    assert caller.over() == 0


@pytest.mark.req("CALL-01", "CALL-06")
def test_a_caller_is_given_away_from_the_page_and_a_lead_listens_whispers_and_barges_in(
    district: District,
    centre: Centre,
    sit: Sit,
    town: Town,
    net: apart.Apart,
    ears: Ears,
) -> None:
    """Blind: the second seat has her, the first hears nothing more. The lead comes in from the list of calls."""
    first, second, lead = (sit(user, ear=LEVELS) for user in (district.agent, district.second, district.lead))
    take_seat(first)
    caller = in_call(first, town, net)
    take_seat(second)
    chooses(first, "t", "seat:1023", "直接转走")
    expect(second.page.locator("soft-phone")).to_have_attribute("data-talk", "ringing", timeout=30_000)
    expect(first.page.locator("soft-phone")).to_have_attribute("data-talk", "idle")
    second.page.keyboard.press("F8")
    talking(second)
    hears(second, TONES["caller"])
    wait_for(lambda: ears.hears(parties=1)["caller"] == {"8001"}, "the second seat's microphone")
    with seen_by(EVERYWHERE):
        call = Call.objects.get()
    assert call.user_id == district.second.pk
    take_seat(lead)
    lead.page.locator(f"#callers #supervise-{call.call_id}").click()
    lead.page.locator("dialog[open]").get_by_role("button", name="接入").click()
    talking(lead)
    hears(lead, TONES["caller"], VOICE)
    second.page.evaluate("window.peer.getSenders().forEach((one) => { if (one.track) one.track.enabled = false; })")
    hears(second, TONES["caller"], silent=(VOICE,))
    wait_for(lambda: ears.hears(parties=1)["caller"] == set(), "who listens is heard by nobody")
    mode(lead, "whisper")
    hears(second, TONES["caller"], VOICE)
    wait_for(lambda: ears.hears(parties=1)["caller"] == set(), "a whisper reaches the agent alone")
    mode(lead, "barge")
    wait_for(lambda: ears.hears(parties=1)["caller"] == {"8001"}, "now the caller hears the lead")
    lead.page.keyboard.press("F10")
    expect(lead.page.locator("soft-phone")).to_have_attribute("data-talk", "idle")
    talking(second)
    second.page.keyboard.press("F10")
    assert caller.over() == 0


def mode(lead: Seat, way: str) -> None:
    """Another way of being there, from one's own bar."""
    lead.page.locator("#key-mode").click()
    lead.page.locator(f"dialog[open] input[value={way}]").check(force=True)
    lead.page.locator("dialog[open]").get_by_role("button", name="接入").click()
    expect(lead.page.locator("dialog[open]")).to_have_count(0)
