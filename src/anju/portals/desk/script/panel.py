"""What the panel of scripts shows for a call or a case. No rules here: which fits is asked of `knowledge.sop`."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from django.http import Http404

from anju.accounts.models import User
from anju.calls import queries as calls
from anju.incidents import queries as incidents
from anju.incidents.queries import NotFound
from anju.knowledge.sop import queries as sop
from anju.knowledge.sop.queries import Known
from anju.portals.desk import people
from anju.portals.desk.phone import caller

MOST = 6
"""So many scripts are offered unasked."""


@dataclass(frozen=True, slots=True)
class Matter:
    """What a sheet is about: a call, a case, or the call that one speaks in within a case."""

    kind: str
    ref: str
    place: str
    call_id: str = ""
    incident_id: int | None = None
    elder_id: int | None = None
    home_id: int | None = None
    known: Known = field(default_factory=Known)


def of_call(user: User, call_id: str) -> Matter:
    """A call at this seat or in the scope; 404 else."""
    call = caller.of_call(user, call_id)
    about = _case(user, call.ref)
    known = Known(
        kind=about.kind if about else "", direction=call.direction, purpose=call.purpose, queue=call.queue,
        known=call.elder_id is not None, scenes=about.scenes if about else frozenset(), words=call.note,
    )  # fmt: skip
    place = caller.place_of(call, user)
    return Matter("call", call.call_id, place, call.call_id, _incident(call.ref), call.elder_id, call.home_id, known)


def of_incident(user: User, incident_id: int) -> Matter:
    """A case of the scope; when this seat speaks in it just now, the sheet is that call's too."""
    about = _case(user, f"incident:{incident_id}")
    if about is None:
        raise Http404("没有这个事件，或不在您的管辖范围内。")
    head = incidents.head(incident_id, people.roles(user))
    mine = calls.my_call(user.pk)
    call_id = mine.call_id if mine is not None and mine.ref == f"incident:{incident_id}" else ""
    return Matter("incident", str(incident_id), head.place, call_id, incident_id, head.elder_id, head.home_id, about)


def _incident(ref: str) -> int | None:
    kind, _, number = ref.partition(":")
    return int(number) if kind == "incident" and number.isdigit() else None


def _case(user: User, ref: str) -> Known | None:
    """What the case itself says: its kind, the scenes that are on, what people wrote."""
    incident_id = _incident(ref)
    if incident_id is None:
        return None
    try:
        view = incidents.case(incident_id, people.roles(user), user.pk)
    except NotFound:
        return None
    words = " ".join(entry.text for entry in view.timeline if entry.source in {"A", "B", "lead"})
    return Known(
        kind=view.incident.kind, queue="emergency" if view.incident.priority >= 7 else "service", known=view.incident.elder_id is not None,
        silent="silent" in view.incident.scenes, scenes=frozenset(view.incident.scenes), words=words,
    )  # fmt: skip


def sheets(matter: Matter) -> list[sop.SheetView]:
    """What was begun for it, the newest first."""
    found = sop.of_case(matter.incident_id) if matter.incident_id is not None else []
    if matter.call_id:
        of_call = sop.of_call(matter.call_id)
        found = [s for s in found if s.call_id != matter.call_id] + of_call
    return sorted(found, key=lambda s: s.begun_at, reverse=True)


def context(matter: Matter, *, problem: str = "", text: str = "") -> dict[str, Any]:
    """Everything of the panel."""
    begun = sheets(matter)
    taken = {s.code for s in begun if s.call_id == matter.call_id or matter.kind == "incident"}
    return {
        "sop": {
            "to": f"/desk/script/{matter.kind}/{matter.ref}", "sheets": [drawn(s) for s in begun], "problem": problem,
            "offers": [s for s in found(matter, text) if s.code not in taken], "text": text,
        }
    }  # fmt: skip


def found(matter: Matter, text: str) -> list[Any]:
    """What was looked for, else what fits, else the beginning of the guide."""
    if text.strip():
        return sop.search(text)[:12]
    return sop.suggested(matter.known, MOST) or sop.scripts()[:MOST]


def drawn(sheet: sop.SheetView) -> dict[str, Any]:
    """A sheet with its script's words."""
    script = sop.script(sheet.code)
    first = next((a.field.name for a in sheet.answers if a.field.must and a.value is None), "")
    return {
        "view": sheet, "script": script, "first": first, "branches": script.branch if script else (),
        "empty": all(a.value is None for a in sheet.answers),
    }  # fmt: skip
