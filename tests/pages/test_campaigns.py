"""Campaigns as people make, fill, steer and read them."""

from __future__ import annotations

import io
import re
from collections.abc import Callable, Sequence
from datetime import timedelta
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from openpyxl import Workbook, load_workbook

from anju.calls.campaigns import actions
from anju.calls.campaigns.models import Campaign, CampaignPerson
from anju.elders.models import Elder
from anju.kernel import clock
from anju.kernel.models import AuditLine
from anju.kernel.scope import EVERYWHERE, seen_by
from tests.pages.conftest import SmallTown

pytestmark = pytest.mark.django_db
As = Callable[[str], Client]
STREET = "330199001000"


def text(answer: Any) -> str:
    return str(answer.content.decode())


def told(**more: str) -> dict[str, str]:
    first, until = clock.today(), clock.today() + timedelta(days=3)
    return {
        "name": "秋季义诊", "purpose": "街道体检", "way": "robot", "says": "明天体检，您参加吗", "labels": "1 参加\n3 不参加", "place": STREET,
        "first": first.isoformat(), "until": until.isoformat(), "from_at": "09:00", "until_at": "17:00", **more,
    }  # fmt: skip


def made(client: Client, **more: str) -> Campaign:
    assert "还没有开始" in text(client.post("/district/campaigns/new", told(**more), follow=True))
    with seen_by(EVERYWHERE):
        return Campaign.objects.latest("id")


def book(rows: Sequence[Sequence[object]]) -> SimpleUploadedFile:
    it, out = Workbook(), io.BytesIO()
    for row in rows:
        it.worksheets[0].append(list(row))
    it.save(out)
    return SimpleUploadedFile("名单.xlsx", out.getvalue())


@pytest.mark.req("CALL-08", "SYS-01")
def test_a_street_makes_fills_and_starts_its_own_campaign_and_no_other_street_sees_it(
    town: SmallTown, as_user: As
) -> None:
    street = as_user("street1")
    assert "秋季义诊" not in text(street.get("/district/campaigns/"))
    assert "先填开始、后填结束" in text(street.post("/district/campaigns/new", told(until_at="22:00"), follow=True))
    assert "看不懂" in text(street.post("/district/campaigns/new", told(labels="2 好"), follow=True))
    assert "属于哪里" in text(street.post("/district/campaigns/new", told(place="330199002000"), follow=True))
    row = made(street)
    here = f"/district/campaigns/{row.pk}/"
    assert "没有能拨的人" in text(street.post(f"{here}start", follow=True))
    assert "加了" in text(street.post(f"{here}elders", {"age": "60"}, follow=True))
    with seen_by(EVERYWHERE):
        places = set(CampaignPerson.objects.filter(campaign=row).values_list("place", flat=True))
    assert {code[:9] for code in places} == {STREET[:9]}
    page = text(street.get(here))
    assert "data-cards" in page
    assert "参加请按一，不参加请按三" in page
    assert "campaign-live" not in page, "a draft is not looked at again and again"
    running = text(street.post(f"{here}start", follow=True))
    assert "已开始" in running
    assert re.search(r'id="campaign-live" hx-get="[^"]+" hx-trigger="refresh, every 10s"', running)
    again = street.get(here, headers={"HX-Request": "true"})
    assert "HX-Refresh" not in again
    for part in ("state", "progress", "answers", "people"):
        assert f'id="campaign-{part}"' in text(again)
    assert "已暂停" in text(street.post(f"{here}pause", follow=True))
    assert street.get(here, headers={"HX-Request": "true"})["HX-Refresh"] == "true", "it stands: other buttons now"
    assert street.post(f"{here}burn").status_code == 404
    other = as_user("street2")
    assert other.get(here).status_code == 404
    assert other.post(f"{here}stop").status_code == 404
    agent = as_user("agent1")
    assert agent.get(here).status_code == 200
    assert agent.post(f"{here}stop").status_code == 403
    assert as_user("installer1").get("/district/campaigns/").status_code == 403


@pytest.mark.req("CALL-08", "SYS-03")
def test_a_sheet_is_shown_row_by_row_and_taken_only_when_it_is_confirmed(town: SmallTown, as_user: As) -> None:
    lead = as_user("lead1")
    row = made(lead, place=STREET)
    here = f"/district/campaigns/{row.pk}/"
    with seen_by(EVERYWHERE):
        hers = Elder.objects.get(pk=town.he_ting).phone
    sheet = book([("姓名", "电话"), ("何", hers), ("@SUM(1)", 14400000177), ("丙", "138001"), ("丁", "14400000177")])
    shown = text(lead.post(f"{here}upload", {"sheet": sheet}))
    for words in ("少 5 位", "和第 3 行是同一个号码", "服务对象", "确认加入 2 行"):
        assert words in shown
    with seen_by(EVERYWHERE):
        assert not CampaignPerson.objects.filter(campaign=row).exists()
    rows = re.search(r'name="rows" value="([^"]+)"', shown)
    assert rows is not None
    faults = load_workbook(io.BytesIO(lead.post(f"{here}faults.xlsx", {"rows": rows[1]}).content)).worksheets[0]
    assert [line[2] for line in faults.iter_rows(min_row=2, values_only=True)] == [4, 5]
    assert "重新上传" in text(lead.post(f"{here}confirm", {"rows": rows[1] + "x"}, follow=True))
    assert "重新上传" in text(as_user("bureau1").post(f"{here}confirm", {"rows": rows[1]}, follow=True))
    assert "加了 2 人" in text(lead.post(f"{here}confirm", {"rows": rows[1]}, follow=True))
    assert "为什么导出" in text(lead.post(f"{here}export.xlsx", {"reason": " "}, follow=True))
    out = lead.post(f"{here}export.xlsx", {"reason": "给街道看结果"})
    lines = list(load_workbook(io.BytesIO(out.content)).worksheets[0].iter_rows(min_row=2, values_only=True))
    assert "'@SUM(1)" in [line[0] for line in lines]
    assert "14400000177" not in str(lines)
    with seen_by(EVERYWHERE):
        assert [line.reason for line in AuditLine.objects.filter(action="campaign.exported")] == ["给街道看结果"]
    for body, words in ((b"no book", "打不开"), (b"x" * 1_000_001, "1 MB")):
        bad = {"sheet": SimpleUploadedFile("a.xlsx", body)}
        assert words in text(lead.post(f"{here}upload", bad, follow=True))
    assert "姓名" in str(
        load_workbook(io.BytesIO(lead.get("/district/campaigns/template.xlsx").content)).worksheets[0]["A1"].value
    )


@pytest.mark.req("CALL-08")
def test_an_agent_takes_the_next_person_with_one_click_and_writes_her_up(town: SmallTown, as_user: As) -> None:
    lead, agent, part = as_user("lead1"), as_user("agent1"), {"HX-Request": "true"}
    with clock.pretend(clock.local(clock.now()).replace(hour=10, minute=0)):
        row = made(lead, way="agent", labels="1 参加")
        sheet = book([("姓名", "电话"), ("丙", "14400000177")])
        shown = text(lead.post(f"/district/campaigns/{row.pk}/upload", {"sheet": sheet}))
        rows = re.search(r'name="rows" value="([^"]+)"', shown)
        assert rows is not None
        lead.post(f"/district/campaigns/{row.pk}/confirm", {"rows": rows[1]})
        lead.post(f"/district/campaigns/{row.pk}/start")
        assert "下一位" in text(agent.get("/desk/due"))
        taken = text(agent.post(f"/desk/due/campaign/{row.pk}", headers=part))
        assert "明天体检，您参加吗" in taken
        with seen_by(EVERYWHERE):
            person = CampaignPerson.objects.get(campaign=row)
        assert person.planned_id is not None
        assert f'id="due-{person.planned_id}"' in taken
        assert f"/desk/due/{person.planned_id}/case" not in taken, "who has no home has no case of the home"
        dialog = text(agent.get(f"/desk/due/{person.planned_id}", headers=part))
        assert "以后不想接这类电话" in dialog
        words = {"dialog": "1", "how": "reached", "answer": "1", "note": "", "mood": "", "needs": ""}
        agent.post(f"/desk/due/{person.planned_id}/result", words, headers=part)
        with seen_by(EVERYWHERE):
            person.refresh_from_db()
            assert (person.state, person.key) == ("done", "1")
            actions.feed(row.pk)
            assert Campaign.objects.get(pk=row.pk).state == "done"
        page = text(lead.get(f"/district/campaigns/{row.pk}/"))
        assert "144****0177" in page
