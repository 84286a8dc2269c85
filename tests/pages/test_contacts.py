"""Who writes instead of ringing: on the web, by WeChat, by letter; how it reaches an agent and what comes back (CALL-12)."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable

import pytest
from django.db import connection
from django.test import Client

from anju.incidents.models import Incident
from anju.kernel import clock
from anju.kernel.changes import CHANNEL
from anju.kernel.scope import EVERYWHERE, seen_by
from anju.supervision.contacts import queries
from anju.supervision.contacts.models import Contact
from anju.supervision.contacts.tests.test_rules import CAPTURED
from anju.supervision.models import Complaint
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
