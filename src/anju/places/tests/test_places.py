"""Place codes, names, and the durations of a district. REG-01."""

import itertools

import pytest
from django.core.exceptions import PermissionDenied
from hypothesis import given
from hypothesis import strategies as st

from anju.kernel.flow.actor import Actor
from anju.kernel.scope import NOBODY, OutOfScope, Scope, seen_by
from anju.places import actions, queries, rules
from anju.places.models import PolicyProfile
from anju.places.rules import BadCode, Level
from anju.places.tests.factories import DISTRICT, LOTUS, SPRING, TIDE, make_district

pytestmark = pytest.mark.req("REG-01")
db = pytest.mark.django_db
ADMIN = Actor("系统管理员", frozenset({"system_admin"}))


@st.composite
def codes(draw):
    parts = [draw(st.integers(1, 99)), draw(st.integers(1, 99)), draw(st.integers(1, 99)), draw(st.integers(1, 999))]
    keep = draw(st.integers(1, 6))
    parts += [draw(st.integers(1, 999)), draw(st.integers(1, 99))]
    widths = (2, 2, 2, 3, 3, 2)
    prefix = "".join(f"{p:0{w}d}" for p, w in zip(parts[:keep], widths[:keep], strict=True))
    return prefix if keep == 6 else prefix.ljust(12, "0")


@given(code=codes())
def test_a_place_is_a_prefix_of_everything_inside_it(code):
    line = rules.line_of(code)
    assert line[0] == code
    for inner, outer in itertools.pairwise(line):
        assert rules.prefix_of(inner).startswith(rules.prefix_of(outer))
        assert rules.prefix_of(inner) != rules.prefix_of(outer)
    assert len(rules.prefix_of(line[-1])) == 2


def test_levels_and_parents_follow_from_the_code():
    grid = LOTUS + "07"
    assert [rules.level_of(c) for c in (DISTRICT, SPRING, LOTUS, grid)] == [
        Level.DISTRICT,
        Level.STREET,
        Level.COMMUNITY,
        Level.GRID,
    ]
    assert [rules.parent_of(c) for c in (grid, LOTUS, SPRING)] == [LOTUS, SPRING, DISTRICT]
    assert rules.prefix_of("330199010000") == "330199010"  # a street may end in 0


@pytest.mark.parametrize(
    ("code", "why"),
    [("3301990010", "应为 12 位"), ("33019900100x", "只能是数字"), ("000000000000", "没有省份"), ("", "数字")],
)
def test_a_bad_code_says_what_is_wrong(code, why):
    with pytest.raises(BadCode, match=why):
        rules.prefix_of(code)


@db
def test_the_tree_is_built_from_the_top_with_both_code_systems(everywhere):
    actions.put_place(code=DISTRICT, name="望潮区", by=ADMIN)
    with pytest.raises(actions.NotAccepted, match="先建上级"):
        actions.put_place(code=LOTUS, name="荷汀社区", by=ADMIN)
    actions.put_place(code=SPRING, name="春浦街道", civil_code="330108009000", by=ADMIN)
    actions.put_place(code=LOTUS, name="荷汀社区", by=ADMIN)
    actions.put_place(code=LOTUS + "07", name="荷汀第 7 网格", by=ADMIN)
    assert queries.by_civil_code("330108009000") == SPRING
    assert queries.by_civil_code(LOTUS) == LOTUS
    assert queries.by_civil_code(SPRING) is None  # in the other system this code is another place
    assert queries.path_of(LOTUS) == "春浦街道荷汀社区"
    assert queries.path_of(DISTRICT) == "望潮区"
    assert queries.path_of(LOTUS + "07") == "春浦街道荷汀社区荷汀第 7 网格"
    assert queries.name_of("330199009000") == "330199009000"
    actions.put_place(code=LOTUS, name="荷汀新社区", by=ADMIN)
    assert queries.name_of(LOTUS) == "荷汀新社区"
    with pytest.raises(PermissionDenied):
        actions.put_place(code=LOTUS, name="x", by=Actor("坐席", frozenset({"agent"})))


@db
def test_a_subtree_is_what_lies_inside_the_scope():
    make_district()
    with seen_by(Scope(("330199001",))):
        assert {p.code for p in queries.subtree()} == {SPRING, "330199001001", "330199001002", "330199001003"}
        assert [p.name for p in queries.subtree(level=Level.STREET)] == ["春浦街道"]
    assert queries.subtree(NOBODY) == []


@db
def test_without_a_profile_the_strictest_durations_hold():
    make_district()
    policy = queries.policy_for(LOTUS)
    assert policy.version == "default"
    wanted = {
        "incident.waiting.9": 15,
        "incident.waiting.7": 60,
        "incident.waiting.5": 60,
        "incident.waiting.3": 900,
        "incident.overdue": 30,
        "incident.verifying": 120,
        "incident.contacting": 360,
        "incident.contact_attempt": 60,
        "incident.helper_coming": 900,
        "incident.helper_ask": 300,
        "incident.rescue_due": 30,
        "incident.rescuing": 600,
        "incident.on_scene": 1800,
        "incident.on_scene_ask": 900,
        "incident.follow_up": 3 * 86400,
    }
    assert {k: policy.seconds[k] for k in wanted} == wanted
    assert not policy.looser


@db
def test_a_district_may_loosen_and_a_street_only_tighten(everywhere):
    make_district()
    first = actions.set_policy(place=DISTRICT, data={"incident.verifying": 180}, reason="试运行", by=ADMIN)
    actions.set_policy(
        place=SPRING, data={"incident.verifying": 240, "incident.contacting": 300}, reason="街道", by=ADMIN
    )
    here, there = queries.policy_for(LOTUS), queries.policy_for(TIDE)
    assert (here.seconds["incident.verifying"], here.seconds["incident.contacting"]) == (180, 300)
    assert (there.seconds["incident.verifying"], there.seconds["incident.contacting"]) == (180, 360)
    assert dict(here.looser) == {"incident.verifying": (180, 120)}
    assert here.version == f"{DISTRICT}:1+{SPRING}:1"
    actions.set_policy(place=DISTRICT, data={"incident.verifying": 90}, reason="收紧", by=ADMIN)
    assert queries.policy_for(LOTUS).seconds["incident.verifying"] == 90
    assert queries.policy_for(LOTUS).version == f"{DISTRICT}:2+{SPRING}:1"
    first.refresh_from_db()
    assert first.data == {"incident.verifying": 180}  # an old version stays what it was


@db
@pytest.mark.parametrize(
    ("data", "why"),
    [
        ({"incident.verifying": 5}, "不在 30 秒–600 秒"),
        ({"incident.waiting.9": 600}, "不在 5 秒–60 秒"),
        ({"incident.verifying": 90.5}, "整数秒"),
        ({"incident.verifying": True}, "整数秒"),
        ({"call.quiet_from": 23 * 3600}, "23:00不在 18:00–22:00 之内"),
        ({"call.quiet_until": 8 * 3600 + 30}, "只能填到分钟"),
        ({"incident.sleep": 90}, "没有“incident.sleep”"),
    ],
)
def test_a_profile_stays_in_sane_ranges(data, why, everywhere):
    make_district()
    with pytest.raises(actions.NotAccepted, match=why):
        actions.set_policy(place=DISTRICT, data=data, reason="试", by=ADMIN)
    with pytest.raises(actions.NotAccepted, match="理由"):
        actions.set_policy(place=DISTRICT, data={}, reason=" ", by=ADMIN)
    assert not PolicyProfile.objects.exists()


@db
def test_a_policy_is_written_inside_ones_scope_only():
    make_district()
    with seen_by(Scope(("330199001",))), pytest.raises(OutOfScope):
        actions.set_policy(place=TIDE, data={}, reason="试", by=ADMIN)


@given(data=st.dictionaries(st.sampled_from(sorted(rules.DEFAULTS)), st.integers(1, 900_000), max_size=6))
def test_inner_profiles_never_loosen(data):
    for key, value in rules.combine(None, [data]).items():
        default = rules.DEFAULTS[key]
        assert value >= default if rules.DURATIONS[key].more_is_stricter else value <= default, key
    assert rules.combine(data, []) == {**rules.DEFAULTS, **data}
