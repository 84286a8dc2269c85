"""Calls and what was recorded of them: the list, one call with its player, the state of the recordings."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from django.contrib import messages
from django.core.exceptions import ObjectDoesNotExist
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET, require_POST

from anju.accounts import queries as accounts
from anju.calls import queries as calls
from anju.calls.queries import listing
from anju.calls.recordings import actions, queries, ranges
from anju.calls.recordings.rules import REASONS, may_hear
from anju.calls.recordings.vault import Unreadable
from anju.elders import lists
from anju.kernel import clock
from anju.kernel.flow.actor import Actor, NotAllowed
from anju.knowledge.sop import queries as sop
from anju.portals.district import filters
from anju.portals.district.access import actor, allowed, missing, opens
from anju.supervision import queries as supervision

SIZE = 40
DIRECTIONS = (("", "呼入呼出"), ("in", "呼入"), ("out", "呼出"))
RESULTS = (
    ("", "全部结果"), ("answered", "接通"), ("missed", "呼入未接"), ("no_answer", "无人接听"), ("busy", "占线"), ("refused", "拒接或空号"),
    ("unreachable", "线路不通"), ("abandoned", "接通前挂断"), ("lost", "系统中断"),
)  # fmt: skip
SPANS = (1, 7, 30, 90, 366)
TICKETS = "recordings"


def only_own(by: Actor) -> bool:
    """Agents see the calls that they took; leads, quality and the bureau see all of their places."""
    return not {"lead", "quality", "bureau"} & set(by.roles)


@never_cache
@opens("calls")
def listing_page(request: HttpRequest) -> HttpResponse:
    """Calls by day, direction, result, agent, queue and number."""
    by, day = actor(request), filters.day(request, "day", clock.today())
    days = filters.number(request, "days", most=366, default=7)
    chosen: dict[str, Any] = {
        "direction": filters.choice(request, "direction", (d for d, _ in DIRECTIONS)),
        "result": filters.choice(request, "result", (r for r, _ in RESULTS)),
        "queue": filters.text(request, "queue", 20), "number": filters.text(request, "number", 20),
        "user_id": filters.number(request, "agent", most=2**31, default=0) or None,
        "emergency": True if request.GET.get("emergency") == "1" else None,
        "short_of_recording": request.GET.get("gap") == "1",
    }  # fmt: skip
    if only_own(by):
        chosen["user_id"] = by.user_id
    until = filters.span_of(day)[1]
    before = filters.number(request, "before", most=999_999_999, default=0) or None
    rows = listing.listed(limit=SIZE + 1, before_id=before, since=until - timedelta(days=days), until=until, **chosen)
    shown = rows[:SIZE]
    labels = lists.labels_of((r.home_id for r in shown if r.home_id), by.roles)
    recorded = queries.of_calls(r.call_id for r in shown)
    audited = supervision.of_calls(r.call_id for r in shown) if not only_own(by) else {}
    kept = request.GET.copy()
    kept.pop("before", None)
    return render(
        request, "district/calls/list.html",
        {
            "rows": [(r, labels.get(r.home_id or 0), recorded.get(r.call_id, []), audited.get(r.call_id)) for r in shown],
            "more": shown[-1].id if len(rows) > SIZE else None, "before": before, "kept": kept.urlencode(), "day": day, "days": days,
            "directions": DIRECTIONS, "results": RESULTS, "spans": SPANS, "queues": calls.queues(), "agents": accounts.agents(),
            "own": only_own(by), "today": clock.today(), **chosen,
        },
    )  # fmt: skip


@never_cache
@opens("calls")
def page(request: HttpRequest, call_id: str) -> HttpResponse:
    """One call: who spoke when, what was recorded, who audited it."""
    by, found = actor(request), listing.detail(call_id)
    if found is None or (only_own(by) and by.user_id not in {leg.user_id for leg in found.legs} | {found.row.agent_id}):
        return missing(request, "这通电话")
    recordings = queries.of_calls([call_id]).get(call_id, [])
    tickets = request.session.get(TICKETS, {})
    home = found.row.home_id
    review = supervision.of_calls([call_id]).get(call_id)
    return render(
        request, "district/calls/call.html",
        {
            "call": found.row, "legs": found.legs, "note": found.note, "tags": found.tags, "keys": found.keys,
            "recordings": [(r, tickets.get(str(r.id), "")) for r in recordings], "reasons": REASONS,
            "home": lists.labels_of([home], by.roles).get(home) if home else None, "review": review if not only_own(by) else None,
            "may": allowed(by, "quality.judge", "recordings.take", "complaints", "recordings"), "gap": _gap(call_id),
            "hears": may_hear(by.roles, own=True), "sheets": sop.of_call(call_id),
        },
    )  # fmt: skip


def _gap(call_id: str) -> queries.GapRow | None:
    return next((g for g in queries.gaps(limit=500) if g.call_id == call_id), None)


@require_POST
@opens("calls")
def listen(request: HttpRequest, recording_id: int) -> HttpResponse:
    """Say why; then the page has a player."""
    by = actor(request)
    try:
        ticket = actions.listen(recording_id=recording_id, by=by, reason=_reason(request))
        tickets = dict(request.session.get(TICKETS, {}))
        tickets[str(recording_id)] = ticket
        request.session[TICKETS] = dict(list(tickets.items())[-20:])
    except NotAllowed as refusal:
        messages.warning(request, str(refusal))
    except ObjectDoesNotExist:
        return missing(request, "这段录音")
    return _back_to_call(recording_id)


@require_GET
@never_cache
@opens("calls")
def audio(request: HttpRequest, recording_id: int) -> HttpResponse:
    """The sound, in parts as the player asks for them. Opens with a ticket only (a reason was given for it)."""
    by = actor(request)
    ticket = request.session.get(TICKETS, {}).get(str(recording_id), "")
    row = queries.by_ticket(ticket, by.user_id) if ticket else None
    if row is None or row.pk != recording_id:
        return missing(request, "这段录音（请先在通话页写明原因）")
    return sound_answer(request, queries.sound(row))


@require_POST
@never_cache
@opens("recordings.take")
def download(request: HttpRequest, recording_id: int) -> HttpResponse:
    """A copy that says who took it, when and why."""
    try:
        mark = actions.take_copy(recording_id=recording_id, by=actor(request), reason=_reason(request))
        row = queries.recording(recording_id)
    except NotAllowed as refusal:
        messages.warning(request, str(refusal))
        return _back_to_call(recording_id)
    except ObjectDoesNotExist:
        return missing(request, "这段录音")
    answer = sound_answer(request, queries.sound(row, mark))
    answer["Content-Disposition"] = f'attachment; filename="anju-{row.pk}-{row.track}.wav"'
    return answer


def sound_answer(request: HttpRequest, sound: queries.Sound) -> HttpResponse:
    """200, 206 or 416 (RFC 9110)."""
    try:
        part = ranges.part_of(request.headers.get("Range", ""), sound.length)
        body = b"".join(sound.read(part.start, part.count))
    except ranges.Unsatisfiable:
        return HttpResponse(status=416, headers={"Content-Range": f"bytes */{sound.length}"})
    except (Unreadable, FileNotFoundError):
        return HttpResponse(
            "录音文件读不出来，已列入“录音保管”待恢复。", status=409, content_type="text/plain; charset=utf-8"
        )
    return HttpResponse(body, status=200 if part.whole else 206, content_type="audio/wav", headers=part.headers)


def _reason(request: HttpRequest) -> str:
    other = request.POST.get("other", "").replace("\0", "").strip()[:80]
    return other or request.POST.get("reason", "").replace("\0", "").strip()[:80]


def _back_to_call(recording_id: int) -> HttpResponse:
    row = queries.row(recording_id)
    return redirect("district:call", call_id=row.call_id) if row.call_id else redirect("district:recordings")


ONLY = (
    ("", "全部"), ("unclaimed", "未对上通话"), ("repaired", "修复过"), ("silent", "全程静音"), ("bad", "有问题"), ("held", "留存"),
    ("uncopied", "未备份"), ("deleted", "已删除"),
)  # fmt: skip


@never_cache
@opens("recordings")
def recordings(request: HttpRequest) -> HttpResponse:
    """How the recordings are kept: gaps, files nobody can read, copies, the disk."""
    only = filters.choice(request, "only", (o for o, _ in ONLY))
    before = filters.number(request, "before", most=999_999_999, default=0) or None
    rows = queries.page(limit=SIZE + 1, before_id=before, only=only)
    tickets, disk = request.session.get(TICKETS, {}), queries.disk()
    if disk.days_left is None:
        left = "用量还太少，算不出够几天"
    else:
        left = "按近 7 天用量还够三年以上" if disk.days_left > 1096 else f"按近 7 天用量还够 {disk.days_left:.0f} 天"
    totals = queries.totals()
    return render(
        request, "district/calls/recordings.html",
        {
            "rows": [(r, tickets.get(str(r.id), "")) for r in rows[:SIZE]], "more": rows[SIZE - 1].id if len(rows) > SIZE else None,
            "before": before, "only": only, "filters": ONLY, "totals": totals, "hours": f"{totals.seconds / 3600:.1f}",
            "disk_free": f"{disk.free / 1024**3:.0f}",
            "disk_note": left, "disk_kind": "warn" if disk.low else "", "gaps": queries.gaps(),
            "strange": queries.strange(), "copy": queries.copy_label(), "reasons": REASONS,
        },
    )  # fmt: skip


@require_POST
@opens("recordings")
def settle(request: HttpRequest, what: str, ident: int) -> HttpResponse:
    """Explain a gap or a strange file; hold a recording or let it go."""
    by, reason = actor(request), request.POST.get("reason", "").replace("\0", "").strip()[:200]
    try:
        if what == "gap":
            actions.settle_gap(gap_id=ident, by=by, reason=reason)
        elif what == "strange":
            actions.dismiss(strange_id=ident, by=by, reason=reason)
        elif what in {"hold", "release"}:
            actions.hold(recording_id=ident, by=by, reason=reason if what == "hold" else "")
        else:
            return missing(request, "这一步")
        messages.success(request, "已记下。")
    except NotAllowed as refusal:
        messages.warning(request, str(refusal))
    except ObjectDoesNotExist:
        return missing(request, "这一条")
    return redirect("district:recordings")
