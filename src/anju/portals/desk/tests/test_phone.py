"""Stories of the telephone on the desk, without an engine: what the page shows of calls, and what it asks."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from playwright.sync_api import expect

from anju.portals.desk.tests import exchange
from anju.portals.desk.tests.conftest import PHONE, District, Seat

pytestmark = [pytest.mark.browser, pytest.mark.timeout(120)]
Sit = Callable[..., Seat]


@pytest.mark.req("CALL-01")
def test_pictures(district: District, sit: Sit, shots: Path) -> None:
    exchange.switchboard()
    exchange.queues()
    one = sit(district.agent)
    expect(one.page.locator("live-line")).to_have_attribute("data-state", "live")
    one.page.screenshot(path=shots / "idle.png")
    exchange.seat(district.agent)
    exchange.seat(district.second, "talking")
    exchange.call_in(number="13700004471", emergency=False, moves=("queue_up",))
    expect(one.page.locator("#callers li")).to_have_count(1)
    one.page.screenshot(path=shots / "ready.png")
    call = exchange.call_in(elder=district.elder)
    mine = exchange.leg(call, "agent", user=district.agent)
    exchange.seat(district.agent, "ringing", call)
    expect(one.page.locator(".incoming")).to_be_visible()
    one.page.screenshot(path=shots / "ringing.png")
    from anju.kernel import clock

    exchange.lift(mine)
    exchange.turn(call, "taken")
    exchange.seat(district.agent, "talking", call)
    expect(one.page.locator("#case.caller")).to_be_visible()
    exchange.leg(call, "contact", name="卢文静", number="13600004471")
    exchange.leg(call, "120", number="120", up=True)
    one.page.wait_for_timeout(800)
    one.page.screenshot(path=shots / "talking.png")
    one.page.get_by_role("button", name="转接").click()
    one.page.wait_for_timeout(500)
    one.page.screenshot(path=shots / "transfer.png")
    one.page.keyboard.press("Escape")
    one.page.get_by_role("button", name="会议").click()
    one.page.wait_for_timeout(500)
    one.page.screenshot(path=shots / "invite.png")
    one.page.keyboard.press("Escape")
    unknown = exchange.call_in(number="13911112222")
    two = sit(district.second)
    l2 = exchange.leg(unknown, "agent", user=district.second, up=True)
    exchange.turn(unknown, "taken")
    exchange.seat(district.second, "talking", unknown)
    expect(two.page.locator("#case.caller")).to_be_visible()
    two.page.wait_for_timeout(500)
    two.page.screenshot(path=shots / "unknown.png")
    lead = sit(district.lead, "/desk/wall")
    lead.page.wait_for_timeout(500)
    lead.page.screenshot(path=shots / "wall.png")
    exchange.leave(call)
    exchange.seat(district.agent, "wrap_up", call, until=clock.now() + __import__("datetime").timedelta(seconds=60))
    expect(one.page.locator(".wrap")).to_be_visible()
    one.page.wait_for_timeout(500)
    one.page.screenshot(path=shots / "wrap.png")
    small = sit(district.second, "/desk/", size=PHONE)
    small.page.wait_for_timeout(1500)
    small.page.screenshot(path=shots / "phone.png")
