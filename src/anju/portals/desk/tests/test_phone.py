"""The telephone on the desk, without an engine: what the page shows of calls, and what it asks of the switchboard."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pytest
from django.db import transaction
from playwright.sync_api import expect

from anju.calls.actions.course import owe_call_back
from anju.calls.levels.models import Proposal
from anju.calls.models import Call, Leg, SeatState
from anju.elders.models import Elder
from anju.incidents.models import Incident
from anju.kernel import clock
from anju.kernel.scope import EVERYWHERE, seen_by
from anju.portals.desk.tests import exchange
from anju.portals.desk.tests.conftest import PHONE, District, Seat, press

pytestmark = [pytest.mark.browser, pytest.mark.timeout(240)]
Sit = Callable[..., Seat]


@pytest.fixture(autouse=True)
def _switchboard(district: District) -> None:
    """It says that it runs, and that its engine is real."""
    exchange.switchboard(real=True)
    exchange.queues()


def live(seat: Seat) -> None:
    """The line is open."""
    expect(seat.page.locator("live-line")).to_have_attribute("data-state", "live")


def rings(district: District, call: Call) -> Leg:
    """The first agent's telephone rings with this call."""
    leg = exchange.leg(call, "agent", user=district.agent)
    exchange.seat(district.agent, "ringing", call)
    return leg


def answered(district: District, call: Call, leg: Leg) -> None:
    """She has answered."""
    exchange.lift(leg)
    exchange.turn(call, "taken")
    exchange.seat(district.agent, "talking", call)


@pytest.mark.req("CALL-01", "CALL-03")
def test_the_incoming_call_says_who_where_how_urgent_and_why_here(district: District, sit: Sit, shots: Path) -> None:
    """The card while it rings, the list of who waits, and at the answer the open case of the home."""
    incident = press(district.elder)
    seat = sit(district.agent)
    live(seat)
    exchange.seat(district.agent)
    exchange.seat(district.second, "talking")
    exchange.call_in(number="13700004471", emergency=False, moves=("queue_up",))
    expect(seat.page.locator("#callers li")).to_contain_text("137****4471")
    call = exchange.call_in(elder=district.elder, ref=f"incident:{incident.pk}")
    leg = rings(district, call)
    card = seat.page.locator(".incoming")
    expect(card).to_contain_text("沈玉芬")
    expect(card).to_contain_text("荷汀花园 6 幢 2 单元 302 室")
    expect(card).to_contain_text("优先级 9 · 紧急")
    expect(seat.page.locator("#callers li").first).to_contain_text("正振铃 1017")
    expect(seat.page.locator("#phone-lines .line").first).to_have_attribute("data-state", "ringing")
    expect(seat.page.locator("#silent-warning")).to_contain_text("电话在响")
    assert "来电" in seat.page.title()
    seat.page.screenshot(path=shots / "telephone-ringing.png")
    answered(district, call, leg)
    expect(seat.page.locator("#case")).to_have_attribute("data-incident", str(incident.pk))
    expect(card).to_have_count(0)


@pytest.mark.req("CALL-03")
def test_several_elders_with_one_number_are_chosen_by_a_digit(district: District, sit: Sit, shots: Path) -> None:
    """Two share a number: the agent asks who it is, presses 2, and the file of the right one is there."""
    seat = sit(district.agent)
    live(seat)
    call = exchange.call_in(number="13800002046", emergency=False, candidates=[district.elder.pk, district.other.pk])
    answered(district, call, rings(district, call))
    expect(seat.page.locator("#caller-found li")).to_have_count(2)
    seat.page.screenshot(path=shots / "telephone-several.png")
    seat.page.keyboard.press("2")
    expect(seat.page.locator("#case.caller h1")).to_have_text("周阿根")
    with seen_by(EVERYWHERE):
        call.refresh_from_db()
        assert call.elder_id == district.other.pk
        assert Elder.objects.get(pk=call.elder_id).home_id == call.home_id


@pytest.mark.req("CALL-03", "INC-03")
def test_a_stranger_is_registered_with_where_and_what(district: District, sit: Sit, shots: Path) -> None:
    """Nobody in the files: place, number and what happens become a case; typed words survive the page's own updates."""
    seat = sit(district.agent)
    live(seat)
    call = exchange.call_in(number="13911112222", emergency=False)
    answered(district, call, rings(district, call))
    expect(seat.page.locator("#case.caller")).to_be_visible()
    seat.page.keyboard.press("o")
    seat.page.keyboard.type("老人坐在路边起不来")
    seat.page.get_by_label("在哪里").fill("潮音路公交站")
    exchange.leg(call, "contact", name="卢文静", number="13600004471")  # the page fetches itself meanwhile
    expect(seat.page.locator("#phone-lines .line")).to_have_count(2)
    expect(seat.page.locator("#quick-what")).to_have_value("老人坐在路边起不来")
    seat.page.screenshot(path=shots / "telephone-stranger.png")
    seat.page.locator("#quick-what").press("Enter")
    expect(seat.page.locator("#case.case .sheet--case")).to_contain_text("潮音路公交站")
    with seen_by(EVERYWHERE):
        call.refresh_from_db()
        assert call.ref == f"incident:{Incident.objects.get().pk}"


@pytest.mark.req("CALL-04", "CALL-05")
def test_what_is_pressed_is_asked_of_the_switchboard(district: District, sit: Sit, shots: Path) -> None:
    """Mute, hold, transfer (seat, queue, number), conference (120, family), drop, keys, hang up: each is one command."""
    seat, page = (one := sit(district.agent)), one.page
    live(seat)
    exchange.seat(district.second)
    call = exchange.call_in(elder=district.elder)
    answered(district, call, rings(district, call))
    expect(page.locator("#case.caller")).to_be_visible()
    for key, verb in (("m", "mute"), ("h", "hold")):
        with page.expect_response(f"**/do/{verb}"):
            page.keyboard.press(key)
    page.keyboard.press("t")
    dialog = page.locator("dialog[open]")
    expect(dialog).to_contain_text("1023 陈一鸣")
    page.screenshot(path=shots / "telephone-transfer.png")
    dialog.locator("input[value='seat:1023']").check(force=True)
    dialog.get_by_role("button", name="先问对方，再转").click()
    expect(dialog).to_have_count(0)
    page.keyboard.press("t")
    dialog.locator("input[value='queue:service']").check(force=True)
    dialog.get_by_role("button", name="直接转走").click()
    expect(dialog).to_have_count(0)
    page.keyboard.press("g")
    expect(dialog).to_contain_text("120 急救")
    page.screenshot(path=shots / "telephone-conference.png")
    dialog.locator("input[value='120']").check(force=True)
    dialog.get_by_role("button", name="请进来").click()
    expect(dialog).to_have_count(0)
    page.keyboard.press("g")
    dialog.locator("input[value='contact:0']").check(force=True)
    dialog.get_by_role("button", name="请进来").click()
    expect(dialog).to_have_count(0)
    family = exchange.leg(call, "contact", name="赵建国", number="14400005000", up=True)
    exchange.leg(call, "120", number="120", up=True)
    expect(page.locator("#phone-lines .line")).to_have_count(3)
    page.screenshot(path=shots / "telephone-conference-up.png")
    with page.expect_response("**/do/**"):
        page.get_by_role("button", name="请赵建国离开").click()
    page.get_by_role("button", name="按键", exact=True).click()
    with page.expect_response("**/do/keys"):
        dialog.get_by_role("button", name="5", exact=True).click()
    page.keyboard.press("Escape")
    with page.expect_response("**/do/hangup"):
        page.keyboard.press("F10")
    expect(page.locator("#phone-say")).to_be_empty()
    verbs = exchange.asked()
    assert [verb for verb, _ in verbs] == [
        "mute", "hold", "consult", "transfer", "conference", "conference", "drop", "send_keys", "hang_up",
    ]  # fmt: skip
    said = dict(enumerate(args for _, args in verbs))
    assert (said[2]["to_seat"], said[3]["queue"], said[4]["number"], said[4]["role"]) == (
        "1023",
        "service",
        "120",
        "120",
    )
    assert said[5]["number"]
    assert said[5]["role"] == "contact"
    assert said[6]["leg_id"] == family.leg_id
    assert said[7]["digits"] == "5"


@pytest.mark.req("CALL-01")
def test_a_refusal_is_said_beside_the_bar(district: District, sit: Sit) -> None:
    """The switchboard went away: the press is refused in words, and the strip above the desk says what to do."""
    seat = sit(district.agent)
    live(seat)
    exchange.seat(district.agent)
    exchange.switchboard(real=True, ok=False, detail="没有应答")
    expect(seat.page.locator("#engine")).to_contain_text("话务引擎断开，正在重连")
    exchange.switchboard_dies()
    seat.page.get_by_role("button", name="外呼").click(force=True)
    expect(seat.page.locator("#engine")).to_contain_text("话务控制没有运行", timeout=30_000)


@pytest.mark.req("CALL-01")
def test_an_answer_whose_button_is_gone_lies_over_the_telephone_and_not_inside_it(district: District, sit: Sit) -> None:
    """She answers; before the server has answered, the card with the button is swapped away. The words beside it are read too."""
    seat = sit(district.agent)
    expect(seat.page.locator("#phone")).to_have_count(1)
    seat.page.route("**/desk/late", lambda route: route.fulfill(
        content_type="text/html", headers={"HX-Trigger-After-Swap": '{"anju:said": {"text": "1017"}}'},
        body='<div id="phone" data-talk="talking"></div><div id="silent-place" hx-swap-oob="innerHTML">已接起</div>',
    ))  # fmt: skip
    assert seat.page.evaluate(LATE_ANSWER) == {"bars": 1, "talk": "talking", "beside": "已接起", "said": "1017"}


LATE_ANSWER = """() => new Promise((done) => {
  const button = document.createElement("button");
  button.setAttribute("hx-get", "/desk/late");
  button.setAttribute("hx-target", "#phone");
  button.setAttribute("hx-swap", "morph:outerHTML");
  document.getElementById("phone").append(button);
  htmx.process(button);
  const text = (id) => document.getElementById(id).textContent;
  document.addEventListener("anju:said", () => done({
    bars: document.querySelectorAll("[id=phone]").length, talk: document.getElementById("phone").dataset.talk,
    beside: text("silent-place"), said: text("phone-say"),
  }));
  button.click();
  button.remove();
})"""


@pytest.mark.req("CALL-01")
def test_breaks_have_reasons_and_wrap_up_is_kept(district: District, sit: Sit, shots: Path) -> None:
    """小休 with its reason; after a call the form stays while the page updates, and its words reach the call."""
    seat, page = (one := sit(district.agent)), one.page
    live(seat)
    exchange.seat(district.agent)
    expect(page.locator("#phone-state summary")).to_contain_text("就绪")
    page.locator("#phone-state summary").click()
    page.screenshot(path=shots / "telephone-states.png")
    page.get_by_role("button", name="小休 · 用餐").click()
    expect(page.locator("#phone-state summary")).to_contain_text("小休 · 用餐")
    assert SeatState.objects.get(user=district.agent).reason == "用餐"
    call = exchange.call_in(elder=district.elder, emergency=False)
    answered(district, call, rings(district, call))
    exchange.leave(call)
    exchange.seat(district.agent, "wrap_up", call, until=clock.now() + timedelta(seconds=60))
    wrap = page.locator(".wrap")
    wrap.get_by_label("说明").fill("问药量，已转社工")
    wrap.get_by_label("还要跟进").check()
    exchange.seat(district.second, "break")  # something else changes
    expect(page.locator(".seats")).to_contain_text("陈一鸣")
    expect(wrap.get_by_label("说明")).to_have_value("问药量，已转社工")
    page.screenshot(path=shots / "telephone-wrap-up.png")
    wrap.get_by_role("button", name="整理完，就绪").click()
    expect(wrap).to_have_count(0)
    with seen_by(EVERYWHERE):
        call.refresh_from_db()
    assert (call.note, call.resolved) == ("问药量，已转社工", False)


@pytest.mark.req("CALL-02")
def test_a_caller_whom_nobody_spoke_with_stands_in_the_list(district: District, sit: Sit) -> None:
    """Abandoned in an emergency: listed with its deadline; one press rings her from this seat."""
    seat = sit(district.agent)
    live(seat)
    exchange.seat(district.agent)
    call = exchange.call_in(elder=district.elder, moves=())
    exchange.turn(call, "abandoned")
    with seen_by(EVERYWHERE), transaction.atomic():
        owe_call_back(call, "abandoned")
    back = seat.page.locator("#callers li").filter(has_text="沈玉芬")
    expect(back).to_contain_text("接通前挂断")
    back.get_by_role("button", name="回拨").click()
    expect(seat.page.locator("#callers")).to_contain_text("回拨中")
    with seen_by(EVERYWHERE):
        made = Call.objects.get(direction="out")
        assert (made.purpose, made.number) == ("call_back", call.number)
    assert ("dial", str(made.call_id)) in [(verb, str(made.call_id)) for verb, _ in exchange.asked()]


@pytest.mark.req("CALL-05", "CALL-07")
def test_a_lead_sees_the_wall_listens_and_moves_a_seat_with_one_click(
    district: District, sit: Sit, shots: Path
) -> None:
    """Waiting, levels and seats live; listening is asked of the switchboard; a proposal moves a seat. An agent may not."""
    seat, page = (one := sit(district.lead, "/desk/wall")), one.page
    live(seat)
    exchange.seat(district.lead)
    exchange.seat(district.second)
    waiting = exchange.call_in(number="13700004471", emergency=False, moves=("queue_up",))
    call = exchange.call_in(elder=district.elder)
    answered(district, call, rings(district, call))
    Proposal.objects.create(
        user_id=district.second.pk, seat_name="陈一鸣", extension="1023", to_queue="service", to_queue_name="服务",
        why="服务队列 20 秒应答率 60 %，低于 80 %", made_at=clock.now(),
    )  # fmt: skip
    exchange.seat(district.second)
    board = page.locator("#case.board")
    expect(board.locator("#bseat-1017")).to_contain_text("处置")
    expect(board.locator(f"#bw-{waiting.call_id}")).to_contain_text("137****4471")
    expect(board.locator("#board-stats")).to_contain_text("20 秒")
    expect(board).to_contain_text("建议 1023 陈一鸣 改接服务")
    page.screenshot(path=shots / "telephone-wall.png")
    board.get_by_role("button", name="采纳").click()
    expect(board.locator("#bseat-1023 select")).to_have_value("service")
    assert SeatState.objects.get(user=district.second).queue.code == "service"
    board.locator("#bseat-1017").get_by_role("button", name="介入").click()
    page.locator("dialog[open] input[value=whisper]").check(force=True)
    page.locator("dialog[open]").get_by_role("button", name="接入").click()
    expect(page.locator("dialog[open]")).to_have_count(0)
    assert exchange.asked()[-1][0] == "supervise"
    assert exchange.asked()[-1][1]["mode"] == "whisper"
    agent = sit(district.second, "/desk/wall")
    expect(agent.page.locator("#case.board #bseat-1017")).to_be_visible()
    expect(agent.page.locator("#case.board select")).to_have_count(0)
    expect(agent.page.get_by_role("button", name="介入")).to_have_count(0)
    big = sit(district.lead, "/desk/wall/screen", size={"width": 1920, "height": 1080})
    expect(big.page.locator("#board-seats")).to_contain_text("陈一鸣")
    big.page.screenshot(path=shots / "telephone-screen.png")


@pytest.mark.req("CALL-01")
def test_the_telephone_on_a_narrow_screen(district: District, sit: Sit, shots: Path) -> None:
    """Nothing sideways; ringing, talking and writing up can be done with a thumb."""
    seat, page = (one := sit(district.agent, size=PHONE)), one.page
    live(seat)
    exchange.seat(district.agent)
    call = exchange.call_in(elder=district.elder, emergency=False)
    leg = rings(district, call)
    expect(page.locator(".incoming")).to_be_visible()
    page.screenshot(path=shots / "telephone-phone-ringing.png")
    answered(district, call, leg)
    expect(page.locator("#case.caller")).to_be_visible()
    page.screenshot(path=shots / "telephone-phone-talking.png")
    assert page.evaluate("document.documentElement.scrollWidth") <= PHONE["width"]
    exchange.leave(call)
    exchange.seat(district.agent, "wrap_up", call, until=clock.now() + timedelta(seconds=60))
    expect(page.locator(".wrap")).to_be_visible()
    page.screenshot(path=shots / "telephone-phone-wrap-up.png")
    assert page.evaluate("document.documentElement.scrollWidth") <= PHONE["width"]
    page.goto(page.url.split("/desk")[0] + "/desk/wall")
    expect(page.locator("#case.board")).to_be_visible()
    page.screenshot(path=shots / "telephone-phone-wall.png")
    assert page.evaluate("document.documentElement.scrollWidth") <= PHONE["width"]
