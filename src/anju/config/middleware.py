"""Whose eyes a request has: every view runs inside the scope and under the name of its user."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.conf import settings
from django.http import HttpRequest, HttpResponse

from anju.accounts import queries as accounts
from anju.kernel.scope import NOBODY, seen_by


def scope_of_the_user(get_response: Callable[[HttpRequest], HttpResponse]) -> Callable[[HttpRequest], HttpResponse]:
    """Reads and writes of the view see what the user may see; without a log-in that is nothing."""

    def middleware(request: HttpRequest) -> HttpResponse:
        user = request.user
        scope = accounts.scope_of(user) if user.is_authenticated else NOBODY
        with seen_by(scope):
            response = get_response(request)
            if hasattr(response, "render") and callable(response.render):
                response.render()  # lazy templates query too
            return response

    return middleware


def page_context(request: HttpRequest) -> dict[str, Any]:
    """What every template may use: `demo` (shown on every page) and the roles of the user."""
    user = getattr(request, "user", None)
    roles = accounts.roles_of(user) if user is not None and user.is_authenticated else frozenset()
    return {"demo": settings.DEMO, "roles": roles}
