"""The first day of an installation, and the page of the lock. SYS-01, SYS-02."""

import pytest
from django.core.management import CommandError, call_command
from django.http import HttpResponse

from anju.accounts import queries
from anju.accounts.models import User
from anju.accounts.roles import Role
from anju.accounts.views import axes_locked
from anju.places.tests.factories import DISTRICT

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


@pytest.mark.django_db
@pytest.mark.req("SYS-02")
def test_the_lock_page_answers_however_axes_calls_it(rf):
    """Under ASGI axes leaves out the response; found by a real server, where the fifth failure was a 500."""
    request = rf.post("/login/", {"username": "somebody"})
    name = {"username": "somebody"}
    ours = HttpResponse(status=429)
    assert axes_locked(request, ours, name) is ours
    for arguments in ((HttpResponse(), name), (name,), (None, None), ()):
        page = axes_locked(request, *arguments)
        assert page.status_code == 429
        assert "30 分钟" in page.text
