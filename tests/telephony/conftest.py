"""One Asterisk for all tests of this folder; telephones and ears for each test."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

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
