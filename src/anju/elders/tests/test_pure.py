"""ID numbers, phones, masks, availability, coordinates: the pure parts. SYS-04, REG-13."""

# ruff: noqa: DTZ001 - wall clocks

from datetime import date, datetime, timedelta
from math import cos, hypot, radians

import pytest
from hypothesis import given
from hypothesis import strategies as st
from stdnum.cn import ric

from anju.accounts.roles import Role
from anju.elders import geo, identity, masks, rules
from anju.elders.masks import View
from anju.elders.tests.factories import invented_id
from anju.kernel.hours import chinese_workday

TODAY = date(2026, 11, 20)
roles = st.frozensets(st.sampled_from(list(Role)))
chinese = st.text(alphabet=st.characters(min_codepoint=0x4E00, max_codepoint=0x9FA5), min_size=1, max_size=6)
texts = st.one_of(chinese, st.text(min_size=1, max_size=30))
ids = st.builds(invented_id, st.dates(date(1900, 1, 1), TODAY), st.sampled_from("女男"), st.integers(0, 998))
mobiles = st.from_regex(r"1[3-9][0-9]{9}", fullmatch=True)
YEARLY = {d: [["00:00", "24:00"]] for d in rules.DAYS}


@pytest.mark.req("REG-02")
@given(
    born=st.dates(date(1900, 1, 1), TODAY), sex=st.sampled_from("女男"), order=st.integers(0, 998), lower=st.booleans()
)
def test_an_id_number_says_birth_date_and_sex(born, sex, order, lower):
    number = invented_id(born, sex, order)
    said = identity.identity_of(f" {number.lower() if lower else number} ", today=TODAY)
    assert said == identity.Identity(number, born, sex)
    weights = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)
    assert "10X98765432"[sum(int(d) * w for d, w in zip(number, weights, strict=False)) % 11] == number[-1]


@given(number=ids, at=st.integers(6, 16), by=st.integers(1, 9))
def test_one_wrong_digit_is_always_found(number, at, by):
    wrong = number[:at] + str((int(number[at]) + by) % 10) + number[at + 1 :]
    with pytest.raises(identity.BadNumber):
        identity.identity_of(wrong, today=TODAY)


@pytest.mark.parametrize(
    ("number", "why"),
    [
        ("33019919430512001", "少 1 位"),
        ("3301991943051200100", "多 1 位"),
        ("33019919430512A015", "只能是数字"),
        ("33019919431312001X", "不存在"),
        (invented_id(date(2026, 11, 21), "女"), "还没到"),
        ("330199194305120010", "校验"),
    ],
)
def test_a_wrong_id_number_says_what_to_mend(number, why):
    if why == "校验" and ric.calc_check_digit(number) == number[-1]:
        number = number[:-1] + "1"
    with pytest.raises(identity.BadNumber, match=why):
        identity.identity_of(number, today=TODAY)


@pytest.mark.parametrize(
    ("written", "kept"),
    [
        ("144 0000 1234", "14400001234"),
        ("+86 144-0000-1234", "14400001234"),
        ("0571-1000 6110", "057110006110"),
        ("(0571)10006110", "057110006110"),
        ("057110006110-12", "057110006110,12"),
        ("010-62345678", "01062345678"),
        ("0571 10006110 转 8012", "057110006110,8012"),
        ("400-800-1234", "4008001234"),
        ("12349", "12349"),
        ("96345", "96345"),
    ],
)
def test_phones_are_kept_in_one_spelling(written, kept):
    assert identity.phone_of(written) == kept


@pytest.mark.parametrize(
    ("written", "why"),
    [
        ("1440000123", "少 1 位"),
        ("144000012345", "多 1 位"),
        ("hello", "看不懂"),
        ("+1 202 555 0123", "中国大陆"),
        ("81006110", "区号"),
    ],
)
def test_a_wrong_phone_says_what_to_mend(written, why):
    with pytest.raises(identity.BadNumber, match=why):
        identity.phone_of(written)


def test_initials():
    assert identity.initials_of("周晓岚") == "zxl"
    assert identity.age_on(date(1943, 11, 20), TODAY) == 83
    assert identity.age_on(date(1943, 11, 21), TODAY) == 82


@pytest.mark.req("SYS-04")
@given(held=roles, more=roles, field=st.sampled_from(sorted(masks.FIELDS)))
def test_more_roles_never_show_less(held, more, field):
    assert masks.view_of(field, held | more) >= masks.view_of(field, held)
    assert masks.may_uncover(field, held | more) >= masks.may_uncover(field, held)


@pytest.mark.req("SYS-04")
@given(held=roles, phone=mobiles, number=ids, name=chinese)
def test_what_is_masked_does_not_give_the_secret_away(held, phone, number, name):
    for field, value in (("phone", phone), ("id_number", number), ("name", name), ("contact_phone", phone)):
        seen = masks.shown(field, value, held)
        match masks.view_of(field, held):
            case View.FULL:
                assert seen == value
            case View.MASKED:
                assert seen != value
                assert len(seen) >= len(value)
                assert field != "id_number" or number[6:14] not in seen
                assert "phone" not in field or phone[3:7] not in seen.replace("*", "")[:-4]
                assert field != "name" or (len(value) == 1 or value[1:] not in seen)
            case View.NONE:
                assert seen == masks.THERE


@pytest.mark.req("SYS-04")
@given(held=roles, text=texts, field=st.sampled_from(["illnesses", "chronic", "allergies", "key_note", "history"]))
def test_health_and_keys_are_shown_whole_or_not_at_all(held, text, field):
    seen = masks.shown(field, text, held)
    assert seen == text or text not in seen or len(text) <= 3
    assert masks.shown(field, "", held) == ""


@pytest.mark.req("SYS-04", "SYS-01")
def test_least_right():
    for role in (Role.SYSTEM_ADMIN, Role.SECURITY_ADMIN, Role.AUDIT_ADMIN):
        assert all(masks.view_of(f, {role}) is View.NONE and not masks.may_uncover(f, {role}) for f in masks.FIELDS)
    assert masks.view_of("id_number", {Role.AGENT}) is View.MASKED
    assert not masks.may_uncover("id_number", {Role.AGENT})
    assert masks.view_of("allergies", {Role.AGENT}) is View.FULL
    assert masks.view_of("illnesses", {Role.INSTALLER, Role.DISPATCHER, Role.PROVIDER}) is View.NONE
    assert masks.view_of("key_note", {Role.INSTALLER}) is View.NONE
    assert masks.view_of("zodiac", set(Role)) is View.NONE  # a field that nobody thought of stays closed
    assert [masks.phone(p) for p in ("14400001234", "057110006110", "12349", "110", "")] == [
        "144****1234",
        "0571****6110",
        "***49",
        "***",
        "",
    ]
    assert masks.address("荷汀苑 3 幢 502 室") == "荷汀苑 * 幢 *** 室"


def at(day, hour, minute=0):
    return datetime(2026, 11, day, hour, minute)


@pytest.mark.req("REG-13")
@pytest.mark.parametrize(
    ("table", "kind", "moment", "can"),
    [
        ({}, "guardian", at(20, 3), True),
        ({}, "property", at(20, 12), True),
        ({}, "property", at(20, 20), False),
        ({}, "property", at(20, 7, 59), False),
        ({}, "night_duty", at(20, 20), True),
        ({}, "night_duty", at(20, 7, 59), True),
        ({}, "night_duty", at(20, 8), False),
        ({"week": {"fri": [["09:00", "12:00"], ["13:00", "24:00"]]}}, "guardian", at(20, 12, 30), False),
        ({"week": {"fri": [["09:00", "12:00"], ["13:00", "24:00"]]}}, "guardian", at(20, 23, 59), True),
        ({"week": {"fri": [["22:00", "06:00"]]}}, "guardian", at(21, 5, 59), True),  # over midnight into Saturday
        ({"week": {"fri": [["22:00", "06:00"]]}}, "guardian", at(20, 5, 59), False),  # not from Thursday
        ({"week": YEARLY, "holiday": []}, "guardian", at(21, 12), False),  # a Saturday is no work day
        ({"week": YEARLY, "holiday": [["10:00", "11:00"]]}, "guardian", at(22, 10, 30), True),
        ({"week": YEARLY, "away": [{"from": "2026-11-19", "until": "2026-11-20"}]}, "guardian", at(20, 12), False),
        ({"away": [{"from": "2026-11-19", "until": "2026-11-20"}]}, "guardian", at(21, 0), True),
    ],
)
def test_who_can_be_reached_when(table, kind, moment, can):
    rules.check_availability(table)
    assert rules.available(table, kind, moment, workday=chinese_workday) is can


def test_holidays_follow_the_calendar_of_china():
    table = {"week": YEARLY, "holiday": []}
    national_day, moved_work_day = datetime(2026, 10, 1, 12), datetime(2026, 10, 10, 12)
    assert not rules.available(table, "guardian", national_day, workday=chinese_workday)
    assert rules.available(table, "guardian", moved_work_day, workday=chinese_workday)  # a Saturday that is worked


@pytest.mark.parametrize(
    ("table", "why"),
    [
        ({"weekly": {}}, "三部分"),
        ({"week": {"monday": []}}, "周一到周日"),
        ({"week": {"mon": [["8", "20"]]}}, "08:00"),
        ({"week": {"mon": [["08:00", "08:00"]]}}, "全天请填"),
        ({"away": [{"from": "2026-11-20"}]}, "起止"),
        ({"away": [{"from": "2026-11-20", "until": "2026-11-19"}]}, "对调"),
    ],
)
def test_a_table_of_hours_that_makes_no_sense_is_refused(table, why):
    with pytest.raises(rules.BadAvailability, match=why):
        rules.check_availability(table)


spans = st.lists(st.tuples(st.integers(0, 23), st.integers(0, 23)).filter(lambda s: s[0] != s[1]), max_size=3)


@given(week=st.dictionaries(st.sampled_from(rules.DAYS), spans), hours=st.integers(0, 24 * 14 - 1))
def test_availability_is_the_union_of_its_spans(week, hours):
    table = {"week": {d: [[f"{a:02d}:00", f"{b:02d}:00"] for a, b in s] for d, s in week.items()}}
    moment = at(9, 0) + timedelta(hours=hours)

    def inside(day, hour):
        for a, b in week.get(rules.DAYS[day], []):
            if (a < b and a <= hour < b) or (a > b and hour >= a):
                return True
        return any(a > b and hour < b for a, b in week.get(rules.DAYS[(day - 1) % 7], []))

    assert rules.available(table, "guardian", moment, workday=lambda _: True) is inside(moment.weekday(), moment.hour)


contacts = st.lists(
    st.fixed_dictionaries(
        {"kind": st.sampled_from(rules.LADDER), "turn": st.integers(1, 20), "available_now": st.booleans()}
    ),
    max_size=12,
)


@pytest.mark.req("INC-02")
@given(rungs=contacts)
def test_the_ladder_loses_nobody_but_the_half_of_the_property_that_sleeps(rungs):
    ladder = rules.ladder(rungs)
    order = [(rules.LADDER.index(r["kind"]), r["turn"]) for r in ladder]
    assert order == sorted(order)
    estate = {"property", "night_duty"}
    assert [r for r in ladder if r["kind"] not in estate] == sorted(
        (r for r in rungs if r["kind"] not in estate), key=lambda r: (rules.LADDER.index(r["kind"]), r["turn"])
    )
    before, after = ([r for r in rows if r["kind"] in estate] for rows in (rungs, ladder))
    assert bool(before) == bool(after)
    assert all(r in after for r in before if r["available_now"])


@given(lon=st.floats(75, 134), lat=st.floats(18, 53))
def test_coordinates_come_back_within_a_metre(lon, lat):
    there = geo.gcj02(lon, lat)
    back = geo.to_wgs84(*there, "gcj02")
    metres = hypot((back[0] - lon) * 111_320 * cos(radians(lat)), (back[1] - lat) * 110_574)
    assert metres < 1
