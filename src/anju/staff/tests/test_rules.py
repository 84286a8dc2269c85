"""Coverage and hours, whatever the roster looks like."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from anju.staff.rules import NEEDS, OnDuty, gaps, next_slots, overlaps, reachable, too_long

DAY = datetime(2026, 11, 23, tzinfo=UTC)


def at(hour: float) -> datetime:
    return DAY + timedelta(hours=hour)


duties = st.builds(
    lambda user, post, start, length: OnDuty(user, post, at(start), at(start + length)),
    st.integers(1, 5),
    st.sampled_from(["agent", "lead", "dispatcher"]),
    st.integers(0, 23),
    st.integers(1, 12),
)


@pytest.mark.req("CALL-10")
@given(st.lists(duties, max_size=12))
def test_a_moment_is_in_a_gap_exactly_when_too_few_are_there(roster: list[OnDuty]) -> None:
    found = gaps(roster, at(0), at(24))
    for need in NEEDS:
        for hour in range(24):
            moment = at(hour + 0.5)
            there = len({d.user_id for d in roster if d.start <= moment < d.end and d.post in need.posts})
            missing = [g for g in found if g.need == need and g.start <= moment < g.end]
            assert bool(missing) == (there < need.least)
            assert all(g.there == there for g in missing)


def test_a_lead_who_is_alone_counts_for_one_seat_only() -> None:
    alone = [OnDuty(1, "lead", at(0), at(12))]
    assert {g.need.code for g in gaps(alone, at(0), at(12))} == {"seats"}
    two = [*alone, OnDuty(2, "agent", at(0), at(12))]
    assert gaps(two, at(0), at(12)) == []
    assert gaps(two, at(0), at(13))[0].start == at(12)


def test_nobody_is_planned_twice_or_for_more_than_twelve_hours() -> None:
    roster = [OnDuty(1, "agent", at(0), at(8))]
    assert overlaps(roster, 1, at(7), at(9))
    assert not overlaps(roster, 1, at(8), at(9))
    assert not overlaps(roster, 2, at(0), at(9))
    assert too_long(roster, 1, at(10), at(16))
    assert not too_long(roster, 1, at(16), at(24))
    assert not too_long(roster, 2, at(10), at(16))


@pytest.mark.req("CALL-07")
def test_an_expert_is_reached_in_her_hours_and_offered_at_free_ones() -> None:
    hours = {0: [(time(9), time(11))], 2: [(time(22), time(0))]}
    assert reachable(hours, at(9))
    assert reachable(hours, at(10.9))
    assert not reachable(hours, at(11))
    assert not reachable(hours, at(33))
    assert reachable(hours, at(48 + 23.9))
    assert not reachable(hours, at(9), away={date(2026, 11, 23)})
    slots = next_slots(hours, at(9.1), {at(10)}, many=4)
    assert slots == [at(9.5), at(10.5), at(48 + 22), at(48 + 22.5)]
