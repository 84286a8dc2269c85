"""The window, the words, the answers."""

from __future__ import annotations

from datetime import date, datetime, time

import pytest

from anju.calls.campaigns import rules
from anju.calls.planned.rules import Night

DAY = date(2026, 9, 10)


@pytest.mark.req("CALL-08")
def test_the_window_is_by_day_and_hour_and_never_at_night():
    def open_at(text):
        return rules.in_window(datetime.fromisoformat(text), DAY, date(2026, 9, 12), time(9), time(17))

    assert [open_at(f"2026-09-{when}") for when in ("09T10:00", "10T08:59", "10T09:00", "12T16:59", "12T17:00")] == [
        False, False, True, True, False,
    ]  # fmt: skip


@pytest.mark.req("CALL-08")
@pytest.mark.parametrize(
    ("more", "words"),
    [({}, ""), ({"until_at": time(21, 30)}, "夜间"), ({"from_at": time(7)}, "8:00 到 21:00"), ({"says": " "}, "说什么"), ({"tries": 9}, "1 到 5 次"),
     ({"until": date(2026, 9, 1)}, "早于"), ({"labels": {"2": "x"}}, "要人帮忙"), ({"at_once": 11}, "路"), ({"way": "x"}, "坐席")],
)  # fmt: skip
def test_what_is_wrong_is_said(more, words):
    told = {"name": "体检", "purpose": "通知", "way": "robot", "says": "体检", "labels": {}, "first": DAY, "until": DAY,
            "from_at": time(9), "until_at": time(17)}  # fmt: skip
    said = rules.fault(rules.Wanted(**told | more), DAY, Night())
    assert (words in said) if words else said == ""


def test_answers_are_read_line_by_line():
    assert rules.answers("1 参加\n\n3：不参加") == {"1": "参加", "3": "不参加"}
    for text in ("2 不参加", "参加", "1", "1 a\n1 b"):
        with pytest.raises(ValueError, match=r"看不懂|两次"):
            rules.answers(text)
    said = rules.spoken("明天体检。", {"1": "参加", "3": "不参加"})
    assert said == (
        "您好，这里是安居中心。明天体检。参加请按一，不参加请按三。要人帮忙请按二，以后不想接这类电话请按九。"
    )
