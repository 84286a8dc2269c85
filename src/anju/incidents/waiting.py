"""The queue: every open case as one light row.

A desk fetches the queue at every change, so a row may cost little: the plan is some kilobytes of ciphertext of which a row
needs five facts. A row is made once for everything that it is made of (`_Seen`): the columns of its case, the fingerprint
of its stored plan, its bells and alarms, the names on the seats, what the reader may see. Any of these changes, and it is
made anew; so a kept row cannot be stale, and which cases somebody sees is asked of the database each time.
"""

from __future__ import annotations

from collections import OrderedDict
from datetime import date, timedelta
from threading import Lock
from typing import Any, NamedTuple

from django.db import models
from django.db.models.functions import Left

from anju.accounts import queries as accounts
from anju.incidents import plan as plans
from anju.incidents import rules, sheet
from anju.incidents.models import Bell, Entry, Incident
from anju.incidents.views import QueueRow
from anju.kernel import clock
from anju.places import queries as places

KEPT = 4000
"""Rows kept in a process: some dozens of open cases, in the forms that the readers of a centre see."""
_NOT_IN_A_ROW = frozenset(
    {
        "plan", "outcome", "scenes", "answers", "first_alarm_at", "accepted_at", "closed_at", "cause", "outcome_class",
        "opened_on", "callbacks", "ladder_open", "previous_id",
    }
)  # fmt: skip
_COLUMNS = tuple(f.attname for f in Incident._meta.concrete_fields if f.attname not in _NOT_IN_A_ROW)
_ORDER = {name: n for n, name in enumerate(_COLUMNS)}
_FINGERPRINT = Left(models.F("plan"), 40, output_field=models.CharField())
"""Every writing of an encrypted field begins with a nonce of its own, so the first characters tell two writings apart."""


class _Seen(NamedTuple):
    """Everything that a row is made of, apart from the plan's text, for which its fingerprint stands."""

    columns: tuple[Any, ...]
    fingerprint: str
    place_name: str
    a_seat: str
    b_seat: str
    mine: str
    bells: frozenset[str]
    alarms: int
    full_name: bool
    today: date

    @property
    def key(self) -> tuple[int, bool, str]:
        """Which row of which kind of reader; the whole must be equal before a kept row is shown."""
        return self.columns[_ORDER["id"]], self.full_name, self.mine


_rows: OrderedDict[tuple[int, bool, str], tuple[_Seen, QueueRow]] = OrderedDict()
_lock = Lock()


def rows(*, full_name: bool, user_id: int | None) -> list[QueueRow]:
    """Open cases of the asker's scope: the highest priority first, then the nearest deadline; follow-ups at the end."""
    seen = {one.key: one for one in _look(full_name=full_name, user_id=user_id)}
    with _lock:
        known = {key: kept[1] for key, one in seen.items() if (kept := _rows.get(key)) is not None and kept[0] == one}
    fresh, keep = _make([one for key, one in seen.items() if key not in known])
    with _lock:
        _rows.update(keep)
        for key in seen.keys() & _rows.keys():
            _rows.move_to_end(key)
        while len(_rows) > KEPT:
            _rows.popitem(last=False)
    last = clock.now() + timedelta(days=365)
    return sorted(
        [*known.values(), *fresh], key=lambda r: (r.state == "follow_up", r.drill, -r.priority, r.due_at or last, r.id)
    )


def _look(*, full_name: bool, user_id: int | None) -> list[_Seen]:
    found = list(Incident.objects.exclude(state="closed").order_by().values_list(*_COLUMNS, _FINGERPRINT))
    pk, place, a, b = (_ORDER[name] for name in ("id", "place", "a_seat_id", "b_seat_id"))
    bells, alarms = _ringing(), _alarms()
    names = places.names_of({row[place] for row in found})
    people = accounts.user_names({user for row in found for user in (row[a], row[b]) if user})
    today = clock.today()
    return [
        _Seen(
            columns=row[:-1], fingerprint=row[-1], place_name=names.get(row[place], ""), a_seat=people.get(row[a], ""),
            b_seat=people.get(row[b], ""), mine=seat(row[a], row[b], user_id), bells=frozenset(bells.get(row[pk], ())),
            alarms=alarms.get(row[pk], 0), full_name=full_name, today=today,
        )
        for row in found
    ]  # fmt: skip


def _make(seen: list[_Seen]) -> tuple[list[QueueRow], dict[tuple[int, bool, str], tuple[_Seen, QueueRow]]]:
    """Rows that nobody has looked at yet, and which of them may be kept (a plan may be frozen anew at this moment)."""
    if not seen:
        return [], {}
    pk = _ORDER["id"]
    known = Incident.objects.filter(pk__in=[one.columns[pk] for one in seen])
    plans_now: dict[int, tuple[str, Any]] = {
        case: (fingerprint, plan) for case, fingerprint, plan in known.values_list("pk", _FINGERPRINT, "plan")
    }
    found, keep = [], {}
    for one in seen:
        fingerprint, plan = plans_now.get(one.columns[pk], ("", {}))
        row = _row(Incident(**dict(zip(_COLUMNS, one.columns, strict=True)), plan=plan), one)
        found.append(row)
        if fingerprint == one.fingerprint:
            keep[one.key] = (one, row)
    return found, keep


def _row(case: Incident, seen: _Seen) -> QueueRow:
    waiting = case.state in {"waiting", "overdue"}
    ringing = waiting or any(reason == "ask_b" or seen.mine or not case.a_seat_id for reason in seen.bells)
    name = sheet.call_name(case)
    return QueueRow(
        id=case.pk, number=case.number, priority=case.priority, state=case.state, state_label=case.state_label,
        elder_name=name if seen.full_name or not case.elder_id else rules.surname_only(name),
        sex=str((case.plan.get("elder") or {}).get("sex") or ""), age=sheet.age_of(case.plan, seen.today),
        where=sheet.where(case) if seen.full_name else seen.place_name, place_name=seen.place_name,
        kind_label=case.kind_label, due_at=case.due_at, due_label=due_label(case), due_total=due_total(case),
        opened_at=case.opened_at, a_seat=seen.a_seat, b_seat=seen.b_seat, ringing=ringing,
        sound=f"p{plans.band(case.priority)}" if ringing else "", drill=case.drill,
        kind="work" if case.state == "follow_up" else rules.looks(case.priority, drill=case.drill), mine=seen.mine,
        joined=max(seen.alarms - 1, 0),
    )  # fmt: skip


def _ringing() -> dict[int, set[str]]:
    found: dict[int, set[str]] = {}
    for pk, reason in Bell.objects.filter(state="ringing").order_by().values_list("incident_id", "reason"):
        found.setdefault(pk, set()).add(reason)
    return found


def _alarms() -> dict[int, int]:
    counted = Entry.objects.filter(kind="alarm").exclude(incident__state="closed").values_list("incident_id").order_by()
    return dict(counted.annotate(n=models.Count("pk")))


def seat(a_seat_id: int | None, b_seat_id: int | None, user_id: int | None) -> str:
    """A, B or "" for somebody who only looks."""
    if user_id is None:
        return ""
    return "A" if a_seat_id == user_id else "B" if b_seat_id == user_id else ""


def seat_of(incident: Incident, user_id: int | None) -> str:
    """Her seat in a case."""
    return seat(incident.a_seat_id, incident.b_seat_id, user_id)


def due_label(incident: Incident) -> str:
    """What happens when the running limit passes."""
    deadline = incident.now_in.deadline
    if deadline is None:
        return ""
    move = incident.now_in.move(deadline.move)
    return move.label if move else ""


def due_total(incident: Incident) -> int:
    """How long the running limit is in all, in seconds (for the ring)."""
    if incident.due_at is None or incident.state_since is None:
        return 0
    deadline = incident.now_in.deadline
    return int(incident.duration("state", deadline.within).total_seconds()) if deadline else 0
