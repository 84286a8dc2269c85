"""Devices: catalogue, registration out of quarantine, installation, test mode, health."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.core.management import call_command
from django.core.management.base import CommandError
from hypothesis import given, settings
from hypothesis import strategies as st

from anju.devices import actions, queries
from anju.devices.actions import UnknownNote, VitalsNote
from anju.devices.models import Device, Product
from anju.devices.profile import Profile, shipped
from anju.elders.models import Home
from anju.kernel import clock
from anju.kernel.scope import EVERYWHERE, OutOfScope, Scope, seen_by

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("everywhere")]
PLACE = "330199001001"


@pytest.fixture
def home() -> int:
    """An invented home, and the catalogue."""
    actions.load_products()
    return int(Home.objects.create(place=PLACE).pk)


def one(home: int | None = None, imei: str = "861000000000011", product: str = "sos-nb1") -> int:
    """A registered device, installed if a home is given."""
    device = actions.register(imei=imei, product_code=product, operator_id=f"d{imei}")
    if home:
        actions.install(device_id=device.pk, home_id=home, place=PLACE, position="卫生间")
    return int(device.pk)


@pytest.mark.req("DEV-01")
def test_profiles_are_loaded_as_data_and_a_wrong_one_stops_all(tmp_path: Any) -> None:
    assert actions.load_products() == len(shipped()) == actions.load_products()
    assert Product.objects.count() == len(shipped())
    good = tmp_path / "a.json"
    good.write_text('{"code":"x1","name":"x","maker":"m","kind":"gas","source":"ctwing","product_id":"1"}')
    bad = tmp_path / "b.json"
    bad.write_text(
        '{"code":"x2","name":"x","maker":"m","kind":"gas","source":"ctwing","product_id":"2","baterry_low":5}'
    )
    with pytest.raises(CommandError, match="baterry_low"):
        call_command("products", good, bad)
    assert not Product.objects.filter(code__in=["x1", "x2"]).exists()
    call_command("products", good)
    assert queries.profiles()["ctwing", "1"].dty == "0021"


def test_a_device_is_known_by_its_imei_and_by_the_operators_id(home: int) -> None:
    ident = one(home)
    found = queries.by_keys(["861000000000011", "d861000000000011", "nobody", ""])
    assert {k: d.id for k, d in found.items()} == {"861000000000011": ident, "d861000000000011": ident}
    info = found["861000000000011"]
    assert (info.lco, info.position, info.kind, info.place, info.battery_low) == ("011", "卫生间", "sos", PLACE, 20)
    with pytest.raises(actions.DeviceError, match="已经登记"):
        one(imei="861000000000011")


@pytest.mark.req("DEV-04")
def test_an_unknown_device_is_listed_and_registered_in_one_step(home: int) -> None:
    note = UnknownNote("861999", "op9", "ctwing", "15001001", clock.now(), ("sos",))
    actions.note_unknown([note, note])
    actions.note_unknown([note])
    (unknown,) = queries.unknown()
    assert (unknown.key, unknown.messages, unknown.product_code, unknown.last_kinds) == ("861999", 3, "sos-nb1", "sos")
    device = actions.register(imei=unknown.key, product_code=unknown.product_code, operator_id=unknown.operator_id)
    assert queries.unknown() == []
    assert queries.by_keys(["op9"])["op9"].id == device.pk


def test_a_device_is_in_one_home_at_a_time(home: int) -> None:
    ident = one(home)
    other = Home.objects.create(place=PLACE)
    with pytest.raises(actions.DeviceError, match="另一户"):
        actions.install(device_id=ident, home_id=other.pk, place=PLACE, position="卧室")
    actions.remove(device_id=ident, reason="搬家")
    assert Device.objects.get(pk=ident).status == "removed"
    assert queries.of_home(home) == []
    actions.install(device_id=ident, home_id=other.pk, place=PLACE, position="卧室")
    assert [h.device.lco for h in queries.of_home(other.pk)] == ["012"]


def test_test_mode_ends_by_itself_and_is_short(home: int, let_pass: Any) -> None:
    ident = one(home)
    actions.set_test_mode(device_id=ident, minutes=30)
    info = queries.by_id(ident)
    assert info is not None
    assert info.in_test(clock.now())
    let_pass(minutes=31)
    assert not info.in_test(clock.now())
    with pytest.raises(actions.DeviceError, match="120"):
        actions.set_test_mode(device_id=ident, minutes=600)
    actions.set_test_mode(device_id=ident, minutes=30)
    actions.set_test_mode(device_id=ident, minutes=0)
    info = queries.by_id(ident)
    assert info is not None
    assert not info.in_test(clock.now() + timedelta(seconds=1))


@pytest.mark.req("DEV-05")
def test_health_says_what_is_wrong(home: int, let_pass: Any) -> None:
    ident = one(home)
    now = clock.now()
    actions.note_vitals([VitalsNote(ident, now, battery=55, rsrp=-95, snr=12, cell_id=7)])
    health = queries.health_of([ident])[ident]
    assert (health.battery, health.rsrp, health.snr, health.cell_id, health.online, health.well) == (
        55,
        -95,
        12,
        7,
        True,
        True,
    )
    actions.note_vitals(
        [
            VitalsNote(ident, now + timedelta(seconds=5), battery=20),
            VitalsNote(ident, now + timedelta(seconds=1), battery=90),
        ]
    )
    health = queries.health_of([ident])[ident]
    assert (health.battery, health.low, health.well) == (20, True, False)
    actions.note_vitals([VitalsNote(ident, now + timedelta(seconds=9), tamper=True)])
    assert queries.health_of([ident])[ident].tamper
    assert queries.health_of([ident])[ident].battery == 20, "what a message does not say stays"
    assert queries.silent() == []
    let_pass(hours=26)
    (silent,) = queries.silent()
    assert silent.device.id == ident
    assert not silent.already_told
    actions.remove(device_id=ident, reason="故障")
    assert queries.silent() == [], "a device in nobody's home may be silent"


def test_a_device_that_never_spoke_is_silent_from_its_installation(home: int, let_pass: Any) -> None:
    ident = one(home)
    let_pass(hours=26)
    assert [s.device.id for s in queries.silent()] == [ident]


moments = st.integers(0, 1000)
maybe = st.none() | st.integers(0, 100)


@settings(max_examples=40, deadline=None)
@given(
    st.lists(st.tuples(moments, maybe, maybe, st.none() | st.booleans()), min_size=1, max_size=12), st.integers(0, 12)
)
def test_late_reports_never_overwrite_newer_ones(
    reports: list[tuple[int, int | None, int | None, bool | None]], cut: int
) -> None:
    with seen_by(EVERYWHERE):
        product, _ = Product.objects.get_or_create(
            code="h",
            defaults={"name": "h", "maker": "h", "kind": "sos", "source": "mqtt", "product_id": "h", "profile": {}},
        )
        device = Device.objects.create(imei=f"h{clock.now().timestamp()}", product=product)
        zero = clock.now()
        seen = {t: (t, b, r, x) for t, b, r, x in reports}  # one report a moment, in whatever order
        notes = [
            VitalsNote(device.pk, zero + timedelta(seconds=t), battery=b, rsrp=r, tamper=x)
            for t, b, r, x in seen.values()
        ]
        actions.note_vitals(notes[:cut])
        actions.note_vitals(notes[cut:])
        vitals = Device.objects.get(pk=device.pk).vitals
        assert vitals.last_heard_at == zero + timedelta(seconds=max(seen))
        newest_first = [seen[t] for t in sorted(seen, reverse=True)]
        if newest_first[0][1] is not None:
            assert vitals.battery == newest_first[0][1]
        if newest_first[0][3] is not None:
            assert vitals.tamper == newest_first[0][3]
        device.delete()


def test_vitals_are_written_by_the_platform_only(home: int) -> None:
    ident = one(home)
    with seen_by(Scope(places=(PLACE,))), pytest.raises(OutOfScope):
        actions.note_vitals([VitalsNote(ident, clock.now())])


def test_devices_are_seen_inside_the_scope_only(home: int) -> None:
    ident = one(home)
    with seen_by(Scope(places=("330199002",))):
        assert queries.by_id(ident) is None
        assert queries.by_keys(["861000000000011"]) == {}
        assert queries.health() == []
    with seen_by(Scope(places=("330199001",))):
        assert [h.device.id for h in queries.health()] == [ident]


@pytest.mark.req("SEN-03")
def test_a_profile_that_cannot_be_read_stops_nobody(home: int) -> None:
    ident = one(home)
    for broken in ([], {"report_every": "soon"}, {"properties": 5}, {"odd": 1}, None):
        Product.objects.filter(code="sos-nb1").update(profile=broken if broken is not None else {})
        assert queries.by_keys(["861000000000011"])["861000000000011"].id == ident
        assert len(queries.profiles()) == len(shipped())
        assert queries.silent() == []
    from anju.devices.admin import ProductForm

    good = {"code": "n", "name": "n", "maker": "m", "kind": "gas", "source": "ctwing", "product_id": "9"}
    assert ProductForm(good | {"profile": '{"report_every": 600}'}).is_valid()
    for wrong in ('{"report_evry": 600}', "[]", '{"properties": 5}'):
        assert "profile" in ProductForm(good | {"profile": wrong}).errors


def test_a_profile_says_only_what_is_special() -> None:
    profile = Profile.of({"code": "x", "kind": "door", "report_every": 600})
    assert (profile.dty, profile.silent_after, profile.battery_low) == ("0014", 1800, 20)
    assert profile.properties["Alarm_Status"]["*"] == "sos"
    with pytest.raises(ValueError, match="不认识"):
        Profile.of({"reportevery": 5})
