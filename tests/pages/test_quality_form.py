"""The form by which calls are scored is edited on a page; the quota says what is missing."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client

from anju.kernel.scope import EVERYWHERE, seen_by
from anju.supervision.forms import STANDARD
from anju.supervision.models import ScoreForm

pytestmark = [pytest.mark.django_db, pytest.mark.req("CALL-06", "EXT-16")]
As = Callable[[str], Client]


def text(answer: Any) -> str:
    return str(answer.content.decode())


def typed(*rows: dict[str, Any], based_on: int = 1) -> dict[str, Any]:
    """The form as a browser sends it."""
    said: dict[str, Any] = {"name": "通话质检表", "based_on": based_on}
    for n, row in enumerate(rows, 1):
        said |= {f"{key}-{n}": value for key, value in {"turn": n, **row}.items()}
    return said


def test_a_changed_form_is_a_new_version_and_the_old_one_stays(town: object, as_user: As) -> None:
    """A line is dropped, one is new, one weighs more, the order is changed; the standard form stays as it was."""
    quality = as_user("quality1")
    page = text(quality.get("/district/quality/form/"))
    assert STANDARD[0]["label"] in page
    assert "存为第 2 版" in page
    rows = [
        {
            "code": "opening",
            "label": "开头语",
            "points": "15",
            "role": "phrase",
            "hint": "您好，安居平台为您服务",
            "turn": "2",
        },
        {"code": "answer", "label": "答复准确", "points": "85", "role": "accuracy", "turn": "1"},
        {"code": "closing", "label": "结束语", "points": "10", "drop": "1"},
        {"label": "辱骂来电人", "fatal": "1", "points": "7"},
        {"label": ""},
    ]
    assert "已存为第 2 版" in text(quality.post("/district/quality/form/save", typed(*rows), follow=True))
    with seen_by(EVERYWHERE):
        newest, old = ScoreForm.objects.order_by("-version")
    assert old.criteria == STANDARD
    assert [c["code"] for c in newest.criteria] == ["answer", "opening", "item1"]
    assert newest.criteria[2] == {"code": "item1", "label": "辱骂来电人", "fatal": True}
    assert newest.criteria[1]["hint"] == "您好，安居平台为您服务"
    shown = text(quality.get("/district/quality/form/?version=1"))
    assert "旧版，只读" in shown
    assert "存为第" not in shown
    again = text(quality.post("/district/quality/form/save", typed(*rows), follow=True))
    assert "别人刚改过" in again


@pytest.mark.parametrize(
    ("rows", "said"),
    [
        ([{"label": "只有否决", "fatal": "1"}], "至少要有一个计分项"),
        ([{"label": "没有分值"}], "分值要在 1 到 100 之间"),
        ([{"label": "太多", "points": "101"}], "分值要在 1 到 100 之间"),
        ([{"label": "甲", "code": "a", "points": "5"}, {"label": "乙", "code": "a", "points": "5"}], "重复"),
        ([], "至少要有一个计分项"),
    ],
)
def test_a_form_that_cannot_score_is_refused_and_what_was_typed_stays(
    town: object, as_user: As, rows: list[dict[str, Any]], said: str
) -> None:
    answer = text(as_user("lead1").post("/district/quality/form/save", typed(*rows)))
    assert said in answer
    assert all(row["label"] in answer for row in rows)
    assert ScoreForm.objects.count() == 1


def test_who_may_edit_the_form(town: object, as_user: As) -> None:
    """Leads, quality and the system administrator; agents and the bureau neither see nor send it."""
    for who, status in (
        ("lead1", 200),
        ("quality1", 200),
        ("sysadmin1", 200),
        ("agent1", 403),
        ("bureau1", 403),
        ("street1", 403),
    ):
        assert as_user(who).get("/district/quality/form/").status_code == status, who
    refused = as_user("agent1").post("/district/quality/form/save", typed({"label": "甲", "points": "5"}))
    assert refused.status_code == 403
    assert not ScoreForm.objects.filter(version=2).exists()
    labels = [{"label": "<script>alert(1)</script>", "points": "5"}]
    shown = text(as_user("sysadmin1").post("/district/quality/form/save", typed(*labels), follow=True))
    assert "<script>alert" not in shown


def test_the_quota_lists_who_was_never_audited(town: object, as_user: As) -> None:
    """The three agents of the town miss two calls in this month; an odd month of the address is this one."""
    for month in ("", "2026-13", "9999-01", "x"):
        page = text(as_user("quality1").get(f"/district/quality/?month={month}"))
        quota = page.split('id="quota"')[1].split("</section>")[0]
        assert quota.count("还要抽 2 通、评 2 通") == 3
        assert "周晓岚" in quota
        assert "还有 3 人没够" in quota
    assert 'id="quota"' not in text(as_user("agent1").get("/district/quality/"))
