"""What a signal means: every line of the table, and that nothing can drop an SOS."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from anju.alarms import codes, rules
from anju.alarms.rules import ALARM, DRILL, NO_ALARM, PLATFORM, QUARANTINED, Known, judge
from anju.signals.signal import URGENT, Signal

NOON = datetime(2026, 11, 20, 4, 0, tzinfo=UTC)
MINUTE = timedelta(minutes=1)
CORD = Known(1, installed=True, home_id=7)


def said(kind: str, at: datetime = NOON, value: object = None, dty: str = "0004", stc: str = "0901") -> Signal:
    return Signal(kind, at, dty, stc, value=value)


@pytest.mark.req("SEN-03", "INC-01")
@pytest.mark.parametrize("kind", sorted(URGENT))
def test_what_takes_the_urgent_lane_is_an_emergency_and_a_movement_is_not(kind):
    verdict = judge(said(kind), CORD, received_at=NOON)
    assert verdict.outcome == ALARM
    assert not verdict.rule.technical
    assert verdict.rule.priority >= 7
    assert judge(said("motion"), CORD, received_at=NOON).outcome == NO_ALARM


@pytest.mark.req("DEV-05")
@pytest.mark.parametrize(
    ("signal", "source", "cause"),
    [
        (said("tamper"), "ctwing", "tamper"),
        (said("battery", value=15), "ctwing", "battery"),
        (said("offline"), PLATFORM, "silent"),
        (said("fault"), "ctwing", "fault"),
    ],
)
def test_what_is_wrong_with_a_device_is_a_repair_never_an_emergency(signal, source, cause):
    verdict = judge(signal, CORD, received_at=NOON, source=source)
    assert (verdict.outcome, verdict.rule.kind, verdict.rule.priority, verdict.rule.technical) == (
        ALARM,
        cause,
        1,
        True,
    )
    again = judge(signal, CORD, received_at=NOON, source=source, open_causes=frozenset({cause}))
    assert (again.outcome, again.reason) == (NO_ALARM, "同一原因已报修")
    in_stock = Known(1, installed=False, home_id=None)
    assert judge(signal, in_stock, received_at=NOON, source=source).outcome == NO_ALARM


@pytest.mark.req("DEV-05")
def test_a_good_battery_and_the_operators_late_word_raise_nothing():
    assert judge(said("battery", value=21), CORD, received_at=NOON).outcome == NO_ALARM
    assert judge(said("battery", value=None), CORD, received_at=NOON).outcome == NO_ALARM
    assert judge(said("offline"), CORD, received_at=NOON, source="ctwing").outcome == NO_ALARM
    assert judge(said("offline"), CORD, received_at=NOON, source=PLATFORM).outcome == ALARM


@pytest.mark.req("DEV-05")
def test_what_is_over_ends_its_own_cause_only():
    every = frozenset({"tamper", "battery", "silent", "fault"})

    def ended(signal, source="ctwing", battery=None):
        return judge(signal, CORD, received_at=NOON, source=source, open_causes=every, battery=battery).recovers

    assert ended(said("motion")) == {"silent"}
    assert ended(said("tamper_clear")) == {"silent", "tamper"}
    assert ended(said("vitals"), battery=29) == {"silent"}
    assert ended(said("vitals"), battery=30) == {"silent", "battery"}
    assert ended(said("offline"), source=PLATFORM) == frozenset()


@pytest.mark.req("DEV-06")
def test_a_press_in_test_mode_is_a_drill_but_one_from_before_or_after_it_is_real():
    testing = Known(1, installed=True, home_id=7, test_from=NOON, test_until=NOON + 30 * MINUTE)

    def outcome(at, received):
        return judge(said("sos", at), testing, received_at=received).outcome

    assert outcome(NOON + MINUTE, NOON + MINUTE) == DRILL
    assert outcome(NOON - MINUTE, NOON + MINUTE) == ALARM  # pressed before the test, only arriving now
    assert outcome(NOON + 31 * MINUTE, NOON + 31 * MINUTE) == ALARM
    assert outcome(NOON + 5 * MINUTE, NOON + 31 * MINUTE) == ALARM  # arrived after it: better one rescue too many
    assert judge(said("test"), CORD, received_at=NOON).outcome == DRILL


@pytest.mark.req("SEN-03", "DEV-04")
def test_a_stranger_is_quarantined_but_its_sos_rings():
    assert judge(said("motion"), None, received_at=NOON).outcome == QUARANTINED
    assert judge(said("battery", value=3), None, received_at=NOON).outcome == QUARANTINED
    verdict = judge(said("sos"), None, received_at=NOON)
    assert (verdict.outcome, verdict.rule.priority) == (ALARM, 9)


def test_a_kind_that_nobody_listed_is_judged_by_its_codes():
    assert judge(said("novelty", dty="0023", stc="0009"), CORD, received_at=NOON).rule.kind == "smoke"
    assert judge(said("novelty", dty="0003", stc=""), CORD, received_at=NOON).rule.kind == "sos"
    assert judge(said("novelty", dty="9999", stc=""), CORD, received_at=NOON).rule.kind == "sos"
    assert judge(said("novelty", dty="0010", stc="0119"), CORD, received_at=NOON).outcome == NO_ALARM
    assert judge(said("smoke_clear", dty="0023", stc="0092"), CORD, received_at=NOON).outcome == NO_ALARM


@pytest.mark.req("SEN-03")
@given(
    kind=st.sampled_from(["sos", "help"]),
    at=st.datetimes(timezones=st.just(UTC)),
    dty=st.text(max_size=4),
    stc=st.text(max_size=4),
    value=st.none() | st.integers() | st.text(),
    battery=st.none() | st.integers() | st.text() | st.booleans(),
    known=st.booleans(),
    installed=st.booleans(),
    causes=st.frozensets(st.sampled_from(sorted(rules.RULES))),
)
def test_no_field_and_no_state_of_a_device_drops_an_sos(kind, at, dty, stc, value, battery, known, installed, causes):
    device = Known(1, installed=installed, home_id=None) if known else None
    verdict = judge(
        Signal(kind, at, dty, stc, value=value), device, received_at=NOON, open_causes=causes, battery=battery
    )
    assert verdict.outcome == ALARM
    assert verdict.rule.priority == 9


def test_every_line_of_the_table_has_words():
    for rule in rules.RULES.values():
        assert codes.stc_label(rule.stc) != f"状态 {rule.stc}"
        assert rule.technical == (rule.priority == 1)
    assert codes.dty_label("7777") == "设备类型 7777"
    assert codes.lco_label("011") == "卫生间"
    assert codes.lco_label("") == ""


def test_a_source_is_silent_after_three_of_its_usual_gaps_and_an_outage_does_not_deafen_the_watch():
    usual = rules.FIRST_GAP
    for _ in range(2000):  # a day of a lively source
        usual = rules.learn_gap(usual, 5, 43.2)
    assert usual < rules.FIRST_GAP / 1.9
    for _ in range(20_000):
        usual = rules.learn_gap(usual, 5, 43.2)
    assert usual == rules.LEAST_GAP
    assert not rules.is_silent(usual, timedelta(seconds=60))
    assert rules.is_silent(usual, timedelta(seconds=61))
    assert rules.learn_gap(usual, 36_000, 36_000) == 3 * usual
    assert rules.learn_gap(usual, 50, 50) == 50


def test_a_joining_reason_says_who_and_when():
    first = rules.Press("主动求助", NOON, same_device=True)
    assert rules.join_reason(first, NOON + timedelta(seconds=192)) == "同一设备 3 分 12 秒前已有“主动求助”在处置"
    other = rules.Press("主动求助", NOON, same_device=False)
    assert rules.join_reason(other, NOON + timedelta(seconds=9)) == "同一家庭另一设备 9 秒前已有“主动求助”在处置"
