"""The watch over a home on the elder's page, and the outages of a whole area."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.contrib import messages
from django.core.exceptions import ObjectDoesNotExist
from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST

from anju.alarms import homes, states, storms
from anju.alarms import queries as alarms
from anju.calls import actions as calls
from anju.elders import lists
from anju.elders import queries as elders
from anju.kernel import clock
from anju.kernel.flow.actor import NotAllowed
from anju.portals.district import filters
from anju.portals.district.access import actor, allowed, missing, opens

SIZE = 50
LIMITS = (8.0, 12.0, 24.0)
HEIGHT, WIDTH = 96.0, 20


def context(home_id: int) -> dict[str, Any]:
    """What the tab 看护 shows."""
    watch = homes.watch_of(home_id)
    if watch is None:
        return {"watch": None}
    hours = homes.picture(home_id)
    most = max(1, *(h.today for h in hours))
    drawn = [
        {
            "hour": h.hour, "today": h.today, "past": h.past, "x": h.hour * WIDTH + 3, "tick": h.hour % 3 == 0,
            "tall": round(HEIGHT * h.today / most, 1), "top": round(4 + HEIGHT - HEIGHT * h.today / most, 1),
        }
        for h in hours
    ]  # fmt: skip
    line = " ".join(f"{h.hour * WIDTH + 10},{4 + HEIGHT - HEIGHT * h.usual:.1f}" for h in hours)
    return {"watch": watch, "hours": drawn, "line": line, "before": alarms.would_have_fired(home_id, LIMITS)}


@require_POST
@opens("home.state")
def home_state(request: HttpRequest, elder_id: int) -> HttpResponse:
    """She is away, in hospital, has a visitor; or she is back."""
    elder, by = elders.elder(elder_id), actor(request)
    if elder is None:
        return missing(request, "这份档案")
    back = redirect(f"/district/elders/{elder_id}/?tab=watch")
    ending = request.POST.get("end", "")
    try:
        if ending.isascii() and ending.isdigit():
            states.end_state(state_id=int(ending[:15]), why=f"{by.name}告知已回家", home_id=elder.home_id, by=by)
            messages.success(request, "已恢复看护。")
            return back
        until = datetime.fromisoformat(request.POST.get("until", "")).replace(tzinfo=clock.SHANGHAI)
        states.say_state(
            home_id=elder.home_id, kind=request.POST.get("kind", "")[:10], until=until, by=by,
            note=request.POST.get("note", "").replace("\x00", "").strip(), how=request.POST.get("how", "staff")[:8],
        )  # fmt: skip
        messages.success(request, f"已记下，到 {until:%m-%d %H:%M} 自动恢复。")
    except ValueError as wrong:
        words = str(wrong) if "须" in str(wrong) or "没有" in str(wrong) else "请选结束的日期和时间。"
        messages.error(request, words)
    except ObjectDoesNotExist:
        messages.error(request, "没有这一条，请刷新后再试。")
    return back


@never_cache
@opens("storms")
def outages(request: HttpRequest) -> HttpResponse:
    """Areas that can't be heard: what they share, how many homes are blind, how many of them nobody reached yet."""
    rows = [
        (storm, storms.label(storm.kind, storm.key), blind, waiting) for storm, blind, waiting in storms.open_storms()
    ]
    if len(rows) == 1:
        return redirect("district:storm", storm_id=rows[0][0].pk)
    return render(request, "district/storms.html", {"storms": rows})


@never_cache
@opens("storms")
def outage(request: HttpRequest, storm_id: int) -> HttpResponse:
    """The call list of one outage: the most vulnerable first, a page at a time."""
    by, number = actor(request), filters.number(request, "page")
    try:
        storm = storms.storm(storm_id)
    except ObjectDoesNotExist:
        return missing(request, "这次区域失联")
    rows, count = storms.call_list(storm_id, start=(number - 1) * SIZE, size=SIZE)
    pages = filters.Pages(number, SIZE, count)
    if pages.number != number:
        rows, _ = storms.call_list(storm_id, start=pages.start, size=SIZE)
    labels = lists.labels_of((r.home_id for r in rows), by.roles)
    return render(
        request,
        "district/storm.html",
        {
            "storm": storm, "label": storms.label(storm.kind, storm.key), "counts": storms.counts(storm_id),
            "rows": [(pages.start + n, r, labels.get(r.home_id)) for n, r in enumerate(rows, 1)], "page": pages,
            "may": allowed(by, "storms.call"), "results": storms.RESULTS.items(), "again": storms.RESULTS["again"],
        },
    )  # fmt: skip


@require_POST
@opens("storms.call")
def outage_dial(request: HttpRequest, row_id: int) -> HttpResponse:
    """One click: her own seat rings, then the elder."""
    by = actor(request)
    try:
        row = storms.listed(row_id)
    except ObjectDoesNotExist:
        return missing(request, "名单里的这一户")
    elder = lists.mains_of([row.home_id]).get(row.home_id)
    if elder is None or not elder.phone:
        messages.warning(request, "档案里没有老人的电话，请打开档案联系家属。")
        return _to_list(request, row)
    try:
        with transaction.atomic():
            calls.dial(
                by=by, number=elder.phone, whom=elder.name, purpose="elder", ref=f"storm:{row.pk}", place=row.place,
                elder_id=elder.pk, home_id=row.home_id,
            )  # fmt: skip
        messages.success(request, f"正在呼叫{elder.name}：先响您的话机，接起后接通老人。通话后请记下结果。")
    except NotAllowed as reason:
        messages.warning(request, str(reason))
    return _to_list(request, row)


@require_POST
@opens("storms.call")
def outage_called(request: HttpRequest, row_id: int) -> HttpResponse:
    """What came of it: who called is noted with it."""
    try:
        row = storms.called(row_id=row_id, by=actor(request), result=request.POST.get("result", "")[:10])
    except ValueError:
        messages.error(request, "请选联系的结果。")
        return redirect("district:storms")
    except ObjectDoesNotExist:
        messages.error(request, "没有这一条，请刷新后再试。")
        return redirect("district:storms")
    return _to_list(request, row)


def _to_list(request: HttpRequest, row: storms.StormHome) -> HttpResponse:
    page = request.POST.get("page", "")
    where = f"?page={page}" if page.isascii() and page.isdigit() and len(page) < 6 else ""
    return redirect(f"/district/storms/{row.storm_id}/{where}#home-{row.pk}")
