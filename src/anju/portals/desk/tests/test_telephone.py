"""Stories of the telephone with the real switchboard and simulated people: from the first ring to the written-up call."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest
from playwright.sync_api import expect

from anju.calls.models import Call
from anju.incidents.models import Incident
from anju.kernel.scope import EVERYWHERE, seen_by
from anju.portals.desk.tests import centre as centres
from anju.portals.desk.tests.centre import Centre
from anju.portals.desk.tests.conftest import District, Seat

pytestmark = [pytest.mark.browser, pytest.mark.timeout(240)]
Sit = Callable[..., Seat]


@pytest.fixture
def centre(district: District, web: str) -> Iterator[Centre]:
    """The switchboard runs with a simulated engine."""
    with centres.simulated() as one:
        yield one


def live(seat: Seat) -> None:
    expect(seat.page.locator("live-line")).to_have_attribute("data-state", "live")


def ready(seat: Seat) -> None:
    """The agent takes calls."""
    live(seat)
    seat.page.keyboard.press("r")
    expect(seat.page.locator("#phone-state summary")).to_contain_text("就绪")


@pytest.mark.req("CALL-01", "CALL-03")
def test_an_unknown_caller_rings_is_answered_by_key_and_is_a_case_two_keystrokes_later(
    district: District, centre: Centre, sit: Sit
) -> None:
    """F8, O, Enter; the call is tied to the case, and after the hang-up it is written up."""
    seat = sit(district.agent)
    expect(seat.page.locator("#engine")).to_contain_text("模拟话务 — 不能接真实电话")
    ready(seat)
    caller = centre.calls_in("13911112222", centres.HOTLINE)
    expect(seat.page.locator(".incoming")).to_contain_text("139****2222")
    expect(seat.page.locator("soft-phone")).to_have_attribute("data-rings", "call")
    seat.page.keyboard.press("F8")
    expect(seat.page.locator("#case.caller h1")).to_have_text("139****2222")
    expect(seat.page.locator("soft-phone")).not_to_have_attribute("data-rings", "call")
    seat.page.keyboard.press("o")
    seat.page.keyboard.press("Enter")
    expect(seat.page.locator("#case.case .sheet--case")).to_be_visible()
    with seen_by(EVERYWHERE):
        incident = Incident.objects.get()
        call = Call.objects.get()
        assert call.ref == f"incident:{incident.pk}"
        assert call.state == "talking"
        assert incident.a_seat_id == district.agent.pk
    seat.page.keyboard.press("F10")
    expect(seat.page.locator(".wrap")).to_be_visible()
    assert caller not in centre.do(lambda: dict(centre.world.legs))
    seat.page.locator(".wrap [name=note]").fill("下楼摔了一跤，邻居扶着")
    seat.page.get_by_role("button", name="整理完，就绪").click()
    expect(seat.page.locator("#phone-state summary")).to_contain_text("就绪")
    expect(seat.page.locator(".wrap")).to_have_count(0)
    with seen_by(EVERYWHERE):
        call.refresh_from_db()
        assert call.note == "下楼摔了一跤，邻居扶着"
        assert call.resolved is True
        assert "求助" in call.tags
