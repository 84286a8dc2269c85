"""Scans of a signed paper: put in, looked at for a reason, taken out again. In the drawer and as a page."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST

from anju.accounts.permissions import may
from anju.elders import queries, scans
from anju.elders.checks import NotAccepted
from anju.portals.district import drawer
from anju.portals.district.access import actor, missing, opens
from anju.portals.district.views.elders import back

if TYPE_CHECKING:
    from anju.elders.models import Consent

WHY = ("核对文书", "续签", "本人要看", "争议核实", "上级检查")


@never_cache
@opens("elders")
def page(request: HttpRequest, elder_id: int, consent_id: int) -> HttpResponse:
    """The scans of one paper; a POST with a file adds one."""
    paper, by, fault = _paper(elder_id, consent_id), actor(request), ""
    if paper is None:
        return missing(request, "这份文书")
    if request.method == "POST":
        sent = request.FILES.get("scan")
        try:
            scans.check_size(sent.size or 0 if sent else 0)
            scans.attach(consent_id=paper.pk, body=sent.read() if sent else b"", by=by)
        except NotAccepted as reason:
            fault = str(reason)
        else:
            messages.success(request, "扫描件已存好，加密保存。")
            return back(elder_id, "consents")
    return _show(request, elder_id, paper, fault)


@never_cache
@require_POST
@opens("elders")
def content(request: HttpRequest, elder_id: int, consent_id: int, scan_id: int) -> HttpResponse:
    """The file itself, or its removal, with a reason."""
    paper, by = _paper(elder_id, consent_id), actor(request)
    if paper is None or scan_id not in {one.id for one in scans.of([paper.pk]).get(paper.pk, ())}:
        return missing(request, "这个扫描件")
    reason = (request.POST.get("other", "").strip() or request.POST.get("reason", "")).replace("\0", "")[:120]
    try:
        if request.POST.get("do") == "remove":
            scans.remove(scan_id=scan_id, reason=reason, by=by)
            messages.success(request, "扫描件已删除，记录留着。")
            return back(elder_id, "consents")
        file = scans.take(scan_id=scan_id, reason=reason, by=by)
    except NotAccepted as fault:
        return _show(request, elder_id, paper, str(fault), status=400)
    return HttpResponse(
        file.body,
        content_type=file.content_type,
        headers={
            "Content-Disposition": f'attachment; filename="{file.name}"',
            "X-Content-Type-Options": "nosniff",
            "Content-Security-Policy": "sandbox; default-src 'none'",
        },
    )


def _paper(elder_id: int, consent_id: int) -> Consent | None:
    return next((c for c in queries.consents_of(elder_id) if c.pk == consent_id), None)


def _show(request: HttpRequest, elder_id: int, paper: Consent, fault: str, *, status: int = 200) -> HttpResponse:
    elder, by = queries.elder(elder_id), actor(request)
    if elder is None:
        return missing(request, "这份档案")
    found: dict[str, Any] = {
        "elder": elder, "paper": paper, "scans": scans.of([paper.pk]).get(paper.pk, []), "fault": fault, "why": WHY,
        "may_add": may(by, "consent.record"), "may_look": may(by, "consent.scan"), "largest": scans.LARGEST, "most": scans.MOST,
    }  # fmt: skip
    shown = drawer.show(request, found, template="district/elder/scans.html")
    shown.status_code = max(status, shown.status_code)
    return shown
