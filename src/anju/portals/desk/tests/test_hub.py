"""The ear and its fan-out: who hears what, what a slow reader gets, how gaps show, when a log-in ends."""

from __future__ import annotations

import asyncio
import json
import threading
from collections.abc import AsyncIterator, Callable, Coroutine
from typing import Any

import pytest
from asgiref.sync import ThreadSensitiveContext, sync_to_async
from django.contrib.sessions.models import Session
from django.db import connection

from anju.accounts import queries as accounts
from anju.accounts.models import User
from anju.kernel.changes import changed
from anju.kernel.scope import EVERYWHERE, NOBODY, Scope
from anju.portals.desk import events, hub, presence
from anju.portals.desk.hub import BYE, RESYNC, Change, Hub, Listener, scopes_of
from anju.portals.desk.tests.conftest import District, session_of

STREET = Scope(places=("330199001",))


@pytest.mark.req("SYS-01")
def test_a_listener_hears_only_its_places() -> None:
    """A change of another street never leaves the process; an unreadable one disturbs nobody."""
    ear = Hub()
    mine, other, nobody = (Listener("k", scope) for scope in (STREET, Scope(places=("330199002",)), NOBODY))
    ear._listeners.update({mine, other, nobody})
    mine.topics = frozenset({"incident"})
    ear._tell('{"t": "device", "i": 1, "p": "330199001001"}')
    ear._tell('{"t": "incident", "i": 7, "p": "330199001001"}')
    ear._tell("not json")
    ear._tell('{"t": "incident"}')
    assert mine.queue.get_nowait() == Change("incident", 7, "330199001001")
    assert other.queue.empty()
    assert nobody.queue.empty()
    assert json.loads(Change("queue", 7, "330199001001").json) == {"t": "queue", "i": 7, "p": "330199001001"}


@pytest.mark.req("INC-04")
def test_who_reads_too_slowly_is_told_to_start_afresh() -> None:
    """No endless queue: one resync instead of everything that was missed; then the line goes on."""

    async def story() -> None:
        slow = Listener("k", EVERYWHERE)
        for n in range(hub.QUEUE_LENGTH + 50):
            slow.tell(Change("incident", n, ""))
        assert slow.queue.qsize() == hub.QUEUE_LENGTH
        assert await slow.next(0.01) is RESYNC
        assert await slow.next(0.01) is None
        slow.tell(Change("incident", 1, ""))
        assert await slow.next(0.01) == Change("incident", 1, "")
        slow.end()
        assert await slow.next(0.01) is BYE

    asyncio.run(story())


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """Heartbeats of a tenth of a second."""
    monkeypatch.setattr(hub, "BEAT_SECONDS", 0.1)
    monkeypatch.setattr(events, "BEAT_SECONDS", 0.1)


@pytest.mark.req("SYS-01")
@pytest.mark.django_db(transaction=True)
def test_an_open_desk_holds_no_connection_of_the_pool() -> None:
    """Its request lasts as long as the desk is open; ten of them once left no connection to anybody else."""

    async def story() -> tuple[bool, bool]:
        async with ThreadSensitiveContext():  # one thread for the whole request, as the server gives it
            await sync_to_async(lambda: connection.ensure_connection())()  # noqa: PLW0108 - of that thread, not of this one
            before = await sync_to_async(lambda: connection.connection is None)()
            line = events.stream(Listener("k", EVERYWHERE))
            assert heard(await anext(line))[0] == "hello"
            after = await sync_to_async(lambda: connection.connection is None)()
            await line.aclose()  # type: ignore[attr-defined]
            return before, after

    assert asyncio.run(story()) == (False, True)


def heard(text: str) -> tuple[str, dict[str, Any]]:
    """(event, data) of one piece of the stream."""
    lines = dict(line.split(": ", 1) for line in text.strip().splitlines())
    return lines["event"], json.loads(lines["data"])


async def until(stream: AsyncIterator[str], wanted: str) -> dict[str, Any]:
    """Read on to the next event of that name."""
    async with asyncio.timeout(30):
        async for piece in stream:
            name, data = heard(piece)
            if name == wanted:
                return data
    raise AssertionError(f"the stream ended without {wanted}")


def in_thread(work: Callable[[], Any]) -> Coroutine[Any, Any, Any]:
    """Database work beside the stream."""

    def run() -> Any:
        try:
            return work()
        finally:
            connection.close()

    return asyncio.to_thread(run)


@pytest.mark.req("INC-04", "SYS-02")
def test_the_stream_of_a_desk(district: District, quick: None) -> None:
    """hello, changes by NOTIFY after the commit, a heartbeat that counts them, resync after a lost ear, bye after log-out."""
    user: User = district.agent
    key, scope = session_of(user), accounts.scope_of(user)

    async def story() -> None:
        stream = events.stream(Listener(key, scope))
        hello = await until(stream, "hello")
        assert hello["n"] == 0
        await in_thread(lambda: changed("incident", 12, "330199001001"))
        assert await until(stream, "changed") == {"t": "incident", "i": 12, "p": "330199001001"}
        beat = await until(stream, "beat")
        assert beat["epoch"] == hello["epoch"]
        assert beat["n"] >= 1  # the incident; who sits down meanwhile is told as well
        assert abs(beat["now"] - hello["now"]) < 60_000
        await in_thread(_cut_the_ear)
        await until(stream, "deaf")
        await until(stream, "resync")
        await until(stream, "beat")
        await in_thread(lambda: changed("incident", 13, "330199001001"))
        assert (await until(stream, "changed"))["i"] == 13
        assert user.pk in await in_thread(presence.here)
        await in_thread(lambda: Session.objects.all().delete())
        await until(stream, "bye")
        with pytest.raises(StopAsyncIteration):
            await anext(stream)

    asyncio.run(story())


@pytest.mark.req("INC-04", "SYS-02")
def test_a_desk_that_opens_while_log_ins_are_looked_up_is_not_told_that_hers_is_over(
    monkeypatch: pytest.MonkeyPatch, quick: None
) -> None:
    """Seen on a busy machine: the look-up knew nothing of who had just sat down, and her desk heard no alarm from then on."""

    async def story() -> None:
        going, goes_on, asked = asyncio.Event(), threading.Event(), list[list[str]]()
        loop = asyncio.get_running_loop()

        def look_up(keys: list[str], **_: bool) -> dict[str, Scope]:
            asked.append(keys)
            loop.call_soon_threadsafe(going.set)
            goes_on.wait(30)
            return {"first": STREET}

        monkeypatch.setattr(hub, "scopes_of", look_up)
        ear, first, gone, late = Hub(), *(Listener(key, STREET) for key in ("first", "gone", "late"))
        ear._listeners.update({first, gone})
        check = asyncio.create_task(ear._check())
        await asyncio.wait_for(going.wait(), 30)
        ear._listeners.add(late)
        goes_on.set()
        await check
        assert asked == [["first", "gone"]]
        assert (first.ended, gone.ended, late.ended) == (False, True, False)
        check = asyncio.create_task(ear._check())
        await check
        assert late.ended, "the next look-up asks for her too"

    asyncio.run(story())


def _cut_the_ear() -> None:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database() AND query LIKE 'LISTEN%%'"
        )


@pytest.mark.req("SYS-02", "SYS-04")
def test_only_a_log_in_that_stands_keeps_its_scope(district: District) -> None:
    """A changed password or a switched-off user ends the stream with the next heartbeat."""
    keys = {
        name: session_of(user) for name, user in (("a", district.agent), ("b", district.second), ("c", district.lead))
    }
    district.second.set_password("Another-Tide-2026")
    district.second.save()
    district.lead.is_active = False
    district.lead.save()
    found = scopes_of([*keys.values(), "nothing"])
    assert set(found) == {keys["a"]}
    assert found[keys["a"]].covers("330199001001")
