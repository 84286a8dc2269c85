"""Several messages of one writer are one matter for the desk, and are kept as long as they must be (CALL-12, SYS-04)."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import timedelta

import pytest
from django.test import Client

from anju.accounts.roles import Role
from anju.incidents.models import Incident
from anju.kernel import clock
from anju.kernel.flow.actor import Actor
from anju.kernel.scope import EVERYWHERE, seen_by
from anju.supervision.contacts import keeping, queries, together
from anju.supervision.contacts.models import Contact
from anju.supervision.models import Complaint
from tests.pages.conftest import SmallTown

pytestmark = pytest.mark.django_db
As = Callable[[str], Client]
PART = {"HX-Request": "true"}
AGENT = Actor("周晓岚", frozenset({Role.AGENT}))


def text(answer: object) -> str:
    return str(answer.content.decode())  # type: ignore[attr-defined]


def cases() -> int:
    with seen_by(EVERYWHERE):
        return Incident.objects.count()


def four(writer: Client, *words: str) -> list[Contact]:
    """The messages of one conversation, the oldest first."""
    page = writer.post("/message/", {"text": words[0], "name": "沈先生", "reach": "13900001111"})["Location"]
    for one in words[1:]:
        assert writer.post(page, {"text": one}).status_code == 302
    with seen_by(EVERYWHERE):
        return list(Contact.objects.filter(thread=page.rpartition("/")[2]).order_by("pk"))


def test_messages_of_one_writer_are_one_row_and_one_answer_settles_what_was_shown(town: SmallTown, as_user: As) -> None:
    writer, agent = Client(), as_user("agent1")
    said = ("在吗", "想约助浴", "我妈腿脚不好", "下午三点行不行")
    rows = four(writer, *said)
    page = text(agent.get("/desk/due"))
    assert page.count('id="contact-') == 1
    assert all(one in page for one in (*said, "1 件未办", "共 4 条"))
    assert text(agent.get("/desk/phone/callers", headers=PART)).count('id="written-') == 1
    dialog = text(agent.get(f"/desk/due/contact/{rows[0].pk}", headers=PART))
    assert all(one in dialog for one in said)
    also = re.search(r'name="also" value="([\d,]*)"', dialog)
    assert also is not None
    last = f"/desk/due/contact/{rows[3].pk}"
    agent.post(last, {"how": "take", "also": also[1]}, headers=PART)
    writer.post(f"/message/{rows[0].thread}", {"text": "再问一句：要带毛巾吗"})
    agent.post(last, {"how": "answer", "text": "三点可以。", "also": also[1]}, headers=PART)
    with seen_by(EVERYWHERE):
        states = list(Contact.objects.order_by("pk").values_list("state", flat=True))
        answers = [c.answer for c in Contact.objects.order_by("pk")]
    assert states == ["answered"] * 4 + ["waiting"], "what came meanwhile was not read by her and waits"
    assert answers == ["", "", "", "三点可以。", ""]
    assert "要带毛巾吗" in text(agent.get("/desk/due"))


def test_a_cry_among_them_is_seen_and_all_of_them_go_into_one_case(town: SmallTown, as_user: As) -> None:
    agent, before = as_user("agent1"), cases()
    rows = four(Client(), "在吗", "我妈摔倒了", "快点")
    with seen_by(EVERYWHERE):
        (shown,) = queries.open_ones()
        stranger = four(Client(REMOTE_ADDR="10.9.8.7"), "另一个人")[0]
    assert (shown.id, shown.urgent, shown.due_at) == (rows[2].pk, "摔倒", rows[1].promised_at)
    also = ",".join(str(pk) for pk in (*shown.also, stranger.pk))
    agent.post(f"/desk/due/contact/{shown.id}", {"how": "to_case", "also": also}, headers=PART)
    with seen_by(EVERYWHERE):
        case = Incident.objects.latest("pk")
        became = set(Contact.objects.filter(thread=rows[0].thread).values_list("became", flat=True))
        stranger.refresh_from_db()
    assert (cases(), became, stranger.state) == (before + 1, {f"incident:{case.pk}"}, "waiting")
    assert "我妈摔倒了" in text(agent.get(f"/desk/incident/{case.pk}"))


def test_a_complaint_holds_the_words_of_all_of_them(town: SmallTown, as_user: As) -> None:
    rows = four(Client(), "投诉维修员", "他迟到了三个小时")
    sent = {"how": "to_complaint", "also": str(rows[0].pk)}
    as_user("agent1").post(f"/desk/due/contact/{rows[1].pk}", sent, headers=PART)
    with seen_by(EVERYWHERE):
        assert Complaint.objects.latest("pk").content == "投诉维修员\n他迟到了三个小时"
        assert set(Contact.objects.values_list("state", flat=True)) == {"turned"}


def test_who_was_never_filed_is_forgotten_when_everything_is_settled_for_36_months(town: SmallTown) -> None:
    rows = four(Client(), "第一句", "第二句")
    with seen_by(EVERYWHERE):
        together.close(by=AGENT, contact_id=rows[1].pk, reason="只是问候", also=[rows[0].pk])
        assert keeping.forget_strangers() == 0
        Contact.objects.filter(pk=rows[0].pk).update(done_at=clock.now() - keeping.KEPT - timedelta(days=1))
        assert keeping.forget_strangers() == 0, "the conversation is younger than its first message"
        Contact.objects.update(done_at=clock.now() - keeping.KEPT - timedelta(days=1))
        Contact.objects.filter(pk=rows[0].pk).update(elder_id=town.he_ting)
        assert keeping.forget_strangers() == 1, "hers stay with her file"
        left = Contact.objects.get(pk=rows[1].pk)
        assert (left.text, left.name, left.reach, left.origin, left.state) == ("", "", "", "", "closed")
        assert Contact.objects.get(pk=rows[0].pk).text == "第一句"
        assert keeping.forget_strangers() == 0, "once"
