"""Scoring a form and drawing the calls: the same again for the same seed, nobody judges herself, the quota is reached."""

from __future__ import annotations

from collections import Counter
from datetime import date, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from anju.supervision import rules
from anju.supervision.forms import STANDARD
from anju.supervision.rules import Candidate, Done, assign, draw, faults_of, items_of, missing, score, weeks_left

pytestmark = pytest.mark.req("CALL-06", "EXT-16")
ITEMS = items_of(STANDARD)
FULL = {i.code: (False if i.fatal else i.points) for i in ITEMS}
AT = datetime(2026, 11, 20, 12, tzinfo=timezone(timedelta(hours=8)))


def test_the_standard_form_has_a_hundred_points_and_no_fault():
    assert faults_of(STANDARD) == []
    assert sum(i.points for i in ITEMS) == 100
    assert {i.role for i in ITEMS} == {"", "accuracy", "phrase"}


def test_a_form_is_scored_by_what_applied_and_one_fatal_line_is_zero():
    best = score(ITEMS, FULL)
    assert (best.score, best.fatal, best.accurate, best.polite, best.lost) == (100.0, (), True, True, ())
    some = score(ITEMS, FULL | {"answer": 15, "comfort": "na"})
    assert (some.score, some.accurate, some.polite, some.lost) == (94.7, False, True, ("答复准确",))
    assert score(ITEMS, FULL | {"no_rescue": True}).score == 0
    assert score(ITEMS, FULL | {"no_rescue": True}).fatal == ("应联系 110/119/120 而未联系",)
    quiet = score(ITEMS, FULL | {"opening": "na", "courtesy": "na", "closing": "na"})
    assert quiet.polite is None


@pytest.mark.parametrize(
    "wrong",
    [
        {"opening": 11},
        {"opening": -1},
        {"opening": True},
        {"opening": None},
        {"cut": 0},
        {"cut": "na"},
        {"opening": 9.5},
    ],
)
def test_what_is_not_filled_in_is_named(wrong):
    assert len(missing(ITEMS, FULL | wrong)) == 1
    assert missing(ITEMS, FULL) == []
    assert len(missing(ITEMS, {})) == len(ITEMS)


@pytest.mark.parametrize(
    ("criteria", "said"),
    [
        ([{"code": "a", "label": "甲", "points": 0}], "分值"),
        ([{"code": "a", "label": "甲", "points": 5}, {"code": "a", "label": "乙", "points": 5}], "重复"),
        ([{"code": "a", "label": "甲", "points": 5, "role": "x"}], "类别"),
        ([{"code": "a", "label": "甲", "fatal": True}], "计分项"),
        ([{"code": "", "label": "甲"}], "代码和名称"),
        ([{"code": "a", "label": "甲", "points": 5, "more": 1}], "别的字段"),
        ([], "计分项"),
    ],
)
def test_a_bad_form_is_refused_in_words(criteria, said):
    assert said in "".join(faults_of(criteria))


calls = st.lists(
    st.builds(
        lambda n, a, s, e: Candidate(f"call-{n}", a, AT, float(s), e),
        st.integers(0, 500), st.integers(1, 6), st.integers(0, 600), st.booleans(),
    ),
    max_size=60, unique_by=lambda c: c.call_id,
)  # fmt: skip
seeds = st.text("0123456789abcdef", min_size=4, max_size=16)


@given(
    calls,
    seeds,
    st.integers(1, 5),
    st.dictionaries(st.integers(1, 6), st.builds(Done, st.integers(0, 4), st.booleans())),
)
def test_every_drawing_is_fair_explained_and_the_same_again(drum, seed, weeks, done):
    agents = list(range(1, 7))
    drawing = draw(drum, agents, done, seed=seed, weeks=weeks)
    again = draw(list(reversed(drum)), agents, done, seed=seed, weeks=weeks)
    assert (drawing.picks, drawing.short) == (again.picks, again.short)
    by_id = {c.call_id: c for c in drum}
    assert all(
        by_id[p.call_id].agent == p.agent and by_id[p.call_id].seconds >= rules.LEAST_SECONDS and p.why
        for p in drawing.picks
    )
    assert len({p.call_id for p in drawing.picks}) == len(drawing.picks)
    for agent in agents:
        mine = [by_id[p.call_id] for p in drawing.picks if p.agent == agent]
        can = [c for c in drum if c.agent == agent and c.seconds >= rules.LEAST_SECONDS]
        before = done.get(agent, Done())
        wanted = max(1, -(-max(0, 2 - before.count) // weeks))
        assert len(mine) == min(wanted, len(can))
        assert (agent in drawing.short) == (len(can) < wanted)
        if not before.emergency and any(c.emergency for c in can):
            assert any(c.emergency for c in mine)
        if weeks == 1 and len(can) >= 2:
            assert before.count + len(mine) >= 2, "in the last week of a month the quota is reached"
    judges = [1, 2, 90]
    chosen = assign(drawing.picks, judges, seed=seed)
    assert all(chosen[p.call_id] in judges and chosen[p.call_id] != p.agent for p in drawing.picks)
    load = Counter(chosen.values())
    others = [p for p in drawing.picks if p.agent not in judges]
    if len(others) == len(drawing.picks) and load:
        assert max(load.values()) - min(load.get(j, 0) for j in judges) <= 1


def test_the_only_judge_does_not_judge_herself():
    drawing = draw([Candidate("c", 1, AT, 60.0)], [1], {}, seed="s", weeks=1)
    assert assign(drawing.picks, [1], seed="s") == {"c": None}


def test_another_seed_draws_other_calls():
    drum = [Candidate(f"c{n}", 1, AT, 60.0) for n in range(200)]
    drawn = {draw(drum, [1], {}, seed=f"seed{n}", weeks=4).picks[0].call_id for n in range(60)}
    assert len(drawn) > 40


@pytest.mark.parametrize(
    ("week", "month", "left"),
    [
        ((2026, 11, 2), (2026, 11, 1), 5),
        ((2026, 11, 23), (2026, 11, 1), 2),
        ((2026, 11, 30), (2026, 11, 1), 1),
        ((2026, 11, 30), (2026, 12, 1), 5),
        ((2026, 12, 28), (2026, 12, 1), 1),
    ],
)
def test_weeks_that_still_reach_the_month(week, month, left):
    assert weeks_left(date(*week), date(*month)) == left
