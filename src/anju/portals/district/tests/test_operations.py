"""The figures of the operations page: what is over its limit is said in words, what nobody reported is never called well."""

from __future__ import annotations

from datetime import UTC, datetime

from anju.portals.district.views.operations import UNTOLD, delays

NOW = datetime(2026, 6, 1, tzinfo=UTC)
WELL = {"checked_at": NOW.isoformat(), "open": 3, "open_text": 3, "without_deadline": 0, "overdue": 0}


def test_what_is_over_its_limit_says_so():
    well = delays(5.0, {"ticker_seconds": 1.0, "jobs": 200}, {"files": 0}, WELL, NOW)
    assert [(f.wrong, f.told) for f in well] == [("", True)] * 5
    ill = delays(5.1, {"ticker_seconds": 1.4, "jobs": 201}, {"files": 2}, WELL | {"overdue": 1}, NOW)
    assert [bool(f.wrong) for f in ill] == [True] * 5
    assert ill[0].wrong == "超过 5 秒，要查"
    assert ill[4].wrong.endswith("1 起不对")


def test_what_nobody_reported_is_not_known():
    silent = delays(0.0, {}, {}, {"open_text": "—"}, NOW)
    assert [f.told for f in silent] == [True, False, False, False, False]
    assert [f.value for f in silent[1:4]] == [UNTOLD] * 3
