"""The printable papers: filled from the file for a reason, blank for the hand, one A4 each, nothing clipped. REG-06."""

from __future__ import annotations

import os
import re
from pathlib import Path

import pytest
from django.contrib.staticfiles import finders
from playwright.sync_api import Browser, Page, Route, sync_playwright

from anju.devices import queries as device_queries
from anju.elders import papers, queries
from anju.elders.models import Consent, Elder
from anju.kernel import clock
from anju.kernel.models import AuditLine
from anju.kernel.scope import EVERYWHERE, seen_by

pytestmark = pytest.mark.django_db
WHY = {"reason": "入户签约"}
SHEETS = {"survey": 1, "waiver": 1, "acceptance": 1, "profile": 1, "consent": 4}
"""How many sides each paper takes: the notice, set large for old eyes, two sheets on both sides; everything else one."""
CHROMIUM = os.environ.get("ANJU_CHROMIUM", "/usr/bin/chromium")
SHOTS = os.environ.get("ANJU_SHOTS", "")


def her(town):
    """The file as the database has it."""
    with seen_by(EVERYWHERE):
        return Elder.objects.select_related("home").get(pk=town.he_ting)


@pytest.mark.req("REG-06", "REG-03", "REG-02", "SYS-04")
def test_every_paper_is_filled_from_the_record_and_blank_for_the_hand(as_user, town):
    """Each paper carries what the file knows; the blank one carries nothing of anybody; the street's own elders only."""
    street, elder = as_user("street1"), her(town)
    with seen_by(EVERYWHERE):
        contacts = queries.contacts_of(elder.pk)
        mine = device_queries.of_home(elder.home_id)
        numbers = device_queries.serials(d.device.id for d in mine)
    guardian = next(c for c in contacts if c.kind == "guardian")
    night = next(c for c in contacts if c.kind == "night_duty")
    grids = [c.name for c in contacts if c.kind == "grid"]
    holds = {
        "survey": [
            elder.name, elder.phone, elder.electricity_no, elder.gas_no, guardian.phone, night.phone, *grids,
            "春浦街道", "望潮区", "均为必填项",
        ],
        "consent": [
            elder.name, elder.home.address, guardian.name, guardian.phone, "用水、用电和燃气", "110、119、120",
            "一式两份", "望潮区民政局（盖章）", "监护人（联系人）签字视为老年人签字",
        ],
        "waiver": [elder.name, "在下轮“乐居安养”服务开展之前"],
        "acceptance": [
            elder.name, elder.home.address, *numbers.values(), "2.2 米", "15 mm", "区民政局经办负责人签字（盖章）",
        ],
        "profile": [
            elder.name, elder.allergies, elder.habits, elder.home.entrance, guardian.name, "自救方式",
        ],
    }  # fmt: skip
    assert set(holds) == set(papers.PAPERS) == set(SHEETS)
    assert all(numbers.values())
    for code, texts in holds.items():
        page = street.post(f"/district/elders/{elder.pk}/papers/{code}", WHY)
        text = page.content.decode()
        assert page.status_code == 200
        assert [t for t in [*texts, elder.id_number] if t not in text] == [], code
        empty = street.get(f"/district/papers/{code}").content.decode()
        for private in (elder.name, elder.phone, elder.id_number, elder.home.address, guardian.name, *numbers.values()):
            assert private not in empty, code
    assert street.post(f"/district/elders/{town.liu_tang}/papers/consent", WHY).status_code == 404
    assert street.post(f"/district/elders/{elder.pk}/papers/nothing", WHY).status_code == 404
    assert street.get("/district/papers/nothing").status_code == 404
    assert street.get(f"/district/elders/{elder.pk}/papers/consent").status_code == 405


@pytest.mark.req("REG-06", "SYS-04", "SYS-03")
def test_printing_needs_a_post_and_a_reason_and_opens_no_more_than_the_post_may_uncover(as_user, town):
    """No reason, no paper; an agent prints none; an installer only the acceptance, without the ID number; all is kept."""
    elder, url = her(town), f"/district/elders/{town.he_ting}/papers"
    street, installer = as_user("street1"), as_user("installer1")
    refused = street.post(f"{url}/consent", {"reason": " "})
    assert refused.status_code == 400
    assert "请写打印的原因" in refused.content.decode()
    assert elder.id_number not in refused.content.decode()
    assert as_user("agent1").post(f"{url}/consent", WHY).status_code == 403
    assert installer.post(f"{url}/consent", WHY).status_code == 403
    assert not AuditLine.objects.filter(action="elder.print").exists()
    accepted = installer.post(f"{url}/acceptance", WHY).content.decode()
    assert elder.home.address in accepted
    assert elder.id_number not in accepted
    bureau = as_user("bureau1").post(f"{url}/survey", WHY).content.decode()
    assert elder.id_number in bureau
    assert elder.electricity_no not in bureau  # the bureau sees no meters: a line stays
    line = AuditLine.objects.filter(action="elder.print").latest("pk")
    assert (line.reason, line.detail["paper"], "id_number" in line.detail["fields"]) == ("入户签约", "survey", True)
    assert elder.id_number not in str(line.detail)
    seen = street.get(f"/district/elders/{elder.pk}/?tab=seen").content.decode()
    assert "打印服务对象摸底信息表" in seen


@pytest.mark.req("REG-06", "SYS-04")
def test_the_signed_paper_is_recorded_under_its_number_and_taken_back_with_a_reason(as_user, town):
    """The form knows the printed number; a waiver takes back what held; a consent is withdrawn with a reason."""
    street, base = as_user("street1"), f"/district/elders/{town.he_ting}"
    sheet = street.post(f"{base}/papers/consent", WHY).content.decode()
    number = re.search(r"文书编号 (GZ-\w+-\d{8})", sheet)[1]
    assert f'value="{number}"' in street.get(f"{base}/?tab=consents").content.decode()
    today = clock.today().isoformat()
    form = {"kind": "service", "document": number, "signed_by": "本人", "signer": "elder", "signed_on": today}
    assert "请勾选同意的范围" in street.post(f"{base}/consents", form).content.decode()
    assert street.post(f"{base}/consents", form | {"scope": ["monitor", "calls"]}).status_code == 302
    with seen_by(EVERYWHERE):
        signed = Consent.objects.get(document=number)
        assert (signed.kind, signed.scope, queries.covered(town.he_ting, "monitor")) == (
            "service",
            ["monitor", "calls"],
            True,
        )
    out = f"{base}/consents/{signed.pk}/withdraw"
    assert "请填原因" in street.post(out, {"reason": ""}).content.decode()
    assert street.post(out, {"reason": "家属要求"}).status_code == 302
    assert "已经撤回" in street.post(out, {"reason": "再来"}).content.decode()
    assert street.post(f"{base}/consents/999999/withdraw", {"reason": "x"}).status_code == 404
    assert (
        street.post(
            f"{base}/consents", form | {"document": "GZ-2", "scope": ["monitor", "rescue_110_120_119"]}
        ).status_code
        == 302
    )
    waiver = {"kind": "waiver", "document": "FQ-1", "signed_by": "本人", "signer": "elder", "signed_on": today}
    assert street.post(f"{base}/consents", waiver).status_code == 302
    with seen_by(EVERYWHERE):
        assert not queries.covered(town.he_ting, "monitor")
        assert not queries.covered(town.he_ting, "rescue_110_120_119")
        kept = Consent.objects.get(document="FQ-1")
    assert (kept.kind, kept.scope, kept.signed_on) == ("waiver", [], clock.today())
    page = street.get(f"{base}/?tab=consents").content.decode()
    assert "放弃承诺书" in page
    assert "已撤回" in page


def window(browser: Browser, shown: dict[str, bytes]) -> Page:
    """One window for all papers (`shown["html"]`), without a server: styles and scripts come from the source."""

    def answer(route: Route) -> None:
        path = route.request.url.split("/static/")
        if len(path) == 2:
            found = finders.find(path[1].split("?")[0])
            route.fulfill(path=str(found)) if found else route.abort()
        else:
            route.fulfill(body=shown["html"], content_type="text/html; charset=utf-8")

    page = browser.new_page(locale="zh-CN")
    page.route("**/*", answer)
    return page


OVERFLOW = """() => {
  const sheet = document.querySelector('.paper').getBoundingClientRect();
  const found = [];
  for (const cell of document.querySelectorAll('.paper td, .paper th, .paper p, .paper h1, .paper .fill, .paper li')) {
    const box = cell.getBoundingClientRect();
    const walk = document.createRange(); walk.selectNodeContents(cell);
    const text = walk.getBoundingClientRect();
    if (text.width && (text.right > box.right + 1 || text.left < box.left - 1 || box.right > sheet.right + 1))
      found.push(cell.textContent.trim().slice(0, 30));
  }
  return found;
}"""
SMALLEST = """() => Math.min(...[...document.querySelectorAll('.paper *')]
  .filter(e => [...e.childNodes].some(n => n.nodeType === 3 && n.data.trim()))
  .map(e => parseFloat(getComputedStyle(e).fontSize)))"""


@pytest.mark.browser
@pytest.mark.req("REG-06")
@pytest.mark.timeout(180)
def test_on_a4_nothing_is_clipped_and_the_sides_are_counted(as_user, town):
    """Chromium's own PDF: A4, so many sides, type that can be read, lines to sign; on a phone the page is not wider."""
    street, url = as_user("street1"), f"/district/elders/{town.he_ting}/papers"
    pages = {f"{code}-filled": street.post(f"{url}/{code}", WHY).content for code in SHEETS}
    pages |= {f"{code}-blank": street.get(f"/district/papers/{code}").content for code in SHEETS}
    with sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox", "--disable-gpu"])
        shown: dict[str, bytes] = {}
        page = window(browser, shown)
        for name, shown["html"] in pages.items():
            page.set_viewport_size({"width": 627, "height": 1000})  # 166 mm: an A4 sheet without its margins
            page.goto("http://paper.test/")
            printed(page, name)
            fits_a_phone(page, name)
        browser.close()


def printed(page: Page, name: str) -> None:
    """The paper in print."""
    code = name.partition("-")[0]
    page.emulate_media(media="print")
    assert page.evaluate(OVERFLOW) == [], name
    assert page.evaluate(SMALLEST) >= 13.9, name  # 10.5 points, in pixels
    if code in {"consent", "waiver"}:
        assert page.evaluate("parseFloat(getComputedStyle(document.querySelector('.paper .text')).fontSize)") >= 18
    assert page.locator(".signs .fill, .seals td").count() >= 2, name
    pdf = page.pdf(prefer_css_page_size=True, print_background=True)
    if SHOTS:
        (Path(SHOTS) / f"{name}.pdf").write_bytes(pdf)
    assert len(re.findall(rb"/Type\s*/Page\b(?!s)", pdf)) == SHEETS[code], name
    box = [float(n) for n in re.search(rb"/MediaBox\s*\[([\d. ]+)\]", pdf)[1].split()]
    assert box[2:] == pytest.approx([595, 842], abs=2)


def fits_a_phone(page: Page, name: str) -> None:
    """The same page on a small screen, before it is printed."""
    page.emulate_media(media="screen")
    page.set_viewport_size({"width": 390, "height": 844})
    assert page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth") <= 0, name
    if SHOTS:
        page.screenshot(path=str(Path(SHOTS) / f"{name}-phone.png"))
