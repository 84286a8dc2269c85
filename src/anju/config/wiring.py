"""Who reacts to what: the one page that joins modules which may not know each other.

`connect()` is called once by `ConfigConfig.ready()`. A reaction is `now` (same transaction) or a job.
"""

from __future__ import annotations

from anju.alarms.facts import AlarmRaised, AlarmRecovered
from anju.fieldwork import actions as fieldwork
from anju.kernel.facts import reacts


def connect() -> None:
    """Register every reaction."""
    reacts(AlarmRaised, repair_what_is_technical)
    reacts(AlarmRecovered, tell_the_fitter)


def repair_what_is_technical(fact: AlarmRaised) -> None:
    """A technical alarm is a repair, never an emergency (DEV-05)."""
    if fact.technical:
        fieldwork.raise_repair(alarm_id=fact.alarm_id)


def tell_the_fitter(fact: AlarmRecovered) -> None:
    """The device recovered: an order that nobody set out for ends, a later one says so."""
    fieldwork.recovered(alarm_id=fact.alarm_id, reason=fact.reason)
