"""What a table says, what a sound one is, and what is drawn from it."""

from __future__ import annotations

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from anju.kernel.flow import checks, docs, guard, queries, registry
from anju.kernel.flow.table import (
    A_REASON,
    CLOCK,
    NO_DEADLINE,
    SAME,
    duty,
    everywhere,
    final,
    flow,
    move,
    state,
    within,
)  # fmt: skip
from anju.kernel.tests.samples import PARCEL, Parcel

pytestmark = pytest.mark.req("INC-01")
SOON = within(minutes=1)
OK = move("ok", "好", "end", "a")
LATE = move("late", "催", SAME, CLOCK)
END = final("end", "完")


def a_flow(*parts, **kwargs):
    return flow("f", "样例", *parts, **kwargs)


def test_a_sound_table_has_no_faults():
    assert checks.faults(a_flow(state("s", "始", SOON.then("late"), OK, LATE), END)) == []
    assert checks.faults(PARCEL) == []


S = SOON.then("late")
BAD = {
    "waits for ever": a_flow(state("s", "始", NO_DEADLINE, OK), END),
    "needs a time": a_flow(state("s", "始", within().then("late"), OK, LATE), END),
    "which it does not list": a_flow(state("s", "始", SOON.then("gone"), OK, LATE), END),
    "the clock may not do": a_flow(state("s", "始", SOON.then("ok"), OK), END),
    "nobody may make it": a_flow(state("s", "始", S, OK, LATE, move("x", "叉", "end")), END),
    "unknown state 'moon'": a_flow(state("s", "始", S, OK, LATE, move("x", "叉", "moon", "a")), END),
    "no person can leave it": a_flow(state("s", "始", SOON.then("out"), move("out", "出", "end", CLOCK)), END),
    "s is listed twice": a_flow(state("s", "始", S, OK, LATE), state("s", "又", S, OK, LATE), END),
    "s.ok is listed twice": a_flow(state("s", "始", S, OK, OK, LATE), END),
    "cannot be reached": a_flow(state("s", "始", S, OK, LATE), state("island", "岛", S, OK, LATE), END),
    "no way leads to an end": a_flow(
        state("s", "始", S, OK, LATE, move("trap", "陷", "pit", "a")),
        state("pit", "坑", S, LATE, move("round", "转", "pit2", "a")),
        state("pit2", "坑", S, LATE, move("round", "转", "pit", "a")), END),
    "no final state": a_flow(state("s", "始", S, move("ok", "好", "t", "a"), LATE), state("t", "二", S, LATE, move("b", "回", "s", "a"))),
    "the clock cannot give reasons": a_flow(state("s", "始", S, OK, move("late", "催", SAME, CLOCK, asks=(A_REASON,))), END),
    "either once or every": a_flow(state("s", "始", S, OK, LATE, duty("d", "责", "a", every=SOON, once=SOON)), END),
    "nobody has this duty": a_flow(state("s", "始", S, OK, LATE, duty("d", "责", CLOCK)), END),
    "takes no move": a_flow(state("s", "始", S, OK, LATE, duty("d", "责", "a", every=S)), END),
    "unknown seat": a_flow(state("s", "始", S, OK, LATE, duty("d", "责", "a", seat="C")), END),
    "may not be called 'state'": a_flow(state("s", "始", S, OK, LATE, duty("state", "责", "a")), END),
    "has no Chinese words": a_flow(state("s", "始", S, LATE, move("ok", "好", "end", "a", needs=("paid",))), END),
    "is used nowhere": a_flow(state("s", "始", S, OK, LATE), END, conditions={"paid": "已付"}),
    "at most 30 letters": a_flow(state("s" * 31, "始", S, OK, LATE), END),
}  # fmt: skip


@pytest.mark.parametrize(("words", "bad"), BAD.items(), ids=list(BAD))
def test_every_fault_is_named(words, bad):
    assert [f for f in checks.faults(bad) if words in f], checks.faults(bad)


def test_shared_moves_stand_where_they_are_meant_and_a_states_own_wins():
    own = move("help", "自助", SAME, "b")
    table = a_flow(
        state("one", "一", S, OK, LATE, move("next", "下", "two", "a")),
        state("two", "二", S, OK, LATE, own, move("next", "下", "three", "a")),
        state("three", "三", S, OK, LATE, move("next", "下", "four", "a")),
        state("four", "四", S, OK, LATE), END,
        everywhere(move("help", "求助", SAME, "a"), duty("look", "看", "a"), before="four", but=("one",)),
        everywhere(move("stop", "停", "end", "a"), after="three"),
    )  # fmt: skip
    has = {s.name: {m.name for m in s.moves} & {"help", "stop"} for s in table.states}
    assert has == {"one": set(), "two": {"help"}, "three": {"help", "stop"}, "four": {"stop"}, "end": set()}
    assert table.state("two").move("help") is own
    assert [s.name for s in table.states if s.duties] == ["two", "three"]
    assert checks.faults(table) == []
    with pytest.raises(ValueError, match="moon"):
        a_flow(state("s", "始", S, OK, LATE), END, everywhere(OK, before="moon"))


def test_who_sees_which_button():
    assert [m.name for m in PARCEL.moves_for("packed", {"courier"})] == ["collect"]
    assert [m.name for m in PARCEL.moves_for("packed", {"boss", "courier"})] == ["collect", "comment", "cancel"]
    assert PARCEL.moves_for("done", {"boss"}) == []
    with pytest.raises(KeyError, match="moon"):
        PARCEL.state("moon")


def test_the_page_shows_times_roles_conditions_duties_and_a_diagram():
    page = docs.page(PARCEL, registry.role_label)
    for words in (
        "| **待揽收** `packed` | 30 秒（7×24） | 催揽收 | 揽收 → 运送中 | courier、boss |",
        "3 小时（工作时间）", "已付运费", "无“收件人已同意”时须填写理由", "每 2 分钟", "5 分钟内", "“待签收”之前",
        "packed --> late: ⏱ 催揽收（超时 30 秒）", "[*] --> packed", "done --> [*]", "再催揽收（留在本状态）",
        "moving --> moving: 重新运送", "系统（到时）",
    ):  # fmt: skip
        assert words in page


names = st.sampled_from(["a", "b", "c", "d"])
moves = st.builds(
    move,
    st.sampled_from("mnop"),
    st.just("动"),
    st.sampled_from(["a", "b", "c", "d", "end", SAME]),
    st.sampled_from(["x", CLOCK]),
)
states = st.builds(
    lambda name, deadline, parts: state(name, name, deadline, *parts),
    names, st.none() | st.builds(lambda s, m: within(seconds=s).then(m), st.integers(0, 9**6), st.sampled_from("mnop")),
    st.lists(moves, max_size=4),
)  # fmt: skip


@given(st.lists(states, min_size=1, max_size=4))
def test_any_table_is_judged_and_a_sound_one_is_drawn_and_guarded(parts):
    table = a_flow(*parts, END)
    if checks.faults(table):
        return
    page = docs.page(table, str)
    assert all(f"`{s.name}`" in page for s in table.states)
    assert all(f"('{was}', '{to}')" in guard.guard(table).func for was, to in table.transitions())
    assert all(s.deadline and CLOCK in s.move(s.deadline.move).by for s in table.states if not s.is_final)


@pytest.mark.parametrize(
    ("time", "words"), [(15, "15 秒"), (90, "90 秒"), (120, "2 分钟"), (7200, "2 小时"), (259200, "3 天")]
)
def test_durations_in_words(time, words):
    assert docs.human(timedelta(seconds=time)) == words


def test_two_models_may_not_run_through_one_flow():
    with pytest.raises(ValueError, match="two models"):
        registry.runs(PARCEL)(type("Other", (), {}))
    with pytest.raises(ValueError, match="moon"):
        registry.when(PARCEL, entering="moon", do=print)
    with pytest.raises(ValueError, match="moon"):
        registry.when(PARCEL, duty_overdue="moon", do=print)
    assert registry.missing_conditions(PARCEL) == []


@pytest.mark.django_db
@pytest.mark.usefixtures("everywhere")
def test_an_object_without_a_clock_is_found():
    from anju.kernel.flow import engine
    from anju.kernel.flow.actor import Actor
    from anju.kernel.models import Due

    boss = Actor("老李", frozenset({"boss"}))
    good, bad, done = Parcel(), Parcel(), Parcel()
    for parcel in (good, bad, done):
        engine.begin(parcel, boss)
    engine.make(done, "cancel", boss)
    assert queries.without_clock(PARCEL) == []
    Due.objects.filter(subject_id=bad.pk).delete()
    assert queries.without_clock(PARCEL) == [bad.pk]
