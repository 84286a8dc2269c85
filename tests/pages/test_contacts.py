"""Who writes instead of ringing: on the web, by WeChat, by letter; how it reaches an agent and what comes back (CALL-12)."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable
from datetime import timedelta
from urllib.parse import urlencode

import pytest
from django.db import connection
from django.http import HttpResponse
from django.test import Client

from anju.accounts.models import User
from anju.accounts.roles import Role
from anju.calls import actions as calls
from anju.calls.models import Call, SeatState, Switchboard
from anju.devices.models import RECEIVING_DISTRICT
from anju.elders import queries as elders
from anju.incidents.models import Incident
from anju.kernel import clock
from anju.kernel.changes import CHANNEL
from anju.kernel.flow.actor import Actor, NotAllowed
from anju.kernel.flow.engine import fire
from anju.kernel.models import Due
from anju.kernel.scope import EVERYWHERE, Scope, seen_by
from anju.supervision.contacts import actions, queries, rules, sealed
from anju.supervision.contacts.models import Contact, WechatAccount
from anju.supervision.contacts.tests.test_rules import CAPTURED
from anju.supervision.contacts.tests.test_sealed import HER, MINE
from anju.supervision.models import Complaint
from anju.town.demo import calls as demo_calls
from anju.town.demo import contacts as demo_contacts
from tests.pages.conftest import SmallTown

pytestmark = [pytest.mark.django_db, pytest.mark.req("CALL-12")]
As = Callable[[str], Client]
PART = {"HX-Request": "true"}


def text(answer: object) -> str:
    return str(answer.content.decode())  # type: ignore[attr-defined]


def newest() -> Contact:
    with seen_by(EVERYWHERE):
        return Contact.objects.latest("pk")


def test_a_message_is_written_without_a_log_in_seen_at_the_desk_and_its_answer_is_read_under_the_link(
    town: SmallTown, as_user: As
) -> None:
    writer, agent = Client(), as_user("agent1")
    assert "马上打电话" in text(writer.get("/message/"))
    told: list[str] = []

    def hear(execute: object, sql: str, params: object, many: object, context: object) -> object:
        if "pg_notify" in sql:
            told.append(str(params))
        return execute(sql, params, many, context)  # type: ignore[operator]

    with connection.execute_wrapper(hear):
        sent = writer.post("/message/", {"text": "想问助浴怎么约", "name": "沈先生", "reach": "13900001111"})
    assert any(CHANNEL in one and "contact" in one for one in told), (
        "open desks are told in the transaction that stored it"
    )
    page = sent["Location"]
    assert re.fullmatch(r"/message/[\w-]{32}", page)
    row = newest()
    assert (row.state, row.channel, round((row.due_at - row.at).total_seconds())) == ("waiting", "web", 600)
    assert "想问助浴怎么约" in text(agent.get("/desk/due"))
    assert "想问助浴怎么约" in text(agent.get("/desk/phone/callers", headers=PART))
    agent.post(f"/desk/due/contact/{row.pk}", {"how": "take"}, headers=PART)
    assert "坐席正在办理" in text(writer.get(page))
    refused = agent.post(f"/desk/due/contact/{row.pk}", {"how": "answer", "text": " ", "dialog": "1"}, headers=PART)
    assert refused["HX-Retarget"] == "#dialog-say"
    agent.post(f"/desk/due/contact/{row.pk}", {"how": "answer", "text": "每周二、四，提前一天打电话。"}, headers=PART)
    assert "每周二、四" in text(writer.get(page, headers=PART))
    assert "周晓岚" not in text(writer.get(page)), "who answered is nobody's business outside"
    again = writer.post(page, {"text": "谢谢"})
    assert again["Location"] == page
    assert newest().name == "沈先生"
    assert "每周二、四" in text(agent.get(f"/desk/due/contact/{newest().pk}", headers=PART))
    assert writer.get("/message/" + "x" * 32).status_code == 404
    assert "近 30 天" in text(as_user("bureau1").get("/district/contacts/?channel=web"))
    assert writer.get("/desk/due").status_code == 302


def test_a_word_of_distress_rings_like_an_sos_and_becomes_a_case_with_one_key(town: SmallTown, as_user: As) -> None:
    agent = as_user("agent1")
    quiet = text(agent.get("/desk/queue", headers=PART))
    Client().post("/message/", {"text": "我妈在卫生间摔倒了", "reach": "13900002222", "website": "http://spam"})
    row = newest()
    assert (row.urgent, row.suspect, round((row.due_at - row.at).total_seconds())) == ("摔倒", True, 60)
    assert 'data-ringing="9"' in text(agent.get("/desk/queue", headers=PART))
    assert 'data-ringing="9"' not in quiet
    before = _cases()
    for _ in range(2):
        agent.post(f"/desk/due/contact/{row.pk}", {"how": "to_case"}, headers=PART)
    with seen_by(EVERYWHERE):
        case = Incident.objects.latest("pk")
        assert Incident.objects.count() == before + 1
        assert (case.kind_label, case.priority, newest().became) == ("网上留言求助", 9, f"incident:{case.pk}")
    assert 'data-ringing="9"' not in text(agent.get("/desk/queue", headers=PART))


def _cases() -> int:
    with seen_by(EVERYWHERE):
        return Incident.objects.count()


def test_one_address_may_not_flood_the_desk_but_distress_passes(town: SmallTown) -> None:
    writer = Client()
    codes = [writer.post("/message/", {"text": f"第 {n} 次"}).status_code for n in range(6)]
    assert codes == [302] * 5 + [429]
    assert writer.post("/message/", {"text": "救命"}).status_code == 302
    assert Client(REMOTE_ADDR="10.9.8.7").post("/message/", {"text": "另一家"}).status_code == 302
    assert writer.post("/message/", {"text": "长" * 30_000}).status_code == 413
    assert writer.post("/message/", {"text": " "}).status_code in {400, 429}
    with seen_by(EVERYWHERE):
        assert Contact.objects.count() == 7


def test_what_a_machine_seems_to_have_sent_is_kept_and_shown_last(town: SmallTown, as_user: As) -> None:
    Client().post("/message/", {"text": "买药便宜", "website": "x"})
    Client().post("/message/", {"text": "想问饭卡"})
    with seen_by(EVERYWHERE):
        assert [c.text for c in queries.open_ones()] == ["想问饭卡", "买药便宜"]
    agent = as_user("agent1")
    assert "买药便宜" not in text(agent.get("/desk/phone/callers", headers=PART))
    assert "像是机器发的" in text(agent.get("/desk/due"))


def test_a_letter_is_written_down_and_becomes_a_complaint(town: SmallTown, as_user: As) -> None:
    agent = as_user("agent1")
    words = {
        "channel": "letter",
        "text": "表扬小孙师傅",
        "name": "",
        "reach": "",
        "elder": str(town.he_ting),
        "dialog": "1",
        "once": "a",
    }
    for _ in range(2):
        agent.post("/desk/due/contact/new", words, headers=PART)
    row = newest()
    assert (row.elder_id, row.taken_by, round((row.due_at - row.at).total_seconds())) == (town.he_ting, "周晓岚", 86400)
    with seen_by(EVERYWHERE):
        assert Contact.objects.count() == 1
    agent.post(f"/desk/due/contact/{row.pk}", {"how": "to_complaint", "about": "repair"}, headers=PART)
    with seen_by(EVERYWHERE):
        made = Complaint.objects.latest("pk")
    assert (made.source, made.about, made.elder_id, newest().state) == ("letter", "repair", town.he_ting, "turned")
    assert agent.post(f"/desk/due/contact/{row.pk}", {"how": "burn"}, headers=PART).status_code == 404


def test_what_was_pressed_keeps_the_deadline_that_was_promised(town: SmallTown) -> None:
    with seen_by(EVERYWHERE), clock.pretend(clock.now()):
        start = clock.now()
        by = Actor("周晓岚", frozenset({Role.AGENT}), user_id=User.objects.get(username="agent1").pk)
        letter = actions.register(by=by, channel="letter", text="一封来信")
        taken = actions.register(by=by, channel="visit", text="有人来访")
        actions.take(by=by, contact_id=taken.pk)
        day, later = start + timedelta(days=1), start + timedelta(hours=25)
        with clock.pretend(later):
            for row in (letter, taken):
                assert fire(Due.objects.get(flow="contact", subject_id=row.pk))
                row.refresh_from_db()
                assert row.due_at > later, "the clock presses again"
            rows = queries.open_ones()
        assert {(r.id, r.due_at, r.late) for r in rows} == {(letter.pk, day, True), (taken.pk, day, True)}
        actions.answer(by=by, contact_id=taken.pk, text="已答复")
        assert queries.one(taken.pk).due_at is None


def signed(**more: str) -> dict[str, str]:
    at = str(int(clock.now().timestamp()))
    signature = hashlib.sha1("".join(sorted(["tok", at, "n1"])).encode()).hexdigest()  # noqa: S324  WeChat's own
    return {"timestamp": at, "nonce": "n1", "signature": signature, **more}


def test_wechat_is_shut_without_a_token_and_a_frame_that_is_repeated_is_one_message(
    town: SmallTown, as_user: As, settings: object
) -> None:
    door = Client()
    assert door.get("/wechat/", signed(echostr="abc")).status_code == 404
    assert "微信公众号没有接入" in text(as_user("lead1").get("/district/operations/"))
    settings.ANJU_WECHAT_TOKEN = "tok"  # type: ignore[attr-defined]
    assert "微信公众号没有接入" not in text(as_user("lead1").get("/district/operations/"))
    assert text(door.get("/wechat/", signed(echostr="abc"))) == "abc"
    assert door.get("/wechat/", signed(signature="0" * 40)).status_code == 403
    where = "/wechat/?" + "&".join(f"{k}={v}" for k, v in signed().items())
    answers = [text(door.post(where, CAPTURED, content_type="text/xml")) for _ in range(3)]
    row = newest()
    assert (row.channel, row.urgent, row.text) == ("wechat", "摔倒", "妈妈摔倒了 <急>")
    with seen_by(EVERYWHERE):
        assert Contact.objects.count() == 1
    link = re.search(r"http://testserver(/message/\w+)", answers[0])
    assert link is not None
    assert "妈妈摔倒了 &lt;急&gt;" in text(door.get(link[1]))
    assert door.post(where, "{}", content_type="text/xml").status_code == 400


# ---- 安全模式 ---------------------------------------------------------------------------------------------------------


@pytest.fixture
def account(town: SmallTown) -> WechatAccount:
    return WechatAccount.objects.create(
        name="望潮守护", app_id=MINE["app_id"], token=MINE["token"], aes_key=MINE["key"]
    )


def post_sealed(text_: str, *, key: str = MINE["key"], app_id: str = MINE["app_id"], **more: str) -> HttpResponse:
    """As WeChat posts in 安全模式."""
    part = sealed.shut(text_, sealed.key_of(key), app_id, b"0123456789abcdef")
    at = str(int(clock.now().timestamp()))
    asked = {"timestamp": at, "nonce": "n1", "encrypt_type": "aes", "signature": rules.signature_of(MINE["token"], at, "n1"),
             "msg_signature": rules.signature_of(MINE["token"], at, "n1", part), **more}  # fmt: skip
    body = f"<xml><ToUserName><![CDATA[gh_1]]></ToUserName><Encrypt><![CDATA[{part}]]></Encrypt></xml>"
    return Client().post("/wechat/?" + urlencode(asked), body, content_type="text/xml")  # type: ignore[return-value]


def test_an_encrypted_message_is_read_and_answered_encrypted(account: WechatAccount, as_user: As) -> None:
    answer = text(post_sealed(CAPTURED))
    row = newest()
    assert (row.channel, row.text, row.outer_id) == ("wechat", "妈妈摔倒了 <急>", "5832509444155992350")
    part = rules.sealed_part(answer)
    at, nonce = (re.search(rf"<{n}>(?:<!.CDATA.)?(\w+)", answer)[1] for n in ("TimeStamp", "Nonce"))  # type: ignore[index]
    assert rules.signature_of(MINE["token"], at, nonce, part) in answer
    assert "您的留言已收到" in sealed.opened(part, sealed.key_of(MINE["key"]), MINE["app_id"])
    page = text(as_user("lead1").get("/district/operations/"))
    assert "安全模式（收发加密）" in page
    assert "最近来信" in page


def test_with_a_key_nothing_plain_and_nothing_badly_signed_is_taken(account: WechatAccount) -> None:
    at = str(int(clock.now().timestamp()))
    plain = {"timestamp": at, "nonce": "n1", "signature": rules.signature_of(MINE["token"], at, "n1")}
    assert Client().post("/wechat/?" + urlencode(plain), CAPTURED, content_type="text/xml").status_code == 403
    assert post_sealed(CAPTURED, msg_signature=plain["signature"]).status_code == 403
    assert text(Client().get("/wechat/", {**plain, "echostr": "437512"})) == "437512"
    with seen_by(EVERYWHERE):
        assert not Contact.objects.exists()


def test_a_message_that_cannot_be_read_is_refused_and_the_leads_hear_of_it_until_one_can(
    account: WechatAccount, as_user: As
) -> None:
    lead = as_user("lead1")
    assert post_sealed(CAPTURED, key="b" * 43).status_code == 400
    assert post_sealed(CAPTURED, app_id=HER["app_id"]).status_code == 400
    assert "解不开" in text(lead.get("/district/operations/"))
    assert post_sealed(CAPTURED).status_code == 200
    assert "解不开" not in text(lead.get("/district/operations/"))


def test_a_new_key_is_typed_in_the_back_office_never_shown_and_the_last_one_still_opens(
    account: WechatAccount, as_user: As
) -> None:
    admin, where = as_user("sysadmin1"), f"/console/contacts/wechataccount/{account.pk}/change/"
    form = {"name": "望潮守护", "app_id": MINE["app_id"], "new_token": "", "new_key": "x", "active": "on"}
    assert "43 位" in text(admin.post(where, form))
    assert admin.post(where, {**form, "new_key": "b" * 43}).status_code == 302
    shown = text(admin.get(where))
    assert "b" * 43 not in shown
    assert MINE["token"] not in shown
    with connection.cursor() as cursor:
        cursor.execute("SELECT token, aes_key, earlier_key FROM contacts_wechataccount")
        stored = cursor.fetchone()
    assert not {MINE["token"], MINE["key"], "b" * 43} & set(stored), "sealed at rest"
    assert post_sealed(CAPTURED).status_code == 200
    assert post_sealed(CAPTURED, key="b" * 43).status_code == 200
    assert as_user("agent1").get(where).status_code in {302, 403}


# ---- whose it is, and ringing back -----------------------------------------------------------------------------------


AGENT = Actor("周晓岚", frozenset({Role.AGENT}))


def numbered(text_: str, reach: str = "") -> Contact:
    return actions.receive(channel="web", text=text_, reach=reach)


def test_a_number_that_a_message_names_is_offered_and_one_click_files_it(town: SmallTown, as_user: As) -> None:
    agent = as_user("agent1")
    with seen_by(EVERYWHERE):
        her = elders.elder(town.he_ting)
    assert her is not None
    row = numbered(f"我是她女儿，老人的电话 {her.phone[:3]} {her.phone[3:7]}-{her.phone[7:]}")
    dialog = text(agent.get(f"/desk/due/contact/{row.pk}", headers=PART))
    assert f'id="guess-{her.pk}"' in dialog
    assert "本人的号码" in dialog
    row.refresh_from_db()
    assert row.elder_id is None, "never filed by itself"
    part = text(agent.post(f"/desk/due/contact/{row.pk}/whose", {"elder": str(her.pk)}, headers=PART))
    assert her.name in part
    row.refresh_from_db()
    assert (row.elder_id, row.home_id, row.place) == (her.pk, her.home_id, her.home.place)
    later = actions.receive(channel="web", text="还有一件事", thread=row.thread)
    assert later.elder_id == her.pk
    agent.post(f"/desk/due/contact/{row.pk}/whose", {"elder": ""}, headers=PART)
    for one in (row, later):
        one.refresh_from_db()
        assert (one.elder_id, one.place) == (None, RECEIVING_DISTRICT)


def test_nobody_outside_the_scope_is_offered_or_taken(town: SmallTown) -> None:
    with seen_by(EVERYWHERE):
        her, far = elders.elder(town.he_ting), elders.elder(town.liu_tang)
        assert her is not None
        assert far is not None
        row = numbered(her.phone)
        assert [g.elder_id for g in queries.guesses(row.pk, {Role.AGENT})] == [her.pk]
        Contact.objects.filter(pk=row.pk).update(place=far.home.place)
    with seen_by(Scope(places=(far.home.place[:9],))):
        assert queries.guesses(row.pk, {Role.AGENT}) == []
        with pytest.raises(NotAllowed, match="管辖范围"):
            actions.file_to(by=AGENT, contact_id=row.pk, elder_id=her.pk)
    with seen_by(EVERYWHERE), pytest.raises(NotAllowed, match="坐席"):
        actions.file_to(by=Actor("街道", frozenset({Role.STREET})), contact_id=row.pk, elder_id=her.pk)


def test_a_contacts_number_offers_her_and_says_whose_it_is(town: SmallTown) -> None:
    with seen_by(EVERYWHERE):
        guardian = next(c for c in elders.contacts_of(town.he_ting) if c.kind == "guardian")
        offered = queries.guesses(numbered("请回电", reach=guardian.phone).pk, {Role.AGENT})
    assert [(g.elder_id, g.why) for g in offered] == [(town.he_ting, f"{guardian.relation}的号码")]
    assert guardian.phone not in offered[0].number


def test_ringing_back_takes_the_message_and_what_came_of_the_call_stands_on_it(town: SmallTown, as_user: As) -> None:
    agent, row = as_user("agent1"), numbered("请回电 14400000777")
    refused = agent.post(f"/desk/due/contact/{row.pk}/dial", {"nth": "0"}, headers=PART)
    assert refused["HX-Retarget"] == "#contact-say"
    row.refresh_from_db()
    assert (row.state, row.rung_times) == ("waiting", 0), "a refused call takes nothing"
    with seen_by(EVERYWHERE):
        user = User.objects.get(username="agent1")
        Switchboard.objects.update_or_create(pk=1, defaults={"beat_at": clock.now()})
        SeatState.objects.create(
            user=user, extension=user.seat_number, state="ready", since=clock.now(), registered=True
        )
    assert "X-Anju-Refused" not in agent.post(f"/desk/due/contact/{row.pk}/dial", {"nth": "0"}, headers=PART)
    row.refresh_from_db()
    assert row.state == "handling"
    with seen_by(EVERYWHERE):
        call = Call.objects.get(ref=f"contact:{row.pk}")
        assert (call.number, call.by_user) == ("14400000777", user.pk)
        assert row.rung_times == 0, "it rings still"
        assert all(calls.heard(call_id=str(call.call_id), event=event) for event in ("ringing", "no_answer"))
    row.refresh_from_db()
    assert (row.rung, row.rung_times) == ("无人接听", 1)
    actions.call_ended(ref=call.ref)
    row.refresh_from_db()
    assert row.rung_times == 1, "told twice, it is one call"
    part = text(agent.get(f"/desk/due/contact/{row.pk}/whose", headers=PART))
    assert "无人接听" in part
    assert "无人接听" in text(agent.get("/desk/due"))


def test_the_demo_shows_messages_in_every_state_and_one_is_late(town: SmallTown, as_user: As) -> None:
    with seen_by(EVERYWHERE):
        assert demo_contacts.make(demo_calls.callers(), clock.now()) == 8
        states = list(Contact.objects.order_by("id").values_list("state", flat=True))
        late = [c.name for c in Contact.objects.all() if c.late]
    assert set(states) == {"waiting", "handling", "answered", "turned", "closed"}
    assert late == ["赵家女儿"]
    assert 'data-ringing="9"' not in text(as_user("agent1").get("/desk/queue", headers=PART)), (
        "nobody's desk rings for the demo"
    )
    assert "已逾时" in text(as_user("agent1").get("/desk/due"))
