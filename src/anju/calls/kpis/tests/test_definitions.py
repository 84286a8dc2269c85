"""Every figure: its sentence, its edge, its target."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from anju.calls.kpis import definitions as d
from anju.calls.kpis.definitions import KPIS, Counts

pytestmark = pytest.mark.req("CALL-09", "CALL-10")

TEN = Counts(
    offered=10, answered=8, within_15=4, within_20=6, within_60=7, within_180=8, abandoned=2, abandoned_short=1, missed=3, wait_seconds=96, talked=8,
    talk_seconds=800, wrapped=4, wrap_seconds=120, judged=5, solved=4, outgoing=4, outgoing_answered=2, rated=3, satisfied=2, busy_seconds=920,
    present_seconds=3600, complaints=1, answers_checked=4, answers_right=3, agents_checked=2, agents_polite=1,
)  # fmt: skip

FIGURES = {
    "calls_offered": 10, "answer_rate": 80, "level_15": 40, "level_20": 60, "level_60": 70, "level_180": 80, "calls_abandoned": 2, "abandon_rate": 20,
    "short_abandons": 1, "average_speed_of_answer": 12, "average_talk": 100, "average_wrap_up": 30, "average_handle": 115, "occupancy": 25.6,
    "first_call_resolution": 80, "complaint_rate": 10, "answer_accuracy": 75, "phrase_use": 50, "satisfaction": 66.7, "rings_missed": 3,
}  # fmt: skip
COUNTED = {"calls_offered", "calls_abandoned", "short_abandons", "rings_missed"}


@pytest.mark.parametrize("name", KPIS)
def test_each_figure_of_ten_calls(name):
    """Ten calls, eight answered (four within 15 s, two more within 20 s), two given up."""
    assert round(KPIS[name].of(TEN), 1) == FIGURES[name]


@pytest.mark.parametrize("name", KPIS)
def test_of_nothing_there_is_no_figure_rather_than_a_good_one(name):
    assert KPIS[name].of(Counts()) == (0.0 if name in COUNTED else None)


def test_every_figure_has_one_sentence_a_clause_and_a_unit():
    for k in KPIS.values():
        assert k.sentence.endswith("。"), k.name
        assert k.sentence.count("。") == 1, k.name
        assert (k.basis, k.unit, k.label) != ("", "", ""), k.name
    assert len({k.label for k in KPIS.values()}) == len(KPIS)


def test_targets_say_met_missed_or_unknown():
    rate, speed = KPIS["answer_rate"], KPIS["average_speed_of_answer"]
    assert (rate.met(95.0), rate.met(94.9), rate.met(None)) == (True, False, None)
    assert (speed.met(15.0), speed.met(15.1)) == (True, False)
    assert KPIS["average_talk"].met(1.0) is None


counts = st.builds(
    lambda offered, answered, a, b, c, e: Counts(
        offered=offered + answered, answered=answered, within_180=min(a, answered), within_60=min(a, b, answered),
        within_20=min(a, b, c, answered), within_15=min(a, b, c, e, answered), abandoned=offered, wait_seconds=a * 1.5 if answered else 0.0,
    ),
    *[st.integers(0, 1000)] * 6,
)  # fmt: skip


@given(counts, counts)
def test_levels_are_ordered_and_sums_lie_between_their_parts(one, two):
    values = [KPIS[n].of(one) for n in ("level_15", "level_20", "level_60", "level_180", "answer_rate")]
    if one.offered:
        assert values == sorted(values)
        assert 0 <= values[0] <= values[-1] <= 100
        assert d.answer_rate(one) + d.abandon_rate(one) == pytest.approx(100)
    both = one + two
    for name in ("answer_rate", "level_15", "average_speed_of_answer"):
        parts = [v for v in (KPIS[name].of(one), KPIS[name].of(two)) if v is not None]
        if parts:
            assert min(parts) - 1e-9 <= KPIS[name].of(both) <= max(parts) + 1e-9
