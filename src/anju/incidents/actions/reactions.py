"""What happens by itself when a case moves: lines of the story, pages, messages, robot calls. One listener a rule."""

from __future__ import annotations

from datetime import timedelta

from anju.alarms import actions as alarms
from anju.calls.scripts.queries import robots_dial
from anju.elders import actions as elders
from anju.incidents import plan as plans
from anju.incidents.actions import ladder, messages, seats, silent
from anju.incidents.actions.lines import line_of
from anju.incidents.actions.story import held, ref, source_of, tell, write
from anju.incidents.facts import IncidentClosed, IncidentOpened, ManyFalseAlarms
from anju.incidents.flow import ATTEMPT, BELL, CALL_BACK, INCIDENT
from anju.incidents.models import CLASSES, Attempt, Bell, Incident
from anju.incidents.rules import FALSE_CLASSES
from anju.kernel import clock
from anju.kernel.facts import announce
from anju.kernel.flow.actor import Actor
from anju.kernel.flow.registry import when
from anju.kernel.models import Movement

FALSE_ALARMS_A_MONTH = 3
WAKES_CONTACTS = 5
TELLS_AT_ONCE = frozenset({"wander", "scene", "health"})
"""By message at once; the telephone follows with the ladder."""
FAMILY = frozenset({"guardian"})
"""Only they hear details of an outcome."""
CALLED = ("120", "110", "119")


def record(incident: Incident, done: Movement) -> None:
    """Every movement is a line; the open desks hear of it."""
    text = line_of(incident, done)
    if not text:
        tell(incident)
        return
    by = Actor(done.by, frozenset(), done.by_user, done.seat)
    source = "system" if done.by_user is None and not done.seat else source_of(incident, by)
    write(
        incident, source=source, kind=done.kind, text=text, by=done.by, data={"nth": done.nth, "move": done.move},
        at=done.at,
    )  # fmt: skip


def opened(incident: Incident, done: Movement) -> None:  # noqa: ARG001
    """The news for those above. A fence that was left, a scene at home and an odd measurement are told
    to the named contacts at once (XC 5.2).
    """
    announce(IncidentOpened(incident.pk, incident.priority, incident.place))
    if incident.kind in TELLS_AT_ONCE:
        messages.tell_contacts(incident, "contact_alarm", occasion="open")


def unanswered(incident: Incident, done: Movement) -> None:
    """Nobody took it: the robot calls the elder, the contacts get a message, the leads are paged."""
    waited = int((done.at - incident.opened_at).total_seconds())
    messages.page_leads(incident, "page_unanswered", occasion=str(done.nth), seconds=waited)
    messages.robot_to_elder(incident)
    messages.tell_contacts(incident, "contact_alarm", occasion="open")


def pressed_on(incident: Incident, done: Movement) -> None:
    """Still nobody: again, and after two minutes the robot asks the contacts who takes it."""
    waited = int((done.at - incident.opened_at).total_seconds())
    messages.page_leads(incident, "page_unanswered", occasion=str(done.nth), seconds=waited)
    messages.robot_to_elder(incident)
    since = done.at - (incident.state_since or done.at)
    if since >= plans.limit(incident.plan, "incident.overdue_contacts", timedelta(minutes=2)) and _worth_waking(
        incident
    ):
        ladder.start(incident, robot=True)


def _worth_waking(incident: Incident) -> bool:
    """A reminder (priority below 5) wakes no contact by robot, and a drill nobody."""
    return incident.priority >= WAKES_CONTACTS and not incident.drill


def contacting(incident: Incident, done: Movement) -> None:
    """All contacts get a message at the start, and the first one has the turn."""
    messages.tell_contacts(incident, "contact_alarm", occasion="open")
    ladder.start(incident)
    ladder.go_on(incident)
    if done.move in {"helper_late", "given_up"}:
        messages.page_leads(incident, "page_helper", occasion=str(done.nth))


def rescue_due(incident: Incident, done: Movement) -> None:
    """A person must dial now; the lead hears of it at once, not only after 30 s."""
    if done.move == "nobody_reached":
        messages.page_leads(incident, "page_rescue", occasion=str(done.nth))


def press_lead(incident: Incident, done: Movement) -> None:
    """The state lasts too long."""
    template = "page_rescue" if incident.state == "rescue_due" else "page_rescuing"
    messages.page_leads(incident, template, occasion=str(done.nth), state=incident.state_label)


def duty_overdue(incident: Incident, done: Movement) -> None:
    """A duty was not done in time: the lead is told. The robot goes on calling her where B could not."""
    if done.move == "keep_calling" and robots_dial():
        messages.robot_to_elder(incident)
    duty = incident.flow.state(incident.state).duty(done.move)
    label, seat = (duty.label, duty.seat) if duty else (done.move, "")
    messages.page_leads(incident, "page_duty", occasion=str(done.nth), duty=label, seat=seat)


def rescue_called(incident: Incident, done: Movement) -> None:
    """The contacts hear that help is on the way."""
    number = done.move.removeprefix("call_")
    messages.tell_contacts(incident, "contact_rescue", occasion=number, numbers=number)


def withdrawn(incident: Incident, done: Movement) -> None:
    """撤警: every number that was called, the committee and all contacts are told."""
    called = [n for n in CALLED if n in incident.scenes]
    for number in called:
        write(incident, source="system", kind="todo", text=f"打 {number} 撤警，说明老人已联系上", data={"call": number})
    messages.tell_contacts(incident, "contact_withdrawn", occasion=str(done.nth))
    messages.tell_committee(
        incident, "committee_withdrawn", occasion=str(done.nth), numbers="、".join(called) or "救援"
    )


def over(incident: Incident, done: Movement) -> None:
    """Nobody needs to come, ring or notice any more."""
    ladder.call_off(incident, incident.state_label)
    seats.silence_all(incident)
    told = messages.told_before(incident, "contact_alarm") or messages.told_before(incident, "contact_rescue")
    if done.move in {"to_hospital", "refused"}:
        outcome = incident.outcome or CLASSES.get(incident.outcome_class, "")
        messages.tell_contacts(incident, "contact_result", occasion=str(done.nth), only=FAMILY, outcome=outcome)
    elif done.move in {"safe", "safe_at_home", "false_alarm", "late_data"} and told:
        messages.tell_contacts(incident, "contact_safe", occasion=str(done.nth))


def closed(incident: Incident, done: Movement) -> None:
    """Archived: the alarms are closed, the elder's file gets its line, repeated false alarms ask for a visit."""
    label = CLASSES.get(incident.outcome_class, incident.outcome_class)
    alarms.close_case(case_kind="incident", case_id=incident.pk, by=done.by, reason=f"{incident.number} {label}")
    if incident.elder_id and not incident.drill:
        day = f"{clock.local(incident.opened_at):%Y-%m-%d %H:%M}"
        outcome = f"{label}。{incident.outcome}" if incident.outcome and incident.outcome != label else label
        text = f"{day} {incident.kind_label}（{incident.number}）：{outcome}"
        if incident.cause and incident.cause != label:
            text += f"。起因：{incident.cause}"
        elders.append_history(elder_id=incident.elder_id, text=text)
    announce(IncidentClosed(incident.pk, incident.outcome_class, incident.place))
    if incident.outcome_class in FALSE_CLASSES and incident.home_id:
        _count_false_alarms(incident)


def _count_false_alarms(incident: Incident) -> None:
    since = clock.now() - timedelta(days=30)
    if incident.home_id is None:
        return
    count = Incident.unscoped.filter(
        home_id=incident.home_id, outcome_class__in=FALSE_CLASSES, closed_at__gt=since, drill=False
    ).count()
    if count == FALSE_ALARMS_A_MONTH:
        announce(ManyFalseAlarms(incident.pk, incident.home_id, incident.elder_id, count))
        messages.page_leads(incident, "page_false_alarms", occasion=f"{clock.today():%Y-%m}", count=count)


def supervise(incident: Incident, done: Movement) -> None:
    """Nobody visited within three days."""
    messages.page_leads(incident, "page_follow_up", occasion=str(done.nth))


def attempt_moved(attempt: Attempt, done: Movement) -> None:
    """The next contact, or the end of the ladder."""
    if done.move in {"not_called", "no_answer", "no_result", "cannot", "wrong_number"}:
        ladder.after_attempt(attempt, done.move)
    elif done.move == "late":
        ladder.late(attempt)


def bell_ignored(bell: Bell, done: Movement) -> None:
    """Nobody noticed: the lead is paged."""
    incident = held(bell.incident_id)
    messages.page_leads(incident, "page_bell", occasion=f"{ref(incident)}b{bell.pk}:{done.nth}", text=bell.text)
    tell(incident)


def asked_for_b(incident: Incident, done: Movement) -> None:
    """Every seat rings until somebody sits down on B."""
    seats.ring_bell(incident, "ask_b", f"{done.by}请 B 席加入")


def connect() -> None:
    """Register every listener of this module; called by its AppConfig."""
    when(INCIDENT, any_=True, do=record)
    when(INCIDENT, move="begin", do=opened)
    when(INCIDENT, entering="overdue", do=unanswered)
    when(INCIDENT, move="press_on", do=pressed_on)
    when(INCIDENT, entering="contacting", do=contacting)
    when(INCIDENT, entering="rescue_due", do=rescue_due)
    when(INCIDENT, move="press_lead", do=press_lead)
    when(INCIDENT, move="supervise", do=supervise)
    when(INCIDENT, move="ask_b", do=asked_for_b)
    when(INCIDENT, duty_overdue="*", do=duty_overdue)
    when(INCIDENT, move="silent_line", do=silent.silent_line)
    when(INCIDENT, any_=True, do=silent.left_verifying)
    when(CALL_BACK, move="dial", do=silent.place)
    when(CALL_BACK, entering="by_hand", do=silent.by_hand)
    when(CALL_BACK, entering="failed", do=silent.after)
    when(CALL_BACK, entering="answered", do=silent.after)
    for number in CALLED:
        when(INCIDENT, move=f"call_{number}", do=rescue_called)
    when(INCIDENT, move="withdraw", do=withdrawn)
    when(INCIDENT, entering="follow_up", do=over)
    when(INCIDENT, entering="closed", do=over)
    when(INCIDENT, entering="closed", do=closed)
    when(ATTEMPT, any_=True, do=attempt_moved)
    when(BELL, move="louder", do=bell_ignored)
