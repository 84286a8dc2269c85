"""Stories of the agents' desk in a real browser: what a person sees and does while somebody waits for help."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import pytest
from playwright.sync_api import expect

from anju.incidents.models import Attempt, Entry, Incident
from anju.kernel.scope import EVERYWHERE, seen_by
from anju.portals.desk.tests.conftest import PHONE, District, Seat, press

pytestmark = [pytest.mark.browser, pytest.mark.timeout(240)]
Sit = Callable[..., Seat]


def live(seat: Seat) -> None:
    """The line is open."""
    expect(seat.page.locator("live-line")).to_have_attribute("data-state", "live")


@pytest.mark.req("INC-01", "INC-04")
def test_an_sos_is_seen_by_itself_and_accepted_by_key(district: District, sit: Sit) -> None:
    """She presses, the agent's open desk shows it by itself, rings, and one key takes it."""
    seat = sit(district.agent)
    live(seat)
    expect(seat.page.get_by_text("此刻无人等待")).to_be_visible()
    incident = press(district.elder)
    card = seat.page.locator(f"#queue [data-incident='{incident.pk}']")
    expect(card).to_be_visible()  # how fast: benchmarks/desk
    expect(seat.page.locator("#queue")).to_have_attribute("data-ringing", "9")
    expect(seat.page.locator("#silent-warning")).to_be_visible()
    assert "待接警" in seat.page.title()
    seat.page.keyboard.press("j")
    expect(card).to_be_focused()
    expect(seat.page.locator("desk-sound")).to_have_attribute("data-state", "on")
    expect(seat.page.locator("#silent-warning")).to_be_hidden()
    seat.page.keyboard.press("Enter")
    expect(seat.page.locator("#case h1")).to_have_text("沈玉芬")
    seat.page.keyboard.press("a")
    expect(seat.page.locator("#case .duty__head").first).to_contain_text("周晓岚（您）")
    expect(seat.page.locator("#queue")).to_have_attribute("data-ringing", "-1")
    with seen_by(EVERYWHERE):
        incident.refresh_from_db()
        assert incident.state == "verifying"
        assert incident.a_seat_id == district.agent.pk


@pytest.mark.req("INC-04")
def test_two_agents_see_each_others_steps(district: District, sit: Sit) -> None:
    """A asks for B, B sits down, each sees the other's lines; a colleague's late press of accept is told who was first."""
    incident = press(district.elder)
    path = f"/desk/incident/{incident.pk}"
    one, two = sit(district.agent, path), sit(district.second, path)
    live(one)
    live(two)
    one.page.keyboard.press("a")
    expect(two.page.locator("#case .duty__head").first).to_contain_text("周晓岚")
    one.page.keyboard.press("b")
    expect(two.page.locator("#case .bells")).to_contain_text("B 席")
    two.page.locator("#case .duty__seat").nth(1).get_by_role("button", name="入席").click()
    expect(one.page.locator("#case .duty__seat").nth(1)).to_contain_text("陈一鸣")
    two.page.keyboard.press("n")
    two.page.keyboard.type("清醒，左髋疼，已盖毯子")
    two.page.keyboard.press("Enter")
    expect(one.page.locator("#case .tl")).to_contain_text("清醒，左髋疼，已盖毯子")
    expect(one.page.locator("#case .tl__item").filter(has_text="清醒").locator("b")).to_have_text("B")


@pytest.mark.req("INC-04")
def test_what_is_typed_survives_a_swap_and_a_change_of_case(district: District, sit: Sit) -> None:
    """While she types, the case changes under her hands; and she looks at another case and comes back."""
    incident, other = press(district.elder), press(district.other)
    seat = sit(district.agent, f"/desk/incident/{incident.pk}")
    live(seat)
    seat.page.keyboard.press("a")
    box = seat.page.locator("#case .note-box input[name=text]")
    box.click()
    seat.page.keyboard.type("邻居说")
    press(district.elder, where="床头")
    expect(seat.page.locator("#case .tl")).to_contain_text("床头")
    expect(box).to_be_focused()
    seat.page.keyboard.type("听见喊声")
    expect(box).to_have_value("邻居说听见喊声")
    seat.page.locator(f"#queue a[data-incident='{other.pk}']").click()
    expect(seat.page.locator("#case h1")).to_have_text("周阿根")
    expect(seat.page.locator("#case .note-box input[name=text]")).to_have_value("")
    seat.page.locator(f"#queue a[data-incident='{incident.pk}']").click()
    expect(seat.page.locator("#case h1")).to_have_text("沈玉芬")
    expect(box).to_have_value("邻居说听见喊声")
    box.press("Enter")
    expect(seat.page.locator("#case .tl")).to_contain_text("邻居说听见喊声")
    expect(box).to_have_value("")
    # an open dialog is not lost either
    seat.page.get_by_role("button", name="拨 120").click()
    note = seat.page.locator("dialog textarea[name=note]")
    note.fill("老人自己说要叫")
    press(district.elder, where="客厅")
    expect(seat.page.locator("#case .tl")).to_contain_text("客厅")
    expect(note).to_have_value("老人自己说要叫")


@pytest.mark.req("INC-05", "INC-09")
def test_dialling_120_without_authority_asks_why_and_a_double_click_is_one_act(district: District, sit: Sit) -> None:
    """周阿根 signed nothing: the dialog says so and wants a reason; pressing twice writes one call."""
    incident = press(district.other)
    seat = sit(district.agent, f"/desk/incident/{incident.pk}")
    live(seat)
    seat.page.keyboard.press("a")
    expect(seat.page.locator("#case .duty__head").first).to_contain_text("（您）")
    seat.page.get_by_role("button", name="拨 120").click()
    dialog = seat.page.locator("dialog")
    expect(dialog).to_contain_text("没有代拨 120 的签字授权")
    confirm = dialog.get_by_role("button", name="已拨 120")
    confirm.click()
    expect(dialog).to_be_visible()  # the browser itself wants the reason
    dialog.locator("textarea[name=note]").fill("在电话里听见她喊疼")
    confirm.dblclick()
    expect(dialog).to_be_hidden()
    expect(seat.page.locator("#case .steps [data-state=now]")).to_contain_text("救援")
    with seen_by(EVERYWHERE):
        incident.refresh_from_db()
        assert incident.state == "rescuing"
        assert Entry.objects.filter(incident=incident, data__move="call_120").count() == 1


@pytest.mark.req("INC-04")
def test_a_refusal_is_told_in_chinese_and_the_case_is_fresh(district: District, sit: Sit) -> None:
    """The page is behind (its line is cut); the press is refused with the reason and the new state is shown."""
    incident = press(district.elder)
    path = f"/desk/incident/{incident.pk}"
    late, quick = sit(district.agent, path), sit(district.second, path)
    late.page.route("**/events*", lambda route: route.abort())
    late.page.evaluate("document.querySelector('live-line').remove()")
    quick.page.keyboard.press("a")
    expect(quick.page.locator("#case .duty__head").first).to_contain_text("陈一鸣（您）")
    late.page.keyboard.press("a")
    expect(late.page.locator("#case .case__say")).to_contain_text("陈一鸣已接警")
    expect(late.page.locator("#case .duty__head").first).to_contain_text("陈一鸣")
    expect(late.page.locator("#case .who__primary")).not_to_contain_text("接警")


@pytest.mark.req("INC-04")
def test_a_cut_line_is_told_and_nothing_is_missed(district: District, sit: Sit, web: str) -> None:
    """The stream breaks: the page says so in colour, icon and word, and on return fetches what it missed."""
    seat = sit(district.agent)
    live(seat)
    seat.page.route("**/events*", lambda route: route.abort())
    seat.page.route("**/desk/alive", lambda route: route.abort())
    seat.page.evaluate("window.dispatchEvent(new Event('offline'))")
    seat.page.evaluate("document.querySelector('live-line').source.dispatchEvent(new Event('error'))")
    expect(seat.page.locator("live-line")).to_have_attribute("data-state", "late")
    expect(seat.page.locator("live-line")).to_contain_text("实时中断，正在重连")
    incident = press(district.elder)
    seat.page.wait_for_timeout(300)
    expect(seat.page.locator(f"#queue [data-incident='{incident.pk}']")).to_have_count(0)
    seat.page.unroute("**/events*")
    seat.page.unroute("**/desk/alive")
    expect(seat.page.locator(f"#queue [data-incident='{incident.pk}']")).to_be_visible(timeout=30_000)
    live(seat)
    # a gap in a line that looks healthy: the next heartbeat counts otherwise than the page did
    seat.page.evaluate("document.querySelector('live-line').counted = -5")
    expect(seat.page.locator("live-line")).to_have_attribute("data-gaps", re.compile("[1-9]"), timeout=30_000)
    seat.complaints.clear()  # the aborted requests were ours


@pytest.mark.req("SYS-02")
def test_a_log_in_that_ended_ends_the_stream(district: District, sit: Sit) -> None:
    """The session is gone (log-out elsewhere, password changed): within a heartbeat the page says it plainly."""
    from django.contrib.sessions.models import Session

    seat = sit(district.agent)
    live(seat)
    Session.objects.filter(pk=seat.session_key).delete()
    expect(seat.page.locator("live-line")).to_contain_text("登录已失效，请重新登录", timeout=30_000)
    seat.complaints.clear()  # the 401 is the point


@pytest.mark.req("INC-06")
def test_contacts_are_called_by_number_key_and_their_answer_counts(district: District, sit: Sit) -> None:
    """Nobody answers at home; key 1 calls the first contact, she comes with the key in 20 minutes."""
    incident = press(district.elder)
    seat = sit(district.agent, f"/desk/incident/{incident.pk}")
    live(seat)
    seat.page.keyboard.press("a")
    seat.page.locator("#case").get_by_role("button", name="无人应答").click()
    expect(seat.page.locator("#case .steps [data-state=now]")).to_contain_text("联系")
    seat.page.keyboard.press("1")
    rung = seat.page.locator("#case [data-rung='1']")
    expect(rung).to_contain_text("正在联系")
    rung.locator("input[name=eta_minutes]").fill("20")
    rung.get_by_role("button", name="赶来，带钥匙").click()
    expect(rung).to_contain_text("赶来 约")
    with seen_by(EVERYWHERE):
        attempt = Attempt.objects.get(incident=incident, rung=0)
        assert attempt.with_key
        incident.refresh_from_db()
        assert incident.state == "helper_coming"
    seat.page.keyboard.press("F9")
    expect(seat.page.locator("dialog")).to_contain_text("约")
    expect(seat.page.locator("dialog .sheet--big mark")).to_contain_text("青霉素")
    seat.page.keyboard.press("F9")
    expect(seat.page.locator("dialog")).to_be_hidden()


@pytest.mark.req("INC-03")
def test_a_call_is_registered_by_hand_for_clients_and_others(district: District, sit: Sit) -> None:
    """A known number finds the elder; an unknown caller is served all the same."""
    seat = sit(district.agent)
    live(seat)
    expect(seat.page.locator(".callbar")).to_contain_text("模拟话务")
    seat.page.keyboard.press("c")
    dialog = seat.page.locator("dialog")
    dialog.get_by_label("来电号码").fill("13800002046")
    expect(dialog.locator("#call-who")).to_contain_text("沈玉芬")
    dialog.get_by_label("出了什么事").fill("胸口闷，喘不上气")
    dialog.get_by_role("button", name="开案并接警").click()
    expect(seat.page.locator("#case h1")).to_have_text("沈玉芬")
    expect(dialog).to_be_hidden()
    seat.page.keyboard.press("c")
    dialog.get_by_label("来电号码").fill("0571-10009999")
    dialog.get_by_label("出了什么事").fill("路人说有人倒在河边")
    dialog.get_by_label("在哪里").fill("潮音路桥下")
    dialog.get_by_role("button", name="开案并接警").click()
    expect(seat.page.locator("#case .case__log")).to_contain_text("路人说有人倒在河边")
    with seen_by(EVERYWHERE):
        assert Incident.objects.filter(home=None, a_seat=district.agent).count() == 1


@pytest.mark.req("REG-06")
def test_personal_items_are_masked_and_looking_leaves_a_trace(district: District, sit: Sit) -> None:
    """The phone number stands masked; 显示 uncovers it, and the audit knows who and why."""
    from anju.kernel.models import AuditLine

    incident = press(district.elder)
    seat = sit(district.agent, f"/desk/incident/{incident.pk}")
    live(seat)
    row = seat.page.locator("#case .facts__row").filter(has_text="联系电话")
    expect(row).to_contain_text("138****2046")
    row.get_by_role("button", name="显示").click()
    expect(row).to_contain_text("13800002046")
    assert AuditLine.objects.filter(action="elder.reveal").count() == 1
    for name in ("急救卡", "设备", "既往", "地图"):
        seat.page.get_by_role("tab", name=name).click()
        expect(seat.page.get_by_role("tab", name=name)).to_have_attribute("aria-selected", "true")
    expect(seat.page.locator("#case .case__pane")).to_contain_text("救护车入口")


@pytest.mark.req("SYS-01")
def test_people_of_other_posts_and_places_do_not_see_it(district: District, sit: Sit, web: str) -> None:
    """A street's officer has no desk; nobody without a log-in hears the stream."""
    import httpx

    incident = press(district.elder)
    seat = sit(district.street)
    expect(seat.page.locator("body")).to_contain_text("坐席台只给坐席和值班长用")
    expect(seat.page.locator("#queue")).to_have_count(0)
    seat.complaints.clear()  # 403 is the point
    for path in ("/events", f"/desk/incident/{incident.pk}", "/desk/alive"):
        answer = httpx.get(web + path, headers={"Accept": "text/event-stream", "Sec-Fetch-Mode": "cors"})
        assert answer.status_code == 401, path
        assert "沈玉芬" not in answer.text


@pytest.mark.req("INC-04")
def test_the_night_switch_stays_and_the_phone_does_not_scroll_sideways(
    district: District, sit: Sit, shots: Path
) -> None:
    """Queue → case → file on a phone; dark stays dark after a reload; no English word is to be seen anywhere."""
    incident = press(district.elder)
    for size, name in ((None, "desk"), (PHONE, "phone")):
        seat = sit(district.agent, size=size) if size else sit(district.agent)
        live(seat)
        seat.page.locator(f"#queue a[data-incident='{incident.pk}']").click()
        expect(seat.page.locator("#case h1")).to_be_visible()
        seat.page.screenshot(path=shots / f"{name}.png")
        assert seat.page.evaluate("document.documentElement.scrollWidth <= innerWidth")
        if size:
            for pane in ("queue", "file", "case"):
                seat.page.locator(f"[data-pane-of={pane}]").click()
                seat.page.screenshot(path=shots / f"{name}-{pane}.png")
                assert seat.page.evaluate("document.documentElement.scrollWidth <= innerWidth"), pane
        words = seat.page.evaluate("document.body.innerText")
        english = set(re.findall(r"[A-Za-z]{2,}", words)) - {"EM", "Esc"}
        assert not {w for w in english if not re.fullmatch(r"[A-Z]{1,2}|F9", w)}, english
    seat.page.evaluate("document.querySelector('theme-switch').click()")
    seat.page.reload()
    expect(seat.page.locator("html")).to_have_attribute("data-theme", "dark")
    seat.page.screenshot(path=shots / "phone-dark.png")


@pytest.mark.req("INC-04")
def test_no_press_is_lost_while_the_case_is_fetched_again_and_again(district: District, sit: Sit) -> None:
    """The story of a busy case changes all the time; every note and every tick that the agent makes still arrives."""
    incident = press(district.elder)
    seat = sit(district.agent, f"/desk/incident/{incident.pk}")
    live(seat)
    seat.page.evaluate("setInterval(() => htmx.trigger(document.getElementById('case'), 'refresh'), 40)")
    seat.page.keyboard.press("a")
    expect(seat.page.locator("#case .duty__head").first).to_contain_text("（您）")
    box = seat.page.locator("#case .note-box input[name=text]")
    for n in range(6):
        box.fill(f"第 {n} 句")
        box.press("Enter")
        box.press("Enter")  # once too often: the same line is no second line
        # seen perhaps by one of the fetches, while the answer to the press itself is still on its way
        expect(seat.page.locator("#case .tl")).to_contain_text(f"第 {n} 句")
    expect(box).to_have_value("")
    tick = seat.page.locator("#case .duty__row").filter(has_text="核对姓名")
    tick.click()
    expect(tick).to_have_attribute("aria-pressed", "true")
    with seen_by(EVERYWHERE):
        assert Entry.objects.filter(incident=incident, kind="note").count() == 6
