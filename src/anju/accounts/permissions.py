"""Which role may do what. One table, closed by default; the permission test walks it."""

from __future__ import annotations

from collections.abc import Mapping

from django.core.exceptions import PermissionDenied

from anju.accounts.roles import Role
from anju.kernel.flow.actor import Actor

PLATFORM = "platform"
THE_PLATFORM = Actor("平台", frozenset({PLATFORM}))
"""Set-up, import and demo: code that no person asked for by a click."""

_FORM = frozenset({Role.STREET, Role.COMMUNITY})
_DESK = frozenset({Role.AGENT, Role.LEAD})
_CARE = _FORM | _DESK | {Role.GRID_WORKER, Role.DOCTOR}

ALLOWED: Mapping[str, frozenset[Role]] = {
    "user.create": frozenset({Role.SYSTEM_ADMIN}),
    "user.switch": frozenset({Role.SYSTEM_ADMIN}),
    "user.reset_password": frozenset({Role.SYSTEM_ADMIN}),
    "user.grant": frozenset({Role.SECURITY_ADMIN}),
    "user.revoke": frozenset({Role.SECURITY_ADMIN}),
    "user.unlock": frozenset({Role.SECURITY_ADMIN}),
    "user.forget_second_factor": frozenset({Role.SECURITY_ADMIN}),
    "token.issue": frozenset({Role.SECURITY_ADMIN}),
    "token.revoke": frozenset({Role.SECURITY_ADMIN}),
    "users.read": frozenset({Role.SYSTEM_ADMIN, Role.SECURITY_ADMIN, Role.AUDIT_ADMIN}),
    "audit.read": frozenset({Role.AUDIT_ADMIN}),
    "dictionary.change": frozenset({Role.SYSTEM_ADMIN}),
    "place.change": frozenset({Role.SYSTEM_ADMIN}),
    "policy.set": frozenset({Role.SYSTEM_ADMIN}),
    "elder.read": _CARE | {Role.BUREAU, Role.QUALITY, Role.DISPATCHER, Role.INSTALLER, Role.FAMILY, Role.ELDER},
    "elder.register": _FORM,
    "elder.change": _FORM | _DESK,
    "elder.approve": frozenset({Role.BUREAU}),
    "elder.suspend": frozenset({Role.STREET, Role.BUREAU, Role.LEAD}),
    "elder.end": frozenset({Role.STREET, Role.BUREAU}),
    "elder.export": frozenset({Role.STREET, Role.BUREAU}),
    "elder.erase": frozenset({Role.BUREAU}),
    "paper.print": _FORM | {Role.BUREAU},
    "acceptance.print": _FORM | {Role.BUREAU, Role.DISPATCHER, Role.INSTALLER},
    "consent.record": _FORM,
    "consent.scan": _FORM | {Role.BUREAU},
    "consent.withdraw": _FORM | {Role.BUREAU},
    "contact.change": _FORM | _DESK,
    "contact.flag": _CARE,
    "family.open": _FORM | _DESK,
    "family.write": frozenset({Role.FAMILY}),
    "history.append": _CARE,
    "home.state": _FORM | _DESK | {Role.BUREAU, Role.GRID_WORKER, Role.FAMILY},
    "rhythm.correct": _FORM | _DESK | {Role.GRID_WORKER, Role.FAMILY},
    "call.plan": _FORM | _DESK,
    "call.campaign": frozenset({Role.LEAD, Role.STREET, Role.BUREAU}),
    "meters.deliver": frozenset({Role.BUREAU, Role.LEAD}),
    "fence.set": _FORM | _DESK,
    "health.limit": frozenset({Role.DOCTOR, Role.LEAD}),
}


def may(by: Actor, what: str) -> bool:
    """Whether one of the actor's roles allows it. What is not in the table nobody may do."""
    return PLATFORM in by.roles or bool(ALLOWED.get(what, frozenset()) & by.roles)


def must(by: Actor, what: str) -> None:
    """PermissionDenied with a Chinese text unless the actor may."""
    if not may(by, what):
        who = "、".join(sorted(r.label for r in ALLOWED.get(what, frozenset()))) or "任何岗位都"
        raise PermissionDenied(f"您的岗位不能做这件事，请找{who}办理")
