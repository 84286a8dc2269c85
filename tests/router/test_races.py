"""Several routers at once, routers that die in the middle, and people who act against them: once, and exactly once."""

from __future__ import annotations

import threading
from datetime import timedelta

import pytest
from django.db import connection, connections, transaction

from anju.alarms import actions as alarms
from anju.alarms import routing
from anju.alarms.ledger import ledger
from anju.alarms.models import Alarm
from anju.alarms.tests.heard import a_device, lane, put, sig
from anju.fieldwork import actions as fieldwork
from anju.fieldwork.models import RepairOrder
from anju.incidents.models import Incident
from anju.kernel import clock
from anju.kernel.flow.actor import Actor
from anju.kernel.scope import EVERYWHERE, seen_by
from anju.signals import actions as signal_actions
from anju.signals.models import Cursor

pytestmark = [pytest.mark.req("LEAP-02", "DEV-04"), pytest.mark.usefixtures("log", "everywhere")]
HOMES = 6


def books():
    return ledger(clock.now() - timedelta(hours=1), clock.now() + timedelta(minutes=1))


def in_threads(*works) -> list[BaseException]:
    """Run all at the same moment, each with its own connection; what went wrong."""
    wrong: list[BaseException] = []
    start = threading.Barrier(len(works))

    def run(work):
        try:
            with seen_by(EVERYWHERE):
                start.wait()
                work()
        except BaseException as error:  # noqa: BLE001 - the test reports it
            wrong.append(error)
        finally:
            connections.close_all()

    threads = [threading.Thread(target=run, args=(work,)) for work in works]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(50)
    return wrong


def drain() -> None:
    for _ in range(400):
        if not sum(routing.route_some(urgent=urgent, limit=7).messages for urgent in (True, False)) and _all_read():
            return
    raise AssertionError("never done")


def _all_read() -> bool:
    with connection.cursor() as cursor:
        cursor.execute("SELECT NOT EXISTS (SELECT 1 FROM signals_message WHERE outcome = 'pending')")
        return bool(cursor.fetchone()[0])


def a_town() -> tuple[int, int]:
    """Lanes full of presses, movements, low batteries, duplicates within and across lanes. Answers (messages, presses)."""
    for n in range(HOMES):
        a_device(f"86000000000000{n}")
    lanes = [lane(urgent=True), lane(urgent=True, gateway="gw2"), lane(), lane(gateway="gw2"), lane(gateway="gw3")]
    messages = presses = 0
    for turn in range(8):
        for n in range(HOMES):
            key, at = f"86000000000000{n}", clock.now() + timedelta(seconds=turn)
            for copy in range(2):  # the same press through two gateways
                put(lanes[copy], [sig("sos", at)], key=key, dedup=f"sos {n} {turn}")
            put(lanes[2 + n % 3], [sig("motion", at), sig("battery", at, value=9)], key=key, vitals={"battery": 9})
            messages, presses = messages + 3, presses + 1
    return messages, presses


@pytest.mark.req("INC-01", "SEN-03")
def test_several_routers_at_once_lose_nothing_and_double_nothing():
    messages, presses = a_town()
    assert in_threads(drain, drain, drain) == []
    total = books().total
    assert books().balances, books().differences
    assert (total.messages, total.duplicates) == (messages, presses)
    assert total.opened + total.joined == presses + HOMES
    assert Alarm.objects.filter(technical=False).count() == presses
    assert Incident.objects.count() == HOMES
    assert RepairOrder.objects.count() == HOMES
    assert Alarm.objects.filter(technical=True, state="open").count() == HOMES
    assert total.pending == 0


@pytest.mark.parametrize("after_settle", [False, True])
def test_a_router_that_dies_in_the_middle_of_a_batch_leaves_nothing_and_the_next_does_it_once(
    monkeypatch, after_settle
):
    a_device()
    sos = lane(urgent=True)
    for _ in range(3):
        put(sos, [sig("sos")])
    real = signal_actions.settle

    class Killed(BaseException):
        pass

    def dies(batch):
        if after_settle:
            real(batch)
        raise Killed

    monkeypatch.setattr(signal_actions, "settle", dies)
    with pytest.raises(Killed):
        routing.route_some(urgent=True, limit=10)
    assert (Alarm.objects.count(), Incident.objects.count(), Cursor.objects.get(lane=sos).seq) == (0, 0, 0)
    assert books().total.waiting == 3
    assert books().balances
    monkeypatch.setattr(signal_actions, "settle", real)
    assert routing.route_some(urgent=True, limit=10).outcomes == {"opened": 1, "joined": 2}
    assert (Alarm.objects.count(), Incident.objects.count()) == (3, 1)
    assert books().balances


@pytest.mark.req("SEN-03")
def test_an_sos_does_not_wait_for_a_telemetry_batch_that_hangs():
    a_device()
    sos, rest = lane(urgent=True), lane()
    put(rest, [sig("tamper")])
    put(sos, [sig("sos")])
    reached, go_on = threading.Event(), threading.Event()
    real = signal_actions.settle

    def telemetry():
        def hangs(batch):
            reached.set()
            assert go_on.wait(60)
            real(batch)

        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(signal_actions, "settle", hangs)
            reached_by = routing.route_some(urgent=False, limit=10)
        assert reached_by.messages == 1

    def urgent():
        assert reached.wait(60)
        signal_actions_settle = signal_actions.settle
        signal_actions.settle = real
        try:
            assert routing.route_some(urgent=True, limit=10).outcomes == {"opened": 1}
        finally:
            signal_actions.settle = signal_actions_settle
            go_on.set()

    assert in_threads(telemetry, urgent) == []
    assert Incident.objects.count() == 1
    assert books().balances


@pytest.mark.req("DEV-05")
def test_a_fitter_who_closes_while_the_device_recovers_never_deadlocks():
    devices = [a_device(f"86000000000000{n}") for n in range(8)]
    rest = lane()
    for device in devices:
        put(rest, [sig("tamper")], key=device.imei)
    routing.route_some(urgent=False, limit=50)
    lead = Actor("林佳", frozenset({"lead"}))
    for device in devices:
        put(rest, [sig("tamper_clear")], key=device.imei)
    orders = list(RepairOrder.objects.order_by("-pk").values_list("pk", flat=True))

    def close_all():
        for pk in orders:
            try:
                fieldwork.move(pk, "no_fault", lead, note="自行恢复")
            except Exception as error:  # noqa: BLE001 - the other side was first: it says so
                assert "请" in str(error)  # noqa: PT017

    assert in_threads(drain, close_all) == []
    assert not Alarm.objects.filter(state="open").exists()
    assert not RepairOrder.objects.filter(closed_at=None).exists()
    assert set(RepairOrder.objects.values_list("state", flat=True)) <= {"recovered", "not_a_fault"}
    assert books().balances


def test_two_at_once_report_one_trouble_and_one_order():
    device = a_device()

    def repair(kind):
        from anju.alarms.rules import RULES

        with transaction.atomic():
            alarms.raise_or_join(rule=RULES[kind], at=clock.now(), received_at=clock.now(), source="ctwing",
                                 home_id=device.home_id, device_id=device.pk, place=device.place)  # fmt: skip

    assert in_threads(*[lambda: repair("battery")] * 4) == []
    assert RepairOrder.objects.count() == 1
    assert sorted(Alarm.objects.values_list("state", flat=True)) == ["joined", "joined", "joined", "open"]
    assert in_threads(*[lambda: alarms.trouble(kind="poison", subject="x", text="y")] * 4) == []
    from anju.alarms.models import Trouble

    assert [t.times for t in Trouble.objects.all()] == [4]
