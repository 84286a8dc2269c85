"""A real web process for the stories: uvicorn in a thread on the test database, and a real Chromium."""

from __future__ import annotations

import os
import socket
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings
from django.contrib.auth import BACKEND_SESSION_KEY, HASH_SESSION_KEY, SESSION_KEY
from django.contrib.sessions.backends.db import SessionStore
from django.db import connections
from playwright.sync_api import expect

from anju.accounts import sessions
from anju.accounts.models import User
from anju.accounts.roles import Role
from anju.accounts.tests.factories import make_user
from anju.alarms import actions as alarms
from anju.alarms.rules import RULES
from anju.elders.models import Elder
from anju.elders.tests.factories import ContactFactory, ElderFactory, HomeFactory, complete
from anju.incidents.models import Incident
from anju.kernel import clock
from anju.kernel.scope import EVERYWHERE, seen_by
from anju.places.tests.factories import make_district

CHROMIUM = "/usr/bin/chromium"
FLAGS = [
    "--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-component-update", "--disable-sync",
    "--no-first-run", "--autoplay-policy=user-gesture-required",
]  # fmt: skip
PATIENCE = 30_000
"""Milliseconds that a page is given to show what is expected of it: a busy machine is no failure."""
DESK, PHONE = {"width": 1440, "height": 900}, {"width": 390, "height": 844}
expect.set_options(timeout=PATIENCE)


@dataclass
class District:
    """What the stories play in."""

    agent: User
    second: User
    lead: User
    street: User
    elder: Elder
    other: Elder


GIVEN_UP = frozenset({"htmx:sendAbort", "htmx:afterRequest"})
"""What htmx says of a question that a newer one replaced (`hx-sync`); one that failed is a sendError beside it."""


@pytest.fixture
def district(transactional_db: None) -> District:
    """望潮区 with two elders, two agents, a lead and somebody of another street."""
    with seen_by(EVERYWHERE):
        make_district()
        people = [
            make_user(Role.AGENT),
            make_user(Role.AGENT),
            make_user(Role.LEAD),
            make_user(Role.STREET, place="330199002000"),
        ]
        for user, (name, seat) in zip(
            people, [("周晓岚", "1017"), ("陈一鸣", "1023"), ("林佳", "1031"), ("高敏", "")], strict=True
        ):
            user.name, user.seat_number = name, seat
            user.save()
        home = HomeFactory(
            address="荷汀花园 6 幢 2 单元 302 室", lon=121.0536, lat=30.4072, entrance_lon=None, entrance_lat=None
        )
        elder = complete(
            ElderFactory(home=home, name="沈玉芬", sex="女", phone="13800002046", hearing_note="左耳弱，慢说")
        )
        other = ElderFactory(name="周阿根", sex="男", home__place="330199001003", home__area="330199001003")
        ContactFactory(elder=other)
    return District(*people, elder, other)


def press(elder: Elder, kind: str = "sos", *, where: str = "卫生间") -> Incident:
    """An alarm of the home, as the router raises it; the open case of the home."""
    with seen_by(EVERYWHERE):
        now = clock.now()
        from django.db import transaction

        with transaction.atomic():
            alarms.raise_or_join(
                rule=RULES[kind],
                at=now,
                received_at=now,
                source="ctwing",
                place=elder.home.place,
                home_id=elder.home_id,
                where=where,
            )
        return Incident.objects.filter(home=elder.home).latest("id")


@pytest.fixture
def web(transactional_db: None) -> Iterator[str]:
    """The address of a web process that serves pages, parts and the stream."""
    import uvicorn
    from django.contrib.staticfiles.handlers import ASGIStaticFilesHandler
    from django.core.asgi import get_asgi_application

    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    config = uvicorn.Config(
        ASGIStaticFilesHandler(get_asgi_application()), host="127.0.0.1", port=port, log_level="warning", lifespan="off",
        timeout_graceful_shutdown=1,
    )  # fmt: skip
    server = uvicorn.Server(config)
    known = sessions_of_the_database()
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    limit = time.monotonic() + 60
    while not server.started and time.monotonic() < limit:
        threading.Event().wait(0.02)
    yield f"http://127.0.0.1:{port}"
    server.should_exit = True
    thread.join(10)
    _close_strays(known)


def sessions_of_the_database() -> list[int]:
    """Who is connected to the test database now (process ids of the server)."""
    from django.db import connection

    with connection.cursor() as cursor:
        cursor.execute("SELECT pid FROM pg_stat_activity WHERE datname = current_database()")
        return [row[0] for row in cursor.fetchall()]


def _close_strays(known: Iterable[int] = ()) -> None:
    """Connections of the server's threads would keep the test database from being emptied. `known` were there before the
    server: one of them is this thread's own from before Playwright's loop, which Django gives back to the next test.
    """
    from django.db import connection

    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database() "
            "AND backend_type = 'client backend' AND usename = current_user AND pid <> pg_backend_pid() AND pid <> ALL(%s)",
            [list(known)],
        )
    connections.close_all()


def session_of(user: User) -> str:
    """A log-in that passed all its factors; the session key."""
    store = SessionStore()
    store[SESSION_KEY] = str(user.pk)
    store[BACKEND_SESSION_KEY] = "django.contrib.auth.backends.ModelBackend"
    store[HASH_SESSION_KEY] = user.get_session_auth_hash()
    sessions.begin(store, passed=True)
    store.save()
    return str(store.session_key)


@dataclass
class Seat:
    """One agent's browser."""

    page: Any
    session_key: str
    complaints: list[str] = field(default_factory=list)


@pytest.fixture(scope="module")
def chromium() -> Iterator[Any]:
    """One browser for the stories of a module."""
    from playwright.sync_api import sync_playwright

    os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"] = "true"  # Playwright keeps a loop in this thread
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        yield browser
        browser.close()
    os.environ.pop("DJANGO_ALLOW_ASYNC_UNSAFE", None)


@pytest.fixture
def sit(web: str, chromium: Any) -> Iterator[Callable[..., Seat]]:
    """`sit(user)`: the desk of that user in a browser of her own. Complaints of the console fail the test at its end."""
    opened: list[tuple[Any, Seat]] = []

    def sit_down(user: User, path: str = "/desk/", *, size: dict[str, int] = DESK, ear: str = "") -> Seat:
        context = chromium.new_context(viewport=size, locale="zh-CN", timezone_id="Asia/Shanghai")
        if ear:
            context.add_init_script(ear)
        key = session_of(user)
        context.add_cookies([{"name": settings.SESSION_COOKIE_NAME, "value": key, "url": web}])
        page = context.new_page()
        page.set_default_timeout(PATIENCE)
        seat = Seat(page, key)
        page.on(
            "console",
            lambda message: (
                seat.complaints.append(message.text)
                if message.type in {"error", "warning"} and message.text not in GIVEN_UP
                else None
            ),
        )
        page.on("pageerror", lambda error: seat.complaints.append(str(error)))
        page.goto(web + path)
        opened.append((context, seat))
        return seat

    yield sit_down
    complaints = [text for _, seat in opened for text in seat.complaints]
    for context, _ in opened:
        context.close()
    assert not complaints


@pytest.fixture
def shots(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where pictures go: ANJU_SHOTS, or a temporary folder."""
    folder = Path(os.environ["ANJU_SHOTS"]) if os.environ.get("ANJU_SHOTS") else tmp_path_factory.mktemp("shots")
    folder.mkdir(parents=True, exist_ok=True)
    return folder
