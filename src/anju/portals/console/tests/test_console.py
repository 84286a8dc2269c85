"""The back office: who gets in, that forms go through actions, and that it speaks Chinese. SYS-01, SYS-04, REG-01."""

import re
from datetime import time
from pathlib import Path

import pytest
import unfold
from django.contrib import admin
from django.utils.translation import gettext, override

from anju.accounts import queries as accounts
from anju.accounts.backoffice import DictionaryAdmin, ReadOnlyAdmin
from anju.accounts.models import User
from anju.accounts.roles import Role
from anju.accounts.rules import OUTSIDE
from anju.accounts.tests.factories import make_user
from anju.calls.planned import queries as planned
from anju.calls.planned.rules import Night
from anju.kernel.crypto import EncryptedTextField
from anju.kernel.models import AuditLine
from anju.places import queries as places
from anju.places.models import PolicyProfile
from anju.places.tests.factories import DISTRICT, LOTUS, make_district
from anju.portals.console import words

PAGE = {"Accept": "text/html"}


@pytest.fixture
def district(db):
    make_district()


def enter(client, role):
    user = make_user(role)
    client.force_login(user, backend="django.contrib.auth.backends.ModelBackend")
    return user


@pytest.mark.req("SYS-01")
def test_only_system_administrators_get_in(client, district):
    assert client.get("/console/", headers=PAGE).url == "/login/?next=/console/"
    for role in Role:
        enter(client, role)
        seen = client.get("/console/places/place/", follow=True)
        assert seen.status_code == (200 if role is Role.SYSTEM_ADMIN else 403), role
        if role is not Role.SYSTEM_ADMIN:
            assert ("只给工作人员用" if role in OUTSIDE else "找系统管理员") in seen.text
        client.post("/console/logout/")


def test_the_index_is_chinese_and_needs_nothing_from_elsewhere(client, district):
    enter(client, Role.SYSTEM_ADMIN)
    page = client.get("/console/").text
    assert "安居后台" in page
    assert "区域" in page
    assert not re.findall(r'(?:src|href)="https?://', page)
    listed = client.get("/console/places/place/")
    assert "荷汀社区" in listed.text
    for english in ("Type to search", "Filters", "Select action", "No results", "Run<"):
        assert english not in listed.text


@pytest.mark.req("REG-01")
def test_a_place_is_kept_through_its_action(client, district):
    enter(client, Role.SYSTEM_ADMIN)
    data = {"code": "330199001004", "name": "新荷社区", "civil_code": "", "committee_phone": "", "sorting": 0}
    bad = client.post("/console/places/place/add/", {**data, "code": "3301990010"})
    assert "应为 12 位" in bad.text
    assert client.post("/console/places/place/add/", data).status_code == 302
    assert places.path_of("330199001004") == "春浦街道新荷社区"
    assert client.post(f"/console/places/place/{LOTUS}/change/", {**data, "name": "荷汀东社区"}).status_code == 302
    places.forget_names()
    assert places.name_of(LOTUS) == "荷汀东社区"
    assert AuditLine.objects.filter(action="place.put").count() == 2
    assert client.get(f"/console/places/place/{LOTUS}/delete/").status_code == 403


@pytest.mark.req("REG-01")
def test_durations_are_set_as_a_new_version_that_shows_what_is_looser(client, district):
    enter(client, Role.SYSTEM_ADMIN)
    address = "/console/places/policyprofile/"
    form = client.get(f"{address}add/").text
    assert "默认 120，可填 30–600" in form
    assert "不大于" in (
        bad := client.post(f"{address}add/", {"place": DISTRICT, "reason": "试", "s_incident_verifying": 900}).text
    ) or ("小于" in bad)
    saved = client.post(
        f"{address}add/",
        {"place": DISTRICT, "reason": "试运行", "s_incident_verifying": 180, "s_incident_waiting_9": 10},
    )
    assert saved.status_code == 302
    assert places.policy_for(LOTUS).seconds["incident.verifying"] == 180
    assert "核实老人 180 秒（默认 120 秒）" in client.get(address).text
    version = PolicyProfile.unscoped.get()
    assert version.data == {"incident.verifying": 180, "incident.waiting.9": 10}
    seen = client.get(f"{address}{version.pk}/change/").text
    assert "比默认 120 秒宽" in seen
    assert "_save" not in seen


@pytest.mark.req("CALL-08")
def test_when_nobody_is_rung_is_set_by_the_clock(client, district):
    enter(client, Role.SYSTEM_ADMIN)
    address = "/console/places/policyprofile/"
    assert "默认 21:00，可填 18:00–22:00" in client.get(f"{address}add/").text
    told = {"place": DISTRICT, "reason": "冬季", "s_call_quiet_from": "23:30", "s_call_quiet_until": ""}
    assert "不在 18:00–22:00 之内" in client.post(f"{address}add/", told).text
    assert client.post(f"{address}add/", {**told, "s_call_quiet_from": "21:30"}).status_code == 302
    assert planned.night_at(LOTUS) == Night(time(21, 30), time(8))
    assert "晚上几点起不打扰 21:30（默认 21:00）" in client.get(address).text


@pytest.mark.req("SYS-02")
def test_an_account_gets_a_one_time_password_shown_once(client, district):
    enter(client, Role.SYSTEM_ADMIN)
    data = {"username": "Zhou.XL", "name": "周晓岚", "phone": "", "seat_number": "1017"}
    page = client.post("/console/accounts/user/add/", data, follow=True).text
    password = re.search(r"一次性密码是 (\S+?)，", page)[1]
    user = User.objects.get(username="zhou.xl")
    assert user.check_password(password)
    assert accounts.must_change_password(user)
    assert password not in client.get("/console/accounts/user/").text
    again = client.post("/console/accounts/user/add/", {**data, "seat_number": ""}).text
    assert "已有人用" in again
    odd = client.post("/console/accounts/user/add/", {**data, "username": "li.na", "seat_number": "A01"}).text
    assert "只能是 2 到 8 位数字" in odd, "an extension of letters is one that no telephone has"
    assert not User.objects.filter(username="li.na").exists()
    client.post("/console/accounts/user/", {"action": "switch_off", "_selected_action": [user.pk]})
    user.refresh_from_db()
    assert not user.is_active


@pytest.mark.req("SYS-04", "SYS-01")
def test_no_form_shows_or_writes_what_belongs_to_elders_and_incidents():
    ours = dict(admin.site._registry)
    assert ours
    for model, form in ours.items():
        assert isinstance(form, DictionaryAdmin | ReadOnlyAdmin), f"{model} needs a form of accounts.backoffice"
        assert model._meta.app_label not in {"elders", "incidents", "alarms", "signals"}, model
        sealed = {f.name for f in model._meta.get_fields() if isinstance(f, EncryptedTextField)}
        assert not sealed & set(form.list_display), f"{model} lists personal data"


def test_the_words_of_unfold_are_all_translated_and_compiled():
    catalogue = words.read(words.PO.read_text(encoding="utf-8"))
    assert words.MO.read_bytes() == words.compiled(catalogue), "run ./anju words"
    missing = set()
    root = Path(unfold.__file__).parent
    with override("zh-hans"):
        for page in (root / "templates").rglob("*.html"):
            for text in re.findall(r"""{%\s*trans(?:late)?\s+"([^"]+)""", page.read_text(encoding="utf-8")):
                if gettext(text) == text:
                    missing.add(text)
    assert not missing
