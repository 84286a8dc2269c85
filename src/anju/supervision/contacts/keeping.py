"""How long what people wrote is kept: as long as her file, or, of people without one, as long as a recording of what they said."""

from __future__ import annotations

import secrets
from datetime import timedelta

from django.db import transaction
from django.db.models import Q, QuerySet

from anju.calls import actions as calls
from anju.kernel import clock, forgetting
from anju.kernel.scope import EVERYWHERE, seen_by
from anju.supervision.contacts import actions, enclosures
from anju.supervision.contacts.flow import CONTACT
from anju.supervision.contacts.models import Contact

KEPT = timedelta(days=1096)
"""After a writer's last word was settled: 36 months, as SH (二)1(2)⑦ keeps what is said on the telephone."""
GONE = "~"
"""How the name of a forgotten conversation begins: no address can have it."""
AT_ONCE = 500
"""Writers whose words go in one night; the rest the next."""


@transaction.atomic
def forget(*, elder_id: int, home_id: int, home_empty: bool) -> int:
    """A person's data are deleted (SYS-04): her letters and messages lose every word; one that is open is closed. How many."""
    whose = Q(elder_id=elder_id) | (Q(home_id=home_id) if home_empty else Q(pk__in=[]))
    with seen_by(EVERYWHERE):
        for row in Contact.objects.filter(whose, state__in=["waiting", "handling"]):
            actions.close_forgotten(row)
        return _empty(Contact.objects.filter(whose))


def forget_strangers() -> int:
    """Who wrote and was never filed to anybody is forgotten when the whole conversation is settled for so long; how many messages."""
    before = clock.now() - KEPT
    with seen_by(EVERYWHERE):
        rows = Contact.objects.filter(elder_id=None).exclude(thread__startswith=GONE)
        young = Contact.objects.filter(Q(done_at=None) | Q(done_at__gte=before)).values("thread")
        threads = rows.filter(done_at__lt=before).exclude(thread__in=young).order_by().values_list("thread", flat=True)
        return sum(_forget_writer(thread) for thread in threads.distinct()[:AT_ONCE])


@transaction.atomic
def _forget_writer(thread: str) -> int:
    return _empty(Contact.objects.filter(thread=thread, elder_id=None))


def _empty(rows: QuerySet[Contact]) -> int:
    ids = list(rows.values_list("pk", flat=True))
    rows = Contact.objects.filter(pk__in=ids)
    for row in rows:
        row.thread = GONE + secrets.token_urlsafe(24)
        row.save(update_fields=["thread"])
    enclosures.forget(ids)
    forgetting.empty(rows, keep={"state", "number", "place", "taken_by", "became", "thread"})
    rows.update(elder_id=None)
    calls.forget_matters([f"contact:{pk}" for pk in ids])
    forgetting.story(CONTACT.name, ids)
    return len(ids)
