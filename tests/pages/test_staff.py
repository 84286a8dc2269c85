"""Roster, hand-over and experts as people use them."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

import pytest
from django.test import Client

from anju.accounts.models import User
from anju.kernel import clock
from anju.kernel.scope import EVERYWHERE, seen_by
from anju.staff.models import Booking, Duty, HandOver

pytestmark = pytest.mark.django_db
As = Callable[[str], Client]


def text(answer: object) -> str:
    return str(answer.content.decode())  # type: ignore[attr-defined]


@pytest.mark.req("CALL-10", "CALL-05")
def test_a_lead_plans_a_week_and_an_agent_only_reads_it(town: object, as_user: As) -> None:
    lead, agent = as_user("lead1"), as_user("agent1")
    empty = text(lead.get("/district/roster/"))
    assert "还没有排班" in empty
    assert "A、B 双席" in empty
    who = User.objects.get(username="agent1").pk
    day = clock.today() + timedelta(days=1)
    plan = {"user": who, "post": "agent", "day": day.isoformat(), "shift": "0", "back": "/district/roster/"}
    assert agent.post("/district/roster/plan", plan).status_code == 403
    lead.post("/district/roster/plan", plan)
    page = text(lead.get(f"/district/roster/?week={day.isoformat()}"))
    assert "周晓岚" in page
    assert "已排班" in page
    again = lead.post("/district/roster/plan", plan, follow=True)
    assert "已排过班" in text(again)
    with seen_by(EVERYWHERE):
        duty = Duty.objects.get()
    lead.post("/district/roster/strike", {"duty": duty.pk, "why": "生病"})
    with seen_by(EVERYWHERE):
        assert Duty.objects.get().struck_why == "生病"
    assert "<select" not in text(agent.get("/district/roster/")).split("班次")[0]


@pytest.mark.req("CALL-05")
def test_the_shift_is_handed_over_on_the_page(town: object, as_user: As) -> None:
    lead = as_user("lead1")
    lead.post("/district/handover/begin")
    with seen_by(EVERYWHERE):
        sheet = HandOver.objects.get()
    assert "请写交班内容" in text(lead.post("/district/handover/offer", {"sheet": sheet.pk, "text": ""}, follow=True))
    page = text(lead.post("/district/handover/offer", {"sheet": sheet.pk, "text": "2 件未结，1 通待回拨"}, follow=True))
    assert "待接班" in page
    assert "自己接班" in text(lead.post("/district/handover/take", {"sheet": sheet.pk}, follow=True))
    with seen_by(EVERYWHERE):
        assert HandOver.objects.get().state == "offered"
        assert HandOver.objects.get().facts["未结事件"] >= 0


@pytest.mark.req("CALL-07")
def test_an_expert_is_registered_and_booked(town: object, as_user: As) -> None:
    lead, agent = as_user("lead1"), as_user("agent1")
    wrong = lead.post("/district/experts/save", {"name": "沈医生", "field": "doctor", "day0": "上午"}, follow=True)
    assert "周一的值守时间不对" in text(wrong)
    lead.post("/district/experts/save", {"name": "沈医生", "field": "doctor", "phone": "14400000001",
                                         **{f"day{n}": "08:00-12:00 14:00-17:00" for n in range(7)}})  # fmt: skip
    page = text(agent.get("/district/experts/"))
    assert "沈医生" in page
    slot = page.split('name="at" aria-label="时间"><option value="')[1].split('"')[0]
    with seen_by(EVERYWHERE):
        from anju.staff.models import Expert

        expert = Expert.objects.get().pk
    booked = agent.post(
        "/district/experts/book", {"id": expert, "at": slot, "phone": "14400000002", "about": "问用药"}, follow=True
    )
    assert "已预约" in text(booked)
    with seen_by(EVERYWHERE):
        booking = Booking.objects.get()
    agent.post("/district/experts/done", {"id": booking.pk, "note": "已通话"})
    with seen_by(EVERYWHERE):
        assert Booking.objects.get().state == "done"


@pytest.mark.req("SYS-02")
@pytest.mark.parametrize(
    "back",
    ["https://evil.example/district/roster/", "//evil.example", "/district/roster/../../evil", "/district/roster/@evil.example",
     "/district/roster/\\evil.example?week=2026-11-23", "javascript:alert(1)", "/district/roster/?week=x%0d%0aSet-Cookie:a=b", "http://[::1"],
)  # fmt: skip
def test_after_a_step_of_the_roster_nobody_is_led_elsewhere(town: object, as_user: As, back: str) -> None:
    """Only the roster's own address follows, with a week that is one."""
    answer = as_user("lead1").post("/district/roster/strike", {"duty": "1", "why": "x", "back": back})
    assert answer["Location"] in {"/district/roster/", "/district/roster/?week=2026-11-23"}


def test_after_a_step_of_the_roster_its_week_is_shown_again(town: object, as_user: As) -> None:
    answer = as_user("lead1").post(
        "/district/roster/strike", {"duty": "1", "why": "x", "back": "/district/roster/?week=2026-11-23"}
    )
    assert answer["Location"] == "/district/roster/?week=2026-11-23"
