"""Writes stay in scope; history is only added to; couples, maps, audit. REG-01, SYS-01, INC-08."""

import pytest
from django.db import ProgrammingError, transaction

from anju.accounts import queries as accounts
from anju.accounts.permissions import THE_PLATFORM
from anju.accounts.roles import Role
from anju.accounts.tests.factories import make_user
from anju.elders import actions, queries
from anju.elders.models import Elder, HistoryLine, Home
from anju.elders.tests.factories import ConsentFactory, ContactFactory, ElderFactory, HomeFactory, complete
from anju.elders.tests.stage import DAY, community, register
from anju.kernel.models import AuditLine
from anju.kernel.scope import EVERYWHERE, OutOfScope, Scope, seen_by
from anju.places.tests.factories import LOTUS, SPRING, TIDE, WILLOW

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("district")]


@pytest.mark.req("REG-01", "SYS-01")
def test_nobody_writes_outside_her_places(let_pass):
    street = accounts.actor_of(make_user(Role.STREET, place=SPRING))
    elder = complete(ElderFactory(home=HomeFactory(place=WILLOW)))
    here = actions.register_home(place=LOTUS, address="荷汀苑", by=THE_PLATFORM)
    with seen_by(Scope(("330199001",))):
        with pytest.raises(OutOfScope):
            actions.register_home(place=TIDE, by=street)
        with pytest.raises(Home.DoesNotExist):
            actions.register_elder(home_id=elder.home_id, name="某", by=street)
        for act in (
            lambda: actions.change_elder(elder_id=elder.pk, hobbies="x", by=street),
            lambda: actions.add_contact(elder_id=elder.pk, kind="grid", name="x", phone="057110001234", by=street),
            lambda: actions.record_consent(
                elder_id=elder.pk, scope=["monitor"], signed_by="x", document="x", by=street
            ),
            lambda: actions.append_history(elder_id=elder.pk, text="x", by=street),
            lambda: actions.reveal(elder_id=elder.pk, field="phone", reason="x", by=street),
        ):
            with pytest.raises(Elder.DoesNotExist):
                act()
        with pytest.raises(OutOfScope):
            ContactFactory(elder=elder)  # also with the object in the hand
        elder.hobbies = "x"
        with pytest.raises(OutOfScope):
            elder.save()
        assert queries.elder(elder.pk) is None
        assert actions.register_elder(home_id=here.pk, name="某", by=street).home_id == here.pk


@pytest.mark.req("REG-01")
def test_a_grid_worker_sees_the_homes_of_her_grid_and_the_community_all():
    near = ElderFactory(home=HomeFactory(place=LOTUS, area=LOTUS + "01"))
    far = ElderFactory(home=HomeFactory(place=LOTUS, area=LOTUS + "02"))
    with seen_by(accounts.scope_of(make_user(Role.GRID_WORKER, place=LOTUS + "01"))):
        assert queries.elder(near.pk) is not None
        assert queries.elder(far.pk) is None
    with seen_by(accounts.scope_of(make_user(Role.COMMUNITY, place=LOTUS))):
        assert queries.elder(near.pk)
        assert queries.elder(far.pk)
    ConsentFactory(elder=near, scope=["family"])
    with seen_by(accounts.scope_of(make_user(Role.FAMILY, place=LOTUS, elder_id=near.pk))):
        assert queries.elder(near.pk).home.address
        assert queries.elder(far.pk) is None


@pytest.mark.req("INC-08")
def test_history_is_only_added_to():
    elder = ElderFactory()
    actions.append_history(elder_id=elder.pk, text="11-20 摔倒，送医，左腕骨折")
    actions.append_history(elder_id=elder.pk, text="11-23 回访，恢复好", by=accounts.actor_of(make_user(Role.AGENT)))
    assert [line.text for line in queries.history_of(elder.pk)] == ["11-20 摔倒，送医，左腕骨折", "11-23 回访，恢复好"]
    line = HistoryLine.objects.first()
    line.text = "没事"
    for undo in (line.save, line.delete):
        with pytest.raises(ProgrammingError, match="Cannot"), transaction.atomic():
            undo()


def test_a_home_lies_in_a_place_that_exists():
    for place, why in (("330199001009", "没有区域"), ("3301990010", "应为 12 位")):
        with pytest.raises(actions.NotAccepted, match=why):
            actions.register_home(place=place, by=THE_PLATFORM)


def test_coordinates_from_chinese_maps_are_kept_as_wgs84():
    home = actions.register_home(place=LOTUS, lon=120.2147, lat=30.2076, datum="gcj02", by=THE_PLATFORM)
    assert home.datum == "gcj02"
    assert abs(home.lon - 120.2101) < 0.0015
    assert abs(home.lat - 30.2101) < 0.0015
    with pytest.raises(actions.NotAccepted, match="填反"):
        actions.register_home(place=LOTUS, lon=30.2, lat=120.2, by=THE_PLATFORM)
    with pytest.raises(actions.NotAccepted, match="一起填"):
        actions.register_home(place=LOTUS, lon=120.2, by=THE_PLATFORM)


def test_every_change_leaves_a_line_without_personal_data():
    elder = register()
    actions.change_elder(elder_id=elder.pk, hobbies="种花", by=community())
    lines = AuditLine.objects.filter(subject="elder", subject_id=str(elder.pk))
    assert list(lines.order_by("id").values_list("action", "place")) == [
        ("elder.register", LOTUS),
        ("elder.change", LOTUS),
    ]
    assert lines.latest("id").detail == {"fields": ["hobbies"]}


def test_a_couple_shares_a_home_and_one_is_the_main_person():
    by = THE_PLATFORM
    home = actions.register_home(place=LOTUS, by=by)
    wife = actions.register_elder(home_id=home.pk, name="王桂兰", by=by)
    husband = actions.register_elder(home_id=home.pk, name="李福根", by=by)
    assert queries.main_elder(home.pk) == wife
    frozen = queries.freeze(home.pk, husband.pk, DAY)
    assert (frozen["elder"]["name"], [o["name"] for o in frozen["others"]]) == ("李福根", ["王桂兰"])
    with pytest.raises(actions.NotAccepted, match="已有主要服务对象"):
        actions.change_elder(elder_id=husband.pk, main=True, by=by)
    actions.end(elder_id=wife.pk, reason="去世", by=by)
    assert queries.main_elder(home.pk) == husband


def test_the_consent_factory_is_valid():
    with seen_by(EVERYWHERE):
        assert queries.covered(ConsentFactory().elder_id, "monitor")
