"""Which alarm joins which case, what a higher one does, and what of a home nobody knows."""

import pytest

from anju.alarms import queries as alarms
from anju.incidents import actions, queries
from anju.incidents.models import Incident
from anju.kernel.flow.actor import NotAllowed
from anju.kernel.scope import NOBODY, Scope, seen_by
from anju.notices.models import Notice
from anju.places.tests.factories import DISTRICT, LOTUS, SPRING, WILLOW


@pytest.mark.req("SEN-03", "INC-01")
def test_a_second_press_joins_with_a_reason_and_stays_its_own_record(story):
    first = story.opened()
    story.let_pass(seconds=5)
    again = story.press()
    assert again.pk == first.pk
    rows = alarms.by_case(case_kind="incident", case_id=first.pk)
    assert [a.state for a in rows] == ["open", "joined"]
    assert rows[1].join_reason
    assert story.dues()["state"] == 10  # the same priority restarts nothing
    assert story.said("又报警", "并入本案")
    assert actions.open_or_join(alarm_id=rows[1].pk) == first.pk  # asked again: the same answer
    assert queries.queue(story.agent.roles)[0].joined == 1


@pytest.mark.req("INC-10", "INC-02")
def test_a_higher_alarm_raises_the_case_and_rings_again(story):
    story.opened("inactivity")
    low = story.it.priority
    assert low < 9
    assert story.dues()["state"] == 60
    story.let_pass(seconds=58)
    story.press("sos")
    assert story.fresh().priority == 9
    assert story.state == "waiting"
    assert story.dues()["state"] == 15
    story.let_pass(seconds=15)
    assert story.state == "overdue"
    assert queries.queue(story.agent.roles)[0].sound == "p9"


@pytest.mark.req("INC-10")
def test_a_higher_alarm_in_a_held_case_must_be_noticed_within_fifteen_seconds(story):
    story.accepted("inactivity")
    assert not queries.queue(story.agent.roles, story.agent.user_id)[0].ringing
    story.press("sos")
    assert story.fresh().priority == 9
    assert story.state == "verifying"
    bell = story.view().bells[0]
    assert "更高级" in bell.text
    assert queries.queue(story.agent.roles, story.agent.user_id)[0].ringing
    story.let_pass(seconds=15)
    assert Notice.objects.filter(template="page_bell").count() == 1
    actions.hear_bell(bell_id=bell.id, by=story.agent)
    assert story.view().bells == ()
    story.let_pass(seconds=60)
    assert Notice.objects.filter(template="page_bell").count() == 1


@pytest.mark.req("SEN-03", "INC-01")
def test_a_press_soon_after_safe_reopens_and_a_later_one_is_a_new_linked_case(story):
    first = story.accepted()
    story.do("safe", note="没事")
    story.let_pass(minutes=10)
    again = story.press()
    assert again.pk == first.pk
    assert story.state == "waiting"
    assert story.dues()["state"] == 15
    story.do("accept", by=story.mate)
    story.do("safe", by=story.mate, note="这回真没事")
    story.let_pass(minutes=31)
    later = story.press()
    assert later.pk != first.pk
    assert later.previous_id == first.pk
    assert story.state == "follow_up"


def test_after_a_hospital_a_press_is_a_new_case(story):
    first = story.accepted()
    story.do("call_120", sent=True)
    story.do("arrived")
    story.do("to_hospital", hospital="区第一医院")
    later = story.press()
    assert later.pk != first.pk
    assert later.previous_id == first.pk


@pytest.mark.req("SEN-03", "INC-01")
def test_a_press_of_an_unknown_home_is_a_case_with_what_is_known(story):
    it = story.press(home_id=None, note="设备 860000000000001，小区基站 4411")
    assert it.home_id is None
    assert it.place == DISTRICT
    row = queries.queue(story.agent.roles)[0]
    assert row.elder_name == "未知住户"
    assert "860000000000001" in row.where
    assert story.press(home_id=None, note="设备 860000000000001，小区基站 4411").pk == it.pk
    assert story.press(home_id=None, note="设备 860000000000002").pk != it.pk
    story.it = it
    for _ in range(3):
        story.let_pass(minutes=1)  # nobody to ring, and nothing breaks
    story.do("accept")
    story.do("no_answer")
    assert story.state == "rescue_due"  # an empty ladder is at its end at once
    story.do("call_110", note="地址由运营商查到")
    assert story.state == "rescuing"


@pytest.mark.req("REG-10", "INC-05")
def test_a_caller_who_is_no_client_gets_the_same_rescue(story):
    it = actions.open_by_hand(
        by=story.agent,
        place=LOTUS,
        kind="call",
        kind_label="来电求助",
        phone="13800001234",
        address="荷汀路口",
        what="路边老人摔倒",
    )
    story.it = it
    assert story.state == "verifying"
    assert story.it.a_seat_id == story.agent.user_id
    story.do("call_120", note="路人说流血了")
    assert {"give_sheet", "ask_120_sent"} <= {d.name for d in story.view().duties}
    assert "13800001234" in story.view().sheet.spoken
    story.opened()
    with pytest.raises(NotAllowed, match="已有未结事件"):
        actions.open_by_hand(by=story.agent, place=LOTUS, kind="call", kind_label="来电", home_id=story.home.pk)


def test_a_drill_is_marked_and_tells_nobody_outside(story):
    drill = actions.open_by_hand(
        by=story.lead,
        place=LOTUS,
        kind="sos",
        kind_label="演练：求助",
        home_id=story.home.pk,
        elder_id=story.elder.pk,
        drill=True,
    )
    story.it = drill
    story.do("no_answer", by=story.lead)
    assert not Notice.objects.exclude(channel="platform").exists()
    assert story.said("演练：没有给联系人发消息")
    real = story.press()
    assert real.pk != drill.pk  # a real press never joins a drill
    assert [r.drill for r in queries.queue(story.agent.roles)] == [False, True]


@pytest.mark.req("INC-02", "REG-01")
def test_the_policy_and_the_contacts_are_frozen_when_the_case_opens(story):
    from anju.accounts.permissions import THE_PLATFORM
    from anju.elders import actions as elders
    from anju.places import actions as places

    places.set_policy(
        place=DISTRICT, data={"incident.verifying": 60, "incident.contact_attempt": 30}, by=THE_PLATFORM, reason="试"
    )
    story.opened()
    version = story.it.plan["policy"]["version"]
    names = [c["name"] for c in story.it.plan["contacts"]]
    places.set_policy(place=DISTRICT, data={"incident.verifying": 300}, by=THE_PLATFORM, reason="试")
    elders.add_contact(elder_id=story.elder.pk, kind="neighbour", name="新邻居", phone="13800007777", by=THE_PLATFORM)
    story.do("accept")
    assert story.dues()["state"] == 60
    story.let_pass(seconds=60)
    assert story.state == "contacting"
    story.let_pass(seconds=30)
    assert story.view().ladder[1].state == "turn"
    assert [r.name for r in story.view().ladder] == names
    assert story.view().incident.policy_version == version
    story.do("safe", note="没事")
    story.let_pass(hours=1)
    story.accepted()
    assert story.dues()["state"] == 300


@pytest.mark.req("REG-01", "SYS-01")
def test_a_street_sees_only_its_own_cases_with_short_names_and_a_family_none(story):
    story.opened()
    with seen_by(Scope(places=(SPRING[:9],))):
        rows = queries.queue(["street"])
        assert [r.id for r in rows] == [story.it.pk]
        assert rows[0].elder_name == "沈**"
        view = queries.case(story.it.pk, ["street"])
        assert view.moves == ()
        assert view.plan == {}
    for scope in (Scope(places=(WILLOW[:9],)), NOBODY):
        with seen_by(scope):
            assert queries.queue(["street"]) == []
            assert queries.page(["street"]) == []
            with pytest.raises(Incident.DoesNotExist):
                queries.case(story.it.pk, ["street"])
            with pytest.raises(Incident.DoesNotExist):
                actions.note(incident_id=story.it.pk, by=story.agent, text="看看")


@pytest.mark.req("EXT-17", "INC-01")
def test_the_queue_is_ordered_by_priority_then_by_deadline(story):
    from anju.elders.tests.factories import ElderFactory, complete

    other, third = complete(ElderFactory()), complete(ElderFactory())
    slow = story.press("inactivity", home_id=third.home.pk)
    story.let_pass(seconds=3)
    first = story.press()
    story.let_pass(seconds=3)
    second = story.press(home_id=other.home.pk)
    assert [r.id for r in queries.queue(story.agent.roles)] == [first.pk, second.pk, slow.pk]
    row = queries.queue(story.agent.roles)[0]
    assert (row.kind, row.due_label, row.ringing, row.due_total) == ("emergency", "无人接警", True, 15)
    assert [i.id for i in queries.page(story.agent.roles, open_only=True, priority=9)] == [second.pk, first.pk]
    assert [i.id for i in queries.page(before_id=first.pk)] == [slow.pk]


@pytest.mark.req("DEV-01", "INC-01")
def test_a_reset_of_the_device_is_a_line_and_closes_nothing(story):
    from anju.alarms import actions as alarm_actions
    from anju.incidents.actions import device_reset

    story.opened()
    device_reset(alarm_id=story.alarm.pk)
    assert story.state == "waiting"
    assert story.said("已复位，仍要核实老人")
    assert alarm_actions.note_reset(device_id=0, at=story.it.opened_at) == 0


def test_the_queue_and_a_case_ask_the_database_the_same_however_many_there_are(story, django_assert_max_num_queries):
    from anju.elders.tests.factories import ElderFactory, complete

    for _ in range(4):
        story.press(home_id=complete(ElderFactory()).home.pk)
    story.opened()
    queries.queue(story.agent.roles, 1)  # names of places are kept
    with django_assert_max_num_queries(4):
        assert len(queries.queue(story.agent.roles, 1)) == 5
    with django_assert_max_num_queries(12):
        story.view()
