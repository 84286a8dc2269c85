"""Two seats on one case: A talks to the helpers, B stays with the elder. Either may be alone and then sees both."""

from __future__ import annotations

from django.db import transaction
from django.db.models import Q

from anju.accounts import queries as accounts
from anju.accounts.roles import Role
from anju.calls import actions as calls
from anju.calls import queries as call_queries
from anju.incidents.actions.story import locked, source_of, tell, write
from anju.incidents.models import Bell, Incident
from anju.incidents.rules import OPEN_BEFORE_FOLLOW_UP
from anju.kernel import clock
from anju.kernel.changes import changed
from anju.kernel.flow import engine
from anju.kernel.flow.engine import THE_CLOCK, Actor, NotAllowed
from anju.kernel.scope import EVERYWHERE, seen_by

SEATED = frozenset({Role.AGENT.value, Role.LEAD.value})


def _person(by: Actor) -> int:
    if by.user_id is None or not by.roles & SEATED:
        raise NotAllowed("只有坐席和值班长能入席", code="not_you")
    return by.user_id


@transaction.atomic
def take_seat(*, incident_id: int, seat: str, by: Actor) -> None:
    """Sit down on A or B if it is free. Somebody else there: NotAllowed with the name."""
    user = _person(by)
    incident = _open(incident_id)
    if seat not in {"A", "B"}:
        raise NotAllowed("席位只有 A、B", code="needs")
    field = "a_seat_id" if seat == "A" else "b_seat_id"
    held = getattr(incident, field)
    if held == user:
        return
    if held is not None:
        raise NotAllowed(f"{accounts.user_name(held)}已在 {seat} 席，需要接管请找值班长", code="not_here")
    _sit(incident, field, user)
    write(incident, source=seat, kind="seat", text=f"{by.name}接入 {seat} 席", by=by.name)
    if seat == "B":
        _silence(incident, "ask_b", by)
        _into_the_call(incident, by)
    _seats_changed(incident)


def _into_the_call(incident: Incident, by: Actor) -> None:
    """B's softphone rings and joins the call that A has with the elder; without an engine B listens beside her."""
    live = call_queries.my_call(incident.a_seat_id) if incident.a_seat_id is not None else None
    if live is None or live.ref != f"incident:{incident.pk}" or live.state != "talking" or by.user_id is None:
        return
    if not call_queries.can_dial(by.user_id):
        return
    try:
        with transaction.atomic():
            calls.join(by=by, call_id=live.call_id, seat="B")
    except NotAllowed as refused:
        write(incident, source="system", kind="gap", text=f"{by.name}没有接进通话：{refused}")


@transaction.atomic
def leave_seat(*, incident_id: int, by: Actor) -> None:
    """Get up; the other seat gets the whole. Alone in an open case: hand it over instead."""
    user = _person(by)
    incident = locked(incident_id)
    seat = _seat_of(incident, user)
    other = incident.b_seat_id if seat == "A" else incident.a_seat_id
    if other is None and incident.state in OPEN_BEFORE_FOLLOW_UP:
        raise NotAllowed("这个事件只有您一人，先移交他席再离开", code="needs")
    _get_up(incident, seat)
    write(incident, source=seat, kind="seat", text=f"{by.name}离开 {seat} 席", by=by.name)
    if incident.state in OPEN_BEFORE_FOLLOW_UP:
        ring_bell(incident, "dropped", f"{by.name}离开 {seat} 席，全部任务由您负责")
    _seats_changed(incident)


def seat_dropped(*, user_id: int, why: str = "连接中断") -> int:
    """A desk is gone (crash, network): in every open case the other seat gets the whole, or all are rung."""
    count = 0
    with seen_by(EVERYWHERE), transaction.atomic():
        name = accounts.user_name(user_id)
        mine = Incident.objects.filter(Q(a_seat=user_id) | Q(b_seat=user_id), state__in=OPEN_BEFORE_FOLLOW_UP)
        for pk in sorted(mine.values_list("pk", flat=True)):  # in one order: two desks may drop out of the same cases
            incident = locked(pk)
            if user_id not in {incident.a_seat_id, incident.b_seat_id} or incident.state not in OPEN_BEFORE_FOLLOW_UP:
                continue  # somebody took it over, or it was ended, while we waited for the case
            seat = "A" if incident.a_seat_id == user_id else "B"
            _get_up(incident, seat)
            write(incident, source="system", kind="seat", text=f"{seat} 席 {name} {why}，任务转给在席的人")
            ring_bell(incident, "dropped", f"{seat} 席 {name} {why}，请接手")
            _seats_changed(incident)
            count += 1
    return count


@transaction.atomic
def take_over(*, incident_id: int, seat: str, by: Actor, reason: str) -> None:
    """A lead sits down where somebody sits."""
    user = _person(by)
    if Role.LEAD not in by.roles:
        raise NotAllowed("只有值班长可以接管，请呼值班长", code="not_you")
    if not reason.strip():
        raise NotAllowed("写明为什么接管", code="reason")
    incident = _open(incident_id)
    field = "a_seat_id" if seat == "A" else "b_seat_id"
    before = accounts.user_name(getattr(incident, field))
    _sit(incident, field, user)
    text = f"值班长{by.name}接管 {seat} 席" + (f"（原 {before}）" if before else "") + f"：{reason}"
    write(incident, source="lead", kind="seat", text=text, by=by.name)
    _silence(incident, "dropped", by)
    _seats_changed(incident)


@transaction.atomic
def hand_over(*, incident_id: int, to_user_id: int, by: Actor, note: str = "") -> None:
    """Give my seat to a named colleague, who is rung until it is noticed."""
    incident = locked(incident_id)
    to = accounts.user(to_user_id)
    if to is None or not {r.value for r in accounts.roles_of(to)} & SEATED:
        raise NotAllowed("只能移交给坐席或值班长", code="needs")
    seat = _seat_of(incident, by.user_id) if by.user_id in {incident.a_seat_id, incident.b_seat_id} else ""
    if not seat:
        if Role.LEAD not in by.roles:
            raise NotAllowed("您不在这个事件的席位上，请值班长移交", code="not_you")
        seat = "A"
    engine.make(incident, "hand_over", by, note=note, data={"seat": seat, "to": to.name})
    incident.refresh_from_db()
    _sit(incident, "a_seat_id" if seat == "A" else "b_seat_id", to_user_id)
    ring_bell(incident, "handed", f"{by.name}把 {seat} 席移交给 {to.name}")
    _seats_changed(incident)


@transaction.atomic
def ask_b(*, incident_id: int, by: Actor) -> None:
    """One key: somebody come to seat B. Every seat rings until one sits down."""
    incident = locked(incident_id)
    if incident.b_seat_id is not None:
        raise NotAllowed(f"{accounts.user_name(incident.b_seat_id)}已在 B 席", code="not_here")
    engine.make(incident, "ask_b", by)


@transaction.atomic
def hear_bell(*, bell_id: int, by: Actor) -> None:
    """I noticed it."""
    bell = Bell.objects.select_for_update(of=("self",)).get(pk=bell_id)
    engine.make(bell, "heard", by)
    bell.heard_by = by.name
    bell.save(update_fields=["heard_by"])
    tell(bell.incident)


def ring_bell(incident: Incident, reason: str, text: str) -> Bell:
    """Make somebody notice within seconds; the lead is paged when nobody does."""
    bell = Bell(incident=incident, reason=reason, text=text, at=clock.now())
    engine.begin(bell, THE_CLOCK)
    tell(incident)
    return bell


def silence_all(incident: Incident) -> None:
    """The case needs no bell any more."""
    for bell in incident.bells.filter(state="ringing"):
        engine.make(bell, "lapsed", THE_CLOCK)


def _silence(incident: Incident, reason: str, by: Actor) -> None:
    for bell in incident.bells.filter(state="ringing", reason=reason):
        engine.make(bell, "heard", by)
        Bell.objects.filter(pk=bell.pk).update(heard_by=by.name)


def _open(incident_id: int) -> Incident:
    incident = locked(incident_id)
    if incident.state == "closed":
        raise NotAllowed("此事件已归档", code="not_here")
    return incident


def _seat_of(incident: Incident, user: int | None) -> str:
    if user is not None and user == incident.a_seat_id:
        return "A"
    if user is not None and user == incident.b_seat_id:
        return "B"
    raise NotAllowed("您不在这个事件的席位上", code="not_you")


def _sit(incident: Incident, field: str, user: int) -> None:
    setattr(incident, field, user)
    fields = [field]
    other = "b_seat_id" if field == "a_seat_id" else "a_seat_id"
    if getattr(incident, other) == user:  # one person sits once; alone she sees both columns
        setattr(incident, other, None)
        fields.append(other)
    incident.save(update_fields=[f.removesuffix("_id") for f in fields])


def _get_up(incident: Incident, seat: str) -> None:
    """A always is the one who has the case: when A goes, B moves up."""
    if seat == "A":
        incident.a_seat_id, incident.b_seat_id = incident.b_seat_id, None
    else:
        incident.b_seat_id = None
    incident.save(update_fields=["a_seat", "b_seat"])


def _seats_changed(incident: Incident) -> None:
    changed("seats", incident.pk, incident.place)


def who(incident: Incident, by: Actor) -> str:
    """The seat somebody speaks from."""
    return source_of(incident, by)
