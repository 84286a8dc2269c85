"""Who reacts to what: the one place that joins modules which may not know each other; what the telephone reports is in
`wiring_calls`.

`connect()` is called once by `ConfigConfig.ready()`. A reaction is `now` (same transaction) or a job. A job stands in the
queue under its module's name: one that moves to another module leaves those behind that wait at an upgrade.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from anju.config import wiring_calls
from anju.kernel import hooks
from anju.kernel.facts import reacts

if TYPE_CHECKING:
    from anju.calls.planned.facts import PlannedCallOver
    from anju.incidents.facts import IncidentClosed


def connect() -> None:
    """Register every reaction."""
    emergencies()
    repairs()
    silences()
    roster()
    wiring_calls.connect()
    planned_calls()
    pages()
    quality()
    rights()
    relatives()


def emergencies() -> None:
    """An alarm that a person must take opens or joins a case, in the transaction that raised it."""
    from anju.alarms.facts import AlarmRaised, AlarmReset
    from anju.incidents import actions as incidents
    from anju.incidents import queries

    def take(fact: AlarmRaised) -> None:
        if not fact.technical:
            incidents.open_or_join(alarm_id=fact.alarm_id)

    reacts(AlarmRaised, take)
    reacts(AlarmReset, lambda f: incidents.device_reset(alarm_id=f.alarm_id))
    hooks.provide("busy_users", queries.busy_users)


def repairs() -> None:
    """A technical alarm is a repair, never an emergency (DEV-05); a device that recovers ends what nobody set out for."""
    from anju.alarms.facts import AlarmRaised, AlarmRecovered
    from anju.fieldwork import actions as fieldwork
    from anju.fieldwork.flow import REPAIR
    from anju.kernel.flow.registry import when

    def mend(fact: AlarmRaised) -> None:
        if fact.technical:
            fieldwork.raise_repair(alarm_id=fact.alarm_id)

    reacts(AlarmRaised, mend)
    reacts(AlarmRecovered, lambda f: fieldwork.recovered(alarm_id=f.alarm_id, reason=f.reason))
    when(REPAIR, move="press", do=fieldwork.page_late)


def silences() -> None:
    """The soft deadline of a silence asks her by robot; her key is a sign of life (2 = help is an alarm, `telephone`); what an
    agent found teaches the rhythm; consents and devices decide who is watched; late data may end a case.
    An outage that is over says in its case what is left open.
    """
    from anju.alarms import enrolling, states
    from anju.alarms.facts import ElderAsked, RepeatAsked, SilenceBroken, StormOver
    from anju.calls import actions as calls
    from anju.calls.facts import KeyPressed
    from anju.devices.facts import DevicePlaced
    from anju.elders import queries as elders
    from anju.elders.facts import CareChanged
    from anju.incidents import actions as incidents
    from anju.incidents.facts import IncidentClosed
    from anju.kernel import clock

    quiet = "这里是安居中心，您家里有一阵子没有动静了。没事请按 1，要人帮忙请按 2。"

    def ask(fact: ElderAsked) -> None:
        elder = elders.elder(fact.elder_id)
        if elder is not None and elder.phone:
            calls.robot_call(
                number=elder.phone, whom=elder.name, purpose="elder_check", ref=f"home:{fact.home_id}", place=fact.place,
                script="elder_check", says=fact.says or quiet, says_after_key="好的，谢谢您。",
            )  # fmt: skip

    def ask_again(fact: RepeatAsked) -> None:
        elder = elders.elder(fact.elder_id)
        if elder is not None and elder.phone:
            calls.robot_call(
                number=elder.phone, whom=elder.name, purpose="elder_check", ref=f"home:{fact.home_id}", place=fact.place,
                script="elder_check", says="这里是安居中心，刚才的健康测量不太正常，请坐下休息五分钟再量一次。知道了请按 1，不舒服要人帮忙请按 2。",
                says_after_key="好的，谢谢您。",
            )  # fmt: skip

    def pressed(fact: KeyPressed) -> None:
        kind, _, home_id = fact.ref.partition(":")
        if kind == "home" and fact.digit == "1":
            states.alive(home_id=int(home_id), at=clock.now(), what="电话按键应答")

    reacts(ElderAsked, ask)
    reacts(RepeatAsked, ask_again)
    reacts(KeyPressed, pressed)
    reacts(IncidentClosed, learn_from, "job")  # by and by: who closes a case must not wait for the sweep of silences
    reacts(SilenceBroken, incidents.silence_broken, "job")
    reacts(StormOver, incidents.storm_over, "job")
    reacts(CareChanged, lambda f: enrolling.mark(home_id=f.home_id))
    reacts(DevicePlaced, lambda f: enrolling.mark(home_id=f.home_id))


def learn_from(fact: IncidentClosed) -> None:
    """She was well: what an agent found teaches the rhythm of her home."""
    from anju.alarms import states
    from anju.incidents.rules import FALSE_CLASSES

    well = (frozenset(FALSE_CLASSES) | {"safe", "safe_at_home"}) - {"device_fault", "late_data", "test"}
    if fact.outcome_class in well:
        states.learn_from_case(case_kind="incident", case_id=fact.incident_id)


def roster() -> None:
    """The roster says which leads are paged; its own troubles go to them as well."""
    from anju.calls import queries as seats
    from anju.config import health
    from anju.staff import queries as staff
    from anju.staff.facts import BookingNear, CoverageGap, HandOverLate

    hooks.provide("leads_on_duty", lambda: staff.leads_now)
    hooks.provide("skills", seats.skills)
    hooks.provide("seats_here", seats.here)
    reacts(CoverageGap, lambda f: health.page_leads(f.text, occasion=f.occasion))
    reacts(HandOverLate, lambda f: health.page_leads(f.text, occasion=f"hand_over:{f.hand_over_id}:{f.text[-6:]}"))
    reacts(BookingNear, lambda f: health.page_leads(f.text, occasion=f"booking:{f.booking_id}:{f.missed}"))


def planned_calls() -> None:
    """Planned calls let emergencies and absences go first; a repair is followed up by robot before it is archived (FLD-06)."""
    from datetime import timedelta

    from anju.alarms import homes
    from anju.calls import facts
    from anju.calls.campaigns import actions as campaigns
    from anju.calls.planned import actions as planned
    from anju.calls.planned.facts import PlannedCallOver
    from anju.calls.planned.flow import PLANNED
    from anju.config import health
    from anju.elders import queries as elders
    from anju.fieldwork.flow import REPAIR
    from anju.incidents import queries as incidents
    from anju.incidents.facts import IncidentClosed
    from anju.kernel import clock
    from anju.kernel.flow.registry import when

    def ask(order: Any, _: object) -> None:
        elder = elders.main_elder(order.home_id) if order.home_id else None
        if elder is not None:
            planned.ask(
                kind="follow_up",
                ref=f"repair:{order.pk}",
                elder_id=elder.pk,
                at=clock.now() + timedelta(minutes=30),
                says="本次维修",
            )

    def left(order: Any, done: Any) -> None:
        if done.was == "follow_up" and done.now != "follow_up":
            planned.call_off(ref=f"repair:{order.pk}", why="工单已回访")

    def pressed(call: Any, done: Any) -> None:
        health.page_leads("有计划外呼等坐席联系，已超时", occasion=f"planned:{call.pk}:{done.nth}")

    reacts(facts.KeyPressed, lambda f: planned.key_pressed(call_id=f.call_id, digit=f.digit))
    reacts(facts.CallEnded, lambda f: planned.call_ended(call_id=f.call_id))
    reacts(PlannedCallOver, followed_up, "job")
    reacts(PlannedCallOver, lambda f: campaigns.over(planned_id=f.planned_id, ref=f.ref))
    reacts(IncidentClosed, ask_after, "job")
    when(REPAIR, entering="follow_up", do=ask)
    when(REPAIR, any_=True, do=left)
    when(PLANNED, move="press", do=pressed)
    hooks.provide("home_away", lambda: homes.away)
    hooks.provide(
        "home_has_case", lambda: lambda home_id: home_id is not None and incidents.open_of_home(home_id) is not None
    )


def ask_after(fact: IncidentClosed) -> None:
    """Who was helped is asked next day by robot how she found it; who is in hospital or away is left in peace by the call itself."""
    from datetime import datetime, time, timedelta

    from anju.calls.planned import actions as planned
    from anju.incidents import queries as incidents
    from anju.kernel import clock

    if fact.outcome_class not in {"safe", "rescued"}:
        return
    elder_id = incidents.elder_of(fact.incident_id)
    if elder_id is not None:
        at = datetime.combine(clock.today() + timedelta(days=1), time(10), clock.SHANGHAI)
        planned.ask(kind="follow_up", ref=f"closed:{fact.incident_id}", elder_id=elder_id, at=at, says="这次求助的处置")


def followed_up(fact: PlannedCallOver) -> None:
    """The mark of a follow-up call moves its repair order on."""
    from anju.fieldwork import actions as fieldwork

    kind, _, number = fact.ref.partition(":")
    if kind == "repair" and fact.score:
        fieldwork.followed_up(order_id=int(number), score=fact.score, robot=fact.result == "scored")


def pages() -> None:
    """Troubles of the platform page the leads."""
    from anju.alarms import actions as alarms
    from anju.alarms.facts import SourceSilent, TroubleRaised
    from anju.calls.facts import NewsUntold
    from anju.config import health
    from anju.ops.status import processes

    def untold(fact: NewsUntold) -> None:
        subject = f"电话 {fact.fact}"
        if fact.over:
            alarms.trouble_over(kind="poison", subject=subject)
        else:
            alarms.trouble(kind="poison", subject=subject, text=fact.text)

    reacts(TroubleRaised, lambda f: health.page_leads(f.text, occasion=f"trouble:{f.trouble_id}"))
    reacts(SourceSilent, lambda f: health.page_leads(f.text, occasion=f"trouble:{f.trouble_id}"))
    reacts(NewsUntold, untold)
    hooks.provide("health", health.status)
    hooks.provide("processes", processes)


def relatives() -> None:
    """A family looks only while its elder agrees: whoever makes a scope asks the consents (ADR 0013)."""
    from anju.elders import families

    hooks.provide("families_let_in", lambda: families.let_in)


def rights() -> None:
    """A person's data are deleted in one transaction everywhere, or, where something is still open, nowhere (SYS-04)."""
    from anju.alarms import actions as alarms
    from anju.calls import actions as calls
    from anju.calls.campaigns import actions as campaigns
    from anju.calls.planned import actions as planned
    from anju.devices import queries as devices
    from anju.elders.checks import NotAccepted
    from anju.elders.facts import PersonErased
    from anju.fieldwork import actions as orders
    from anju.fieldwork import queries as fieldwork
    from anju.incidents import actions as incidents
    from anju.kernel.flow.actor import NotAllowed
    from anju.kernel.scope import EVERYWHERE, seen_by
    from anju.knowledge.sop import actions as sop
    from anju.staff import actions as staff
    from anju.supervision import actions as supervision
    from anju.supervision.contacts import keeping as contacts

    def nothing_left(fact: PersonErased) -> None:
        if not fact.home_empty:
            return
        with seen_by(EVERYWHERE):
            if devices.of_home(fact.home_id):
                raise NotAccepted("家里还装着设备，拆回以后才能删除个人信息")
            if still := fieldwork.page(home_id=fact.home_id, open_only=True):
                raise NotAccepted(f"工单 {still[0].number} 还没有归档，归档以后才能删除个人信息")

    def of_the_staff(fact: PersonErased) -> None:
        try:
            staff.forget(elder_id=fact.elder_id, said=fact.said)
        except NotAllowed as refusal:
            raise NotAccepted(str(refusal)) from None

    reacts(PersonErased, nothing_left)
    reacts(PersonErased, lambda f: incidents.forget(elder_id=f.elder_id))
    reacts(PersonErased, lambda f: orders.forget(home_id=f.home_id))
    reacts(PersonErased, of_the_staff)
    reacts(
        PersonErased,
        lambda f: supervision.forget(elder_id=f.elder_id, home_id=f.home_id, home_empty=f.home_empty),
    )
    reacts(
        PersonErased,
        lambda f: alarms.forget(elder_id=f.elder_id, home_id=f.home_id, home_empty=f.home_empty),
    )
    reacts(
        PersonErased,
        lambda f: sop.forget(elder_id=f.elder_id, home_id=f.home_id, home_empty=f.home_empty),
    )
    reacts(
        PersonErased,
        lambda f: calls.erase_person(elder_id=f.elder_id, home_id=f.home_id, home_empty=f.home_empty),
    )
    reacts(
        PersonErased,
        lambda f: contacts.forget(elder_id=f.elder_id, home_id=f.home_id, home_empty=f.home_empty),
    )
    reacts(
        PersonErased,
        lambda f: planned.forget(elder_id=f.elder_id, home_id=f.home_id, home_empty=f.home_empty),
    )
    reacts(
        PersonErased,
        lambda f: campaigns.forget(elder_id=f.elder_id, home_id=f.home_id, home_empty=f.home_empty),
    )


def quality() -> None:
    """An audit, a complaint or a message that waits too long presses those who must act; a call-back is noted on its message."""
    from anju.alarms import actions as alarms
    from anju.calls.facts import CallEnded
    from anju.config import health
    from anju.kernel.flow.registry import when
    from anju.supervision import actions
    from anju.supervision.contacts import actions as contacts
    from anju.supervision.contacts.facts import ContactLate, DoorDeaf
    from anju.supervision.flow import COMPLAINT, REVIEW

    def late(fact: ContactLate) -> None:
        words = "有紧急字样的留言没有人办理" if fact.urgent else "留言没有按时办理"
        health.page_leads(f"{words}：{fact.number}", occasion=f"contact:{fact.contact_id}:{fact.nth}")

    def deaf(fact: DoorDeaf) -> None:
        if fact.over:
            alarms.trouble_over(kind="poison", subject="微信公众号")
        else:
            alarms.trouble(kind="poison", subject="微信公众号", text=fact.text)

    reacts(ContactLate, late)
    reacts(DoorDeaf, deaf)
    reacts(CallEnded, lambda f: contacts.call_ended(ref=f.ref))
    when(REVIEW, move="press", do=actions.page_judge)
    when(COMPLAINT, move="press", do=actions.page_leads)
