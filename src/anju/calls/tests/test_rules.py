"""Routing as pure rules: nobody is rung twice, the urgent are first, and every spelling of a number is one caller."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from anju.calls import rules
from anju.calls.control.books import Access, Books
from anju.calls.rules import Chair, Waiter

SKILLS = st.frozensets(st.sampled_from(["health", "dialect", "orders"]), max_size=2)
waiters = st.builds(
    Waiter, st.uuids().map(str), st.integers(0, 9), st.floats(0, 1000), st.sampled_from(["emergency", "service"]), SKILLS,
    st.integers(0, 3), at_once=st.integers(1, 4), ringing=st.integers(0, 2),
)  # fmt: skip
chairs = st.builds(
    Chair, st.integers(8000, 8030).map(str), st.floats(0, 1000), st.booleans(), st.booleans(), st.booleans(),
    st.sampled_from(["", "emergency", "service"]), SKILLS,
)  # fmt: skip
some_waiters = st.lists(waiters, max_size=8, unique_by=lambda w: w.call_id)
some_chairs = st.lists(chairs, max_size=10, unique_by=lambda c: c.extension)


@given(some_waiters)
def test_the_line_is_one_whoever_comes_in_which_order(line: list[Waiter]) -> None:
    ordered = rules.order(line)
    assert rules.order(list(reversed(line))) == ordered
    for a, b in pairwise(ordered):
        assert a.priority > b.priority or (a.priority == b.priority and a.since <= b.since)


@given(some_waiters, some_chairs)
def test_no_seat_rings_for_two_and_each_may_take_whom_it_rings_for(line: list[Waiter], seats: list[Chair]) -> None:
    found = rules.match(line, seats)
    rung = [c.extension for _, chosen in found for c in chosen]
    assert len(rung) == len(set(rung))
    for waiter, chosen in found:
        assert len(chosen) + waiter.ringing <= max(waiter.at_once, waiter.ringing)
        assert all(rules.may_take(c, waiter) and c.extension not in waiter.refused for c in chosen)


@given(some_waiters, some_chairs)
def test_nobody_waits_while_a_seat_that_may_take_her_is_free(line: list[Waiter], seats: list[Chair]) -> None:
    found = rules.match(line, seats)
    rung = {c.extension for _, chosen in found for c in chosen}
    left = [c for c in seats if c.extension not in rung]
    served = {w.call_id for w, _ in found}
    for waiter in line:
        if waiter.call_id not in served and not waiter.ringing:
            assert rules.candidates(waiter, left) == []


@given(waiters, some_chairs)
def test_who_is_not_at_a_telephone_is_never_rung_and_who_is_on_break_only_for_the_urgent(
    waiter: Waiter, seats: list[Chair]
) -> None:
    for chair in rules.candidates(waiter, seats):
        assert chair.registered
        assert chair.ready or (waiter.priority >= rules.URGENT and waiter.level >= rules.EVERYBODY)


@given(st.integers(0, 5), st.sampled_from(["no_answer", "refused", "busy", "unreachable"]))
def test_a_seat_is_not_rung_endlessly(misses: int, cause: str) -> None:
    after, away = rules.after_miss(misses, cause)
    assert away is (cause in {"no_answer", "refused"} and after >= rules.MISSES_UNTIL_BREAK)


@pytest.mark.req("CALL-01")
@given(st.from_regex(r"1[3-9]\d{9}", fullmatch=True))
def test_a_mobile_number_is_found_in_every_spelling(number: str) -> None:
    for spelled in (
        number,
        f"+86{number}",
        f"0086{number}",
        f"86{number}",
        f"0{number}",
        f"+86 {number[:3]}-{number[3:]}",
    ):
        assert number in rules.variants(spelled), spelled
        assert rules.dialable(f"+86{number}") == number


@pytest.mark.req("CALL-01")
@given(st.from_regex(r"[2-9]\d{7}", fullmatch=True))
def test_a_fixed_line_is_found_with_and_without_its_area_code(local: str) -> None:
    assert f"0571{local}" in rules.variants(local, "0571")
    assert local in rules.variants(f"0571{local}", "0571")
    assert f"0571{local}" in rules.variants(f"+86571{local}", "0571")


@pytest.mark.parametrize("withheld", ["", "anonymous", "Restricted", "unknown", "sip:anonymous"])
def test_a_caller_who_withholds_her_number_has_none(withheld: str) -> None:
    assert rules.variants(withheld) == ()
    assert rules.dialable(withheld) == ""


@pytest.mark.parametrize(
    "written", ["0571-8888 0001,801", "0571-88880001转801", "057188880001 ext. 801", "05718888-0001#801"]
)
def test_an_extension_is_never_dialled_as_a_part_of_the_number(written: str) -> None:
    assert rules.dialable(written) == "057188880001"


@given(st.text(max_size=30))
def test_no_number_is_too_odd(text: str) -> None:
    assert all(v for v in rules.variants(text, "0571"))
    assert rules.dialable(text) == "" or rules.dialable(text).isascii()


@pytest.mark.parametrize(
    "dialled",
    ["05710096120", "5710096120", "+865710096120", "00865710096120", "865710096120", "+8605710096120", "0096120", "9905710096120"],
)  # fmt: skip
def test_the_emergency_number_is_itself_however_a_trunk_spells_it(dialled: str) -> None:
    books = Books(access={n: Access(n, "service", emergency=n.endswith("120")) for n in ("05710096219", "05710096120")})
    assert rules.is_called(dialled, "05710096120")
    assert not rules.is_called(dialled, "05710096219")
    assert books.called(dialled).emergency


@pytest.mark.parametrize("dialled", ["", "s", "120", "6120", "13800096120", "0210096120", "help"])
def test_another_number_is_not_ours(dialled: str) -> None:
    assert not rules.is_called(dialled, "05710096120")
    assert not rules.is_called(dialled, "12349")
