"""Two daughters of the demo, who look after their mothers on the web."""

from __future__ import annotations

from typing import Final

from django.conf import settings

from anju.accounts import actions as accounts
from anju.accounts.models import User
from anju.accounts.permissions import THE_PLATFORM
from anju.accounts.roles import Role
from anju.elders import queries as elders
from anju.town.demo.staff import Login

MOTHERS: Final = {"family1": "沈玉芬", "family2": "陆秀英"}
"""Log-in → whom she may look after; as a contact she stands in that file under her own name."""
LOGINS: Final = (Login("family1", "顾敏", Role.FAMILY, ""), Login("family2", "唐莉", Role.FAMILY, ""))


def make() -> int:
    """The family log-ins that are missing; answers how many were made. Without their mothers' homes there are none."""
    made = 0
    for login in LOGINS:
        found = [f.elder_id for f in elders.search(MOTHERS[login.user])]
        kin = next((c for e in found for c in elders.contacts_of(e) if c.name == login.name), None)
        if kin is None or User.objects.filter(username=login.user).exists():
            continue
        user = accounts.create_user(
            username=login.user, name=login.name, password=settings.SECRETS.demo, is_demo=True, by=THE_PLATFORM
        )
        elder = elders.elder(kin.elder_id)
        accounts.grant(
            user=user, role=login.role, place=elder.home.place if elder else "", elder_id=kin.elder_id, contact_id=kin.pk, by=THE_PLATFORM,
        )  # fmt: skip
        made += 1
    return made
