"""A move that lost a lock to somebody is made all the same, once; the asker hears nothing of it."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import psycopg
import pytest
from django.db import connection
from django.test import Client

from anju.accounts import actions as accounts
from anju.accounts.permissions import THE_PLATFORM
from anju.accounts.roles import Role
from anju.accounts.tests.factories import make_user
from anju.incidents import actions
from anju.incidents.models import Incident
from anju.incidents.tests.subjects import an_incident
from anju.kernel.models import Movement
from anju.places.tests.factories import make_district

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("everywhere")]


@pytest.fixture
def other() -> Iterator[psycopg.Connection[Any]]:
    """Somebody else at the same database; whoever waits for her gives up after a tenth of a second."""
    with connection.cursor() as cursor:
        cursor.execute("SET lock_timeout = '100ms'")
    made = psycopg.connect(**connection.get_connection_params())
    yield made
    made.close()
    connection.close()


@pytest.mark.req("INC-01", "SYS-02")
@pytest.mark.parametrize("waits", [1, 2])
def test_a_move_is_made_though_somebody_holds_the_case(
    other: psycopg.Connection[Any], monkeypatch: pytest.MonkeyPatch, waits: int
) -> None:
    make_district()
    case = an_incident()
    _, token = accounts.issue_token(user=make_user(Role.AGENT), name="测试", by=THE_PLATFORM)
    other.execute("SELECT 1 FROM incidents_incident WHERE id = %s FOR UPDATE", [case.pk])
    tried, move = [], actions.move

    def after_a_while(**what: Any) -> object:
        tried.append(1)
        if len(tried) > waits:
            other.rollback()
        return move(**what)

    monkeypatch.setattr(actions, "move", after_a_while)
    answer = Client(headers={"Authorization": f"Bearer {token}"}).post(
        f"/api/incidents/{case.pk}/moves/accept", json.dumps({"idempotency_key": "k1"}), content_type="application/json"
    )
    assert (answer.status_code, len(tried)) == (200, waits + 1)
    assert Incident.objects.get(pk=case.pk).state == "verifying"
    assert Movement.objects.filter(flow="incident", subject_id=case.pk, move="accept").count() == 1
