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
    calls_and_pages()


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


def calls_and_pages() -> None:
    """What a telephone reports goes to its case; troubles of the platform page the leads."""
    from anju.alarms.facts import SourceSilent, TroubleRaised
    from anju.calls.facts import CallEnded, KeyPressed
    from anju.config import health
    from anju.incidents import actions as incidents
    from anju.ops.status import processes

    reacts(KeyPressed, lambda f: incidents.on_key(call_id=f.call_id, ref=f.ref, purpose=f.purpose, digit=f.digit))
    reacts(
        CallEnded, lambda f: incidents.on_call_ended(call_id=f.call_id, ref=f.ref, purpose=f.purpose, result=f.result)
    )
    reacts(TroubleRaised, lambda f: health.page_leads(f.text, occasion=f"trouble:{f.trouble_id}"))
    reacts(SourceSilent, lambda f: health.page_leads(f.text, occasion=f"trouble:{f.trouble_id}"))
    hooks.provide("health", health.status)
    hooks.provide("processes", processes)
