"""The watch over a home on the elder's page, and the outages of a whole area."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.contrib import messages
from django.core.exceptions import ObjectDoesNotExist
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST

from anju.alarms import homes, states, storms
from anju.alarms import queries as alarms
from anju.elders import queries as elders
from anju.kernel import clock
from anju.portals.district.access import actor, missing, opens

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
            states.end_state(state_id=int(ending[:15]), why=f"{by.name}告知已回家")
            messages.success(request, "已恢复看护。")
            return back
        until = datetime.fromisoformat(request.POST.get("until", "")).replace(tzinfo=clock.SHANGHAI)
        states.say_state(
            home_id=elder.home_id, kind=request.POST.get("kind", "")[:10], until=until, by=by,
            note=request.POST.get("note", "").replace("\x00", "").strip(),
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
    """Areas that can't be heard: what they share, and whom to call first."""
    rows = [
        (storm, homes.STORM_KINDS.get(storm.kind, storm.kind), [(r, elders.main_elder(r.home_id)) for r in homes.call_list(storm.pk)])
        for storm in homes.open_storms()
    ]  # fmt: skip
    return render(request, "district/storms.html", {"storms": rows})


@require_POST
@opens("storms.call")
def outage_called(request: HttpRequest, row_id: int) -> HttpResponse:
    """Somebody spoke with her, or not."""
    result = request.POST.get("result", "").replace("\x00", "").strip()
    if not result:
        messages.error(request, "请选联系的结果。")
    else:
        try:
            storms.called(row_id=row_id, by=actor(request), result=result)
        except ObjectDoesNotExist:
            messages.error(request, "没有这一条，请刷新后再试。")
    return redirect("district:storms")
