"""The rhythm of a home: what the statistic promises, whatever the home has taught."""

from __future__ import annotations

import math
from functools import cache
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from anju.alarms import replay, rhythm
from anju.alarms.rhythm import AWAY, CAPS, CELLS, HOME, START, Rhythm

PRIOR = rhythm.generic()
TODS = st.floats(0, 23.999)
MODES = st.sampled_from([HOME, AWAY])
BUDGETS = st.sampled_from([0.25, 0.5, 1.0, 2.0, 4.0, 8.0, 32.0])
DAY = 738_000


@cache
def taught_once(seed: int, days: int) -> Rhythm:
    """The same, made once: for tests that change nothing in it."""
    return taught(seed, days)


def taught(seed: int, days: int = 40) -> Rhythm:
    """A home with habits: lively by day, quiet at night, out most mornings."""
    rng = Random(seed)
    home = rhythm.fresh(DAY)
    for n in range(days):
        home.forget(DAY + n)
        at = rng.uniform(0, 1)
        while at < 24:
            night = at < 6 or at > 22
            mode = AWAY if 9 < at < 10 and rng.random() < 0.5 else HOME
            age = rng.expovariate(1 / (3.0 if night else 2.0 if mode == AWAY else 0.6))
            home.learn(tod=at % 24, age=age, mode=mode, day=DAY + n, prior=PRIOR)
            at += age
    return home


HOMES = [rhythm.fresh(DAY), taught(1), taught(2, days=90), taught(3, days=8)]


@pytest.mark.req("SEN-01")
@given(home=st.sampled_from(HOMES), tod=TODS, mode=MODES, budget=BUDGETS)
def test_at_the_deadline_the_evidence_reaches_the_threshold_and_not_before(
    home: Rhythm, tod: float, mode: int, budget: float
) -> None:
    due = home.deadlines(tod=tod, mode=mode, prior=PRIOR, budget=budget)
    assert START <= due.soft <= due.hard <= CAPS[mode]
    theta = home.thresholds(mode, budget, PRIOR)
    if START < due.hard < CAPS[mode]:
        assert home.score(tod=tod, age=due.hard, mode=mode, prior=PRIOR) == pytest.approx(theta, abs=1e-6)
        assert home.score(tod=tod, age=due.hard * 0.98, mode=mode, prior=PRIOR) < theta


@given(home=st.sampled_from(HOMES), tod=TODS, mode=MODES, budget=BUDGETS)
def test_the_closed_form_and_the_slow_walk_agree(home: Rhythm, tod: float, mode: int, budget: float) -> None:
    fast = home.deadlines(tod=tod, mode=mode, prior=PRIOR, budget=budget)
    slow = home.deadlines(tod=tod, mode=mode, prior=PRIOR, budget=budget, lost=((99.0, 100.0),))
    assert fast.hard == pytest.approx(slow.hard, abs=1e-6)
    assert fast.soft == pytest.approx(slow.soft, abs=1e-6)


@pytest.mark.req("SEN-01")
@given(home=st.sampled_from(HOMES), tod=TODS, mode=MODES)
def test_a_larger_budget_never_looks_later(home: Rhythm, tod: float, mode: int) -> None:
    due = [home.deadlines(tod=tod, mode=mode, prior=PRIOR, budget=b).hard for b in (0.25, 0.5, 1.0, 2.0, 4.0)]
    assert due == sorted(due, reverse=True)


@given(home=st.sampled_from(HOMES), tod=TODS, mode=MODES, start=st.floats(0.25, 6), length=st.floats(0.1, 5))
def test_a_window_of_lost_messages_is_no_evidence(
    home: Rhythm, tod: float, mode: int, start: float, length: float
) -> None:
    heard = home.deadlines(tod=tod, mode=mode, prior=PRIOR, budget=1)
    deaf = home.deadlines(tod=tod, mode=mode, prior=PRIOR, budget=1, lost=((start, start + length),))
    assert deaf.hard >= heard.hard - 1e-6
    if start > heard.hard:
        assert deaf.hard == pytest.approx(heard.hard, abs=1e-6)


def test_a_busy_hour_asks_sooner_than_the_deep_night() -> None:
    home = taught(5, days=60)
    day = home.deadlines(tod=9.0, mode=HOME, prior=PRIOR, budget=1).hard
    night = home.deadlines(tod=23.5, mode=HOME, prior=PRIOR, budget=1).hard
    assert day < night
    usual = home.usual(tod=9.0, mode=HOME, prior=PRIOR)
    assert START < usual.median < usual.p95 < 24
    assert home.usual(tod=9.0, mode=HOME, prior=PRIOR).p95 < home.usual(tod=23.5, mode=HOME, prior=PRIOR).p95


@settings(max_examples=20)
@given(seed=st.integers(0, 2), days=st.sampled_from([0, 1, 20, 80]))
def test_the_state_fits_into_two_kilobytes_and_comes_back_the_same(seed: int, days: int) -> None:
    home = taught_once(seed, days)
    packed = home.pack()
    assert len(packed) <= 2048
    back = Rhythm.unpack(packed, today=home.day)
    assert (back.first_day, back.day) == (home.first_day, home.day)
    assert back.exposure == home.exposure
    assert back.ends == home.ends
    for tod in (3.0, 10.0, 21.0):
        mine = home.deadlines(tod=tod, mode=HOME, prior=PRIOR, budget=1).hard
        assert back.deadlines(tod=tod, mode=HOME, prior=PRIOR, budget=1).hard == pytest.approx(mine, rel=0.01)
    assert Rhythm.unpack(packed, today=home.day + 70_000).day % 65_536 == home.day % 65_536
    for broken in (b"", packed[:-2], b"\x09" + packed[1:], packed + b"x"):
        with pytest.raises(ValueError, match="rhythm"):
            Rhythm.unpack(broken, today=home.day)


def test_what_was_learnt_fades_and_old_silences_leave_the_window() -> None:
    home = taught(4, days=30)
    before = sum(home.exposure)
    home.forget(home.day + 30)
    assert sum(home.exposure) == pytest.approx(before / 2, rel=0.02)
    assert home.scores[HOME]
    home.forget(home.day + 61)
    assert not home.scores[HOME]
    assert sum(home.exposure) < before / 7


def test_a_silence_that_was_a_false_alarm_raises_the_threshold_and_one_not_learnt_does_not() -> None:
    home = taught(6, days=60)
    before = home.thresholds(HOME, 1.0, PRIOR)
    home.forget(home.day + 1)
    same = home.thresholds(HOME, 1.0, PRIOR)
    assert same == pytest.approx(before, abs=0.2)
    for _ in range(4):
        assert home.learn(tod=10.0, age=14.0, mode=HOME, day=home.day, prior=PRIOR) is not None
        home.tail = None
    assert home.thresholds(HOME, 1.0, PRIOR) > same
    assert home.learn(tod=10.0, age=0.2, mode=HOME, day=home.day, prior=PRIOR) is None


@pytest.mark.req("SEN-08")
def test_in_the_long_run_a_home_with_habits_stays_near_its_budget() -> None:
    rng = Random(11)
    alarms, days, warm = 0, 240, 30
    home = rhythm.fresh(DAY)
    for n in range(days):
        home.forget(DAY + n)
        at = 6.0
        while at < 30:
            mean = 0.5 if at < 22 else 3.0
            age = rng.gammavariate(1.5, mean / 1.5)
            due = home.deadlines(tod=at % 24, mode=HOME, prior=PRIOR, budget=2.0)
            alarms += age > due.hard and n >= warm
            home.learn(tod=at % 24, age=age, mode=HOME, day=DAY + n, prior=PRIOR)
            at += age
    a_month = alarms / (days - warm) * 30
    assert 0.3 * 2.0 * rhythm.SHARE[HOME] <= a_month <= 1.5 * 2.0


def test_the_population_prior_is_the_pool_of_its_homes() -> None:
    homes = [taught(n) for n in range(4)]
    prior = replay.merged(homes, "four", PRIOR)
    assert len(prior.rates) == 2 * CELLS
    new = rhythm.fresh(DAY + 40)
    ours = new.deadlines(tod=10.0, mode=HOME, prior=prior, budget=1).hard
    theirs = [h.deadlines(tod=10.0, mode=HOME, prior=PRIOR, budget=1).hard for h in homes]
    assert min(theirs) * 0.6 < ours < max(theirs) * 1.6
    nobody = replay.merged([], "none", PRIOR)
    assert nobody.rates == pytest.approx(PRIOR.rates)
    assert nobody.tails == PRIOR.tails
    assert math.isfinite(new.thresholds(AWAY, 1.0, nobody))
