"""How long a session lasts, and what it may do before its owner has proved enough.

Only a hand keeps a session alive: a click, a form, a page that was opened. What the page fetches by itself (pushes and the
fragments that follow them) does not count. Why the desk has a longer limit: docs/subsystems/access.md.
"""

from __future__ import annotations

from datetime import timedelta

from django.conf import settings
from django.contrib.sessions.backends.base import SessionBase
from django.http import HttpRequest

from anju.accounts import queries, second_factor
from anju.accounts.models import User
from anju.accounts.roles import Role
from anju.kernel import clock, hooks

BEGAN, SEEN, PASSED, OWN = "anju.began", "anju.seen", "anju.passed", "anju.own"
_WRITE_EVERY = 60.0  # seconds


def begin(session: SessionBase, *, passed: bool, own: bool = False) -> None:
    """A log-in has just succeeded. `passed`: nothing more is asked of this user (second factor).

    `own`: she said that this device is hers alone. It counts for those who are no staff, and only as long as they are none.
    """
    now = clock.now().timestamp()
    session[BEGAN], session[SEEN], session[PASSED] = now, now, passed
    if own and settings.SESSION_IDLE_OWN:
        session[OWN] = True
        session.set_expiry(
            int(settings.SESSION_IDLE_OWN.total_seconds())
        )  # else her browser forgets it when it is closed


def by_hand(request: HttpRequest) -> bool:
    """Whether a person made this request, as far as the request tells."""
    if request.headers.get("X-Anju-By") == "hand":
        return True
    if request.headers.get("X-Anju-By") == "machine":
        return False
    if request.method not in {"GET", "HEAD"}:
        return True
    mode = request.headers.get("Sec-Fetch-Mode")
    if mode is not None:
        return mode == "navigate"
    return "HX-Request" not in request.headers and "text/html" in request.headers.get("Accept", "")


def left(request: HttpRequest, user: User) -> tuple[float, float]:
    """Seconds until the session ends by idleness, and until it ends at all. Not positive: it is over.

    Who holds a seat of an open incident is not idle and is not thrown out at the end of the longest session either.
    """
    session, now = request.session, clock.now().timestamp()
    if SEEN not in session:  # it began elsewhere than on our page: its clocks start here
        session.update({BEGAN: now, SEEN: now})
    longest_idle, longest = limits(session, user)
    whole = longest.total_seconds() - (now - session[BEGAN])
    idle = longest_idle.total_seconds() - (now - session[SEEN])
    if min(idle, whole) <= 0 and user.pk in hooks.ask("busy_users", frozenset()):
        return max(idle, 60.0), max(whole, 60.0)
    return idle, whole


def limits(session: SessionBase, user: User) -> tuple[timedelta, timedelta]:
    """How long without a hand, and how long at all. Half an hour and half a day; for those who sit at the desk and wait for an
    alarm, a shift; for a family on a device of its own, weeks: it opens one elder's page, and only while she agrees.
    """
    if session.get(OWN) and queries.is_outside(user):
        return settings.SESSION_IDLE_OWN, settings.SESSION_LONGEST_OWN
    at_desk = queries.roles_of(user) & {Role.AGENT, Role.LEAD}
    return settings.SESSION_IDLE_DESK if at_desk else settings.SESSION_IDLE, settings.SESSION_LONGEST


def keep(request: HttpRequest) -> None:
    """A hand was seen. The session is written once a minute at most."""
    now = clock.now().timestamp()
    if now - request.session.get(SEEN, 0) > _WRITE_EVERY:
        request.session[SEEN] = now


def errand(request: HttpRequest, user: User) -> str:
    """Name of the page that must come first: `password` to change, `token` to enrol; empty when nothing stands open."""
    if queries.must_change_password(user):
        return "accounts:password"
    if not request.session.get(PASSED):
        if queries.needs_second_factor(user) and not second_factor.is_enrolled(user):
            return "accounts:token"
        request.session[PASSED] = True
    return ""
