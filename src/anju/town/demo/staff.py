"""The region tree and the demo's log-ins. They share one password, made at the first start; production refuses these accounts."""

from __future__ import annotations

from dataclasses import dataclass

from django.conf import settings

from anju.accounts import actions as accounts
from anju.accounts.models import User
from anju.accounts.permissions import THE_PLATFORM
from anju.accounts.roles import Role
from anju.places import actions as places
from anju.town import ids, land

API_USER = "api1"


@dataclass(frozen=True, slots=True)
class Login:
    """One demo log-in; `shown` ones are printed and written to run.json."""

    user: str
    name: str
    role: Role
    place: str
    seat: str = ""
    shown: bool = True


LOGINS = (
    Login("agent1", "周晓岚", Role.AGENT, land.DISTRICT, "1017"),
    Login("agent2", "陈一鸣", Role.AGENT, land.DISTRICT, "1023"),
    Login("lead1", "林佳", Role.LEAD, land.DISTRICT, "1031"),
    Login("agent3", "汪小满", Role.AGENT, land.DISTRICT, "1024", shown=False),
    Login("lead2", "钟意", Role.LEAD, land.DISTRICT, "1032", shown=False),
    Login("lead3", "褚明远", Role.LEAD, land.DISTRICT, "1033", shown=False),
    Login("quality1", "傅静宜", Role.QUALITY, land.DISTRICT),
    Login("bureau1", "沈以宁", Role.BUREAU, land.DISTRICT),
    Login("street1", "高敏", Role.STREET, "330199001000"),
    Login("street2", "施雅琴", Role.STREET, "330199002000"),
    Login("community1", "俞建芬", Role.COMMUNITY, "330199002004"),
    Login("dispatcher1", "葛立新", Role.DISPATCHER, land.DISTRICT),
    Login("installer1", "俞海峰", Role.INSTALLER, land.DISTRICT),
    Login("sysadmin1", "裘志刚", Role.SYSTEM_ADMIN, land.DISTRICT),
    Login("secadmin1", "楼晓东", Role.SECURITY_ADMIN, land.DISTRICT),
    Login("auditor1", "虞文静", Role.AUDIT_ADMIN, land.DISTRICT),
    Login(API_USER, "开放接口", Role.LEAD, land.DISTRICT, shown=False),
)


def put_places() -> int:
    """District, streets, communities and three grids in each community; answers how many places there are."""
    rows = [(land.DISTRICT, "望潮区", ""), *((code, name, "") for code, name in land.STREETS.items())]
    for n, community in enumerate(land.COMMUNITIES):
        rows.append((community.code, community.name, ids.landline(900 + n)))
        short = community.name.removesuffix("社区")
        rows += [(f"{community.code}{grid:02d}", f"{short}第 {grid} 网格", "") for grid in (1, 2, 3)]
    for code, name, phone in rows:
        places.put_place(code=code, name=name, committee_phone=phone, by=THE_PLATFORM)
    return len(rows)


def put_users() -> int:
    """The log-ins that are missing, with their posts, and the token that `run.json` tells; answers how many were made."""
    made = 0
    for n, login in enumerate(LOGINS):
        user = User.objects.filter(username=login.user).first()
        if user is None:
            made += 1
            user = accounts.create_user(
                username=login.user, name=login.name, password=settings.SECRETS.demo, phone=ids.mobile(50 + n), seat_number=login.seat,
                is_demo=True, by=THE_PLATFORM,
            )  # fmt: skip
        accounts.grant(user=user, role=login.role, place=login.place, by=THE_PLATFORM)
        if login.user == API_USER:
            accounts.issue_token(user=user, name="演示接口", by=THE_PLATFORM, secret=settings.SECRETS.api_token)
    return made
