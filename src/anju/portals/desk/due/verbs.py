"""What an agent does with a planned call: ring, write up, say that nobody answered, open a case."""

from __future__ import annotations

import re
from collections.abc import Callable

from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.template.loader import render_to_string
from django.views.decorators.http import require_POST

from anju.calls.campaigns import actions as campaigns
from anju.calls.planned import actions, queries
from anju.incidents import actions as incidents
from anju.kernel.flow.actor import Actor, NotAllowed
from anju.portals.desk import people
from anju.portals.desk.access import desk_only, user_of
from anju.portals.desk.due import views
from anju.portals.desk.phone.verbs import act, answer
from anju.portals.desk.press import key_of, once
from anju.portals.desk.views import is_part
from anju.supervision.contacts import actions as contacts
from anju.supervision.contacts import enclosures, together

MILD = 3
"""Priority of a case that was opened because nobody reached her: the milder path (INC-10), an agent holds it from the start."""


def on_list(request: HttpRequest, do: Callable[[Actor], object]) -> HttpResponse:
    """Do it, then the list as it is now; in a dialog a refusal stays in the dialog."""
    user, problem = user_of(request), ""
    try:
        do(people.actor(user))
    except NotAllowed as refused:
        problem = str(refused)
    if not is_part(request):
        return HttpResponseRedirect("/desk/due")
    if problem and request.POST.get("dialog"):
        response = HttpResponse(render_to_string("desk/dialogs/problem.html", {"problem": problem}, request))
        response["HX-Retarget"], response["HX-Reswap"] = "#dialog-say", "innerHTML"
    else:
        response = render(request, "desk/due/list.html", views.context(user, problem))
        if request.POST.get("dialog"):
            response["HX-Trigger-After-Swap"] = "anju:done"
    if problem:
        response["X-Anju-Refused"] = "1"
    return response


@require_POST
@desk_only
def dial(request: HttpRequest, planned_id: int) -> HttpResponse:
    """Ring her from one's own seat."""
    return act(request, lambda by: actions.dial(by=by, planned_id=planned_id))


@require_POST
@desk_only
def result(request: HttpRequest, planned_id: int) -> HttpResponse:
    """Reached (how she is, what she needs), not answered, or no more."""
    words = {
        n: request.POST.get(n, "").replace("\x00", "").strip()[:500]
        for n in ("how", "note", "mood", "needs", "score", "answer")
    }

    row = queries.one(planned_id)

    def do(by: Actor) -> None:
        if row is not None and row.kind == "campaign":
            campaigns.write_up(
                by=by,
                planned_id=planned_id,
                how=words["how"],
                key=words["answer"],
                note=words["note"],
                needs=words["needs"],
            )
        elif words["how"] == "no_answer":
            actions.no_answer(by=by, planned_id=planned_id)
        elif words["how"] == "close":
            actions.close(by=by, planned_id=planned_id, reason=words["note"])
        else:
            score = int(words["score"]) if words["score"] in set("12345") else 0
            actions.reached(
                by=by, planned_id=planned_id, note=words["note"], mood=words["mood"], needs=words["needs"], score=score
            )

    key = key_of(request.path, {"once": request.POST.get("once", ""), "user": user_of(request).pk})
    return on_list(request, lambda by: once(key, lambda: do(by)))


@require_POST
@desk_only
def next_person(request: HttpRequest, campaign_id: int) -> HttpResponse:
    """The next person of an agents' campaign: with one click she stands on the list, with what is to be said."""
    return on_list(request, lambda by: campaigns.next_person(by=by, campaign_id=campaign_id))


@require_POST
@desk_only
def raise_case(request: HttpRequest, planned_id: int) -> HttpResponse:
    """Nobody reaches her: a case begins in this agent's hands, and the list lets her go."""
    row = queries.one(planned_id)
    if row is None or row.home_id is None:
        raise Http404("没有这一条，或不在您的管辖范围内。")
    opened: list[int] = []

    def do(by: Actor) -> None:
        actions.raised(by=by, planned_id=row.id)
        opened.append(
            incidents.open_by_hand(
                by=by, place=row.place, kind="care_missed", kind_label=f"{row.kind_label}联系不上", priority=MILD, home_id=row.home_id,
                elder_id=row.elder_id, what=f"{row.kind_label}：{row.why or '没有应答'}",
            ).pk
        )  # fmt: skip

    key = key_of(request.path, {"row": row.id, "nth": row.tried})
    answer = on_list(request, lambda by: once(key, lambda: do(by)))
    if opened and is_part(request):
        answer["HX-Redirect"] = f"/desk/incident/{opened[0]}"
    return HttpResponseRedirect(f"/desk/incident/{opened[0]}") if opened and not is_part(request) else answer


@require_POST
@desk_only
def register(request: HttpRequest) -> HttpResponse:
    """A letter, a visit, a message that came elsewhere."""
    told = {n: request.POST.get(n, "") for n in ("channel", "text", "name", "reach")}
    elder = request.POST.get("elder", "")
    key = key_of(request.path, {"once": request.POST.get("once", ""), "user": user_of(request).pk})
    known = int(elder) if elder.isdigit() and len(elder) < 18 else None
    return on_list(request, lambda by: once(key, lambda: contacts.register(by=by, elder_id=known, **told)))


@require_POST
@desk_only
def ring_contact(request: HttpRequest, contact_id: int) -> HttpResponse:
    """Ring back a number that the message names; the dialog stays for what is said."""
    nth, user = request.POST.get("nth", "0"), user_of(request)
    try:
        contacts.ring(by=people.actor(user), contact_id=contact_id, nth=int(nth) if nth in {"0", "1", "2"} else 0)
    except NotAllowed as refused:
        response = HttpResponse(render_to_string("desk/dialogs/problem.html", {"problem": str(refused)}, request))
        response["HX-Retarget"], response["HX-Reswap"], response["X-Anju-Refused"] = "#contact-say", "innerHTML", "1"
        return response if is_part(request) else HttpResponseRedirect("/desk/due")
    return answer(request, user, "")


@require_POST
@desk_only
def look_enclosure(request: HttpRequest, enclosure_id: int) -> HttpResponse:
    """A picture or a voice of a message, in a tab of its own; it runs nothing and asks nothing."""
    by = people.actor(user_of(request))
    try:
        file = enclosures.look(enclosure_id=enclosure_id, reason=request.POST.get("reason", ""), by=by)
    except NotAllowed as refused:
        raise Http404(str(refused)) from None
    where = "inline" if file.content_type.startswith("image/") else "attachment"
    return HttpResponse(
        file.body,
        content_type=file.content_type,
        headers={
            "Content-Disposition": f'{where}; filename="{file.name}"',
            "X-Content-Type-Options": "nosniff",
            "Content-Security-Policy": "sandbox; default-src 'none'; img-src 'self' data:; style-src 'unsafe-inline'",
            "Cache-Control": "no-store",
        },
    )


@require_POST
@desk_only
def file_contact(request: HttpRequest, contact_id: int) -> HttpResponse:
    """It is hers, or it is not: what was typed in the dialog stays."""
    elder, problem = request.POST.get("elder", ""), ""
    by = people.actor(user_of(request))
    try:
        if elder.isdigit() and len(elder) < 18:
            contacts.file_to(by=by, contact_id=contact_id, elder_id=int(elder))
        else:
            contacts.unfile(by=by, contact_id=contact_id)
    except NotAllowed as refused:
        problem = str(refused)
    if not is_part(request):
        return HttpResponseRedirect("/desk/due")
    response = render(request, "desk/due/whose.html", views.whose(user_of(request), contact_id) | {"problem": problem})
    if problem:
        response["X-Anju-Refused"] = "1"
    return response


@require_POST
@desk_only
def contact(request: HttpRequest, contact_id: int) -> HttpResponse:
    """Take it, answer it, make it something else, or say that no answer is wanted."""
    how, text = request.POST.get("how", ""), request.POST.get("text", "")
    also = [int(pk) for pk in re.findall(r"[0-9]{1,17}", request.POST.get("also", "")[:2000])]
    opened: list[int] = []
    does: dict[str, Callable[[Actor], object]] = {
        "take": lambda by: together.take(by=by, contact_id=contact_id, also=also),
        "give_back": lambda by: together.give_back(by=by, contact_id=contact_id, also=also),
        "answer": lambda by: together.answer(by=by, contact_id=contact_id, text=text, also=also),
        "close": lambda by: together.close(by=by, contact_id=contact_id, reason=text, also=also),
        "to_complaint": lambda by: together.to_complaint(
            by=by, contact_id=contact_id, about=request.POST.get("about", "other"), also=also
        ),
        "to_case": lambda by: opened.append(together.to_case(by=by, contact_id=contact_id, also=also)),
    }
    if how not in does:
        raise Http404("没有这个操作。")
    answer = on_list(request, does[how])
    if opened and is_part(request):
        answer["HX-Redirect"] = f"/desk/incident/{opened[0]}"
    return HttpResponseRedirect(f"/desk/incident/{opened[0]}") if opened and not is_part(request) else answer
