"""Whose eyes a request has: every view runs inside the scope and under the name of its user. Closed by default."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from urllib.parse import quote, urlsplit

from django.conf import settings
from django.contrib.auth import logout
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect, JsonResponse
from django.urls import reverse
from django.utils.functional import SimpleLazyObject
from django.views.defaults import permission_denied

from anju.accounts import addresses, sessions
from anju.accounts import queries as accounts
from anju.accounts.models import User
from anju.kernel import audit, clock
from anju.kernel.scope import NOBODY, Scope, seen_by
from anju.places import queries as places

Respond = Callable[[HttpRequest], HttpResponse]


def scope_of_the_user(get_response: Respond) -> Respond:
    """Reads and writes of the view see what the user may see; without a log-in that is nothing.

    Before the view it is settled that there is a session, that it is not over, that it comes from an allowed address, and
    that nothing must be done first (change the password, enrol a token).
    """

    def middleware(request: HttpRequest) -> HttpResponse:
        user = request.user if isinstance(request.user, User) else None
        here = addresses.client_address(request)
        if user is None:
            if not _open(request.path):
                return _to_login(request)
            with seen_by(NOBODY), audit.acting("未登录", None, here):
                return _whole(get_response(request))
        with seen_by(_scope_of(request, user)), audit.acting(user.name, user.pk, here):
            return _stopped(request, user, here) or _whole(get_response(request))

    return middleware


def page_context(request: HttpRequest) -> dict[str, Any]:
    """What every template may use: `demo` (shown on every page; `invented`: its people are), the roles of the user, her place, and `now`."""
    user = getattr(request, "user", None)
    user = user if isinstance(user, User) else None
    return {
        "demo": settings.DEMO,
        "invented": settings.INVENTED,
        "roles": accounts.roles_of(user) if user else frozenset(),
        "user_place": SimpleLazyObject(lambda: _place_of(user)),
        "now": clock.now(),
    }


def _stopped(request: HttpRequest, user: User, here: str) -> HttpResponse | None:
    """An answer instead of the view's, when the session may not go on as it is."""
    if request.path.startswith(("/static/", "/logout/")):
        return None
    if min(sessions.left(request, user)) <= 0:
        audit.record("session.idle", subject="user", subject_id=user.pk)
        logout(request)
        return _to_login(request, idle=True)
    if not addresses.allowed(here, accounts.roles_of(user)):
        audit.record("session.address", subject="user", subject_id=user.pk, result="denied")
        logout(request)
        return _to_login(request)
    if sessions.by_hand(request):
        sessions.keep(request)
    if not request.path.startswith("/login/") and (errand := sessions.errand(request, user)):
        return _answer(request, reverse(errand))
    if request.path != "/" and not request.path.startswith(settings.OUTSIDE_PATHS) and accounts.is_outside(user):
        return permission_denied(request, PermissionDenied("这一页只给工作人员用，请从首页进入您的页面。"))
    return None


def _scope_of(request: HttpRequest, user: User) -> Scope:
    """In the back office an administrator works inside her reach; everywhere else she sees no elder at all."""
    return accounts.reach_of(user) if request.path.startswith("/console/") else accounts.scope_of(user)


def _open(path: str) -> bool:
    return path == "/" or path.startswith(settings.OPEN_PATHS)


def _to_login(request: HttpRequest, *, idle: bool = False) -> HttpResponse:
    """Back to the page one came from after the log-in; a fragment sends its whole page there."""
    page = urlsplit(request.headers.get("HX-Current-URL", "")).path or (
        request.get_full_path() if request.method == "GET" and "HX-Request" not in request.headers else ""
    )
    query = [f"next={quote(page)}" if page not in {"", "/"} else "", "idle=1" if idle else ""]
    address = reverse("accounts:login") + ("?" + "&".join(q for q in query if q) if any(query) else "")
    return _answer(request, address)


def _answer(request: HttpRequest, address: str) -> HttpResponse:
    """A redirect for a page; for fragments, scripts and streams a 401 that says where to go."""
    if "HX-Request" in request.headers:
        response = HttpResponse(status=401)
        response["HX-Redirect"] = address
        return response
    mode = request.headers.get("Sec-Fetch-Mode", "navigate")
    if mode == "navigate" and "text/event-stream" not in request.headers.get("Accept", ""):
        return HttpResponseRedirect(address)
    return JsonResponse({"error": "请重新登录", "login": address}, status=401)


def _whole(response: HttpResponse) -> HttpResponse:
    """Lazy templates query too: render them while the scope holds."""
    render = getattr(response, "render", None)
    if callable(render):
        render()
    return response


def _place_of(user: User | None) -> str:
    posts = accounts.posts_of(user) if user else []
    return "、".join(dict.fromkeys(f"{places.name_of(p.place)} {p.role.label}" for p in posts if p.place))
