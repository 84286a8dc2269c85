"""The wrong eyes: every page and every address of the platform, walked by everybody who has no business with a person's data.

A district full of people beside one that looks after nobody. Who works in the other district, or runs the platform and sees
no elder (三员), opens every address with the numbers of what is here, and posts to it. Nothing personal may be read and
nothing may change; the same walk by those who work here must find it, or it proves nothing.
"""

from __future__ import annotations

import itertools
import re
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from django.apps import apps
from django.conf import settings
from django.db import connection, models, transaction
from django.test import Client
from django.urls import URLPattern, URLResolver, get_resolver

from anju.accounts import actions as accounts
from anju.accounts.models import User
from anju.accounts.permissions import THE_PLATFORM
from anju.accounts.roles import Role
from anju.accounts.rules import BY_PLACE
from anju.alarms.models import Storm, StormHome
from anju.calls.models import Call, CallBack, Command
from anju.calls.planned.models import CallPlan, PlannedCall
from anju.calls.recordings.models import Recording
from anju.elders.models import Consent, Contact, Elder, Home
from anju.incidents.models import Attempt, Bell, Incident
from anju.kernel import clock
from anju.kernel.scope import EVERYWHERE, seen_by
from anju.places import actions as places
from anju.town.demo import calls, contacts, outbound
from tests.pages.conftest import SmallTown

pytestmark = [pytest.mark.django_db, pytest.mark.req("SYS-01")]
As = Callable[[str], Client]
BESIDE = "330198000000"
"""A district of its own, whose people have nothing to do with the small town."""
ADMINISTRATORS = ("auditor1", "sysadmin1")
BUSY = tuple(f"beside-{name}" for name in ("lead",))
"""Colleagues of the other district; `WRITES` also tries to."""
WRITES = ("beside-lead",)
OURS = ("lead1",)
SHUT_TO_ALL = ("console/r/", "static/", "receipts/")
ENDING = ("/logout", "/console/logout", "/login", "/session", "/events", "/design/")
"""They end the walk, go on for ever, or show people invented for the kit of the pages."""
WORDS = ("take", "elder", "phone")
"""What stands where an address wants a word: names of tabs, moves, fields and seats, and one that is none."""
KEPT = ("elders.", "incidents.", "fieldwork.", "alarms.", "devices.", "calls.", "planned_calls.", "campaigns.", "contacts.",
        "recordings.", "supervision.", "places.", "accounts.Posting", "accounts.User", "sop.")  # fmt: skip
"""Whose rows a stranger may not change by anything that she posts."""


HER_OWN = {"accounts.User", "calls.SeatState", "calls.SeatLog", "calls.Command"}
"""Her own log-in and seat, which she may move."""


@pytest.fixture
def full(town: SmallTown) -> SmallTown:
    """The small town with calls, recordings, letters, plans, campaigns and an outage."""
    with seen_by(EVERYWHERE):
        people = calls.callers()
        calls.make(people)
        contacts.make(people, clock.now())
        outbound.make(people, clock.now())
        homes = list(Home.objects.order_by("pk")[:3])
        now = clock.now()
        storm = Storm.objects.create(place=homes[0].place, kind="cell", key="7", since=now, opened_at=now)
        for home in homes:
            StormHome.objects.create(storm=storm, home=home, place=home.place, since=now, rank=-60)
        places.put_place(code=BESIDE, name="邻潮区", committee_phone="", by=THE_PLATFORM)
        places.put_place(code=f"{BESIDE[:6]}001000", name="邻春街道", committee_phone="", by=THE_PLATFORM)
        for n, role in enumerate(sorted(BY_PLACE)):
            seat = str(2900 + n) if role in {Role.AGENT, Role.LEAD} else ""
            user = accounts.create_user(
                username=f"beside-{role.value}".replace("_", "-"), name="邻区同事", password="", seat_number=seat, is_demo=True,
                by=THE_PLATFORM,
            )  # fmt: skip
            where = f"{BESIDE[:6]}001000" if role in {Role.STREET, Role.COMMUNITY, Role.GRID_WORKER} else BESIDE
            accounts.grant(user=user, role=role, place=where, by=THE_PLATFORM)
    return town


def addresses(resolver: Any, before: str = "") -> Iterator[str]:
    for pattern in resolver.url_patterns:
        path = before + str(pattern.pattern)
        if isinstance(pattern, URLResolver):
            yield from addresses(pattern, path)
        elif isinstance(pattern, URLPattern) and not {"\\", "(", "^"} & set(path) and not path.startswith(SHUT_TO_ALL):
            yield path


def numbers() -> dict[str, list[Any]]:
    """What is here, by the name that an address gives it."""

    def some(model: type[models.Model], field: str = "pk") -> list[Any]:
        return list(model._base_manager.order_by("-pk").values_list(field, flat=True)[:1])

    def of(label: str) -> list[Any]:
        return some(apps.get_model(label))

    return {
        "elder_id": some(Elder), "incident_id": some(Incident), "consent_id": some(Consent), "home_id": some(Home),
        "contact_id": some(Contact)[:1] + of("contacts.Contact")[:1], "scan_id": of("elders.ConsentScan"),
        "order_id": of("fieldwork.RepairOrder"), "call_id": some(Call, "call_id"), "recording_id": some(Recording),
        "ident": some(Recording)[:1], "review_id": of("supervision.Review"), "plan_id": some(CallPlan)[:1] + of("supervision.Plan")[:1],
        "campaign_id": of("campaigns.Campaign"), "planned_id": some(PlannedCall), "storm_id": of("alarms.Storm"),
        "row_id": of("alarms.StormHome"), "complaint_id": of("supervision.Complaint"), "sheet_id": of("sop.Sheet"),
        "attempt_id": some(Attempt), "bell_id": some(Bell), "back_id": some(CallBack), "expert_id": of("staff.Expert"),
        "proposal_id": of("levels.Proposal"), "user_id": some(User)[:1], "rung": [0, 1], "number_id": of("lines.AccessNumber"),
        "object_id": [1], "move": ["take"], "rest": ["x"], "token": ["x"], "thread": ["x"], "ref": some(Incident)[:1] + some(Call, "call_id")[:1],
        "kind": ["incident", "call"], "letter": ["A"],
    }  # fmt: skip


def paths(known: dict[str, list[Any]]) -> list[str]:
    """Every address with the numbers of what is here; one with two numbers in every pair that is likely."""
    found = []
    for address in addresses(get_resolver()):
        names = re.findall(r"<(?:\w+:)?(\w+)>", address)
        choices = [
            known.get(name) or list(WORDS if name in {"name", "what", "verb", "duty", "how", "field", "code"} else [0])
            for name in names
        ]
        many = itertools.islice(itertools.product(*choices), 4)
        for chosen in many:
            values = iter(chosen)
            found.append("/" + re.sub(r"<[^>]+>", lambda _, v=values: str(next(v)), address))  # type: ignore[misc]
    return found


def persons() -> dict[str, str]:
    """What no stranger may read: names, numbers and addresses of those who live here, and of their families."""
    found = {}
    for elder in Elder.objects.all():
        found |= {elder.name: "name", elder.phone: "phone", elder.id_number: "ID number"}
    for contact in Contact.objects.all():
        found |= {contact.name: "a contact's name", contact.phone: "a contact's phone"}
    found |= {home.address: "address" for home in Home.objects.all()}
    return {mark: what for mark, what in found.items() if len(mark) > 1}


def fingerprint() -> dict[str, str]:
    """All rows that a stranger may not change, table by table."""
    found = {}
    with connection.cursor() as cursor:
        for model in apps.get_models():
            if model._meta.label.startswith(KEPT) and model._meta.managed:
                table = connection.ops.quote_name(model._meta.db_table)
                cursor.execute(f"SELECT md5(string_agg(t::text, '' ORDER BY t::text)) FROM {table} t")  # noqa: S608 - our own table
                found[model._meta.label] = cursor.fetchone()[0] or ""
    return found


class Walk:
    """One person's way through all addresses; what she saw and what broke."""

    def __init__(self, client: Client, marks: dict[str, str]) -> None:
        self.client, self.marks = client, marks
        self.seen: dict[str, str] = {}
        self.broken: list[str] = []

    def ask(self, method: str, path: str) -> None:
        try:
            with transaction.atomic():
                answer = self.client.generic(
                    method, path, headers={"HX-Request": "true", "Sec-Fetch-Site": "same-origin"}
                )
        except Exception as error:  # noqa: BLE001 - whatever it is, it is told at the end
            self.broken.append(f"{method} {path}: {type(error).__name__} {error}")
            return
        if answer.status_code == 401 and not path.startswith("/api/"):
            self.broken.append(f"{method} {path}: no longer logged in")
        if answer.status_code >= 500:
            self.broken.append(f"{method} {path}: {answer.status_code}")
        if answer.streaming:
            answer.close()
            return
        text = answer.content.decode(errors="replace")
        for mark, what in self.marks.items():
            if mark in text:
                self.seen[f"{method} {path}"] = f"{what} {mark}"
                break


@pytest.mark.timeout(300)
@pytest.mark.usefixtures("full")
def test_who_has_no_business_with_a_person_reads_nothing_of_her_and_changes_nothing(as_user: As) -> None:
    with seen_by(EVERYWHERE):
        marks, everything = persons(), paths(numbers())
        before = fingerprint()
    assert len(marks) > 30
    assert len(everything) > 200, len(everything)
    safe = [p for p in everything if not p.startswith(ENDING)]
    seen, broken = {}, []
    for name in (*BUSY, *ADMINISTRATORS):
        walk = Walk(as_user(name), marks)
        for path in safe:
            if path.startswith("/console/") != (name == "sysadmin1"):
                continue  # the back office has one door, and a test of its own for it; nobody else's pages open to who keeps it
            walk.ask("GET", path)
            if name in WRITES:
                walk.ask("POST", path)
        seen |= {f"{name} {where}": what for where, what in walk.seen.items()}
        broken += [f"{name} {one}" for one in walk.broken]
    assert not seen, "\n".join(f"{where}: {what}" for where, what in seen.items())
    assert not broken, "\n".join(broken)
    with seen_by(EVERYWHERE):
        after = fingerprint()
        asked = Command.objects.exclude(call_id=None).count()
    assert {label for label in before if before[label] != after[label]} <= HER_OWN
    assert asked == 0, "nothing is asked of anybody's call"
    found: set[str] = set()
    for name in OURS:
        walk = Walk(as_user(name), marks)
        for path in safe:
            if not path.startswith("/console/"):
                walk.ask("GET", path)
        found |= set(walk.seen)
        assert not walk.broken
    assert len(found) > 20, "those who work here read it at the same addresses"
    assert not settings.DEBUG
