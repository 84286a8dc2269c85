"""A large district costs its pages no more than a small one: as many questions, as many rows."""

from __future__ import annotations

from collections.abc import Callable
from random import Random

import pytest
from django.http import HttpResponse
from django.test import Client

from anju.devices.tests.factories import build
from anju.kernel.scope import EVERYWHERE, seen_by

As = Callable[[str], Client]
Cost = Callable[[Callable[[], object]], tuple[int, int]]
PAGES = {
    "street1": ["/district/", "/district/devices/", "/district/devices/?trouble=silent&page=3"],
    "agent1": ["/desk/idle", "/desk/queue"],
}


def opened(page: HttpResponse) -> None:
    assert page.status_code == 200


@pytest.mark.timeout(300)
@pytest.mark.django_db
@pytest.mark.req("DEV-05", "SYS-02")
def test_twenty_thousand_devices_cost_a_page_what_two_hundred_do(as_user: As, cost_of: Cost) -> None:
    """100 homes, then 10,000: the same number of questions and of rows, and each page still opens."""
    clients = {name: as_user(name) for name in PAGES}

    def cost(name: str, path: str) -> tuple[int, int]:
        part = {"HX-Request": "true"} if name == "agent1" else {}
        return cost_of(lambda: opened(clients[name].get(path, headers=part)))

    places = ["330199001001", "330199001002", "330199001003"]
    with seen_by(EVERYWHERE):
        build(100, Random(1), places=places)
    few = {path: cost(name, path) for name, paths in PAGES.items() for path in paths}
    with seen_by(EVERYWHERE):
        build(10_000, Random(2), places=places)
    many = {path: cost(name, path) for name, paths in PAGES.items() for path in paths}
    for path, (asked, rows) in many.items():
        assert asked <= few[path][0], path
        assert rows <= few[path][1] + 40, path  # a page of devices may have been short before
        assert rows < 800, path
