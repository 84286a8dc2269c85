"""A picture, a voice, a place in a WeChat message: what the agent sees, who may look, and that it goes with her data (CALL-12)."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from urllib.parse import urlencode

import pytest
from django.db import connection
from django.test import Client

from anju.incidents.models import Entry, Incident
from anju.kernel import clock
from anju.kernel.models import AuditLine
from anju.kernel.scope import EVERYWHERE, Scope, seen_by
from anju.supervision.contacts import actions, enclosures, jobs, keeping, rules
from anju.supervision.contacts.models import Contact, Enclosure, WechatAccount
from anju.supervision.contacts.tests.fake_wechat import AMR, JPEG, SECRET, FakeWechat
from anju.supervision.contacts.tests.test_frames import APP, sent
from tests.pages.conftest import SmallTown

pytestmark = [pytest.mark.django_db, pytest.mark.req("CALL-12")]
As = Callable[[str], Client]
PART = {"HX-Request": "true"}


@pytest.fixture
def account(town: SmallTown) -> WechatAccount:
    return WechatAccount.objects.create(name="望潮守护", app_id=APP, token="tok", app_secret=SECRET)


@pytest.fixture
def there(account: WechatAccount, monkeypatch: pytest.MonkeyPatch) -> FakeWechat:
    made = FakeWechat(APP)
    monkeypatch.setattr(enclosures, "TRANSPORT", made)
    return made


def posts(kind: str, **fields: str) -> Contact:
    """Somebody sends it; the newest message."""
    at = str(int(clock.now().timestamp()))
    asked = {"timestamp": at, "nonce": "n1", "signature": rules.signature_of("tok", at, "n1")}
    answer = Client().post("/wechat/?" + urlencode(asked), sent(kind, **fields), content_type="text/xml")
    assert answer.status_code == 200
    with seen_by(EVERYWHERE):
        return Contact.objects.latest("pk")


def page(client: Client, path: str) -> str:
    return client.get(path, headers=PART).content.decode()


def test_a_picture_is_announced_at_once_fetched_sealed_and_shown_for_a_reason(there: FakeWechat, as_user: As) -> None:
    agent, there.files = as_user("agent1"), {"m1": JPEG}
    row = posts("image", MediaId="m1", PicUrl="http://elsewhere.example/p")
    dialog = page(agent, f"/desk/due/contact/{row.pk}")
    assert ("（图片）" in dialog, "正在取" in dialog, "查看</button>" in dialog) == (True, True, False)
    for _ in range(2):
        jobs.fetch_left()
    assert there.asked.count("/cgi-bin/media/get") == 1, "what is here is not asked for again"
    dialog = page(agent, f"/desk/due/contact/{row.pk}")
    assert "查看</button>" in dialog
    with seen_by(EVERYWHERE):
        one = Enclosure.objects.get()
    with connection.cursor() as cursor:
        cursor.execute("SELECT content, media_id FROM contacts_enclosure")
        stored = cursor.fetchone()
    assert JPEG[:12] not in bytes(stored[0]), "sealed at rest"
    where = f"/desk/due/enclosure/{one.pk}"
    assert agent.get(where).status_code == 405
    assert agent.post(where, {"reason": " "}).status_code == 404
    shown = agent.post(where, {"reason": "办理"})
    assert (shown.content, shown["Content-Type"], shown["X-Content-Type-Options"]) == (JPEG, "image/jpeg", "nosniff")
    assert "sandbox" in shown["Content-Security-Policy"]
    line = AuditLine.objects.filter(action="contact.enclosure").get()  # before anybody else looks
    assert (line.subject_id, line.reason) == (str(row.pk), "办理")
    agent.post(f"/desk/due/contact/{row.pk}", {"how": "close", "text": "已看"}, headers=PART)
    judge, later = as_user("quality1"), f"/district/contacts/enclosures/{one.pk}"
    assert later in page(judge, "/district/contacts/"), "what is settled can still be looked at"
    assert judge.post(later, {"reason": ""}).status_code == 404
    assert judge.post(later, {"reason": "复核"}).content == JPEG
    with seen_by(Scope(places=("110101",))):
        assert enclosures.of([row.pk]) == []
    assert as_user("street1").post(where, {"reason": "看看"}).status_code in {302, 403, 404}


def test_what_cannot_be_had_leaves_the_letter_and_says_why(there: FakeWechat, as_user: As) -> None:
    agent, there.files = as_user("agent1"), {"html": b"<html>", "v1": AMR}
    WechatAccount.objects.update(app_secret="")
    row = posts("voice", MediaId="v1", Format="amr")
    jobs.fetch_left()
    assert "没有填 AppSecret" in page(agent, f"/desk/due/contact/{row.pk}")
    WechatAccount.objects.update(app_secret=WechatAccount(app_secret=SECRET).app_secret)
    there.down = True
    jobs.fetch_left()
    assert "连不上微信" in page(agent, f"/desk/due/contact/{row.pk}")
    there.down = False
    jobs.fetch_left()
    assert "下载来听" in page(agent, f"/desk/due/contact/{row.pk}"), "it is asked for until it is here"
    with seen_by(EVERYWHERE):
        voice = Enclosure.objects.get()
    heard = agent.post(f"/desk/due/enclosure/{voice.pk}", {"reason": "办理"})
    assert heard["Content-Disposition"].startswith("attachment")
    wrong, gone = posts("image", MediaId="html", PicUrl="x"), posts("image", MediaId="nothing", PicUrl="xx")
    jobs.fetch_left()
    text = page(agent, f"/desk/due/contact/{gone.pk}")
    assert ("既不是图片也不是语音" in text, "三天保留期" in text) == (True, True)
    wrong.refresh_from_db()
    assert (wrong.state, wrong.text) == ("waiting", "（图片）")
    late = posts("image", MediaId="late", PicUrl="xxx")
    asked = len(there.asked)
    with clock.pretend(clock.now() + enclosures.KEPT + timedelta(minutes=1)):
        jobs.fetch_left()
    assert len(there.asked) == asked
    with seen_by(EVERYWHERE):
        assert Enclosure.objects.get(contact=late).problem == enclosures.TOO_LATE


def test_a_place_after_a_cry_rings_as_the_cry_and_stands_in_the_case(account: WechatAccount, as_user: As) -> None:
    agent = as_user("agent1")
    where = {"Location_X": "30.25", "Location_Y": "120.16", "Label": "春浦路 8 号急救站"}
    alone = posts("location", **where)
    assert alone.urgent == "", "the name of a place is no cry of hers"
    cry = posts("text", Content="我摔倒了")
    place = posts("location", **where, Scale="1")
    assert (place.urgent, round((place.due_at - place.at).total_seconds())) == (cry.urgent, 60)
    assert "北纬 30.250000，东经 120.160000" in page(agent, f"/desk/due/contact/{cry.pk}")
    agent.post(f"/desk/due/contact/{cry.pk}", {"how": "to_case"}, headers=PART)
    with seen_by(EVERYWHERE):
        case = Incident.objects.latest("pk")
        assert "春浦路 8 号" in " ".join(Entry.objects.filter(incident=case).values_list("text", flat=True))
        before = Entry.objects.filter(incident=case).count()
        later = posts("location", **(where | {"Label": "三楼"}), Scale="12")
        assert "三楼" in Entry.objects.filter(incident=case).latest("pk").text
        assert Entry.objects.filter(incident=case).count() == before + 1
        agent.post(f"/desk/due/contact/{place.pk}", {"how": "to_case"}, headers=PART)
        place.refresh_from_db()
        assert (place.became, Incident.objects.latest("pk").pk) == (f"incident:{case.pk}", case.pk), (
            "one fall, one case"
        )
    assert later.urgent == cry.urgent
    with clock.pretend(clock.now() + actions.A_CRY + timedelta(minutes=1)):
        assert posts("image", MediaId="m", PicUrl="y").urgent == ""


def test_it_is_one_file_however_often_wechat_tells_it_and_it_goes_with_her_data(
    there: FakeWechat, town: SmallTown
) -> None:
    there.files = {"m1": JPEG}
    first, second = (posts("image", MediaId="m1", PicUrl="z") for _ in range(2))
    assert first.pk == second.pk
    with seen_by(EVERYWHERE):
        assert Enclosure.objects.count() == 1
        jobs.fetch_left()
        Contact.objects.filter(pk=first.pk).update(elder_id=town.he_ting)
        keeping.forget(elder_id=town.he_ting, home_id=0, home_empty=False)
        one = Enclosure.objects.get()
        assert (one.state, bytes(one.content), one.media_id) == ("gone", b"", "")
        assert len(one.sha256) == 64
        enclosures.fetch(enclosure_id=one.pk)
        assert Enclosure.objects.get().state == "gone", "what was forgotten does not come back"
