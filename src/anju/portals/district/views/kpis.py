"""The figures of the call centre: by period, agent, seat, group; as a page, as a workbook; and the levels of the queues."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from typing import get_args

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST

from anju.accounts import queries as accounts
from anju.calls import queries as calls
from anju.calls.kpis import KPIS, By, Chosen, Counts, Kpi, Line, live, report
from anju.calls.levels import actions as levels
from anju.calls.levels import queries as level_queries
from anju.kernel import clock
from anju.kernel.flow.actor import NotAllowed
from anju.portals.district import charts, filters, workbook
from anju.portals.district.access import actor, allowed, opens
from anju.supervision import queries as supervision

GROUPS = (
    ("day", "按日"), ("hour", "按小时"), ("week", "按周"), ("month", "按月"), ("hour_of_day", "按钟点"), ("user", "按工号"), ("seat", "按坐席号"),
    ("group", "按技能组"), ("queue", "按队列"),
)  # fmt: skip
SPANS = (1, 7, 30, 90, 366)
HEAD = (
    "answer_rate", "level_15", "level_20", "abandon_rate", "average_speed_of_answer", "average_handle", "first_call_resolution", "complaint_rate",
)  # fmt: skip
COLUMNS = (
    "calls_offered", "answer_rate", "level_15", "level_20", "level_60", "level_180", "calls_abandoned", "short_abandons", "average_speed_of_answer",
    "average_talk", "average_wrap_up", "average_handle", "occupancy", "first_call_resolution", "complaint_rate", "answer_accuracy", "phrase_use",
    "satisfaction",
)  # fmt: skip
OF_SEATS = ("rings_missed",)


@dataclass(frozen=True, slots=True)
class Cell:
    """One figure as it is shown: text, whether the target is met (None: no target), and what it was made of."""

    kpi: Kpi
    value: float | None
    text: str
    met: bool | None
    made_of: str


def cell(name: str, counts: Counts) -> Cell:
    """The figure of these counts."""
    kpi = KPIS[name]
    value = kpi.of(counts)
    if value is None:
        text = "—"
    elif kpi.unit in {"通", "次"}:
        text = f"{value:.0f}"
    else:
        text = f"{value:.1f}"
    top, bottom = (getattr(counts, p) if p else None for p in kpi.parts)
    made = f"{top:g} ÷ {bottom:g}" if bottom is not None and top is not None and value is not None else ""
    return Cell(kpi, value, text, kpi.met(value), made)


@dataclass(frozen=True, slots=True)
class Asked:
    """What the address asks for."""

    day: date
    days: int
    by: By
    chosen: Chosen


def asked(request: HttpRequest) -> Asked:
    """Days, group and filters of the address; odd values fall back."""
    day = filters.day(request, "day", clock.today())
    days = filters.number(request, "days", most=366, default=7)
    by = filters.choice(request, "by", (g for g, _ in GROUPS), "day")
    if by == "hour" and days > 31:
        by = "day"
    until = filters.span_of(day)[1]
    known: By = next(value for value in get_args(By) if value == by)
    chosen = Chosen(
        until - timedelta(days=days), until, queue=filters.text(request, "queue", 20), group=filters.text(request, "group", 20),
        user_id=filters.number(request, "agent", most=2**31, default=0) or None, seat=filters.text(request, "seat", 10),
        emergency=True if request.GET.get("emergency") == "1" else None,
    )  # fmt: skip
    return Asked(day, days, known, chosen)


def figures(said: Asked) -> tuple[list[tuple[str, Counts]], Counts]:
    """Named lines and the whole, with what audits and complaints say."""
    found = report(said.chosen, said.by)
    narrowed = said.chosen.queue or said.chosen.group or said.chosen.seat or said.chosen.emergency
    extra = {} if narrowed else supervision.counts(since=said.chosen.since, until=said.chosen.until, by=said.by)
    if said.chosen.user_id is not None:
        mine = supervision.counts(since=said.chosen.since, until=said.chosen.until, by="user").get(
            str(said.chosen.user_id), Counts()
        )
        whole, extra = found.total + mine, {}
    else:
        audited = supervision.counts(since=said.chosen.since, until=said.chosen.until) if not narrowed else {}
        whole = found.total + audited.get("", Counts())
    keys = {line.key: line for line in found.lines}
    if said.by == "day" and keys:  # a day without a call is a day, too
        first = clock.local(said.chosen.since).date()
        for n in range(said.days):
            key = f"{first + timedelta(days=n):%Y-%m-%d}T00:00"
            keys.setdefault(key, Line(key, "", Counts()))
    names = _names(said.by, set(keys) | set(extra), {k: line.label for k, line in keys.items()})
    lines = [
        (names.get(key, key), (keys[key].counts if key in keys else Counts()) + extra.get(key, Counts()))
        for key in sorted(set(keys) | (set(extra) if said.by not in {"queue", "group"} else set()))
        if key or said.by in {"queue", "group"}
    ]
    return lines, whole


def _names(by: By, keys: set[str], labels: Mapping[str, str]) -> dict[str, str]:
    if by == "user":
        found = accounts.user_names([int(k) for k in keys if k.isdigit()])
        return {k: found.get(int(k), f"用户 {k}") for k in keys if k.isdigit()}
    if by == "hour_of_day":
        return {k: f"{k} 时" for k in keys}
    if by in {"queue", "group"}:
        return {k: labels.get(k) or k for k in keys}
    if by == "hour":
        return {k: f"{k[5:10]} {k[11:16]}" for k in keys}
    if by == "month":
        return {k: k[:7] for k in keys}
    return {k: k[5:10] for k in keys} if by in {"day", "week"} else {k: k for k in keys}


@never_cache
@opens("kpis")
def page(request: HttpRequest) -> HttpResponse:
    """Stat cards with definitions, a chart, a table, and the workbook."""
    said = asked(request)
    lines, whole = figures(said)
    columns = [KPIS[n] for n in COLUMNS + (OF_SEATS if said.by in {"user", "seat"} else ())]
    if request.GET.get("export") == "xlsx":
        return workbook.answer(
            f"话务指标 {said.day:%Y-%m-%d} 前 {said.days} 天", columns, lines, whole, dict(GROUPS)[said.by]
        )
    points = [
        charts.Point(name, c.answered, c.abandoned + c.missed, KPIS["answer_rate"].of(c), KPIS["level_15"].of(c))
        for name, c in lines
    ]
    kept = request.GET.copy()
    for name in ("export", "by"):
        kept.pop(name, None)
    return render(
        request, "district/calls/kpis.html",
        {
            "head": [cell(n, whole) for n in HEAD], "columns": columns, "whole": [cell(k.name, whole) for k in columns],
            "lines": [(name, [cell(k.name, c) for k in columns]) for name, c in lines], "chart": charts.chart(points, goal=95.0),
            "groups": GROUPS, "by": said.by, "day": said.day, "days": said.days, "spans": SPANS, "kept": kept.urlencode(),
            "chosen": said.chosen, "queues": calls.queues(), "agents": accounts.agents(), "skills": calls.skill_groups(),
            "kpis": KPIS.values(), "may": allowed(actor(request), "levels"), "unanswered": whole.offered == 0,
        },
    )  # fmt: skip


@never_cache
@opens("levels")
def level_page(request: HttpRequest) -> HttpResponse:
    """How the queues stand, what is proposed, and what each must hold."""
    now = live()
    rules = {code: rule for code, _, rule in level_queries.rules()}
    return render(
        request, "district/calls/levels.html",
        {
            "live": now, "longest": f"{int(now.longest_wait_seconds) // 60}:{int(now.longest_wait_seconds) % 60:02d}",
            "rate": cell("answer_rate", now.today).text, "proposals": level_queries.proposals(),
            "queues": [(q, rules.get(q.code), cell("level_20", q.recent), cell("answer_rate", q.today)) for q in now.queues],
            "history": level_queries.history(), "seats": calls.seats(),
        },
    )  # fmt: skip


@require_POST
@opens("levels")
def level_do(request: HttpRequest, what: str, ident: str) -> HttpResponse:
    """Take or decline a proposal; set a rule."""
    by = actor(request)
    try:
        if what == "take":
            levels.take(proposal_id=_number(ident), by=by)
            messages.success(request, "已调配，下一通来电起生效。")
        elif what == "decline":
            levels.decline(proposal_id=_number(ident), by=by)
            messages.success(request, "已记下，10 分钟内不再提同一建议。")
        else:
            names = ("within_seconds", "target_percent", "window_minutes", "longest_wait_seconds", "seats_kept")
            levels.set_rule(
                queue=ident, by=by, automatic=request.POST.get("automatic") == "1",
                **{name: _number(request.POST.get(name, "")) for name in names},
            )  # fmt: skip
            messages.success(request, "已保存。")
    except NotAllowed as refusal:
        messages.warning(request, str(refusal))
    return redirect("district:levels")


def _number(text: str) -> int:
    return int(text) if text.isascii() and text.isdigit() and len(text) < 9 else 0
