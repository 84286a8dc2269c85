"""Is the platform well: a check that breaks says so and hides no other."""

from __future__ import annotations

import pytest

from anju.config import health

pytestmark = [pytest.mark.django_db, pytest.mark.req("SYS-07")]


@pytest.mark.parametrize("error", [OSError("no such disk"), ValueError("half a file"), KeyError("rss")])
def test_a_check_that_breaks_says_so_and_hides_no_other(monkeypatch: pytest.MonkeyPatch, error: Exception) -> None:
    def breaks() -> None:
        raise error

    breaks.__name__ = "_disk"
    before = {check.name for check in health.checks()}
    monkeypatch.setattr(health, "_disk", breaks)
    after = {check.name: check for check in health.checks()}
    assert after.keys() == before
    assert after["disk"].state == "deaf", "what is not known is not called well"
    assert type(error).__name__ in after["disk"].detail
