"""One ear per process on PostgreSQL's `anju_changed`, and a fan-out to the open desks of that process.

A desk hears only `{t, i, p}` of places its user answers for; it fetches what it shows again, so nothing can leak and a
lost push is repaired by the next. Whoever reads too slowly gets one `resync` instead of an endless queue.
How to debug: `LISTEN anju_changed;` in psql shows what is told; `live-line` in the page counts its `data-gaps`.
"""

from __future__ import annotations

import asyncio
import json
import secrets
import time
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass, field
from weakref import WeakKeyDictionary

import psycopg
import structlog
from asgiref.sync import sync_to_async
from django.contrib.auth import get_user
from django.contrib.sessions.backends.db import SessionStore
from django.db import connections
from django.http import HttpRequest

from anju.accounts import queries as accounts
from anju.accounts import sessions
from anju.accounts.models import User
from anju.kernel.changes import CHANNEL
from anju.kernel.scope import Scope
from anju.portals.desk import presence

log = structlog.get_logger()

BEAT_SECONDS = 5.0
"""A heartbeat; the page takes twelve seconds of silence for a dead line."""
QUEUE_LENGTH = 256
"""Changes that may wait for one desk before it is told to fetch everything again."""
SETTLED_SECONDS = 30.0
"""After a start of this process the desks need a moment to come back before one of them counts as lost."""
RECONNECT_SECONDS = (0.2, 0.5, 1.0, 2.0, 5.0)


@dataclass(frozen=True, slots=True)
class Change:
    """Something changed: topic, id of the subject, its place."""

    topic: str
    subject: str | int
    place: str

    @property
    def json(self) -> str:
        """As the stream carries it."""
        return json.dumps({"t": self.topic, "i": self.subject, "p": self.place})


RESYNC = Change("resync", 0, "")
BYE = Change("bye", 0, "")
DEAF = Change("deaf", 0, "")


@dataclass(eq=False)
class Listener:
    """One open page. `scope` is looked up again with every heartbeat; `topics` empty means all."""

    session_key: str
    scope: Scope
    topics: frozenset[str] = frozenset()
    queue: asyncio.Queue[Change] = field(default_factory=lambda: asyncio.Queue(QUEUE_LENGTH))
    flooded: bool = False
    ended: bool = False

    def tell(self, change: Change) -> None:
        """Hand over a change; on overflow forget what waits and ask for a fresh start."""
        if self.flooded:
            return
        try:
            self.queue.put_nowait(change)
        except asyncio.QueueFull:
            self.flooded = True

    def end(self) -> None:
        """The log-in is over: nothing more is told."""
        self.ended = True
        self._empty()
        self.queue.put_nowait(BYE)

    async def next(self, seconds: float) -> Change | None:
        """The next change; None when nothing came in time."""
        if self.flooded:
            self._empty()
            self.flooded = False
            return RESYNC
        with suppress(TimeoutError):
            return await asyncio.wait_for(self.queue.get(), seconds)
        return None

    def _empty(self) -> None:
        while not self.queue.empty():
            self.queue.get_nowait()


class Hub:
    """The ear and its listeners; lives as long as somebody listens."""

    def __init__(self) -> None:
        self.epoch = secrets.token_hex(4)
        self._listeners: set[Listener] = set()
        self._tasks: list[asyncio.Task[None]] = []
        self._hearing = asyncio.Event()
        self._lost = False
        self._opened_at = 0.0

    @property
    def hears(self) -> bool:
        """Whether the ear is open now."""
        return self._hearing.is_set()

    async def join(self, listener: Listener) -> None:
        """Begin to tell a desk; returns when the ear is open, so that nothing after this is missed."""
        self._listeners.add(listener)
        if not self._tasks:
            self._opened_at = time.monotonic()
            self._tasks = [
                asyncio.create_task(self._forever(self._hear)),
                asyncio.create_task(self._forever(self._check)),
            ]
        with suppress(TimeoutError):
            await asyncio.wait_for(self._hearing.wait(), 5)

    def leave(self, listener: Listener) -> None:
        """The desk is gone."""
        self._listeners.discard(listener)
        if not self._listeners:
            for task in self._tasks:
                task.cancel()
            self._tasks = []
            self._hearing.clear()

    async def _forever(self, work: Callable[[], Awaitable[None]]) -> None:
        failures = 0
        while True:
            began = time.monotonic()
            try:
                await work()
            except asyncio.CancelledError:
                raise
            except Exception as error:  # noqa: BLE001 - the ear must not die; every desk is told that it may have missed something
                if work == self._hear and not self._lost:
                    self._hearing.clear()
                    self._lost = True
                    for listener in self._listeners:
                        listener.tell(DEAF)
                log.warning("desk.hub.lost", work=work.__name__, error=str(error))
            failures = 0 if time.monotonic() - began > RECONNECT_SECONDS[-1] else failures
            await asyncio.sleep(RECONNECT_SECONDS[min(failures, len(RECONNECT_SECONDS) - 1)])
            failures += 1

    async def _hear(self) -> None:
        params = {
            k: v
            for k, v in connections["default"].get_connection_params().items()
            if k not in {"cursor_factory", "context"}
        }
        async with await psycopg.AsyncConnection.connect(**params, autocommit=True) as ear:
            await ear.execute(f"LISTEN {CHANNEL}")
            self._hearing.set()
            if self._lost:
                self._lost = False
                for listener in self._listeners:
                    listener.tell(RESYNC)
            async for news in ear.notifies():
                self._tell(news.payload)
        raise ConnectionError("the database closed the ear")

    def _tell(self, payload: str) -> None:
        try:
            data = json.loads(payload)
            change = Change(str(data["t"]), data["i"], str(data["p"]))
        except (ValueError, KeyError, TypeError):
            log.warning("desk.hub.odd", payload=payload[:200])
            return
        for listener in self._listeners:
            # a change without a place is about the centre itself (who is at a desk), never about a home
            wanted = not listener.topics or change.topic in listener.topics
            if wanted and (not change.place or listener.scope.covers(change.place)):
                listener.tell(change)

    async def _check(self) -> None:
        """With every heartbeat: whose log-in ended, whose posts changed. Who joins while that is looked up waits for the next."""
        await asyncio.sleep(BEAT_SECONDS)
        asked = list(self._listeners)
        keys = sorted({listener.session_key for listener in asked})
        settled = time.monotonic() - self._opened_at > SETTLED_SECONDS
        scopes = await sync_to_async(scopes_of, thread_sensitive=False)(keys, report_lost=settled)
        for listener in asked:
            scope = scopes.get(listener.session_key)
            if scope is None:
                listener.end()
            elif scope != listener.scope:
                listener.scope = scope
                listener.tell(RESYNC)


def scopes_of(session_keys: list[str], *, report_lost: bool = False) -> dict[str, Scope]:
    """The scope of each session that is still logged in; the others are absent. Their users are marked as present.

    Runs in a thread of its own, which leaves no database connection behind.
    """
    found: dict[str, Scope] = {}
    users: set[int] = set()
    try:
        for key in session_keys:
            request = HttpRequest()
            request.session = SessionStore(session_key=key)
            user = get_user(request)
            if isinstance(user, User) and user.is_active and min(sessions.left(request, user)) > 0:
                found[key] = accounts.scope_of(user)
                users.add(user.pk)
        presence.seen(users)
        if report_lost:
            presence.report_lost()
    finally:
        connections.close_all()
    return found


_hubs: WeakKeyDictionary[asyncio.AbstractEventLoop, Hub] = WeakKeyDictionary()


def hub() -> Hub:
    """The hub of this process (of this event loop)."""
    return _hubs.setdefault(asyncio.get_running_loop(), Hub())
