"""The promises of 附件6 as pure functions."""

from __future__ import annotations

from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from anju.fieldwork import rules

ZONE = ZoneInfo("Asia/Shanghai")
HOUR = timedelta(hours=1)
NOON = datetime(2026, 11, 20, 12, 0, tzinfo=ZONE)


def left(slot: str, default: timedelta, now: datetime, *, reported=NOON, appointment=None, seen=False) -> timedelta:
    return rules.time_left(slot, default, now=now, reported_at=reported, appointment_at=appointment, seen=seen)


@pytest.mark.req("FLD-02")
def test_waiting_for_the_visit_ends_at_the_next_promise():
    day = timedelta(hours=24)
    assert left("appointed", day, NOON + HOUR) == 23 * HOUR  # repaired within 24 h of the report
    assert left("appointed", day, NOON + 25 * HOUR) == 23 * HOUR  # looked at within 48 h at the latest
    assert left("appointed", day, NOON + 49 * HOUR) == day  # all broken: pressed once a day
    assert left("appointed", day, NOON + HOUR, appointment=NOON + 3 * HOUR) == 2 * HOUR  # the appointment comes first
    assert left("appointed", day, NOON + HOUR, seen=True) == day
    assert left("contacting", 2 * HOUR, NOON + 30 * HOUR) == 2 * HOUR


@pytest.mark.req("FLD-02")
def test_a_withdrawal_asked_before_half_past_five_is_decided_the_same_evening():
    asked = datetime(2026, 11, 20, 17, 29, tzinfo=ZONE)
    assert asked + left("withdrawing", 20 * HOUR, asked) == datetime(2026, 11, 20, 20, 0, tzinfo=ZONE)
    assert left("withdrawing", 20 * HOUR, asked + timedelta(minutes=1)) == 20 * HOUR
    early = datetime(2026, 11, 20, 0, 10, tzinfo=ZONE)
    assert left("withdrawing", 20 * HOUR, early) < 20 * HOUR


@pytest.mark.req("FLD-02")
@given(
    slot=st.sampled_from(["appointed", "withdrawing", "on_site", "reported"]),
    after=st.timedeltas(timedelta(0), timedelta(days=10)),
    appointment=st.none() | st.timedeltas(timedelta(days=-3), timedelta(days=3)),
    seen=st.booleans(),
)
def test_no_state_lasts_longer_than_its_own_time_nor_no_time_at_all(slot, after, appointment, seen):
    default = 20 * HOUR
    moment = left(
        slot, default, NOON + after, appointment=NOON + appointment if appointment is not None else None, seen=seen
    )
    assert rules.SHORTEST <= moment <= default


@pytest.mark.req("FLD-02")
def test_broken_promises_are_named_and_kept_ones_are_not():
    def broken(hours, seen=None, repaired=False):
        seen_at = NOON + seen * HOUR if seen is not None else None
        return rules.broken_promises(now=NOON + hours * HOUR, reported_at=NOON, seen_at=seen_at, repaired=repaired)

    assert broken(23) == []
    assert broken(25) == ["超过 24 小时未修复"]
    assert broken(49) == ["超过 48 小时未到场查看", "超过 24 小时未修复"]
    assert broken(49, seen=2, repaired=True) == []
    assert broken(60, seen=50, repaired=True) == ["超过 48 小时未到场查看"]


@pytest.mark.req("FLD-07")
def test_the_second_fault_goes_to_support_and_the_fourth_is_assessed():
    assert [rules.repeat_label(n) for n in (1, 2, 3, 4)] == [
        "", "第 2 次重复，须支撑核实", "第 3 次重复，须支撑核实", "第 4 次重复，计入考核",
    ]  # fmt: skip
