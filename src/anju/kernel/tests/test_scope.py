"""Who may read and write which rows."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.django import TestCase

from anju.kernel.flow import engine
from anju.kernel.flow.actor import Actor
from anju.kernel.scope import EVERYWHERE, NOBODY, NoScope, OpenModel, OutOfScope, Scope, seen_by, unscoped_models
from anju.kernel.tests.samples import CITY, OTHER_STREET, STREET, House, Lamp, Parcel

pytestmark = pytest.mark.req("REG-01", "SYS-01")
codes = st.text("0123456789", min_size=12, max_size=12)
prefixes = st.lists(st.text("0123456789", max_size=12), max_size=3).map(tuple)
prefixes |= st.just((STREET[:9],))
scopes = st.builds(Scope, prefixes, st.lists(st.integers(1, 5), max_size=2).map(tuple))


@pytest.fixture
def streets(db):
    with seen_by(EVERYWHERE):
        made = {p: House.objects.create(place=p, owner=n) for n, p in enumerate((STREET, OTHER_STREET, CITY), 1)}
        for house in made.values():
            Lamp.objects.create(house=house)
    return made


@pytest.mark.parametrize("model", [House, Lamp])
@pytest.mark.parametrize(
    ("scope", "seen"),
    [
        (EVERYWHERE, 3), (NOBODY, 0), (Scope(("330199",)), 3), (Scope(("330199001",)), 1), (Scope((STREET,)), 1),
        (Scope((STREET, OTHER_STREET)), 2), (Scope(elders=(2,)), 1), (Scope((STREET,), elders=(1, 3)), 2),
    ],
)  # fmt: skip
def test_a_person_sees_exactly_their_rows(streets, model, scope, seen):
    with seen_by(scope):
        assert model.objects.count() == seen
        assert model.unscoped.count() == 3


@pytest.mark.parametrize("act", [
    lambda h: House.objects.count(), lambda h: House.objects.create(place=CITY), lambda h: h.save(), lambda h: h.delete(),
    lambda h: House.unscoped.update(owner=1), lambda h: House.unscoped.bulk_create([House(place=CITY)]), lambda h: h.lamps.count(),
])  # fmt: skip
def test_without_a_scope_nothing_is_read_or_written(streets, act):
    with pytest.raises(NoScope):
        act(streets[CITY])


WRITES = {
    "create": lambda h, lamp: House.objects.create(place=h.place),
    "create a child": lambda h, lamp: Lamp.objects.create(house=h),
    "save": lambda h, lamp: h.save(),
    "save a child": lambda h, lamp: lamp.save(update_fields=["name"]),
    "delete": lambda h, lamp: lamp.delete(),
    "update": lambda h, lamp: House.unscoped.filter(pk=h.pk).update(owner=9),
    "update the place": lambda h, lamp: House.unscoped.filter(pk=h.pk).update(place=STREET),
    "update children": lambda h, lamp: Lamp.unscoped.filter(pk=lamp.pk).update(name="x"),
    "delete many": lambda h, lamp: Lamp.unscoped.filter(pk=lamp.pk).delete(),
    "bulk_create": lambda h, lamp: House.objects.bulk_create([House(place=h.place)]),
    "bulk_update": lambda h, lamp: House.unscoped.bulk_update([h], ["owner"]),
    "get_or_create": lambda h, lamp: House.objects.get_or_create(owner=99, defaults={"place": h.place}),
}


@pytest.mark.parametrize("write", WRITES.values(), ids=WRITES)
def test_writes_pass_the_same_gate(streets, write):
    here, there = streets[STREET], streets[OTHER_STREET]
    lamps = {lamp.house_id: lamp for lamp in Lamp.unscoped.all()}
    with seen_by(Scope(("330199001",))):
        with pytest.raises(OutOfScope):
            write(there, lamps[there.pk])
        write(here, lamps[here.pk])


def test_no_row_is_moved_in_or_out_of_a_scope(streets):
    here, there = streets[STREET], streets[OTHER_STREET]
    with seen_by(Scope(("330199001",))):
        with pytest.raises(OutOfScope):
            House.objects.update(place=OTHER_STREET)
        here.place = OTHER_STREET
        with pytest.raises(OutOfScope):
            here.save()
        there.place = STREET  # grabbing somebody else's row
        with pytest.raises(OutOfScope):
            there.save()
        with pytest.raises(OutOfScope):
            House.unscoped.bulk_update([there], ["place"])
        lamp = Lamp.objects.get()
        with pytest.raises(OutOfScope):
            Lamp.objects.update(house=streets[CITY])
        House.objects.update(place="330199001003")
        lamp.name = "新"
        lamp.save()
    assert House.unscoped.get(pk=here.pk).place == "330199001003"


def test_the_engine_moves_only_what_its_actor_may_see(db):
    boss = Actor("老李", frozenset({"boss"}))
    with seen_by(EVERYWHERE):
        parcel = Parcel(place=OTHER_STREET)
        engine.begin(parcel, boss)
    with seen_by(Scope(("330199001",))), pytest.raises(OutOfScope):
        engine.make(parcel, "cancel", boss)
    with seen_by(Scope(("330199002",))):
        engine.make(parcel, "cancel", boss)
    assert parcel.state == "done"


@given(scopes, codes, st.integers(1, 5))
def test_covering_is_prefix_or_own_elder_and_nothing_else(scope, place, elder):
    wanted = any(place[: len(p)] == p for p in scope.places) or elder in scope.elders
    assert scope.covers(place, elder=elder) == wanted
    assert EVERYWHERE.covers(place)
    assert not NOBODY.covers(place, elder=elder)


@given(scopes, st.text("0123456789", max_size=11), codes)
def test_a_wider_prefix_covers_whatever_a_narrower_one_does(scope, prefix, place):
    if Scope((prefix + "1",)).covers(place):
        assert Scope((prefix,)).covers(place)


def test_an_empty_place_is_seen_by_nobody_but_the_platform():
    assert not Scope(("330199",)).covers("")
    with pytest.raises(ValueError, match="digits"):
        Scope(("3301%",))


class Silent(OpenModel):
    class Meta:
        app_label = "kernel_samples"
        abstract = False


class Plain(OpenModel):
    scope_reason = "a dictionary that everybody reads"

    class Meta:
        app_label = "kernel_samples"


def test_a_model_without_scope_or_reason_is_found():
    assert unscoped_models([House, Lamp, Plain, Silent]) == ["kernel_samples.Silent"]


class TestTheFilterIsTheRule(TestCase):
    """What the database finds is exactly what `covers` says, for any scope and any rows."""

    @settings(max_examples=60, deadline=None)
    @given(
        scopes, st.lists(st.tuples(codes | st.sampled_from([STREET, CITY]), st.none() | st.integers(1, 5)), max_size=8)
    )
    def test_rows_and_covers_agree(self, scope, rows):
        with seen_by(EVERYWHERE):
            House.objects.all().delete()
            made = House.objects.bulk_create([House(place=place, owner=owner) for place, owner in rows])
        with seen_by(scope):
            found = set(House.objects.values_list("pk", flat=True))
        assert found == {h.pk for h in made if scope.covers(h.place, elder=h.owner)}
