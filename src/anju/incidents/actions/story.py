"""Writing down what happens, and telling the open pages."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from anju.accounts.roles import Role
from anju.incidents.models import Entry, Incident
from anju.kernel import clock
from anju.kernel.changes import changed
from anju.kernel.flow.actor import Actor


def ref(incident: Incident) -> str:
    """How calls and notices name this case."""
    return f"incident:{incident.pk}"


def source_of(incident: Incident, by: Actor) -> str:
    """Which column a person's line belongs to: A, B, lead or system."""
    if by.user_id is None:
        return by.seat or "system"
    if by.user_id == incident.b_seat_id and by.user_id != incident.a_seat_id:
        return "B"
    if by.user_id == incident.a_seat_id:
        return "A"
    return by.seat or ("lead" if Role.LEAD in by.roles else "A")


def write(
    incident: Incident, *, source: str, kind: str, text: str, by: str = "", data: dict[str, Any] | None = None,
    at: datetime | None = None,
) -> Entry:  # fmt: skip
    """Add a line to the story and say that the case changed."""
    entry = Entry.objects.create(
        incident=incident, at=at or clock.now(), source=source, kind=kind, text=text, data=data or {}, by=by
    )
    tell(incident)
    return entry


def tell(incident: Incident) -> None:
    """Open desks fetch the case and the queue again."""
    changed("incident", incident.pk, incident.place)
    changed("queue", incident.pk, incident.place)


def locked(incident_id: int) -> Incident:
    """The case, locked first as everywhere (Incident.DoesNotExist outside the scope)."""
    return Incident.objects.select_for_update(of=("self",)).get(pk=incident_id)


def held(incident_id: int) -> Incident:
    """The case, locked without waiting: for what the clock does to an attempt or a bell, which it holds already.

    People lock the case first and its children after; the clock comes from a child, so it must never wait for the case
    (a deadlock). If somebody has it, the deadline is put off by a second.
    """
    return Incident.objects.select_for_update(of=("self",), nowait=True).get(pk=incident_id)
