"""The list of those who wait for a word, and the form in which a conversation is written up."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.crypto import get_random_string
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET

from anju.accounts.models import User
from anju.calls.campaigns import queries as campaigns
from anju.calls.planned import queries as planned
from anju.kernel import clock
from anju.portals.desk import people
from anju.portals.desk.access import desk_only, user_of
from anju.portals.desk.views import is_part, whole
from anju.supervision.contacts import queries as contacts

SCORES = ((5, "非常满意"), (4, "满意"), (3, "一般"), (2, "不满意"), (1, "很不满意"))


def context(user: User, problem: str = "") -> dict[str, Any]:  # noqa: ARG001  the scope is the request's
    """Everything that the list shows."""
    return {
        "now": clock.now(),
        "planned": planned.for_agents(),
        "campaigns": campaigns.for_agents(),
        "contacts": contacts.open_ones(),
        "problem": problem,
    }


@require_GET
@never_cache
@desk_only
def listing(request: HttpRequest) -> HttpResponse:
    """The list beside the telephone."""
    shown = context(user_of(request))
    if not is_part(request):
        return whole(request, pane="desk/due/list.html", more=shown)
    return render(request, "desk/due/list.html", shown)


@require_GET
@never_cache
@desk_only
def ask_result(request: HttpRequest, planned_id: int) -> HttpResponse:
    """How it went."""
    if not is_part(request):
        return whole(request, pane="desk/due/list.html", more=context(user_of(request)))
    row = planned.one(planned_id)
    if row is None or row.state != "agent":
        return render(request, "desk/dialogs/gone.html", {"problem": "这一条已经有人办了。"})
    campaign = campaigns.of_planned(row.ref) if row.kind == "campaign" else None
    shown = {
        "row": row, "moods": planned.MOODS, "scores": SCORES, "once": get_random_string(16), "campaign": campaign,
        "answers": campaigns.answers(campaign) if campaign is not None else [],
    }  # fmt: skip
    return render(request, "desk/due/result.html", shown)


@require_GET
@never_cache
@desk_only
def ask_contact(request: HttpRequest, contact_id: int) -> HttpResponse:
    """One letter or message with what its writer said before, and what may be done."""
    if not is_part(request):
        return whole(request, pane="desk/due/list.html", more=context(user_of(request)))
    row = contacts.open_of(contact_id)
    if row is None:
        return render(request, "desk/dialogs/gone.html", {"problem": "这一条已经有人办了。"})
    earlier = [c for c in contacts.thread_of(contact_id) if c.id != row.id]
    shown = {"earlier": earlier, "about": contacts.ABOUTS, **whose(user_of(request), row.id), "row": row}
    return render(request, "desk/due/contact.html", shown)


@require_GET
@never_cache
@desk_only
def ask_whose(request: HttpRequest, contact_id: int) -> HttpResponse:
    """The part of the dialog that changes while one telephones."""
    if not is_part(request):
        return whole(request, pane="desk/due/list.html", more=context(user_of(request)))
    shown = whose(user_of(request), contact_id)
    if shown["row"] is None:
        return render(request, "desk/dialogs/gone.html", {"problem": "这一条已经有人办了。"})
    return render(request, "desk/due/whose.html", shown)


def whose(user: User, contact_id: int) -> dict[str, Any]:
    """Whose message it is, whom its numbers fit, which numbers may be rung back and how that went."""
    row = contacts.one(contact_id)
    return {
        "row": row, "guesses": contacts.guesses(contact_id, people.roles(user)), "rung": contacts.rung(contact_id),
        "numbers": contacts.numbers(row.reach, row.text) if row is not None else [], "enclosed": contacts.enclosed(contact_id),
    }  # fmt: skip


@require_GET
@never_cache
@desk_only
def ask_register(request: HttpRequest) -> HttpResponse:
    """A letter, a visit: written down by hand."""
    if not is_part(request):
        return whole(request, pane="desk/due/list.html", more=context(user_of(request)))
    return render(request, "desk/due/register.html", {"channels": contacts.AT_THE_DESK, "once": get_random_string(16)})
