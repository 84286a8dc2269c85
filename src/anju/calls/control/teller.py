"""Tells the rest of the platform what happened with calls: after the ring, in order, exactly once.

A fact is a row that was committed with its step (`rows.news`). Announcing it and ticking it off is one transaction, so a
reaction runs once however often the switchboard is killed. A reaction that fails is tried again, with growing pauses and for
ever (it may be an emergency call that has no case yet); after TRIES it is a trouble of the platform. It delays no other.
"""

from __future__ import annotations

import logging
import threading
from collections import deque
from datetime import datetime, timedelta
from typing import Any

from django.db import Error, InterfaceError, OperationalError, connection, transaction

from anju.calls import facts as known
from anju.calls.actions.course import owe_call_back
from anju.calls.models import Call, CallBack, News
from anju.kernel import audit, clock, facts
from anju.kernel.changes import changed
from anju.kernel.flow.actor import NotAllowed
from anju.kernel.scope import EVERYWHERE, seen_by

_log = logging.getLogger(__name__)
OWE, CAME_BACK = "owe", "came_back"
"""Two kinds of news that are work of our own: a call-back is due, a caller was reached after all."""
KEPT = timedelta(days=1)
TRIES = 5
"""After so many failures people are told."""
NAP, LONGEST_PAUSE = 0.5, 60.0
"""Seconds until a fact is tried again: the first time, and at most."""


class Teller:
    """`wake()` after a commit; a thread of its own does the rest. `tell_all()` does it here and now (tests)."""

    def __init__(self) -> None:
        self._bell = threading.Event()
        self._stop = threading.Event()
        self._thread: threading.Thread | None = None
        self.failures: deque[str] = deque(maxlen=50)
        self._rest: dict[int, datetime] = {}  # row that failed → when it is tried again

    def start(self) -> None:
        """Begin to tell."""
        self._thread = threading.Thread(target=self._run, name="teller", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """End after the fact that is being told."""
        self._stop.set()
        self._bell.set()
        if self._thread is not None:
            self._thread.join(3)

    def wake(self) -> None:
        """Something was written."""
        self._bell.set()

    def _run(self) -> None:
        while not self._stop.is_set():
            self._bell.wait(NAP)
            self._bell.clear()
            self.round()
        connection.close()

    def round(self) -> None:
        """Tell until nothing waits; without the database it waits for the next round."""
        try:
            with seen_by(EVERYWHERE), audit.acting("话务控制"):
                while self.tell_all() and not self._stop.is_set():
                    pass
        except (OperationalError, InterfaceError):
            _log.warning("the teller lost its database; trying again")
            connection.close()
            self._stop.wait(NAP)

    def tell_all(self, limit: int = 50) -> int:
        """Tell what waits, the oldest first; how many were told."""
        now = clock.now()
        resting = [pk for pk, at in self._rest.items() if at > now]
        waiting = list(News.objects.filter(told_at=None).exclude(pk__in=resting).order_by("id")[:limit])
        return sum(self._tell(row) for row in waiting)

    def _tell(self, row: News) -> bool:
        try:
            with transaction.atomic():
                if News.objects.filter(pk=row.pk, told_at=None).update(told_at=clock.now()):
                    _announce(row.fact, dict(row.data))
                    if row.tries >= TRIES:
                        facts.announce(known.NewsUntold(row.fact, "", over=True))
            self._rest.pop(row.pk, None)
        except (OperationalError, InterfaceError):
            raise
        except Exception as error:  # noqa: BLE001 - whoever reacts may be broken; the calls go on
            _log.exception("nobody could be told of %s", row.fact)
            self.failures.append(f"{row.fact}: {error}")
            self._rest[row.pk] = clock.now() + timedelta(seconds=min(NAP * 2 ** min(row.tries, 10), LONGEST_PAUSE))
            try:
                with transaction.atomic():
                    News.objects.filter(pk=row.pk).update(tries=min(row.tries + 1, 30_000), problem=f"{error}"[:200])
                    if row.tries + 1 >= TRIES:
                        text = f"电话的消息 {row.fact} 已 {row.tries + 1} 次没有办成，会一直重试：{error}"
                        facts.announce(known.NewsUntold(row.fact, text[:300]))
            except Error:
                _log.exception("and the failure could not be noted")
                raise
            return False
        return True


def tidy() -> int:
    """Throw away what was told a day ago."""
    return News.objects.filter(told_at__lt=clock.now() - KEPT).delete()[0]


def _announce(name: str, data: dict[str, Any]) -> None:
    if name == OWE:
        call = Call.unscoped.get(call_id=data["call_id"])
        owe_call_back(call, str(data["why"]))
    elif name == CAME_BACK:
        _came_back(str(data["caller_index"]), data.get("call_id"))
    else:
        facts.announce(getattr(known, name)(**data))


def _came_back(caller_index: str, call_id: str | None) -> None:
    """A caller whom we owed a call was reached: by her own next call, or by ours."""
    from anju.calls.actions.back import call_back_came_back

    for owed in CallBack.unscoped.filter(caller_index=caller_index, state__in=["waiting", "calling"]).exclude(
        caller_index=""
    ):
        try:
            call_back_came_back(call_back_id=owed.pk, call_id=call_id)
        except NotAllowed:  # somebody was faster
            continue
        changed("callback", owed.pk, owed.place)
