"""Availability, the order of calling, completeness of a file, and what a person may get. Pure."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Any

DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
DAY_HOURS = (("08:00", "20:00"),)
NIGHT_HOURS = (("20:00", "08:00"),)
LADDER = ("guardian", "neighbour", "grid", "social_worker", "property", "night_duty", "committee")
"""Order of the kinds (HZ 附件2 二.2: 监护人 → 社工/网格员/物业); within a kind the order is `turn`."""
GUARDIANS_AT_MOST = 3
SERVICE_DAYS = 365


class BadAvailability(ValueError):
    """The table of hours cannot be read; the message is Chinese."""


def available(table: Mapping[str, Any], kind: str, at: datetime, *, workday: Callable[[date], bool]) -> bool:
    """Whether somebody can be reached at `at` (wall clock) by her table of hours.

    `{"week": {"mon": [["08:00", "20:00"]], …}, "holiday": […], "away": [{"from": day, "until": day}]}`. A day that is not named
    in `week` has no hours; no `week` at all means always, but a property office has day hours and its duty phone night hours.
    `holiday` replaces the hours of days off (`workday` says which). A span may run over midnight.
    """
    if any(str(a["from"]) <= at.date().isoformat() <= str(a["until"]) for a in table.get("away", [])):
        return False
    spans = _spans(table, kind, at.date(), workday)
    if spans is None:
        return True
    now = at.time()
    if any(_from(s) <= now < _until(s) for s in spans if not _over_midnight(s)):
        return True
    if any(now >= _from(s) for s in spans if _over_midnight(s)):
        return True
    before = _spans(table, kind, at.date() - timedelta(days=1), workday) or []
    return any(now < _until(s) for s in before if _over_midnight(s))


def check_availability(table: Mapping[str, Any]) -> None:
    """Raise `BadAvailability` when a table of hours cannot be used."""
    if set(table) - {"week", "holiday", "away"}:
        raise BadAvailability("能联系的时间只能有每周、节假日、外出三部分")
    week = table.get("week", {})
    if not isinstance(week, Mapping) or set(week) - set(DAYS):
        raise BadAvailability("每周的时间要按周一到周日填")
    for span in [span for spans in [*week.values(), table.get("holiday", [])] for span in spans]:
        _check_span(span)
    for away in table.get("away", []):
        _check_away(away)


def _check_span(span: Sequence[str]) -> None:
    try:
        empty = _from(span) == _until(span)
    except (ValueError, TypeError, IndexError):
        raise BadAvailability("时间要写成 08:00 到 20:00 这样") from None
    if empty:
        raise BadAvailability(f"{span[0]} 到 {span[1]} 是空的，全天请填 00:00 到 24:00")


def _check_away(away: Mapping[str, Any]) -> None:
    try:
        turned = date.fromisoformat(str(away["from"])) > date.fromisoformat(str(away["until"]))
    except (KeyError, TypeError, ValueError):
        raise BadAvailability("外出要填起止日期") from None
    if turned:
        raise BadAvailability("外出的开始日在结束日之后，请对调")


def ladder(rungs: Sequence[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    """The contacts in the order of calling. Of day and night phone of the property only the one that answers now stays,
    unless nobody answers now: then both stay, because a rung that may ring is better than none."""
    order = {kind: n for n, kind in enumerate(LADDER)}
    rows = sorted(rungs, key=lambda r: (order.get(r["kind"], len(LADDER)), r["turn"]))
    estate = [r for r in rows if r["kind"] in {"property", "night_duty"}]
    if any(r["available_now"] for r in estate):
        rows = [r for r in rows if r not in estate or r["available_now"]]
    return rows


@dataclass(frozen=True, slots=True)
class Held:
    """What a file holds, for the check of completeness: fields by name, and the kinds of contacts that are usable."""

    fields: Mapping[str, object]
    contacts: Sequence[Mapping[str, Any]]
    consents: frozenset[str] = frozenset()


REQUIRED: tuple[tuple[str, str], ...] = (
    ("name", "姓名"),
    ("sex", "性别"),
    ("birth_date", "出生日期"),
    ("id_number", "身份证号"),
    ("address", "家庭住址"),
    ("phone", "联系电话"),
    ("self_rescue", "自救方式"),
    ("entrance", "救护车入口"),
    ("illnesses", "重大疾病史"),
    ("chronic", "慢病史"),
    ("allergies", "药物过敏史"),
    ("hobbies", "兴趣爱好"),
    ("habits", "生活习惯"),
    ("kind", "对象类别"),
    ("ability", "能力状态"),
    ("health_state", "健康状况"),
    ("electricity_no", "电表户号"),
    ("water_no", "水表户号"),
    ("gas_no", "燃气户号"),
    ("appointment", "预约安装上门时间"),
)
"""Everything that must be filled (“以上空白栏均为必填项”). Where there is nothing to report one writes 无. 其他信息 may stay empty."""


def missing(held: Held) -> list[str]:
    """What a file still lacks, in Chinese, in the order of the form; empty when it may be approved."""
    gaps = [label for field, label in REQUIRED if held.fields.get(field) in {None, ""}]
    kinds = [c["kind"] for c in held.contacts]
    for number, guardian in enumerate((c for c in held.contacts if c["kind"] == "guardian"), start=1):
        for field, label in (("relation", "与本人关系"), ("sex", "性别"), ("address", "居住地址")):
            if not guardian.get(field):
                gaps.append(f"监护人 {number} 的{label}")
    if "guardian" not in kinds:
        gaps.append("监护人（至少 1 位）")
    if kinds.count("grid") < 2:
        gaps.append(f"网格员（还差 {2 - kinds.count('grid')} 位）")
    gaps += [
        label
        for kind, label in (
            ("social_worker", "社工"),
            ("property", "物业管家联系电话"),
            ("night_duty", "夜间值班联系电话"),
            ("committee", "居委联系方式"),
        )
        if kind not in kinds
    ]
    if "monitor" not in held.consents:
        gaps.append("签好的告知及确认书")
    return gaps


def services_for(status: str | None) -> frozenset[str]:
    """What somebody gets: everybody emergency help, a client in service also care, monitoring and orders (REG-10)."""
    if status == "approved":
        return frozenset({"emergency", "monitor", "care", "orders"})
    return frozenset({"emergency"})


def authority(consents: Iterable[Mapping[str, Any]]) -> dict[str, Any] | None:
    """The newest valid consent that lets the centre dial 110, 119 and 120, as it is frozen on a case."""
    rows = [c for c in consents if c["valid"] and "rescue_110_120_119" in c["scope"]]
    if not rows:
        return None
    best = max(rows, key=lambda c: (c["expires_on"], c["id"]))
    return {
        "consent_id": best["id"],
        "document_id": best["document"],
        "until": best["expires_on"],
        "covers": [110, 120, 119],
    }


def _spans(
    table: Mapping[str, Any], kind: str, day: date, workday: Callable[[date], bool]
) -> Sequence[Sequence[str]] | None:
    """Hours of a day; None for always."""
    if "holiday" in table and not workday(day):
        return list(table["holiday"])
    if "week" in table:
        return list(table["week"].get(DAYS[day.weekday()], []))
    return {"property": DAY_HOURS, "night_duty": NIGHT_HOURS}.get(kind)


def _clock(text: str) -> time:
    return time.max if text == "24:00" else time.fromisoformat(text)


def _from(span: Sequence[str]) -> time:
    return _clock(span[0])


def _until(span: Sequence[str]) -> time:
    return _clock(span[1])


def _over_midnight(span: Sequence[str]) -> bool:
    return _from(span) > _until(span)
