"""The invariant of a storm: two thousand homes of a cell go dark and twenty press SOS; nobody waits and nobody is hidden."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from anju.alarms import routing, sensing, storms
from anju.alarms.facts import StormOver
from anju.alarms.models import Alarm, HomeWatch, Storm, StormHome
from anju.alarms.tests.conftest import Taker
from anju.alarms.tests.heard import lane, put, sig
from anju.devices import actions as devices
from anju.devices.models import Device, Product, Vitals
from anju.elders.models import Elder, Home
from anju.kernel import clock, facts
from anju.kernel.flow.actor import Actor
from anju.kernel.scope import EVERYWHERE, seen_by

pytestmark = [pytest.mark.django_db, pytest.mark.timeout(300)]
DARK, LIGHT, PRESSED = 2000, 300, 20
BY = Actor("林佳", frozenset({"lead"}), None)
KINDS, ABILITIES = ("widowed", "alone", "couple", ""), ("total", "moderate", "intact", "")


def imei(n: int, kind: str = "1") -> str:
    return f"8{kind}0000000{n:06d}"


@pytest.fixture
def cell(taker: Taker, db: None, let_pass: object) -> list[int]:
    """2,000 watched homes on cell 111 and 300 on cell 222, each heard 20 minutes ago, each with a cord."""
    with seen_by(EVERYWHERE):
        devices.load_products()
        now, place = clock.now(), "330199001001"
        many = DARK + LIGHT
        homes = Home.objects.bulk_create([Home(place=place, area=place, building=f"{n} 幢") for n in range(many)])
        Elder.objects.bulk_create(
            Elder(home=h, number=f"S{n:06d}", name=f"老人{n}", main=True, status="approved", kind=KINDS[n % 4], ability=ABILITIES[n // 4 % 4])
            for n, h in enumerate(homes)
        )  # fmt: skip
        pir, cord = (Product.objects.get(code=c) for c in ("pir-nb1", "cord-nb1"))
        sensors = Device.objects.bulk_create(
            Device(
                imei=imei(n), product=pir, home=h, place=place, status="installed", position="过道", installed_at=now
            )
            for n, h in enumerate(homes)
        )
        Device.objects.bulk_create(
            Device(
                imei=imei(n, "2"),
                product=cord,
                home=h,
                place=place,
                status="installed",
                position="床头",
                installed_at=now,
            )
            for n, h in enumerate(homes)
        )
        Vitals.objects.bulk_create(
            Vitals(device=d, cell_id=111 if n < DARK else 222, last_heard_at=now) for n, d in enumerate(sensors)
        )
        at = now - timedelta(minutes=20)
        HomeWatch.objects.bulk_create(
            HomeWatch(
                home=h, place=place, watched=True, first_at=now - timedelta(days=40), last_life_at=at, heard_until=at, covered_until=at,
                soft_at=now + timedelta(hours=5), hard_at=now + timedelta(hours=9), look_at=now + timedelta(hours=5), period=3600,
                ears={str(d.pk): {"at": at.timestamp(), "to": at.timestamp()}},
            )
            for h, d in zip(homes, sensors, strict=True)
        )  # fmt: skip
        yield [h.pk for h in homes]


def heard(homes: list[int]) -> None:
    """These homes reported just now (as `sensing.hear` leaves their rows)."""
    now = clock.now()
    HomeWatch.objects.filter(home_id__in=homes).update(heard_until=now, covered_until=now)


def press(numbers: range) -> int:
    """SOS of these homes, routed; answers how many questions that took."""
    where = lane(urgent=True)
    for n in numbers:
        put(where, [sig("sos")], key=imei(n, "2"))
    with CaptureQueriesContext(connection) as asked:
        assert routing.route_some(urgent=True, limit=100).outcomes == {"opened": len(numbers)}
    return len(asked)


@pytest.mark.req("SEN-09", "INC-01", "INC-10")
def test_two_thousand_dark_homes_and_twenty_sos(
    cell: list[int], taker: Taker, let_pass: Callable[[timedelta], None]
) -> None:
    over: list[StormOver] = []
    facts.reacts(StormOver, over.append)
    dark, light = cell[:DARK], cell[DARK:]
    overdue = dark[:30]  # their deadline had passed before the outage began: these silences are their own
    past = clock.now() - timedelta(minutes=30)
    HomeWatch.objects.filter(home_id__in=overdue).update(hard_at=past, soft_at=past, look_at=past)
    calm = press(range(DARK, DARK + PRESSED))  # what twenty presses cost on a quiet day
    let_pass(timedelta(hours=3))
    heard(light)
    with CaptureQueriesContext(connection) as asked:
        storms.look()
    assert len(asked) < 40, "a storm is found in few questions, however many homes it has"
    sensing.sweep()

    (storm,) = Storm.objects.all()
    assert (storm.kind, storm.key) == ("cell", "111")
    assert Alarm.objects.filter(kind="storm").count() == 1
    listed = set(storm.homes.values_list("home_id", flat=True))
    assert listed == set(dark) - set(overdue)
    own = set(Alarm.objects.filter(kind__in=["no_data", "inactivity"]).values_list("home_id", flat=True))
    assert set(overdue) <= own, "what was due before the outage is no part of it"
    assert own | listed == set(dark), "nobody is hidden"

    stormy = press(range(100, 100 + PRESSED))
    assert stormy <= calm + 3, "an SOS costs in a storm what it costs on a quiet day"
    rings = Alarm.objects.filter(kind="sos", home_id__in=cell[100 : 100 + PRESSED])
    assert rings.count() == PRESSED
    assert {(a.priority, a.state, a.case_kind) for a in rings} == {(9, "open", "incident")}
    assert len({a.case_id for a in rings} | {storm.alarm.case_id}) == PRESSED + 1, "each is a case of her own"

    for kind, dty in (("gas", "0021"), ("smoke", "0020"), ("fall", "0012")):
        put(lane(urgent=True), [sig(kind, dty=dty, stc="0009")], key=imei(200, "2"))
    routing.route_some(urgent=True, limit=10)
    told = Alarm.objects.filter(home_id=cell[200]).exclude(kind="sos")
    assert told.count() >= 1
    assert all(a.case_id != storm.alarm.case_id for a in told)

    with CaptureQueriesContext(connection) as asked:
        storms.look()
        storms.call_list(storm.pk, start=1500)
    assert len(asked) < 20
    first, count = storms.call_list(storm.pk, size=50)
    assert count == len(listed)
    assert [r.rank for r in first] == sorted(r.rank for r in first)
    assert {Elder.objects.get(home_id=r.home_id).ability for r in first} == {"total"}, "the most vulnerable first"
    storms.called(row_id=first[0].pk, by=BY, result="again")
    storms.called(row_id=first[1].pk, by=BY, result="sent")
    again, _ = storms.call_list(storm.pk, size=50)
    assert again[0].pk == first[0].pk, "who did not answer is still to be called"
    assert first[1].pk not in {r.pk for r in again}
    assert storms.counts(storm.pk)["waiting"] == len(listed) - 1

    let_pass(timedelta(minutes=30))
    heard([*light, *dark[500:]])
    sensing.sweep()
    left = set(StormHome.objects.filter(back_at=None).values_list("home_id", flat=True))
    assert left == set(dark[30:500]), "each home leaves when it is heard"
    assert not over
    let_pass(timedelta(minutes=30))
    heard(cell)
    sensing.sweep()
    storm.refresh_from_db()
    assert storm.ended_at is not None
    assert len(over) == 1
    assert not StormHome.objects.filter(back_at=None).exists()
