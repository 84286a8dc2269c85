"""A small 望潮区 made by the demo's own code: a few homes, everybody's log-in, some history."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import pytest
from django.db import connection
from django.test import Client

from anju.accounts.models import User
from anju.devices import actions as devices
from anju.kernel import audit, clock
from anju.kernel.scope import EVERYWHERE, seen_by
from anju.town import people
from anju.town.demo import cases, history, homes, staff

HOMES = 6


@dataclass(frozen=True)
class SmallTown:
    """What the tests look at. `he_ting` lives in 春浦街道, `liu_tang` in 听潮街道."""

    he_ting: int
    liu_tang: int
    seeds: list[people.HomeSeed]


def build(count: int = HOMES) -> SmallTown:
    """Make the small town in the present database."""
    from anju.elders import queries

    with seen_by(EVERYWHERE), audit.acting("测试"):
        staff.put_places()
        staff.put_users()
        devices.load_products()
        seeds = people.homes(count, today=clock.today())
        made = [homes.make(seed) for seed in seeds]
        history.load(seeds[:2], clock.now())
        cases.make(seeds, clock.now())
        first, second = (queries.main_elder(home) for home in made[:2])
    assert first is not None
    assert second is not None
    return SmallTown(first.pk, second.pk, seeds)


@pytest.fixture
def cheap_passwords(settings: object) -> None:
    """Hashing a dozen passwords properly takes seconds."""
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]  # type: ignore[attr-defined]


@pytest.fixture
def town(db: None, cheap_passwords: None) -> SmallTown:
    """The small town."""
    return build()


@pytest.fixture
def as_user(town: SmallTown) -> Callable[[str], Client]:
    """A browser that is logged in: as_user("street1")."""

    def log_in(name: str) -> Client:
        client = Client(headers={"Sec-Fetch-Mode": "navigate"})
        client.force_login(User.objects.get(username=name), backend="django.contrib.auth.backends.ModelBackend")
        return client

    return log_in


@pytest.fixture
def queries_of() -> Callable[[Callable[[], object]], int]:
    """How many queries something makes."""
    from django.test.utils import CaptureQueriesContext

    def count(do: Callable[[], object]) -> int:
        with CaptureQueriesContext(connection) as seen:
            do()
        return len(seen)

    return count
