"""The watch over one home: quiet, deaf and late are three different things."""

from __future__ import annotations

from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from anju.alarms import rhythm
from anju.alarms.habits import Habit
from anju.alarms.rhythm import AWAY, HOME
from anju.alarms.vigil import BY_LEAD, GRACE, HOUR, LEAD, NIGHT, Report, Sign, Vigil

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
    assert [r.kind for r in home.sweep(home.hard_at)] == ["not_back"]  # an agent rings now: no robot rings as well
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
        now += 300
        while arriving and arriving[0].received_at <= now:
            home.hear(arriving.pop(0))
        raised += [r for r in home.sweep(now) if r.kind != "ask" and r.silent_since > collapse - at(24)]
    assert any(r.at <= (home.last_life_at or 0) + at(36) + 2 * PERIOD + GRACE + 300 + 10_800 for r in raised)
    assert all(r.at >= r.deadline for r in raised)


# ---- sensors that speak seldom, died, or begin to count anew


def door(hour: float, *, moved: bool = True) -> Report:
    """A door contact: its events come at once, else it says each four hours that it lives."""
    signs = (Sign(at(hour), door=True),) if moved else ()
    return Report("door", at(hour), at(hour), None, None, signs, prompt=True, every=4 * HOUR, limit=25 * HOUR)


@pytest.mark.req("SEN-01", "DEV-05")
def test_a_door_that_did_not_move_holds_no_alarm_up_and_makes_no_home_deaf() -> None:
    home = watch()
    home.hear(door(7, moved=False))
    home.hear(batch(16, at(7.9)))
    due = home.hard_at
    until(home, due / HOUR + 1)
    assert home.heard_until(due) >= due - PERIOD
    (raised,) = home.sweep(due)
    assert raised.kind == "inactivity"


@pytest.mark.req("SEN-01", "DEV-05")
def test_a_dead_sensor_holds_nothing_up_while_another_hears_and_makes_the_home_deaf_when_none_does() -> None:
    def report(name: str, n: int, *seen: float) -> Report:
        return Report(
            name, n * PERIOD, n * PERIOD, (n - 1) * PERIOD, n, tuple(map(Sign, seen)), every=PERIOD, limit=4 * HOUR
        )

    two = watch()
    two.hear(report("bath", 16, at(7.9)))
    two.hear(report("living", 16, at(7.9)))
    for n in range(17, 60):
        two.hear(report("living", n, n * PERIOD - 5))
    assert two.covered_until(at(9)) == at(8)  # it may only be late
    assert two.covered_until(at(29.5)) == at(29.5)
    assert two.deaf_ears(at(29.5)) == ["bath"]
    for n in range(60, 140):
        two.hear(report("living", n))
    assert [r.kind for r in two.sweep(two.hard_at)] == ["inactivity"]
    none = watch()
    none.hear(report("bath", 16, at(7.9)))
    assert none.covered_until(at(100)) == at(8)
    assert [r.kind for r in none.sweep(none.hard_at + 2 * PERIOD + GRACE + 1)] == ["no_data"]


def test_a_device_that_counts_anew_is_heard_and_a_repeated_number_is_no_repeated_message() -> None:
    home = watch()
    home.hear(batch(16, at(7.9), seq=1))
    assert home.hear(batch(20, at(9.9), seq=1))  # it was restarted
    assert home.last_life_at == at(9.9)
    assert home.covered_until() == at(10)


@pytest.mark.req("SEN-01")
def test_her_key_restarts_the_clock_and_teaches_nothing_until_a_sensor_sees_her() -> None:
    home = watch()
    home.hear(batch(16, at(7.9)))
    home.live(Sign(at(11), told=True))
    assert (home.last_life_at, home.natural_at, home.mode) == (at(11), at(7.9), HOME)
    assert not home.rhythm.scores[HOME]
    home.live(Sign(at(13)))
    (learnt,) = home.rhythm.scores[HOME]
    alone = watch()
    alone.hear(batch(16, at(7.9)))
    alone.live(Sign(at(13)))
    assert learnt.value == alone.rhythm.scores[HOME][0].value  # the whole silence, not the part after the call


@pytest.mark.req("SEN-08")
@pytest.mark.parametrize("answers", [True, False])
def test_a_silence_that_an_agent_cleared_before_it_ended_is_learnt_whole(*, answers: bool) -> None:
    home, alone = watch(), watch()
    for one in (home, alone):
        one.hear(batch(16, at(7.9)))
    assert [r.kind for r in home.sweep(home.hard_at + 3 * PERIOD + GRACE)] == ["no_data"]
    if answers:
        home.live(Sign(home.hard_at + HOUR, told=True))
    home.well(since=at(7.9))
    home.live(Sign(at(31), told=True))  # asked again
    home.live(Sign(at(32)))
    alone.live(Sign(at(32)))
    assert home.rhythm.scores == alone.rhythm.scores
    assert not home.raised


def test_a_key_pressed_while_she_is_out_does_not_bring_her_home() -> None:
    home = watch()
    home.hear(batch(16, at(7.9)))
    home.live(Sign(at(8.1), door=True))
    home.live(Sign(at(12), told=True))
    assert home.mode == AWAY


@pytest.mark.req("SEN-01")
def test_late_data_that_fill_a_gap_bring_the_deadline_back() -> None:
    home, whole = watch(), watch()
    for n in range(16, 24):
        whole.hear(batch(n, *([at(7.9)] if n == 16 else [])))
        if n not in (18, 19, 20):
            home.hear(batch(n, *([at(7.9)] if n == 16 else [])))
    home.sweep(at(12) + 2 * PERIOD + GRACE)
    assert home.lost
    slow = home.hard_at
    assert slow > whole.hard_at
    for n in (20, 18, 19):
        home.hear(batch(n, late=9000))
    assert home.lost == []
    assert home.hard_at == pytest.approx(whole.hard_at)


@settings(max_examples=80)
@given(
    order=st.permutations(range(6)),
    events=st.lists(
        st.tuples(st.floats(0.0, 3.0), st.booleans()), min_size=6, max_size=6, unique_by=lambda e: round(e[0], 2)
    ),
)
def test_in_whatever_order_signs_come_she_is_out_or_in_by_their_own_times(
    order: list[int], events: list[tuple[float, bool]]
) -> None:
    signs = [Sign(at(8) + 3600 * t, door=is_door) for t, is_door in events]
    straight, mixed = watch(), watch()
    for sign in sorted(signs, key=lambda s: s.at):
        straight.live(sign)
    for n in order:
        mixed.live(signs[n])
    assert (mixed.last_life_at, mixed.last_door_at, mixed.mode) == (
        straight.last_life_at,
        straight.last_door_at,
        straight.mode,
    )
    assert mixed.hard_at >= mixed.soft_at > (mixed.last_life_at or 0)


# ---- evening, night and told habits


@pytest.mark.req("SEN-01")
@settings(max_examples=60)
@given(hour=st.floats(0, 24), budget=st.floats(0.5, 4))
def test_no_robot_rings_her_at_night_unless_an_agent_would_have_to_soon(hour: float, budget: float) -> None:
    home = watch()
    home.budget = budget
    home.live(Sign(at(24 + hour)))
    _, tod = clock(home.soft_at)
    waking = NIGHT[1] - 1e-6 <= tod < NIGHT[0]
    assert waking or home.hard_at - home.soft_at <= LEAD + 1 or tod == pytest.approx(NIGHT[1])
    assert home.soft_at <= home.hard_at


@pytest.mark.req("SEN-08")
def test_a_told_nap_makes_the_clock_patient_and_is_not_learnt() -> None:
    plain, nap = watch(), watch()
    nap.habits = (Habit("quiet", 127, 12.5, 15.0),)
    for home in (plain, nap):
        home.live(Sign(at(12.2)))
    assert nap.hard_at > plain.hard_at
    nap.live(Sign(at(14.9)))
    assert nap.rhythm.ends[HOME * rhythm.CELLS + 3 * rhythm.HOURS + 14] == 0
    assert nap.hard_at <= at(14.9) + rhythm.CAPS[HOME] * HOUR


@pytest.mark.req("SEN-08")
def test_a_weekly_outing_counts_on_its_day_only() -> None:
    day = next(d for d in range(7) if (DAY + d - 1) % 7 == 1)  # a Tuesday
    tuesday, wednesday = watch(), watch()
    for home, n in ((tuesday, day), (wednesday, day + 1)):
        home.habits = (Habit("quiet", 0b10, 8.0, 12.0),)
        home.live(Sign(at(24 * n + 7.8)))
    assert tuesday.hard_at - at(24 * day) > wednesday.hard_at - at(24 * (day + 1))


@pytest.mark.req("SEN-08", "SEN-01")
def test_who_is_always_up_by_eight_is_asked_at_eight_and_only_when_nothing_moved_since_four() -> None:
    home = watch()
    home.habits = (Habit("up_by", 127, 8.0, 8.0),)
    home.live(Sign(at(21.5)))
    assert (home.soft_at, home.hard_at) == (at(32), at(32) + BY_LEAD)
    home.live(Sign(at(29)))  # at five she was up
    assert home.hard_at > at(32) + BY_LEAD


def test_watching_begins_anew_from_a_fresh_silence_that_teaches_nothing_of_the_time_before() -> None:
    home = watch()
    home.hear(batch(16, at(7.9)))
    home.raised |= {"no_data"}
    home.restart(at(200))
    assert (home.last_life_at, home.raised, home.mode) == (at(200), set(), HOME)
    assert home.hard_at > at(200)
    home.live(Sign(at(203)))
    assert len(home.rhythm.scores[HOME]) == 1
