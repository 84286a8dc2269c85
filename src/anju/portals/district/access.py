"""Which pages of the district portal a role may open. Closed by default; the rail and the views read the same table."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import wraps
from typing import Any

from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

from anju.accounts import queries as accounts
from anju.accounts.models import User
from anju.accounts.permissions import ALLOWED, may
from anju.accounts.roles import Role
from anju.design import navigation
from anju.kernel.flow.actor import Actor

_OFFICE = frozenset({Role.BUREAU, Role.STREET, Role.COMMUNITY})
_CENTRE = frozenset({Role.AGENT, Role.LEAD, Role.QUALITY})
_FIELD = frozenset({Role.DISPATCHER, Role.INSTALLER})

PAGES: Mapping[str, frozenset[Role]] = {
    "overview": _OFFICE | _CENTRE | {Role.DISPATCHER},
    "elders": frozenset(ALLOWED["elder.read"]) - {Role.FAMILY, Role.ELDER},
    "devices": _OFFICE | _CENTRE | _FIELD,
    "incidents": _OFFICE | _CENTRE | {Role.GRID_WORKER},
    "repairs": _OFFICE | _CENTRE | _FIELD,
    "ledger": frozenset({Role.BUREAU, Role.AGENT, Role.LEAD, Role.QUALITY, Role.SYSTEM_ADMIN, Role.AUDIT_ADMIN}),
    "frames": frozenset({Role.LEAD, Role.QUALITY, Role.SYSTEM_ADMIN, Role.AUDIT_ADMIN}),
    "users": frozenset(ALLOWED["users.read"]),
    "operations": frozenset({Role.LEAD, Role.SYSTEM_ADMIN, Role.AUDIT_ADMIN}),
    "audit": frozenset(ALLOWED["audit.read"]),
    "device.register": _FIELD | {Role.LEAD},
    "calls": _CENTRE | {Role.BUREAU},
    "recordings": frozenset({Role.LEAD, Role.QUALITY}),
    "recordings.take": frozenset({Role.LEAD, Role.QUALITY}),
    "kpis": frozenset({Role.LEAD, Role.QUALITY, Role.BUREAU}),
    "levels": frozenset({Role.LEAD}),
    "quality": _CENTRE | {Role.BUREAU},
    "quality.judge": frozenset({Role.LEAD, Role.QUALITY}),
    "quality.form": frozenset({Role.LEAD, Role.QUALITY, Role.SYSTEM_ADMIN}),
    "prompts": frozenset({Role.LEAD, Role.QUALITY, Role.SYSTEM_ADMIN}),
    "scripts": _CENTRE | {Role.BUREAU, Role.SYSTEM_ADMIN},
    "scripts.change": frozenset({Role.LEAD, Role.QUALITY, Role.SYSTEM_ADMIN}),
    "planned": _OFFICE | _CENTRE,
    "campaigns": _OFFICE | _CENTRE,
    "contacts": _CENTRE | {Role.BUREAU},
    "complaints": _CENTRE | {Role.BUREAU},
    "home.state": _OFFICE | {Role.AGENT, Role.LEAD, Role.GRID_WORKER},
    "watch.correct": _OFFICE | {Role.AGENT, Role.LEAD, Role.GRID_WORKER, Role.DOCTOR},
    "watch": _OFFICE | _CENTRE | _FIELD,
    "watch.repair": frozenset({Role.LEAD, Role.AGENT, Role.STREET, Role.COMMUNITY}) | _FIELD,
    "map": _OFFICE | _CENTRE | {Role.DISPATCHER},
    "storms": _OFFICE | _CENTRE | {Role.DISPATCHER},
    "storms.call": frozenset({Role.AGENT, Role.LEAD, Role.COMMUNITY}),
    "roster": _CENTRE | {Role.BUREAU, Role.DISPATCHER},
    "roster.plan": frozenset({Role.LEAD}),
    "handover": frozenset({Role.LEAD, Role.AGENT}),
    "experts": _CENTRE | {Role.DOCTOR},
}
"""Page → who may open it. What may be done there is checked again by the action."""

View = Callable[..., HttpResponse]


def user_of(request: HttpRequest) -> User:
    """The user of the request; the middleware lets nobody else in."""
    if not isinstance(request.user, User):
        raise PermissionDenied("请先登录")
    return request.user


def actor(request: HttpRequest) -> Actor:
    """The user as actions know her."""
    return accounts.actor_of(user_of(request))


def may_open(by: Actor, page: str) -> bool:
    """Whether one of the roles opens the page."""
    return bool(PAGES.get(page, frozenset()) & by.roles)


def allowed(by: Actor, *whats: str) -> dict[str, bool]:
    """For templates: {"elder_change": True, …}: what the user may do, from the accounts' table and from PAGES."""
    return {what.replace(".", "_"): may_open(by, what) or may(by, what) for what in whats}


def opens(page: str) -> Callable[[View], View]:
    """Only for the roles of `page`; others read who may, instead of an empty page."""

    def wrap(view: View) -> View:
        @wraps(view)
        def inner(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
            by = actor(request)
            if not may_open(by, page):
                return refused(request, who=[r.label for r in sorted(PAGES[page], key=list(Role).index)])
            try:
                return view(request, *args, **kwargs)
            except PermissionDenied as reason:
                return refused(request, text=str(reason))

        return inner

    return wrap


def refused(request: HttpRequest, *, who: list[str] | None = None, text: str = "") -> HttpResponse:
    """403 with what to do next."""
    return render(request, "district/refused.html", {"who": who or [], "text": text}, status=403)


def missing(request: HttpRequest, what: str) -> HttpResponse:
    """404 for what is not there or lies outside the places of the user: both look the same."""
    roles = accounts.roles_of(request.user) if isinstance(request.user, User) else frozenset()
    here = navigation.current(navigation.items_for("office", (str(role) for role in roles)), request.path)
    back = {"back": here.url, "back_label": f"回{here.label}"} if here else {"back": "/", "back_label": "回首页"}
    return render(request, "district/missing.html", {"what": what, **back}, status=404)
