"""The audit log for the audit administrator: search it, and check that the chain is whole."""

from __future__ import annotations

from datetime import timedelta

from django.contrib import messages
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST

from anju.kernel import audit, clock, trail
from anju.places import queries as places
from anju.portals.district import filters, words
from anju.portals.district.access import opens

SPANS = (1, 7, 30, 90, 180)
RESULTS = (("", "全部结果"), ("ok", "成功"), ("denied", "被拒绝"))


@never_cache
@opens("audit")
def search(request: HttpRequest) -> HttpResponse:
    """Lines by person, act, thing and day."""
    day = filters.day(request, "day", clock.today())
    days = filters.number(request, "days", most=366, default=7)
    chosen = {
        "actor": filters.text(request, "actor"), "action": filters.text(request, "action", 40), "subject": filters.text(request, "subject", 40),
        "subject_id": filters.text(request, "id", 40), "result": filters.choice(request, "result", (r for r, _ in RESULTS)),
    }  # fmt: skip
    until = filters.span_of(day)[1]
    found = trail.find(**chosen, since=until - timedelta(days=days), until=until)
    page = Paginator(found, 50).get_page(request.GET.get("page"))
    lines = list(page.object_list)
    names = places.names_of(line.place for line in lines if line.place)
    rows = [
        (line, words.act(line.action), words.THINGS.get(line.subject, line.subject), names.get(line.place, ""))
        for line in lines
    ]
    return render(
        request, "district/audit.html",
        {"rows": rows, "page": page, "day": day, "days": days, "results": RESULTS, "spans": SPANS, "known": sorted(words.ACTS.items()), **chosen},
    )  # fmt: skip


@require_POST
@opens("audit")
def verify(request: HttpRequest) -> HttpResponse:
    """Walk the whole chain and say what is wrong with it."""
    faults = audit.verify()
    if faults:
        messages.warning(
            request, f"审计链有 {len(faults)} 处不对：{'；'.join(faults[:3])}。请保全现场，通知安全管理员。"
        )
    else:
        messages.success(request, f"审计链完整，{clock.local(clock.now()):%m-%d %H:%M:%S} 核对。")
    audit.record("audit.verify", result="ok" if not faults else "failed", detail={"faults": len(faults)})
    return redirect("district:audit")
