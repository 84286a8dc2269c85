"""Who may sit at the desk, and what a request without a log-in gets."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any, TypeVar

from django.contrib.auth.views import redirect_to_login
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse

from anju.accounts import queries as accounts
from anju.accounts.models import User
from anju.accounts.roles import Role

SEATED = frozenset({Role.AGENT, Role.LEAD})

View = TypeVar("View", bound=Callable[..., HttpResponse])


def desk_only(view: View) -> View:
    """A logged-in agent or lead. A fragment of a page whose log-in ended gets 401 (the page then says so), a page the log-in."""

    @wraps(view)
    def guarded(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        if not request.user.is_authenticated:
            if request.headers.get("HX-Request"):
                return HttpResponse("登录已失效，请重新登录。", status=401)
            return redirect_to_login(request.get_full_path())
        if not accounts.roles_of(user_of(request)) & SEATED:
            raise PermissionDenied("坐席台只给坐席和值班长用，请从首页进入您的工作页。")
        return view(request, *args, **kwargs)

    return guarded  # type: ignore[return-value]


def user_of(request: HttpRequest) -> User:
    """The user of a request that passed the log-in."""
    user = request.user
    if not isinstance(user, User):
        raise PermissionDenied("请先登录。")
    return user
