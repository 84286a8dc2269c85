"""Stories in a real browser: a campaign from its first line to its sheet of results, and a script by three keys."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from io import BytesIO
from pathlib import Path

import pytest
from openpyxl import load_workbook
from playwright.sync_api import APIResponse, Error, Route, expect

from anju.calls.campaigns.models import Campaign, CampaignPerson
from anju.calls.models import Call
from anju.kernel.scope import EVERYWHERE, seen_by
from anju.knowledge.sop.models import Sheet
from anju.portals.desk.tests import exchange
from anju.portals.desk.tests.conftest import District, Seat

pytestmark = [pytest.mark.browser, pytest.mark.timeout(240)]
Sit = Callable[..., Seat]


@pytest.mark.req("CALL-08")
def test_a_campaign_is_made_filled_started_watched_and_taken_out(district: District, sit: Sit) -> None:
    """Nobody is rung here (no worker runs): what comes of it is written as the telephone would, and the page shows it by itself."""
    seat = sit(district.lead, "/district/campaigns/new")
    page = seat.page
    page.get_by_label("名称").fill("秋季体检")
    page.get_by_label("为什么打").fill("街道通知体检")
    page.get_by_label("说的话").fill("周六体检，您参加吗")
    page.get_by_label("怎么回答").fill("1 参加\n3 不参加")
    page.get_by_role("button", name="建好，去加人").click()
    page.get_by_role("button", name="加进名单").click()
    expect(page.locator("#campaign-people tbody tr").first).to_be_visible()
    page.get_by_role("button", name="开始").click()
    expect(page.locator("#campaign-live")).to_have_count(1)
    with seen_by(EVERYWHERE):
        row = Campaign.objects.get(name="秋季体检")
        assert row.state == "running"
        person = CampaignPerson.objects.filter(campaign=row, state="waiting").earliest("pk")
        CampaignPerson.objects.filter(pk=person.pk).update(state="done", key="1", tried=1, answered=True)
    page.evaluate("htmx.trigger('#campaign-live', 'refresh')")  # what it does by itself every ten seconds
    expect(page.locator("#campaign-people tbody tr").first).to_contain_text("已联系上")
    expect(page.locator("#campaign-answers tbody tr").first).to_contain_text("1参加1")
    page.get_by_label("为什么导出").fill("给街道")
    with page.expect_download() as taken:
        page.get_by_role("button", name="导出 .xlsx").click()
    sheet = load_workbook(BytesIO(Path(taken.value.path()).read_bytes())).worksheets[0]
    assert "参加" in [line[6] for line in sheet.iter_rows(min_row=2, values_only=True)]


def talks(district: District) -> Call:
    """Somebody called, and the agent lifted."""
    call = exchange.call_in(number="13911112222", emergency=False)
    leg = exchange.leg(call, "agent", user=district.agent)
    exchange.seat(district.agent, "ringing", call)
    exchange.lift(leg)
    exchange.turn(call, "taken")
    exchange.seat(district.agent, "talking", call)
    return call


@pytest.mark.req("CALL-11")
def test_the_agents_script_is_there_with_three_keys(district: District, sit: Sit) -> None:
    """S opens the scripts beside the call, S again goes to the search, Enter takes the first."""
    exchange.switchboard(real=True)
    exchange.queues()
    seat = sit(district.agent)
    page = seat.page
    expect(page.locator("live-line")).to_have_attribute("data-state", "live")
    call = talks(district)
    expect(page.locator("#case.caller")).to_be_visible()
    page.keyboard.press("s")
    first = page.locator("#sop-found button").first
    expect(first).to_be_visible()
    title = first.locator("b").inner_text()
    page.keyboard.press("s")
    search = page.locator("#sop input[name=q]")
    expect(search).to_be_focused()
    with page.expect_response(lambda answer: answer.url.endswith("/take"), timeout=60_000) as taken:
        search.press("Enter")
    assert taken.value.ok
    expect(page.locator("#sop .sop__sheet h3").first).to_have_text(title)
    with seen_by(EVERYWHERE):
        assert Sheet.objects.filter(call_id=call.call_id).count() == 1


@pytest.mark.req("CALL-02", "CALL-11")
def test_a_form_that_is_sent_as_soon_as_it_is_there_does_not_leave_the_desk(district: District, sit: Sit) -> None:
    """Enter in the moment in which the panel comes: the page stays, and with it the telephone; the script is taken."""
    exchange.switchboard(real=True)
    exchange.queues()
    page = sit(district.agent).page
    expect(page.locator("live-line")).to_have_attribute("data-state", "live")
    page.evaluate(
        """() => {
          window.stays = true;
          const watch = new MutationObserver(() => {
            const form = document.querySelector('#sop form.sop__find');
            if (!form) return;
            watch.disconnect();
            form.requestSubmit();
          });
          watch.observe(document.body, {childList: true, subtree: true});
        }"""
    )
    talks(district)
    expect(page.locator("#case.caller")).to_be_visible()
    page.keyboard.press("s")
    expect(page.locator("#sop .sop__sheet h3").first).to_be_visible()
    assert page.evaluate("window.stays") is True


@pytest.mark.req("CALL-11")
def test_an_older_answer_that_comes_late_takes_no_script_away(district: District, sit: Sit) -> None:
    """S before the panel is there asks for it once more; that answer comes after the sheet's: the sheet stays."""
    exchange.switchboard(real=True)
    exchange.queues()
    page = sit(district.agent).page
    expect(page.locator("live-line")).to_have_attribute("data-state", "live")
    call = exchange.call_in(number="13911112222", emergency=False)
    asked: list[tuple[Route, APIResponse]] = []
    page.route("**/desk/script/call/*", lambda route: asked.append((route, route.fetch())))

    def heard(many: int) -> tuple[Route, APIResponse]:
        while len(asked) < many:
            page.evaluate("0")
        return asked[many - 1]

    leg = exchange.leg(call, "agent", user=district.agent)
    exchange.seat(district.agent, "ringing", call)
    exchange.lift(leg)
    exchange.turn(call, "taken")
    exchange.seat(district.agent, "talking", call)
    route, answer = heard(1)
    page.keyboard.press("s")
    route.fulfill(response=answer)
    first = page.locator("#sop-found button").first
    expect(first).to_be_visible()
    title = first.locator("b").inner_text()
    route, answer = heard(2)
    page.keyboard.press("s")
    search = page.locator("#sop input[name=q]")
    expect(search).to_be_focused()
    search.press("Enter")
    sheet = page.locator("#sop .sop__sheet h3").first
    expect(sheet).to_have_text(title)
    with suppress(Error):  # the page no longer waits for it
        route.fulfill(response=answer)
    page.evaluate("() => new Promise(done => requestAnimationFrame(() => requestAnimationFrame(done)))")
    expect(sheet).to_have_text(title)
