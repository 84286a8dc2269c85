"""The softphone against a real engine: registered, rung, answered by key, heard by tone, cut off and back again.

A real Chromium and a real Asterisk in a network of their own; callers are SIPp, the microphone is a file with a tone.
"""

from __future__ import annotations

import os
import shutil
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import expect
from tests.telephony import apart
from tests.telephony.engine_room import ARI_SECRET, EMERGENCY, HOTLINE, SECRET, EngineRoom
from tests.telephony.sipp import TONES, Town
from tests.telephony.sound import Ears

from anju.calls.asterisk.engine import AsteriskEngine
from anju.calls.lines.models import SeatPhone
from anju.calls.models import Call, Leg, SeatState
from anju.kernel.scope import EVERYWHERE, seen_by
from anju.portals.desk.tests import centre as centres
from anju.portals.desk.tests.centre import Centre, wait_for
from anju.portals.desk.tests.conftest import (
    CHROMIUM,
    FLAGS,
    District,
    Seat,
    _close_strays,
    press,
    sessions_of_the_database,
)

pytestmark = [
    pytest.mark.browser, pytest.mark.telephony, pytest.mark.timeout(300),
    pytest.mark.skipif(not apart.may_make(), reason="a network apart needs root"),
]  # fmt: skip
Sit = Callable[..., Seat]
VOICE = TONES["8001"]
"""What the agents' microphone says, in Hz."""
EAR = """
(() => {
  const Real = window.RTCPeerConnection;
  window.RTCPeerConnection = class extends Real {
    constructor(...words) {
      super(...words);
      window.peer = this;
      this.addEventListener('track', (event) => {
        const audio = new AudioContext();
        const ear = audio.createAnalyser();
        ear.fftSize = 8192;
        audio.createMediaStreamSource(event.streams[0]).connect(ear);
        window.loudest = () => {
          const room = new Float32Array(ear.frequencyBinCount);
          ear.getFloatFrequencyData(room);
          let most = 1;
          for (let i = 1; i < room.length; i++) if (room[i] > room[most]) most = i;
          return room[most] > -70 ? Math.round(most * audio.sampleRate / ear.fftSize) : 0;
        };
      });
    }
  };
})();
"""


@pytest.fixture(scope="module")
def net(tmp_path_factory: pytest.TempPathFactory) -> Iterator[apart.Apart]:
    """The network apart."""
    one = apart.Apart(tmp_path_factory.mktemp("apart"))
    yield one
    one.close()


@pytest.fixture
def room(net: apart.Apart) -> Iterator[EngineRoom]:
    """Asterisk inside."""
    from tempfile import mkdtemp

    home = Path(mkdtemp(prefix="anju-soft-"))
    home.chmod(0o755)
    one = EngineRoom(home, seats=("8001", "1017", "1023", "1031"), rescue=("1017",), ports=200)
    try:
        with net.inside():
            one.start()
        yield one
    finally:
        one.close()
        shutil.rmtree(home, ignore_errors=True)


@pytest.fixture(scope="module")
def chromium(net: apart.Apart, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    """A browser inside, with a microphone that hums."""
    import subprocess

    from playwright.sync_api import sync_playwright

    tone = tmp_path_factory.mktemp("voice") / "mic.wav"
    subprocess.run(
        ["sox", "-n", "-r", "48000", "-c", "1", "-b", "16", tone, "synth", "10", "sine", str(VOICE), "vol", "0.4"],
        check=True,
    )
    flags = [f for f in FLAGS if "autoplay" not in f]
    flags += [
        "--use-fake-device-for-media-stream", "--use-fake-ui-for-media-stream", f"--use-file-for-fake-audio-capture={tone}",
        "--allow-loopback-in-peer-connection",
    ]  # fmt: skip
    os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"] = "true"
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=net.browser(CHROMIUM), args=flags)
        yield browser
        browser.close()
    os.environ.pop("DJANGO_ALLOW_ASYNC_UNSAFE", None)


class Web:
    """The web process: can be stopped and started again on the same address."""

    def __init__(self, net: apart.Apart) -> None:
        self.socket = net.listening()
        self.port: int = self.socket.getsockname()[1]
        self.address = f"http://127.0.0.1:{self.port}"

    def start(self) -> None:
        """Serve."""
        import uvicorn
        from django.contrib.staticfiles.handlers import ASGIStaticFilesHandler
        from django.core.asgi import get_asgi_application

        config = uvicorn.Config(
            ASGIStaticFilesHandler(get_asgi_application()), log_level="warning", lifespan="off", timeout_graceful_shutdown=1
        )  # fmt: skip
        self.server = uvicorn.Server(config)
        self.thread = threading.Thread(target=self.server.run, kwargs={"sockets": [self.socket.dup()]}, daemon=True)
        self.thread.start()
        wait_for(lambda: self.server.started, "the web serves")

    def stop(self) -> None:
        """As a restart does."""
        self.server.should_exit = True
        self.thread.join(10)


@pytest.fixture
def server(net: apart.Apart, transactional_db: None) -> Iterator[Web]:
    """Outside with the database, its door inside with the browser."""
    before = sessions_of_the_database()
    one = Web(net)
    one.start()
    yield one
    one.stop()
    one.socket.close()
    _close_strays(before)


@pytest.fixture
def web(server: Web) -> str:
    """Its address."""
    return server.address


@pytest.fixture
def line(net: apart.Apart, room: EngineRoom) -> apart.Door:
    """The cable between browsers and engine."""
    return net.door(room.machine.ari_port, inside=True)


@pytest.fixture
def centre(
    district: District, server: Web, room: EngineRoom, net: apart.Apart, line: apart.Door, settings: Any
) -> Iterator[Centre]:
    """The switchboard with the real engine."""
    url = f"http://127.0.0.1:{net.door(room.machine.ari_port).port}"
    settings.ANJU_ARI_URL, settings.ANJU_EXCHANGE = url, "asterisk"
    settings.ANJU_SIP_WS_PORT, settings.ANJU_SIP_WSS_PORT = line.port, 0
    for user in (district.agent, district.second, district.lead):
        SeatPhone.objects.create(user=user, secret=f"{SECRET}-{user.seat_number}")
    centres.numbers(HOTLINE, EMERGENCY)
    one = Centre(AsteriskEngine(url=url, user="anju", secret=ARI_SECRET, app="anju"))
    one.start()
    yield one
    one.stop()


@pytest.fixture
def town(room: EngineRoom, net: apart.Apart) -> Iterator[Town]:
    """People with telephones."""
    with net.inside():
        one = Town(room, room.machine.home)
    yield one
    one.end()


def take_seat(seat: Seat) -> None:
    """The microphone is checked, the agent is ready."""
    page = seat.page
    expect(page.locator("live-line")).to_have_attribute("data-state", "live")
    expect(page.locator("soft-phone")).to_have_attribute("data-line", "ready")
    page.keyboard.press("r")
    expect(page.locator(".mic")).to_have_attribute("data-state", "ok")
    page.get_by_role("button", name="听得到，就绪").click()
    expect(page.locator("#phone-state summary")).to_contain_text("就绪")


def hears(seat: Seat, tone: int) -> None:
    """Through the browser's loudspeaker."""
    seat.page.wait_for_function(f"() => window.loudest && Math.abs(window.loudest() - {tone}) < 12", timeout=60_000)


def talking(seat: Seat) -> None:
    """Its call is up, in the browser and in the centre."""
    expect(seat.page.locator("soft-phone")).to_have_attribute("data-talk", "talking")
    expect(seat.page.locator("#phone")).to_have_attribute("data-talk", "talking")


@pytest.mark.req("CALL-01", "CALL-02")
def test_a_call_rings_in_the_browser_and_both_hear_each_other_while_ten_cases_are_opened(
    district: District, centre: Centre, sit: Sit, town: Town, net: apart.Apart, room: EngineRoom, tmp_path: Path
) -> None:
    """Registered, checked, rung, answered by F8; ten cases opened; the same call is still up and heard both ways."""
    cases = [press(district.elder) if n % 2 else press(district.other) for n in range(2)]
    seat = sit(district.agent, ear=EAR)
    take_seat(seat)
    with net.inside():
        ears = Ears(room, tmp_path)
        caller = town.calls("13911112222", EMERGENCY)
    try:
        expect(seat.page.locator(".incoming")).to_be_visible()
        expect(seat.page.locator("soft-phone")).to_have_attribute("data-talk", "ringing")
        seat.page.keyboard.press("F8")
        talking(seat)
        hears(seat, TONES["caller"])
        for n in range(10):
            seat.page.locator(f"#queue a[data-incident='{cases[n % 2].pk}']").click()
            expect(seat.page.locator("#case")).to_have_attribute("data-incident", str(cases[n % 2].pk))
        talking(seat)
        hears(seat, TONES["caller"])
        wait_for(lambda: "8001" in ears.hears(parties=1)["caller"], "the microphone's tone")
    finally:
        ears.close()
    seat.page.keyboard.press("F10")
    assert caller.over() == 0
    expect(seat.page.locator("soft-phone")).to_have_attribute("data-talk", "idle")
    expect(seat.page.locator(".wrap")).to_be_visible()


def in_call(seat: Seat, town: Town, net: apart.Apart, number: str = "13911112222") -> Any:
    """Somebody calls and is answered by key; the caller."""
    with net.inside():
        caller = town.calls(number, EMERGENCY)
    expect(seat.page.locator("soft-phone")).to_have_attribute("data-talk", "ringing", timeout=30_000)
    seat.page.keyboard.press("F8")
    talking(seat)
    hears(seat, TONES["caller"])
    return caller


@pytest.mark.req("CALL-01", "CALL-02")
def test_a_cut_cable_and_a_new_web_server_leave_the_call_alone(
    district: District, centre: Centre, sit: Sit, town: Town, net: apart.Apart, line: apart.Door, server: Web
) -> None:
    """The WebSocket is cut in mid-call: said in words, back by itself, sound throughout, and the hang-up still arrives.

    Then the web server is restarted in mid-call: the call does not notice; the page is live again and ends the call.
    """
    seat = sit(district.agent, ear=EAR)
    take_seat(seat)
    phone = seat.page.locator("soft-phone")
    caller = in_call(seat, town, net)
    line.shut()
    expect(phone).to_contain_text("话机断开，正在重连")
    hears(seat, TONES["caller"])
    line.shut(on=False)
    expect(phone).to_have_attribute("data-line", "ready")
    talking(seat)
    server.stop()
    expect(seat.page.locator("live-line")).to_have_attribute("data-state", "late")
    hears(seat, TONES["caller"])
    server.start()
    expect(seat.page.locator("live-line")).to_have_attribute("data-state", "live")
    talking(seat)
    seat.page.keyboard.press("F10")
    expect(phone).to_have_attribute("data-talk", "idle")
    assert caller.over() == 0
    seat.complaints.clear()  # the browser says in its console that lines were cut


@pytest.mark.req("CALL-01")
def test_an_engine_that_is_killed_is_found_again_and_takes_the_next_call(
    district: District, centre: Centre, sit: Sit, town: Town, net: apart.Apart, room: EngineRoom
) -> None:
    """Killed in mid-call: the call is over here too, the telephone registers again by itself, and the next call rings."""
    seat = sit(district.agent, ear=EAR)
    take_seat(seat)
    caller = in_call(seat, town, net)
    room.kill()
    expect(seat.page.locator("soft-phone")).to_contain_text("话机断开，正在重连")
    caller.crash()
    with net.inside():
        room.start()
    expect(seat.page.locator("soft-phone")).to_have_attribute("data-line", "ready")
    expect(seat.page.locator("soft-phone")).to_have_attribute("data-talk", "idle", timeout=30_000)
    expect(seat.page.locator("#engine")).to_be_empty()
    wait_for(lambda: SeatState.objects.get(user=district.agent).state in {"ready", "wrap_up"}, "the seat is free")
    if SeatState.objects.get(user=district.agent).state == "wrap_up":
        seat.page.get_by_role("button", name="整理完，就绪").click()
    expect(seat.page.locator("#phone-state summary")).to_contain_text("就绪")
    in_call(seat, town, net, "13911113333")
    seat.complaints.clear()


@pytest.mark.req("CALL-01", "CALL-02")
def test_a_browser_that_is_closed_while_talking_gives_the_caller_to_the_next_seat(
    district: District, centre: Centre, sit: Sit, town: Town, net: apart.Apart
) -> None:
    """She is asked before the page closes; if it closes all the same, the colleague's telephone rings and the caller is there."""
    first, second = sit(district.agent, ear=EAR), sit(district.second, ear=EAR)
    take_seat(first)
    caller = in_call(first, town, net)
    take_seat(second)
    with first.page.expect_event("dialog") as asked:
        first.page.close(run_before_unload=True)
    assert asked.value.type == "beforeunload"
    asked.value.dismiss()
    talking(first)
    first.page.context.close()
    expect(second.page.locator("soft-phone")).to_have_attribute("data-talk", "ringing", timeout=30_000)
    second.page.keyboard.press("F8")
    talking(second)
    hears(second, TONES["caller"])
    with seen_by(EVERYWHERE):
        call = Call.objects.get()
        assert call.state == "talking"
        agents = Leg.objects.filter(call=call, role="agent", answered_at__isnull=False).order_by("id")
        assert [(leg.user_id, leg.ended_at is None) for leg in agents] == [
            (district.agent.pk, False), (district.second.pk, True),
        ]  # fmt: skip
    second.page.keyboard.press("F10")
    assert caller.over() == 0


@pytest.mark.req("CALL-01")
def test_one_seat_has_one_softphone(district: District, centre: Centre, sit: Sit) -> None:
    """A second window and a second computer of the same seat: one of them is the telephone, the other says where it is."""
    one = sit(district.agent)
    expect(one.page.locator("soft-phone")).to_have_attribute("data-line", "ready")
    one.page.evaluate(
        """() => {
          const phone = document.querySelector('soft-phone');
          window.said = [];
          const watch = new MutationObserver(() => window.said.push(phone.dataset.line));
          watch.observe(phone, {attributes: true, attributeFilter: ['data-line']});
        }"""
    )
    other = one.page.context.new_page()
    other.goto(one.page.url)
    expect(other.locator("soft-phone")).to_contain_text("话机在另一处")
    other.locator("soft-phone button.phone").click()
    other.get_by_role("button", name="把话机移到这里").click()
    expect(other.locator("soft-phone")).to_have_attribute("data-line", "ready")
    expect(one.page.locator("soft-phone")).to_contain_text("话机在另一处")
    elsewhere = sit(district.agent)  # another computer: nothing in common but the server
    expect(elsewhere.page.locator("soft-phone")).to_have_attribute("data-line", "ready")
    expect(other.locator("soft-phone")).to_contain_text("话机在另一处")
    assert one.page.evaluate("window.said") == ["elsewhere"], "what it hears of its own leaving is no news"
