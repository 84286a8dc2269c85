"""Meters, places and measurements through the router and the clock: consent first, then what each raises."""

from __future__ import annotations

import math
from collections.abc import Callable
from datetime import timedelta

import pytest

from anju.alarms import enrolling, readings, routing, sensing, utility, whereabouts, witnesses
from anju.alarms.facts import ElderAsked, RepeatAsked
from anju.alarms.models import Alarm, HealthReading, HomeWatch, HomeWitness, Whereabouts
from anju.alarms.tests.conftest import Taker
from anju.alarms.tests.heard import a_device, lane, put, sig
from anju.alarms.tests.test_sensing import consent, moved
from anju.devices import actions as devices
from anju.elders import actions as elder_actions
from anju.elders import queries as elders
from anju.kernel import clock, facts
from anju.kernel.flow.actor import Actor
from anju.kernel.scope import EVERYWHERE, seen_by
from anju.signals.models import Signal

pytestmark = pytest.mark.django_db
Pass = Callable[[timedelta], object]
METER = "WM-1"
DOCTOR = Actor("江医生", frozenset({"doctor"}), None)
LEAD = Actor("严值班", frozenset({"lead", "street"}), None)
HALF = timedelta(minutes=30)


@pytest.fixture(autouse=True)
def _everywhere(taker: Taker, let_pass: Pass):
    with seen_by(EVERYWHERE):
        yield


@pytest.fixture
def asked(taker: Taker) -> list[object]:
    heard: list[object] = []
    facts.reacts(ElderAsked, heard.append)
    facts.reacts(RepeatAsked, heard.append)
    return heard


def a_home(*scopes: str, product: str = "water-nb1", key: str = METER):
    pir = a_device(product="pir-nb1", position="卫生间")
    other = devices.register(imei=key, product_code=product)
    devices.install(device_id=other.pk, home_id=pir.home_id, place=pir.place, position="厨房")
    consent(pir.home_id, *scopes)
    sensing.enrol(home_id=pir.home_id)
    return pir


def says(where, kind: str, value: object, key: str = METER, at=None) -> None:
    put(where, [sig(kind, at, value=value, dty="0900")], key=key)
    routing.route_some(urgent=False, limit=50)


# ---- meters


@pytest.mark.req("SEN-04", "SYS-04")
def test_without_its_own_consent_a_meter_is_not_kept_and_proves_nothing(let_pass: Pass) -> None:
    pir, where = a_home("monitor"), lane()
    moved(where, seq=1, at=clock.now())
    for n in range(4):
        let_pass(HALF)
        says(where, "water", 100 + n)
    assert not HomeWitness.objects.exists()
    assert set(Signal.objects.filter(kind="water").values_list("value", flat=True)) == {None}
    assert "未签" in Signal.objects.filter(kind="water").first().reason
    view = next(v for v in witnesses.of_home(pir.home_id) if v.kind == "water")
    assert (view.allowed, "不保存" in view.words) == (False, True)
    row = HomeWatch.objects.get(home_id=pir.home_id)
    assert row.last_life_what == "卫生间活动"


@pytest.mark.req("SEN-04")
def test_a_tap_that_runs_is_a_sign_of_life_and_a_consent_taken_back_deletes_what_was_kept(let_pass: Pass) -> None:
    pir, where = a_home("monitor", "meters"), lane()
    moved(where, seq=1, at=clock.now())
    says(where, "water", 100.0)
    for n in range(1, 8):
        let_pass(HALF)
        says(where, "water", 100.0 + (0.01 if n >= 7 else 0.0))
    row = HomeWatch.objects.get(home_id=pir.home_id)
    assert row.last_life_what == "用水"
    assert row.last_life_at == clock.now() - HALF
    assert HomeWitness.objects.get().series
    elder = elders.main_elder(pir.home_id)
    assert elder is not None
    for held in elders.consents_of(elder.pk):
        elder_actions.withdraw_consent(consent_id=held.pk, reason="不愿意了", by=LEAD)
    enrolling.mark(home_id=pir.home_id)
    sensing.sweep()
    assert not HomeWitness.objects.exists()
    assert HomeWatch.objects.get(home_id=pir.home_id).why_not == sensing.NO_CONSENT


@pytest.mark.req("SEN-04", "INC-10")
def test_one_silent_sensor_sends_a_call_and_two_witnesses_send_a_person(let_pass: Pass, asked: list[object]) -> None:
    def silent(*, with_water: bool) -> list[Alarm]:
        pir, where = a_home("monitor", "meters"), lane()
        if with_water:
            for n in range(26, 0, -1):
                says(where, "water", 100.0, at=clock.now() - n * HALF)
        moved(where, seq=1, at=clock.now())
        row = HomeWatch.objects.get(home_id=pir.home_id)
        seq = 2
        while clock.now() < row.soft_at + timedelta(hours=1):
            let_pass(HALF)
            moved(where, seq=seq)
            if with_water:
                says(where, "water", 100.0)
            seq += 1
            sensing.sweep()
        return list(Alarm.objects.filter(home_id=pir.home_id, technical=False))

    (alarm,) = silent(with_water=True)
    assert (alarm.kind, alarm.priority) == ("inactivity", 7)
    assert alarm.note.startswith("两项佐证都无动静：近 12 小时用水不足")
    assert not asked


@pytest.mark.req("SEN-04", "INC-10")
def test_one_silent_sensor_alone_only_asks_her(let_pass: Pass, asked: list[object]) -> None:
    pir, where = a_home("monitor", "meters"), lane()
    moved(where, seq=1, at=clock.now())
    row, seq = HomeWatch.objects.get(home_id=pir.home_id), 2
    while clock.now() < row.soft_at + timedelta(hours=1):
        let_pass(HALF)
        moved(where, seq=seq)
        seq += 1
        sensing.sweep()
    assert len(asked) == 1
    assert not Alarm.objects.filter(technical=False).exists()


@pytest.mark.req("SEN-04")
def test_a_burst_is_told_once_and_an_even_flow_of_gas_is_an_emergency(let_pass: Pass) -> None:
    a_home("monitor", "meters")
    where = lane()
    for n in range(26, -1, -1):
        says(where, "water", 100.0 + (26 - n) * 0.2, at=clock.now() - n * timedelta(hours=1))
    sensing.sweep()
    sensing.sweep()
    (alarm,) = Alarm.objects.filter(kind="leak")
    assert alarm.priority == 3
    gas = devices.register(imei="GM-1", product_code="gasuse-nb1")
    devices.install(device_id=gas.pk, home_id=alarm.home_id, place=alarm.place, position="厨房")
    for n in range(50, -1, -1):
        says(where, "gasuse", 10 + (50 - n) * 0.01, key="GM-1", at=clock.now() - n * HALF)
    sensing.sweep()
    assert Alarm.objects.get(kind="gas").priority == 9


@pytest.mark.req("SEN-04")
def test_a_utilitys_file_is_answered_row_by_row(let_pass: Pass) -> None:
    pir = a_home("monitor", "meters")
    elder = elders.main_elder(pir.home_id)
    assert elder is not None
    now = clock.local(clock.now()).replace(tzinfo=None, microsecond=0)
    day = now - timedelta(days=1)
    lines = [
        "meter,elder,kind,at,total", f"{METER},,,{day.isoformat()},100.5", f"{METER},,,{now.isoformat()},100.9", f"{METER},,,{now.isoformat()},100.9",
        f"WM-404,,,{now.isoformat()},3", f"{METER},,,gestern,3", f"{METER},,,{now.isoformat()},-3", f",{elder.number},phone_use,{now.isoformat()},60",
        f",{elder.number},,{now.isoformat()},60", f"{METER},,,{(now + timedelta(days=1)).isoformat()},3", f"860000000000001,,,{now.isoformat()},3",
    ]  # fmt: skip
    rows, refused = utility.read("\n".join(lines).encode(), is_json=False)
    result = utility.deliver(rows=rows, by=LEAD, refused=refused)
    assert (result.taken, result.known) == (2, 1)
    why = {r.line: r.why for r in result.refused}
    assert "没有登记" in why[5]
    assert "ISO" in why[6]
    assert "不为负" in why[7]
    assert "未签电话话单" in why[8]
    assert "kind" in why[9]
    assert "将来" in why[10]
    assert "不是表" in why[11]
    assert len(why) == 7
    assert Signal.objects.filter(source="utility", kind="water").count() == 2
    again = utility.deliver(rows=rows, by=LEAD)
    assert (again.taken, again.known) == (0, 3)
    for broken in (b"\xff\xfe", b"a,b\n1,2", b"[}"):
        with pytest.raises(utility.BadFile):
            utility.read(broken, is_json=broken == b"[}")


# ---- where she is


def fix(away: float, accuracy: float = 10.0) -> dict[str, float]:
    return {"lat": 30.25 + math.degrees(away / 6_371_008.8), "lon": 120.18, "accuracy": accuracy}


@pytest.mark.req("SEN-05")
def test_leaving_the_fence_and_being_outside_unseen_are_told_once_an_excursion(let_pass: Pass) -> None:
    pir, where = a_home("monitor", product="watch-4g1"), lane()
    with pytest.raises(ValueError, match="半径"):
        whereabouts.set_fence(home_id=pir.home_id, name="", latitude=30.25, longitude=120.18, radius=5, by=LEAD)
    whereabouts.set_fence(home_id=pir.home_id, name="住处", latitude=30.25, longitude=120.18, radius=300, by=LEAD)
    says(where, "place", fix(20))
    let_pass(timedelta(minutes=10))
    says(where, "place", fix(900))
    assert whereabouts.sweep() == 0
    let_pass(timedelta(minutes=4))
    assert whereabouts.sweep() == 1
    let_pass(timedelta(hours=2))
    says(where, "place", fix(950))
    assert whereabouts.sweep() == 0
    (alarm,) = Alarm.objects.filter(kind="wander")
    assert (alarm.priority, "离开围栏" in alarm.note) == (7, True)
    says(where, "place", fix(30), at=clock.now() - timedelta(hours=3))  # comes late: she is out all the same
    assert Whereabouts.objects.get().side == "out"
    let_pass(timedelta(minutes=5))
    says(where, "place", fix(30))
    alarm.refresh_from_db()
    assert alarm.reset_at is not None
    assert whereabouts.end_fence(home_id=pir.home_id, by=LEAD)
    says(where, "place", fix(5000))
    let_pass(timedelta(hours=3))
    assert whereabouts.sweep() == 0


@pytest.mark.req("SEN-05")
def test_a_locator_that_was_off_at_the_gate_is_told_by_the_state(let_pass: Pass) -> None:
    pir, where = a_home("monitor", product="watch-4g1"), lane()
    whereabouts.set_fence(
        home_id=pir.home_id, name="住处", latitude=30.25, longitude=120.18, radius=300, by=LEAD, minutes=20
    )
    says(where, "place", fix(4000))
    let_pass(timedelta(minutes=19))
    assert whereabouts.sweep() == 0
    let_pass(timedelta(minutes=2))
    assert whereabouts.sweep() == 1
    assert "没有收到离开的定位" in Alarm.objects.get(kind="wander").note


# ---- what was measured


@pytest.mark.req("SEN-07")
def test_one_odd_value_asks_for_a_repeat_a_second_alarms_and_a_doctors_limit_is_hers(
    let_pass: Pass, asked: list[object]
) -> None:
    pir, where = a_home("monitor", product="health-bt1", key="HB-1"), lane()
    elder = elders.main_elder(pir.home_id)
    assert elder is not None

    def measured(value: float) -> None:
        says(where, "reading", {"measure": "systolic", "value": value}, key="HB-1")
        let_pass(timedelta(minutes=6))

    measured(131)
    assert asked == []
    measured(172)
    (repeat,) = asked
    assert isinstance(repeat, RepeatAsked)
    assert "收缩压 172 mmHg" in repeat.text
    measured(175)
    (alarm,) = Alarm.objects.filter(kind="health")
    assert (alarm.priority, "2 次" in alarm.note) == (7, True)
    measured(174)
    assert Alarm.objects.filter(kind="health").count() == 1
    measured(900)
    assert len(asked) == 2
    readings.set_limit(elder_id=elder.pk, measure="systolic", low=None, high=185, why="心内科医嘱", by=DOCTOR)
    let_pass(timedelta(hours=1))
    measured(178)
    assert HealthReading.objects.order_by("-at").first().verdict == "fine"
    (view,) = readings.of_elder(elder.pk)
    assert (view.high, view.personal, view.last.value) == (185, True, 178)
    with pytest.raises(ValueError, match="依据"):
        readings.set_limit(elder_id=elder.pk, measure="systolic", low=None, high=185, why=" ", by=DOCTOR)


@pytest.mark.req("SEN-07")
def test_values_of_yesterday_that_arrive_today_are_kept_and_raise_nothing(let_pass: Pass, asked: list[object]) -> None:
    a_home("monitor", product="health-bt1", key="HB-1")
    where = lane()
    old = clock.now() - timedelta(hours=30)
    for n in range(2):
        says(where, "reading", {"measure": "systolic", "value": 199}, key="HB-1", at=old + n * HALF)
    says(where, "reading", {"measure": "mood", "value": 3}, key="HB-1")
    assert HealthReading.objects.count() == 2
    assert not Alarm.objects.exists()
    assert asked == []
