"""Planned calls as people plan, see and settle them."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

import pytest
from django.test import Client

from anju.calls.planned import actions
from anju.calls.planned.models import CallPlan, PlannedCall
from anju.elders.models import Elder
from anju.incidents.models import Incident
from anju.kernel import clock
from anju.kernel.flow import engine
from anju.kernel.flow.actor import THE_CLOCK
from anju.kernel.scope import EVERYWHERE, seen_by
from tests.pages.conftest import SmallTown

pytestmark = pytest.mark.django_db
As = Callable[[str], Client]


def text(answer: object) -> str:
    return str(answer.content.decode())  # type: ignore[attr-defined]


def told(**more: str) -> dict[str, str]:
    first = (clock.today() + timedelta(days=1)).isoformat()
    return {
        "kind": "wake",
        "at": "05:30",
        "days": "daily",
        "first": first,
        "way": "robot",
        "tries": "2",
        "gap": "10",
        **more,
    }


@pytest.mark.req("CALL-08", "CARE-01")
def test_a_wake_up_call_is_planned_read_back_paused_and_stopped(town: SmallTown, as_user: As) -> None:
    agent, page = as_user("agent1"), f"/district/elders/{town.he_ting}/?tab=plans"
    assert '<when-field kind="time"><input class="input" type="time" name="at"' in text(agent.get(page))
    said = text(agent.post(f"/district/elders/{town.he_ting}/plan", told(), follow=True))
    assert "请向本人复述核对：叫醒电话：每天 05:30" in said
    assert "完整" in text(agent.post(f"/district/elders/{town.he_ting}/plan", told(at="5点半"), follow=True))
    assert "8:00 到 21:00" in text(agent.post(f"/district/elders/{town.he_ting}/plan", told(kind="care"), follow=True))
    with seen_by(EVERYWHERE):
        plan = CallPlan.objects.get()
    for what, word in (("pause", "已暂停"), ("resume", "已恢复"), ("end", "已停止")):
        assert word in text(agent.post(f"/district/planned/{plan.pk}/{what}", follow=True))
    with seen_by(EVERYWHERE):
        assert PlannedCall.objects.get(plan=plan).state == "called_off"
    assert agent.post(f"/district/planned/{plan.pk}/burn").status_code == 404


@pytest.mark.req("SYS-01", "CALL-08")
def test_another_street_neither_sees_nor_plans(town: SmallTown, as_user: As) -> None:
    as_user("agent1").post(f"/district/elders/{town.liu_tang}/plan", told())
    with seen_by(EVERYWHERE):
        plan, name = CallPlan.objects.get(), Elder.objects.get(pk=town.liu_tang).name
    street = as_user("street1")  # 春浦街道
    assert name not in text(street.get("/district/planned/"))
    assert street.post(f"/district/planned/{plan.pk}/end").status_code == 404
    assert name in text(as_user("agent1").get("/district/planned/"))
    assert as_user("installer1").get("/district/planned/").status_code == 403
    reader = as_user("bureau1")
    assert name in text(reader.get("/district/planned/"))
    assert reader.post(f"/district/planned/{plan.pk}/end").status_code == 403
    with seen_by(EVERYWHERE):
        assert CallPlan.objects.get().ended_at is None


@pytest.fixture
def missed(town: SmallTown) -> PlannedCall:
    """A care call that an agent owes."""
    with seen_by(EVERYWHERE):
        call = actions.ask(kind="care", ref="", elder_id=town.he_ting, at=clock.now(), way="agent")
        assert call is not None
        engine.make(call, "due", THE_CLOCK)
        call.refresh_from_db()
    assert call.state == "agent"
    return call


@pytest.mark.req("CALL-08", "CARE-02")
def test_an_agent_writes_up_a_call_that_is_hers(missed: PlannedCall, as_user: As) -> None:
    agent = as_user("agent1")
    assert "约定由坐席拨打" in text(agent.get("/desk/due"))
    assert "写小结" in text(agent.get("/desk/due", headers={"HX-Request": "true"}))
    part = {"HX-Request": "true"}
    assert "情绪" in text(agent.get(f"/desk/due/{missed.pk}", headers=part))
    words = {"dialog": "1", "how": "reached", "note": "", "mood": "good", "needs": "想理发"}
    refused = agent.post(f"/desk/due/{missed.pk}/result", words, headers=part)
    assert refused["HX-Retarget"] == "#dialog-say"
    assert "话后小结" in text(refused)
    done = agent.post(f"/desk/due/{missed.pk}/result", {**words, "note": "都好"}, headers=part)
    assert done["HX-Trigger-After-Swap"] == "anju:done"
    assert "没有等着联系的人" in text(done)
    page = text(agent.get(f"/district/elders/{missed.elder_id}/?tab=plans"))
    assert "需要：想理发" in page
    assert "愉快" in page
    assert "已经有人办了" in text(agent.get(f"/desk/due/{missed.pk}", headers=part))


@pytest.mark.req("CALL-08", "INC-10")
def test_whom_nobody_reaches_becomes_a_case_in_the_agents_hands_once(missed: PlannedCall, as_user: As) -> None:
    agent = as_user("agent1")
    with seen_by(EVERYWHERE):
        Incident.objects.filter(home=missed.home_id).update(home=None)
    for _ in range(2):
        agent.post(f"/desk/due/{missed.pk}/case", headers={"HX-Request": "true"})
    with seen_by(EVERYWHERE):
        case = Incident.objects.get(home=missed.home_id)
        assert (case.kind_label, case.priority, case.state) == ("关怀电话联系不上", 3, "verifying")
        missed.refresh_from_db()
    assert missed.state == "raised"


@pytest.mark.req("CALL-08")
def test_the_button_says_why_it_cannot_ring(missed: PlannedCall, as_user: As) -> None:
    answer = as_user("agent1").post(f"/desk/due/{missed.pk}/dial", headers={"HX-Request": "true"})
    assert answer["X-Anju-Refused"] == "1"
    with seen_by(EVERYWHERE):
        missed.refresh_from_db()
    assert missed.state == "agent"


@pytest.mark.req("CALL-08")
def test_the_days_before_can_be_looked_at_and_no_further_than_today(town: SmallTown, as_user: As) -> None:
    agent = as_user("agent1")
    today = text(agent.get("/district/planned/"))
    assert f"今天 {clock.today():%m-%d}" in today
    assert "后一天" not in today
    for asked in (f"{clock.today() - timedelta(days=1):%Y-%m-%d}", "0001-01-01"):
        assert "后一天" in text(agent.get("/district/planned/", {"on": asked}))
    assert "后一天" not in text(agent.get("/district/planned/", {"on": "2999-01-01"}))


@pytest.mark.req("CALL-08")
def test_a_demo_without_an_outside_line_says_on_the_page_what_to_do(
    town: SmallTown, as_user: As, monkeypatch: pytest.MonkeyPatch
) -> None:
    agent = as_user("agent1")
    assert "没有外线" not in text(agent.get("/district/planned/"))
    monkeypatch.setattr("anju.calls.scripts.queries.no_line", lambda: True)
    assert "注册上来，或在后台“中继”里接一条真的外线" in text(agent.get("/district/planned/"))
