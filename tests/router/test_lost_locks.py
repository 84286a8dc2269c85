"""Two who wait for each other: the batch that the database sends away is given back and taken again, with its own home."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from django.db import connection

from anju.alarms import actions, routing
from anju.alarms.models import Alarm
from anju.alarms.tests.heard import a_device, lane, put, sig
from anju.kernel import clock
from anju.signals.models import Cursor, Signal

pytestmark = [
    pytest.mark.django_db(transaction=True),
    pytest.mark.usefixtures("everywhere", "log"),
    pytest.mark.req("SEN-03", "LEAP-02"),
]
LoseLocks = Callable[[int], list[int]]


@pytest.fixture
def loses(monkeypatch: pytest.MonkeyPatch) -> LoseLocks:
    """`loses(n)`: the first n alarms that are raised from now on are what PostgreSQL calls the victim of a deadlock."""
    raised = actions.raise_or_join

    def prepare(times: int) -> list[int]:
        lost: list[int] = []

        def raise_or_join(**about):
            if len(lost) < times:
                lost.append(1)
                with connection.cursor() as cursor:
                    cursor.execute("DO $$ BEGIN RAISE EXCEPTION 'two waited' USING ERRCODE = '40P01'; END $$")
            return raised(**about)

        monkeypatch.setattr(actions, "raise_or_join", raise_or_join)
        return lost

    return prepare


def the_press_is_of_its_home(home_id: int | None, seq: int) -> None:
    alarm = Alarm.objects.get()
    assert (alarm.home_id, alarm.state, alarm.priority) == (home_id, "open", 9)
    assert "资料读取失败" not in alarm.note
    assert list(Signal.objects.values_list("outcome", flat=True)) == ["opened"]
    assert Cursor.objects.get().seq == seq


@pytest.mark.parametrize("times", [1, routing.TIMES - 1, routing.TIMES])
def test_an_sos_that_lost_its_locks_rings_at_its_own_home(loses: LoseLocks, times: int) -> None:
    """Once or twice the batch is taken again; the third time its messages are taken one by one."""
    device = a_device()
    put(lane(urgent=True), [sig("sos")])
    lost = loses(times)
    done = routing.route_some(urgent=True, limit=100)
    assert (len(lost), done.outcomes) == (times, {"opened": 1})
    the_press_is_of_its_home(device.home_id, 1)


def test_one_that_goes_on_losing_waits_in_its_lane_and_is_never_an_unknown_home(loses: LoseLocks) -> None:
    device = a_device()
    put(lane(urgent=True), [sig("sos")])
    lost = loses(2 * (routing.TIMES + 1))
    for _ in range(2):
        assert routing.route_some(urgent=True, limit=100).messages == 0
        assert not Alarm.objects.exists()
        assert not Signal.objects.exists()
        assert not Cursor.objects.exclude(seq=0).exists()
    assert len(lost) == 2 * (routing.TIMES + 1)
    assert routing.route_some(urgent=True, limit=100).outcomes == {"opened": 1}
    the_press_is_of_its_home(device.home_id, 1)


def test_what_waits_for_another_try_stays_due(loses: LoseLocks, monkeypatch: pytest.MonkeyPatch) -> None:
    device = a_device()
    put(lane(urgent=True), [sig("sos")])
    with monkeypatch.context() as patch:
        patch.setattr(actions, "raise_or_join", lambda **_: 1 / 0)
        routing.route_some(urgent=True, limit=100)
    Signal.objects.update(retry_at=clock.now())
    lost = loses(1)
    assert (routing.retry_pending(), len(lost)) == (0, 1)
    waiting = Signal.objects.get()
    assert (waiting.outcome, waiting.attempts) == ("pending", 1)
    assert routing.retry_pending() == 1
    the_press_is_of_its_home(device.home_id, 1)
