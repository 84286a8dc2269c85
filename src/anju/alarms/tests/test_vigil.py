"""The watch over one home: quiet, deaf and late are three different things."""

from __future__ import annotations

from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from anju.alarms import rhythm
from anju.alarms.rhythm import AWAY, HOME
from anju.alarms.vigil import GRACE, HOUR, Report, Sign, Vigil

DAY = 738_000
PERIOD = 1800.0


def clock(at: float) -> tuple[int, float]:
    """Second 0 is midnight."""
    return DAY + int(at // 86_400), at / HOUR % 24


def watch(**more: float) -> Vigil:
    return Vigil(rhythm.fresh(DAY), rhythm.generic(), clock, budget=1.0, period=PERIOD, **more)


def batch(n: int, *seen: float, late: float = 0.0, seq: int | None = None) -> Report:
    """The n-th half hour of the motion sensor."""
    until = n * PERIOD
    return Report("pir", until + late, until, until - PERIOD, seq or n, tuple(Sign(at) for at in seen))


def at(hour: float) -> float:
    return hour * HOUR


def until(vigil: Vigil, hour: float, *, first: int = 17) -> None:
    """Empty batches from 8:30 to `hour`."""
    for n in range(first, int(hour * 2) + 1):
        vigil.hear(batch(n))


@pytest.mark.req("SEN-01")
def test_a_quiet_home_that_is_heard_raises_an_alarm_and_a_deaf_one_says_that_it_is_deaf() -> None:
    quiet, deaf = watch(), watch()
    for home in (quiet, deaf):
        home.hear(batch(16, at(7.9)))
    due = quiet.hard_at
    assert due == deaf.hard_at > at(9)
    until(quiet, due / HOUR + 1)
    assert [r.kind for r in quiet.sweep(due - 1)] == ["ask"]
    (raised,) = quiet.sweep(due)
    assert (raised.kind, raised.deadline, raised.silent_since) == ("inactivity", due, at(7.9))
    assert quiet.sweep(due + 3600) == []
    assert deaf.sweep(due) == []
    assert deaf.sweep(due + 2 * PERIOD + GRACE) == []
    (raised,) = deaf.sweep(due + 2 * PERIOD + GRACE + 1)
    assert (raised.kind, raised.covered_until) == ("no_data", at(8))


def test_the_clock_waits_for_what_may_still_come() -> None:
    home = watch()
    home.hear(batch(16, at(7.9)))
    due = home.hard_at
    until(home, due / HOUR - 0.6)
    assert home.covered_until() < due
    assert [r.kind for r in home.sweep(due + 60)] == ["ask"]
    last = int(due // PERIOD)
    home.hear(batch(last, due - 900, late=2000))
    assert home.hard_at > due
    assert home.sweep(due + 2100) == []


def test_a_missing_batch_holds_the_watermark_until_it_comes_or_is_given_up() -> None:
    home = watch()
    home.hear(batch(16, at(7.9)))
    home.hear(batch(18))
    assert home.covered_until() == at(8)
    home.hear(batch(17, late=4000))
    assert home.covered_until() == at(9)
    home.hear(batch(20))
    before = home.hard_at
    assert home.covered_until() == at(9)
    home.sweep(at(9.5) + 2 * PERIOD + GRACE)
    assert home.covered_until() == at(10)
    assert home.hard_at >= before
    assert home.lost == [(at(9), at(9.5))]


def test_a_repeated_message_changes_nothing_and_an_old_sign_only_fills_history() -> None:
    home = watch()
    assert home.hear(batch(16, at(7.9)))
    home.hear(batch(17, at(8.4)))
    state = (home.last_life_at, home.hard_at, home.covered_until())
    assert not home.hear(batch(17, at(8.45), late=900))
    assert home.hear(batch(15, at(7.2), late=6000))
    assert (home.last_life_at, home.hard_at, home.covered_until()) == state


@pytest.mark.req("SEN-01", "SEN-02")
def test_out_is_told_from_silent_at_home_by_the_door() -> None:
    home = watch()
    home.hear(batch(16, at(7.9)))
    home.live(Sign(at(8.1), door=True))
    home.hear(batch(17, at(8.1) + 30))
    assert home.mode == AWAY
    until(home, 40, first=18)
    assert {r.kind for r in home.sweep(home.hard_at)} == {"ask", "not_back"}
    back = watch()
    back.hear(batch(16, at(7.9)))
    back.live(Sign(at(8.1), door=True))
    back.hear(batch(17, at(8.1) + 61))
    assert back.mode == HOME


@pytest.mark.req("SEN-08")
def test_a_silence_that_raised_an_alarm_teaches_only_when_an_agent_says_that_it_was_false() -> None:
    def silent() -> tuple[Vigil, float]:
        home = watch()
        home.hear(batch(16, at(7.9)))
        due = home.hard_at
        until(home, due / HOUR + 1)
        assert home.sweep(due)
        end = due + 3 * HOUR
        home.live(Sign(end))
        return home, end

    emergency, _ = silent()
    assert not emergency.rhythm.scores[HOME]
    false, end = silent()
    false.teach(since=at(7.9), until=end, mode=HOME)
    assert len(false.rhythm.scores[HOME]) == 1
    assert false.hard_at >= emergency.hard_at


def test_a_home_of_which_nothing_was_ever_heard_raises_nothing_here() -> None:
    assert watch().sweep(at(100)) == []


@settings(max_examples=60)
@given(seed=st.integers(0, 10_000), late=st.floats(0, 0.3), lost=st.floats(0, 0.2))
def test_however_the_messages_come_a_collapse_is_always_raised(seed: int, late: float, lost: float) -> None:
    """Nobody is hidden: within the deadline, the patience and one period something stands on the desk."""
    rng = Random(seed)
    home = watch()
    arriving: list[Report] = []
    collapse = at(24 + rng.uniform(0, 24))
    for n in range(1, 48 * 5):
        seen = [t for t in (n * PERIOD - rng.uniform(0, PERIOD) for _ in range(rng.randrange(3))) if t < collapse]
        if rng.random() >= lost:
            arriving.append(batch(n, *seen, late=rng.uniform(600, 10_800) if rng.random() < late else 0.0))
    arriving.sort(key=lambda r: r.received_at)
    raised, now = [], 0.0
    while now < 86_400 * 5:
        now += 60
        while arriving and arriving[0].received_at <= now:
            home.hear(arriving.pop(0))
        raised += [r for r in home.sweep(now) if r.kind != "ask" and r.silent_since > collapse - at(24)]
    assert any(r.at <= (home.last_life_at or 0) + at(36) + 2 * PERIOD + GRACE + 60 + 10_800 for r in raised)
    assert all(r.at >= r.deadline for r in raised)
