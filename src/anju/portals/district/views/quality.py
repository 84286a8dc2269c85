"""Audits of calls and complaints: what waits, the form, the drawing and its proof, what clients say."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, timedelta
from typing import Any

from django.contrib import messages
from django.core.exceptions import ObjectDoesNotExist
from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST

from anju.accounts import queries as accounts
from anju.accounts.roles import Role
from anju.calls.recordings import queries as recordings
from anju.calls.recordings.rules import REASONS
from anju.kernel import clock
from anju.kernel.flow.actor import NotAllowed
from anju.kernel.scope import current
from anju.knowledge.sop import queries as sop
from anju.places import queries as places
from anju.places.queries import Level
from anju.portals.district import filters
from anju.portals.district.access import actor, allowed, missing, opens
from anju.portals.district.views.calls import TICKETS
from anju.supervision import actions, queries
from anju.supervision.flow import COMPLAINT, REVIEW
from anju.supervision.forms import ABOUT, SOURCES
from anju.supervision.rules import NOT_APPLICABLE, items_of

SIZE = 40
STATES = (("todo", "我的待办"), ("open", "全部未结"), ("closed", "已确认"), ("", "全部"))
LABELS = {"begin": "抽取", **{m.name: m.label for s in (*REVIEW.states, *COMPLAINT.states) for m in s.moves},
          **{d.name: d.label for s in COMPLAINT.states for d in s.duties}}  # fmt: skip


@never_cache
@opens("quality")
def worklist(request: HttpRequest) -> HttpResponse:
    """For judges: what they have to hear. For agents: how their calls were scored."""
    by = actor(request)
    judge = allowed(by, "quality.judge")["quality_judge"]
    own = not judge and Role.BUREAU not in by.roles
    state = filters.choice(request, "state", (s for s, _ in STATES), "todo" if judge else "")
    before = filters.number(request, "before", most=999_999_999, default=0) or None
    mine = "agent" if own else "judge" if state == "todo" else ""
    stands = ("drawn" if judge else "") if state == "todo" else state
    rows = queries.reviews(by=by, mine=mine, state=stands, limit=SIZE + 1, before_id=before)
    return render(
        request, "district/calls/quality.html",
        {
            "rows": rows[:SIZE], "more": rows[SIZE - 1].id if len(rows) > SIZE else None, "before": before, "state": state, "states": STATES,
            **({} if own else _quota(request)), "may": allowed(by, "quality.form"),
            "plans": [] if own else queries.plans(), "judge": judge, "own": own,
        },
    )  # fmt: skip


def _quota(request: HttpRequest) -> dict[str, Any]:
    """A month's audited calls by agent, those with the most missing first."""
    this = clock.today().replace(day=1)
    try:
        month = min(date.fromisoformat(f"{filters.text(request, 'month', 7)}-01"), this)
    except ValueError:
        month = this
    agents = [u.id for u in accounts.holders(Role.AGENT, place=_district()) if u.seat_number]
    lines = sorted(queries.quota(month, agents), key=lambda q: (-q.missing, -q.to_draw, q.agent_id))
    after = (month + timedelta(days=31)).replace(day=1)
    return {
        "quota": lines, "short": sum(not q.enough for q in lines), "month": month, "before_month": (month - timedelta(days=1)).replace(day=1),
        "after_month": after if after <= this else None,
    }  # fmt: skip


@never_cache
@opens("quality")
def review(request: HttpRequest, review_id: int) -> HttpResponse:
    """One audit: listen, score; or read the score and appeal."""
    by = actor(request)
    try:
        case = queries.review(review_id, by)
    except ObjectDoesNotExist:
        return missing(request, "这张质检单")
    sounds = [r for r in recordings.of_calls([case.row.call_id]).get(case.row.call_id, []) if r.playable]
    tickets = request.session.get(TICKETS, {})
    names = {m.name for m in case.moves}
    judges = {u.id: u.name for role in (Role.LEAD, Role.QUALITY) for u in accounts.holders(role, place=_district())}
    return render(
        request, "district/calls/review.html",
        {
            "case": case, "row": case.row, "recordings": [(r, tickets.get(str(r.id), "")) for r in sounds], "reasons": REASONS,
            "fills": bool(names & {"score", "correct"}), "correcting": "correct" in names, "labels": LABELS,
            "judges": [(i, n) for i, n in judges.items() if i not in {case.row.agent_id, case.row.judge_id}], "na": NOT_APPLICABLE,
            "moves": [m for m in case.moves if m.name not in {"score", "correct", "pass_on"}], "may_pass": "pass_on" in names,
            "sheets": [(s, sop.script(s.code)) for s in sop.of_call(case.row.call_id)],
        },
    )  # fmt: skip


@require_POST
@opens("quality")
def review_do(request: HttpRequest, review_id: int, move: str) -> HttpResponse:
    """Score, accept, appeal, decide, pass on, make void."""
    by, note = actor(request), _text(request, "note", 1000)
    back = redirect("district:review", review_id=review_id)
    if move == "score":
        return _try(
            request,
            back,
            lambda: actions.score(review_id=review_id, answers=_answers(request, review_id), comment=note, by=by),
            "评分已提交。",
        )
    judge = request.POST.get("judge", "")
    return _try(
        request, back,
        lambda: actions.move(
            review_id=review_id, move=move, by=by, note=note, judge_id=int(judge) if judge.isascii() and judge.isdigit() else None,
            answers=_answers(request, review_id) if move == "correct" else None,
        ),
        "已记录。",
    )  # fmt: skip


def _answers(request: HttpRequest, review_id: int) -> dict[str, Any]:
    """Points, "na" or yes/no of every line; what is missing or odd is left out, and the action names it."""
    found: dict[str, Any] = {}
    for item in items_of(queries.criteria(review_id)):
        given = request.POST.get(f"item-{item.code}", "")
        if item.fatal:
            found[item.code] = given == "1"
        elif given == NOT_APPLICABLE or (given.isascii() and given.isdigit() and len(given) < 4):
            found[item.code] = given if given == NOT_APPLICABLE else int(given)
    return found


@require_POST
@opens("quality.judge")
def pick(request: HttpRequest, call_id: str) -> HttpResponse:
    """Audit this very call."""
    made: list[int] = []
    why = _text(request, "note", 200)
    answer = _try(
        request,
        redirect("district:call", call_id=call_id),
        lambda: made.append(actions.pick(call_id=call_id, by=actor(request), why=why).pk),
        "已列入质检。",
    )
    return redirect("district:review", review_id=made[0]) if made else answer


@never_cache
@opens("quality.judge")
def plan(request: HttpRequest, plan_id: int) -> HttpResponse:
    """One drawing with its proof: drawn again now, it gives the same calls."""
    try:
        found = queries.plan(plan_id)
    except ObjectDoesNotExist:
        return missing(request, "这次抽查")
    picks = queries.picks_of(plan_id)
    again = {p.call_id for p in actions.drawn_again(found).picks}
    names = accounts.user_names(int(k) for k in found.short)
    return render(
        request, "district/calls/plan.html",
        {
            "plan": found, "rows": picks, "same": again == {r.call_id for r in picks},
            "short": [(names.get(int(k), k), why) for k, why in found.short.items()],
        },
    )  # fmt: skip


@never_cache
@opens("complaints")
def complaints(request: HttpRequest) -> HttpResponse:
    """Grievances and complaints; a new one is written down here."""
    state = filters.choice(request, "state", ("open", "formal", "closed", ""), "open")
    before = filters.number(request, "before", most=999_999_999, default=0) or None
    rows = queries.complaints(state=state, limit=SIZE + 1, before_id=before)
    return render(
        request, "district/calls/complaints.html",
        {
            "rows": rows[:SIZE], "more": rows[SIZE - 1].id if len(rows) > SIZE else None, "before": before, "state": state,
            "states": (("open", "未结"), ("formal", "成立的投诉"), ("closed", "已归档"), ("", "全部")), "sources": SOURCES.items(),
            "about": ABOUT.items(), "totals": queries.complaint_totals(), "call_id": filters.text(request, "call", 36),
        },
    )  # fmt: skip


@require_POST
@opens("complaints")
def complain(request: HttpRequest) -> HttpResponse:
    """Write one down."""
    made: list[int] = []
    by = actor(request)

    def do() -> None:
        row = actions.complain(
            by=by, source=_text(request, "source", 10), about=_text(request, "about", 10), content=_text(request, "content", 2000),
            place=_district(), call_id=_text(request, "call_id", 36), name=_text(request, "name", 60),
            contact=_text(request, "contact", 60), wish=_text(request, "wish", 500),
        )  # fmt: skip
        made.append(row.pk)

    answer = _try(request, redirect("district:complaints"), do, "已登记，先沟通。")
    return redirect("district:complaint", complaint_id=made[0]) if made else answer


@never_cache
@opens("complaints")
def complaint(request: HttpRequest, complaint_id: int) -> HttpResponse:
    """One of them, with its way."""
    try:
        case = queries.complaint(complaint_id, actor(request))
    except ObjectDoesNotExist:
        return missing(request, "这条意见")
    return render(request, "district/calls/complaint.html", {"case": case, "row": case.row, "labels": LABELS})


@require_POST
@opens("complaints")
def complaint_do(request: HttpRequest, complaint_id: int, what: str) -> HttpResponse:
    """A move or a tick."""
    by, note = actor(request), _text(request, "note", 1000)
    back = redirect("district:complaint", complaint_id=complaint_id)
    if what in {"heard_client", "heard_other"}:
        return _try(
            request,
            back,
            lambda: actions.complaint_tick(complaint_id=complaint_id, duty=what, by=by, note=note),
            "已打勾。",
        )
    valid = {"1": True, "0": False}.get(request.POST.get("valid", ""))
    return _try(
        request,
        back,
        lambda: actions.complaint_move(complaint_id=complaint_id, move=what, by=by, note=note, valid=valid),
        "已记录。",
    )


def _district() -> str:
    """The asker's own place as a code; the first district for who answers for everything."""
    mine = [p for p in current().places if p]
    if mine:
        return mine[0][:12].ljust(12, "0")
    return next((p.code for p in places.subtree(level=Level.DISTRICT)), "0" * 12)


def _text(request: HttpRequest, name: str, longest: int) -> str:
    return request.POST.get(name, "").replace("\0", "").strip()[:longest]


def _try(request: HttpRequest, back: HttpResponse, do: Callable[[], object], said: str) -> HttpResponse:
    try:
        with transaction.atomic():
            do()
        messages.success(request, said)
    except NotAllowed as reason:
        messages.warning(request, str(reason))
    except ObjectDoesNotExist:
        return missing(request, "这一条")
    return back
