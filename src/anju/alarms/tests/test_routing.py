"""One batch after another: what devices said becomes settled lines, alarms and vitals; nothing blocks, nothing is lost."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.db import connection

from anju.alarms import codes, queries, routing, sensing
from anju.alarms.facts import AlarmRaised, AlarmRecovered, AlarmReset, TroubleRaised
from anju.alarms.ledger import ledger
from anju.alarms.models import Alarm, Trouble
from anju.alarms.tests.heard import a_device, lane, put, sig
from anju.devices import actions as devices
from anju.devices.models import RECEIVING_DISTRICT, UnknownDevice, Vitals
from anju.kernel import clock
from anju.signals.models import Cursor, Signal

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("everywhere", "taker")]
MINUTE = timedelta(minutes=1)


def route(*, urgent: bool = False, limit: int = 100) -> routing.Round:
    return routing.route_some(urgent=urgent, limit=limit)


def outcomes() -> list[str]:
    return list(Signal.objects.order_by("id").values_list("outcome", flat=True))


def books():
    return ledger(clock.now() - timedelta(days=1), clock.now() + MINUTE)


@pytest.mark.req("SEN-03", "INC-01")
def test_a_press_opens_the_second_joins_and_each_is_its_own_record(taker, let_pass):
    device, sos = a_device(), lane(urgent=True)
    put(sos, [sig("sos")])
    done = route(urgent=True)
    assert (done.messages, done.outcomes) == (1, {"opened": 1})
    let_pass(seconds=192)
    put(sos, [sig("sos")])
    route(urgent=True)
    first, second = Alarm.objects.order_by("pk")
    assert (first.state, first.priority, first.home_id, first.device_id) == ("open", 9, device.home_id, device.pk)
    assert (first.where, first.lco, first.elder_id is not None, first.place) == ("卫生间", "011", True, device.place)
    assert (second.state, second.case_id) == ("joined", first.case_id)
    assert second.join_reason == "同一设备 3 分 12 秒前已有“主动求助”在处置"
    assert outcomes() == ["opened", "joined"]
    assert [s.alarm_id for s in Signal.objects.order_by("id")] == [first.pk, second.pk]
    assert Cursor.objects.get(lane=sos).seq == 2
    assert route(urgent=True).messages == 0
    assert books().balances


@pytest.mark.req("SEN-06")
@pytest.mark.parametrize(
    ("product", "dty", "what"), [("cam-mq1", "0903", "家庭监控装置"), ("scene-nb1", "0904", "扩展场景设备")]
)
def test_a_camera_or_another_scene_takes_the_way_of_every_alarm(taker, product, dty, what):
    device, sos = a_device(product=product, position="客厅"), lane(urgent=True)
    put(sos, [sig("scene", dty=dty, stc="0009")])
    assert route(urgent=True).outcomes == {"opened": 1}
    alarm = Alarm.objects.get()
    assert (alarm.kind, alarm.priority, alarm.technical, alarm.home_id) == ("scene", 7, False, device.home_id)
    assert (alarm.label, alarm.where, alarm.case_kind) == ("家中意外情况", "客厅", "incident")
    assert codes.dty_label(dty) == what
    put(sos, [sig("scene_clear", dty=dty, stc="0093")])
    route(urgent=True)
    assert Alarm.objects.get().state == "open", "a reset closes nothing"
    assert books().balances


@pytest.mark.req("SEN-03")
def test_a_reset_is_noted_on_the_press_and_closes_nothing(taker):
    a_device()
    sos = lane(urgent=True)
    put(sos, [sig("sos")])
    put(sos, [sig("sos_reset")])
    put(sos, [sig("sos_reset")])
    route(urgent=True)
    alarm = Alarm.objects.get()
    assert alarm.state == "open"
    assert alarm.reset_at is not None
    assert len(taker.heard(AlarmReset)) == 1
    assert [(s.outcome, s.reason) for s in Signal.objects.order_by("id")[1:]] == [("no_alarm", "复位")] * 2


@pytest.mark.req("DEV-04", "LEAP-02")
def test_the_same_content_counts_once_within_a_batch_and_across_batches(taker):
    a_device()
    sos, other = lane(urgent=True), lane(urgent=True, gateway="gw2")
    at = clock.now()
    for _ in range(3):
        put(sos, [sig("sos", at)], dedup="one")
    assert route(urgent=True).duplicates == 2
    put(other, [sig("sos", at)], dedup="one")
    put(other, [sig("sos", at + MINUTE)], dedup="two")
    assert route(urgent=True).duplicates == 1
    assert Alarm.objects.count() == 2
    total = books().total
    assert (total.messages, total.duplicates, total.signals, books().balances) == (5, 3, 2, True)


@pytest.mark.req("DEV-04", "SEN-03")
def test_an_unknown_device_is_quarantined_and_its_sos_rings_at_the_district(taker):
    sos, rest = lane(urgent=True), lane()
    put(rest, [sig("motion"), sig("battery", value=3)], key="999")
    put(sos, [sig("sos")], key="999")
    route(urgent=True)
    route()
    alarm = Alarm.objects.get()
    assert (alarm.home_id, alarm.place, alarm.priority) == (None, RECEIVING_DISTRICT, 9)
    assert "未登记设备" in alarm.note
    assert "999" in alarm.note
    assert outcomes() == ["opened", "quarantined", "quarantined"]
    assert UnknownDevice.objects.get().messages == 2
    assert books().balances


@pytest.mark.req("DEV-06")
def test_test_mode_is_logged_and_told_to_nobody(taker):
    device, sos = a_device(), lane(urgent=True)
    devices.set_test_mode(device_id=device.pk, minutes=30)
    put(sos, [sig("sos")])
    route(urgent=True)
    alarm = Alarm.objects.get()
    assert (alarm.state, alarm.case_id, alarm.note) == ("drill", None, "设备处于测试模式")
    assert outcomes() == ["drill"]
    assert not taker.heard(AlarmRaised)
    devices.set_test_mode(device_id=device.pk, minutes=0)
    put(sos, [sig("sos", clock.now() + timedelta(seconds=1))], received_at=clock.now() + timedelta(seconds=1))
    route(urgent=True)
    assert outcomes() == ["drill", "opened"]
    assert len(taker.heard(AlarmRaised)) == 1
    assert books().balances


@pytest.mark.req("DEV-05")
def test_a_low_battery_is_one_repair_however_often_it_is_said_and_a_new_one_ends_it(taker):
    device, rest = a_device(), lane()
    for level in (20, 19, 18):
        put(rest, [sig("battery", value=level)], vitals={"battery": level})
    route()
    put(rest, [sig("battery", value=17)], vitals={"battery": 17})
    route()
    alarm = Alarm.objects.get()
    assert (alarm.technical, alarm.priority, alarm.kind, alarm.state) == (True, 1, "battery", "open")
    assert outcomes() == ["opened", "no_alarm", "no_alarm", "no_alarm"]
    assert Vitals.objects.get(device=device).battery == 17
    put(rest, [sig("motion")], vitals={"battery": 96})
    put(rest, [sig("battery", value=9)], vitals={"battery": 9})
    route()
    alarm.refresh_from_db()
    assert (alarm.state, alarm.closed_by, alarm.closed_reason) == ("closed", "系统", "设备已恢复上报")
    assert [f.alarm_id for f in taker.heard(AlarmRecovered)] == [alarm.pk]
    assert Alarm.objects.filter(state="open", kind="battery").count() == 1
    assert books().balances


@pytest.mark.req("DEV-05")
def test_silence_raises_a_repair_and_the_next_word_ends_it(taker):
    device, inner, rest = a_device(), lane(), lane()
    put(inner, [sig("offline")], source="platform")
    route()
    alarm = Alarm.objects.get()
    assert (alarm.kind, alarm.technical, alarm.label) == ("silent", True, "设备长时间无上报")
    assert Vitals.objects.get(device=device).last_heard_at is None  # the platform's own word is no sign of life
    put(rest, [sig("motion")])
    route()
    alarm.refresh_from_db()
    assert (alarm.state, alarm.closed_reason) == ("closed", "设备已恢复上报")
    assert Vitals.objects.get(device=device).last_heard_at is not None
    assert books().balances


@pytest.mark.req("DEV-04")
def test_late_and_disordered_messages_count_and_never_turn_the_vitals_back(taker):
    device, rest = a_device(product="pir-nb1"), lane()
    now = clock.now().replace(microsecond=0) + 2 * MINUTE
    put(rest, [sig("motion", now)], received_at=now, vitals={"battery": 50})
    put(rest, [sig("motion", now - 26 * 60 * MINUTE)], received_at=now - MINUTE, vitals={"battery": 90})
    route()
    vitals = Vitals.objects.get(device=device)
    assert (vitals.last_heard_at, vitals.last_event_at, vitals.battery) == (now, now, 50)
    assert outcomes() == ["no_alarm", "no_alarm"]


@pytest.mark.req("SEN-03", "LEAP-02")
def test_an_sos_whose_home_cannot_be_handled_rings_as_unknown_and_hurts_nobody_else(taker):
    bad, good = a_device("860000000000001"), a_device("860000000000002")
    taker.fails_for.add(bad.home_id)
    sos = lane(urgent=True)
    for key in ("860000000000001", "860000000000002"):
        put(sos, [sig("sos")], key=key)
    done = route(urgent=True)
    assert done.outcomes == {"opened": 2}
    unknown, known = Alarm.objects.order_by("pk")
    assert (unknown.home_id, unknown.place, unknown.priority) == (None, bad.place, 9)
    assert "资料读取失败" in unknown.note
    assert bad.imei in unknown.note
    assert known.home_id == good.home_id
    assert [t.kind for t in taker.heard(TroubleRaised)] == ["poison"]
    assert books().balances


@pytest.mark.req("LEAP-02", "SEN-03")
def test_what_nobody_can_take_waits_is_retried_ever_slower_and_settles_in_the_end(taker, let_pass):
    a_device()
    sos = lane(urgent=True)
    taker.always_fails = True
    put(sos, [sig("sos")])
    put(sos, [sig("sos")])
    route(urgent=True)
    assert outcomes() == ["pending", "pending"]
    assert not Alarm.objects.exists()
    assert Cursor.objects.get(lane=sos).seq == 2  # the lane goes on
    assert books().balances
    assert books().total.pending == 2
    assert routing.retry_pending() == 0
    let_pass(seconds=2)
    assert routing.retry_pending() == 0
    waiting = Signal.objects.order_by("id")[0]
    assert (waiting.attempts, waiting.retry_at - clock.now()) == (2, timedelta(seconds=2))
    assert "RuntimeError" in waiting.reason
    taker.always_fails = False
    let_pass(seconds=3)
    assert routing.retry_pending() == 2
    assert outcomes() == ["opened", "joined"]
    assert books().balances
    assert books().total.pending == 0


@pytest.mark.req("DEV-04", "LEAP-02")
def test_a_body_that_nobody_could_decode_is_counted_and_told(taker):
    a_device()
    rest = lane()
    put(rest, None)
    put(rest, [sig("motion")])
    done = route()
    assert (done.undecodable, done.outcomes) == (1, {"no_alarm": 1})
    assert (books().total.undecodable, books().balances) == (1, True)
    assert [t.kind for t in taker.heard(TroubleRaised)] == ["undecodable"]
    assert "P1" in Trouble.objects.get().subject


@pytest.mark.req("SEN-03", "LEAP-02")
def test_a_message_that_the_database_refuses_hurts_only_itself_and_its_sos_rings(taker):
    a_device("860000000000001")
    a_device("860000000000002")
    sos = lane(urgent=True)
    put(sos, [sig("sos")], key="860000000000002")
    put(sos, [sig("sos", value={"x": "\x00"})])  # jsonb takes no NUL
    put(sos, [sig("sos")], key="860000000000002")
    done = route(urgent=True)
    assert (done.messages, done.outcomes) == (3, {"opened": 2, "joined": 1})
    assert sorted(Alarm.objects.values_list("state", flat=True)) == ["joined", "open", "open"]
    assert Cursor.objects.get(lane=sos).seq == 3
    assert books().balances


@pytest.mark.req("DEV-05")
def test_an_odd_reading_costs_nobody_else_theirs(taker):
    odd, fine = a_device("860000000000001"), a_device("860000000000002")
    rest = lane()
    put(rest, [sig("motion")], vitals={"battery": 70_000})
    put(rest, [sig("motion")], key="860000000000002", vitals={"battery": 70})
    assert route().outcomes == {"no_alarm": 2}
    assert Vitals.objects.get(device=fine).battery == 70
    vitals = Vitals.objects.get(device=odd)
    assert vitals.battery is None
    assert vitals.last_heard_at is not None
    assert [t.kind for t in taker.heard(TroubleRaised)] == ["poison"]


def test_the_urgent_reader_never_touches_telemetry_and_the_other_way_round(taker):
    a_device()
    put(lane(urgent=True), [sig("sos")])
    put(lane(), [sig("motion")])
    assert route(urgent=True).outcomes == {"opened": 1}
    assert route(urgent=False).outcomes == {"no_alarm": 1}


def test_a_batch_of_telemetry_asks_the_database_a_fixed_number_of_questions(taker, django_assert_max_num_queries):
    rest = lane()
    for n in range(30):
        key = f"8600000000001{n:02d}"
        a_device(key, product="pir-nb1")
        put(rest, [sig("motion")], key=key)
    with django_assert_max_num_queries(14 + 5):  # 14 for the messages, 5 for the watch over their homes
        assert route().messages == 30
    sensing.sweep()
    for n in range(30):
        put(rest, [sig("motion")], key=f"8600000000001{n:02d}")
    with django_assert_max_num_queries(14 + 6):
        assert route().messages == 30
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM signals_seen")
        assert cursor.fetchone()[0] == 60


def test_queries_answer_in_the_scope_of_the_asker(taker):
    from anju.kernel.scope import Scope, seen_by

    device, sos = a_device(), lane(urgent=True)
    put(sos, [sig("sos")])
    put(sos, [sig("sos")], key="nobody")
    route(urgent=True)
    with seen_by(Scope(places=(device.place,))):
        assert [a.home_id for a in queries.page()] == [device.home_id]
    with seen_by(Scope(places=("330199002",))):
        assert queries.page() == []
    assert len(queries.page()) == 2
