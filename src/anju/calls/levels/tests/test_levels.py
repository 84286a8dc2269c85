"""When a queue falls behind, the right seat is proposed, never the last one, and it goes back."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pgtrigger
import pytest
from django.contrib.auth import get_user_model
from hypothesis import given
from hypothesis import strategies as st

from anju.calls.levels import actions, queries
from anju.calls.levels.models import LevelRule, Proposal
from anju.calls.levels.rules import QueueNow, SeatNow, propose
from anju.calls.models import Call, Queue, SeatState
from anju.kernel import clock
from anju.kernel.flow.actor import NotAllowed

pytestmark = pytest.mark.req("CALL-10")

LOW = QueueNow("service", "服务", waiting=3, longest_wait=70, calls=10, level=40.0)
FINE = QueueNow("sos", "紧急", waiting=0, longest_wait=0, calls=10, level=100.0, urgent=True)


def seat(n: int, queue: str = "sos", **given) -> SeatNow:
    return SeatNow(n, f"坐席{n}", f"80{n:02d}", given.pop("state", "ready"), queue, **given)


def test_a_queue_in_trouble_gets_a_seat_from_one_that_can_spare_it_and_says_why():
    move = propose([LOW, FINE], [seat(1), seat(2), seat(3)])
    assert [(m.extension, m.from_queue, m.to_queue) for m in move] == [
        ("8001", "sos", "service"),
        ("8002", "sos", "service"),
    ]
    assert "3 通在等，最长 70 秒" in move[0].why
    assert "20 秒内接起 40 %（目标 80 %" in move[0].why
    assert "“紧急”有余" in move[0].why


@pytest.mark.parametrize(
    ("seats", "why"),
    [
        ([seat(1)], "the last ready seat stays"),
        ([seat(1, state="talking"), seat(2)], "who talks is not idle"),
        ([seat(1, rested=False), seat(2)], "who was just moved rests"),
        ([seat(1, is_lead=True), seat(2)], "the lead is not a reserve"),
        ([seat(1, queue="service"), seat(2, queue="service")], "they are there already"),
        ([], "nobody is there"),
    ],
)
def test_nobody_is_moved_who_must_not_be(seats, why):
    assert propose([LOW, FINE], seats) == [], why


def test_skills_count_except_for_emergencies():
    dialect = replace(LOW, skills=frozenset({"hang"}))
    both = [seat(1), seat(2, skills=frozenset({"hang"})), seat(3)]
    assert [m.extension for m in propose([dialect, FINE], both)] == ["8002"]
    urgent = replace(dialect, urgent=True)
    assert len(propose([urgent, FINE], both)) == 2


def test_a_level_of_two_calls_says_nothing_and_a_queue_in_trouble_gives_nobody():
    assert propose([replace(LOW, calls=2, waiting=0), FINE], [seat(1), seat(2)]) == []
    assert propose([LOW, replace(FINE, waiting=2, longest_wait=90)], [seat(1), seat(2), seat(3)]) == []


def test_a_level_of_the_past_drains_no_other_queue_seat_by_seat():
    """The level stays low for the whole window; who was moved a minute ago sits there free, so nobody else is needed."""
    after = replace(LOW, waiting=0, longest_wait=0)
    moved = seat(1, queue="service", came_from="sos", rested=False)
    others = [seat(n) for n in range(2, 9)]
    assert propose([after, FINE], [moved, *others]) == []
    assert len(propose([after, FINE], [replace(moved, state="talking"), *others])) == 1
    assert len(propose([replace(LOW, waiting=3), FINE], [moved, *others])) == 2, "three wait and one is free: two more"


def test_when_all_is_well_the_seat_goes_home():
    away = seat(1, queue="service", came_from="sos")
    well = replace(LOW, waiting=0, level=95.0)
    assert [(m.from_queue, m.to_queue) for m in propose([well, FINE], [away])] == [("service", "sos")]
    assert propose([LOW, FINE], [away]) == []


states = st.sampled_from(["ready", "talking", "break", "wrap_up", "off"])
codes = st.sampled_from(["", "a", "b", "c"])


figures_of_three = st.lists(
    st.tuples(st.integers(0, 5), st.integers(0, 200), st.integers(0, 9), st.none() | st.floats(0, 100)),
    min_size=3,
    max_size=3,
)


@given(figures_of_three, st.lists(st.tuples(states, codes, st.booleans()), max_size=12))
def test_whatever_stands_no_queue_loses_its_last_ready_seat(figures, chairs):
    queues = [QueueNow(c, c, w, float(x), n, v) for c, (w, x, n, v) in zip("abc", figures, strict=True)]
    seats = [seat(n, queue=q, state=s, rested=r) for n, (s, q, r) in enumerate(chairs)]
    moves = propose(queues, seats)
    assert len(moves) <= 2
    assert len({m.user_id for m in moves}) == len(moves)
    for queue in {m.from_queue for m in moves}:
        before = sum(s.queue == queue and s.state == "ready" for s in seats)
        assert before - sum(m.from_queue == queue for m in moves) >= 1
    by = {q.code: q for q in queues}
    assert all(by[m.to_queue].trouble and not (m.from_queue in by and by[m.from_queue].trouble) for m in moves)


@pytest.fixture
def floor(db, everywhere, let_pass):
    """An emergency queue with three idle seats, a service queue where three callers wait."""
    sos, _ = Queue.objects.get_or_create(code="emergency", defaults={"name": "紧急", "priority": 9, "emergency": True})
    service, _ = Queue.objects.get_or_create(code="service", defaults={"name": "服务", "priority": 1})
    for n in (1, 2, 3):
        user = get_user_model().objects.create(username=f"a{n}", name=f"坐席{n}", seat_number=f"80{n:02d}")
        SeatState.objects.create(
            user=user, extension=f"80{n:02d}", state="ready", registered=True, since=clock.now(), queue=sos
        )
    for n in (80, 60, 20):
        with pgtrigger.ignore("calls.Call:guard_call"):
            Call.objects.create(
                state="queued",
                place="330199001001",
                direction="in",
                purpose="service_in",
                queue=service,
                planned_at=clock.now() - timedelta(seconds=n),
            )
    return service


def test_the_lead_moves_a_seat_with_one_click(floor, an_actor):
    lead = an_actor("lead", name="林佳", user_id=9)
    first, second = actions.look()
    assert actions.look() == [], "what is offered is not offered twice"
    assert {p.extension for p in queries.proposals()} == {"8001", "8002"}
    with pytest.raises(NotAllowed, match="值班长"):
        actions.take(proposal_id=first.pk, by=an_actor("agent", user_id=1))
    actions.take(proposal_id=first.pk, by=lead)
    assert SeatState.objects.get(user_id=first.user_id).queue == floor
    with pytest.raises(NotAllowed, match="已办理"):
        actions.take(proposal_id=first.pk, by=lead)
    actions.decline(proposal_id=second.pk, by=lead)
    actions.look()
    assert second.user_id not in {p.user_id for p in queries.proposals()}
    assert {p.state for p in queries.history()} == {"taken", "declined"}


def test_a_proposal_that_is_no_longer_needed_lapses(floor):
    first = actions.look()[0]
    Call.objects.update(ended_at=clock.now(), answered_at=clock.now() - timedelta(seconds=1))
    LevelRule.objects.create(queue=floor, target_percent=1)
    actions.look()
    first.refresh_from_db()
    assert first.state == Proposal.State.LAPSED


def test_where_the_rule_says_so_it_happens_by_itself_and_goes_back(floor, let_pass, an_actor):
    lead = an_actor("lead", name="林佳", user_id=9)
    with pytest.raises(NotAllowed, match="值班长"):
        actions.set_rule(
            queue="service",
            by=an_actor("agent"),
            within_seconds=20,
            target_percent=80,
            window_minutes=15,
            longest_wait_seconds=45,
            seats_kept=1,
            automatic=True,
        )
    with pytest.raises(NotAllowed, match="超出范围"):
        actions.set_rule(
            queue="service",
            by=lead,
            within_seconds=1,
            target_percent=80,
            window_minutes=15,
            longest_wait_seconds=45,
            seats_kept=1,
            automatic=True,
        )
    actions.set_rule(
        queue="service",
        by=lead,
        within_seconds=20,
        target_percent=80,
        window_minutes=15,
        longest_wait_seconds=45,
        seats_kept=1,
        automatic=True,
    )
    moved = actions.look()
    assert {p.state for p in moved} == {"automatic"}
    assert SeatState.objects.filter(queue=floor).count() == 2
    Call.objects.update(ended_at=clock.now(), answered_at=clock.now() - timedelta(seconds=1))
    let_pass(minutes=20)
    actions.look()
    assert SeatState.objects.filter(queue=floor).count() == 0
    assert queries.proposals() == []
