"""One Asterisk for all tests of this folder; telephones and ears for each test."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from django.db import connection
from django.test import TransactionTestCase

from anju.accounts.models import User
from tests.telephony.centre import Centre
from tests.telephony.centre import centre as open_centre
from tests.telephony.engine_room import EngineRoom, engine_room
from tests.telephony.handset import Hands


@pytest.fixture(scope="session")
def room() -> Iterator[EngineRoom]:
    """Our own Asterisk."""
    with engine_room() as one:
        yield one


@pytest.fixture
def hands(room: EngineRoom) -> Iterator[Hands]:
    """Telephones of this test."""
    people = Hands(room)
    yield people
    people.close()


@pytest.fixture
def quick_cleaning(monkeypatch: pytest.MonkeyPatch) -> None:
    """Our processes have connections of their own, so nothing can be rolled back; and to flush every table of the
    platform takes longer than a test. Only what calls write is emptied."""
    monkeypatch.setattr(TransactionTestCase, "_fixture_teardown", lambda _case: empty())


@pytest.fixture
def centre(
    room: EngineRoom, hands: Hands, quick_cleaning: None, transactional_db: None, everywhere: None
) -> Iterator[Centre]:
    """A centre whose processes the test starts, kills and freezes."""
    with open_centre(room, hands) as made:
        yield made


def empty() -> None:
    """As if nobody had ever called."""
    with connection.cursor() as cursor:
        cursor.execute(f"TRUNCATE {', '.join(TABLES)} CASCADE")
    User.objects.filter(username__startswith="seat").delete()


TABLES = (
    "calls_call", "calls_leg", "calls_seatstate", "calls_seatlog", "calls_command", "calls_callback", "calls_news",
    "calls_switchboard", "incidents_incident", "alarms_alarm", "kernel_due", "kernel_movement", "procrastinate_jobs", "procrastinate_events",
)  # fmt: skip
