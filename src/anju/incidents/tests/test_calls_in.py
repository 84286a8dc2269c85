"""Calls that come in: what becomes a case, whose it is, and what is only a line of a story."""

import pytest

from anju.calls.models import Call
from anju.elders import actions as elders
from anju.incidents.models import Incident
from anju.kernel.flow.actor import NotAllowed
from anju.notices.models import Notice


@pytest.mark.req("REG-10", "CALL-01")
def test_an_unknown_caller_in_need_gets_a_case_of_the_highest_priority_before_anybody_lifts(story, phone):
    call = phone.rings_in("13977776666")
    it = phone.case(call)
    assert (it.state, it.priority, it.home_id) == ("waiting", 9, None)
    assert story.dues()["state"] == 15
    assert story.said("未知住户", "139****6666")
    assert "13977776666" not in it.unknown_key
    assert story.view().sheet.spoken.count("13977776666") == 1  # what is read to 120 names the number to ring back
    story.let_pass(seconds=6)
    phone.taken(call)
    assert story.state == "verifying"
    assert story.it.a_seat_id == story.agent.user_id
    assert story.said("接听来电")
    assert story.said("接警", "6 秒")


@pytest.mark.req("REG-10")
@pytest.mark.parametrize("how", ["suspended", "ended"])
def test_a_suspended_client_gets_the_same_emergency_service(story, phone, how):
    change = elders.suspend if how == "suspended" else elders.end
    change(elder_id=story.elder.pk, reason="欠费", by=_archivist(story))
    call = phone.rings_in("057186123456", home=story.home, elder=story.elder)
    it = phone.case(call)
    assert (it.state, it.priority, it.home_id) == ("waiting", 9, story.home.pk)
    assert bool(it.plan["contacts"]) == (how == "suspended")  # who left the service is a caller like any other
    phone.taken(call)
    story.do("call_120", note="说胸口疼")
    assert story.state == "rescuing"


def _archivist(story):
    from anju.kernel.flow.actor import Actor

    return Actor("档案员", frozenset({"street", "bureau", "lead", "agent"}), story.lead.user_id)


@pytest.mark.req("REG-10", "INC-01")
def test_calls_of_one_number_and_a_press_of_the_home_make_one_case_and_a_withheld_number_its_own(story, phone):
    first = phone.rings_in("13977776666")
    again = phone.rings_in("13977776666")
    assert phone.case(first) == phone.case(again)
    nobody, other = phone.rings_in(""), phone.rings_in("")
    assert len({phone.case(c).pk for c in (first, nobody, other)}) == 3
    pressed = story.press()
    call = phone.rings_in("057186123456", home=story.home)
    assert phone.case(call) == pressed
    assert story.said("又报警", "电话一键呼叫", "并入本案")
    from anju.alarms import queries as alarms

    assert [a.kind for a in alarms.by_case(case_kind="incident", case_id=pressed.pk)] == ["sos", "help"]


@pytest.mark.req("INC-01")
def test_a_service_call_is_no_case_but_a_line_of_the_one_that_is_open(story, phone):
    call = phone.rings_in("057186123456", emergency=False, home=story.home)
    assert phone.case(call) is None
    assert not Incident.objects.exists()
    phone.taken(call, "mate")
    story.accepted()
    second = phone.rings_in("057186123456", emergency=False, home=story.home)
    assert phone.case(second) == story.it
    assert story.said("来电", "0571")
    phone.seat_is("mate", "ready")
    phone.taken(second, "mate")
    assert story.fresh().b_seat_id == story.mate.user_id  # she stays with the elder
    assert story.state == "verifying"


@pytest.mark.req("CALL-08", "INC-01")
def test_who_hangs_up_before_anybody_speaks_keeps_the_case_open_and_is_told_to_be_rung_back(story, phone):
    call = phone.rings_in("057186123456", home=story.home)
    phone.case(call)
    phone.hung_up_before(call)
    assert story.state == "waiting"
    assert story.said("来电接通前挂断了，必须回拨")
    story.let_pass(seconds=15)
    assert story.state == "overdue"
    assert Notice.objects.filter(template="page_unanswered").exists()


def test_news_that_come_twice_or_of_other_matters_change_nothing(story, phone):
    from anju.incidents import actions

    call = phone.rings_in("13977776666")
    it = phone.case(call)
    again = actions.call_arrived(
        call_id=str(call.call_id), number="13977776666", home_id=None, elder_id=None, device_id=None, emergency=True,
        place=call.place,
    )  # fmt: skip
    assert again == it.pk
    assert Incident.objects.count() == 1
    lines = len(story.lines())
    for ref in ("order:3", "incident:", "incident:x", "home:3"):
        actions.on_call_ended(call_id=str(call.call_id), ref=ref, purpose="elder", result="answered")
        actions.call_answered(call_id=str(call.call_id), user_id=None, leg_role="elder", ref=ref)
        actions.on_key(call_id=str(call.call_id), ref=ref, purpose="elder_check", digit="1")
        actions.party_joined(call_id=str(call.call_id), leg_id="x", role="120", ref=ref)
        actions.party_left(call_id=str(call.call_id), leg_id="x", role="120", ref=ref, seconds=3)
    actions.call_abandoned(call_id="00000000-0000-0000-0000-000000000000", emergency=True)
    assert len(story.lines()) == lines
    assert Call.objects.count() == 1


@pytest.mark.req("INC-01", "REG-10")
def test_a_service_call_becomes_a_case_when_the_agent_says_so_and_the_story_begins_with_the_call(story, phone):
    from anju.incidents import actions

    call = phone.rings_in("057186123456", emergency=False, home=story.home, elder=story.elder)
    story.let_pass(seconds=4)
    call = phone.taken(call)
    story.let_pass(seconds=40)
    story.it = actions.open_from_call(call_id=str(call.call_id), by=story.agent, what="说着说着说不出话了")
    assert story.state == "verifying"
    assert (story.it.home_id, story.it.a_seat_id, story.it.priority) == (story.home.pk, story.agent.user_id, 9)
    assert story.it.first_alarm_at == call.planned_at
    assert story.said("来电，40 秒后转为紧急事件")
    assert phone.fresh(call).ref == f"incident:{story.it.pk}"
    again = actions.open_from_call(call_id=str(call.call_id), by=story.mate)
    assert again.pk == story.it.pk
    phone.ends(call)
    assert story.said("来电结束：接通")
    with pytest.raises(NotAllowed, match="没有这次通话"):
        actions.open_from_call(call_id="00000000-0000-0000-0000-000000000000", by=story.agent)


def test_a_call_whose_home_got_a_case_meanwhile_is_joined_to_it(story, phone):
    from anju.incidents import actions

    call = phone.taken(phone.rings_in("057186123456", emergency=False, home=story.home))
    story.opened()  # she pressed while she was speaking
    joined = actions.open_from_call(call_id=str(call.call_id), by=story.agent, what="喊救命")
    assert joined.pk == story.it.pk
    assert story.said("转为紧急事件，并入本案：喊救命")
    nobody = phone.taken(phone.rings_in("13511112222", emergency=False), "mate")
    made = actions.open_from_call(
        call_id=str(nobody.call_id), by=story.mate, address="西山路 8 号楼下", what="路人晕倒"
    )
    assert made.home_id is None
    assert made.plan["caller"] == {"phone": "13511112222", "address": "西山路 8 号楼下", "what": "路人晕倒"}
