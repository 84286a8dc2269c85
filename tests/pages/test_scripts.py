"""Scripts at the agent's hand: offered and found beside the call, answered as she speaks, asked for at the wrap-up."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client

from anju.accounts.models import User
from anju.calls.models import Call, SeatState
from anju.kernel.scope import EVERYWHERE, seen_by
from anju.knowledge.sop.models import Edition, Sheet
from anju.portals.desk.tests import exchange

pytestmark = [pytest.mark.django_db, pytest.mark.req("CALL-11")]
As = Callable[[str], Client]
PART = {"HX-Request": "true"}


def text(answer: Any) -> str:
    return str(answer.content.decode())


@pytest.fixture
def talk(town: object) -> Call:
    """agent1 speaks with somebody whom nobody knows."""
    exchange.switchboard(real=True)
    agent = User.objects.get(username="agent1")
    call = exchange.call_in(number="13911112222", emergency=False)
    exchange.seat(agent, "ringing", call)
    own = exchange.leg(call, "agent", user=agent)
    exchange.lift(own)
    exchange.turn(call, "taken")
    exchange.seat(agent, "talking", call)
    return call


def hang_up(call: Call) -> None:
    """The call is over; its agent writes it up."""
    exchange.leave(call)
    exchange.seat(User.objects.get(username="agent1"), "wrap_up", call)


def sheet() -> Sheet:
    with seen_by(EVERYWHERE):
        return Sheet.objects.get()


def test_a_script_is_found_taken_and_answered_beside_the_call(talk: Call, as_user: As) -> None:
    """Offered by what is known, found by a word, Enter takes the first; what is typed is kept as its kind."""
    agent, to = as_user("agent1"), f"/desk/script/call/{talk.call_id}"
    page = text(agent.get(f"/desk/caller/{talk.call_id}"))
    assert 'data-press="s"' in page
    assert f'hx-get="{to}"' in page, "a stranger's page begins with the scripts"
    offered = text(agent.get(to, headers=PART))
    assert 'value="advice_life"' in offered
    assert 'value="biz_return"' not in offered
    assert 'value="biz_return"' in text(agent.get(f"{to}/find", {"q": "退机 收据"}, headers=PART))
    assert "换个说法" in text(agent.get(f"{to}/find", {"q": "没有这样"}, headers=PART))
    panel = text(agent.post(f"{to}/take", {"q": "叫醒"}, headers=PART))
    assert "一键通指南 六(五)4 场景四" in panel
    assert "24 小时制" in panel
    row = sheet()
    assert (row.code, str(row.call_id), row.elder_id) == ("life_wake", str(talk.call_id), None)
    said = {"f.day": "2026-12-01", "f.hour": "15:00"}
    assert agent.post(f"/desk/script/sheet/{row.pk}/typed", said, headers=PART).json() == {"ok": True, "why": ""}
    wrong = agent.post(f"/desk/script/sheet/{row.pk}/typed", {"f.phone": "没有"}, headers=PART).json()
    assert (wrong["ok"], "电话" in wrong["why"]) == (False, True)
    panel = text(agent.post(f"{to}/{row.pk}/keep", {"f.checked": "yes", "f.phone": "139111"}, headers=PART))
    assert "已填齐" in panel
    assert sheet().answers == {"day": "2026-12-01", "hour": "15:00", "checked": True, "phone": "139111"}


def test_a_wrap_up_waits_for_required_answers_or_a_reason_and_the_seat_does_not(talk: Call, as_user: As) -> None:
    """Refused in words; the seat may be ready meanwhile and the sheet waits among her matters, until it is closed."""
    agent, to = as_user("agent1"), f"/desk/script/call/{talk.call_id}"
    agent.post(f"{to}/take", {"code": "life_taxi"}, headers=PART)
    hang_up(talk)
    bar = text(agent.get("/desk/phone/bar", headers=PART))
    assert "还缺 要哪种车、从哪里上车、到哪里、时间（24 小时制）、回电号码" in bar
    done = {"call": str(talk.call_id), "next": "ready", "note": "要车", "kind": "咨询", "resolved": "yes"}
    refused = agent.post("/desk/phone/wrap", done, headers=PART)
    assert refused.headers["X-Anju-Refused"] == "1"
    assert "必填没填" in refused.headers["HX-Trigger-After-Swap"].encode().decode("unicode_escape")
    assert SeatState.objects.get(user__username="agent1").state == "wrap_up"
    agent.post("/desk/phone/state/ready", headers=PART)
    assert SeatState.objects.get(user__username="agent1").state == "ready", "the next call in need finds her seat free"
    idle = text(agent.get("/desk/idle", headers=PART))
    assert "话术没填完" in idle
    assert f"/desk/script/sheet/{sheet().pk}" in idle
    late = f"/desk/script/sheet/{sheet().pk}"
    assert "话术还没填完" in text(agent.get(late))
    assert as_user("agent2").get(late).status_code == 404
    assert "必填没填" in text(agent.post(late, {"f.from": "门口", "close": "1"}))
    assert sheet().answers == {"from": "门口"}
    done = agent.post(late, {"close": "1", "lacks": "对方挂断"}, headers=PART)
    assert 'id="idle-homes"' in text(done), "the desk never leaves its page: a call may be up"
    assert sheet().lacks == "对方挂断"
    assert "话术没填完" not in text(agent.get("/desk/idle", headers=PART))
    page = text(as_user("quality1").get(f"/district/calls/{talk.call_id}/"))
    assert "生活服务（代叫出租车）" in page
    assert "对方挂断" in page


def test_a_wrap_up_with_a_reason_closes_the_call_and_its_sheet(talk: Call, as_user: As) -> None:
    agent = as_user("agent1")
    agent.post(f"/desk/script/call/{talk.call_id}/take", {"code": "life_taxi"}, headers=PART)
    hang_up(talk)
    done = {"call": str(talk.call_id), "next": "ready", "note": "断了", "lacks": "对方挂断"}
    assert "X-Anju-Refused" not in agent.post("/desk/phone/wrap", done, headers=PART).headers
    assert SeatState.objects.get(user__username="agent1").state == "ready"
    assert sheet().closed_at is not None


def test_a_case_has_its_scripts_and_a_stranger_s_eyes_have_not(town: Any, as_user: As) -> None:
    """From the tab of the case: the scenes that are on come first; another call's agent does not write into it."""
    from anju.incidents.models import Incident

    with seen_by(EVERYWHERE):
        case = Incident.objects.exclude(state="closed").first() or Incident.objects.latest("id")
    agent, to = as_user("agent1"), f"/desk/script/incident/{case.pk}"
    assert 'name="code" value="rescue_' in text(agent.get(to, headers=PART))
    assert "加这份话术" in text(agent.post(f"{to}/take", {"code": "rescue_120"}, headers=PART))
    assert sheet().incident_id == case.pk
    assert f'hx-get="{to}"' in text(agent.get(f"/desk/incident/{case.pk}"))
    assert "撤下" in text(agent.get(to, headers=PART))
    agent.post(f"{to}/{sheet().pk}/drop", headers=PART)
    with seen_by(EVERYWHERE):
        assert not Sheet.objects.exists()
    assert as_user("street1").get(to, headers=PART).status_code == 403
    assert agent.get("/desk/script/incident/999999", headers=PART).status_code == 404
    assert agent.get(f"/desk/script/call/{uuid.uuid4()}", headers=PART).status_code == 404


def test_scripts_are_read_by_the_centre_and_changed_by_who_answers_for_them(town: object, as_user: As) -> None:
    """42 scenarios in five groups; a changed one is a new version, the delivered one can still be read."""
    assert "42 个场景" in text(as_user("agent1").get("/district/scripts/"))
    assert text(as_user("agent1").get("/district/scripts/", {"say": "退机 收据"})).count("/district/scripts/biz_") == 1
    lead, path = as_user("lead1"), "/district/scripts/life_wake/"
    page = text(lead.get(path))
    assert "存为第 1 版" in page
    assert "存为第" not in text(as_user("agent1").get(path))
    assert as_user("agent1").post(f"{path}save", {}).status_code == 403
    said = {
        "based_on": "0", "title": "晨叫", "when": "要叫醒电话", "say": "几点？\n我复述一遍。", "words": "叫醒、晨叫", "wrap": "已设置\n已取消",
        "do": "设好晨叫", "branch": "每天都要 | 逐日设好\n说不舒服 | 按 120 办 | rescue_120", "name-1": "hour", "label-1": "几点", "kind-1": "time",
        "must-1": "1", "label-2": "怎么叫", "kind-2": "choice", "options-2": "电话、短信", "label-3": "不要了", "kind-3": "text", "drop-3": "1",
    }  # fmt: skip
    assert "已存为第 1 版" in text(lead.post(f"{path}save", said, follow=True))
    body = Edition.objects.get().body
    assert [f["name"] for f in body["ask"]] == ["hour", "q1"]
    assert body["branch"][1] == ["说不舒服", "按 120 办", "rescue_120"]
    assert "旧版，只读" in text(lead.get(path, {"version": "0"}))
    again = text(lead.post(f"{path}save", said | {"say": "改一句"}))
    assert "别人刚改过" in again
    assert "改一句" in again, "what was typed stays"
    assert lead.get("/district/scripts/nothing/").status_code == 404
