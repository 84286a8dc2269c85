"""The page of raw messages: a body that brought several of them is shown with each."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.test import Client

from anju.accounts.roles import Role
from anju.accounts.tests.factories import make_user
from anju.alarms.tests.heard import lane, put, sig
from anju.kernel import clock
from anju.places.tests.factories import make_district

pytestmark = [pytest.mark.django_db, pytest.mark.req("DEV-04")]


def test_a_body_is_shown_with_every_message_that_came_in_it(client: Client) -> None:
    make_district()
    where, at = lane(), clock.now()
    idents = [put(where, [sig("motion")], key=f"8611000{i}", received_at=at) for i in range(3)]
    with connection.cursor() as cursor:
        cursor.execute("UPDATE signals_message SET raw = %s WHERE id = %s", [b"[all three]", idents[0]])
        for back, ident in enumerate(idents):
            cursor.execute(
                "UPDATE signals_message SET raw_back = %s, raw = CASE WHEN %s > 0 THEN NULL ELSE raw END WHERE id = %s",
                [back, back, ident],
            )
    client.force_login(make_user(Role.LEAD), backend="django.contrib.auth.backends.ModelBackend")

    def shown(**more: Any) -> str:
        span = {"since": (at - timedelta(minutes=1)).isoformat(), "until": (at + timedelta(minutes=1)).isoformat()}
        answer = client.get("/district/ledger/messages", span | more)
        assert answer.status_code == 200
        return answer.content.decode()

    assert shown().count("[all three]") == 3
    assert shown(device="86110002").count("[all three]") == 1, "also when the one that keeps it is not on the page"
    with connection.cursor() as cursor:
        cursor.execute("UPDATE signals_message SET raw = NULL")
    assert shown().count("原文已过保存期") == 3
