"""Whom a call may be given to or shared with, who may come into a colleague's call, and that a write-up is never lost."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.test import Client

from anju.accounts.roles import Role
from anju.accounts.tests.factories import make_user
from anju.calls.models import Call, Command, Leg, SeatState
from anju.elders.tests.factories import ContactFactory
from anju.kernel import clock
from anju.kernel.scope import EVERYWHERE, seen_by
from anju.places import actions as places
from anju.portals.desk.tests import exchange
from anju.portals.desk.tests.conftest import District, press, session_of
from anju.staff import actions as staff
from anju.staff.models import Booking

pytestmark = pytest.mark.timeout(240)
PART = {"HTTP_HX_REQUEST": "true"}
ALWAYS = {str(day): [["00:00", "00:00"]] for day in range(7)}
Enter = Callable[..., Client]


@pytest.fixture(autouse=True)
def _switchboard(district: District) -> None:
    exchange.switchboard(real=True)
    exchange.queues()


@pytest.fixture
def enter(settings: Any) -> Enter:
    """A browser that is logged in."""

    def log_in(user: Any) -> Client:
        client = Client()
        client.cookies[settings.SESSION_COOKIE_NAME] = session_of(user)
        return client

    return log_in


def talking(district: District, **more: Any) -> tuple[Call, Leg]:
    """The first agent speaks with the elder."""
    call = exchange.call_in(**{"elder": district.elder, **more})
    leg = exchange.leg(call, "agent", user=district.agent)
    exchange.lift(leg)
    exchange.turn(call, "taken")
    exchange.seat(district.agent, "talking", call)
    return call, leg


def expert(district: District, name: str, field: str, hours: Any = ALWAYS, **more: Any) -> int:
    with seen_by(EVERYWHERE):
        by = make_user(Role.LEAD)
        from anju.accounts.queries import actor_of

        return staff.save_expert(by=actor_of(by), place="330199000000", name=name, field=field, hours=hours, **more).pk


def asked() -> tuple[str, dict[str, Any]]:
    return exchange.asked()[-1]


@pytest.mark.req("CALL-02", "CALL-07")
def test_a_conference_has_the_right_role_on_every_leg(district: District, enter: Enter) -> None:
    """The elder + 120 + doctor + family + social worker + grid worker + property: each is asked for as what it is."""
    with seen_by(EVERYWHERE):
        for kind, name in (
            ("guardian", "卢文静"),
            ("social_worker", "方雅"),
            ("grid", "何平"),
            ("property", "望潮物业"),
            ("night_duty", "夜班"),
        ):
            ContactFactory(
                elder=district.other,
                kind=kind,
                name=name,
                relation="女儿" if kind == "guardian" else "",
                phone="13600004471",
            )
    doctor = expert(district, "唐之远", "doctor", phone="13700005582")
    lawyer = expert(district, "许若谷", "lawyer", phone="13700005583")
    call, _ = talking(district, elder=district.other)
    exchange.seat(district.second)
    client = enter(district.agent)
    page = client.get("/desk/phone/invite", **PART).content.decode()
    for word in (
        "120 急救",
        "110 公安",
        "119 消防",
        "医生 唐之远",
        "女儿 卢文静",
        "社工 方雅",
        "网格员 何平",
        "物业管家 望潮物业",
        "1023 陈一鸣",
    ):
        assert word in page, word
    assert "13600004471" not in page
    assert "13700005582" not in page
    from anju.elders.queries import contacts_of

    with seen_by(EVERYWHERE):
        turns = {one.name: n for n, one in enumerate(contacts_of(district.other.pk))}
    wanted = {
        "120": "120", "110": "110", f"expert:{doctor}": "doctor", f"expert:{lawyer}": "expert", f"contact:{turns['卢文静']}": "contact",
        f"contact:{turns['方雅']}": "social", f"contact:{turns['何平']}": "grid", f"contact:{turns['望潮物业']}": "property",
        f"contact:{turns['夜班']}": "property", "seat:1023": "agent_b",
    }  # fmt: skip
    for to, role in wanted.items():
        answer = client.post("/desk/phone/invite", {"call": call.call_id, "to": to, "dialog": "1"}, **PART)
        assert "X-Anju-Refused" not in answer, to
        verb, args = asked()
        assert (verb, args["role"]) == ("conference", role), to
        assert args["number"] or args["to_seat"] == "1023"
    client.post(
        "/desk/phone/invite", {"call": call.call_id, "to": "number", "number": "057188886666", "role": "social"}, **PART
    )
    assert (asked()[1]["number"], asked()[1]["role"]) == ("057188886666", "social")
    social = exchange.leg(call, "social", name="方雅", number="13600004471", up=True)
    assert "社工 方雅" in client.get("/desk/phone/bar", **PART).content.decode()
    assert social.get_role_display() == "社工"


@pytest.mark.req("CALL-01", "CALL-07")
def test_a_transfer_keeps_who_the_other_is_and_an_expert_off_duty_is_booked(district: District, enter: Enter) -> None:
    """On duty: given to her. Off duty: refused in words, her free times are offered and taken once."""
    on = expert(district, "唐之远", "doctor", phone="13700005582")
    weekday = str((clock.today().weekday() + 3) % 7)
    off = expert(district, "许若谷", "lawyer", {weekday: [["14:00", "17:00"]]}, phone="13700005583")
    call, _ = talking(district)
    client = enter(district.agent)
    page = client.get("/desk/phone/transfer", **PART).content.decode()
    assert "在班 · 电话" in page
    assert "不在班 · 最早" in page
    client.post("/desk/phone/transfer", {"call": call.call_id, "to": f"expert:{on}", "how": "attended"}, **PART)
    verb, args = asked()
    assert (verb, args["number"], args["role"], args["name"]) == ("consult", "13700005582", "doctor", "唐之远")
    refused = client.post(
        "/desk/phone/transfer", {"call": call.call_id, "to": f"expert:{off}", "how": "blind", "dialog": "1"}, **PART
    )
    assert "不在班" in refused.content.decode()
    assert asked()[0] == "consult"
    form = client.get(f"/desk/phone/book/{off}", **PART)
    assert district.elder.phone in form.content.decode() or call.number in form.content.decode()
    at = form.context["expert"].slots[0]
    said = {"at": at.isoformat(), "phone": call.number, "about": "房产公证", "caller": "沈玉芬"}
    assert "回电号码" in client.post(f"/desk/phone/book/{off}", {**said, "phone": ""}, **PART).content.decode()
    assert "已预约" in client.post(f"/desk/phone/book/{off}", said, **PART).content.decode()
    with seen_by(EVERYWHERE):
        made = Booking.objects.get()
        assert (made.expert_id, made.at, made.elder_id, made.call_id) == (off, at, district.elder.pk, str(call.call_id))
    assert "约走" in client.post(f"/desk/phone/book/{off}", said, **PART).content.decode()


@pytest.mark.req("CALL-02")
def test_the_committee_of_the_callers_community_can_be_rung(district: District, enter: Enter) -> None:
    """Nobody of hers is in the file: the office of her community is."""
    from anju.accounts.permissions import THE_PLATFORM

    with seen_by(EVERYWHERE):
        code = district.other.home.place[:12]
        places.put_place(code=code, name="荷汀社区", committee_phone="057188880001", by=THE_PLATFORM)
    call, _ = talking(district, elder=district.other)
    client = enter(district.agent)
    assert "荷汀社区居委会" in client.get("/desk/phone/invite", **PART).content.decode()
    client.post("/desk/phone/invite", {"call": call.call_id, "to": "committee"}, **PART)
    assert (asked()[1]["number"], asked()[1]["role"]) == ("057188880001", "committee")


@pytest.mark.parametrize(
    "to", ["contact:x", "contact:99", "expert:", "expert:7", "seat:", "nobody", "", "queue:", "number"]
)
def test_an_odd_choice_is_refused_in_words(district: District, enter: Enter, to: str) -> None:
    call, _ = talking(district)
    answer = enter(district.agent).post("/desk/phone/invite", {"call": call.call_id, "to": to, "dialog": "1"}, **PART)
    assert answer.status_code == 200
    assert answer["X-Anju-Refused"] == "1"
    assert not Command.objects.exclude(verb="linked").exists()


@pytest.mark.parametrize("verb", ["hangup", "hold", "join", "drop", "answer"])
@pytest.mark.parametrize("number", ["", "x", "00000000-0000-0000-0000-000000000000"])
def test_a_strange_call_is_refused_not_an_error(district: District, enter: Enter, verb: str, number: str) -> None:
    exchange.seat(district.agent)
    answer = enter(district.agent).post(f"/desk/phone/do/{verb}", {"call": number}, **PART)
    assert (answer.status_code, answer["X-Anju-Refused"]) == (200, "1")


@pytest.mark.req("INC-03", "CALL-06")
def test_a_colleague_joins_as_b_seat_from_the_case_and_the_list(district: District, enter: Enter) -> None:
    """The button is there for who is free; nobody joins twice, nor a call that nobody has taken."""
    incident = press(district.elder)
    call, _ = talking(district, ref=f"incident:{incident.pk}")
    exchange.seat(district.second)
    client = enter(district.second)
    for page in (f"/desk/incident/{incident.pk}", f"/desk/incident/{incident.pk}/line", "/desk/phone/callers"):
        shown = client.get(page, **PART).content.decode()
        assert f"join-{call.call_id}" in shown, page
        assert f"supervise-{call.call_id}" not in shown, "an agent does not listen in"
    assert f"supervise-{call.call_id}" in enter(district.lead).get("/desk/phone/callers", **PART).content.decode()
    assert f"join-{call.call_id}" not in enter(district.agent).get("/desk/phone/callers", **PART).content.decode(), (
        "her own call"
    )
    client.post("/desk/phone/do/join", {"call": call.call_id}, **PART)
    assert (asked()[0], asked()[1]["extension"]) == ("join", "1023")
    waiting = exchange.call_in(number="13700004471", emergency=False, moves=("queue_up",))
    refused = client.post("/desk/phone/do/join", {"call": waiting.call_id}, **PART)
    assert refused["X-Anju-Refused"] == "1"
    exchange.seat(district.second, "talking", call)
    assert client.post("/desk/phone/do/join", {"call": call.call_id}, **PART)["X-Anju-Refused"] == "1"
    assert [verb for verb, _ in exchange.asked()].count("join") == 1


@pytest.mark.req("CALL-06", "SYS-01")
def test_an_agent_may_not_listen_whisper_or_barge_in(district: District, enter: Enter) -> None:
    """Neither the dialog nor the press; nothing reaches the switchboard. A lead may."""
    call, _ = talking(district)
    exchange.seat(district.second)
    exchange.seat(district.lead)
    agent, lead = enter(district.second), enter(district.lead)
    assert agent.get(f"/desk/phone/supervise/{call.call_id}", **PART).status_code == 403
    for mode in ("listen", "whisper", "barge"):
        answer = agent.post(f"/desk/phone/supervise/{call.call_id}", {"mode": mode, "dialog": "1"}, **PART)
        assert answer["X-Anju-Refused"] == "1"
        assert "值班长" in answer.content.decode()
    assert not Command.objects.exclude(verb="linked").exists()
    shown = lead.get(f"/desk/phone/supervise/{call.call_id}", **PART).content.decode()
    assert all(word in shown for word in ("旁听", "密语", "强插"))
    lead.post(f"/desk/phone/supervise/{call.call_id}", {"mode": "barge", "dialog": "1"}, **PART)
    assert (asked()[0], asked()[1]["mode"]) == ("supervise", "barge")


def over(district: District, call: Call) -> None:
    exchange.leave(call)
    exchange.seat(district.agent, "wrap_up", call, until=clock.now() + timedelta(seconds=60))


@pytest.mark.req("CALL-05")
def test_what_is_typed_is_kept_before_the_form_is_sent_and_nothing_else_is_judged(
    district: District, enter: Enter
) -> None:
    """Only what she touched is kept; the form shows it again; a strange call cannot be written up."""
    call, _ = talking(district, emergency=False)
    over(district, call)
    client = enter(district.agent)
    assert client.post("/desk/phone/wrap/typed", {"call": call.call_id, "note": "问药量"}, **PART).json() == {
        "ok": True
    }
    with seen_by(EVERYWHERE):
        call.refresh_from_db()
    assert (call.note, call.resolved, call.tags) == ("问药量", None, [])
    client.post(
        "/desk/phone/wrap/typed",
        {"call": call.call_id, "resolved": "no", "kind": "咨询", "tags": ["投诉", "<b>"]},
        **PART,
    )
    with seen_by(EVERYWHERE):
        call.refresh_from_db()
    assert (call.note, call.resolved, call.tags) == ("问药量", False, ["咨询", "投诉"])
    shown = client.get("/desk/phone/bar", **PART).content.decode()
    assert 'value="问药量"' in shown
    assert 'value="no" checked' in shown
    assert 'value="咨询" checked' in shown
    other = enter(district.second)
    assert other.post("/desk/phone/wrap/typed", {"call": call.call_id, "note": "改掉"}, **PART).status_code == 409
    exchange.seat(district.second, "wrap_up")
    assert other.post("/desk/phone/wrap", {"call": call.call_id, "note": "改掉"}, **PART)["X-Anju-Refused"] == "1"
    with seen_by(EVERYWHERE):
        call.refresh_from_db()
    assert call.note == "问药量"
    assert SeatState.objects.get(user=district.second).state == "wrap_up"


@pytest.mark.req("CALL-05", "CALL-09")
def test_a_call_that_was_left_without_a_word_stands_on_its_agents_list_until_it_has_one(
    district: District, enter: Enter
) -> None:
    """就绪 holds nobody up; what was left undone is not lost, and nobody but its agent writes it."""
    call, _ = talking(district, emergency=False)
    over(district, call)
    with seen_by(EVERYWHERE):  # as the switchboard writes it
        now = clock.now()
        Call.objects.filter(pk=call.pk).update(user_id=district.agent.pk, answered_at=now, ended_at=now)
    client, where = enter(district.agent), f"/desk/phone/wrap/{call.call_id}"
    assert where not in client.get("/desk/idle", **PART).content.decode(), "it is being written up in the bar"
    client.post("/desk/phone/wrap/typed", {"call": call.call_id, "note": "问药量"}, **PART)
    exchange.seat(district.agent)
    assert where in client.get("/desk/idle", **PART).content.decode()
    assert "问药量" in client.get(where, **PART).content.decode()
    assert where not in enter(district.second).get("/desk/idle", **PART).content.decode()
    assert "已经整理好了" in enter(district.second).get(where, **PART).content.decode()
    assert enter(district.second).post(where, {"kind": "误按"}, **PART)["X-Anju-Refused"] == "1"
    assert client.post(where, {"resolved": "yes", "dialog": "1"}, **PART)["X-Anju-Refused"] == "1"
    other, _ = talking(district, emergency=False)
    exchange.seat(district.agent, "wrap_up", other, until=clock.now() + timedelta(seconds=60))
    done = client.post(where, {"kind": "咨询", "resolved": "yes", "note": "问药量，已答", "dialog": "1"}, **PART)
    assert (done.status_code, "X-Anju-Refused" in done) == (200, False)
    with seen_by(EVERYWHERE):
        call.refresh_from_db()
    assert (call.tags, call.resolved, call.note) == (["咨询"], True, "问药量，已答")
    assert SeatState.objects.get(user=district.agent).state == "wrap_up", "the call that she writes up now goes on"
    assert where not in client.get("/desk/idle", **PART).content.decode()


@pytest.mark.req("CALL-03")
def test_only_who_speaks_in_a_call_or_a_lead_says_whose_it_is(district: District, enter: Enter) -> None:
    """A colleague in the same district sees the call in her list; tying it to an elder or a case is not hers to do."""
    call, _ = talking(district, elder=None, number="13800002046", candidates=[district.elder.pk, district.other.pk])
    who, opened = f"/desk/caller/{call.call_id}/who", f"/desk/caller/{call.call_id}/open"
    exchange.seat(district.second)
    colleague = enter(district.second)
    for path, said in ((who, {"elder": district.other.pk}), (opened, {"what": "摔倒", "once": "a1"})):
        answer = colleague.post(path, said, **PART)
        assert "请先加入（B 席）" in answer.content.decode(), path
    with seen_by(EVERYWHERE):
        call.refresh_from_db()
        assert (call.elder_id, call.ref) == (None, "")
    b_seat = exchange.leg(call, "agent_b", user=district.second)
    exchange.lift(b_seat)
    colleague.post(who, {"elder": district.other.pk}, **PART)
    with seen_by(EVERYWHERE):
        call.refresh_from_db()
        assert call.elder_id == district.other.pk
    enter(district.lead).post(opened, {"what": "摔倒", "once": "a2"}, **PART)
    with seen_by(EVERYWHERE):
        call.refresh_from_db()
        assert call.ref.startswith("incident:"), "a lead may"
