"""Who has a desk open. The hub of each web process says so with every heartbeat; a desk that falls silent is reported."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import timedelta

from django.db import connection, transaction

from anju.calls import actions as telephones
from anju.calls import queries as calls
from anju.incidents import actions as incidents
from anju.kernel import clock
from anju.kernel.changes import changed
from anju.portals.desk.models import Presence

GONE_AFTER = timedelta(seconds=20)
"""Four heartbeats without the desk: crashed, closed or cut off. Its cases are told, so that the other seat takes the whole."""


def seen(user_ids: Iterable[int]) -> None:
    """These users' desks are open now; the others' lists change when somebody came."""
    ids = sorted(set(user_ids))
    if not ids:
        return
    now = clock.now()
    with transaction.atomic():
        known = set(Presence.objects.filter(user__in=ids, seen_at__gt=now - GONE_AFTER).values_list("user", flat=True))
        with connection.cursor() as cursor:
            cursor.execute(
                "INSERT INTO desk_presence (user_id, seen_at, told) SELECT unnest(%s::bigint[]), %s, false "
                "ON CONFLICT (user_id) DO UPDATE SET seen_at = excluded.seen_at, told = false",
                [ids, now],
            )
        for came in set(ids) - known:
            changed("seats", came, "")


def here() -> set[int]:
    """Users whose desk is open."""
    return set(Presence.objects.filter(seen_at__gt=clock.now() - GONE_AFTER).values_list("user", flat=True))


def report_lost() -> int:
    """Tell the cases of every desk that fell silent, once; the number of seats that were freed."""
    freed = 0
    with transaction.atomic():
        lost = Presence.objects.select_for_update(skip_locked=True).filter(
            told=False, seen_at__lte=clock.now() - GONE_AFTER
        )
        for row in lost:
            freed += incidents.seat_dropped(user_id=row.user_id)
            _free_telephone(row.user_id)
            row.told = True
            row.save(update_fields=["told"])
            changed("seats", row.user_id, "")
    return freed


def _free_telephone(user_id: int) -> None:
    """No more calls ring at a desk that is gone. A telephone that is still registered goes on with its call: only the page's line is cut."""
    seat = calls.seat_of(user_id)
    if seat is not None and not (seat.registered and seat.state in {"ringing", "talking"}):
        telephones.seat_lost(user_id=user_id, why="页面失联")
