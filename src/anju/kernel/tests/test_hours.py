"""Office time: what always holds, and the days that go wrong everywhere else."""

from __future__ import annotations

import logging
from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from anju.kernel import hours
from anju.kernel.hours import OFFICE, OfficeHours, due, elapsed, weekdays_only

SH = ZoneInfo("Asia/Shanghai")
pytestmark = pytest.mark.req("FLD-03")

FIRST, LAST = datetime.fromisoformat("2023-01-01"), datetime.fromisoformat("2028-12-31")
moments = st.datetimes(FIRST, LAST, timezones=st.sampled_from([SH, ZoneInfo("UTC")]))
spans = st.integers(0, 80 * 3600).map(lambda s: timedelta(seconds=s))


@st.composite
def offices(draw):
    opens = draw(st.integers(0, 22 * 60))
    closes = draw(st.integers(opens + 1, 24 * 60 - 1))
    kind = draw(st.sampled_from([hours.chinese_workday, weekdays_only]))
    return OfficeHours(time(*divmod(opens, 60)), time(*divmod(closes, 60)), kind)


@settings(deadline=None, max_examples=150)
@given(moments, spans.filter(bool))
def test_a_deadline_lies_in_office_hours_and_leaves_exactly_the_time_given(start, within):
    end = due(start, within)
    assert elapsed(start, end) == within
    assert OFFICE.holidays(end.date())
    assert time(8, 30) <= end.time() <= time(17, 30)
    assert elapsed(start, end - timedelta(microseconds=1)) < within, "and not earlier"


@settings(deadline=None, max_examples=80)
@given(offices(), moments, spans.map(lambda s: s / 40))
def test_any_office_counts_the_same_both_ways(office, start, within):
    assert elapsed(start, due(start, within, office), office) == within


@settings(deadline=None, max_examples=100)
@given(moments, spans, spans)
def test_later_start_or_more_time_is_never_due_earlier(start, less, more):
    less, more = sorted([less, more])
    assert due(start, less) <= due(start, more)
    assert due(start, less) <= due(start + more, less)


@settings(deadline=None, max_examples=100)
@given(moments, spans, spans)
def test_time_adds_up(start, a, b):
    middle, end = start + a, start + a + b
    assert elapsed(start, end) == elapsed(start, middle) + elapsed(middle, end)
    assert elapsed(end, start) == timedelta(0)


def at(text: str) -> datetime:
    return datetime.strptime(text, "%Y-%m-%d %H:%M").replace(tzinfo=SH)


@pytest.mark.parametrize(
    ("start", "allowed", "end"),
    [
        ("2026-11-20 09:00", 3, "2026-11-20 12:00"),
        ("2026-11-20 14:30", 3, "2026-11-20 17:30"),  # due at closing time, not next morning
        ("2026-11-20 17:30", 3, "2026-11-23 11:30"),  # after 17:30 counted from the next 8:30 (a Monday)
        ("2026-11-20 23:59", 3, "2026-11-23 11:30"),  # a clock over midnight
        ("2026-11-20 07:00", 1, "2026-11-20 09:30"),
        ("2026-11-20 16:30", 3, "2026-11-23 10:30"),
        ("2026-11-22 10:00", 8, "2026-11-23 16:30"),  # begins on a Sunday
        ("2026-02-14 15:30", 3, "2026-02-24 09:30"),  # Saturday worked before the Spring Festival (调休); nine days off
        ("2026-09-30 16:30", 2, "2026-10-08 09:30"),  # National Day week
        ("2026-10-10 16:30", 2, "2026-10-12 09:30"),  # a Saturday worked in exchange
        ("2026-12-31 17:00", 1, "2027-01-01 09:00"),  # 2027 is not in the table: a Friday counts as a weekday
    ],
)
def test_named_days(start, allowed, end):
    assert due(at(start), timedelta(hours=allowed)) == at(end)


def test_a_year_without_known_holidays_falls_back_to_weekdays_and_says_so_once(caplog):
    hours._warn_of.cache_clear()
    hours.chinese_workday.cache_clear()
    with caplog.at_level(logging.WARNING):
        worked = [hours.chinese_workday(date(2099, 1, 1) + timedelta(days=n)) for n in range(7)]
    assert sum(worked) == 5
    assert [r.message for r in caplog.records if "2099" in r.message] == [caplog.records[0].message]
    assert (hours.holidays_known(2099), hours.holidays_known(2026)) == (False, True)


def test_nonsense_is_refused():
    with pytest.raises(ValueError, match="ahead"):
        due(at("2026-11-20 09:00"), timedelta(seconds=-1))
    with pytest.raises(ValueError, match="open before"):
        OfficeHours(time(17), time(8))
    with pytest.raises(ValueError, match="no work day"):
        due(at("2026-11-20 09:00"), timedelta(hours=1), OfficeHours(holidays=lambda day: False))
