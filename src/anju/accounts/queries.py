"""What may be asked about users: their posts, their scope, who a token stands for."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from django.conf import settings
from django.contrib.auth.models import AnonymousUser
from django.db.models import Q

from anju.accounts import rules
from anju.accounts.models import ApiToken, Posting, User
from anju.accounts.roles import Role
from anju.accounts.rules import Post
from anju.kernel import clock, hooks
from anju.kernel.flow.actor import Actor
from anju.kernel.scope import NOBODY, Scope, current
from anju.places import queries as places

PASSWORD_DAYS = 90


@dataclass(frozen=True, slots=True)
class UserInfo:
    """A user as other modules need one: to page, to name."""

    id: int
    name: str
    phone: str
    seat_number: str


@dataclass(frozen=True, slots=True)
class PostRow:
    """One line of the page of users and roles."""

    posting_id: int
    role: Role
    label: str
    place: str
    place_name: str
    until: date | None
    live: bool


@dataclass(frozen=True, slots=True)
class UserRow:
    """A user with her posts, for the page of users and roles."""

    id: int
    username: str
    name: str
    seat_number: str
    is_active: bool
    is_demo: bool
    posts: list[PostRow]
    last_login: datetime | None
    second_factor: bool
    must_change_password: bool
    locked_until: datetime | None


@dataclass(frozen=True, slots=True)
class FamilyAccount:
    """The log-in of one contact of an elder, as her file shows it."""

    contact_id: int
    user_id: int
    username: str
    used: bool  # she has chosen a password of her own
    last_login: datetime | None


@dataclass(frozen=True, slots=True)
class TokenRow:
    """A token as a page shows it: never the token itself."""

    id: int
    user_name: str
    name: str
    prefix: str
    created_at: datetime
    expires_at: datetime | None
    last_used_at: datetime | None
    live: bool


def posts_of(user: User | AnonymousUser) -> list[Post]:
    """The user's posts that hold today; none for somebody who is switched off. Kept with the user object."""
    if not isinstance(user, User) or not user.is_active:
        return []
    if user.held_posts is None:
        user.held_posts = [_post(p) for p in Posting.unscoped.filter(user=user)]
    return rules.live(user.held_posts, clock.today())


def roles_of(user: User | AnonymousUser) -> frozenset[Role]:
    """Roles that the user holds now."""
    return frozenset(p.role for p in posts_of(user))


def scope_of(user: User | AnonymousUser) -> Scope:
    """What the user may see and write. Administrators see no elder: their own reach is `reach_of`."""
    return _scope(user, frozenset(Role) - rules.ADMINISTRATORS)


def reach_of(user: User | AnonymousUser) -> Scope:
    """Where an administrator administers: accounts, posts, dictionaries. Not for reading elders."""
    return _scope(user, rules.ADMINISTRATORS)


def relatives_of(user: User | AnonymousUser) -> frozenset[int]:
    """Elders whose family the user is, whether they agree today or not (`scope_of` asks that)."""
    return frozenset(p.elder for p in posts_of(user) if p.role is Role.FAMILY and p.elder is not None)


def is_outside(user: User | AnonymousUser) -> bool:
    """Somebody who holds posts, and only such as are no staff's: family, elders, volunteers."""
    return bool(held := roles_of(user)) and held <= rules.OUTSIDE


def families_of(contact_ids: Iterable[int]) -> dict[int, FamilyAccount]:
    """The family accounts of these contacts, by contact. The asker has found the contacts in her own scope."""
    rows = Posting.unscoped.filter(contact_id__in=list(contact_ids), role=Role.FAMILY).select_related("user")
    return {
        p.contact_id: FamilyAccount(
            p.contact_id, p.user_id, p.user.username, p.user.password_changed_at is not None, p.user.last_login
        )
        for p in rows
        if p.contact_id is not None
    }


def contacts_of_family(who: str | int) -> list[int]:
    """The contacts to whom the family account of this name or id belongs; empty when there is no such account."""
    of = {"user_id": who} if isinstance(who, int) else {"user__username": who.lower()}
    rows = Posting.unscoped.filter(**of, role=Role.FAMILY, contact_id__isnull=False)
    return [contact for contact in rows.values_list("contact_id", flat=True) if contact is not None]


def actor_of(user: User, *, seat: str = "") -> Actor:
    """The user as a process knows her; `seat` is "A", "B" or empty."""
    return Actor(user.name, frozenset(r.value for r in roles_of(user)), user_id=user.pk, seat=seat)


def user(user_id: int) -> User | None:
    """The user with that id, switched off or not."""
    return User.objects.filter(pk=user_id).first()


def user_name(user_id: int | None) -> str:
    """Name to print; empty when there is none."""
    return User.objects.filter(pk=user_id or 0).values_list("name", flat=True).first() or ""


def user_names(ids: Iterable[int]) -> dict[int, str]:
    """Names of many users at once."""
    return dict(User.objects.filter(pk__in=set(ids)).values_list("pk", "name"))


def user_by_token(token: str) -> User | None:
    """Whose rights a machine has that shows this token; None if unknown, expired, taken back, or the user is off."""
    row = ApiToken.objects.select_related("user").filter(digest=digest_of(token)).first()
    now = clock.now()
    if row is None or row.revoked_at or (row.expires_at and row.expires_at <= now) or not row.user.is_active:
        return None
    if row.user.is_demo and not settings.DEMO:
        return None
    if row.last_used_at is None or now - row.last_used_at > timedelta(minutes=1):
        ApiToken.objects.filter(pk=row.pk).update(last_used_at=now)
    return row.user


def digest_of(token: str) -> str:
    """What is kept of a token. It is long and random, so one plain hash is enough."""
    return hashlib.sha256(token.encode()).hexdigest()


def holders(role: Role, *, place: str) -> list[UserInfo]:
    """Who holds that post for a place (at the place itself or around it), today. Reads past the scope: pages must go out."""
    return seated({role}, places=[place])


def seated(roles: Collection[Role], *, places: Iterable[str]) -> list[UserInfo]:
    """Who holds one of these posts for one of these places, today; in one question, past the scope."""
    around = Q(place__in={code for place in places for code in places_around(place)})
    live = Q(until__isnull=True) | Q(until__gte=clock.today())
    found = Posting.unscoped.filter(around, live, role__in=roles, user__is_active=True).select_related("user")
    people = {p.user_id: UserInfo(p.user_id, p.user.name, p.user.phone, p.user.seat_number) for p in found}
    return sorted(people.values(), key=lambda u: u.id)


def on_duty_leads(place: str) -> list[UserInfo]:
    """Leads to page for a place: those whom the roster names for this moment, or, when it names nobody, all of them."""
    leads = holders(Role.LEAD, place=place)
    rostered: Callable[[str], Collection[int]] | None = hooks.ask("leads_on_duty")
    wanted = rostered(place) if rostered is not None else ()
    return [lead for lead in leads if lead.id in wanted] or leads


def agents() -> list[UserInfo]:
    """Everybody who holds a post at the desk today (agent or lead), wherever. Reads past the scope: seats are not persons' data."""
    live = Q(until__isnull=True) | Q(until__gte=clock.today())
    found = User.objects.filter(
        pk__in=Posting.unscoped.filter(live, role__in=[Role.AGENT, Role.LEAD]).values("user"), is_active=True
    )
    return [UserInfo(u.pk, u.name, u.phone, u.seat_number) for u in found]


def demo_users_exist() -> bool:
    """Whether a demo account is on: `./run --production` refuses then."""
    return User.objects.filter(is_demo=True, is_active=True).exists()


def tokens(*, reach: Scope) -> list[TokenRow]:
    """Tokens of users with a post inside `reach`, newest first."""
    rows = ApiToken.objects.select_related("user").order_by("-created_at")
    if not reach.is_everything:
        rows = rows.filter(user__in=Posting.unscoped.filter(reach.rows(Posting)).values("user"))
    now = clock.now()
    return [
        TokenRow(
            t.pk,
            t.user.name,
            t.name,
            t.prefix,
            t.created_at,
            t.expires_at,
            t.last_used_at,
            t.revoked_at is None and (t.expires_at is None or t.expires_at > now),
        )
        for t in rows
    ]


def places_around(place: str) -> list[str]:
    """The place and everything around it."""
    return places.line_of(place)


def must_change_password(user: User) -> bool:
    """A password given by somebody else, or older than 90 days, opens nothing but the page to change it."""
    if user.is_demo:
        return False
    changed = user.password_changed_at
    return changed is None or clock.now() - changed > timedelta(days=PASSWORD_DAYS)


def needs_second_factor(user: User) -> bool:
    """Staff must enrol; demo accounts, families and elders need not."""
    return not user.is_demo and bool(roles_of(user) - rules.OUTSIDE)


def users(*, reach: Scope | None = None, text: str = "") -> list[UserRow]:
    """Users with a post inside `reach` (the current scope by default), and those without any post if it is everything.

    For administrators pass `reach_of(user)`.
    """
    from anju.accounts import locks
    from anju.accounts.second_factor import enrolled

    seen = current() if reach is None else reach
    found = User.objects.all()
    if text:
        found = found.filter(Q(username__icontains=text) | Q(name__icontains=text) | Q(seat_number=text))
    if not seen.is_everything:
        inside = Posting.unscoped.filter(seen.rows(Posting)).values("user")
        found = (
            found.filter(Q(pk__in=inside) | Q(postings__isnull=True)) if seen.places else found.filter(pk__in=inside)
        )
    rows = list(found.distinct().prefetch_related(None))
    today, with_factor = clock.today(), enrolled([u.pk for u in rows])
    posts: dict[int, list[PostRow]] = {}
    postings = list(Posting.unscoped.filter(user__in=rows).order_by("id"))
    names = places.names_of({p.place for p in postings})
    for p in postings:
        live = p.until is None or p.until >= today
        row = PostRow(p.pk, Role(p.role), Role(p.role).label, p.place, names[p.place], p.until, live)
        posts.setdefault(p.user_id, []).append(row)
    locked = locks.locked_until({u.username for u in rows})
    return [
        UserRow(
            u.pk,
            u.username,
            u.name,
            u.seat_number,
            u.is_active,
            u.is_demo,
            posts.get(u.pk, []),
            u.last_login,
            u.pk in with_factor,
            must_change_password(u),
            locked.get(u.username.lower()),
        )
        for u in rows
    ]


def _post(row: Posting) -> Post:
    return Post(Role(row.role), row.place, row.elder_id, row.provider_id, row.until)


def _let_in(posts: list[Post]) -> list[Post]:
    """A family's post opens its door only while the elder agrees (asked of the consents, at every request; closed by default)."""
    theirs = {p.elder for p in posts if p.role is Role.FAMILY and p.elder is not None}
    if not theirs:
        return posts
    asked: Callable[[Collection[int]], Collection[int]] | None = hooks.ask("families_let_in")
    agreed = asked(theirs) if asked is not None else ()
    return [p for p in posts if p.role is not Role.FAMILY or p.elder in agreed]


def _scope(user: User | AnonymousUser, roles: frozenset[Role]) -> Scope:
    reach = rules.reach_of(_let_in(posts_of(user)), clock.today(), roles=roles)
    if not (reach.places or reach.elders or reach.providers):
        return NOBODY
    return Scope(reach.places, reach.elders, reach.providers)
