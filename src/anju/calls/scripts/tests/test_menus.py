"""Nobody who calls is lost in a menu: whatever is pressed, or nothing, it ends with a person or a goodbye."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from anju.calls.scripts.menus import (
    ACTIONS,
    KEYS,
    LONGEST_WALK,
    End,
    Go,
    Key,
    Say,
    Table,
    begin,
    problems,
)


def table(code, *lines, **more):
    return Table(
        code, ("welcome",), keys={k: Key(k, action, to) for k, action, to in lines}, otherwise="service", **more
    )


TABLES = {
    "start": table("start", ("1", "queue", "orders"), ("2", "menu", "more"), ("9", "say", "recorded_notice"), ("#", "end", "thanks")),
    "more": table("more", ("1", "queue", "health"), ("*", "back", ""), ("8", "repeat", "")),
}  # fmt: skip


@pytest.mark.req("CALL-02")
def test_keys_lead_to_queues_menus_texts_and_back():
    walk = begin(TABLES, "start")
    assert walk.step == Say(("welcome",), "", 6)
    assert walk.press("1").step == Go("orders")
    assert walk.press("9").step == Say(("recorded_notice", "welcome"), "", 6)
    assert walk.press("#").step == End(("thanks",))
    more = walk.press("2")
    assert more.here.code == "more"
    assert more.press("1").step == Go("health")
    assert more.press("*").here.code == "start"
    assert more.press("8").here.code == "more"


@pytest.mark.req("CALL-02")
def test_who_presses_nothing_or_wrongly_twice_gets_a_person_and_zero_always_does():
    walk = begin(TABLES, "start")
    assert isinstance(walk.silence().step, Say)
    assert walk.silence().silence().step == Go("service")
    assert walk.press("7").step == Say(("invalid_key", "welcome"), "", 6)
    assert walk.press("7").press("5").step == Go("service")
    assert walk.press("0").step == Go("service")
    assert begin(TABLES, "gone").step == Go("")


def test_a_table_that_would_strand_a_caller_is_found_before_it_is_stored():
    assert problems(TABLES, {"service", "orders", "health"}, {"welcome", "recorded_notice", "thanks"}) == []
    bad = {
        "a": Table("a", keys={"1": Key("1", "menu", "b"), "x": Key("x", "fly", "")}, otherwise="nowhere", tries=0),
        "c": table("c", ("1", "queue", "gone"), ("2", "say", "gone")),
    }
    found = "；".join(problems(bad, {"service"}, {"welcome"}))
    for part in (
        "没有语音",
        "进入菜单“b”不存在",
        "没有这种动作",
        "没有队列 nowhere",
        "次数 1-5",
        "转到队列“gone”",
        "播放后重听“gone”",
    ):
        assert part in found, part


lines = st.builds(
    Key,
    st.sampled_from(KEYS),
    st.sampled_from([*ACTIONS, "nonsense"]),
    st.sampled_from(["start", "more", "service", ""]),
)
menus = st.dictionaries(
    st.sampled_from(["start", "more"]),
    st.lists(lines, max_size=6).map(lambda ks: Table("x", ("welcome",), keys={k.key: k for k in ks}, otherwise="service")),
    min_size=1,
)  # fmt: skip


@pytest.mark.req("CALL-02")
@given(menus, st.lists(st.sampled_from([*KEYS, None]), min_size=LONGEST_WALK + 5, max_size=LONGEST_WALK + 5))
def test_every_walk_ends_whatever_the_table_and_the_keys(tables, presses):
    walk = begin(tables, "start")
    for digit in presses:
        if not isinstance(walk.step, Say):
            break
        walk = walk.press(digit) if digit else walk.silence()
    assert isinstance(walk.step, Go | End)
