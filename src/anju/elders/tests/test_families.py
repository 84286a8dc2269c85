"""Who of her family may look, and from when to when; what two people of one home share. SYS-01, SYS-02, SYS-09."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.core.exceptions import PermissionDenied

from anju.accounts import queries as accounts
from anju.accounts.models import Posting, User
from anju.accounts.roles import Role
from anju.accounts.tests.factories import make_user
from anju.alarms.models import HomeState
from anju.elders import actions, families
from anju.elders.checks import NotAccepted
from anju.elders.models import Contact, Elder, Home
from anju.elders.tests.factories import ConsentFactory, ContactFactory, ElderFactory, HomeFactory
from anju.kernel import clock
from anju.kernel.models import AuditLine
from anju.kernel.scope import EVERYWHERE, NOBODY, OutOfScope, Scope, seen_by
from anju.places.tests.factories import LOTUS, SPRING, WILLOW, make_district

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("everywhere"), pytest.mark.req("SYS-01")]


def state(home: Home) -> HomeState:
    now = clock.now()
    return HomeState(home=home, place=home.place, kind="visitor", since=now, until=now + timedelta(days=1), said_by="x")


def test_what_belongs_to_a_home_is_each_ones_who_lives_there_once_and_writes_pass_the_same_gate() -> None:
    """Both see one row of their home, neither sees the neighbours'; who moves sees where she lives now."""
    here, there = HomeFactory(), HomeFactory()
    one, two, other = ElderFactory(home=here), ElderFactory(home=here, main=False), ElderFactory(home=there)
    for home in (here, there):
        state(home).save()
    for scope, seen in (
        (Scope(elders=(one.pk,)), [here]), (Scope(elders=(one.pk, two.pk)), [here]), (Scope(elders=(two.pk, other.pk)), [here, there]),
        (Scope(elders=(other.pk + 99,)), []), (Scope(("330199002",), elders=(other.pk,)), [there]), (EVERYWHERE, [here, there]),
    ):  # fmt: skip
        with seen_by(scope):
            assert list(Home.objects.order_by("pk")) == seen
            rows = HomeState.objects.order_by("home").select_for_update(of=("self",))
            assert [s.home_id for s in rows] == [h.pk for h in seen]
    with seen_by(Scope(elders=(one.pk, two.pk))):
        HomeState.objects.get().save()
        HomeState.objects.update(note="客")
        state(here).save()
        for wrong in (
            state(there).save, there.save, lambda: HomeState.unscoped.filter(home=there).update(note="x"),
            lambda: HomeState.objects.update(home=there), HomeState.unscoped.filter(home=there).delete,
        ):  # fmt: skip
            with pytest.raises(OutOfScope):
                wrong()
    Elder.objects.filter(pk=one.pk).update(home=there, main=False)
    with seen_by(Scope(elders=(one.pk,))):
        assert [s.home_id for s in HomeState.objects.all()] == [there.pk]


def stage() -> tuple[Elder, Contact]:
    make_district()
    elder = ElderFactory(home=HomeFactory(place=LOTUS))
    return elder, ContactFactory(elder=elder, turn=1, name="顾敏", relation="女儿")


def sees(user: User, elder: Elder) -> bool:
    user.held_posts = None
    with seen_by(accounts.scope_of(user)):
        return Elder.objects.filter(pk=elder.pk).exists()


@pytest.mark.req("SYS-02", "SYS-09")
def test_an_account_is_opened_for_a_guardian_under_a_consent_and_closed_at_once() -> None:
    elder, daughter = stage()
    agent = accounts.actor_of(make_user(Role.AGENT))
    with pytest.raises(NotAccepted, match="还没有签"):
        families.open_account(contact_id=daughter.pk, by=agent)
    ConsentFactory(elder=elder, scope=["monitor"])
    with pytest.raises(NotAccepted, match="还没有签"):
        families.open_account(contact_id=daughter.pk, by=agent)
    ConsentFactory(elder=elder, scope=["family"])
    grid = ContactFactory(elder=elder, turn=2, kind="grid")
    with pytest.raises(NotAccepted, match="监护人"):
        families.open_account(contact_id=grid.pk, by=agent)
    opened = families.open_account(contact_id=daughter.pk, by=agent)
    user = User.objects.get(username=opened.username)
    assert user.check_password(opened.password)
    assert accounts.must_change_password(user), "the one-time password opens nothing but the page to change it"
    assert not accounts.needs_second_factor(user)
    assert accounts.scope_of(user) == Scope(elders=(elder.pk,))
    assert sees(user, elder)
    with pytest.raises(NotAccepted, match="已有家属账号"):
        families.open_account(contact_id=daughter.pk, by=agent)
    again = families.renew_account(contact_id=daughter.pk, by=agent)
    assert again.password != opened.password
    families.close_account(contact_id=daughter.pk, reason="本人不愿", by=agent)
    user.refresh_from_db()
    assert (user.is_active, user.name, user.has_usable_password()) == (False, "家属（已停用）", False)
    assert accounts.scope_of(user) == NOBODY
    lines = AuditLine.objects.filter(subject="elder", subject_id=str(elder.pk), action__startswith="family.")
    assert [line.action for line in lines.order_by("pk")] == ["family.open", "family.renew", "family.close"]
    assert lines.get(action="family.close").reason == "本人不愿"


def test_the_door_is_as_long_open_as_she_agrees(let_pass) -> None:
    elder, daughter = stage()
    agent, street = (
        accounts.actor_of(make_user(Role.AGENT)),
        accounts.actor_of(make_user(Role.COMMUNITY, place=LOTUS)),
    )
    first = ConsentFactory(elder=elder, scope=["family"], expires_on=clock.today() + timedelta(days=2))
    user = User.objects.get(username=families.open_account(contact_id=daughter.pk, by=agent).username)
    assert sees(user, elder)
    actions.withdraw_consent(consent_id=first.pk, reason="不愿", by=street)
    assert not sees(user, elder), "from this moment on"
    ConsentFactory(elder=elder, scope=["family"], expires_on=clock.today() + timedelta(days=2))
    assert sees(user, elder)
    let_pass(days=2)
    assert sees(user, elder), "the last day counts"
    let_pass(days=1)
    assert not sees(user, elder)
    ConsentFactory(elder=elder, scope=["family"])
    assert sees(user, elder)
    Elder.objects.filter(pk=elder.pk).update(status="ended", main=False)
    assert not sees(user, elder), "whoever lives there next is nobody of hers"


def test_two_parents_are_one_account_and_nobody_is_bound_by_a_name_alone() -> None:
    elder, daughter = stage()
    agent = accounts.actor_of(make_user(Role.AGENT))
    father = ElderFactory(home=elder.home, main=False)
    there = ContactFactory(elder=father, turn=1, name="顾敏", phone=daughter.phone)
    aunt = ElderFactory(home=HomeFactory(place=WILLOW))
    far = ContactFactory(elder=aunt, turn=1, name="顾敏", phone=daughter.phone)
    stranger = ContactFactory(elder=aunt, turn=2, name="某人")
    for one in (elder, father, aunt):
        ConsentFactory(elder=one, scope=["family"])
    opened = families.open_account(contact_id=daughter.pk, by=agent)
    beside = families.open_account(contact_id=there.pk, by=agent)
    assert (beside.username, beside.password) == (opened.username, "")
    with pytest.raises(NotAccepted, match="联系电话"):
        families.open_account(contact_id=stranger.pk, by=agent, username=opened.username)
    staff = make_user(Role.STREET, place=SPRING)
    with pytest.raises(NotAccepted, match="联系电话"):
        families.open_account(contact_id=far.pk, by=agent, username=staff.username)
    assert families.open_account(contact_id=far.pk, by=agent, username=opened.username.upper()).password == ""
    user = User.objects.get(username=opened.username)
    assert accounts.relatives_of(user) == {elder.pk, father.pk, aunt.pk}
    actions.change_contact(contact_id=there.pk, name="顾建国", by=agent)
    user.held_posts = None
    assert accounts.relatives_of(user) == {elder.pk, aunt.pk}, "another guardian is another person"
    actions.change_contact(contact_id=far.pk, has_key=True, by=agent)
    Elder.objects.filter(pk=aunt.pk).update(status="draft")
    actions.remove_contact(contact_id=far.pk, reason="搬走", by=agent)
    user.held_posts = None
    assert accounts.relatives_of(user) == {elder.pk}
    user.refresh_from_db()
    assert user.is_active, "she still has her mother"


def test_only_whoever_keeps_the_file_opens_an_account_and_only_inside_her_places() -> None:
    elder, daughter = stage()
    ConsentFactory(elder=elder, scope=["family"])
    with pytest.raises(PermissionDenied):
        families.open_account(contact_id=daughter.pk, by=accounts.actor_of(make_user(Role.SECURITY_ADMIN)))
    other = make_user(Role.COMMUNITY, place=WILLOW)
    with seen_by(accounts.scope_of(other)), pytest.raises(Contact.DoesNotExist):
        families.open_account(contact_id=daughter.pk, by=accounts.actor_of(other))
    own = make_user(Role.COMMUNITY, place=LOTUS)
    with seen_by(accounts.scope_of(own)):
        families.open_account(contact_id=daughter.pk, by=accounts.actor_of(own))
    post = Posting.objects.get(contact_id=daughter.pk)
    assert (post.granted_by_id, post.elder_id, post.place) == (own.pk, elder.pk, LOTUS), "the books name who opened it"
