"""Meters as witnesses: nothing used, far too much, always a little; and never a word of a meter that is not heard."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from anju.alarms import witness
from anju.alarms.witness import DAY, HALF, HOUR, Odd, burst, dry, gas_leaks, idle, seeps, use_at, used, with_reading


def readings(flow, hours: float = 48, step: float = HALF) -> list[tuple[float, float]]:
    """Totals of a meter that flows `flow(t)` m³ in each step."""
    total, found = 100.0, [(0.0, 100.0)]
    for n in range(1, int(hours * HOUR / step) + 1):
        total += flow(n * step)
        found.append((n * step, total))
    return found


def by_day(t: float) -> float:
    return 0.01 if 7 <= t / HOUR % 24 <= 21 else 0.0


NOW = 48 * HOUR


@pytest.mark.req("SEN-04")
def test_half_a_day_or_a_day_without_water_is_told_and_a_usual_day_is_not() -> None:
    assert dry(readings(by_day), NOW) == ""
    assert dry(readings(lambda t: by_day(t) if t < NOW - 12 * HOUR - HALF else 0.0), NOW) == "12h"
    daily = [(0.0, 100.0), (DAY, 100.4), (2 * DAY, 100.405)]
    assert dry(daily, 2 * DAY + 5 * HOUR, fresh=HOUR) == "day"
    assert dry(daily[:2], 2 * DAY) == ""


@pytest.mark.req("SEN-04")
@given(quiet_for=st.floats(2, 40))
def test_a_meter_that_is_not_heard_never_says_that_nobody_is_there(quiet_for: float) -> None:
    series = readings(lambda t: 0.0)
    now = NOW + quiet_for * HOUR
    assert dry(series, now) in ({"12h", "day"} if quiet_for <= 3 else {"day"} if quiet_for <= 36 else {""})
    assert not idle(series, NOW + 4 * HOUR)


@pytest.mark.req("SEN-04")
def test_too_much_always_a_little_and_an_even_little_gas_are_leaks() -> None:
    assert burst(readings(by_day), NOW) == 0
    assert burst(readings(lambda t: by_day(t) + 0.06), NOW) == pytest.approx(48 * 0.06 + 29 * 0.01, rel=0.02)
    assert burst([(0.0, 1.0), (6 * HOUR, 4.0)], 6 * HOUR) == 3.0
    assert seeps(readings(lambda t: by_day(t) + 0.001))
    assert not seeps(readings(by_day))
    assert not seeps(readings(lambda t: 0.001, step=4 * HOUR))
    assert gas_leaks(readings(lambda t: 0.01))
    assert not gas_leaks(readings(lambda t: 0.2))  # a boiler
    assert not gas_leaks(readings(lambda t: 0.01 + by_day(t)))


@pytest.mark.req("SEN-04")
def test_power_that_is_the_fridge_alone_is_a_witness_once_her_usual_use_is_known() -> None:
    usual = lambda t: 0.03 + (0.3 if 7 <= t / HOUR % 24 <= 21 else 0.0)  # noqa: E731
    assert not idle(readings(usual), NOW)
    assert idle(readings(lambda t: usual(t) if t < NOW - 12 * HOUR - HALF else 0.03), NOW)
    assert not idle(readings(lambda t: 0.03, hours=12), 12 * HOUR)


@pytest.mark.req("SEN-04")
def test_a_tap_that_runs_is_a_sign_of_life_from_the_start_of_its_interval_and_a_leak_is_none() -> None:
    series = readings(lambda t: 0.006 if t == NOW else 0.0)
    assert use_at("water", series) == NOW - HALF
    assert use_at("water", readings(lambda t: 0.003)) is None
    assert use_at("power", series) is None
    assert use_at("water", [(0.0, 1.0), (5 * HOUR, 2.0)]) is None


@pytest.mark.req("SEN-04")
@given(data=st.data(), flow=st.lists(st.floats(0, 0.5), min_size=2, max_size=30))
def test_readings_may_come_in_any_order(data: st.DataObject, flow: list[float]) -> None:
    total, ordered = 5.0, []
    for n, one in enumerate(flow):
        total += round(one, 6)
        ordered.append((n * HALF, round(total, 6)))
    series: list[tuple[float, float]] = []
    for at, value in data.draw(st.permutations(ordered)):
        series, new = with_reading(series, at, value)
        assert new
    assert series == ordered
    assert with_reading(series, *ordered[0]) == (ordered, False)
    whole = used(series, ordered[0][0], ordered[-1][0])
    assert whole == pytest.approx(ordered[-1][1] - ordered[0][1])


def test_what_can_not_be_is_refused_and_a_new_meter_begins_anew() -> None:
    series = [(0.0, 10.0), (HOUR, 11.0)]
    with pytest.raises(Odd, match="同一时刻"):
        with_reading(series, HOUR, 12.0)
    with pytest.raises(Odd, match="后来"):
        with_reading(series, HALF, 11.5)
    with pytest.raises(Odd, match="先前"):
        with_reading(series, HALF, 9.0)
    with pytest.raises(Odd, match="负"):
        with_reading(series, 2 * HOUR, -1.0)
    assert with_reading(series, 2 * HOUR, 0.2) == ([(2 * HOUR, 0.2)], True)
    assert used(series, -HOUR, HOUR) is None
    assert len(with_reading([(float(n), 0.0) for n in range(500)], 500.0, 0.0)[0]) == witness.KEPT
