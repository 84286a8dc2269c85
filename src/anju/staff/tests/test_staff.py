"""The roster through its verbs: who may, what is refused, what is never forgotten."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import datetime, timedelta

import pytest
from django.db import DatabaseError, transaction

from anju.accounts import queries as accounts
from anju.accounts.roles import Role
from anju.accounts.tests.factories import make_user
from anju.kernel import clock, facts, hooks
from anju.kernel.flow.actor import Actor, NotAllowed
from anju.kernel.scope import EVERYWHERE, seen_by
from anju.places.tests.factories import make_district
from anju.staff import actions, jobs, queries, rules
from anju.staff.facts import BookingNear, CoverageGap, HandOverLate
from anju.staff.models import Booking, Duty, HandOver

pytestmark = pytest.mark.django_db
PLACE = "330199000000"
Pass = Callable[[timedelta], object]


@pytest.fixture(autouse=True)
def _scope(db: None) -> Iterator[None]:
    make_district()
    with seen_by(EVERYWHERE):
        yield


@pytest.fixture
def told(monkeypatch: pytest.MonkeyPatch) -> list[object]:
    heard: list[object] = []
    monkeypatch.setattr(facts, "_reactions", {})
    for fact in (CoverageGap, HandOverLate, BookingNear):
        facts.reacts(fact, heard.append)
    return heard


def person(name: str, *roles: Role) -> Actor:
    return accounts.actor_of(make_user(*roles, place=PLACE, username=name))


def hour(n: float) -> datetime:
    return clock.now().replace(minute=0, second=0, microsecond=0) + timedelta(hours=n)


def put(by: Actor, who: Actor, post: str, start: float, end: float) -> Duty:
    assert who.user_id is not None
    return actions.plan(by=by, place=PLACE, user_id=who.user_id, post=post, start=hour(start), end=hour(end))


@pytest.mark.req("CALL-10")
def test_a_duty_is_planned_by_a_lead_and_struck_with_a_reason() -> None:
    lead, agent = person("lead", Role.LEAD), person("agent", Role.AGENT)
    duty = put(lead, agent, "agent", 1, 9)
    for wrong, words in (
        (lambda: put(agent, agent, "agent", 20, 22), "值班长"),
        (lambda: put(lead, agent, "lead", 20, 22), "没有"),
        (lambda: put(lead, agent, "agent", 8, 10), "已排过"),
        (lambda: put(lead, agent, "agent", 12, 20), "12 小时"),
        (lambda: put(lead, agent, "agent", 40, 60), "12 小时"),
        (lambda: actions.strike(by=lead, duty_id=duty.pk, why=" "), "原因"),
    ):
        with pytest.raises(NotAllowed, match=words):
            wrong()
    assert len(queries.roster(hour(0), hour(24))) == 1
    actions.strike(by=lead, duty_id=duty.pk, why="生病")
    assert queries.roster(hour(0), hour(24)) == []
    assert Duty.objects.get().struck_why == "生病"
    put(lead, agent, "agent", 1, 9)


@pytest.mark.req("CALL-10")
def test_the_leads_on_duty_are_paged_and_all_of_them_when_the_roster_is_empty(let_pass: Pass) -> None:
    first, second = person("lead1", Role.LEAD), person("lead2", Role.LEAD)
    assert {u.id for u in accounts.on_duty_leads(PLACE)} == {first.user_id, second.user_id}
    put(first, second, "lead", 0, 8)
    let_pass(timedelta(minutes=1))
    assert [u.id for u in accounts.on_duty_leads(PLACE)] == [second.user_id]
    let_pass(timedelta(hours=8))
    assert {u.id for u in accounts.on_duty_leads(PLACE)} == {first.user_id, second.user_id}


@pytest.mark.req("CALL-10")
def test_before_a_shift_somebody_is_told_which_alarms_nobody_would_answer(told: list[object]) -> None:
    lead, agent = person("lead", Role.LEAD), person("agent", Role.AGENT)
    put(lead, lead, "lead", 0, 6)
    put(lead, agent, "agent", 0, 4)
    jobs.look_ahead()
    texts = [f.text for f in told if isinstance(f, CoverageGap)]
    assert any("A、B 双席" in t and "在岗 1" in t for t in texts)
    assert any("缺值班长" in t for t in texts)
    told.clear()
    put(lead, person("agent2", Role.AGENT), "agent", 4, 12)
    put(lead, person("lead2", Role.LEAD), "lead", 6, 12)
    assert actions.check_coverage(place=PLACE, start=hour(0), end=hour(12)) == []
    assert told == []


@pytest.mark.req("CALL-10")
def test_a_gap_that_goes_on_is_told_once_and_not_with_every_look(let_pass: Pass, told: list[object]) -> None:
    lead = person("lead", Role.LEAD)
    put(lead, lead, "lead", 0, 12)
    for _ in range(6):
        jobs.look_ahead()
        let_pass(timedelta(minutes=10))
    seats = {f.occasion for f in told if isinstance(f, CoverageGap) and f.occasion.startswith("gap:seats")}
    assert len(seats) == 1, "the same gap has the same name an hour later"


@pytest.mark.req("EXT-01")
def test_a_skill_that_nobody_of_the_shift_has_is_told_before_it_begins(
    told: list[object], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Enough people, none of them trained for fire: the lead reads which alarms, once."""
    lead, agent = person("lead", Role.LEAD), person("agent", Role.AGENT)
    trained = person("trained", Role.AGENT)
    put(lead, lead, "lead", 0, 12)
    put(lead, agent, "agent", 0, 12)
    skills = {trained.user_id: frozenset({"fire"}), agent.user_id: frozenset({"health"})}
    monkeypatch.setitem(hooks._answers, "skills", lambda: skills)
    jobs.look_ahead()
    jobs.look_ahead()
    texts = {f.text for f in told if isinstance(f, CoverageGap)}
    assert len({f.occasion for f in told if isinstance(f, CoverageGap)}) == 1
    assert any("缺火灾燃气处置" in t and "燃气泄漏" in t for t in texts)
    shift = next(s for s in queries.coverage(place=PLACE, many=1))
    assert shift.gap
    assert queries.skills_kept() == ["火灾燃气处置", "健康急救指导"]
    put(lead, trained, "agent", 0, 12)
    told.clear()
    jobs.look_ahead()
    assert told == []


@pytest.mark.req("EXT-01")
def test_a_shift_that_has_begun_without_its_people_at_the_desks_is_told_once(
    let_pass: Pass, told: list[object], monkeypatch: pytest.MonkeyPatch
) -> None:
    lead = person("lead", Role.LEAD)
    here = {lead.user_id: frozenset({"lead"})}
    name, start, _ = rules.shifts_from(clock.local(clock.now()), 2)[1]
    let_pass(start - clock.now() + timedelta(minutes=2))
    monkeypatch.setitem(hooks._answers, "seats_here", lambda: here)
    assert actions.check_present(place=PLACE) == [], "they may still be logging in"
    let_pass(timedelta(minutes=4))
    for _ in range(2):
        assert [n.code for n in actions.check_present(place=PLACE)] == ["seats"]
        let_pass(timedelta(minutes=10))
    assert len({f.occasion for f in told if isinstance(f, CoverageGap)}) == 1
    assert any(name in f.text and "只有 1 人在线" in f.text for f in told if isinstance(f, CoverageGap))
    here[-1] = frozenset({"agent"})
    assert actions.check_present(place=PLACE) == []
    monkeypatch.setitem(hooks._answers, "seats_here", lambda: None)
    here.clear()
    assert actions.check_present(place=PLACE) == [], "without a switchboard nobody can be asked"


@pytest.mark.req("CALL-10")
def test_next_week_is_this_week_and_not_the_night_that_came_over_from_the_week_before() -> None:
    lead, night, other = person("lead", Role.LEAD), person("night", Role.AGENT), person("other", Role.AGENT)
    monday = datetime(2026, 11, 23, tzinfo=clock.SHANGHAI)
    for who, start in ((night, monday - timedelta(hours=4)), (other, monday + timedelta(days=6, hours=20))):
        assert who.user_id is not None
        actions.plan(
            by=lead, place=PLACE, user_id=who.user_id, post="agent", start=start, end=start + timedelta(hours=12)
        )
    assert actions.copy_week(by=lead, place=PLACE, monday=monday) == 1
    sunday = monday + timedelta(days=6, hours=23)
    assert [d.user_id for d in queries.roster(sunday, sunday + timedelta(hours=1))] == [other.user_id]
    assert len(queries.roster(sunday + timedelta(days=7), sunday + timedelta(days=7, hours=1))) == 1


@pytest.mark.req("CALL-10")
def test_nobody_is_on_duty_in_two_districts_at_once() -> None:
    lead, agent = person("lead", Role.LEAD), person("agent", Role.AGENT)
    put(lead, agent, "agent", 1, 9)
    assert agent.user_id is not None
    with pytest.raises(NotAllowed, match="已排过"):
        actions.plan(by=lead, place="330198000000", user_id=agent.user_id, post="agent", start=hour(8), end=hour(10))


@pytest.mark.req("CALL-05")
def test_a_shift_that_nobody_wrote_up_is_pressed_for_when_it_ends(let_pass: Pass, told: list[object]) -> None:
    lead = person("lead", Role.LEAD)
    put(lead, lead, "lead", 0, 0.5)
    jobs.look_ahead()
    let_pass(hour(0.5) - clock.now() + timedelta(minutes=14))
    assert HandOver.objects.get().state == "writing"
    let_pass(timedelta(minutes=17))
    assert HandOver.objects.get().state == "offered"
    assert [f for f in told if isinstance(f, HandOverLate)], "half an hour after the shift, not half a day"


@pytest.mark.req("CALL-05")
def test_a_shift_is_handed_over_to_somebody_else_or_pressed_for(let_pass: Pass, told: list[object]) -> None:
    lead, other = person("lead", Role.LEAD), person("lead2", Role.LEAD)
    put(lead, lead, "lead", 0, 0.5)
    jobs.look_ahead()
    jobs.look_ahead()
    sheet = HandOver.objects.get()
    with pytest.raises(NotAllowed, match="交班内容"):
        actions.offer(by=lead, hand_over_id=sheet.pk, text="无", facts={})
    actions.offer(by=lead, hand_over_id=sheet.pk, text="2 件未结，1 通待回拨", facts={"open": 2})
    with pytest.raises(NotAllowed, match="自己"):
        actions.take(by=lead, hand_over_id=sheet.pk)
    actions.give_back(by=other, hand_over_id=sheet.pk, why="没写待回拨是谁")
    actions.offer(by=lead, hand_over_id=sheet.pk, text="2 件未结，待回拨：周奶奶", facts={"open": 2})
    let_pass(timedelta(minutes=16))
    assert [f for f in told if isinstance(f, HandOverLate)]
    actions.take(by=other, hand_over_id=sheet.pk)
    sheet.refresh_from_db()
    assert (sheet.state, sheet.to_lead_id, sheet.facts) == ("taken", other.user_id, {"open": 2})
    told.clear()
    let_pass(timedelta(hours=1))
    assert told == []


@pytest.mark.req("CALL-07")
def test_an_expert_off_duty_is_booked_reminded_and_never_forgotten(let_pass: Pass, told: list[object]) -> None:
    lead, agent = person("lead", Role.LEAD), person("agent", Role.AGENT)
    with pytest.raises(NotAllowed, match="周一"):
        actions.save_expert(by=lead, place=PLACE, name="沈医生", field="doctor", hours={"0": [["11:00", "09:00"]]})
    everyday = {str(day): [["09:00", "11:00"]] for day in range(7)}
    doctor = actions.save_expert(
        by=lead, place=PLACE, name="沈医生", field="doctor", hours=everyday, phone="14400000001"
    )
    (view,) = queries.experts(field="doctor")
    assert not view.now
    slot = view.slots[0]
    want = {"by": agent, "expert_id": doctor.pk, "phone": "14400000002", "about": "血压高，问用药"}
    with pytest.raises(NotAllowed, match="不值守"):
        actions.book(at=slot + timedelta(hours=6), **want)
    booking = actions.book(at=slot, **want)
    with pytest.raises(NotAllowed, match="约走"):
        actions.book(at=slot, **want)
    assert queries.experts()[0].slots[0] != slot
    let_pass(slot - clock.now() - timedelta(minutes=9))
    jobs.remind()
    jobs.remind()
    assert [f.missed for f in told if isinstance(f, BookingNear)] == [False]
    let_pass(timedelta(minutes=50))
    assert Booking.objects.get().state == "missed"
    assert [f.missed for f in told if isinstance(f, BookingNear)] == [False, True]
    with pytest.raises(NotAllowed, match="结果"):
        actions.move_booking(by=agent, booking_id=booking.pk, move="done")
    tomorrow = slot + timedelta(days=1)
    second = actions.book(at=tomorrow + timedelta(minutes=30), **want)
    for wrong, words in ((tomorrow + timedelta(hours=6), "不值守"), (second.at, "约走")):
        with pytest.raises(NotAllowed, match=words):
            actions.move_booking(by=agent, booking_id=booking.pk, move="moved", at=wrong, note="改明天")
    actions.move_booking(by=agent, booking_id=second.pk, move="cancelled", note="不来了")
    actions.move_booking(by=agent, booking_id=booking.pk, move="moved", at=tomorrow, note="改明天")
    actions.move_booking(by=agent, booking_id=booking.pk, move="done", note="已通话，建议门诊")
    assert queries.bookings() == []


def test_a_state_is_never_written_past_the_table() -> None:
    lead = person("lead", Role.LEAD)
    sheet = actions.begin_hand_over(place=PLACE, ends_at=hour(1), from_lead_id=lead.user_id)
    with pytest.raises(DatabaseError), transaction.atomic():
        HandOver.objects.filter(pk=sheet.pk).update(state="taken")
