"""The district's pages by role: what is seen, what is masked, what leaves a trace, what is refused and how it is said."""

from __future__ import annotations

import ast
import re
from datetime import timedelta
from pathlib import Path

import pytest

import anju
from anju.kernel import clock, trail
from anju.portals.district import filters, words
from anju.portals.district.views import staff

PAGES = ("", "elders/", "incidents/", "repairs/", "devices/", "ledger/", "operations/", "users/", "audit/")
OPEN = {
    "bureau1": {"", "elders/", "incidents/", "repairs/", "devices/", "ledger/"},
    "street1": {"", "elders/", "incidents/", "repairs/", "devices/"},
    "agent1": {"", "elders/", "incidents/", "repairs/", "devices/", "ledger/"},
    "lead1": {"", "elders/", "incidents/", "repairs/", "devices/", "ledger/", "operations/"},
    "installer1": {"elders/", "repairs/", "devices/"},
    "sysadmin1": {"ledger/", "operations/", "users/"},
    "secadmin1": {"users/"},
    "auditor1": {"ledger/", "operations/", "users/", "audit/"},
}


@pytest.mark.req("SYS-01", "SYS-02")
@pytest.mark.parametrize("name", OPEN)
def test_each_role_opens_its_pages_and_no_other(as_user, name):
    client = as_user(name)
    for page in PAGES:
        answer = client.get(f"/district/{page}")
        if page in OPEN[name]:
            assert answer.status_code == 200, page
            assert "演示" in answer.content.decode()
        elif page == "":
            assert answer.status_code == 302  # led to the first page that is theirs
        else:
            assert answer.status_code == 403, page
            assert "可以打开的岗位" in answer.content.decode()


def test_an_empty_platform_does_not_say_that_its_people_are_invented(client, settings):
    settings.INVENTED = False
    page = client.get("/login/").content.decode()
    assert "试用" in page
    assert "虚构" not in page


def test_administrators_begin_at_what_they_administer(as_user):
    begins = {
        name: as_user(name).get("/district/")["Location"]
        for name in ("sysadmin1", "secadmin1", "auditor1", "installer1")
    }
    assert begins == {
        "sysadmin1": "/district/users/",
        "secadmin1": "/district/users/",
        "auditor1": "/district/audit/",
        "installer1": "/district/elders/",
    }


@pytest.mark.req("SYS-02", "REG-01")
def test_a_street_sees_its_own_elders_only(as_user, town):
    spring, tide = as_user("street1"), as_user("street2")
    assert spring.get(f"/district/elders/{town.he_ting}/").status_code == 200
    assert tide.get(f"/district/elders/{town.he_ting}/").status_code == 404
    assert "沈玉芬" in spring.get("/district/elders/").content.decode()
    listed = tide.get("/district/elders/").content.decode()
    assert "沈玉芬" not in listed
    assert "陆秀英" in listed
    assert (
        tide.post(f"/district/elders/{town.he_ting}/reveal", {"field": "phone", "reason": "联系老人"}).status_code
        == 404
    )
    assert tide.get(f"/district/elders/?place={town.seeds[0].place}").content.decode().count("<tr>") > 1, (
        "a foreign filter is no filter"
    )


@pytest.mark.req("REG-13", "SYS-04")
def test_numbers_are_masked_until_a_reason_is_given_and_the_look_is_kept(as_user, town):
    client, elder = as_user("street1"), town.seeds[0].elders[0]
    page = client.get(f"/district/elders/{town.he_ting}/").content.decode()
    assert elder.id_number not in page
    assert elder.phone not in page
    refused = client.post(f"/district/elders/{town.he_ting}/reveal", {"field": "id_number", "reason": "", "other": ""})
    assert refused.status_code == 400
    assert "请写查看的原因" in refused.content.decode()
    assert elder.id_number not in refused.content.decode()
    shown = client.post(f"/district/elders/{town.he_ting}/reveal", {"field": "id_number", "reason": "核对资料"})
    assert elder.id_number in shown.content.decode()
    assert "no-store" in shown.headers["Cache-Control"]
    line = trail.find(subject="elder", subject_id=town.he_ting, action="elder.reveal").first()
    assert line.actor == "高敏"
    assert line.reason == "核对资料"
    seen = client.get(f"/district/elders/{town.he_ting}/?tab=seen").content.decode()
    assert "核对资料" in seen
    # the dispatcher has no right to see it, and the attempt is kept too
    other = as_user("dispatcher1").post(
        f"/district/elders/{town.he_ting}/reveal", {"field": "id_number", "reason": "好奇"}
    )
    assert other.status_code == 400
    assert elder.id_number not in other.content.decode()
    assert trail.find(subject="elder", subject_id=town.he_ting, action="elder.reveal", result="denied").exists()


@pytest.mark.req("REG-02")
def test_search_finds_by_name_phone_id_and_address_and_says_when_it_does_not(as_user, town):
    client, home = as_user("bureau1"), town.seeds[0]
    for text in ("沈玉芬", home.elders[0].phone, home.elders[0].id_number, home.elders[0].id_number[-4:], "荷汀花园"):
        assert "沈玉芬" in client.get("/district/elders/", {"q": text}).content.decode(), text
    nothing = client.get("/district/elders/", {"q": "没有这个人"}).content.decode()
    assert "没有符合条件的老人" in nothing
    assert "清除条件" in nothing
    odd = client.get("/district/elders/?page=99999999999&status=xx&kind=%00&q=%00%27")
    assert odd.status_code == 200


def test_lists_ask_the_same_number_of_times_however_long_they_are(as_user, queries_of, town, monkeypatch):
    from anju.portals.district.views import devices, elders

    client = as_user("bureau1")
    client.get("/district/elders/")
    long = {page: queries_of(lambda p=page: client.get(p)) for page in ("/district/elders/", "/district/devices/")}
    monkeypatch.setattr(elders, "SIZE", 2)
    monkeypatch.setattr(devices, "SIZE", 2)
    short = {page: queries_of(lambda p=page: client.get(p)) for page in ("/district/elders/", "/district/devices/")}
    assert all(long[p] - short[p] <= 1 for p in long), (long, short)
    assert max(long.values()) <= 30


@pytest.mark.req("REG-02", "REG-03")
def test_an_elder_is_registered_changed_and_faults_are_said_in_chinese(as_user, town):
    client = as_user("street1")
    form = {
        "place": town.seeds[0].place,
        "address": "荷汀花园 9 幢 1 单元 101 室",
        "name": "俞小红",
        "id_number": "33019919440426042",
    }
    wrong = client.post("/district/elders/new", form)
    assert wrong.status_code == 400
    assert "少 1 位" in wrong.content.decode()
    right = client.post("/district/elders/new", form | {"id_number": ""}, follow=True)
    assert right.status_code == 200
    assert "才能批准" in right.content.decode()
    elder = int(re.search(r"/elders/(\d+)/", right.redirect_chain[-1][0])[1])
    foreign = client.post("/district/elders/new", form | {"id_number": "", "place": town.seeds[1].place})
    assert foreign.status_code == 400
    assert "您辖区内的社区" in foreign.content.decode()
    changed = client.post(f"/district/elders/{elder}/edit", {"name": "俞小红", "hobbies": "听评弹"}, follow=True)
    assert "已保存" in changed.content.decode()
    assert "听评弹" in changed.content.decode()
    assert as_user("installer1").get(f"/district/elders/{elder}/edit").status_code == 403


@pytest.mark.req("REG-02")
def test_editing_does_not_empty_what_the_editor_sees_masked(as_user, town):
    from anju.elders import queries
    from anju.kernel.scope import EVERYWHERE, seen_by

    client, before = as_user("street1"), town.seeds[0].elders[0]
    page = client.get(f"/district/elders/{town.he_ting}/edit").content.decode()
    assert before.id_number not in page
    with seen_by(EVERYWHERE):
        data = {f: getattr(queries.elder(town.he_ting), f) or "" for f in ("name", "sex", "kind", "ability", "health_state", "illnesses",
                "chronic", "allergies", "self_rescue", "hobbies", "habits", "electricity_no", "water_no", "gas_no", "appointment")}  # fmt: skip
    answer = client.post(f"/district/elders/{town.he_ting}/edit", data | {"habits": "早起"}, follow=True)
    assert "已保存" in answer.content.decode()
    with seen_by(EVERYWHERE):
        after = queries.elder(town.he_ting)
    assert (after.id_number, after.phone, after.habits) == (before.id_number, before.phone, "早起")


@pytest.mark.req("DEV-05")
def test_an_unknown_device_waits_to_be_registered(as_user, town):
    from anju.devices import actions
    from anju.devices.actions import UnknownNote

    actions.note_unknown([UnknownNote("860000000000001", "op-1", "ctwing", "15001001", clock.now(), ("sos",))])
    client = as_user("lead1")
    page = client.get("/district/devices/").content.decode()
    assert "860000000000001" in page
    assert "待登记" in page
    form = {"imei": "860000000000001", "product_code": "sos-nb1", "operator_id": "op-1"}
    assert client.post("/district/devices/register", form | {"product_code": "no"}).status_code == 400
    assert "已入库" in client.post("/district/devices/register", form, follow=True).content.decode()
    again = client.post("/district/devices/register", form)
    assert "已经登记" in again.content.decode()
    assert as_user("street1").get("/district/devices/register").status_code == 403


@pytest.mark.req("LEAP-02")
def test_the_books_balance_and_lead_to_the_messages(as_user):
    client = as_user("lead1")
    assert "账平" in client.get("/district/ledger/").content.decode()
    yesterday = clock.today() - timedelta(days=1)  # today is empty just after midnight
    page = client.get(f"/district/ledger/?day={yesterday}").content.decode()
    assert "账平" in page
    link = re.search(r'href="(/district/ledger/messages\?[^"]+)"', page)
    assert link
    listed = client.get(link[1].replace("&amp;", "&"))
    assert listed.status_code == 200
    assert "已解析" in listed.content.decode()
    assert client.get("/district/ledger/messages?since=zz&outcome=%00").status_code == 200
    assert as_user("bureau1").get("/district/ledger/messages").status_code == 403


@pytest.mark.req("INC-07", "INC-10")
def test_a_closed_case_is_read_with_its_whole_story(as_user):
    client = as_user("lead1")
    listed = client.get("/district/incidents/?state=closed").content.decode()
    case = client.get(re.search(r'href="(/district/incidents/\d+/)"', listed)[1]).content.decode()
    assert "经过" in case
    assert "接警" in case
    assert "全程复盘" in case
    assert client.get("/district/incidents/999999/").status_code == 404


@pytest.mark.req("FLD-02")
def test_an_order_moves_by_its_buttons_and_says_why_not(as_user, town):
    from anju.accounts import queries as accounts
    from anju.accounts.models import User
    from anju.devices import queries as devices
    from anju.fieldwork import actions, queries
    from anju.kernel.scope import EVERYWHERE, seen_by

    with seen_by(EVERYWHERE):
        device = devices.health(limit=1)[0].device
        lead = accounts.actor_of(User.objects.get(username="lead1"))
        order = actions.report_fault(
            device_id=device.id, home_id=device.home_id, place=device.place, cause="fault", text="按键不灵", by=lead
        ).pk  # fmt: skip
    client = as_user("lead1")
    page = client.get(f"/district/repairs/{order}/").content.decode()
    assert "确认故障并受理" in page
    assert "按键不灵" in page
    assert "到达现场" not in page
    client.post(f"/district/repairs/{order}/move/accept")
    refused = client.post(f"/district/repairs/{order}/move/assign", follow=True).content.decode()
    assert 'role="alert"' in refused
    done = client.post(
        f"/district/repairs/{order}/move/assign", {"assignee": User.objects.get(username="installer1").pk}, follow=True
    )
    assert "已记录" in done.content.decode()
    with seen_by(EVERYWHERE):
        assert queries.order(order).state == "contacting"
    assert client.post(f"/district/repairs/{order}/move/assign", {"assignee": "x"}, follow=True).status_code == 200
    assert client.post("/district/repairs/999999/move/accept").status_code == 404


@pytest.mark.req("SYS-01", "SYS-02")
def test_three_administrators_do_three_different_things(as_user, settings):
    from anju.accounts.models import User

    system, security = as_user("sysadmin1"), as_user("secadmin1")
    form = {"username": "new.one", "name": "新同事", "password": "Wangchao-2026-x"}
    assert security.post("/district/users/new", form).status_code == 403
    assert "已建 new.one" in system.post("/district/users/new", form, follow=True).content.decode()
    user = User.objects.get(username="new.one").pk
    denied = system.post(f"/district/users/{user}/do/grant", {"role": "agent", "place": "330199000000"}, follow=True)
    assert denied.status_code == 403
    given = security.post(f"/district/users/{user}/do/grant", {"role": "agent", "place": "330199000000"}, follow=True)
    assert "坐席" in given.content.decode()
    token = security.post(f"/district/users/{user}/do/token", {"reason": "监管平台"}).content.decode()
    assert "只显示这一次" in token
    secret = re.search(r"anju_[\w-]+", token)[0]
    assert secret not in security.get(f"/district/users/{user}/").content.decode()
    own = User.objects.get(username="secadmin1").pk
    mine = security.post(f"/district/users/{own}/do/grant", {"role": "agent", "place": "330199000000"}, follow=True)
    assert "不能给自己授" in mine.content.decode()
    assert security.post(f"/district/users/{user}/do/zzz", follow=True).status_code == 200


@pytest.mark.req("SYS-04")
def test_the_auditor_searches_and_checks_the_chain(as_user, town):
    as_user("street1").get(f"/district/elders/{town.he_ting}/")
    client = as_user("auditor1")
    assert "打开档案" in client.get("/district/audit/?action=elder.open").content.decode()
    assert "没有符合条件的记录" in client.get("/district/audit/?actor=没有这个人").content.decode()
    assert "审计链完整" in client.post("/district/audit/verify", follow=True).content.decode()
    assert client.get("/district/audit/?page=zz&days=9999999&day=zz").status_code == 200


def test_nobody_without_a_log_in_reads_a_page(town, client):
    for page in PAGES:
        assert client.get(f"/district/{page}", headers={"Sec-Fetch-Mode": "navigate"}).status_code == 302


def test_every_act_in_the_audit_has_a_name_in_chinese() -> None:
    """Codes that stand in the code as such; those that are put together are looked at by hand."""
    lacking = set()
    for file in (Path(anju.__file__).parent).rglob("*.py"):
        if "tests" in file.parts or "audit.record(" not in (source := file.read_text(encoding="utf-8")):
            continue
        for node in ast.walk(ast.parse(source)):
            if isinstance(node, ast.Call) and ast.unparse(node.func) == "audit.record" and node.args:
                said = [
                    n.value for n in ast.walk(node.args[0]) if isinstance(n, ast.Constant) and isinstance(n.value, str)
                ]
                lacking |= {code for code in said if code not in words.ACTS}
    assert not lacking, f"name them in portals/district/words.py: {sorted(lacking)}"


def test_days_at_the_ends_of_the_calendar_are_no_fault(rf):
    for odd in ("0001-01-01", "9999-12-31"):
        shown = filters.day(rf.get("/", {"day": odd}), "day", clock.today())
        assert 2000 <= shown.year <= clock.today().year
        assert 2000 <= staff._monday(staff._date(odd)).year <= clock.today().year
    assert staff._date("2026-11-20").isoformat() == "2026-11-20"
