"""Reading the audit log: what a person or a thing met, newest first. Writing and sealing are in `audit`."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from django.db.models import Q, QuerySet

from anju.kernel.models import AuditLine


def find(
    *,
    subject: str = "",
    subject_id: int | str = "",
    action: str = "",
    actor: str = "",
    result: str = "",
    since: datetime | None = None,
    until: datetime | None = None,
    actions: Iterable[str] = (),
) -> QuerySet[AuditLine]:
    """Lines that fit everything given, the newest first; slice or paginate the answer."""
    wanted = Q()
    for name, value in (
        ("subject", subject),
        ("action__startswith", action),
        ("actor__icontains", actor),
        ("result", result),
    ):
        if value:
            wanted &= Q(**{name: value})
    if subject_id:
        wanted &= Q(subject_id=str(subject_id))
    if since is not None:
        wanted &= Q(at__gte=since)
    if until is not None:
        wanted &= Q(at__lt=until)
    if chosen := list(actions):
        wanted &= Q(action__in=chosen)
    return AuditLine.objects.filter(wanted).order_by("-id")
