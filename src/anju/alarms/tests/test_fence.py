"""The fence: hysteresis, accuracy, order by the time of the fix, an edge rule and a state rule."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from anju.alarms.fence import (
    CONFIRM,
    IN,
    MARGIN,
    OUT,
    UNKNOWN,
    VAGUE,
    Circle,
    Fix,
    course,
    due_at,
    metres,
    side_of,
    with_fixes,
)

HOME = (30.25, 120.18)
RING = Circle(*HOME, radius=300.0, minutes=30)


def off(at: float, away: float, accuracy: float = 10.0) -> Fix:
    """A fix so many metres north of the centre."""
    return Fix(at, HOME[0] + math.degrees(away / 6_371_008.8), HOME[1], accuracy)


@pytest.mark.req("SEN-05")
@given(away=st.floats(0, 3000), accuracy=st.floats(0, 3000))
def test_only_what_lies_wholly_beyond_is_outside_and_what_may_be_either_changes_nothing(
    away: float, accuracy: float
) -> None:
    fix = off(0, away, accuracy)
    side = side_of(fix, RING)
    assert metres(fix, *HOME) == pytest.approx(away, abs=0.5)
    if side == OUT:
        assert away - accuracy > RING.radius + MARGIN - 1
    if side == IN:
        assert away <= RING.radius + 1
    assert side == UNKNOWN if accuracy > VAGUE else True


@pytest.mark.req("SEN-05")
def test_walking_along_the_fence_does_not_flicker() -> None:
    fixes = [off(n * 60, 295 + 20 * (n % 2), 20) for n in range(40)]
    assert course([off(-60, 100), *fixes], RING).side == IN
    assert course([off(-60, 900), *fixes], RING).side == OUT


@pytest.mark.req("SEN-05")
@given(order=st.permutations(range(12)), seed=st.lists(st.floats(0, 1200), min_size=12, max_size=12))
def test_what_was_fixed_when_decides_and_not_what_arrived_when(order: list[int], seed: list[float]) -> None:
    fixes = [off(n * 300, away) for n, away in enumerate(seed)]
    straight = with_fixes([], fixes)
    mixed: list[Fix] = []
    for n in order:
        mixed = with_fixes(mixed, [fixes[n], fixes[n]])
    assert mixed == straight
    assert due_at(course(mixed, RING), RING) == due_at(course(straight, RING), RING)


@pytest.mark.req("SEN-05")
def test_leaving_is_told_when_a_second_fix_agrees_or_none_contradicts_for_three_minutes() -> None:
    inside, out = off(0, 50), off(600, 800)
    once = course([inside, out], RING)
    assert due_at(once, RING) == 600 + CONFIRM
    assert due_at(course([inside, out, off(700, 900)], RING), RING) == 600
    assert due_at(course([inside, out, off(700, 60)], RING), RING) is None  # one wild fix


@pytest.mark.req("SEN-05")
def test_who_was_never_seen_leaving_is_told_of_after_her_minutes_outside() -> None:
    unseen = course([off(0, 5000), off(1700, 5100)], RING)
    assert not unseen.edge
    assert due_at(unseen, RING) == 30 * 60
    quiet = Circle(*HOME, radius=300.0, at_edge=False, minutes=30)
    assert due_at(course([off(0, 50), off(600, 800), off(660, 800)], quiet), quiet) == 600 + 30 * 60
    assert due_at(course([off(0, 50)], RING), RING) is None


def test_of_one_moment_the_better_fix_counts_and_only_a_day_is_kept() -> None:
    kept = with_fixes([off(0, 10), off(100, 500, 200)], [off(100, 480, 20), off(86_450, 10)])
    assert [f.at for f in kept] == [100, 86_450]
    assert kept[0].accuracy == 20
