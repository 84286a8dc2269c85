"""A daughter looks after her mother on an old phone: what she reads, what she may tell, and that nothing else opens."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from datetime import timedelta

import pytest
from django.conf import settings
from django.contrib.sessions.backends.db import SessionStore
from django.http import HttpResponse
from django.test import Client, RequestFactory
from django.urls import URLPattern, URLResolver, get_resolver

from anju.accounts import queries as accounts
from anju.accounts import sessions
from anju.accounts.models import User
from anju.accounts.permissions import THE_PLATFORM
from anju.alarms import sensing, states
from anju.alarms.models import HomeState, HomeWatch, Storm, StormHome
from anju.alarms.more_models import HomeHabit
from anju.config import middleware
from anju.devices.models import Vitals
from anju.elders import actions, queries
from anju.elders.models import Consent, Contact, Elder
from anju.incidents import actions as incidents
from anju.incidents.models import Entry, Incident
from anju.kernel import clock
from anju.kernel.models import AuditLine
from anju.kernel.scope import EVERYWHERE, seen_by
from anju.supervision.contacts.models import Contact as Letter
from anju.town.demo import families
from tests.pages.conftest import SmallTown

pytestmark = [pytest.mark.django_db, pytest.mark.req("SYS-09")]
As = Callable[[str], Client]
PART = {"HX-Request": "true"}


def text(answer: object) -> str:
    return str(answer.content.decode())  # type: ignore[attr-defined]


@pytest.fixture
def home(town: SmallTown) -> tuple[str, Elder]:
    """Her address, and the mother's file: a watched home, quiet for forty minutes."""
    with seen_by(EVERYWHERE):
        assert families.make() == 2
        elder = queries.elder(town.he_ting)
        assert elder is not None
        assert sensing.enrol(home_id=elder.home_id)
        now = clock.now()
        watch = HomeWatch.objects.get(home_id=elder.home_id)
        watch.ears = {"1": {"at": now.timestamp(), "to": now.timestamp(), "every": 0}}
        watch.last_life_at = watch.heard_until = watch.covered_until = now - timedelta(minutes=40)
        watch.first_at, watch.last_life_what = now - timedelta(days=20), "卫生间活动"
        watch.soft_at, watch.hard_at = now + timedelta(hours=3), now + timedelta(hours=6)
        watch.save()
    return f"/family/{elder.pk}/", elder


def watch_is(elder: Elder, **values: object) -> None:
    with seen_by(EVERYWHERE):
        HomeWatch.objects.filter(home_id=elder.home_id).update(**values)


@pytest.mark.req("SYS-01", "SEN-01", "SEN-08", "EXT-15")
def test_she_reads_in_plain_words_how_her_mother_is(home: tuple[str, Elder], as_user: As, town: SmallTown) -> None:
    page, elder = home
    daughter, agent = as_user("family1"), as_user("agent1")
    agent.get(f"/district/elders/{elder.pk}/")
    assert daughter.get("/").headers["Location"] == "/family/"
    assert daughter.get("/family/").headers["Location"] == page
    shown = text(daughter.get(page))
    for said in ("沈玉芬", "在家，安静", "卫生间活动", "我们先打电话去问", "最迟约", "有人来问", f"tel:{elder.phone}"):
        assert said in shown, said
    assert re.search("周晓岚，打开档案", shown), "who opened her record"
    assert "家属查看" not in shown, "her own look is no news to her"
    assert "顾敏" in text(agent.get(f"/district/elders/{elder.pk}/?tab=seen")), "staff read that the family looked"
    for foreign in ("陆秀英", elder.id_number, "备用钥匙", "冠心病", 'data-kind="emergency"'):
        assert foreign not in shown, foreign
    for fields, said in (
        ({"heard_until": clock.now() - timedelta(hours=9)}, "不能说平安"),
        ({"heard_until": clock.now(), "soft_at": clock.now() - timedelta(minutes=1)}, "安静得比平日久"),
        ({"watched": False, "why_not": "未签监测同意"}, "现在没有看护"),
    ):
        watch_is(elder, **fields)
        assert said in text(daughter.get(f"{page}now", headers=PART)), said
    with seen_by(EVERYWHERE):
        now, home_id = clock.now(), elder.home_id
        HomeWatch.objects.filter(home_id=home_id).update(watched=True, heard_until=now)
        storm = Storm.objects.create(place=elder.home.place, kind="cell", key="7", since=now, opened_at=now)
        StormHome.objects.create(storm=storm, home_id=home_id, place=elder.home.place, since=now, rank=1)
        assert Vitals.objects.filter(device__home_id=home_id, device__product__kind="door").update(
            battery=4, last_heard_at=now
        )
    shown = text(daughter.get(page))
    for said in ("家那一带信号断了", "我们可能不会知道", "门磁快没电了"):
        assert said in shown, said
    assert "没有。" not in text(daughter.get(f"{page}past"))
    assert "周晓岚，打开档案" in text(daughter.get(f"{page}seen"))
    assert daughter.get(f"/family/{town.liu_tang}/").status_code == 404, "another family's mother"
    assert "陆秀英" in text(as_user("family2").get(f"/family/{town.liu_tang}/"))
    assert agent.get(page).status_code == 403, "staff have their own pages"
    assert Client().get(page).headers["Location"].startswith("/login/?next=/family/")
    with seen_by(EVERYWHERE):
        looks = AuditLine.objects.filter(action="elder.open", subject_id=str(elder.pk), actor="顾敏")
        assert looks.count() == 1, "a look is a line, not each fragment"


@pytest.mark.req("INC-01")
def test_red_is_an_emergency_and_she_reads_what_is_being_done(home: tuple[str, Elder], as_user: As) -> None:
    page, elder = home
    agent = accounts.actor_of(User.objects.get(username="agent1"))
    with seen_by(EVERYWHERE):
        case = incidents.open_by_hand(
            by=agent, place=elder.home.place, kind="call", kind_label="一键呼叫", priority=9, home_id=elder.home_id,
            elder_id=elder.pk, phone="", what="摔倒",
        )  # fmt: skip
    shown = text(as_user("family1").get(page))
    assert 'data-kind="emergency"' in shown
    assert "有紧急情况，正在处理" in shown
    assert "一键呼叫" in shown
    assert case.state_label not in shown, "no word of the centre's process"
    said = as_user("family1").post(f"{page}message", {"well": "1", "text": "她在我家"}, follow=True)
    assert "值班员收到了" in text(said)
    with seen_by(EVERYWHERE):
        line = Entry.objects.filter(incident=case, source="contact").get()
        assert "她在我家" in line.text
        assert Incident.objects.get(pk=case.pk).state == case.state, "what a family says ends no alarm"
        assert HomeWatch.objects.get(home_id=elder.home_id).last_life_what == "卫生间活动", "and is no sign of life"


@pytest.mark.req("SEN-01", "SYS-01")
def test_she_says_that_her_mother_is_away_and_it_ends_by_itself_or_earlier(
    home: tuple[str, Elder], as_user: As
) -> None:
    page, elder = home
    daughter, now = as_user("family1"), clock.local(clock.now())
    told = {"kind": "holiday", "since": f"{now:%Y-%m-%dT%H:%M}", "until": f"{now + timedelta(days=2):%Y-%m-%dT%H:%M}", "note": "住我家"}  # fmt: skip
    for wrong, said in (
        ({**told, "until": ""}, "请把日期和时间填完整"), ({**told, "kind": "test"}, "请选是哪种情况"),
        ({**told, "since": "0001-01-01T00:00"}, "填完整"),
        ({**told, "until": told["since"]}, "结束时间须晚于"), ({"end": "7"}, "没有这一条"), ({"end": "x"}, "没有这一条"),
    ):  # fmt: skip
        assert said in text(daughter.post(f"{page}away", wrong)), said
    assert "住我家" in text(daughter.post(f"{page}away", told, follow=True))
    assert "外出居住" in text(daughter.get(page))
    with seen_by(EVERYWHERE):
        state = HomeState.objects.get()
        assert (state.said_by, state.said_how, state.ended_at) == ("顾敏", "family", None)
        test = states.say_state(
            home_id=elder.home_id, kind="test", until=clock.now() + timedelta(hours=1), by=THE_PLATFORM
        )
    assert "没有这一条" in text(daughter.post(f"{page}away", {"end": test.pk})), "a test is the installer's"
    assert "恢复看护" in text(daughter.post(f"{page}away", {"end": state.pk}, follow=True))
    with seen_by(EVERYWHERE):
        assert HomeState.objects.get(pk=state.pk).ended_at is not None
    assert as_user("family2").post(f"{page}away", told).status_code == 404


@pytest.mark.req("SEN-08")
def test_she_corrects_the_rhythm(home: tuple[str, Elder], as_user: As) -> None:
    page, elder = home
    daughter, form = as_user("family1"), f"{page}habits"
    nap = {"what": "quiet", "day": ["5", "6"], "start": "13:00", "end": "15:30", "note": "午睡"}
    assert "周六、周日 13:00–15:30 常没动静" in text(daughter.post(form, nap, follow=True))
    assert "没有就先问她" in text(
        daughter.post(form, {"what": "up_by", "day": [*"0123456"], "start": "09:00"}, follow=True)
    )
    yesterday = (clock.today() - timedelta(days=1)).isoformat()
    assert f"{yesterday} 不作数" in text(daughter.post(form, {"what": "ignore", "on": yesterday}, follow=True))
    for wrong, said in (
        ({**nap, "day": []}, "至少选一个"), ({**nap, "start": ""}, "请把日期和时间填完整"), ({"what": "ignore", "on": "x"}, "填完整"),
        ({"what": "end", "id": "999999"}, "没有这一条"), ({"what": "fence"}, "请选要记什么"),
    ):  # fmt: skip
        assert said in text(daughter.post(form, wrong)), said
    with seen_by(EVERYWHERE):
        rows = list(HomeHabit.objects.filter(home_id=elder.home_id).order_by("pk"))
        assert {(h.said_by, h.said_how) for h in rows} == {("顾敏", "family")}
    daughter.post(form, {"what": "end", "id": rows[0].pk})
    with seen_by(EVERYWHERE):
        assert HomeWatch.objects.get(home_id=elder.home_id).habits == [["up_by", 127, 9.0, 9.0]]
    assert as_user("family2").post(form, nap).status_code == 404


@pytest.mark.req("CALL-12")
def test_she_writes_to_the_centre_and_reads_the_answer(home: tuple[str, Elder], as_user: As) -> None:
    page, elder = home
    daughter, agent = as_user("family1"), as_user("agent1")
    assert "请写下" in text(daughter.post(f"{page}message", {"text": " "}))
    assert "已收到" in text(daughter.post(f"{page}message", {"text": "妈妈的助听器坏了"}, follow=True))
    with seen_by(EVERYWHERE):
        row = Letter.objects.latest("pk")
    assert (row.name, row.elder_id, row.urgent) == ("家属 顾敏", elder.pk, "")
    assert row.reach, "the number of the file, to ring back"
    assert "妈妈的助听器坏了" in text(agent.get("/desk/due"))
    agent.post(f"/desk/due/contact/{row.pk}", {"how": "answer", "text": "师傅明天上午来。"}, headers=PART)
    shown = text(daughter.get(f"{page}message"))
    assert "师傅明天上午来。" in shown
    assert "周晓岚" not in shown
    assert "妈妈的助听器坏了" not in text(as_user("family2").get("/family/", follow=True))
    for n in range(4):
        assert daughter.post(f"{page}message", {"text": f"再问一句 {n}"}).status_code == 302
    assert "太频繁" in text(daughter.post(f"{page}message", {"text": "又来"}))
    assert daughter.post(f"{page}message", {"text": "妈妈摔倒了"}).status_code == 302, "distress always passes"


@pytest.mark.req("SYS-01", "SYS-02")
def test_a_consent_that_ends_closes_every_page_at_once(home: tuple[str, Elder], as_user: As) -> None:
    page, elder = home
    daughter = as_user("family1")
    assert daughter.get(page).status_code == 200
    with seen_by(EVERYWHERE):
        for consent in Consent.objects.filter(elder=elder):
            actions.withdraw_consent(consent_id=consent.pk, reason="不愿再让看", by=THE_PLATFORM)
    for path in ("", "now", "past", "seen", "away", "habits", "message"):
        answer = daughter.get(page + path)
        assert answer.status_code == 403, path
        assert "现在看不到" in text(answer)
        assert "沈玉芬" not in text(answer)
    assert daughter.post(f"{page}message", {"text": "x"}).status_code == 403
    assert "现在看不到" in text(daughter.get("/family/"))


def paths(resolver: URLResolver, before: str = "/") -> Iterator[str]:
    """An address of every page of the platform."""
    for entry in resolver.url_patterns:
        route = before + re.sub(
            r"<(?:(\w+):)?\w+>", lambda m: "1" if m[1] in {"int", None} else "x", str(entry.pattern)
        )
        if isinstance(entry, URLResolver):
            yield from paths(entry, route)
        elif isinstance(entry, URLPattern):
            yield route


@pytest.mark.req("SYS-01")
def test_nothing_else_of_the_platform_opens_to_a_family(
    home: tuple[str, Elder], as_user: As, rf: RequestFactory
) -> None:
    """Every address of the platform but those that anybody or a family may open.

    Asked of the gate itself, before the views: three hundred whole pages would only take time.
    """
    page, elder = home
    everything = sorted({p for p in paths(get_resolver()) if not {"\\", "(", "^"} & set(p)})
    closed = [p for p in everything if p != "/" and not p.startswith(settings.OUTSIDE_PATHS)]
    assert len(closed) > 150
    assert {"/desk/", "/district/elders/1/", "/district/users/", "/api/elders"} <= set(closed)
    gate = middleware.scope_of_the_user(lambda _: HttpResponse("open"))
    daughter, session = User.objects.get(username="family1"), SessionStore()
    refused = HttpResponse(status=403)

    def answer(path: str, method: str) -> int:
        request = rf.generic(method, path, headers={"Sec-Fetch-Mode": "navigate"})
        request.user, request.session = daughter, session
        return gate(request).status_code

    assert answer(page, "GET") == 200
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(middleware, "permission_denied", lambda *_: refused)
        assert [p for p in [*closed, "/console/", "/nowhere/"] if answer(p, "GET") != 403] == []
        assert [p for p in closed[::20] if answer(p, "POST") != 403] == []
    theirs = {p.split("/")[1] for p in everything if p not in closed}
    assert theirs == {"", "family", "login", "logout", "session", "message", "healthz"}
    client = as_user("family1")
    assert "只给工作人员用" in text(client.get(f"/district/elders/{elder.pk}/")), "not her mother's file either"
    for path in ("/desk/", "/api/elders", "/console/", "/events", "/district/map/"):
        assert client.get(path).status_code == 403, path
    assert client.post(f"/district/elders/{elder.pk}/state", {"kind": "holiday"}).status_code == 403


@pytest.mark.req("SYS-02", "SYS-01")
def test_the_centre_opens_the_account_and_she_chooses_her_password(home: tuple[str, Elder], as_user: As) -> None:
    _, elder = home
    agent = as_user("agent1")
    with seen_by(EVERYWHERE):
        son = next(c for c in Contact.objects.filter(elder=elder) if c.name == "顾建国")
    form = f"/district/elders/{elder.pk}/contacts/{son.pk}/family"
    assert form in text(agent.get(f"/district/elders/{elder.pk}/?tab=contacts"))
    assert "开通家属账号" in text(agent.get(form))
    assert "联系电话" in text(agent.post(form, {"what": "open", "username": "agent1"})), (
        "nobody binds a colleague's account"
    )
    told = text(agent.post(form, {"what": "open"}))
    username, password = re.findall(r"<b>(jia\d{6})</b>", told)[0], re.findall(r"<code>(.+?)</code>", told)[0]
    assert password not in text(agent.get(form)), "shown once"
    phone = Client(headers={"Sec-Fetch-Mode": "navigate"})
    entered = phone.post("/login/", {"username": username, "password": password, "next": "/family/"})
    assert entered.status_code == 302
    assert phone.get("/family/").headers["Location"] == "/login/password/"
    new = "Lotus-and-Tide-55"
    assert 'data-theme="elder"' in text(phone.get("/login/password/"))
    done = phone.post("/login/password/", {"old": password, "new": new, "again": new})
    assert done.headers["Location"] == "/family/"
    assert "沈玉芬" in text(phone.get("/family/", follow=True))
    agent.post(form, {"what": "close", "reason": "本人不愿"})
    assert phone.get("/family/").headers["Location"].startswith("/login/"), "at once, on every phone"
    assert agent.post(form, {"what": "close", "reason": "x"}).status_code == 400
    assert as_user("bureau1").get(form).status_code == 403
    assert as_user("street2").get(form).status_code in {403, 404}, "another street's file"


@pytest.mark.req("SYS-02", "SYS-01")
def test_a_phone_that_stays_logged_in_sees_nothing_once_she_no_longer_agrees(home: tuple[str, Elder]) -> None:
    page, elder = home
    phone, daughter = Client(headers={"Sec-Fetch-Mode": "navigate"}), User.objects.get(username="family1")
    daughter.set_password("Lotus-and-Tide-55")
    daughter.save()
    phone.post("/login/", {"username": "family1", "password": "Lotus-and-Tide-55", "next": "/family/", "own": "on"})
    session = phone.session
    session[sessions.SEEN] -= 3 * 86400
    session.save()
    assert "沈玉芬" in text(phone.get(page))
    with seen_by(EVERYWHERE):
        for consent in Consent.objects.filter(elder=elder):
            actions.withdraw_consent(consent_id=consent.pk, by=THE_PLATFORM, reason="本人不愿")
    assert "沈玉芬" not in text(phone.get(page)), "at once, though the session goes on"
    assert "现在看不到" in text(phone.get("/family/", follow=True))


def test_the_letters_grow_and_stay_so(home: tuple[str, Elder], as_user: As) -> None:
    page, _ = home
    daughter = as_user("family1")
    assert '--zoom:1"' in text(daughter.get(page))
    assert daughter.post("/family/size", {"zoom": "1.67", "next": page}).headers["Location"] == page
    assert '--zoom:1.67"' in text(daughter.get(page))
    daughter.cookies["anju_zoom"] = '9"><b>'
    assert '--zoom:1"' in text(daughter.get(page))
    assert daughter.post("/family/size", {"zoom": "3", "next": "//evil.example/"}).headers["Location"] == "/family/"
    assert 'data-theme="elder"' in text(Client().get("/login/?next=/family/"))


def test_a_page_asks_few_questions(
    home: tuple[str, Elder], as_user: As, cost_of: Callable[[Callable[[], object]], tuple[int, int]]
) -> None:
    page, _ = home
    daughter = as_user("family1")
    daughter.get(page)
    asked, _ = cost_of(lambda: daughter.get(page))
    assert asked <= 60, asked
