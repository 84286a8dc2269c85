"""How long a door stays shut or open: personal limits within bounds, by the time of day."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from anju.alarms import door
from anju.alarms.door import AJAR, HOUR, STILL, DoorRhythm, ajar_at, still_at

DAY = 738_000


def clock(at: float) -> tuple[int, float]:
    return DAY + int(at // 86_400), at / HOUR % 24


def taught(gap: float, days: int = 60) -> DoorRhythm:
    learnt = DoorRhythm()
    n = int(days * 24 / gap)
    for i in range(n):
        learnt.shut_for(hours=gap, day=DAY + int(i * gap / 24))
    return learnt


@pytest.mark.req("SEN-02")
def test_who_goes_out_daily_is_asked_sooner_than_who_seldom_opens_the_door() -> None:
    daily, seldom, new = taught(14.0), taught(46.0), DoorRhythm()
    at = DAY + 60
    assert STILL[0] <= daily.still(at) < min(seldom.still(at), new.still(at))
    assert max(seldom.still(at), new.still(at)) <= STILL[1]
    assert daily.still(at) < 36


@pytest.mark.req("SEN-02")
@given(
    gaps=st.lists(st.tuples(st.integers(0, 59), st.floats(1, 500)), max_size=60), part=st.sampled_from(["day", "night"])
)
def test_no_limit_leaves_its_bounds_whatever_was_learnt(gaps: list[tuple[int, float]], part: str) -> None:
    learnt = DoorRhythm()
    for day, hours in sorted(gaps):
        learnt.shut_for(hours=hours, day=DAY + day)
        learnt.open_for(minutes=hours, day=DAY + day, part=part)
    assert STILL[0] <= learnt.still(DAY + 60) <= STILL[1]
    assert AJAR[part][0] <= learnt.ajar(part) <= AJAR[part][2]
    assert DoorRhythm.of(learnt.packed()).still(DAY + 60) == learnt.still(DAY + 60)


@pytest.mark.req("SEN-02")
@given(hour=st.floats(0, 48))
def test_a_shut_door_is_asked_about_by_day_and_an_open_one_sooner_at_night(hour: float) -> None:
    learnt = DoorRhythm()
    at = still_at(hour * HOUR, learnt, clock)
    assert door.WAKING - 1e-6 <= clock(at)[1] < 20 + 1e-6
    ajar = ajar_at(hour * HOUR, learnt, clock) - hour * HOUR
    night = door.part_of(hour % 24) == "night"
    assert ajar == pytest.approx(900) if night else 900 - 1e-3 <= ajar <= 3600 + 1e-3


def test_who_airs_for_two_hours_each_day_is_let_be_and_what_cannot_be_read_is_left_out() -> None:
    learnt = DoorRhythm()
    for n in range(10):
        learnt.open_for(minutes=120, day=DAY + n, part="day")
    assert learnt.ajar("day") == 150
    assert learnt.ajar("night") == 15
    assert DoorRhythm.of({"gaps": [["x"]], "first": None}).gaps == []
