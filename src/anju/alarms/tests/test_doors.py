"""The entrance door through the router and the clock: asked first, then an agent; deaf, out or paused says nothing."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta

import pytest

from anju.alarms import doors, routing, sensing, states
from anju.alarms.facts import ElderAsked
from anju.alarms.models import Alarm, HomeDoor, HomeWatch
from anju.alarms.tests.conftest import Taker
from anju.alarms.tests.heard import a_device, lane, put, sig
from anju.alarms.tests.test_sensing import BY, consent
from anju.devices import actions as devices
from anju.kernel import clock, facts
from anju.kernel.scope import EVERYWHERE, seen_by

pytestmark = pytest.mark.django_db
Pass = Callable[[timedelta], object]
DOOR = "860000000000009"


@pytest.fixture(autouse=True)
def _everywhere(taker: Taker, let_pass: Pass):
    with seen_by(EVERYWHERE):
        yield


@pytest.fixture
def asked(taker: Taker) -> list[ElderAsked]:
    heard: list[ElderAsked] = []
    facts.reacts(ElderAsked, heard.append)
    return heard


def a_home(let_pass: Pass):
    pir = a_device(product="pir-nb1", position="卫生间")
    door = devices.register(imei=DOOR, product_code="door-nb1")
    devices.install(device_id=door.pk, home_id=pir.home_id, place=pir.place, position="大门")
    consent(pir.home_id)
    sensing.enrol(home_id=pir.home_id)
    let_pass(timedelta(minutes=1))
    return pir.home_id


def says(where, kind: str, at: datetime | None = None) -> None:
    put(where, [sig(kind, at, dty="0014")], key=DOOR)
    routing.route_some(urgent=False, limit=50)


def lives(where, seq: int, *, moved: bool = True) -> None:
    put(where, [sig("motion", clock.now() - timedelta(minutes=1), seq=seq) if moved else sig("vitals", seq=seq)])
    routing.route_some(urgent=False, limit=50)


@pytest.mark.req("SEN-02", "INC-10")
def test_a_door_that_stays_shut_too_long_is_asked_about_and_then_told_to_an_agent(
    let_pass: Pass, asked: list[ElderAsked]
) -> None:
    home_id, where = a_home(let_pass), lane()
    says(where, "door_open")
    let_pass(timedelta(minutes=1))
    says(where, "door_closed")
    row = HomeDoor.objects.get(home_id=home_id)
    seq = 1
    while clock.now() < row.still_at + doors.STILL_WAITS + timedelta(hours=1):
        let_pass(timedelta(hours=2))
        lives(where, seq)
        says(where, "door_closed")  # its heartbeat: not an opening, and no sign of life
        seq += 1
        sensing.sweep()
    door_asks = [a for a in asked if "门" in a.says]
    assert len(door_asks) == 1
    (alarm,) = Alarm.objects.filter(kind="door_still")
    assert (alarm.priority, alarm.technical) == (3, False)
    assert "没有开过" in alarm.note
    assert "屋内最近一次活动" in alarm.note
    assert HomeDoor.objects.get(home_id=home_id).opened_at == row.opened_at


@pytest.mark.req("SEN-02")
def test_her_key_ends_the_question_about_the_door_for_a_day(let_pass: Pass, asked: list[ElderAsked]) -> None:
    home_id, where = a_home(let_pass), lane()
    says(where, "door_open")
    says(where, "door_closed", clock.now() + timedelta(seconds=20))
    row = HomeDoor.objects.get(home_id=home_id)
    let_pass(row.still_at - clock.now() + timedelta(minutes=5))
    lives(where, 1)
    says(where, "door_closed")
    assert doors.sweep() == 1
    assert states.alive(home_id=home_id, at=clock.now(), what="电话按键应答")
    let_pass(doors.STILL_WAITS + timedelta(hours=2))
    lives(where, 2)
    assert doors.sweep() == 0
    assert not Alarm.objects.filter(kind="door_still").exists()


@pytest.mark.req("SEN-02")
def test_a_door_left_open_is_asked_about_by_day_told_at_once_at_night_and_ends_with_the_close(
    let_pass: Pass, asked: list[ElderAsked]
) -> None:
    home_id, where = a_home(let_pass), lane()
    says(where, "door_open")
    let_pass(timedelta(minutes=61))
    sensing.sweep()
    assert [a.says for a in asked] == [doors.ASK_AJAR]
    let_pass(doors.AJAR_WAITS + timedelta(minutes=1))
    sensing.sweep()
    (alarm,) = Alarm.objects.filter(kind="door_ajar")
    assert alarm.priority == 3
    says(where, "door_closed")
    alarm.refresh_from_db()
    assert alarm.reset_at is not None
    assert not HomeDoor.objects.get(home_id=home_id).is_open
    hours = (25 - clock.local(clock.now()).hour) % 24
    let_pass(timedelta(hours=hours))  # one in the night
    says(where, "door_open")
    let_pass(timedelta(minutes=16))
    sensing.sweep()
    assert Alarm.objects.filter(kind="door_ajar", priority=5).count() == 1
    assert [a.says for a in asked if a.says] == [doors.ASK_AJAR]


@pytest.mark.req("SEN-01", "SEN-02")
def test_a_door_that_stands_open_does_not_live_for_her(let_pass: Pass) -> None:
    home_id, where = a_home(let_pass), lane()
    lives(where, 1)
    says(where, "door_open")
    let_pass(timedelta(minutes=2))
    lives(where, 2)
    before = HomeWatch.objects.get(home_id=home_id)
    for _ in range(3):
        let_pass(timedelta(hours=4))
        says(where, "door_open")
    after = HomeWatch.objects.get(home_id=home_id)
    assert (after.last_life_at, after.hard_at) == (before.last_life_at, before.hard_at)


@pytest.mark.req("SEN-02", "DEV-05")
def test_a_door_that_is_not_heard_or_a_home_that_is_paused_says_nothing(
    let_pass: Pass, asked: list[ElderAsked]
) -> None:
    home_id, where = a_home(let_pass), lane()
    says(where, "door_open")
    says(where, "door_closed", clock.now() + timedelta(seconds=20))
    states.say_state(home_id=home_id, kind="holiday", until=clock.now() + timedelta(days=2), by=BY)
    let_pass(timedelta(days=1, hours=20))
    says(where, "door_closed")
    sensing.sweep()
    assert asked == []
    let_pass(timedelta(days=3))  # the pause is over, and the contact is dead
    doors.sweep()
    assert not [a for a in asked if "门" in a.says]
    assert not Alarm.objects.filter(kind__startswith="door").exists()


def test_an_event_that_comes_late_changes_nothing_that_was_said_afterwards(let_pass: Pass) -> None:
    home_id, where = a_home(let_pass), lane()
    start = clock.now()
    says(where, "door_open", start)
    says(where, "door_closed", start + timedelta(seconds=40))
    says(where, "door_open", start + timedelta(seconds=10))
    assert not HomeDoor.objects.get(home_id=home_id).is_open
