"""What the switchboard reads from the tables and keeps in memory: queues, skills, seats, access numbers, trunks."""

from __future__ import annotations

import contextlib
import logging
from dataclasses import dataclass, field
from typing import Any

from django.db import DatabaseError

from anju.accounts import queries as accounts
from anju.accounts.roles import Role
from anju.calls import rules
from anju.calls.actions import ensure_queues, ensure_seats
from anju.calls.control.state import QueueInfo, SeatNow
from anju.calls.models import Queue, SeatState, Skill

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Access:
    """What a called number means."""

    number: str
    queue: str
    emergency: bool = False
    script: str = ""
    code: str = ""
    prompt: str = ""
    """What is played first instead of the queue's own."""
    place: str = ""
    """The district or street that answers for callers whom nobody knows."""
    serves: frozenset[str] = frozenset()
    """Seats (extensions) of those who hold a post there: its callers are theirs first. Empty: every seat."""


@dataclass(slots=True)
class Books:
    """A fresh reading. Nothing here changes by itself."""

    queues: dict[str, QueueInfo] = field(default_factory=dict)
    access: dict[str, Access] = field(default_factory=dict)
    seats: dict[int, SeatNow] = field(default_factory=dict)

    def queue(self, code: str, *, emergency: bool = False) -> QueueInfo:
        """The queue of that code, or the one that fits; one that nobody made is invented, so that no call is refused."""
        if code in self.queues:
            return self.queues[code]
        fits = [q for q in self.queues.values() if q.emergency is emergency]
        return fits[0] if fits else QueueInfo(0, code or "service", 9 if emergency else 1, emergency)

    def called(self, number: str) -> Access:
        """What this number means, however a carrier spells it (+86, 0086, 86, with or without its 0 or its area code); an unknown
        one is the service number."""
        ends = [n for n in self.access if rules.is_called(number, n)]
        known = self.access.get(number) or (self.access[max(ends, key=len)] if ends else None)
        return known or Access(number, "emergency" if number == "emergency" else "service",
                                                 emergency=number == "emergency")  # fmt: skip


def read() -> Books:
    """From the tables, in a thread."""
    ensure_queues()
    try:
        ensure_seats()
    except DatabaseError:
        _log.exception("new seats could not be made; those that are there work")
    queues = {
        q.code: QueueInfo(
            q.pk,
            q.code,
            q.priority,
            q.emergency,
            frozenset(s.code for s in q.skills.all()),
            q.prompt,
            q.ring_seconds,
            q.overflow_seconds,
            q.ring_all,
            q.wrap_up_seconds,
            q.survey,
        )
        for q in Queue.objects.prefetch_related("skills")
    }
    return Books(queues, _access(), {s.user_id: s for s in seats()})


def seats(user_id: int | None = None) -> list[SeatNow]:
    """Seats as they stand in the table: one, or all."""
    rows = SeatState.objects.select_related("user", "queue")
    if user_id is not None:
        rows = rows.filter(user=user_id)
    levels: dict[int, dict[str, int]] = {}
    for owner, code, level in Skill.objects.values_list("user_id", "group__code", "level"):
        levels.setdefault(owner, {})[code] = level
    return [
        SeatNow(
            user_id=s.user_id,
            extension=s.extension,
            name=s.user.name,
            state=s.state,
            wants=s.wants,
            reason=s.reason,
            since=s.since,
            until=s.until,
            idle_since=s.since.timestamp(),
            call_id=str(s.call_id) if s.call_id else None,
            misses=s.misses,
            is_lead=s.is_lead,
            registered=s.registered,
            queue=s.queue.code if s.queue else "",
            levels=levels.get(s.user_id, {}),
        )
        for s in rows
    ]


def _access() -> dict[str, Access]:
    """The called numbers, as `calls.lines` keeps them."""
    found: dict[str, Access] = {}
    with contextlib.suppress(ImportError):
        from anju.calls.lines import queries as lines
        from anju.calls.scripts.queries import menus_of_numbers

        menus = menus_of_numbers()
        for one in lines.access_numbers():
            row: Any = one
            queue = getattr(row, "queue", "") or ("emergency" if row.emergency else "service")
            people = accounts.seated({Role.AGENT, Role.LEAD}, places=[row.place]) if row.place else []
            found[row.number] = Access(
                row.number, str(queue), bool(row.emergency), "menu" if row.number in menus else "",
                str(getattr(row, "code", "") or ""), row.prompt, row.place,
                frozenset(one.seat_number for one in people if one.seat_number),
            )  # fmt: skip
    return found


def trunk_for(number: str) -> str:
    """The trunk by which this number is reached."""
    with contextlib.suppress(ImportError):
        from anju.calls.lines import queries as lines

        trunk: Any = lines.trunk_for(number)
        return str(getattr(trunk, "name", trunk) or "trunk")
    return "trunk"


def name_of(user_id: int) -> str:
    """What the seat's agent is called."""
    return accounts.user_name(user_id)
