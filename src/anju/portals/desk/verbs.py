"""What an agent does on the desk. Every press is carried out once per version of the case; a refusal is shown in Chinese."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.core.exceptions import ObjectDoesNotExist
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.template.loader import render_to_string
from django.utils.crypto import get_random_string
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from anju.accounts.models import User
from anju.calls import queries as telephones
from anju.elders import actions as elders
from anju.elders.checks import NotAccepted
from anju.incidents import actions as incidents
from anju.incidents import queries as cases
from anju.incidents.queries import NotFound
from anju.kernel.flow.actor import NotAllowed
from anju.portals.desk import people, present
from anju.portals.desk.access import desk_only, user_of
from anju.portals.desk.press import key_of, once
from anju.portals.desk.views import case_context, is_part, whole

URGENCIES = (("9", "紧急，可能有危险"), ("7", "急，要人去看"), ("3", "不急"))
KINDS = {"9": ("call", "来电求助"), "7": ("call", "来电"), "3": ("call", "来电咨询")}


def act(request: HttpRequest, incident_id: int, do: Callable[[], object]) -> HttpResponse:
    """Do it once, then show the case as it is now; a refusal stands above it and nothing is lost that was typed."""
    problem = ""
    try:
        once(key_of(request.path, {**request.POST.dict(), "user": user_of(request).pk}), do)
    except (NotAllowed, NotAccepted) as refused:
        problem = str(refused)
    except ObjectDoesNotExist:
        raise Http404("没有这个事件，或不在您的管辖范围内。") from None
    return answer(request, incident_id, problem)


def answer(request: HttpRequest, incident_id: int, problem: str) -> HttpResponse:
    """The case after a press. In a dialog a refusal stays in the dialog; otherwise the dialog closes."""
    if not is_part(request):
        return (
            whole(request, incident_id=incident_id, problem=problem)
            if problem
            else HttpResponseRedirect(f"/desk/incident/{incident_id}")
        )
    context = case_context(user_of(request), incident_id)
    if problem and request.POST.get("dialog"):
        response = HttpResponse(render_to_string("desk/dialogs/problem.html", {"problem": problem}, request))
        response["HX-Retarget"], response["HX-Reswap"] = "#dialog-say", "innerHTML"
    else:
        response = render(request, "desk/answered.html", context | {"problem": problem})
        response["HX-Trigger-After-Swap"] = "anju:done"
    if problem:
        response["X-Anju-Refused"] = "1"
    return response


def _said(request: HttpRequest) -> tuple[str, dict[str, Any]]:
    """The note and the answers (`data.*`) of a form."""
    data: dict[str, Any] = {
        name.removeprefix("data."): value
        for name, value in request.POST.items()
        if name.startswith("data.") and value != ""
    }
    for name, value in list(data.items()):
        if value in {"yes", "no"}:
            data[name] = value == "yes"
        elif name in {"eta_minutes", "to_user_id"}:
            data[name] = int(value) if str(value).isdigit() else 0
    return request.POST.get("note", "").strip(), data


@require_http_methods(["GET", "POST"])
@never_cache
@desk_only
def move(request: HttpRequest, incident_id: int, name: str) -> HttpResponse:
    """GET: the dialog that asks; POST: make the move."""
    user = user_of(request)
    if request.method == "GET":
        return _ask(request, user, incident_id, name)
    note, data = _said(request)
    return act(
        request, incident_id,
        lambda: incidents.move(incident_id=incident_id, move=name, by=people.actor(user), note=note, data=data),
    )  # fmt: skip


def _ask(request: HttpRequest, user: User, incident_id: int, name: str) -> HttpResponse:
    if not is_part(request):
        return whole(request, incident_id=incident_id)
    context = case_context(user, incident_id)
    view = cases.case(incident_id, people.roles(user), user.pk)
    found = next((m for m in view.moves if m.name == name), None)
    if found is None:
        context["problem"] = "这一步现在不能做，事件已到下一步。请看最新状态。"
        return render(request, "desk/dialogs/gone.html", context)
    return render(
        request,
        "desk/dialogs/move.html",
        context
        | {"move": present.Drawn(found), "users": people.colleagues(user), "can_dial": dials(user, incident_id)},
    )


def dials(user: User, incident_id: int) -> bool:
    """Whether this person's own telephone makes the call: from a free seat, or out of a call of this case."""
    mine = telephones.my_call(user.pk)
    return telephones.can_dial(user.pk) or (
        mine is not None and mine.ref == f"incident:{incident_id}" and mine.state == "talking"
    )


@require_http_methods(["GET", "POST"])
@never_cache
@desk_only
def duty(request: HttpRequest, incident_id: int, name: str) -> HttpResponse:
    """GET: the question whose answer goes into the story; POST: the duty is done (once more)."""
    user = user_of(request)
    if request.method == "GET":
        context = case_context(user, incident_id)
        rows = [d for seat in context["case"]["seats"] for d in seat.duties if d["name"] == name]
        if not rows or not is_part(request):
            return whole(request, incident_id=incident_id)
        return render(request, "desk/dialogs/duty.html", context | {"duty": rows[0]})
    note, data = _said(request)
    return act(
        request, incident_id,
        lambda: incidents.tick(incident_id=incident_id, duty=name, by=people.actor(user), note=note, data=data),
    )  # fmt: skip


@require_POST
@desk_only
def note(request: HttpRequest, incident_id: int) -> HttpResponse:
    """A line in one's own words."""
    user, text = user_of(request), request.POST.get("text", "")
    return act(request, incident_id, lambda: incidents.note(incident_id=incident_id, by=people.actor(user), text=text))


@require_POST
@desk_only
def call(request: HttpRequest, incident_id: int, rung: int) -> HttpResponse:
    """A contact is being called on the telephone beside the desk."""
    user = user_of(request)
    return act(
        request, incident_id, lambda: incidents.call_contact(incident_id=incident_id, rung=rung, by=people.actor(user))
    )


@require_POST
@desk_only
def number(request: HttpRequest, incident_id: int, rung: int) -> HttpResponse:
    """A contact's number in clear, to be dialled by hand; who looked is kept."""
    user = user_of(request)
    try:
        text = incidents.reveal_number(incident_id=incident_id, rung=rung, by=people.actor(user))
    except NotAllowed as refused:
        text = str(refused)
    except NotFound:
        raise Http404("没有这个事件，或不在您的管辖范围内。") from None
    return HttpResponse(render_to_string("desk/plain.html", {"text": text}))


@require_POST
@desk_only
def attempt(request: HttpRequest, attempt_id: int) -> HttpResponse:
    """What came of a call to a contact."""
    user = user_of(request)
    incident, result = request.POST.get("incident", ""), request.POST.get("result", "")
    incident_id = int(incident) if incident.isdigit() else 0
    eta = request.POST.get("eta_minutes", "")
    minutes = int(eta) if eta.isdigit() and result.startswith("coming") else None

    def do() -> None:
        if result == "arrived":
            incidents.arrived(attempt_id=attempt_id, by=people.actor(user))
        else:
            incidents.contact_result(attempt_id=attempt_id, result=result, by=people.actor(user), eta_minutes=minutes)

    return act(request, incident_id, do)


@require_POST
@desk_only
def seat(request: HttpRequest, incident_id: int, letter: str) -> HttpResponse:
    """Sit down, get up, or (a lead, with a reason) take over."""
    user, how = user_of(request), request.POST.get("act")
    by = people.actor(user)
    if how == "leave":
        return act(request, incident_id, lambda: incidents.leave_seat(incident_id=incident_id, by=by))
    if how == "over":
        reason = request.POST.get("note", "")
        return act(
            request,
            incident_id,
            lambda: incidents.take_over(incident_id=incident_id, seat=letter, by=by, reason=reason),
        )
    return act(request, incident_id, lambda: incidents.take_seat(incident_id=incident_id, seat=letter, by=by))


@require_GET
@never_cache
@desk_only
def over(request: HttpRequest, incident_id: int, letter: str) -> HttpResponse:
    """The dialog of taking over a seat."""
    if not is_part(request):
        return whole(request, incident_id=incident_id)
    return render(request, "desk/dialogs/over.html", case_context(user_of(request), incident_id) | {"letter": letter})


@require_POST
@desk_only
def bell(request: HttpRequest, incident_id: int, bell_id: int) -> HttpResponse:
    """I noticed it."""
    user = user_of(request)
    return act(request, incident_id, lambda: incidents.hear_bell(bell_id=bell_id, by=people.actor(user)))


@require_POST
@desk_only
def reveal(request: HttpRequest, elder_id: int, field: str) -> HttpResponse:
    """One masked item in clear; who looked is kept and shown to the family."""
    user = user_of(request)
    number = request.POST.get("incident", "")
    try:
        text = elders.reveal(elder_id=elder_id, field=field, by=people.actor(user), reason=f"处置事件 {number}")
    except NotAccepted as refused:
        text = str(refused)
    except ObjectDoesNotExist:
        raise Http404("没有这个人，或不在您的管辖范围内。") from None
    return HttpResponse(render_to_string("desk/plain.html", {"text": text or "没有登记"}))


@require_http_methods(["GET", "POST"])
@never_cache
@desk_only
def register(request: HttpRequest) -> HttpResponse:
    """登记来电: a call that came in on a telephone; a client or not, it becomes a case that is accepted by who wrote it down."""
    user = user_of(request)
    context: dict[str, Any] = {"urgencies": URGENCIES, "form": {"priority": "9"}, "once": get_random_string(16)}
    if request.method == "GET":
        return render(request, "desk/dialogs/call.html", context) if is_part(request) else whole(request)
    form = {name: request.POST.get(name, "").strip() for name in ("phone", "text", "address", "priority", "elder")}
    form["priority"] = form["priority"] if form["priority"] in KINDS else "9"
    opened: list[int] = []
    try:
        first = once(
            key_of(request.path, {"once": request.POST.get("once", ""), "user": user.pk}),
            lambda: opened.append(_open(user, form)),
        )
    except NotAllowed as refused:
        context |= {"problem": str(refused), "form": form, "found": people.callers(form["phone"], user), "asked": True}
        return (
            render(request, "desk/dialogs/call.html", context)
            if is_part(request)
            else whole(request, problem=str(refused))
        )
    if not first or not is_part(request):
        return HttpResponseRedirect("/desk/")
    response = render(request, "desk/case.html", case_context(user, opened[0]))
    response["HX-Retarget"], response["HX-Reswap"] = "#case", "outerHTML"
    response["HX-Push-Url"] = f"/desk/incident/{opened[0]}"
    response["HX-Trigger-After-Swap"] = "anju:done"
    return response


def _open(user: User, form: dict[str, str]) -> int:
    who = people.caller(int(form["elder"])) if form["elder"].isdigit() else None
    if not form["text"]:
        raise NotAllowed("写一句出了什么事，再开案。", code="needs")
    if who is None and not (form["address"] or form["phone"]):
        raise NotAllowed("册上没有这个人：写下号码或在哪里，再开案。", code="needs")
    kind, label = KINDS[form["priority"]]
    return incidents.open_by_hand(
        by=people.actor(user), place=who.place if who else people.reception(user), kind=kind, kind_label=label,
        priority=int(form["priority"]), home_id=who.home_id if who else None, elder_id=who.id if who else None,
        phone=form["phone"], address=form["address"], what=form["text"],
    ).pk  # fmt: skip


@require_POST
@desk_only
def identify(request: HttpRequest, incident_id: int) -> HttpResponse:
    """Who an unknown caller is: chosen from the files, or typed."""
    elder = request.POST.get("elder", "")
    return act(
        request, incident_id,
        lambda: incidents.identify(
            incident_id=incident_id, by=people.actor(user_of(request)), elder_id=int(elder) if elder.isdigit() else None,
            phone=request.POST.get("callback", ""), address=request.POST.get("address", ""), what=request.POST.get("what", ""),
        ),
    )  # fmt: skip


@require_GET
@never_cache
@desk_only
def who(request: HttpRequest) -> HttpResponse:
    """Whom a number, a name or an address fits, while it is typed."""
    text = request.GET.get("phone", "")
    return render(
        request,
        "desk/dialogs/who.html",
        {
            "found": people.callers(text, user_of(request)),
            "asked": len(text.strip()) >= 7,
            "choose": "choose" in request.GET,
        },
    )
