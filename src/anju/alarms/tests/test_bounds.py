"""The worst case of every home is stored by the sweep: in rounds, in few questions, with its cause and what it would win."""

from __future__ import annotations

import math
from datetime import timedelta

import pytest

from anju.alarms import bounds, sensing
from anju.alarms.models import HomeWatch, HomeWorst, Storm, StormHome
from anju.alarms.worst_case import BLIND
from anju.devices import actions as devices
from anju.devices.models import Vitals
from anju.elders.tests.factories import ElderFactory
from anju.kernel import clock
from anju.kernel.scope import EVERYWHERE, seen_by

pytestmark = pytest.mark.django_db


def a_home(
    n: int, *, heard: timedelta | None = timedelta(minutes=20), battery: int = 80, where: str = "过道"
) -> HomeWatch:
    """A watched home that has been learnt for a month; its sensor was heard so long ago."""
    home = ElderFactory().home
    device = devices.register(imei=f"86100000000{n:04d}", product_code="pir-nb1")
    devices.install(device_id=device.pk, home_id=home.pk, place=home.place, position=where)
    now = clock.now()
    at = now - heard if heard is not None else None
    Vitals.objects.update_or_create(device=device, defaults={"last_heard_at": at, "battery": battery})
    stamp = at.timestamp() if at else 0.0
    return HomeWatch.objects.create(
        home_id=home.pk, place=home.place, watched=True, first_at=now - timedelta(days=30), last_life_at=at, heard_until=at,
        covered_until=at, hard_at=at and at + timedelta(hours=9), soft_at=at and at + timedelta(hours=5), period=3600,
        ears={str(device.pk): {"at": stamp, "to": stamp}} if at else {},
    )  # fmt: skip


@pytest.fixture
def products(db: None) -> None:
    with seen_by(EVERYWHERE):
        devices.load_products()


@pytest.mark.req("SEN-08", "DEV-05")
def test_what_is_deaf_stands_before_what_is_slow_and_says_since_when(products: None) -> None:
    with seen_by(EVERYWHERE):
        well, low = a_home(1), a_home(2, battery=5)
        deaf, told = a_home(3, heard=timedelta(hours=6)), a_home(4, heard=timedelta(hours=40))
        HomeWatch.objects.filter(pk=told.pk).update(raised=["no_data", "hard"])
        off = a_home(5)
        HomeWatch.objects.filter(pk=off.pk).update(watched=False, why_not=sensing.NO_CONSENT)
        bounds.store(list(HomeWatch.objects.all()))
        kept = {w.home_id: w for w in HomeWorst.objects.all()}
        assert [kept[h.pk].cause for h in (deaf, told, off)] == ["deaf", "deaf", "off"]
        assert math.isinf(kept[told.pk].hours)
        assert math.isinf(kept[off.pk].hours)
        assert kept[off.pk].measure == "consent"
        since = clock.local(clock.now() - timedelta(hours=6))
        assert f"自 {since:%m-%d %H:%M}" in kept[deaf.pk].words
        assert kept[deaf.pk].won > kept[low.pk].won > kept[well.pk].won
        assert kept[low.pk].measure == "battery"
        assert kept[deaf.pk].device_id is not None
        ranked, many = bounds.repairs()
        assert many == len(ranked)
        assert [r.won for r in ranked] == sorted((r.won for r in ranked), reverse=True)
        assert {ranked[0].home_id, ranked[1].home_id} == {told.pk, deaf.pk}
        assert [r.home_id for r in bounds.repairs(cause="off")[0]] == [off.pk], "a signature is no repair"
        assert bounds.longest()[0].home_id == told.pk
        assert all(0 < r.won <= BLIND for r in ranked)
        stats = bounds.summary()
        assert (stats["homes"], stats["never"]) == (5, 2)


@pytest.mark.req("SEN-08")
def test_a_round_takes_the_oldest_and_every_home_comes_round(products: None, let_pass, monkeypatch) -> None:
    monkeypatch.setattr(bounds, "AT_ONCE", 3)
    with seen_by(EVERYWHERE):
        homes = [a_home(n) for n in range(7)]
    assert bounds.renew() == 7
    assert bounds.renew() == 0
    let_pass(bounds.ROUND / 2)
    with seen_by(EVERYWHERE):
        bounds.store([homes[0]])
    let_pass(bounds.ROUND / 2 + timedelta(seconds=1))
    assert bounds.renew() == 6
    with seen_by(EVERYWHERE):
        assert all(clock.now() - w.computed_at <= bounds.ROUND for w in HomeWorst.objects.all())
        before = HomeWorst.objects.get(pk=homes[1].pk)
        HomeWatch.objects.filter(pk=homes[1].pk).update(raised=["no_data", "hard"])
        Vitals.objects.filter(device__home_id=homes[1].pk).update(last_heard_at=clock.now() - timedelta(days=1))
    assert not math.isinf(before.hours)
    let_pass(bounds.ROUND + timedelta(seconds=1))
    bounds.renew()
    with seen_by(EVERYWHERE):
        assert math.isinf(HomeWorst.objects.get(pk=homes[1].pk).hours)


@pytest.mark.req("SEN-08", "SEN-09")
def test_a_storm_and_a_pause_are_causes_of_their_own(products: None) -> None:
    with seen_by(EVERYWHERE):
        dark, away = a_home(1, heard=timedelta(hours=6)), a_home(2)
        now = clock.now()
        storm = Storm.objects.create(place=dark.place, kind="cell", key="7", since=now, opened_at=now)
        row = StormHome.objects.create(storm=storm, home_id=dark.pk, place=dark.place, since=now, rank=0)
        HomeWatch.objects.filter(pk=away.pk).update(paused_until=now + timedelta(days=2))
        bounds.store(list(HomeWatch.objects.all()))
        kept = {w.home_id: w for w in HomeWorst.objects.all()}
        assert (kept[dark.pk].cause, kept[dark.pk].hours) == ("storm", math.inf)
        assert kept[away.pk].cause == "paused"
        assert kept[away.pk].hours > 48
        assert kept[away.pk].won == 0
        StormHome.objects.filter(pk=row.pk).update(called_at=now)
        bounds.store([HomeWatch.objects.get(pk=dark.pk)])
        assert HomeWorst.objects.get(pk=dark.pk).cause == "deaf"


@pytest.mark.req("SEN-08")
def test_a_round_asks_as_much_for_many_homes_as_for_few(products: None, django_assert_max_num_queries) -> None:
    with seen_by(EVERYWHERE):
        rows = [a_home(n) for n in range(12)]
        with django_assert_max_num_queries(5):
            bounds.store(rows[:2])
        with django_assert_max_num_queries(5):
            bounds.store(rows)
