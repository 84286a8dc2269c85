"""Repair orders: a list, and an order with the moves that its process allows to this user."""

from __future__ import annotations

from collections.abc import Callable

from django.contrib import messages
from django.core.exceptions import ObjectDoesNotExist
from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST

from anju.accounts import queries as accounts
from anju.accounts.roles import Role
from anju.elders import lists
from anju.fieldwork import actions, queries
from anju.fieldwork.flow import REPAIR
from anju.kernel.flow.actor import NotAllowed
from anju.portals.district import filters
from anju.portals.district.access import actor, missing, opens

SIZE = 40
TAKES = {"assign": "assignee", "contacted": "appointment_at", "rebook": "appointment_at", "revisit": "appointment_at",
         "repaired": "found"}  # fmt: skip
"""What a move wants beside a reason: shown as one more field of its form."""
LABELS = {"begin": "报修", **{move.name: move.label for state in REPAIR.states for move in state.moves},
          **{duty.name: duty.label for state in REPAIR.states for duty in state.duties}}  # fmt: skip


@never_cache
@opens("repairs")
def listing(request: HttpRequest) -> HttpResponse:
    """Open orders first in mind: the filter starts with them."""
    by, chosen = actor(request), filters.choice(request, "state", ("open", "all"), "open")
    before = filters.number(request, "before", most=999_999_999, default=0) or None
    rows = queries.page(limit=SIZE + 1, before_id=before, open_only=chosen == "open")
    labels = lists.labels_of((r.home_id for r in rows if r.home_id), by.roles)
    counts = queries.counts()
    return render(
        request,
        "district/repairs.html",
        {
            "rows": [(row, labels.get(row.home_id or 0)) for row in rows[:SIZE]], "state": chosen, "before": before,
            "more": rows[SIZE - 1].id if len(rows) > SIZE else None, "late": counts.get("late", 0),
            "open": sum(n for state, n in counts.items() if state != "late"),
        },
    )  # fmt: skip


@never_cache
@opens("repairs")
def page(request: HttpRequest, order_id: int) -> HttpResponse:
    """One order: its clock, its checklist, its story, its buttons."""
    by = actor(request)
    try:
        case = queries.case(order_id, by.roles)
    except ObjectDoesNotExist:
        return missing(request, "这张工单")
    home = case.order.home_id
    return render(
        request,
        "district/repair.html",
        {
            "case": case, "row": case.row, "order": case.order, "moves": [(m, TAKES.get(m.name, "")) for m in case.moves],
            "home": lists.labels_of([home], by.roles).get(home) if home else None,
            "fitters": accounts.holders(Role.INSTALLER, place=case.order.place), "labels": LABELS,
        },
    )  # fmt: skip


@require_POST
@opens("repairs")
def move(request: HttpRequest, order_id: int, move: str) -> HttpResponse:
    """Make one move; a refusal says what is missing."""
    given = {
        k: v[:300] for k in ("assignee", "appointment_at", "found") if (v := request.POST.get(k, "").replace("\0", ""))
    }
    return _try(
        request,
        order_id,
        lambda: actions.move(order_id, move, actor(request), note=_note(request), data=given),
        "已记录。",
    )


@require_POST
@opens("repairs")
def duty(request: HttpRequest, order_id: int, duty: str) -> HttpResponse:
    """Tick a line of the checklist."""
    return _try(
        request, order_id, lambda: actions.tick(order_id, duty, actor(request), note=_note(request)), "已打勾。"
    )


def _note(request: HttpRequest) -> str:
    return request.POST.get("note", "").replace("\0", "").strip()[:300]


def _try(request: HttpRequest, order_id: int, do: Callable[[], object], said: str) -> HttpResponse:
    try:
        with transaction.atomic():
            do()
        messages.success(request, said)
    except NotAllowed as reason:
        messages.warning(request, str(reason))
    except ObjectDoesNotExist:
        return missing(request, "这张工单")
    except ValueError:
        messages.warning(request, "填的内容看不懂，请从列表里选。")
    return redirect("district:repair", order_id=order_id)
