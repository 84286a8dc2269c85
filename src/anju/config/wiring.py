"""Who reacts to what: the one page that joins modules which may not know each other.

`connect()` is called once by `ConfigConfig.ready()`. A reaction is `now` (same transaction) or a job.
"""

from __future__ import annotations

from anju.kernel import hooks
from anju.kernel.facts import reacts


def connect() -> None:
    """Register every reaction."""
    emergencies()
    repairs()
    telephone()
    pages()
    recordings()


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


def telephone() -> None:
    """What the telephone reports goes to its case. An emergency call opens or joins one before anybody lifts (REG-10)."""
    from anju.calls import facts
    from anju.incidents import actions as incidents

    reacts(
        facts.CallArrived,
        lambda f: incidents.call_arrived(
            call_id=f.call_id, number=f.number, home_id=f.home_id, elder_id=f.elder_id, device_id=f.device_id,
            emergency=f.emergency, place=f.place,
        ),
    )  # fmt: skip
    reacts(
        facts.CallAnswered,
        lambda f: incidents.call_answered(
            call_id=f.call_id, user_id=f.user_id, leg_role=f.leg_role, ref=f.ref, purpose=f.purpose
        ),
    )
    reacts(facts.KeyPressed, lambda f: incidents.on_key(call_id=f.call_id, ref=f.ref, purpose=f.purpose, digit=f.digit))
    reacts(
        facts.PartyJoined,
        lambda f: incidents.party_joined(call_id=f.call_id, leg_id=f.leg_id, role=f.role, ref=f.ref, user_id=f.user_id),
    )
    reacts(
        facts.PartyLeft,
        lambda f: incidents.party_left(
            call_id=f.call_id, leg_id=f.leg_id, role=f.role, ref=f.ref, seconds=f.seconds, result=f.result,
            user_id=f.user_id,
        ),
    )  # fmt: skip
    reacts(
        facts.CallEnded,
        lambda f: incidents.on_call_ended(
            call_id=f.call_id, ref=f.ref, purpose=f.purpose, result=f.result, direction=f.direction, seconds=f.seconds,
            user_id=f.user_id,
        ),
    )  # fmt: skip
    reacts(
        facts.CallAbandoned,
        lambda f: incidents.call_abandoned(call_id=f.call_id, emergency=f.emergency, why=f.why),
    )


def pages() -> None:
    """Troubles of the platform page the leads."""
    from anju.alarms.facts import SourceSilent, TroubleRaised
    from anju.config import health
    from anju.ops.status import processes

    reacts(TroubleRaised, lambda f: health.page_leads(f.text, occasion=f"trouble:{f.trouble_id}"))
    reacts(SourceSilent, lambda f: health.page_leads(f.text, occasion=f"trouble:{f.trouble_id}"))
    hooks.provide("health", health.status)
    hooks.provide("processes", processes)


def recordings() -> None:
    """A call that ended is recorded; what is wrong with recordings is a trouble of the platform."""
    from anju.alarms import actions as alarms
    from anju.calls.facts import CallEnded
    from anju.calls.recordings import jobs
    from anju.calls.recordings.facts import RecordingTrouble, RecordingTroubleOver

    reacts(CallEnded, lambda _: jobs.sweep.defer(in_seconds=20, key="recordings.sweep"))
    reacts(RecordingTrouble, lambda f: alarms.trouble(kind=f.kind, subject=f.subject, text=f.text))
    reacts(RecordingTroubleOver, lambda f: alarms.trouble_over(kind=f.kind, subject=f.subject))
