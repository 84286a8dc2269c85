"""Planned calls: the plans of a district, those of one elder, and what became of the calls of a day."""

from __future__ import annotations

from datetime import date, time, timedelta
from typing import TYPE_CHECKING, Any

from django.contrib import messages
from django.core.exceptions import ObjectDoesNotExist
from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST

from anju.calls.planned import actions, queries
from anju.calls.scripts import queries as scripts
from anju.kernel import clock
from anju.kernel.flow.actor import NotAllowed
from anju.portals.district import filters
from anju.portals.district.access import actor, allowed, missing, opens

if TYPE_CHECKING:
    from anju.elders.models import Elder

STATES = (
    ("waiting", "待拨"),
    ("ringing", "通话中"),
    ("agent", "待坐席联系"),
    ("done", "已联系上"),
    ("missed", "未联系上"),
    ("skipped", "本次未拨"),
)
KEPT = timedelta(days=3660)
"""So far back a day is shown."""
VERBS = {"pause": actions.pause, "resume": actions.resume, "end": actions.end}
SAID = {"pause": "已暂停，到点不拨。", "resume": "已恢复，从下一次拨起。", "end": "已停止，以后不再拨。"}


@never_cache
@opens("planned")
def page(request: HttpRequest) -> HttpResponse:
    """The calls of a day (today's first) and the plans behind them."""
    kind = filters.choice(request, "kind", (code for code, _ in queries.KINDS))
    state = filters.choice(request, "state", (code for code, _ in STATES))
    today = clock.today()
    on = max(filters.day(request, "on", today), today - KEPT)
    counts = queries.counts(on)
    return render(
        request, "district/calls/planned.html",
        {
            "rows": queries.page(on=on, kind=kind, state=state, limit=200), "plans": queries.plans(kind=kind), "kinds": queries.KINDS,
            "kind": kind, "state": state, "states": [(code, label, counts.get(code, 0)) for code, label in STATES], "today": today,
            "on": on, "before": on - timedelta(days=1), "after": on + timedelta(days=1),
            "may": allowed(actor(request), "call.plan"), "no_line": scripts.no_line(),
        },
    )  # fmt: skip


def context(elder: Elder) -> dict[str, Any]:
    """What the tab of an elder shows."""
    return {
        "plans": queries.plans(elder_id=elder.pk, running=False), "calls": queries.page(elder_id=elder.pk, limit=30), "days": queries.DAYS,
        "kinds": queries.KINDS, "ways": queries.WAY_CHOICES, "today": clock.today(),
    }  # fmt: skip


@require_POST
@opens("elders")
def plan(request: HttpRequest, elder_id: int) -> HttpResponse:
    """A new plan; it is read back to who asked for it."""
    told = {k: str(v).replace("\x00", "").strip()[:300] for k, v in request.POST.items()}
    try:
        with transaction.atomic():
            row = actions.plan(
                by=actor(request), elder_id=elder_id, kind=told.get("kind", ""), at=time.fromisoformat(told.get("at", "")),
                first=date.fromisoformat(told.get("first", "")), days=told.get("days", ""), way=told.get("way", "robot"),
                until=date.fromisoformat(told["until"]) if told.get("until") else None, says=told.get("says", ""),
                tries=int(told.get("tries") or 2), gap_minutes=int(told.get("gap") or 10),
            )  # fmt: skip
        messages.success(request, f"已定。请向本人复述核对：{queries.in_words(row)}（24 小时制），请保持电话畅通。")
    except NotAllowed as no:
        messages.warning(request, str(no))
    except ValueError:
        messages.error(request, "请把日期、时间和次数填完整。")
    return redirect(f"/district/elders/{elder_id}/?tab=plans")


@require_POST
@opens("planned")
def change(request: HttpRequest, plan_id: int, what: str) -> HttpResponse:
    """Pause, resume, end."""
    if what not in VERBS:
        return missing(request, "这个操作")
    try:
        row = VERBS[what](by=actor(request), plan_id=plan_id)
        messages.success(request, SAID[what])
    except NotAllowed as no:
        messages.warning(request, str(no))
    except ObjectDoesNotExist:
        return missing(request, "这个计划")
    else:
        if request.POST.get("back") == "elder":
            return redirect(f"/district/elders/{row.elder_id}/?tab=plans")
    return redirect("district:planned")
