"""Roles, posts and scope: who sees and may do what. SYS-01, REG-01."""

from datetime import date, timedelta

import pytest
from django.core.exceptions import PermissionDenied
from hypothesis import given
from hypothesis import strategies as st

from anju.accounts import actions, queries, rules
from anju.accounts.models import Posting, User
from anju.accounts.permissions import ALLOWED, THE_PLATFORM, may
from anju.accounts.roles import Role
from anju.accounts.rules import ADMINISTRATORS, BY_ELDER, BY_PLACE, BY_PROVIDER, Post
from anju.accounts.tests.factories import PASSWORD, make_user
from anju.alarms import corrections, readings, states, utility, whereabouts
from anju.calls.campaigns import actions as campaigns
from anju.calls.planned import actions as planned
from anju.elders import actions as files
from anju.elders import families, papers, rights, scans
from anju.kernel import clock
from anju.kernel.flow.actor import Actor
from anju.kernel.scope import NOBODY, OutOfScope, Scope
from anju.places import actions as place_actions
from anju.places.rules import prefix_of
from anju.places.tests.factories import DISTRICT, LOTUS, SPRING, TIDE, WILLOW, make_district
from anju.supervision.contacts import actions as contacts

db = pytest.mark.django_db
req = pytest.mark.req("SYS-01")
CODES = [
    "330199000000",
    "330199001000",
    "330199001001",
    "330199002000",
    "330199002004",
    "33019900200407",
    "330108001000",
]
TODAY = date(2026, 11, 20)
posts = st.lists(
    st.builds(
        Post,
        role=st.sampled_from(list(Role)),
        place=st.sampled_from(CODES),
        elder=st.none() | st.integers(1, 5),
        provider=st.none() | st.integers(1, 3),
        until=st.none() | st.dates(TODAY - timedelta(days=3), TODAY + timedelta(days=3)),
    ),
    max_size=5,
)
rows = st.tuples(st.sampled_from(CODES), st.none() | st.integers(1, 5), st.none() | st.integers(1, 3))


@req
@given(posts=posts, row=rows)
def test_a_scope_covers_a_row_exactly_when_one_living_post_does(posts, row):
    reach = rules.reach_of(posts, TODAY, roles=frozenset(Role) - ADMINISTRATORS)
    place, elder, provider = row
    seen = Scope(reach.places, reach.elders, reach.providers).covers(place, elder=elder, provider=provider)

    def gives(post):
        if post.until is not None and post.until < TODAY:
            return False
        return (
            (post.role in BY_PLACE and place.startswith(prefix_of(post.place)))
            or (post.role in BY_ELDER and post.elder is not None and post.elder == elder)
            or (post.role in BY_PROVIDER and post.provider is not None and post.provider == provider)
        )

    assert seen == any(gives(p) for p in posts)


@req
@given(posts=posts, more=posts)
def test_a_further_post_never_takes_away_and_an_administrator_adds_no_elder(posts, more):
    roles = frozenset(Role) - ADMINISTRATORS
    few, many = rules.reach_of(posts, TODAY, roles=roles), rules.reach_of(posts + more, TODAY, roles=roles)
    assert all(Scope(many.places).covers(p) for p in few.places)
    assert set(few.elders) <= set(many.elders)
    officers = [Post(r, DISTRICT) for r in ADMINISTRATORS]
    assert rules.reach_of(posts + officers, TODAY, roles=roles) == few


@req
@given(held=st.frozensets(st.sampled_from(list(Role))), wanted=st.sampled_from(list(Role)))
def test_two_administrators_are_never_one_person(held, wanted):
    two = (
        len(ADMINISTRATORS & (held | {wanted})) > 1
        and wanted in ADMINISTRATORS
        and bool(ADMINISTRATORS & held - {wanted})
    )
    assert bool(rules.conflict(held, wanted)) == two


@db
@pytest.mark.req("SYS-01", "REG-01")
def test_each_post_sees_its_own_subtree(everywhere):
    make_district()
    for role, place, seen in (
        (Role.BUREAU, DISTRICT, ("330199",)),
        (Role.STREET, SPRING, ("330199001",)),
        (Role.COMMUNITY, LOTUS, (LOTUS,)),
        (Role.GRID_WORKER, LOTUS + "07", (LOTUS + "07",)),
        (Role.AGENT, DISTRICT, ("330199",)),
    ):
        assert queries.scope_of(make_user(role, place=place)) == Scope(places=seen)
    assert queries.scope_of(make_user(Role.ELDER, elder_id=7)) == Scope(elders=(7,))
    assert queries.scope_of(make_user(Role.FAMILY, elder_id=7)) == NOBODY, "nobody agreed that her family looks"
    assert queries.scope_of(make_user(Role.PROVIDER, provider_id=3)) == Scope(providers=(3,))
    for role in ADMINISTRATORS | {Role.VOLUNTEER}:
        assert queries.scope_of(make_user(role)) == NOBODY
    boss = make_user(Role.SECURITY_ADMIN)
    assert queries.reach_of(boss) == Scope(places=("330199",))


@db
@req
def test_an_expired_post_gives_nothing(let_pass, everywhere):
    make_district()
    user = make_user(Role.STREET, place=SPRING, until=clock.today())
    assert queries.roles_of(user) == {Role.STREET}
    assert may(queries.actor_of(user), "elder.register")
    let_pass(days=1)
    assert queries.roles_of(user) == frozenset()
    assert queries.scope_of(user) == NOBODY
    assert not may(queries.actor_of(user), "elder.register")
    assert queries.holders(Role.STREET, place=LOTUS) == []


@db
@req
def test_three_administrators_are_three_people(everywhere):
    make_district()
    boss = queries.actor_of(make_user(Role.SECURITY_ADMIN))
    user = make_user(Role.SYSTEM_ADMIN)
    for other in (Role.SECURITY_ADMIN, Role.AUDIT_ADMIN):
        with pytest.raises(actions.NotAccepted, match="三员分立"):
            actions.grant(user=user, role=other, place=DISTRICT, by=boss)
        with pytest.raises(actions.NotAccepted, match="三员分立"):
            actions.grant(user=user, role=other, place=SPRING, by=THE_PLATFORM)  # nor the platform itself
    actions.grant(user=user, role=Role.SYSTEM_ADMIN, place=SPRING, by=boss)
    assert queries.roles_of(user) == {Role.SYSTEM_ADMIN}
    assert not user.is_superuser


@db
@req
def test_posts_are_given_only_by_the_security_administrator_inside_her_reach(everywhere):
    make_district()
    boss, user = make_user(Role.SECURITY_ADMIN, place=SPRING), make_user()
    me = queries.actor_of(boss)
    with pytest.raises(OutOfScope, match="听潮街道"):
        actions.grant(user=user, role=Role.STREET, place=TIDE, by=me)
    with pytest.raises(OutOfScope):
        actions.grant(user=user, role=Role.BUREAU, place=DISTRICT, by=me)
    with pytest.raises(actions.NotAccepted, match="自己"):
        actions.grant(user=boss, role=Role.STREET, place=SPRING, by=me)
    with pytest.raises(actions.NotAccepted, match="选定一位老人"):
        actions.grant(user=user, role=Role.FAMILY, place=LOTUS, by=me)
    with pytest.raises(actions.NotAccepted, match="没有区域"):
        actions.grant(user=user, role=Role.STREET, place="330199001009", by=me)
    with pytest.raises(actions.NotAccepted, match="已过"):
        actions.grant(user=user, role=Role.STREET, place=SPRING, by=me, until=clock.today() - timedelta(days=1))
    posting = actions.grant(user=user, role=Role.STREET, place=SPRING, by=me)
    assert queries.roles_of(user) == {Role.STREET}
    far = queries.actor_of(make_user(Role.SECURITY_ADMIN, place=TIDE))
    with pytest.raises(OutOfScope):
        actions.revoke(posting_id=posting.pk, by=far)
    actions.revoke(posting_id=posting.pk, by=me)
    assert queries.roles_of(User.objects.get(pk=user.pk)) == frozenset()


@db
@req
def test_the_list_of_users_shows_only_ones_reach(everywhere):
    make_district()
    here, there = make_user(Role.STREET, place=SPRING), make_user(Role.COMMUNITY, place=WILLOW)
    boss = make_user(Role.SECURITY_ADMIN, place=SPRING)
    names = {u.username for u in queries.users(reach=queries.reach_of(boss))}
    assert here.username in names
    assert there.username not in names
    row = next(u for u in queries.users(reach=Scope(("",))) if u.id == there.pk)
    assert (row.posts[0].label, row.posts[0].place_name, row.posts[0].live) == ("社区", "柳塘社区", True)


@db
@req
def test_pages_go_to_the_leads_of_a_place_and_of_what_is_around_it(everywhere):
    make_district()
    lead, other = make_user(Role.LEAD, place=DISTRICT), make_user(Role.LEAD, place=TIDE)
    assert [u.id for u in queries.on_duty_leads(LOTUS)] == [lead.pk]
    assert [u.id for u in queries.on_duty_leads(WILLOW)] == [lead.pk, other.pk]
    agent = make_user(Role.AGENT)
    assert {u.id for u in queries.agents()} == {lead.pk, other.pk, agent.pk}


DOORS = {
    "user.create": lambda by: actions.create_user(username=f"n{by.user_id}", name="某", password=PASSWORD, by=by),
    "user.switch": lambda by: actions.switch(user=make_user(), active=False, reason="离职", by=by),
    "user.reset_password": lambda by: actions.set_password(user=make_user(), password=PASSWORD, by=by),
    "user.grant": lambda by: actions.grant(user=make_user(), role=Role.STREET, place=SPRING, by=by),
    "user.revoke": lambda by: actions.revoke(posting_id=0, by=by),
    "user.unlock": lambda by: actions.unlock(user=make_user(), by=by),
    "user.forget_second_factor": lambda by: actions.forget_second_factor(user=make_user(), reason="遗失", by=by),
    "token.issue": lambda by: actions.issue_token(user=make_user(), name="x", by=by),
    "token.revoke": lambda by: actions.revoke_token(token_id=0, by=by),
    "place.change": lambda by: place_actions.put_place(code=LOTUS, name="荷汀社区", by=by),
    "policy.set": lambda by: place_actions.set_policy(place=DISTRICT, data={}, reason="试", by=by),
    "elder.register": lambda by: files.register_home(place=LOTUS, by=by),
    "elder.change": lambda by: files.change_elder(elder_id=0, by=by),
    "elder.approve": lambda by: files.approve(elder_id=0, by=by),
    "elder.suspend": lambda by: files.suspend(elder_id=0, reason="x", by=by),
    "elder.end": lambda by: files.end(elder_id=0, reason="x", by=by),
    "elder.export": lambda by: rights.copy_of(elder_id=0, reason="x", by=by),
    "elder.erase": lambda by: rights.erase(elder_id=0, reason="x", by=by),
    "paper.print": lambda by: papers.fill(elder_id=0, code="consent", reason="x", by=by),
    "acceptance.print": lambda by: papers.fill(elder_id=0, code="acceptance", reason="x", by=by),
    "consent.record": lambda by: files.record_consent(elder_id=0, by=by, scope=[], signed_by="", document=""),
    "consent.scan": lambda by: scans.take(scan_id=0, reason="x", by=by),
    "consent.withdraw": lambda by: files.withdraw_consent(consent_id=0, reason="x", by=by),
    "contact.change": lambda by: files.add_contact(elder_id=0, kind="guardian", name="x", phone="110", by=by),
    "contact.flag": lambda by: files.flag_contact(contact_id=0, reason="x", by=by),
    "history.append": lambda by: files.append_history(elder_id=0, text="x", by=by),
    "family.open": lambda by: families.open_account(contact_id=0, by=by),
    "family.write": lambda by: contacts.from_family(elder_id=0, text="x", by=by),
    "home.state": lambda by: states.say_state(home_id=0, kind="holiday", until=clock.now(), by=by),
    "rhythm.correct": lambda by: corrections.ignore_day(home_id=0, day=TODAY, by=by),
    "call.plan": lambda by: planned.end(plan_id=0, by=by),
    "call.campaign": lambda by: campaigns.stop(campaign_id=0, by=by),
    "meters.deliver": lambda by: utility.deliver(rows=[], by=by),
    "fence.set": lambda by: whereabouts.end_fence(home_id=0, by=by),
    "health.limit": lambda by: readings.end_limit(elder_id=0, measure="pulse", by=by),
}
PAGES = {"users.read", "audit.read", "dictionary.change", "elder.read"}
"""Checked by pages, not by actions."""


@req
def test_every_permission_has_a_door_and_every_door_a_permission():
    assert set(DOORS) | PAGES == set(ALLOWED)


@db
@req
@pytest.mark.parametrize("what", sorted(DOORS))
def test_the_matrix_holds_for_every_role(what, everywhere):
    make_district()
    for role in Role:
        user = make_user(role)
        by = queries.actor_of(user)
        try:
            DOORS[what](by)
            refused = False
        except PermissionDenied as no:
            refused = not isinstance(no, OutOfScope)
        except (LookupError, ValueError, User.DoesNotExist, Posting.DoesNotExist, Exception):  # noqa: BLE001 - any other refusal
            refused = False
        assert refused == (role not in ALLOWED[what]), f"{role} {what}"


@req
def test_what_is_not_in_the_table_nobody_may_do():
    assert not any(may(Actor("x", frozenset({r.value})), "elder.sell") for r in Role)
    assert not may(Actor("x", frozenset()), "elder.read")
