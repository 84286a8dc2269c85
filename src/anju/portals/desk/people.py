"""Who acts, and whom a caller may be."""

from __future__ import annotations

from dataclasses import dataclass

from anju.accounts import queries as accounts
from anju.accounts.models import User
from anju.accounts.roles import Role
from anju.elders import queries as elders
from anju.kernel.flow.actor import Actor
from anju.portals.desk import presence


@dataclass(frozen=True, slots=True)
class Caller:
    """Somebody in the files whom a number, a name or an address fits."""

    id: int
    home_id: int
    name: str
    about: str
    where: str
    place: str


def roles(user: User) -> frozenset[Role]:
    """The user's roles now."""
    return accounts.roles_of(user)


def actor(user: User, *, seat: str = "") -> Actor:
    """The user as a process knows her."""
    return accounts.actor_of(user, seat=seat)


def callers(text: str, user: User) -> list[Caller]:
    """Elders in the user's scope whom this number, name or address fits; the best three."""
    if len(text.strip()) < 2:
        return []
    return [
        Caller(
            one.elder_id,
            one.home_id,
            one.name,
            f"{one.sex} {one.age or ''}".strip(),
            f"{one.place_name}{one.address}",
            one.place,
        )
        for one in elders.search(text.strip(), 3, roles=roles(user))
    ]


def caller(elder_id: int) -> Caller | None:
    """One elder of the scope by id."""
    row = elders.elder(elder_id)
    return Caller(row.pk, row.home_id, row.name, "", "", row.home.place) if row else None


def colleagues(user: User) -> list[tuple[int, str]]:
    """Whom a seat may be handed to: who is at the desk comes first, and of the others it is said that they are not."""
    here = presence.here()
    found = {
        one.id: f"{one.seat_number} {one.name}".strip()
        for post in accounts.posts_of(user)
        for role in (Role.AGENT, Role.LEAD)
        for one in accounts.holders(role, place=post.place)
        if one.id != user.pk
    }
    told = [(id_, name if id_ in here else f"{name}（离席）") for id_, name in found.items()]
    return sorted(told, key=lambda pair: (pair[0] not in here, pair[1]))


def reception(user: User) -> str:
    """The place of a case whose place nobody knows yet: the widest place of the user's posts, never empty."""
    places = [post.place for post in accounts.posts_of(user)]
    return min(places, key=lambda code: len(code.rstrip("0")), default="")
