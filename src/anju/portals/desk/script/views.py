"""Scripts on the desk: the panel, the search, and what is typed into a sheet."""

from __future__ import annotations

from django.core.exceptions import ObjectDoesNotExist
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect, JsonResponse
from django.shortcuts import render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from anju.accounts.models import User
from anju.kernel import clock
from anju.kernel.flow.actor import Actor, NotAllowed
from anju.knowledge.sop import actions
from anju.knowledge.sop import queries as sop
from anju.portals.desk import assemble, people
from anju.portals.desk.access import desk_only, user_of
from anju.portals.desk.script import panel
from anju.portals.desk.views import is_part, whole


def _matter(user: User, kind: str, ref: str) -> panel.Matter:
    if kind == "call":
        return panel.of_call(user, ref)
    if kind == "incident" and ref.isdigit():
        return panel.of_incident(user, int(ref))
    raise Http404("没有这一页。")


@require_GET
@never_cache
@desk_only
def show(request: HttpRequest, kind: str, ref: str) -> HttpResponse:
    """The panel; opened by itself, the desk with that call or case."""
    if not is_part(request):
        return HttpResponseRedirect(f"/desk/incident/{ref}" if kind == "incident" else f"/desk/caller/{ref}")
    return render(request, "desk/script/panel.html", panel.context(_matter(user_of(request), kind, ref)))


@require_GET
@never_cache
@desk_only
def find(request: HttpRequest, kind: str, ref: str) -> HttpResponse:
    """What was looked for."""
    matter = _matter(user_of(request), kind, ref)
    shown = panel.context(matter, text=request.GET.get("q", "")[:40])
    return render(request, "desk/script/found.html", shown) if is_part(request) else whole(request)


@require_POST
@desk_only
def take(request: HttpRequest, kind: str, ref: str) -> HttpResponse:
    """This script: its sheet is begun. Without a code (Enter in the search) it is the first that was found."""
    user = user_of(request)
    matter, problem = _matter(user, kind, ref), ""
    code = request.POST.get("code", "") or next(
        (s.code for s in panel.found(matter, request.POST.get("q", "")[:40])), ""
    )
    try:
        actions.begin(
            by=people.actor(user), code=code, place=matter.place, call_id=matter.call_id, incident_id=matter.incident_id,
            elder_id=matter.elder_id, home_id=matter.home_id,
        )  # fmt: skip
    except NotAllowed as refused:
        problem = str(refused)
    if not is_part(request):
        return HttpResponseRedirect(f"/desk/incident/{ref}" if kind == "incident" else f"/desk/caller/{ref}")
    return render(request, "desk/script/panel.html", panel.context(matter, problem=problem))


def _said(request: HttpRequest) -> dict[str, str]:
    return {k.removeprefix("f."): str(v) for k, v in request.POST.items() if k.startswith("f.")}


def _keep(request: HttpRequest, by: Actor, sheet_id: int) -> list[str]:
    return actions.answer(by=by, sheet_id=sheet_id, said=_said(request), outcome=request.POST.get("outcome"))


@require_POST
@desk_only
def typed(request: HttpRequest, sheet_id: int) -> HttpResponse:
    """What stands in the sheet so far; only what the agent touched is sent."""
    try:
        wrong = _keep(request, people.actor(user_of(request)), sheet_id)
    except NotAllowed as refused:
        return JsonResponse({"ok": False, "why": str(refused)}, status=409)
    except ObjectDoesNotExist:
        raise Http404("没有这份话术记录。") from None
    return JsonResponse({"ok": not wrong, "why": "；".join(wrong)})


@require_http_methods(["GET", "POST"])
@never_cache
@desk_only
def sheet(request: HttpRequest, sheet_id: int) -> HttpResponse:
    """GET: a sheet that was left open when its call was over. POST: keep it and, with `close`, write it up."""
    user, problem = user_of(request), ""
    by, view = people.actor(user), _mine(user, sheet_id)
    if request.method == "POST":
        try:
            problem = "；".join(_keep(request, by, sheet_id))
            if request.POST.get("close") and not problem:
                actions.close(
                    by=by, call_id=view.call_id, lacks=request.POST.get("lacks", ""), words=request.POST.get("lacks_words", "")
                )  # fmt: skip
                return _idle(request, user)
        except NotAllowed as refused:
            problem = str(refused)
        view = _mine(user, sheet_id)
    shown = {"now": clock.now(), "late": panel.drawn(view), "reasons": sop.REASONS, "problem": problem}
    if not is_part(request):
        return whole(request, pane="desk/script/late.html", more=shown, problem=problem)
    return render(request, "desk/script/late.html", shown)


def _idle(request: HttpRequest, user: User) -> HttpResponse:
    """Done: back to what there is to see while nothing rings, without leaving the page (a call may be up)."""
    if not is_part(request):
        return HttpResponseRedirect("/desk/")
    response = render(request, "desk/idle.html", assemble.idle(user))
    response["HX-Push-Url"] = "/desk/"
    return response


def _mine(user: User, sheet_id: int) -> sop.SheetView:
    view = sop.own(user.pk, sheet_id)
    if view is None:
        raise Http404("没有这份话术记录，或不是您填的。")
    return view


@require_POST
@desk_only
def drop(request: HttpRequest, kind: str, ref: str, sheet_id: int) -> HttpResponse:
    """The wrong script was chosen."""
    user, problem = user_of(request), ""
    matter = _matter(user, kind, ref)
    try:
        actions.drop(by=people.actor(user), sheet_id=sheet_id)
    except NotAllowed as refused:
        problem = str(refused)
    except ObjectDoesNotExist:
        problem = "已经撤下了。"
    if not is_part(request):
        return HttpResponseRedirect("/desk/")
    return render(request, "desk/script/panel.html", panel.context(matter, problem=problem))


@require_POST
@desk_only
def keep(request: HttpRequest, kind: str, ref: str, sheet_id: int) -> HttpResponse:
    """Enter in a sheet: keep it all, and say what is wrong or still missing."""
    user, problem = user_of(request), ""
    matter = _matter(user, kind, ref)
    try:
        problem = "；".join(_keep(request, people.actor(user), sheet_id))
    except NotAllowed as refused:
        problem = str(refused)
    except ObjectDoesNotExist:
        raise Http404("没有这份话术记录。") from None
    return render(request, "desk/script/panel.html", panel.context(matter, problem=problem))
