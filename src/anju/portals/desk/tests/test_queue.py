"""The queue sends only cards that the page has not. What stands on an open desk is always what a fresh page would show."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client
from playwright.sync_api import expect

from anju.accounts.roles import Role
from anju.accounts.tests.factories import make_user
from anju.incidents import actions as incidents
from anju.kernel.scope import EVERYWHERE, seen_by
from anju.portals.desk import cards, people
from anju.portals.desk.tests.conftest import District, Seat, press, session_of

pytestmark = pytest.mark.req("INC-04")
PART = {"HX-Request": "true"}


def agent(user: Any) -> Client:
    """A desk without a browser."""
    client = Client()
    client.cookies["sessionid"] = session_of(user)
    return client


def queue(client: Client, shown: list[str] | None = None) -> str:
    """The queue as that desk fetches it."""
    headers = PART | ({cards.SHOWN: " ".join(shown)} if shown is not None else {})
    return client.get("/desk/queue", headers=headers).content.decode()


def versions(page: str) -> list[str]:
    """The versions of its cards."""
    return re.findall(r'data-version="(\w+)"', page)


def test_a_card_is_sent_once_and_again_when_it_reads_differently(district: District) -> None:
    """Unchanged: its name only. After a step: that card whole, the other by name. A version nobody gave changes nothing."""
    one, other = press(district.elder), press(district.other)
    desk = agent(district.agent)
    first = queue(desk)
    assert first.count("qcard__who") == 2
    again = queue(desk, versions(first))
    assert again.count("data-same") == 2
    assert "qcard__who" not in again
    assert versions(again) == versions(first)
    with seen_by(EVERYWHERE):
        incidents.move(incident_id=one.pk, move="accept", by=people.actor(district.second))
    after = queue(desk, versions(first))
    assert after.count("qcard__who") == 1
    assert "A 陈一鸣" in after
    assert f'<li id="queue-{other.pk}"' in after
    assert queue(desk, ["0123456789ab", "<script>"]).count("qcard__who") == 2


@pytest.mark.req("SYS-01", "REG-06")
def test_a_version_gives_nobody_a_card_of_another_street(district: District) -> None:
    """Whoever sends the versions of a colleague's cards still gets the cases of her own places only, and reads no name."""
    press(district.elder)
    known = versions(queue(agent(district.agent)))
    stranger = make_user(Role.AGENT, place="330199002000")
    answer = queue(agent(stranger), known)
    assert versions(answer) == []
    assert "沈玉芬" not in answer
    assert f"queue-{district.elder.pk}" not in answer


@pytest.mark.browser
@pytest.mark.timeout(240)
def test_after_each_step_two_open_desks_read_what_a_fresh_page_reads(
    district: District, sit: Callable[..., Seat]
) -> None:
    """New case, second press, accepted, B asked, B there, done: both desks and a fresh page have the same cards."""
    one, two = sit(district.agent), sit(district.second)
    for seat in (one, two):
        expect(seat.page.locator("live-line")).to_have_attribute("data-state", "live")
    first, other = press(district.elder), press(district.other)
    a, b = people.actor(district.agent), people.actor(district.second)

    def step(do: Callable[[], object]) -> None:
        with seen_by(EVERYWHERE):
            do()

    steps: list[Callable[[], object]] = [
        lambda: None,
        lambda: press(district.elder, where="床头"),
        lambda: step(lambda: incidents.move(incident_id=first.pk, move="accept", by=a)),
        lambda: step(lambda: incidents.ask_b(incident_id=first.pk, by=a)),
        lambda: step(lambda: incidents.take_seat(incident_id=first.pk, seat="B", by=b)),
        lambda: step(lambda: incidents.move(incident_id=other.pk, move="accept", by=b)),
        lambda: step(
            lambda: incidents.move(
                incident_id=other.pk, move="false_alarm", by=b, note="碰到了", data={"class": "mis_press"}
            )
        ),
    ]
    for do in steps:
        do()
        for seat, user in ((one, district.agent), (two, district.second)):
            wanted = versions(queue(agent(user)))
            expect(seat.page.locator("#queue li[data-version]")).to_have_count(len(wanted))
            for version in wanted:
                expect(seat.page.locator(f'#queue li[data-version="{version}"] .qcard__who')).to_have_count(1)
            shown = seat.page.locator("#queue li[data-version]").evaluate_all(
                "all => all.map(li => li.dataset.version)"
            )
            assert shown == wanted
    assert len(versions(queue(agent(district.agent)))) == 1
