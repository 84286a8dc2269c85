"""Log-in names that are locked after too many wrong passwords (django-axes keeps the counts)."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime

from axes.models import AccessAttempt
from django.conf import settings
from django.db.models import Max, Sum
from django.http import HttpRequest

from anju.accounts.addresses import client_address
from anju.kernel import clock


def locked_until(usernames: Collection[str]) -> dict[str, datetime]:
    """Which of these log-in names are locked somewhere, and until when. Keys are in lower case."""
    since = clock.now() - settings.AXES_COOLOFF_TIME
    counts = (
        AccessAttempt.objects.filter(username__in={u.lower() for u in usernames}, attempt_time__gt=since)
        .values("username", "ip_address")
        .annotate(failures=Sum("failures_since_start"), last=Max("attempt_time"))
        .filter(failures__gte=settings.AXES_FAILURE_LIMIT)
    )
    ends: dict[str, datetime] = {}
    for row in counts:
        name, end = str(row["username"]), row["last"] + settings.AXES_COOLOFF_TIME
        ends[name] = max(end, ends.get(name, end))
    return ends


def locked_here_until(request: HttpRequest, username: str) -> datetime | None:
    """Until when this name is locked for this address."""
    since = clock.now() - settings.AXES_COOLOFF_TIME
    found = AccessAttempt.objects.filter(
        username=username.lower(), ip_address=client_address(request), attempt_time__gt=since
    ).aggregate(failures=Sum("failures_since_start"), last=Max("attempt_time"))
    if (found["failures"] or 0) < settings.AXES_FAILURE_LIMIT:
        return None
    last: datetime = found["last"]
    return last + settings.AXES_COOLOFF_TIME


def release(username: str) -> int:
    """Forget the wrong attempts of a name; how many rows there were."""
    count, _ = AccessAttempt.objects.filter(username=username.lower()).delete()
    return count


def name_tried(_request: HttpRequest | None, credentials: dict[str, str] | None = None) -> str:
    """The log-in name under which axes counts: lower case, so that `Agent1` and `agent1` are one."""
    tried = (credentials or {}).get("username") or ""
    if not tried and _request is not None:
        tried = _request.POST.get("username", "")
    return str(tried).strip().lower()[:255]
