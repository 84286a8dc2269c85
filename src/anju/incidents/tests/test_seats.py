"""Two people on one case: who sits where, who sees what, who gets the whole when the other is gone."""

import pytest

from anju.calls.simulator import Simulator
from anju.incidents import actions, queries
from anju.kernel.flow.actor import NotAllowed
from anju.kernel.testing import run_jobs
from anju.notices.models import Notice


@pytest.mark.req("INC-03", "LEAP-06")
def test_two_seats_share_one_case_with_their_own_columns(story):
    story.accepted()
    assert story.view().both_columns  # alone she sees both
    assert all(d.mine for d in story.view().duties)
    actions.ask_b(incident_id=story.it.pk, by=story.agent)
    assert queries.queue(story.mate.roles, story.mate.user_id)[0].ringing  # every seat rings
    actions.take_seat(incident_id=story.it.pk, seat="B", by=story.mate)
    assert not queries.queue(story.mate.roles, story.mate.user_id)[0].ringing
    assert story.view("mate").seat == "B"
    assert not story.view().both_columns
    mine = {d.name for d in story.view("mate").duties if d.mine}
    assert "ask_state" in mine
    assert "confirm_place" not in mine
    story.tick("ask_state", by=story.mate, note="清醒")
    entry = story.view().timeline[0]
    assert (entry.source, entry.by) == ("B", story.mate.name)
    with pytest.raises(NotAllowed, match="已在 B 席"):
        actions.take_seat(incident_id=story.it.pk, seat="B", by=story.lead)
    with pytest.raises(NotAllowed, match="已在 B 席"):
        actions.ask_b(incident_id=story.it.pk, by=story.agent)


@pytest.mark.req("INC-03")
def test_when_a_dropped_seat_leaves_the_other_gets_the_whole_and_is_rung(story):
    story.accepted()
    actions.take_seat(incident_id=story.it.pk, seat="B", by=story.mate)
    assert actions.seat_dropped(user_id=story.agent.user_id) == 1
    story.fresh()
    assert (story.it.a_seat_id, story.it.b_seat_id) == (story.mate.user_id, None)
    assert story.view("mate").both_columns
    assert [b.reason for b in story.view("mate").bells] == ["dropped"]
    assert actions.seat_dropped(user_id=story.mate.user_id) == 1
    assert story.fresh().a_seat_id is None
    story.let_pass(seconds=15)
    assert Notice.objects.filter(template="page_bell").exists()
    actions.take_seat(incident_id=story.it.pk, seat="A", by=story.lead)
    assert story.view("lead").seat == "A"


@pytest.mark.req("INC-03")
def test_who_is_alone_hands_over_and_a_lead_may_take_over(story):
    story.accepted()
    with pytest.raises(NotAllowed, match="先移交"):
        actions.leave_seat(incident_id=story.it.pk, by=story.agent)
    story.do("hand_over", to_user_id=story.mate.user_id)
    assert story.it.a_seat_id == story.mate.user_id
    assert [b.reason for b in story.view("mate").bells] == ["handed"]
    with pytest.raises(NotAllowed, match="不在这个事件的席位上"):
        story.do("hand_over", to_user_id=story.lead.user_id)
    with pytest.raises(NotAllowed, match="只有值班长"):
        actions.take_over(incident_id=story.it.pk, seat="A", by=story.agent, reason="我来")
    actions.take_over(incident_id=story.it.pk, seat="A", by=story.lead, reason="情况复杂")
    assert story.fresh().a_seat_id == story.lead.user_id
    assert story.said("接管 A 席", "情况复杂")
    assert queries.busy_users() == {story.lead.user_id}


@pytest.mark.req("INC-03")
def test_of_two_who_accept_one_has_it_and_the_other_reads_who(story):
    story.accepted()
    with pytest.raises(NotAllowed, match=f"{story.agent.name}已接警"):
        story.do("accept", by=story.mate)
    assert story.fresh().a_seat_id == story.agent.user_id


@pytest.mark.req("EXT-02", "INC-02")
def test_press_one_to_take_it_a_contact_takes_the_case_by_key_and_the_proof_is_kept(story):
    story.opened()
    contact = story.it.plan["contacts"][0]
    elder = story.it.plan["elder"]
    Simulator.will(elder["phone"], "answered", "ended")  # voicemail answers and presses nothing
    Simulator.will(contact["phone"], "answered", "key:1", "ended")
    story.let_pass(seconds=15)
    run_jobs()
    assert story.said("机器人呼叫老人", "不算应答")
    assert story.state == "overdue"
    story.let_pass(minutes=2)
    run_jobs()
    rung = story.view().ladder[0]
    assert (rung.state, rung.result) == ("coming", "coming")
    attempt = story.it.attempts.get(pk=rung.attempt_id)
    assert attempt.proof["digit"] == "1"
    assert Simulator.dialled[-1].keys["1"].startswith("春浦街道荷汀社区")
    assert "青霉素" in Simulator.dialled[-1].keys["1"]
    assert story.state == "overdue"  # she comes, and still somebody of the centre must take it
    dialled = len(Simulator.dialled)
    story.let_pass(minutes=2)
    run_jobs()
    assert len([o for o in Simulator.dialled[dialled:] if o.script == "press_one"]) == 0
    assert not any(o.number in {"110", "119", "120"} for o in Simulator.dialled)
    story.do("accept")
    assert story.state == "verifying"


@pytest.mark.req("EXT-02")
def test_contacts_who_do_not_press_leave_the_turn_to_the_next(story):
    story.opened()
    Simulator.will(story.it.plan["contacts"][0]["phone"], "answered", "ended")
    Simulator.will(story.it.plan["contacts"][1]["phone"], "answered", "key:3")
    Simulator.will(story.it.plan["elder"]["phone"], "answered", "key:2")
    story.let_pass(seconds=16)
    run_jobs()
    assert story.said("按 2", "要人帮忙")
    story.let_pass(minutes=2)
    for _ in range(4):
        run_jobs()
    rungs = story.view().ladder
    assert [r.result for r in rungs[:2]] == ["no_answer", "cannot"]
    assert rungs[2].state == "ringing"
    story.let_pass(seconds=60)
    assert story.view().ladder[2].result == "no_answer"


@pytest.mark.req("SYS-03", "SYS-04")
def test_a_number_is_shown_to_the_centre_only_and_that_is_audited(story):
    from anju.kernel.models import AuditLine

    story.accepted()
    number = actions.reveal_number(incident_id=story.it.pk, rung=0, by=story.agent)
    assert number == story.it.plan["contacts"][0]["phone"]
    assert AuditLine.objects.filter(action="incident.number", subject_id=str(story.it.pk)).count() == 1
    from anju.kernel.flow.actor import Actor

    with pytest.raises(NotAllowed):
        actions.reveal_number(incident_id=story.it.pk, rung=0, by=Actor("街道", frozenset({"street"}), 99))
