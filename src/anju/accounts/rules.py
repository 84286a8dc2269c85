"""Who answers for what, and which posts one person may hold. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date

from anju.accounts.roles import Role
from anju.places.rules import prefix_of

BY_PLACE: frozenset[Role] = frozenset(
    {
        Role.BUREAU,
        Role.STREET,
        Role.COMMUNITY,
        Role.GRID_WORKER,
        Role.AGENT,
        Role.LEAD,
        Role.QUALITY,
        Role.DISPATCHER,
        Role.INSTALLER,
        Role.DOCTOR,
    }
)
"""Posts that see what lies in their place."""
BY_ELDER: frozenset[Role] = frozenset({Role.FAMILY, Role.ELDER})
"""Posts that see one person, wherever she lives."""
BY_PROVIDER: frozenset[Role] = frozenset({Role.PROVIDER, Role.WORKER})
"""Posts that see what belongs to their provider."""
ADMINISTRATORS: frozenset[Role] = frozenset({Role.SYSTEM_ADMIN, Role.SECURITY_ADMIN, Role.AUDIT_ADMIN})
"""三员: they run the platform and see no elder. A volunteer sees nobody either until a task names somebody."""
OUTSIDE: frozenset[Role] = BY_ELDER | {Role.VOLUNTEER}
"""People who are not staff: no second factor is forced on them."""


@dataclass(frozen=True, slots=True)
class Post:
    """A posting as the rules see it; `until` is its last day."""

    role: Role
    place: str = ""
    elder: int | None = None
    provider: int | None = None
    until: date | None = None


@dataclass(frozen=True, slots=True)
class Reach:
    """Place prefixes, elders and providers that somebody answers for."""

    places: tuple[str, ...] = ()
    elders: tuple[int, ...] = ()
    providers: tuple[int, ...] = ()


def live(posts: Iterable[Post], today: date) -> list[Post]:
    """Posts that still hold; the last day counts."""
    return [p for p in posts if p.until is None or p.until >= today]


def reach_of(posts: Iterable[Post], today: date, *, roles: frozenset[Role] | None = None) -> Reach:
    """What the posts together give (only those of `roles`, if given). Never more than they say one by one."""
    held = [p for p in live(posts, today) if roles is None or p.role in roles]
    places = {prefix_of(p.place) for p in held if p.role in BY_PLACE | ADMINISTRATORS and p.place}
    outermost = {p for p in places if not any(p != q and p.startswith(q) for q in places)}
    return Reach(
        places=tuple(sorted(outermost)),
        elders=tuple(sorted({p.elder for p in held if p.role in BY_ELDER and p.elder is not None})),
        providers=tuple(sorted({p.provider for p in held if p.role in BY_PROVIDER and p.provider is not None})),
    )


def conflict(held: Iterable[Role], wanted: Role) -> str:
    """Why the post may not be added to those held; empty when it may."""
    others = (ADMINISTRATORS & set(held)) - {wanted}
    if wanted in ADMINISTRATORS and others:
        names = "、".join(sorted(r.label for r in others))
        return f"三员分立：此人已是{names}，不能再任{wanted.label}。请另选一人，或先收回原岗位"
    return ""


def lacking(post: Post) -> str:
    """What a posting still needs to mean anything; empty when nothing."""
    if post.role in BY_ELDER and post.elder is None:
        return "家属和老人本人的账号要选定一位老人"
    if post.role in BY_PROVIDER and post.provider is None:
        return "服务商人员的账号要选定服务商"
    if not post.place:
        return "请选岗位所在的区域"
    return ""
