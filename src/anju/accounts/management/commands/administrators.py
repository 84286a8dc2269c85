"""`./anju administrators PLACE`: the first three accounts of a new installation (三员分立), each with a one-time password.

There is no default account: whoever installs the platform runs this once and hands each password to its person.
"""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import transaction

from anju.accounts import actions, queries
from anju.accounts.passwords import one_time_password
from anju.accounts.permissions import THE_PLATFORM
from anju.accounts.roles import Role
from anju.kernel import audit
from anju.kernel.scope import EVERYWHERE, seen_by
from anju.places import actions as places

ROLES = {"system": Role.SYSTEM_ADMIN, "security": Role.SECURITY_ADMIN, "audit": Role.AUDIT_ADMIN}


class Command(BaseCommand):
    """Refuses when an administrator of a kind is there already: then the administrators themselves make accounts."""

    help = "make the three administrators of a new installation"

    def add_arguments(self, parser: CommandParser) -> None:
        """A district's code and name, and who the three people are."""
        parser.add_argument("place", help="12-digit code of the district, e.g. 330199000000")
        parser.add_argument("--name", default="", help="name of the district, when it is not there yet")
        for kind in ROLES:
            parser.add_argument(f"--{kind}", required=True, metavar="USERNAME=NAME", help=f"the {kind} administrator")

    def handle(self, *_args: Any, **options: Any) -> None:
        """All three or none."""
        with seen_by(EVERYWHERE), audit.acting("安装", None, ""), transaction.atomic():
            try:
                lines = self._make(options)
            except (actions.NotAccepted, places.NotAccepted) as fault:
                raise CommandError(str(fault)) from None
        for line in lines:
            self.stdout.write(line)
        self.stdout.write("密码只显示这一次，请分别当面交给本人；首次登录要改密码、绑令牌")

    def _make(self, options: dict[str, Any]) -> list[str]:
        place = options["place"]
        if options["name"]:
            places.put_place(code=place, name=options["name"], by=THE_PLATFORM)
        people = {kind: str(options[kind]).partition("=")[::2] for kind in ROLES}
        if len({username.lower() for username, _ in people.values()}) < len(ROLES):
            raise CommandError("三员分立：三个管理员必须是三个人，请填三个不同的用户名")
        lines = []
        for kind, role in ROLES.items():
            if queries.holders(role, place=place):
                raise CommandError(f"已有{role.label}，以后的账号请由管理员在后台建")
            username, name = people[kind]
            password = one_time_password()
            user = actions.create_user(username=username, name=name, password=password, by=THE_PLATFORM)
            actions.grant(user=user, role=role, place=place, by=THE_PLATFORM)
            lines.append(f"{role.label}  {user.username}  {password}")
        return lines
