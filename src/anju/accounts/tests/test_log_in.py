"""Log-in: strength, lock-out, second factor, idle sessions, addresses. SYS-02."""

from datetime import timedelta

import pytest
from allauth.mfa.totp.internal.auth import format_hotp_value, hotp_value, yield_hotp_counters_from_time
from django.contrib.auth.hashers import check_password
from django.core.exceptions import ValidationError

from anju.accounts import actions, passwords, queries, second_factor
from anju.accounts.models import User
from anju.accounts.permissions import THE_PLATFORM
from anju.accounts.roles import Role
from anju.accounts.tests.factories import PASSWORD, make_user
from anju.kernel import clock, hooks
from anju.kernel.models import AuditLine
from anju.kernel.scope import OutOfScope
from anju.places.tests.factories import make_district

pytestmark = [pytest.mark.django_db, pytest.mark.req("SYS-02")]
NEW = "Lotus.Pond.1943"
PAGE = {"Accept": "text/html"}


@pytest.fixture
def district():
    make_district()


def log_in(client, user, password=PASSWORD, **extra):
    return client.post("/login/", {"username": user.username, "password": password, **extra})


def code_of(secret, step=1):
    return format_hotp_value(hotp_value(secret, list(yield_hotp_counters_from_time())[step]))


def actions_of(user):
    return list(AuditLine.objects.filter(subject="user", subject_id=str(user.pk)).values_list("action", "result"))


def test_agents_start_at_the_desk_and_others_in_the_district(client, district):
    agent, street = make_user(Role.AGENT, password=PASSWORD), make_user(Role.STREET, password=PASSWORD)
    assert client.get("/desk/", headers=PAGE).url == "/login/?next=/desk/"
    assert log_in(client, agent).url == "/desk/"
    assert client.get("/desk/").status_code == 200
    assert client.post("/logout/").url == "/login/"
    assert log_in(client, street).url == "/district/"
    assert ("user.log_in", "ok") in actions_of(agent)
    assert ("user.log_out", "ok") in actions_of(agent)


def test_wrong_name_and_wrong_password_look_alike(client):
    user = make_user(password=PASSWORD)
    wrong = log_in(client, user, "nope-nope-1")
    unknown = client.post("/login/", {"username": "nobody-here", "password": "nope-nope-1"})
    assert wrong.status_code == unknown.status_code == 403
    assert "还可试 4 次" in wrong.text
    same = [t.replace(user.username, "").replace("nobody-here", "") for t in (_no_token(wrong), _no_token(unknown))]
    assert same[0] == same[1]
    assert ("user.log_in", "denied") in actions_of(user)
    assert "nobody-here" not in str(list(AuditLine.objects.values("detail", "reason", "subject_id")))


def test_five_failures_lock_name_and_address_for_half_an_hour(client, let_pass, district):
    user, boss = make_user(Role.AGENT, password=PASSWORD), make_user(Role.SECURITY_ADMIN)
    for _ in range(4):
        assert log_in(client, user, "wrong-Wrong-1").status_code == 403
    locked = log_in(client, user, "wrong-Wrong-1")
    assert locked.status_code == 429
    assert "30 分钟" in locked.text
    assert "12:30" in locked.text
    assert log_in(client, user).status_code == 429  # also the right one
    assert client.post("/login/", {"username": user.username.upper(), "password": PASSWORD}).status_code == 429
    elsewhere = client.post("/login/", {"username": user.username, "password": PASSWORD}, REMOTE_ADDR="10.0.0.9")
    assert elsewhere.url == "/desk/"
    assert queries.users(reach=queries.reach_of(boss), text=user.username)[0].locked_until is not None
    assert ("user.locked", "locked") in actions_of(user)
    client.logout()
    let_pass(minutes=10)
    assert "20 分钟" in log_in(client, user).text
    let_pass(minutes=21)
    assert log_in(client, user).status_code == 302


def test_the_security_administrator_unlocks_and_nobody_else(client, district):
    user, boss = make_user(Role.AGENT, password=PASSWORD), make_user(Role.SECURITY_ADMIN)
    for _ in range(5):
        log_in(client, user, "wrong-Wrong-1")
    for role in set(Role) - {Role.SECURITY_ADMIN}:
        with pytest.raises(PermissionError if False else Exception, match="安全管理员"):
            actions.unlock(user=user, by=queries.actor_of(make_user(role)))
    assert log_in(client, user).status_code == 429
    actions.unlock(user=user, by=queries.actor_of(boss))
    assert log_in(client, user).status_code == 302


@pytest.mark.parametrize(
    ("password", "why"),
    [
        ("Sh0rt!", "少 4 位"),
        ("alllowercaseletters", "3 种"),
        ("1234567890", "3 种"),
        ("Aa1!Aa1!Aa1!", "6 个不同"),
        ("Zhou.xl-2026-ok", "用户名"),
        ("Password123!x14400001234", "手机号"),
    ],
)
def test_weak_passwords_are_refused_with_what_to_mend(password, why):
    user = make_user(username="zhou.xl")
    user.phone = "14400001234"
    from django.contrib.auth.password_validation import validate_password

    with pytest.raises(ValidationError, match=why):
        validate_password(password, user)
    validate_password(NEW, user)
    validate_password(passwords.one_time_password(), user)


def test_there_is_no_default_password_the_first_log_in_must_change(client, district):
    actions.create_user(username="new.one", name="新来的", password=PASSWORD, by=THE_PLATFORM)
    user = User.objects.get(username="new.one")
    actions.grant(user=user, role=Role.FAMILY, place="330199001001", elder_id=1, by=THE_PLATFORM)
    log_in(client, user)
    assert client.get("/district/", headers=PAGE).url == "/login/password/"
    fragment = client.get("/district/", headers={"HX-Request": "true"})
    assert (fragment.status_code, fragment["HX-Redirect"]) == (401, "/login/password/")
    assert "不对" in client.post("/login/password/", {"old": "x", "new": NEW, "again": NEW}).text
    assert "两遍不一样" in client.post("/login/password/", {"old": PASSWORD, "new": NEW, "again": "y"}).text
    assert "用过" in client.post("/login/password/", {"old": PASSWORD, "new": PASSWORD, "again": PASSWORD}).text
    assert client.post("/login/password/", {"old": PASSWORD, "new": NEW, "again": NEW}).url == "/family/"
    assert client.get("/session/").status_code == 200


def test_a_password_lasts_90_days_and_the_last_five_never_come_back(client, let_pass, district):
    user = make_user(Role.FAMILY, elder_id=1, password=PASSWORD, is_demo=False)
    log_in(client, user)
    assert client.get("/session/").status_code == 200
    let_pass(days=89)
    log_in(client, user)
    assert client.get("/session/").status_code == 200
    let_pass(days=2)
    log_in(client, user)
    assert client.get("/district/", headers=PAGE).url == "/login/password/"
    me = queries.actor_of(user)
    for n in range(5):
        actions.set_password(user=user, password=f"{NEW}-{n}", by=me)
        user.refresh_from_db()
        with pytest.raises(actions.NotAccepted, match="用过"):
            actions.set_password(user=user, password=PASSWORD, by=me)
    actions.set_password(user=user, password=f"{NEW}-5", by=me)
    user.refresh_from_db()
    actions.set_password(user=user, password=PASSWORD, by=me)
    assert check_password(PASSWORD, User.objects.get(pk=user.pk).password)


def test_staff_must_enrol_a_token_and_then_use_it(client, district, let_pass):
    user = make_user(Role.STREET, password=PASSWORD, is_demo=False)
    log_in(client, user)
    assert client.get("/district/", headers=PAGE).url == "/login/token/"
    secret = client.get("/login/token/").context["secret"].replace(" ", "")
    page = client.get("/login/token/").text
    assert "<svg" in page
    assert 'href="otpauth://totp/' in page, "a telephone cannot scan its own screen"
    assert client.post("/login/token/", {"code": "000000"}).status_code == 403
    codes = client.post("/login/token/", {"code": code_of(secret)}).context["codes"]
    assert len(codes) == 10
    assert client.get("/district/").status_code == 200
    client.post("/logout/")

    assert log_in(client, user, next="/district/?x=1").url == "/login/code/"
    assert client.get("/district/", headers=PAGE).url.startswith("/login/?next=")  # half a log-in opens nothing
    let_pass(minutes=1)
    code = code_of(secret)
    assert client.post("/login/code/", {"code": "123"}).status_code == 403
    assert client.post("/login/code/", {"code": code}).url == "/district/?x=1"
    client.post("/logout/")
    log_in(client, user)
    assert client.post("/login/code/", {"code": code}).status_code == 403  # a code counts once
    assert client.post("/login/code/", {"code": codes[0]}).url == "/district/"
    client.post("/logout/")
    log_in(client, user)
    assert client.post("/login/code/", {"code": codes[0]}).status_code == 403
    let_pass(minutes=6)
    assert client.post("/login/code/", {"code": codes[1]}).url == "/login/"  # the password was long ago


def test_guessing_codes_locks_like_guessing_passwords(client, district):
    user = make_user(Role.STREET, password=PASSWORD, is_demo=False)
    second_factor.enrol(user, (secret := second_factor.new_secret()), code_of(secret))
    log_in(client, user)
    answers = [client.post("/login/code/", {"code": "000000"}).status_code for _ in range(5)]
    assert answers == [403, 403, 403, 403, 429]
    assert client.post("/login/code/", {"code": code_of(secret, 2)}).status_code == 429
    assert log_in(client, user).status_code == 429


def test_the_secret_of_a_token_is_encrypted(district):
    from allauth.mfa.models import Authenticator

    user, secret = make_user(Role.STREET, is_demo=False), second_factor.new_secret()
    second_factor.enrol(user, secret, code_of(secret))
    assert secret not in str(list(Authenticator.objects.values("data")))
    boss = queries.actor_of(make_user(Role.SECURITY_ADMIN))
    actions.forget_second_factor(user=user, reason="令牌遗失", by=boss)
    assert not second_factor.is_enrolled(user)


def test_only_a_hand_keeps_a_session_alive(client, let_pass, district):
    user = make_user(Role.STREET, password=PASSWORD)
    log_in(client, user)
    for _ in range(3):
        let_pass(minutes=20)
        assert client.get("/district/", headers=PAGE).status_code == 200  # a page by hand
    for _ in range(2):
        let_pass(minutes=14)
        assert client.get("/events", headers={"Sec-Fetch-Mode": "cors"}).status_code == 200
        assert client.get("/district/", headers={"HX-Request": "true"}).status_code == 200
    assert client.get("/session/", headers={"Sec-Fetch-Mode": "cors"}).json()["idle_left"] == 120
    let_pass(minutes=3)
    gone = client.get("/events", headers={"Sec-Fetch-Mode": "cors"})
    assert gone.status_code == 401
    assert gone.json()["login"].startswith("/login/?next=/events&idle=1")
    assert client.get("/district/", headers=PAGE).url == "/login/?next=/district/"
    assert ("session.idle", "ok") in actions_of(user)


def test_a_family_that_calls_the_phone_its_own_stays_for_weeks_and_staff_never(client, let_pass, district, settings):
    family, street = make_user(Role.FAMILY, password=PASSWORD), make_user(Role.STREET, password=PASSWORD)
    assert "保持登录" in client.get("/login/?next=/family/").text
    assert "保持登录" not in client.get("/login/").text
    kept = log_in(client, family, own="on", next="/family/")
    assert kept.cookies["sessionid"]["max-age"] == 30 * 86400, "her browser keeps it when it is closed"
    for _ in range(3):
        let_pass(days=25)
        page = client.get("/family/", headers=PAGE)
        assert page.status_code == 200
        assert page.cookies["sessionid"]["max-age"] == 30 * 86400, "each look begins the thirty days anew"
    let_pass(days=16)  # 91 days after the log-in
    assert client.get("/family/", headers=PAGE).url.startswith("/login/?next=/family/")
    log_in(client, family, own="on", next="/family/")
    let_pass(days=30, minutes=1)
    assert client.get("/family/", headers=PAGE).url.startswith("/login/?next=/family/")
    for user, given in ((family, {}), (street, {"own": "on"})):
        assert not log_in(client, user, **given).cookies["sessionid"]["max-age"]
        let_pass(minutes=31)
        assert client.get("/family/", headers=PAGE).url.startswith("/login/?next=/family/"), user
    settings.SESSION_IDLE_OWN = timedelta()
    assert "保持登录" not in client.get("/login/?next=/family/").text
    assert not log_in(client, family, own="on").cookies["sessionid"]["max-age"]


def test_the_desk_stays_awake_for_a_shift_and_for_an_incident(client, let_pass, district, monkeypatch):
    user = make_user(Role.AGENT, password=PASSWORD)
    monkeypatch.setattr(hooks, "_answers", dict(hooks._answers))
    log_in(client, user)
    let_pass(hours=8)
    desk = {"HX-Request": "true"}
    assert client.get("/desk/", headers=desk).status_code == 200
    let_pass(hours=5)
    hooks.provide("busy_users", lambda: {user.pk})
    assert client.get("/desk/", headers=desk).status_code == 200  # 13 hours, but in the middle of an incident
    hooks.provide("busy_users", frozenset)
    assert client.get("/desk/", headers=desk).status_code == 401


def test_roles_may_be_bound_to_addresses(client, settings, district):
    settings.ADDRESS_RANGES = {"agent": ["10.61.8.0/24"]}
    settings.TRUSTED_PROXIES = ["127.0.0.0/8"]
    agent, street = make_user(Role.AGENT, password=PASSWORD), make_user(Role.STREET, password=PASSWORD)
    far = log_in(client, agent)
    assert (far.status_code, "不在您岗位允许的地址内" in far.text) == (403, True)
    assert client.get("/desk/", headers=PAGE).url.startswith("/login/")
    assert log_in(client, street).status_code == 302
    client.post("/logout/")
    near = {"X-Forwarded-For": "6.6.6.6, 10.61.8.20"}  # what the outer hop claims does not count
    assert client.post("/login/", {"username": agent.username, "password": PASSWORD}, headers=near).url == "/desk/"
    assert client.get("/desk/", headers=near).status_code == 200
    moved = client.get("/desk/", headers=PAGE | {"X-Forwarded-For": "10.61.8.20, 6.6.6.6"})
    assert moved.url.startswith("/login/")


@pytest.mark.parametrize(
    ("wanted", "goes"),
    [
        ("/district/elders/?q=1", "/district/elders/?q=1"),
        ("https://evil.example/", "/district/"),
        ("//evil.example", "/district/"),
        ("javascript:alert(1)", "/district/"),
        ("/login/password/", "/district/"),
    ],
)
def test_next_stays_on_this_site(client, district, wanted, goes):
    assert log_in(client, make_user(Role.STREET, password=PASSWORD), next=wanted).url == goes


def test_forms_need_their_token(django_user_model, district):
    from django.test import Client

    strict, user = Client(enforce_csrf_checks=True), make_user(Role.STREET, password=PASSWORD)
    refused = strict.post("/login/", {"username": user.username, "password": PASSWORD})
    assert refused.status_code == 403
    assert "刷新" in refused.text
    token = strict.get("/login/").context["csrf_token"]
    data = {"username": user.username, "password": PASSWORD, "csrfmiddlewaretoken": str(token)}
    assert strict.post("/login/", data).status_code == 302


def test_a_switched_off_account_is_out_at_once_everywhere(client, district):
    user, boss = make_user(Role.STREET, password=PASSWORD), queries.actor_of(make_user(Role.SYSTEM_ADMIN))
    _, token = actions.issue_token(user=user, name="接口", by=THE_PLATFORM)
    log_in(client, user)
    assert client.get("/district/").status_code == 200
    actions.switch(user=user, active=False, reason="离职", by=boss)
    assert client.get("/district/", headers=PAGE).url.startswith("/login/")
    assert log_in(client, user).status_code == 403
    assert queries.user_by_token(token) is None


def test_demo_accounts_do_not_exist_in_production(client, settings, district):
    user = make_user(Role.AGENT, password=PASSWORD)
    assert queries.demo_users_exist()
    _, token = actions.issue_token(user=user, name="演示接口", by=THE_PLATFORM)
    assert queries.user_by_token(token) == user
    settings.DEMO = False
    assert queries.user_by_token(token) is None
    assert log_in(client, user).status_code == 403
    with pytest.raises(actions.NotAccepted, match="演示账号"):
        actions.create_user(username="x", name="x", password=PASSWORD, by=THE_PLATFORM, is_demo=True)


def test_tokens_are_hashed_expire_and_carry_the_scope_of_their_user(let_pass, district):
    user = make_user(Role.STREET, place="330199001000")
    token, text = actions.issue_token(
        user=user, name="区平台", by=THE_PLATFORM, expires_at=clock.now() + timedelta(days=1)
    )
    assert text not in str(token.__dict__)
    found = queries.user_by_token(text)
    assert found == user
    assert queries.scope_of(found).places == ("330199001",)
    assert queries.user_by_token(text + "x") is None
    boss = make_user(Role.SECURITY_ADMIN, place="330199002000")
    for other, refusal in (
        (boss, actions.NotAccepted),
        (make_user(Role.AUDIT_ADMIN), actions.NotAccepted),
        (user, OutOfScope),
    ):
        with pytest.raises(refusal):
            actions.issue_token(user=other, name="冒用", by=queries.actor_of(boss))
    token.refresh_from_db()
    assert token.last_used_at == clock.now()
    let_pass(days=1)
    assert queries.user_by_token(text) is None
    other, text = actions.issue_token(user=user, name="二", by=THE_PLATFORM)
    actions.revoke_token(token_id=other.pk, by=THE_PLATFORM)
    assert queries.user_by_token(text) is None


def _no_token(response):
    import re

    return re.sub(r'name="csrfmiddlewaretoken" value="[^"]+"|server-now" content="\d+"', "", response.text)
