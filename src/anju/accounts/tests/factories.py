"""Users with posts, for tests."""

from __future__ import annotations

from datetime import date
from itertools import count

from anju.accounts.models import Posting, User
from anju.accounts.roles import Role
from anju.kernel import clock
from anju.kernel.scope import EVERYWHERE, seen_by

PASSWORD = "Tide-and-Reed-2026"
_numbers = count(1)


def make_user(
    *roles: Role,
    place: str = "330199000000",
    username: str = "",
    until: date | None = None,
    elder_id: int | None = None,
    provider_id: int | None = None,
    is_demo: bool = True,
    password: str = "",
) -> User:
    """A user holding these roles at the place. Without `password` she cannot log in by one (hashing is slow)."""
    number = next(_numbers)
    user = User(username=username or f"user{number}", name=f"试{number}号", is_demo=is_demo)
    user.password_changed_at = clock.now()
    if password:
        user.set_password(password)
    else:
        user.set_unusable_password()
    user.save()
    with seen_by(EVERYWHERE):
        for role in roles:
            Posting.objects.create(
                user=user, role=role, place=place, until=until, elder_id=elder_id, provider_id=provider_id
            )
    return user
