"""Values of health against a person's limits: repeat, sustained, extreme, impossible."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from anju.alarms.measures import ALARM, FINE, MEASURES, OFF, REPEAT, Before, Limits, fault, judge

HOUR = 3600.0
SYS = MEASURES["systolic"]


@pytest.mark.req("SEN-07")
def test_one_value_beyond_is_repeated_two_are_an_alarm_and_an_extreme_one_is_at_once() -> None:
    assert judge(SYS, 130, 0, []).kind == FINE
    first = judge(SYS, 172, 0, [])
    assert (first.kind, "复测" in first.words) == (REPEAT, True)
    again = judge(SYS, 170, 600, [Before(0, 172)])
    assert again.kind == ALARM
    assert "12 小时内 2 次" in again.words
    assert judge(SYS, 205, 0, []).kind == ALARM
    assert judge(SYS, 172, 0, [Before(-600, 80)]).kind == REPEAT  # low before, high now: neither lasts
    assert judge(SYS, 172, 13 * HOUR, [Before(0, 172)]).kind == REPEAT


@pytest.mark.req("SEN-07")
def test_what_no_body_can_have_is_neither_believed_nor_ignored() -> None:
    assert judge(SYS, 400, 0, []).kind == OFF
    assert judge(MEASURES["spo2"], 20, 0, [Before(-60, 85)]).kind == OFF
    assert judge(SYS, 172, 0, [Before(-600, 400)]).kind == REPEAT


@pytest.mark.req("SEN-07")
def test_a_doctors_limits_are_hers() -> None:
    used_to_it = Limits(high=185)
    assert judge(SYS, 175, 0, [Before(-600, 176)], used_to_it).kind == FINE
    assert judge(SYS, 190, 0, [Before(-600, 188)], used_to_it).kind == ALARM
    assert judge(SYS, 202, 0, [], Limits(high=210)).kind == FINE
    assert fault("systolic", 150, 120)
    assert fault("systolic", None, None)
    assert fault("mood", 1, 2)
    assert not fault("systolic", 85, 185)


@pytest.mark.req("SEN-07")
@given(
    code=st.sampled_from(sorted(MEASURES)), values=st.lists(st.floats(0, 300), min_size=1, max_size=6), data=st.data()
)
def test_whatever_is_measured_in_whatever_order_the_verdict_is_one_of_four_and_never_kind_to_extremes(
    code: str, values: list[float], data: st.DataObject
) -> None:
    measure = MEASURES[code]
    before = [Before(n * 60.0, v) for n, v in enumerate(values[:-1])]
    told = judge(measure, values[-1], 1000.0, data.draw(st.permutations(before)))
    assert told == judge(measure, values[-1], 1000.0, before)
    assert told.kind in {FINE, REPEAT, ALARM, OFF}
    assert measure.label in told.words
    low, high = measure.possible
    if measure.extreme_high is not None and measure.extreme_high < values[-1] <= high:
        assert told.kind == ALARM
    if measure.extreme_low is not None and low <= values[-1] < measure.extreme_low:
        assert told.kind == ALARM
    assert not (told.kind == FINE and measure.low is not None and values[-1] < measure.low)
