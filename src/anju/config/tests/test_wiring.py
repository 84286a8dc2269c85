"""Who reacts to what, where it matters when and in whose transaction."""

from __future__ import annotations

import pytest
from django.db import transaction

from anju.alarms import states
from anju.alarms.models import Trouble
from anju.calls.facts import NewsUntold
from anju.incidents.facts import IncidentClosed
from anju.kernel import testing
from anju.kernel.facts import announce
from anju.places.tests.factories import LOTUS

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("everywhere")]


@pytest.mark.req("SEN-08")
def test_who_closes_a_case_does_not_wait_for_the_sweep_of_silences(monkeypatch: pytest.MonkeyPatch) -> None:
    """The sweep holds a home and waits for its case; who holds the case must not wait for the home."""
    learnt: list[int] = []
    monkeypatch.setattr(states, "learn_from_case", lambda *, case_kind, case_id: learnt.append(case_id))
    with transaction.atomic():
        for nth, outcome in enumerate(("safe", "mis_press", "hospital", "device_fault", "test")):
            announce(IncidentClosed(nth, outcome, LOTUS))
    assert learnt == []
    testing.run_jobs()
    assert learnt == [0, 1]


@pytest.mark.req("CALL-01")
def test_news_of_calls_that_cannot_be_told_are_a_trouble_of_the_platform_until_they_are() -> None:
    with transaction.atomic():
        announce(NewsUntold("CallArrived", "电话的消息 CallArrived 已 5 次没有办成"))
        announce(NewsUntold("CallArrived", "电话的消息 CallArrived 已 6 次没有办成"))
    row = Trouble.objects.get(until=None)
    assert (row.kind, row.times) == (Trouble.Kind.POISON, 2)
    with transaction.atomic():
        announce(NewsUntold("CallArrived", "", over=True))
    assert not Trouble.objects.filter(until=None).exists()
