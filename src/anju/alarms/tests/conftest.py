"""A stand-in for those above who take alarms: this module's tests know neither incidents nor repair orders."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from anju.alarms import actions, queries
from anju.alarms.facts import AlarmRaised, AlarmRecovered, AlarmReset, SourceSilent, TroubleEnded, TroubleRaised
from anju.kernel import facts


class Taker:
    """Opens a case for a home's first alarm and joins the rest; remembers what it was told; fails when asked to."""

    def __init__(self) -> None:
        self.told: list[object] = []
        self.fails_for: set[int | None] = set()
        self.always_fails = False

    def take(self, fact: AlarmRaised) -> None:
        self.told.append(fact)
        alarm = queries.alarm(fact.alarm_id)
        if self.always_fails or alarm.home_id in self.fails_for:
            raise RuntimeError("the taker fails")
        kind = "repair" if alarm.technical else "incident"
        first = queries.earlier(alarm)
        if first is not None and first.case_id is not None and not alarm.technical:
            actions.settle(alarm_id=alarm.pk, outcome="joined", case_kind=kind, case_id=first.case_id,
                           reason=queries.reason_to_join(alarm))  # fmt: skip
            return
        actions.settle(alarm_id=alarm.pk, outcome="opened", case_kind=kind, case_id=alarm.pk + 1000)

    def heard(self, fact_type: type) -> list:
        return [fact for fact in self.told if isinstance(fact, fact_type)]


@pytest.fixture
def taker(monkeypatch: pytest.MonkeyPatch) -> Iterator[Taker]:
    """Takes every alarm instead of the real ones."""
    stand_in = Taker()
    monkeypatch.setattr(facts, "_reactions", {})
    facts.reacts(AlarmRaised, stand_in.take)
    for fact in (AlarmRecovered, AlarmReset, SourceSilent, TroubleRaised, TroubleEnded):
        facts.reacts(fact, stand_in.told.append)
    return stand_in
