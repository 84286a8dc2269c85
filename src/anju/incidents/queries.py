"""What may be asked about incidents. The scope of the asker applies; the answers are `views` dataclasses."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime

from django.db.models import Aggregate, Count, DurationField, ExpressionWrapper, F, Max, Min, Q

from anju.accounts import queries as accounts
from anju.accounts.roles import CENTRE
from anju.calls import queries as call_queries
from anju.incidents import fields, rules, waiting
from anju.incidents import plan as plans
from anju.incidents import sheet as sheets
from anju.incidents.actions.ladder import WORDS
from anju.incidents.calling import (
    BackView,
    CallLine,
    Proposal,
    Way,
    call_back_of,
    calls_of,
    case_of_call,
    proposals,
    way_of_calling,
)
from anju.incidents.models import CLASSES, Attempt, Bell, Incident
from anju.incidents.views import (
    BellView,
    CaseView,
    DutyView,
    EntryView,
    IncidentView,
    MoveView,
    QueueRow,
    Replay,
    RungView,
    Shift,
    StepView,
    Totals,
)
from anju.incidents.waiting import due_label, due_total, seat_of
from anju.kernel import clock
from anju.kernel.flow import queries as flow
from anju.kernel.flow.table import Move
from anju.knowledge import queries as knowledge
from anju.notices import queries as notices
from anju.places import queries as places

__all__ = [
    "OPEN",
    "OUTCOMES",
    "BackView",
    "CallLine",
    "NotFound",
    "Proposal",
    "Way",
    "busy_users",
    "call_back_of",
    "calls_of",
    "case",
    "case_of_call",
    "head",
    "ladder",
    "moves",
    "names_of_seats",
    "open_of_home",
    "page",
    "proposals",
    "queue",
    "replay",
    "seat_of",
    "timeline",
    "way_of_calling",
]

OPEN = rules.OPEN_BEFORE_FOLLOW_UP
OUTCOMES = CLASSES
"""Outcome classes with their labels."""
NotFound = Incident.DoesNotExist
"""There is no such case in the asker's scope."""


def queue(roles: Collection[str], user_id: int | None = None) -> list[QueueRow]:
    """Open cases: the highest priority first, then the nearest deadline; those waiting for a follow-up call at the end."""
    return waiting.rows(full_name=_sees_names(roles), user_id=user_id)


def case(incident_id: int, roles: Collection[str], user_id: int | None = None) -> CaseView:
    """One case with everything the desk shows; Incident.DoesNotExist outside the scope."""
    incident = Incident.objects.select_related("a_seat", "b_seat", "previous").get(pk=incident_id)
    seat = seat_of(incident, user_id)
    alone = not (incident.a_seat_id and incident.b_seat_id)
    plan, today = incident.plan, clock.today()
    authority = plan.get("authority") or {}
    full = _sees_names(roles)
    return CaseView(
        incident=_head(incident, full_name=full),
        plan=plan if full else {},
        moves=_moves(incident, roles),
        duties=_duties(incident, seat if not alone else ""),
        ladder=ladder(incident),
        timeline=timeline(incident_id),
        bells=tuple(_bell(b) for b in incident.bells.filter(state="ringing")),
        sheet=sheets.sheet(incident, condition=_condition(incident), coming=sheets.coming_line(incident)),
        cards=tuple(c.code for c in knowledge.cards_for(incident.kind, incident.scenes)),
        steps=tuple(StepView(label, state) for label, state in rules.steps(incident.state)),
        due_at=incident.due_at,
        due_label=due_label(incident),
        due_total=due_total(incident),
        seat=seat,
        both_columns=alone,
        authority_until=str(authority.get("until") or ""),
        authority_gap=plans.authority_gap(plan, 120, today),
    )


def head(incident_id: int, roles: Collection[str]) -> IncidentView:
    """The head of one case."""
    incident = Incident.objects.select_related("a_seat", "b_seat", "previous").get(pk=incident_id)
    return _head(incident, full_name=_sees_names(roles))


def page(
    roles: Collection[str] = (), *, limit: int = 50, before_id: int | None = None, state: str = "",
    open_only: bool = False, home_id: int | None = None, elder_id: int | None = None, priority: int | None = None,
    since: datetime | None = None, text: str = "", place: str = "",
) -> list[IncidentView]:  # fmt: skip
    """Cases in the asker's scope, the newest first; `before_id` is the last id of the page before.

    `text` finds a case number, `place` is a prefix of a place's code. Names and addresses are shortened unless `roles` work in the centre.
    """
    rows = Incident.objects.select_related("a_seat", "b_seat", "previous").order_by("-pk")
    exact = {
        "pk__lt": before_id,
        "home_id": home_id,
        "elder_id": elder_id,
        "priority": priority,
        "opened_at__gte": since,
    }
    rows = rows.filter(**{name: value for name, value in exact.items() if value is not None})
    if open_only or state == "open":
        rows = rows.filter(state__in=OPEN)
    elif state:
        rows = rows.filter(state=state)
    if text:
        rows = rows.filter(number__icontains=text.strip())
    if place:
        rows = rows.filter(place__startswith=place)
    full = _sees_names(roles)
    return [_head(i, full_name=full) for i in rows[:limit]]


def totals(since: datetime, place: str = "") -> Totals:
    """Counts of the cases opened since then at a place (a prefix of its code), drills included but for the waiting time."""
    rows = Incident.objects.filter(opened_at__gte=since, place__startswith=place)
    waited = ExpressionWrapper(F("accepted_at") - F("opened_at"), DurationField())
    counted = rows.aggregate(
        cases=Count("pk"), open=Count("pk", filter=Q(closed_at=None)),
        false=Count("pk", filter=Q(outcome_class__in=rules.FALSE_CLASSES)),
        accept=Median(waited, filter=Q(accepted_at__isnull=False, drill=False)),
    )  # fmt: skip
    return Totals(**counted, by_place=dict(rows.order_by().values_list("place").annotate(n=Count("pk"))))


class Median(Aggregate):
    """The middle of many values, by the database."""

    function = "PERCENTILE_DISC"
    template = "%(function)s(0.5) WITHIN GROUP (ORDER BY %(expressions)s)"
    allow_distinct = False


def shift_of(user_id: int, since: datetime) -> Shift:
    """What somebody did on either seat since then, in one question."""
    waited = F("accepted_at") - F("first_alarm_at")
    mine = Incident.objects.filter(Q(a_seat=user_id) | Q(b_seat=user_id), opened_at__gte=since)
    found = mine.aggregate(
        cases=Count("pk"), open=Count("pk", filter=Q(closed_at=None)), fastest=Min(waited), slowest=Max(waited)
    )
    return Shift(**found)


def busy_users() -> set[int]:
    """Users who sit on an open case: their sessions never idle out."""
    rows = Incident.unscoped.filter(state__in=OPEN).values_list("a_seat_id", "b_seat_id")
    return {pk for pair in rows for pk in pair} - {None}


def timeline(incident_id: int, *, after_id: int = 0) -> tuple[EntryView, ...]:
    """The lines of the story, the newest first."""
    rows = Incident.objects.get(pk=incident_id).entries.order_by("-at", "-id")
    return tuple(
        EntryView(e.pk, e.at, e.source, e.kind, e.text, e.by, e.data)
        for e in (rows.filter(pk__gt=after_id) if after_id else rows)
    )


def ladder(incident: Incident) -> tuple[RungView, ...]:
    """The frozen contacts with what came of each."""
    tried: dict[int, list[Attempt]] = {}
    for attempt in incident.attempts.order_by("turn_at", "id"):
        tried.setdefault(attempt.rung, []).append(attempt)
    return tuple(_rung(r, tried.get(r.index, [])) for r in plans.rungs(incident.plan))


def moves(incident_id: int, roles: Collection[str]) -> tuple[MoveView, ...]:
    """The buttons of a case for somebody with these roles."""
    return _moves(Incident.objects.get(pk=incident_id), roles)


def replay(incident_id: int, roles: Collection[str]) -> Replay:
    """A case as it happened: every movement, line, attempt, call and message in the order of time."""
    incident = Incident.objects.select_related("a_seat", "b_seat", "previous").get(pk=incident_id)
    ref = f"incident:{incident.pk}"
    items = [
        {"at": m.at, "what": "movement", "nth": m.nth, "kind": m.kind, "move": m.move, "was": m.was, "now": m.now,
         "by": m.by, "note": m.note}
        for m in flow.story_of(incident)
    ]  # fmt: skip
    items += [
        {"at": e.at, "what": "entry", "source": e.source, "kind": e.kind, "text": e.text, "by": e.by}
        for e in incident.entries.all()
    ]
    for attempt in incident.attempts.all():
        items += [
            {
                "at": m.at,
                "what": "attempt",
                "rung": attempt.rung,
                "move": m.move,
                "now": m.now,
                "by": m.by,
                "proof": attempt.proof,
            }
            for m in flow.story_of(attempt)
        ]
    items += [
        {
            "at": c.at,
            "what": "call",
            "purpose": c.purpose,
            "whom": c.whom,
            "result": c.result,
            "by": c.by,
            "keys": c.keys,
        }
        for c in call_queries.of(ref)
    ]
    items += [
        {
            "at": n.at,
            "what": "notice",
            "channel": n.channel_label,
            "template": n.template,
            "whom": n.whom,
            "state": n.state,
        }
        for n in notices.of(ref)
    ]
    return Replay(_head(incident, full_name=_sees_names(roles)), tuple(sorted(items, key=lambda i: i["at"])))


def open_of_home(home_id: int) -> int | None:
    """The id of the home's open case, if there is one."""
    return Incident.objects.filter(home_id=home_id, state__in=OPEN, drill=False).values_list("pk", flat=True).first()


def is_open(incident_id: int) -> bool:
    """Whether this case still runs."""
    return Incident.objects.filter(pk=incident_id, state__in=OPEN).exists()


def elder_of(incident_id: int) -> int | None:
    """Whose case it is; None for a stranger's, and for one that is not there."""
    return Incident.objects.filter(pk=incident_id).values_list("elder_id", flat=True).first()


def _sees_names(roles: Collection[str]) -> bool:
    return bool({str(r) for r in roles} & {r.value for r in CENTRE})


def _head(i: Incident, *, full_name: bool) -> IncidentView:
    name = sheets.call_name(i)
    return IncidentView(
        id=i.pk, number=i.number, place=i.place, place_name=places.path_of(i.place), home_id=i.home_id,
        elder_id=i.elder_id, priority=i.priority, kind=i.kind, kind_label=i.kind_label, state=i.state,
        state_label=i.state_label, state_since=i.state_since, due_at=i.due_at, due_label=due_label(i), drill=i.drill,
        opened_at=i.opened_at, first_alarm_at=i.first_alarm_at,
        accepted_at=i.accepted_at, closed_at=i.closed_at, a_seat_id=i.a_seat_id, b_seat_id=i.b_seat_id,
        a_seat=_name(i.a_seat), b_seat=_name(i.b_seat),
        elder_name=name if full_name or not i.elder_id else rules.surname_only(name),
        sex=str(i.plan.get("elder", {}).get("sex") or ""), age=sheets.age_of(i.plan, clock.today()),
        where=sheets.where(i) if full_name else places.path_of(i.place), unknown=i.home_id is None,
        scenes=tuple(i.scenes), helper_until=i.helper_until, outcome=i.outcome if full_name else "",
        outcome_class=i.outcome_class, outcome_label=CLASSES.get(i.outcome_class, ""), cause=i.cause,
        previous_id=i.previous_id, previous_number=i.previous.number if i.previous else "",
        policy_version=str(i.plan.get("policy", {}).get("version") or ""),
    )  # fmt: skip


def _name(user: object) -> str:
    return str(getattr(user, "name", "") or "") if user is not None else ""


def _moves(incident: Incident, roles: Collection[str]) -> tuple[MoveView, ...]:
    wanted = {str(r) for r in roles}
    return tuple(_move(incident, m) for m in flow.moves_for(incident, wanted))


def _move(incident: Incident, move: Move) -> MoveView:
    why = fields.ALWAYS_A_NOTE.get(move.name, "")
    if not why and move.asks:
        number = int(move.asks[0].rpartition("_")[2])
        why = plans.authority_gap(incident.plan, number, clock.today())
    return MoveView(
        name=move.name, label=move.label, emphasis=move.emphasis, needs_reason=bool(why), reason_why=why,
        fields=fields.FIELDS.get(move.name, ()), to_label="" if move.stays else incident.flow.state(move.to).label,
    )  # fmt: skip


def _duties(incident: Incident, seat: str) -> tuple[DutyView, ...]:
    made = []
    for d in flow.duties_of(incident):
        every = d.duty.every
        seconds = int(incident.duration(d.duty.name, every.within).total_seconds()) if every else None
        made.append(
            DutyView(
                d.duty.name,
                d.duty.label,
                d.duty.seat,
                seconds,
                d.due_at,
                d.done_at,
                d.done_by,
                d.times,
                d.overdue,
                not seat or d.duty.seat in {"", seat},
            )
        )
    return tuple(made)


def _rung(rung: plans.Rung, tried: list[Attempt]) -> RungView:
    live = [a for a in tried if a.state in {"turn", "ringing", "talking", "unsaid", "coming"}]
    last = live[-1] if live else tried[-1] if tried else None
    return RungView(
        index=rung.index, kind_label=rung.kind_label, name=rung.name, phone_masked=rules.mask_phone(rung.phone),
        relation=rung.relation, available=rung.available, has_key=rung.has_key, eta_minutes=rung.eta_minutes,
        state=last.state if last else "idle", result=last.result if last else "",
        result_label=WORDS.get(last.result, "") if last else "",
        attempts=sum(a.called_at is not None for a in tried), attempt_id=last.pk if last else None,
        called_at=last.called_at if last else None, eta_at=last.eta_at if last else None,
        next_due_at=last.due_at if last and live else None,
    )  # fmt: skip


def _bell(bell: Bell) -> BellView:
    return BellView(bell.pk, bell.reason, bell.text, bell.at, bell.due_at)


def _condition(incident: Incident) -> str:
    """The latest words about how she is: a finding or an answer to "ask_condition"."""
    for entry in incident.entries.filter(kind__in=["tick", "move", "note"]).order_by("-at", "-id")[:30]:
        if entry.data.get("move") in {"ask_condition", "ask_state", "arrived", "needs_help"} and "：" in entry.text:
            return f"{clock.local(entry.at):%H:%M} {entry.text.partition('：')[2]}"
    return ""


def names_of_seats(incident: Incident) -> tuple[str, str]:
    """Names on A and B."""
    return accounts.user_name(incident.a_seat_id), accounts.user_name(incident.b_seat_id)
