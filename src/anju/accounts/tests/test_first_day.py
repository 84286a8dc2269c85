"""The first day of an installation, and log-in as the web process really runs it (ASGI). SYS-01, SYS-02."""

import pytest
from django.core.management import CommandError, call_command
from django.test import AsyncClient

from anju.accounts import queries
from anju.accounts.models import User
from anju.accounts.roles import Role
from anju.accounts.tests.factories import PASSWORD, make_user
from anju.places.tests.factories import DISTRICT, make_district

THREE = {"system": "sys.a=甲", "security": "sec.b=乙", "audit": "aud.c=丙"}


@pytest.mark.django_db
@pytest.mark.req("SYS-01", "SYS-02")
def test_an_installation_begins_with_three_people_and_no_default_password(capsys):
    with pytest.raises(CommandError, match="没有区域"):
        call_command("administrators", DISTRICT, **THREE)
    with pytest.raises(CommandError, match="三个人"):
        call_command("administrators", DISTRICT, name="望潮区", **{**THREE, "audit": "SYS.A=甲"})
    assert not User.objects.exists()
    call_command("administrators", DISTRICT, name="望潮区", **THREE)
    told = [line.split()[-2:] for line in capsys.readouterr().out.splitlines()[:3]]
    users = {u.username: u for u in User.objects.all()}
    assert [queries.roles_of(users[n]) for n in ("sys.a", "sec.b", "aud.c")] == [
        {Role.SYSTEM_ADMIN},
        {Role.SECURITY_ADMIN},
        {Role.AUDIT_ADMIN},
    ]
    assert all(
        users[name].check_password(password) and queries.must_change_password(users[name]) for name, password in told
    )
    assert len({password for _, password in told}) == 3
    with pytest.raises(CommandError, match="已有系统管理员"):
        call_command("administrators", DISTRICT, **{k: v.replace("=", "2=") for k, v in THREE.items()})


@pytest.mark.django_db(transaction=True)
@pytest.mark.req("SYS-02")
@pytest.mark.asyncio
async def test_the_lock_works_in_the_asynchronous_server_too():
    from asgiref.sync import sync_to_async

    await sync_to_async(make_district)()
    user = await sync_to_async(make_user)(Role.STREET, password=PASSWORD)
    client = AsyncClient()
    answers = [await client.post("/login/", {"username": user.username, "password": "x"}) for _ in range(5)]
    assert [a.status_code for a in answers] == [403] * 4 + [429]
    assert "30 分钟" in answers[-1].text
    elsewhere = AsyncClient(client=["10.9.9.9", 1])
    entered = await elsewhere.post("/login/", {"username": user.username, "password": PASSWORD})
    assert (entered.status_code, entered.url) == (302, "/district/")
