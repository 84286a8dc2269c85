"""A cell goes dark: one case, everybody on the list, and whoever presses is heard at once."""

from __future__ import annotations

from datetime import timedelta
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from anju.alarms import outbreaks, routing, sensing, storms
from anju.alarms.facts import StormOver
from anju.alarms.models import Alarm, HomeWatch, Storm, StormHome
from anju.alarms.outbreaks import LEAST, Deaf
from anju.alarms.tests.conftest import Taker
from anju.alarms.tests.heard import lane, put, sig
from anju.devices import actions as devices
from anju.devices.models import Vitals
from anju.elders import actions as elder_actions
from anju.elders import queries as elders
from anju.elders.tests.factories import ElderFactory
from anju.kernel import clock, facts
from anju.kernel.flow.actor import Actor
from anju.kernel.scope import EVERYWHERE, seen_by

BY = Actor("林佳", frozenset({"lead"}), None)


@pytest.mark.req("SEN-09")
@given(seed=st.integers(0, 500), dark=st.integers(0, 200), alone=st.integers(0, 20))
def test_nobody_is_hidden_and_nobody_is_in_two_storms(seed: int, dark: int, alone: int) -> None:
    rng = Random(seed)
    deaf = [Deaf(n, 1000.0 + rng.uniform(0, 3000), (("cell", "7"), ("street", str(n % 3)))) for n in range(dark)]
    deaf += [Deaf(1000 + n, rng.uniform(0, 1e6), (("cell", f"c{n}"), ("street", "9"))) for n in range(alone)]
    totals = {("cell", "7"): max(dark, 1) * 2, **{("street", str(n)): 400 for n in (0, 1, 2, 9)}}
    found = outbreaks.found(deaf, totals)
    homes = [h for o in found for h in o.homes]
    assert len(homes) == len(set(homes))
    assert set(homes) <= {d.home_id for d in deaf}
    if dark >= LEAST:
        assert found[0].group == ("cell", "7")
        assert set(range(dark)) <= set(homes)
    else:
        assert found == []


def test_homes_that_fell_silent_at_different_times_are_single_repairs() -> None:
    scattered = [Deaf(n, n * 7200.0, (("cell", "7"),)) for n in range(40)]
    assert outbreaks.found(scattered, {("cell", "7"): 50}) == []
    few = [Deaf(n, 100.0, (("cell", "7"),)) for n in range(LEAST)]
    assert outbreaks.found(few, {("cell", "7"): 1000}) == []
    assert len(outbreaks.found(few, {("cell", "7"): 10})) == 1


@pytest.fixture
def town(taker: Taker, let_pass, db: None) -> list[int]:
    """Thirty watched homes on one cell and five on another."""
    with seen_by(EVERYWHERE):
        devices.load_products()
        homes = []
        for n in range(35):
            home = ElderFactory().home
            device = devices.register(imei=f"86000000000{n:04d}", product_code="pir-nb1")
            devices.install(device_id=device.pk, home_id=home.pk, place=home.place, position="走廊")
            elder = elders.main_elder(home.pk)
            assert elder is not None
            elder_actions.record_consent(
                elder_id=elder.pk,
                scope=["monitor"],
                signed_by="周玉珍",
                document="T",
                by=Actor("高敏", frozenset({"street"}), None),
            )
            Vitals.objects.update_or_create(device=device, defaults={"cell_id": 111 if n < 30 else 222})
            assert sensing.enrol(home_id=home.pk)
            homes.append(home.pk)
        yield homes


@pytest.mark.req("SEN-09", "DEV-05")
def test_a_firmware_that_fails_is_named_though_its_model_and_its_cell_are_heard(town: list[int], let_pass) -> None:
    """Twelve pieces were given a new version, say so once, and fall silent; the others of the model go on."""
    new, old = range(12), range(12, 35)
    for n in new:
        put(lane(), [sig("motion", seq=1)], key=f"86000000000{n:04d}", vitals={"firmware": "2.1.7"})
    for n in old:
        put(lane(), [sig("motion", seq=1)], key=f"86000000000{n:04d}", vitals={"firmware": "2.0.9"})
    routing.route_some(urgent=False, limit=100)
    where = lane()
    for seq, pause in ((2, timedelta(hours=1)), (3, timedelta(hours=1, minutes=30))):
        let_pass(pause)
        speak(where, old, seq)
    sensing.sweep()
    (storm,) = Storm.objects.all()
    assert (storm.kind, storm.key) == ("firmware", "pir-nb1 2.1.7")
    assert set(StormHome.objects.values_list("home_id", flat=True)) == set(town[:12])
    assert Vitals.objects.get(device__imei="860000000000020").firmware == "2.0.9", "what is not said again stays"


def speak(where, numbers: range, seq: int) -> None:
    for n in numbers:
        put(where, [sig("motion", seq=seq)], key=f"86000000000{n:04d}", vitals={"cell": 111 if n < 30 else 222})
    routing.route_some(urgent=False, limit=100)


@pytest.mark.req("SEN-09", "INC-01")
def test_a_dark_cell_is_one_case_and_an_sos_in_it_rings_as_ever(town: list[int], taker: Taker, let_pass) -> None:
    where = lane()
    over: list[StormOver] = []
    facts.reacts(StormOver, over.append)
    speak(where, range(35), 1)
    own = HomeWatch.objects.get(home_id=town[0])  # her deadline passed before the outage: it is her own
    HomeWatch.objects.filter(pk=own.pk).update(hard_at=clock.now() - timedelta(minutes=1))
    let_pass(timedelta(hours=1))
    speak(where, range(30, 35), 2)
    let_pass(timedelta(hours=1, minutes=30))
    speak(where, range(30, 35), 3)
    sensing.sweep()
    (storm,) = Storm.objects.all()
    assert (storm.kind, storm.key) == ("cell", "111")
    listed = set(StormHome.objects.values_list("home_id", flat=True))
    assert listed == set(town[1:30])
    assert Alarm.objects.filter(kind="storm").count() == 1
    put(lane(urgent=True), [sig("sos")], key="860000000000003")
    routing.route_some(urgent=True, limit=5)
    sos = Alarm.objects.get(kind="sos")
    assert (sos.priority, sos.home_id, sos.state) == (9, town[3], "open")
    let_pass(timedelta(hours=40))
    sensing.sweep()
    raised = set(Alarm.objects.filter(kind__in=["no_data", "inactivity"]).values_list("home_id", flat=True))
    assert raised.isdisjoint(listed)
    assert raised | listed >= set(town[:30])
    assert Alarm.objects.filter(kind="storm").count() == 1
    row = StormHome.objects.get(home_id=town[5])
    with pytest.raises(ValueError, match="结果"):
        storms.called(row_id=row.pk, by=BY, result="something")
    storms.called(row_id=row.pk, by=BY, result="well")
    assert StormHome.objects.get(pk=row.pk).called_by == "林佳"
    assert HomeWatch.objects.get(home_id=town[5]).last_life_what == "电话核实"
    speak(where, range(28), 4)
    sensing.sweep()
    assert StormHome.objects.filter(back_at=None).count() == 2
    assert not over
    speak(where, range(35), 5)
    sensing.sweep()
    assert len(over) == 1
    storm.refresh_from_db()
    assert storm.ended_at is not None


@pytest.mark.req("SEN-09")
def test_who_is_still_deaf_when_the_outage_is_over_gets_an_alarm_of_her_own(
    town: list[int], taker: Taker, let_pass
) -> None:
    where = lane()
    speak(where, range(35), 1)
    let_pass(timedelta(hours=3))
    speak(where, range(30, 35), 2)
    sensing.sweep()
    assert StormHome.objects.filter(back_at=None).count() == 30
    let_pass(timedelta(hours=40))
    speak(where, range(1, 35), 3)
    sensing.sweep()
    assert Storm.objects.get().ended_at is None
    let_pass(timedelta(minutes=61))
    speak(where, range(1, 35), 4)
    sensing.sweep()
    assert Storm.objects.get().ended_at is not None
    assert [a.home_id for a in Alarm.objects.filter(kind="no_data")] == [town[0]]
