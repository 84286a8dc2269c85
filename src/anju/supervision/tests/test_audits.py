"""From the weekly drawing to the closed audit, with appeals; and a grievance that becomes a complaint or does not."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from django.db import DatabaseError, transaction

from anju.accounts.models import Posting, User
from anju.accounts.roles import Role
from anju.calls.kpis import KPIS
from anju.calls.models import Call
from anju.calls.recordings.tests.made import PLACE, a_call
from anju.kernel.flow.actor import THE_CLOCK, NotAllowed
from anju.notices import queries as notices
from anju.supervision import actions, jobs, queries
from anju.supervision.forms import STANDARD
from anju.supervision.models import Complaint, Plan, Review
from anju.supervision.rules import items_of

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("everywhere")]
ZONE = ZoneInfo("Asia/Shanghai")
DISTRICT = "330199000000"
WEEK = date(2026, 11, 9)
FULL = {i.code: (False if i.fatal else i.points) for i in items_of(STANDARD)}


@pytest.fixture
def centre(let_pass, an_actor):
    """Two agents with five calls each in the week of 9 November, a lead who also takes calls, a quality post."""
    people = {}
    for name, label, role in (
        ("a1", "周晓岚", Role.AGENT),
        ("a2", "陈一鸣", Role.AGENT),
        ("l1", "林佳", Role.LEAD),
        ("q1", "汪敏", Role.QUALITY),
    ):
        user = User.objects.create(username=name, name=label)
        Posting.objects.create(user=user, role=role, place=DISTRICT)
        people[name] = an_actor(role, name=label, user_id=user.pk)
    for n in range(5):
        for name in ("a1", "a2"):
            a_call(at=datetime(2026, 11, 9 + n, 9 + n, tzinfo=ZONE), user_id=people[name].user_id, emergency=n == 3)
    a_call(at=datetime(2026, 11, 10, 10, tzinfo=ZONE), user_id=people["l1"].user_id)
    a_call(at=datetime(2026, 11, 2, 9, tzinfo=ZONE), user_id=people["a1"].user_id)
    return people


@pytest.mark.req("CALL-06", "EXT-16")
def test_a_week_is_drawn_once_and_can_be_drawn_again_by_anybody(centre):
    plan = actions.draw_week(place=DISTRICT, week=WEEK, by=THE_CLOCK)
    assert (plan.candidates, len(plan.seed)) == (11, 16)
    assert actions.draw_week(place=DISTRICT, week=WEEK, by=THE_CLOCK) is None
    reviews = list(Review.objects.all())
    assert {r.agent_id for r in reviews} == {centre[n].user_id for n in ("a1", "a2", "l1")}
    assert all(r.emergency for r in reviews if r.agent_id != centre["l1"].user_id), (
        "the month's first one is an emergency"
    )
    assert all(r.judge_id not in {r.agent_id, None} and "种子" in r.why for r in reviews)
    again = actions.drawn_again(plan)
    assert {p.call_id for p in again.picks} == {str(r.call.call_id) for r in reviews}
    with pytest.raises(DatabaseError), transaction.atomic():
        Plan.objects.filter(pk=plan.pk).update(seed="mine")
    with pytest.raises(NotAllowed, match="周一"):
        actions.draw_week(place=DISTRICT, week=date(2026, 11, 11), by=THE_CLOCK)
    with pytest.raises(NotAllowed, match="值班长或质检"):
        actions.draw_week(place=DISTRICT, week=date(2026, 11, 2), by=centre["a1"])


@pytest.mark.req("CALL-06", "EXT-16")
def test_a_call_that_somebody_chose_by_hand_does_not_stop_the_weeks_drawing(centre):
    """The lottery falls on the lead's only call, which is audited already: it stays one audit, and the others are drawn."""
    only = Call.objects.get(user_id=centre["l1"].user_id)
    known = actions.pick(call_id=str(only.call_id), by=centre["q1"], why="投诉涉及")
    plan = actions.draw_week(place=DISTRICT, week=WEEK, by=THE_CLOCK)
    assert {p.call_id for p in actions.drawn_again(plan).picks} == {str(r.call.call_id) for r in Review.objects.all()}
    assert Review.objects.get(agent_id=centre["l1"].user_id) == known
    assert Review.objects.filter(plan=plan).count() == 2


@pytest.mark.req("EXT-16")
def test_who_was_not_audited_at_all_stands_in_the_quota_too(centre):
    idle = User.objects.create(username="a3", name="许静")
    Posting.objects.create(user=idle, role=Role.AGENT, place=DISTRICT)
    actions.draw_week(place=DISTRICT, week=WEEK, by=THE_CLOCK)
    lines = {q.agent_name: q for q in queries.quota(date(2026, 11, 1))}
    assert (lines["许静"].drawn, lines["许静"].enough) == (0, False)
    assert queries.quota(date(2026, 9, 1)) == []


@pytest.mark.req("EXT-16")
def test_by_the_end_of_the_month_every_agent_was_audited_twice(centre):
    for week in (date(2026, 11, 2), WEEK, date(2026, 11, 16), date(2026, 11, 23), date(2026, 11, 30)):
        actions.draw_week(place=DISTRICT, week=week, by=THE_CLOCK)
    for review in Review.objects.all():
        judge = centre["q1"] if review.agent_id == centre["l1"].user_id else centre["l1"]
        actions.score(review_id=review.pk, answers=FULL, comment="", by=judge)
    lines = {q.agent_name: q for q in queries.quota(date(2026, 11, 1))}
    assert (lines["周晓岚"].drawn, lines["周晓岚"].enough, lines["周晓岚"].emergency) == (2, True, 1)
    assert lines["林佳"].enough is False, "she took one call only, and the plan says so"
    short = Plan.objects.get(week=date(2026, 11, 23)).short
    assert "可抽的只有 0 通" in short[str(centre["l1"].user_id)]


@pytest.mark.req("CALL-06")
def test_an_audit_is_scored_seen_by_the_agent_appealed_and_decided_by_somebody_else(centre, let_pass):
    call = a_call(user_id=centre["a1"].user_id)
    with pytest.raises(NotAllowed, match="自己的通话"):
        actions.pick(call_id=str(a_call(user_id=centre["l1"].user_id).call_id), by=centre["l1"], why="抽查")
    with pytest.raises(NotAllowed, match="为什么"):
        actions.pick(call_id=str(call.call_id), by=centre["q1"], why=" ")
    with pytest.raises(NotAllowed, match="没有坐席接听"):
        actions.pick(call_id=str(a_call(wait=None).call_id), by=centre["q1"], why="抽查")
    review = actions.pick(call_id=str(call.call_id), by=centre["q1"], why="投诉 TS-1 涉及")
    assert actions.pick(call_id=str(call.call_id), by=centre["l1"], why="抽查").pk == review.pk
    with pytest.raises(Review.DoesNotExist):
        queries.review(review.pk, centre["a1"])
    with pytest.raises(NotAllowed, match=r"还有 1 项没评：结束语"):
        actions.score(review_id=review.pk, answers=FULL | {"closing": None}, comment="", by=centre["q1"])
    actions.score(review_id=review.pk, answers=FULL | {"closing": 0}, comment="没有道别", by=centre["q1"])
    seen = queries.review(review.pk, centre["a1"])
    assert (seen.row.score, seen.row.polite, seen.comment, {m.name for m in seen.moves}) == (
        90.0,
        False,
        "没有道别",
        {"accept", "appeal"},
    )
    with pytest.raises(Review.DoesNotExist):
        queries.review(review.pk, centre["a2"])
    with pytest.raises(NotAllowed):
        actions.move(review_id=review.pk, move="accept", by=centre["a2"])
    actions.move(review_id=review.pk, move="appeal", by=centre["a1"], note="对方先挂的")
    with pytest.raises(NotAllowed, match="原评分人以外"):
        actions.move(review_id=review.pk, move="uphold", by=centre["q1"], note="不改")
    actions.move(
        review_id=review.pk, move="correct", by=centre["l1"], note="听录音属实", answers=FULL | {"closing": "na"}
    )
    review.refresh_from_db()
    assert (review.state, review.first_score, review.score, review.verdict) == ("closed", 90.0, 100.0, "听录音属实")


@pytest.mark.req("CALL-06")
def test_the_clock_presses_the_judge_and_settles_for_the_agent(centre, let_pass):
    actions.draw_week(place=DISTRICT, week=WEEK, by=THE_CLOCK)
    review = Review.objects.filter(agent_id=centre["a1"].user_id).first()
    let_pass(days=7, minutes=1)
    assert any(review.number in n.text for n in notices.inbox(review.judge_id))
    judge = next(c for c in centre.values() if c.user_id == review.judge_id)
    other = next(c for c in (centre["l1"], centre["q1"]) if c.user_id not in {review.judge_id, review.agent_id})
    actions.move(review_id=review.pk, move="pass_on", by=judge, note="本周休假", judge_id=other.user_id)
    with pytest.raises(NotAllowed, match="另一位"):
        actions.move(review_id=review.pk, move="pass_on", by=judge, note="给她自己", judge_id=review.agent_id)
    actions.score(review_id=review.pk, answers=FULL, comment="", by=other)
    let_pass(days=3, minutes=1)
    review.refresh_from_db()
    assert (review.state, review.judge_id) == ("closed", other.user_id)


@pytest.mark.req("CALL-06")
def test_forms_are_data_and_an_old_score_keeps_its_form(centre):
    old = actions.pick(call_id=str(a_call(user_id=centre["a1"].user_id).call_id), by=centre["q1"], why="抽查")
    with pytest.raises(NotAllowed, match="分值"):
        actions.put_form(
            code="call", name="新表", criteria=[{"code": "a", "label": "甲", "points": 0}], by=centre["q1"]
        )
    actions.put_form(code="call", name="新表", criteria=[{"code": "a", "label": "甲", "points": 5}], by=centre["q1"])
    new = actions.pick(call_id=str(a_call(user_id=centre["a2"].user_id).call_id), by=centre["q1"], why="抽查")
    assert (old.form.version, new.form.version, new.form.name) == (1, 2, "新表")
    actions.score(review_id=old.pk, answers=FULL, comment="", by=centre["q1"])
    actions.score(review_id=new.pk, answers={"a": 3}, comment="", by=centre["q1"])
    assert Review.objects.get(pk=new.pk).score == 60.0


@pytest.mark.req("CALL-09")
def test_accuracy_phrases_and_complaints_go_into_the_figures(centre, let_pass):
    since, until = datetime(2026, 11, 20, tzinfo=ZONE), datetime(2026, 11, 21, tzinfo=ZONE)
    for agent, answers in (("a1", FULL), ("a1", FULL | {"answer": 5}), ("a1", FULL | {"closing": 5}), ("a2", FULL)):
        review = actions.pick(call_id=str(a_call(user_id=centre[agent].user_id).call_id), by=centre["q1"], why="抽查")
        actions.score(review_id=review.pk, answers=answers, comment="", by=centre["q1"])
    call = a_call(user_id=centre["a1"].user_id)
    grievance = actions.complain(
        by=centre["a2"], source="phone", about="agent", content="不耐烦", place=PLACE, call_id=str(call.call_id)
    )
    assert grievance.agent_id == centre["a1"].user_id
    assert queries.counts(since=since, until=until)[""].complaints == 0
    actions.complaint_move(complaint_id=grievance.pk, move="formal", by=centre["a2"], note="道歉后仍不接受")
    whole = queries.counts(since=since, until=until)[""]
    assert (KPIS["answer_accuracy"].of(whole), KPIS["phrase_use"].of(whole), whole.complaints) == (75.0, 50.0, 1)
    agents = queries.counts(since=since, until=until, by="user")
    assert agents[str(centre["a1"].user_id)].complaints == 1
    assert KPIS["phrase_use"].of(agents[str(centre["a2"].user_id)]) == 100.0
    assert set(queries.counts(since=since, until=until, by="day")) == {"2026-11-20T00:00"}
    assert set(queries.counts(since=since, until=until, by="week")) == {"2026-11-16T00:00"}


@pytest.mark.req("CMP-01", "CMP-02", "CALL-12")
def test_talking_comes_first_and_only_what_it_does_not_settle_is_a_complaint(centre, let_pass):
    talked = actions.complain(
        by=centre["a1"], source="letter", about="device", content="按钮太硬", place=PLACE, name="王奶奶"
    )
    actions.complaint_move(complaint_id=talked.pk, move="talked_out", by=centre["a1"], note="约了换新")
    talked.refresh_from_db()
    assert (talked.state, talked.formal_at, talked.closed_at is not None) == ("settled", None, True)
    against = actions.complain(
        by=centre["a1"], source="phone", about="agent", content="不耐烦", place=PLACE, agent_id=centre["a1"].user_id
    )
    with pytest.raises(NotAllowed, match="您本人"):
        actions.complaint_move(complaint_id=against.pk, move="talked_out", by=centre["a1"], note="没事了")
    actions.complaint_move(complaint_id=against.pk, move="talked_out", by=centre["a2"], note="已致歉")
    formal = actions.complain(by=centre["a1"], source="media", about="rescue", content="来得慢", place=PLACE)
    actions.complaint_move(complaint_id=formal.pk, move="formal", by=centre["a1"], note="要求书面答复")
    with pytest.raises(NotAllowed, match="是否属实"):
        actions.complaint_move(complaint_id=formal.pk, move="answer", by=centre["l1"], note="已答复")
    with pytest.raises(NotAllowed, match="双方"):
        actions.complaint_move(complaint_id=formal.pk, move="answer", by=centre["l1"], note="已答复", valid=False)
    for duty in ("heard_client", "heard_other"):
        actions.complaint_tick(complaint_id=formal.pk, duty=duty, by=centre["l1"])
    actions.complaint_move(
        complaint_id=formal.pk, move="answer", by=centre["l1"], note="录音与记录均在时限内", valid=False
    )
    actions.complaint_move(complaint_id=formal.pk, move="content", by=centre["a1"])
    formal.refresh_from_db()
    assert (formal.state, formal.valid, formal.outcome) == ("closed", False, "录音与记录均在时限内")
    assert [c.number for c in queries.complaints(state="formal")] == [formal.number]
    for given, said in (
        ({"content": " "}, "客户的意见"),
        ({"source": "x"}, "来源"),
        ({"call_id": "no"}, "没有这通电话"),
    ):
        with pytest.raises(NotAllowed, match=said):
            actions.complain(
                **({"by": centre["a1"], "source": "phone", "about": "fee", "content": "贵", "place": PLACE} | given)
            )


@pytest.mark.req("CMP-02")
def test_a_complaint_is_pressed_after_a_day_of_talking_and_after_five_working_days(centre, let_pass):
    made = actions.complain(by=centre["a1"], source="phone", about="fee", content="贵", place=PLACE)
    actions.complaint_move(complaint_id=made.pk, move="formal", by=centre["a1"], note="要求答复")
    due = Complaint.objects.get().due_at.astimezone(ZONE)
    assert due == datetime(2026, 11, 27, 12, 0, tzinfo=ZONE), "Friday noon and five working days: the next Friday noon"
    assert let_pass(timedelta(days=8)) >= 1


@pytest.mark.req("CALL-06")
def test_every_monday_the_districts_are_drawn(centre, let_pass):
    from anju.accounts.permissions import THE_PLATFORM
    from anju.places import actions as places

    places.put_place(code=DISTRICT, name="望潮区", by=THE_PLATFORM)
    jobs.draw()
    assert Plan.objects.get().week == WEEK
    jobs.draw()
    assert Plan.objects.count() == 1
