"""The invented population and its lines: the same every time, with the truth beside it."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from anju.town import population, transport
from anju.town.population import DOOR, Person
from anju.town.transport import Line


def test_the_same_home_lives_the_same_life_and_another_seed_another_one() -> None:
    life = population.live(Person.of(3), 30)
    assert population.live(Person.of(3), 30) == life
    assert population.live(Person.of(3, seed=2), 30, seed=2).events != life.events
    assert life.events == sorted(life.events)
    assert len(life.events) > 30 * 15


def test_nothing_moves_while_nobody_is_in_unless_there_is_a_pet_or_a_visitor() -> None:
    quiet = 0
    for n in range(30):
        person = Person.of(n)
        life = population.live(person, 40)
        assert life.truth.away
        if person.pet:
            continue
        for begin, end in life.truth.away:
            if int(begin // 24) in life.truth.visited or end - begin > 24:
                continue
            quiet += 1
            inside = [t for t, kind in life.events if kind != DOOR and begin + 0.02 < t < end]
            assert inside == []
    assert quiet > 200


@pytest.mark.req("SEN-09")
@settings(max_examples=30)
@given(
    period=st.sampled_from([0.0, 0.5, 1.0]), late=st.floats(0, 0.2), lost=st.floats(0, 0.2), twice=st.floats(0, 0.2),
    seed=st.integers(0, 99),
)  # fmt: skip
def test_a_line_loses_what_it_says_and_invents_nothing(
    period: float, late: float, lost: float, twice: float, seed: int
) -> None:
    life = population.live(Person.of(seed), 12)
    sent = transport.carry(life.events, Line(period, late, lost, twice), days=12, seed=seed)
    assert [m.arrives for m in sent] == sorted(m.arrives for m in sent)
    seen = {e for m in sent for e in m.events}
    assert seen <= set(life.events)
    if not lost:
        assert {e for e in life.events if e[0] < 11.9 * 24 - 1} <= seen
    keys = [(m.device, m.seq) for m in sent]
    assert (len(keys) > len(set(keys))) <= bool(twice)
    assert all(m.arrives >= m.until - 1e-9 for m in sent)


def test_outage_battery_and_a_stuck_door() -> None:
    life = population.live(Person.of(1), 20)
    dark = transport.carry(life.events, Line(0.5, outages=((100.0, 130.0),)), days=20, seed=1)
    assert not [m for m in dark if 100 <= m.arrives < 130]
    assert [m for m in dark if m.until < 130 <= m.arrives]
    gone = transport.carry(life.events, Line(0.5, outages=((100.0, 130.0),), kept=False), days=20, seed=1)
    assert len(gone) < len(dark)
    empty = transport.carry(life.events, Line(0.5, dies=300.0), days=20, seed=1)
    assert max(m.until for m in empty) <= 300
    late = [m for m in empty if m.device == "pir" and m.until > 100]
    assert max(b.since - a.since for a, b in pairwise(late)) > 1.5
    stuck = transport.carry(life.events, Line(0.5, stuck_door=200.0), days=20, seed=1)
    assert max(m.until for m in stuck if m.device == "door") < 200
