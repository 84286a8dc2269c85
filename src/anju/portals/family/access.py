"""Who may open a page here: the family of this elder, while she agrees. The rows themselves are behind the scope."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import TYPE_CHECKING, Any

from django.conf import settings
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.cache import never_cache

from anju.accounts import queries as accounts
from anju.accounts.models import User
from anju.accounts.roles import Role
from anju.calls.lines import queries as lines
from anju.elders import queries as elders
from anju.kernel.flow.actor import Actor
from anju.kernel.scope import current

if TYPE_CHECKING:
    from anju.elders.models import Elder

View = Callable[..., HttpResponse]
ZOOMS = {"1": "标准", "1.2": "大", "1.4": "特大", "1.67": "最大"}
"""Sizes of letters: 18 px and 30 px are the smallest text of the first and of the last (architecture.md: 10)."""
COOKIE = "anju_zoom"


def user_of(request: HttpRequest) -> User:
    """The family's user; PermissionDenied for everybody else, staff too."""
    user = request.user
    if not isinstance(user, User) or Role.FAMILY not in accounts.roles_of(user):
        raise PermissionDenied("这一页只给老人的家属用，请从首页进入您的页面。")
    return user


def actor(request: HttpRequest) -> Actor:
    """The user as actions know her."""
    return accounts.actor_of(user_of(request))


def hers(view: View) -> View:
    """A page about one elder: the view gets her file. Somebody else's is not there; one that is closed now says so."""

    @never_cache
    @wraps(view)
    def inner(request: HttpRequest, elder_id: int, *args: Any, **kwargs: Any) -> HttpResponse:
        if elder_id not in accounts.relatives_of(user_of(request)):
            raise Http404("没有这一页。")
        elder = elders.elder(elder_id) if elder_id in current().elders else None  # as her family, not by another post
        if elder is None:
            return show(request, "closed", {}, status=403)
        return view(request, elder, *args, **kwargs)

    return inner


def zoom(request: HttpRequest) -> str:
    """How large she wants the letters."""
    wanted = request.COOKIES.get(COOKIE, "")
    return wanted if wanted in ZOOMS else "1"


def hotline() -> str:
    """The centre's number for a link that dials: as it is set, else the service number of its lines; may be empty."""
    numbers = [] if settings.ANJU_HOTLINE else sorted(lines.access_numbers(), key=lambda n: n.emergency)
    return settings.ANJU_HOTLINE or next((n.number for n in numbers), "")


def show(
    request: HttpRequest, name: str, found: dict[str, Any], *, elder: Elder | None = None, status: int = 200
) -> HttpResponse:
    """A page in her size of letters."""
    held = {
        "elder": elder, "zoom": zoom(request), "zooms": ZOOMS.items(), "hotline": hotline(), "centre": settings.CENTRE_NAME,
    }  # fmt: skip
    return render(request, f"family/{name}.html", {**held, **found}, status=status)
