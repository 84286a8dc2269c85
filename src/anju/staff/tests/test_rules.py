"""Coverage and hours, whatever the roster looks like."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from anju.alarms.rules import BY_DTY, BY_STC, RULES
from anju.staff.rules import (
    ALARMS,
    NEEDS,
    OnDuty,
    cover,
    gaps,
    next_slots,
    overlaps,
    reachable,
    shifts_from,
    too_long,
    worth_telling,
)

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


@pytest.mark.req("EXT-01")
def test_every_type_of_alarm_is_mapped_to_who_answers_it() -> None:
    """The alarm table, word for word, with every code of SCAIP that leads into it, and calls in need."""
    by_hand = {"call": "来电求助"}
    assert {a.kind: a.label for a in ALARMS.values()} == {r.kind: r.label for r in RULES.values()} | by_hand
    assert set(BY_DTY.values()) | set(BY_STC.values()) <= set(ALARMS)
    known = {n.code for n in NEEDS}
    for alarm in ALARMS.values():
        technical = alarm.kind in RULES and RULES[alarm.kind].technical
        assert set(alarm.needs) <= known
        assert technical == ("field" in alarm.needs), "technical alarms are for the field, emergencies for the seats"
        if not technical:
            assert {"seats", "lead"} < set(alarm.needs), "and for a skill"
    assert all(n.alarms for n in NEEDS), "no need without an alarm"


@pytest.mark.req("EXT-01")
def test_a_skill_counts_where_the_centre_keeps_it() -> None:
    lead = OnDuty(1, "lead", at(0), at(8), frozenset({"rescue", "care"}))
    agent = OnDuty(2, "agent", at(0), at(8), frozenset({"health"}))
    assert gaps([lead, agent], at(0), at(8)) == []
    lacks = gaps([lead, agent], at(0), at(8), kept={"rescue", "fire", "health", "care"})
    assert [g.need.code for g in lacks] == ["fire"]
    assert lacks[0].need.alarms == "燃气泄漏、烟雾报警、一氧化碳报警、漏水报警"
    lines = cover([lead, agent], at(0), at(8), kept={"fire"})
    assert {needs: [n.code for n in c.missing] for needs, c in lines.items() if c.missing} == {
        ALARMS["gas"].needs: ["fire"]
    }
    nobody = gaps([], at(0), at(8), kept={"fire"})
    assert "fire" in {g.need.code for g in nobody}
    assert {g.need.code for g in worth_telling(nobody)} == {"seats", "lead", "field"}


def test_the_shifts_that_come_begin_with_the_one_that_runs() -> None:
    evening = datetime(2026, 11, 22, 23, 30, tzinfo=UTC)
    names = [(name, start.day, start.hour) for name, start, _ in shifts_from(evening, 4)]
    assert names == [("中班", 22, 16), ("夜班", 23, 0), ("早班", 23, 8), ("中班", 23, 16)]


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
