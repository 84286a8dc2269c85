"""The pages and fragments of the desk. Every fragment opened by itself is the whole page with that part open."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import render
from django.views.decorators.cache import never_cache
from django.views.decorators.csrf import ensure_csrf_cookie
from django.views.decorators.http import require_GET

from anju.accounts.models import User
from anju.elders import actions as elder_actions
from anju.incidents import queries as incidents
from anju.incidents.queries import NotFound
from anju.incidents.views import IncidentView
from anju.portals.desk import assemble, cards, people
from anju.portals.desk.access import desk_only, user_of
from anju.portals.desk.phone import bar, beside


def is_part(request: HttpRequest) -> bool:
    """Asked for by htmx (a part), not by the address bar (a page)."""
    return bool(request.headers.get("HX-Request")) and not request.headers.get("HX-History-Restore-Request")


def whole(
    request: HttpRequest, *, incident_id: int | None = None, problem: str = "", status: int = 200, pane: str = "",
    more: dict[str, Any] | None = None,
) -> HttpResponse:  # fmt: skip
    """The whole desk, with a case open, with another pane (a caller, the wallboard), or idle."""
    user = user_of(request)
    context = {**assemble.page(user), **assemble.queue(user), "problem": problem, "pane": pane}
    context |= {"bar": bar.bar(user), "engine": bar.engine(), **beside.callers(user)}
    context |= case_context(user, incident_id) if incident_id else more or assemble.idle(user)
    return render(request, "desk/page.html", context, status=status)


def case_context(user: User, incident_id: int) -> dict[str, Any]:
    """A case of the user's scope, or 404."""
    try:
        return assemble.case(user, incident_id) | {"beside": beside.of_incident(user, incident_id)}
    except NotFound:
        raise Http404("没有这个事件，或不在您的管辖范围内。") from None


@require_GET
@never_cache
@ensure_csrf_cookie
@desk_only
def desk(request: HttpRequest) -> HttpResponse:
    """The desk without a case."""
    return whole(request)


@require_GET
@never_cache
@desk_only
def queue(request: HttpRequest) -> HttpResponse:
    """The queue and the colleagues."""
    if not is_part(request):
        return whole(request)
    return render(
        request, "desk/queue.html", assemble.queue(user_of(request), cards.shown(request.headers.get(cards.SHOWN)))
    )


@require_GET
@never_cache
@desk_only
def idle(request: HttpRequest) -> HttpResponse:
    """What there is to see while nothing rings."""
    if not is_part(request):
        return whole(request)
    return render(request, "desk/idle.html", assemble.idle(user_of(request)))


@require_GET
@never_cache
@ensure_csrf_cookie
@desk_only
def case(request: HttpRequest, incident_id: int) -> HttpResponse:
    """One case; opening it by hand leaves a trace in the audit."""
    user = user_of(request)
    if not is_part(request) or request.headers.get("X-Anju-By") == "hand":
        head = _head(user, incident_id)
        if head.elder_id:
            elder_actions.note_opened(elder_id=head.elder_id, why=f"处置事件 {head.number}")
    if not is_part(request):
        return whole(request, incident_id=incident_id)
    return render(request, "desk/case.html", case_context(user, incident_id))


@require_GET
@never_cache
@desk_only
def line(request: HttpRequest, incident_id: int) -> HttpResponse:
    """Who speaks in this case now, and how one comes in."""
    user = user_of(request)
    _head(user, incident_id)
    if not is_part(request):
        return whole(request, incident_id=incident_id)
    return render(request, "desk/phone/beside.html", beside.of_incident(user, incident_id))


def _head(user: User, incident_id: int) -> IncidentView:
    try:
        return incidents.head(incident_id, people.roles(user))
    except NotFound:
        raise Http404("没有这个事件，或不在您的管辖范围内。") from None


@require_GET
@never_cache
@desk_only
def tab(request: HttpRequest, incident_id: int, name: str) -> HttpResponse:
    """A tab of the file: file, aid, devices, earlier, map."""
    user = user_of(request)
    if name not in dict(assemble.TABS):
        raise Http404("没有这一页。")
    if not is_part(request):
        return whole(request, incident_id=incident_id)
    case = case_context(user, incident_id)
    more: dict[str, Callable[[], dict[str, Any]]] = {
        "file": dict,
        "aid": lambda: assemble.aid(user, incident_id),
        "devices": lambda: assemble.installed(incident_id, user),
        "earlier": lambda: assemble.earlier(incident_id, user),
        "map": lambda: assemble.where(incident_id, user),
    }
    return render(request, f"desk/tabs/{name}.html", case | more[name]())


@require_GET
@never_cache
@desk_only
def sheet(request: HttpRequest, incident_id: int) -> HttpResponse:
    """The rescue sheet, big, for reading aloud (F9)."""
    if not is_part(request):
        return whole(request, incident_id=incident_id)
    return render(request, "desk/dialogs/sheet.html", case_context(user_of(request), incident_id))


@require_GET
@never_cache
@desk_only
def keys(request: HttpRequest) -> HttpResponse:
    """The keys of the desk."""
    return render(request, "desk/dialogs/help.html") if is_part(request) else whole(request)


@require_GET
@never_cache
def alive(request: HttpRequest) -> HttpResponse:
    """Asked before a lost line is opened again: 401 means that the log-in is over."""
    return JsonResponse({"ok": True}) if request.user.is_authenticated else HttpResponse(status=401)
