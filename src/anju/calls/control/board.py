"""The process: one switchboard acts at a time, the others stand by. `manage.py switchboard` runs it.

Who acts holds an advisory lock of the database and writes with its own `epoch`; one that lost its database goes on with
what is in its memory until somebody with a newer epoch has written.
"""

from __future__ import annotations

import asyncio
import gc
import logging
import signal
import sys
import threading
from collections.abc import Callable, Coroutine
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from functools import partial
from typing import Any, TypeVar

import psycopg
from django.conf import settings
from django.db import DatabaseError, InterfaceError, close_old_connections, connection, transaction

from anju.calls import exchange
from anju.calls.actions.asking import CHANNEL
from anju.calls.control import books as reading
from anju.calls.control import resync, rows, teller, verbs
from anju.calls.control import seats as seating
from anju.calls.control.apart import TellerApart
from anju.calls.control.core import Control
from anju.calls.control.pen import Pen
from anju.calls.control.spool import Spool
from anju.calls.control.teller import Teller
from anju.calls.models import Switchboard
from anju.kernel import audit, clock
from anju.kernel.scope import EVERYWHERE, seen_by
from anju.ops import heartbeat

_log = logging.getLogger(__name__)
T = TypeVar("T")
LOCK = 5021_0003
"""Number of the advisory lock of the switchboard that acts."""
BEAT, LOOK, SEEN, READ, TIDY = 1.0, 2.0, 15.0, 20.0, 3600.0
STANDBY = 1.0
SWITCH = 0.0005
"""Seconds after which a thread lets the other have the interpreter: a ring must not wait for the news."""
THREADS = 3


def connect() -> psycopg.Connection[Any]:
    """A connection of our own, outside Django's pool."""
    params = {k: v for k, v in connection.get_connection_params().items() if k not in {"cursor_factory", "context"}}
    return psycopg.connect(**params, autocommit=True)


class Board:
    """One process. `run()` blocks until SIGTERM, or until another switchboard acts."""

    def __init__(self, engine: exchange.Engine | None = None, teller: Teller | None = None) -> None:
        self.engine = engine or exchange.engine()
        self.teller = teller or TellerApart()
        self.pool = ThreadPoolExecutor(THREADS, thread_name_prefix="db")
        self.lock: psycopg.Connection[Any] | None = None
        self.epoch = 0
        self.control: Control | None = None
        self.stop = asyncio.Event()

    async def run(self) -> int:
        """Stand by, act, end; 0 when told to stop, 1 when replaced (the supervisor starts anew, which stands by)."""
        loop = asyncio.get_running_loop()
        sys.setswitchinterval(SWITCH)
        for number in (signal.SIGTERM, signal.SIGINT):
            with suppress(NotImplementedError, ValueError, RuntimeError):  # in a thread of a test
                loop.add_signal_handler(number, self.stop.set)
        while not self.stop.is_set():
            heartbeat.beat("switchboard")
            if await self._first():
                return await self._act()
            await self._nap(STANDBY)
        return 0

    async def _nap(self, seconds: float) -> None:
        with suppress(TimeoutError):
            await asyncio.wait_for(self.stop.wait(), seconds)

    async def db(self, what: Callable[[], T]) -> T:
        """Run a Django function in a thread that keeps its connection."""
        return await asyncio.get_running_loop().run_in_executor(self.pool, partial(_seeing, what))

    async def _first(self) -> bool:
        try:
            self.epoch = await self.db(self._take_the_lock)
        except (DatabaseError, InterfaceError, psycopg.Error) as error:
            _log.warning("no database yet: %s", error)
            return False
        return self.epoch > 0

    def _take_the_lock(self) -> int:
        self.lock = self.lock or connect()
        got = self.lock.execute("SELECT pg_try_advisory_lock(%s)", [LOCK]).fetchone()
        if got != (True,):
            return 0
        with transaction.atomic():
            Switchboard.objects.get_or_create(pk=1)
            row = Switchboard.objects.select_for_update().get(pk=1)
            row.epoch += 1
            row.engine, row.engine_ok, row.started_at = self.engine.name, False, clock.now()
            row.save()
        return row.epoch

    async def _act(self) -> int:
        pen = Pen(connect, spool=Spool(settings.ANJU_HOME / "spool" / "calls.spool"), epoch=self.epoch)
        await self.db(pen.catch_up)
        self.control = control = Control(
            self.engine, pen, self.teller, run_sync=self.db, books=await self.db(reading.read)
        )
        with suppress(ImportError):
            from anju.calls import scripts

            scripts.register(control)
        gc.collect()
        gc.freeze()  # what is here now stays: looking through it again and again would hold up rings
        control.to_resync = partial(resync.resync, control)
        pen.start()
        control.teller.start()
        threading.Thread(target=self._listen, args=(asyncio.get_running_loop(),), name="listen", daemon=True).start()
        await self._reach(control)
        endless = [
            asyncio.create_task(work, name=name)
            for name, work in (
                ("events", control.run()), ("clock", control.clockwork.run()), ("beat", self._every(BEAT, self._beat)),
                ("look", self._every(LOOK, partial(seating.look_who_is_there, control))),
                ("seen", self._every(SEEN, self._seen)), ("read", self._every(READ, self._read)),
                ("verbs", self._every(BEAT, partial(verbs.take_all, control))),
                ("tidy", self._every(TIDY, partial(self.db, teller.tidy))),
            )
        ]  # fmt: skip
        waits = [asyncio.create_task(self.stop.wait()), asyncio.create_task(control.stopped.wait())]
        await asyncio.wait([*waits, endless[0], endless[1]], return_when=asyncio.FIRST_COMPLETED)
        replaced = control.stopped.is_set() or not self.stop.is_set()
        for ended in endless[:2]:
            if ended.done() and not ended.cancelled() and ended.exception() is not None:
                _log.error("%s ended", ended.get_name(), exc_info=ended.exception())
        running: list[asyncio.Task[Any]] = [*endless, *waits]
        for task in running:
            task.cancel()
        await asyncio.gather(*running, return_exceptions=True)
        with suppress(exchange.EngineDown):
            await self.engine.close()
        self.stop.set()
        await asyncio.to_thread(pen.stop)
        await asyncio.to_thread(control.teller.stop)
        if self.lock is not None:
            self.lock.close()
        return 1 if replaced else 0

    async def _reach(self, control: Control) -> None:
        """The engine may start after us; until it is there we say so."""
        while not self.stop.is_set():
            try:
                await self.engine.connect()
            except exchange.EngineDown as error:
                _log.info("no telephone engine yet: %s", error)
                await self._beat()
                await self._nap(STANDBY)
            else:
                control.engine_ok = True
                return

    async def _every(self, seconds: float, work: Callable[[], Coroutine[Any, Any, object]]) -> None:
        """Again and again; a round that fails is logged and comes again."""
        while True:
            try:
                await asyncio.wait_for(work(), 10)
            except exchange.Fenced:
                if self.control is not None:
                    self.control.stop("fenced")
            except exchange.EngineDown:
                _log.debug("the engine is away")
            except (DatabaseError, InterfaceError, psycopg.Error, TimeoutError) as error:
                _log.warning("a round failed: %s", error)
            except Exception:  # noqa: BLE001 - whatever it was, the next round must come
                _log.exception("a round failed")
            await asyncio.sleep(seconds)

    async def _beat(self) -> None:
        control = self.control
        if control is None:
            return
        health = await self.engine.health()
        waiting = sum(c.waits for c in control.calls.values())
        columns = {
            "engine_ok": health.ok, "real": health.real, "detail": health.detail[:200], "engine": self.engine.name,
            "live_calls": len(control.calls), "waiting_calls": waiting,
        }  # fmt: skip
        control.note(None, rows.beat(self.epoch, clock.now(), columns))
        heartbeat.beat("switchboard")
        if control.pen.fenced:
            control.stop("another switchboard writes")

    async def _seen(self) -> None:
        control = self.control
        if control is not None and control.calls:
            control.note(None, rows.seen(list(control.calls), clock.now()))

    async def _read(self) -> None:
        """What the back office changed; seats come by notification, new ones also here."""
        control = self.control
        if control is None:
            return
        fresh = await self.db(reading.read)
        control.books = fresh
        for user_id in set(fresh.seats) - set(control.seats):
            control.seats[user_id] = fresh.seats[user_id]

    def _listen(self, loop: asyncio.AbstractEventLoop) -> None:
        """Verbs and seats, the moment they are committed. Without the database there are none."""
        while not self.stop.is_set():
            try:
                with connect() as raw:
                    raw.execute(f"LISTEN {CHANNEL}")
                    loop.call_soon_threadsafe(self._heard, "command")
                    while not self.stop.is_set():
                        for note in raw.notifies(timeout=1.0):
                            loop.call_soon_threadsafe(self._heard, note.payload)
            except (psycopg.Error, RuntimeError) as error:
                _log.warning("not listening (%s); again in a second", error)
                threading.Event().wait(1.0)

    def _heard(self, payload: str) -> None:
        control = self.control
        if control is None or self.stop.is_set():
            return
        kind, _, which = payload.partition(":")
        if kind == "command":
            control.task(verbs.take_all(control), "verbs")
        elif kind == "seat":
            control.task(seating.heard(control, int(which)), "seat")


def _seeing(what: Callable[[], T]) -> T:
    try:
        with seen_by(EVERYWHERE), audit.acting("话务控制"):
            return what()
    except (DatabaseError, InterfaceError):
        connection.close()
        raise
    finally:
        if settings.ANJU_MODE != "test":
            close_old_connections()
