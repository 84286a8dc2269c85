"""The pages of log-in in a real browser, at the size of a desk and of a phone. SYS-02."""

import re

import pytest
from allauth.mfa.totp.internal.auth import format_hotp_value, hotp_value, yield_hotp_counters_from_time
from playwright.sync_api import expect, sync_playwright

from anju.accounts import actions
from anju.accounts.permissions import THE_PLATFORM
from anju.accounts.roles import Role
from anju.accounts.tests.factories import PASSWORD
from anju.kernel.scope import EVERYWHERE, seen_by
from anju.places.tests.factories import SPRING, make_district

FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]


def send(page, **fields):
    for name, value in fields.items():
        page.fill(f"[name={name}]", value)
    page.click("form.login__form button")


def fits(page):
    """Nothing sticks out sideways, and no script or style failed."""
    assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth")
    assert page.evaluate("getComputedStyle(document.querySelector('.login')).display") == "grid"


@pytest.mark.browser
@pytest.mark.timeout(240)
@pytest.mark.django_db(transaction=True)
@pytest.mark.req("SYS-02")
@pytest.mark.parametrize(("width", "height"), [(1440, 900), (390, 844)])
def test_the_first_log_in_of_a_member_of_staff(live_server, monkeypatch, width, height):
    monkeypatch.setenv("DJANGO_ALLOW_ASYNC_UNSAFE", "1")  # playwright keeps a loop in this thread
    with seen_by(EVERYWHERE):
        make_district()
        user = actions.create_user(username="gao.min", name="高敏", password=PASSWORD, by=THE_PLATFORM)
        actions.grant(user=user, role=Role.STREET, place=SPRING, by=THE_PLATFORM)
    with sync_playwright() as player:
        browser = player.chromium.launch(executable_path="/usr/bin/chromium", args=FLAGS)
        page = browser.new_page(viewport={"width": width, "height": height})
        page.goto(f"{live_server.url}/district/elders/?status=draft")
        expect(page).to_have_url(re.compile(r"/login/\?next="))
        fits(page)
        send(page, username="gao.min", password="wrong")
        expect(page.locator(".field__note")).to_contain_text("还可试 4 次")
        send(page, username="Gao.Min", password=PASSWORD)
        expect(page.locator("h1")).to_have_text("改密码")
        fits(page)
        send(page, old=PASSWORD, new="Reed-and-Tide-77", again="Reed-and-Tide-77")
        expect(page.locator("h1")).to_have_text("绑定令牌")
        fits(page)
        assert page.locator(".login__picture svg").bounding_box()["width"] > 150
        secret = page.locator("code").inner_text().replace(" ", "")
        counters = list(yield_hotp_counters_from_time())
        send(page, code=format_hotp_value(hotp_value(secret, counters[1])))
        expect(page.locator(".login__codes li")).to_have_count(10)
        fits(page)
        page.click("text=抄好了")
        expect(page).to_have_url(re.compile(r"/district/$"))
        browser.close()
