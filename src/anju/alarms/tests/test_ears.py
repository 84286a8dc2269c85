"""How far each sensor was heard, as a line of text and back."""

from __future__ import annotations

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from anju.alarms import ears
from anju.alarms.rows import _ear, kept_ear
from anju.alarms.vigil import Ear

TIMES = st.floats(0, 4e9).map(lambda t: round(t, 1))
EARS = st.builds(
    Ear, heard_at=TIMES, covered_until=TIMES, seq=st.none() | st.integers(0, 2**40), gaps=st.lists(st.tuples(TIMES, TIMES, TIMES), max_size=3),
    seen=st.lists(st.integers(0, 300), max_size=16), prompt=st.booleans(), every=st.sampled_from([0.0, 1800.0, 3600.0]),
    limit=st.sampled_from([0.0, 10_800.0]), shut=st.none() | st.tuples(st.booleans(), TIMES),
)  # fmt: skip


@settings(max_examples=60)
@given(st.dictionaries(st.integers(1, 10**9).map(str), EARS, max_size=3))
def test_ears_come_back_as_they_were_also_from_the_old_way_of_keeping_them(home: dict[str, Ear]) -> None:
    kept = {name: kept_ear(ear) for name, ear in home.items()}
    for text in (ears.text_of(kept), json.dumps(kept)):
        back = {name: _ear(found) for name, found in ears.read(text).items()}
        for name, ear in home.items():
            ear.seen = ear.seen if ear.seq is not None else []
            assert back[name] == ear


def test_reports_in_order_take_a_few_characters_and_an_odd_line_hurts_only_its_home() -> None:
    ear = Ear(1_795_331_700.5, 1_795_331_700.0, 1200, seen=list(range(1185, 1201)), every=3600, limit=10_800)
    text = ears.text_of({"41": kept_ear(ear)})
    assert "1185+15" in text
    assert len(text) < 80
    assert ears.read("") == {}
    assert ears.read("x;41 odd") == {"x": {}, "41": {}}
    for odd in ears.read("x;41 a b c d e f g h i j").values():
        with pytest.raises(KeyError):
            _ear(odd)
