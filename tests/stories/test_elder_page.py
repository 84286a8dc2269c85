"""A street officer finds an elder, reads her page and sees a number for a reason, at a desk and on a phone."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from django.test import Client
from playwright.sync_api import Page, sync_playwright

from anju.accounts.models import User
from tests.pages.conftest import SmallTown, build

CHROMIUM = "/usr/bin/chromium"
FLAGS = [
    "--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-component-update", "--disable-sync", "--no-first-run",
]  # fmt: skip
SIZES = {"desk": (1440, 900), "phone": (390, 844)}
SHOTS = os.environ.get("ANJU_SHOTS", "")


@pytest.fixture
def small_town(transactional_db: None) -> SmallTown:
    """Committed, because the browser reads it through another connection."""
    return build()


@pytest.fixture
def browser_page(live_server, small_town: SmallTown, request: pytest.FixtureRequest, monkeypatch) -> Iterator[Page]:
    """A Chromium page of the wanted size, logged in as 春浦街道."""
    monkeypatch.setenv("DJANGO_ALLOW_ASYNC_UNSAFE", "true")
    client = Client()
    client.force_login(User.objects.get(username="street1"), backend="django.contrib.auth.backends.ModelBackend")
    width, height = SIZES[request.param]
    with sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        context = browser.new_context(
            viewport={"width": width, "height": height}, locale="zh-CN", timezone_id="Asia/Shanghai"
        )
        context.add_cookies([{"name": "sessionid", "value": client.cookies["sessionid"].value, "url": live_server.url}])
        page = context.new_page()
        page.goto(live_server.url + "/district/elders/")
        yield page
        browser.close()


def fits(page: Page, name: str) -> None:
    """Nothing is wider than the window; keeps a picture when asked."""
    wide = page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
    assert wide <= 0, f"{name} is {wide} px too wide"
    if SHOTS:
        page.screenshot(path=str(Path(SHOTS) / f"{name}.png"), full_page=True)


@pytest.mark.browser
@pytest.mark.req("REG-02", "REG-13", "SYS-04")
@pytest.mark.timeout(180)
@pytest.mark.parametrize("browser_page", SIZES, indirect=True)
def test_from_the_list_to_the_number(browser_page: Page, small_town: SmallTown):
    page, elder = browser_page, small_town.seeds[0].elders[0]
    fits(page, "elders")
    page.fill("main input[name=q]", "沈玉芬")
    page.click("main button:has-text('查找')")
    assert "q=%E6%B2%88" in page.url
    page.click("table >> text=沈玉芬")
    page.wait_for_selector("h1:has-text('沈玉芬')")
    fits(page, "elder")
    assert page.locator(".strip").count() == 1
    assert page.locator(".acto path").count() >= 2
    assert page.locator(".strip__now").count() == 1
    assert elder.id_number not in page.content()
    row = page.locator(".facts__row", has_text="身份证号")
    row.locator("summary").click()
    fits(page, "elder-reveal")
    row.locator("select").select_option("核对资料")
    row.locator("form button").click()
    page.wait_for_selector(f"text={elder.id_number}")
    fits(page, "elder-shown")
    for tab in ("联系人", "设备", "事件与工单", "告知与期限", "谁看过"):
        page.locator(".tabs__tab", has_text=tab).click()
        page.wait_for_load_state()
        assert page.locator(".tabs__tab[aria-selected=true]", has_text=tab).count() == 1
        fits(page, f"elder-{tab}")
    assert "核对资料" in page.content()


@pytest.mark.browser
@pytest.mark.timeout(180)
@pytest.mark.parametrize("browser_page", SIZES, indirect=True)
def test_every_page_of_the_street_fits_the_window(browser_page: Page, live_server):
    errors: list[str] = []
    browser_page.on("pageerror", lambda error: errors.append(str(error)))
    for path in (
        "",
        "elders/",
        "elders/new",
        "incidents/",
        "incidents/1/",
        "repairs/",
        "devices/",
        "devices/?trouble=silent",
    ):
        browser_page.goto(f"{live_server.url}/district/{path}")
        fits(browser_page, path.strip("/").replace("/", "-") or "overview")
    assert errors == []
