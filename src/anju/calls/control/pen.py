"""Writes what the switchboard does, before it does it: many steps, one transaction, one round trip.

A step of a call is a batch of rows. Batches that wait together are committed together, by one thread with a connection of
its own, so that the event loop never waits for the database. While the database is away the batches go to a file
(encrypted, synced to disk) and count as written: a caller in need is rung all the same, and the file is written into the
database, in order, when it is back.
"""

from __future__ import annotations

import asyncio
import itertools
import logging
import threading
import time
from collections import deque
from collections.abc import Awaitable, Callable, Iterator, Sequence
from concurrent.futures import Future
from contextlib import contextmanager
from typing import Any

import psycopg
from psycopg import errors

from anju.calls.control.rows import Row, fence, together
from anju.calls.control.spool import Spool
from anju.calls.exchange import Fenced

_log = logging.getLogger(__name__)
TOGETHER = 64
"""Batches of one transaction at most."""
LOCK_WAIT = "10ms"
"""Somebody else holds a call's row: the others do not wait for it, it is written a moment later."""
COMPANY = 0.01
"""Seconds that rows for which nobody waits stay for others to share their commit: each commit waits for the disk."""
AGAIN = 0.05
RECONNECT = 0.5
HANGS = 0.7
"""Seconds after which a step is not waited for but spooled beside: nobody in need waits for a disk."""
PATIENCE = 3.0
"""Seconds that a statement may take before the database counts as away."""

Connect = Callable[[], psycopg.Connection[Any]]


class Batch:
    """Rows that belong together, and who waits for them."""

    __slots__ = ("done", "key", "rows", "written")

    def __init__(self, key: str, rows: Sequence[Row]) -> None:
        self.key, self.rows = key, list(rows)
        self.done: Future[None] = Future()
        self.written = False
        """In the database, whatever else may lie in the spool."""


class Pen:
    """`write()` from the event loop; the future is done when the rows are safe. `epoch` fences off an older switchboard."""

    def __init__(self, connect: Connect, *, spool: Spool | None = None, epoch: int = 0) -> None:
        self._connect, self.spool, self.epoch = connect, spool, epoch
        self._batches: deque[Batch] = deque()
        self._late: deque[Batch] = deque()
        self._bell = threading.Condition()
        self._stop = False
        self._pause = threading.Event()
        self._thread: threading.Thread | None = None
        self._raw: psycopg.Connection[Any] | None = None
        self.away_since: float | None = None
        self.fenced = False
        self._called = False
        self._hurry = False
        """Somebody waits for what is in line; without that, batches wait a moment for company."""
        self.missed: deque[str] = deque(maxlen=100)
        """Moves that found their call in another state than we thought."""
        self._marks = itertools.count(1)
        self._beside: dict[str, Batch] = {}
        """Batches that lie in the spool as well, by their mark there."""

    # ---- from the event loop

    def write(self, key: str, *rows: Row | None, hurry: bool = False) -> asyncio.Future[None]:
        """Have these rows written. `key` is the call: its batches keep their order. `hurry`: somebody waits for it."""
        return asyncio.wrap_future(self._line_up(key, rows, hurry=hurry).done)

    def _line_up(self, key: str, rows: Sequence[Row | None], *, hurry: bool) -> Batch:
        batch = Batch(key, [r for r in rows if r is not None])
        with self._bell:
            self._batches.append(batch)
            self._hurry = self._hurry or hurry
            if hurry:
                self._bell.notify()
        if (
            not hurry and not self._called
        ):  # what one event leads to goes into one commit: the pen is called when that is decided
            self._called = True
            asyncio.get_running_loop().call_soon(self._call)
        return batch

    def _call(self) -> None:
        self._called = False
        with self._bell:
            self._bell.notify()

    def sure(self, key: str, *rows: Row | None) -> Awaitable[None]:
        """Done when these rows are safe: in the database, or in the spool when that takes too long. Fenced if replaced.

        Writing them twice changes nothing, so a round that hangs is not waited for.
        """
        return self._safe(self._line_up(key, rows, hurry=True))

    async def _safe(self, batch: Batch) -> None:
        written = asyncio.wrap_future(batch.done)
        await asyncio.wait({written}, timeout=HANGS)
        if written.done():
            written.result()
        elif self.spool is not None:
            mark = f"{self.epoch}.{next(self._marks)}"
            self._beside[mark] = batch
            await asyncio.to_thread(self.spool.add, batch.key, batch.rows, mark)
        else:
            await written

    def catch_up(self) -> None:
        """What an earlier switchboard left in the spool is written before anybody reads how things stand (in a thread).

        Read first, our memory would be newer than the table: a seat that rang in the spool was forgotten as busy.
        Without a database it stays, and is written when that is back.
        """
        if self.spool is not None and self.spool.count:
            self.away_since = time.monotonic()
            self._back()

    def start(self) -> None:
        """Begin to write."""
        self._thread = threading.Thread(target=self._run, name="pen", daemon=True)
        self._thread.start()

    def stop(self, patience: float = 3.0) -> None:
        """Write what waits, then end."""
        with self._bell:
            self._stop = True
            self._bell.notify()
        if self._thread is not None:
            self._thread.join(patience)

    @property
    def waiting(self) -> int:
        """Batches that are not in the database yet."""
        return len(self._batches) + len(self._late) + (self.spool.count if self.spool else 0)

    # ---- the thread

    def _run(self) -> None:
        while True:
            with self._bell:
                if not self._batches and not self._stop:
                    self._bell.wait(AGAIN if self._late else (RECONNECT if self.away_since else 1.0))
                if self._batches and not self._stop:
                    self._bell.wait_for(lambda: self._hurry or self._stop, COMPANY)
                self._hurry = False
                taken = [self._batches.popleft() for _ in range(min(TOGETHER, len(self._batches)))]
                if self._stop and not taken and not self._late:
                    break
            self.round(taken)
        if self._raw is not None:
            self._raw.close()

    def round(self, taken: list[Batch]) -> None:
        """One transaction with what waits (also what was late or spooled before)."""
        if not taken and not self._late and self.away_since is None:
            return
        if self.away_since is not None and not self._back():
            self._spool(taken)
            return
        ready = [*self._late, *taken]
        self._late.clear()
        try:
            self._commit(ready)
            self._write_aside()
        except Fenced as error:
            self.fenced = True
            self._fail(ready, error)
        except (psycopg.OperationalError, psycopg.InterfaceError) as error:
            if isinstance(error, errors.LockNotAvailable | errors.DeadlockDetected | errors.SerializationFailure):
                self._one_by_one(ready)
            else:
                self._lost(error)
                self._spool(ready)
        except psycopg.Error:
            self._one_by_one(ready)

    def _write_aside(self) -> None:
        """What was spooled while a round took too long: it is in the database by now, or is written here.

        Never a second time in this process: later steps may be written already, and an older one would undo them.
        """
        if self.spool is None or not self.spool.count:
            return
        poured: list[str] = []

        def into(key: str, rows: list[Row], mark: str) -> None:
            batch = self._beside.get(mark)
            if batch is None or not batch.written:
                self._again(key, rows)
            poured.append(mark)

        self.spool.pour(into)
        for mark in poured:
            self._beside.pop(mark, None)

    def _commit(self, batches: Sequence[Batch]) -> None:
        raw = self._raw or self._open()
        found: list[tuple[Row, psycopg.Cursor[Any]]] = []
        try:
            with _one_trip(raw):
                if self.epoch:
                    raw.execute(fence(self.epoch).sql, fence(self.epoch).values)
                steps = together(row for batch in batches for row in batch.rows)
                found = [(row, raw.execute(row.sql, row.values)) for row in steps]
        except errors.DivisionByZero as error:
            self._drop()
            raise Fenced("another switchboard writes") from error
        except BaseException:
            self._drop()
            raise
        for row, cursor in found:
            if row.must and cursor.rowcount == 0:
                _log.error("the database has this call in another state: %s", row.must)
                self.missed.append(row.must)
        for batch in batches:
            batch.written = True
            _resolve(batch)

    def _one_by_one(self, batches: Sequence[Batch]) -> None:
        """One of them cannot be written now: the others must not suffer, and later ones of the same call keep their turn."""
        held: set[str] = set()
        self._late.clear()
        for n, batch in enumerate(batches):
            if batch.key in held:
                self._late.append(batch)
                continue
            try:
                self._commit([batch])
            except (errors.LockNotAvailable, errors.DeadlockDetected, errors.SerializationFailure):
                held.add(batch.key)
                self._late.append(batch)
            except Fenced as error:
                self.fenced = True
                self._fail(batches[n:], error)
                return
            except (psycopg.OperationalError, psycopg.InterfaceError) as error:
                self._lost(error)
                self._spool([*self._late, *batches[n:]])
                self._late.clear()
                return
            except psycopg.Error as error:
                _log.exception("these rows cannot be written: %s", [r.sql[:60] for r in batch.rows])
                self._fail([batch], error)

    def _open(self) -> psycopg.Connection[Any]:
        raw = self._connect()
        raw.autocommit = True
        raw.prepare_threshold = 2
        raw.execute(f"SET lock_timeout = '{LOCK_WAIT}'")
        raw.execute(f"SET statement_timeout = '{int(PATIENCE * 1000)}'")
        self._raw = raw
        return raw

    # ---- the database is away

    def _lost(self, error: Exception) -> None:
        if self.away_since is None:
            _log.error("the database is away (%s); rows are spooled", error)
            self.away_since = time.monotonic()
        self._drop()

    def _drop(self) -> None:
        """After a trip that failed the next goes over a new connection: this one believes that it has prepared statements
        which the server passed over with the rest of the trip, and rows would be refused for ever (two seats that
        were changed at once were enough)."""
        if self._raw is not None:
            self._raw.close()
            self._raw = None

    def _spool(self, batches: Sequence[Batch]) -> None:
        for batch in batches:
            if self.spool is not None:
                self.spool.add(batch.key, batch.rows)
                _resolve(batch)
            else:
                self._late.append(batch)

    def _back(self) -> bool:
        """Try the database again and write what was spooled, the oldest first."""
        try:
            self._open()
            self._write_aside()
        except (psycopg.OperationalError, psycopg.InterfaceError) as error:
            self._lost(error)
            return False
        except Fenced:
            self.fenced = True
            return False
        _log.warning("the database is back after %.1f s", time.monotonic() - (self.away_since or 0))
        self.away_since = None
        return True

    def _again(self, key: str, rows: list[Row]) -> None:
        for _ in range(20):
            try:
                self._commit([Batch(key, rows)])
            except (errors.LockNotAvailable, errors.DeadlockDetected):
                self._pause.wait(AGAIN)
            except (psycopg.OperationalError, psycopg.InterfaceError):
                raise
            except psycopg.Error:
                _log.exception("spooled rows of %s cannot be written", key)
                return
            else:
                return

    def _fail(self, batches: Sequence[Batch], error: Exception) -> None:
        for batch in batches:
            if not batch.done.done():
                batch.done.set_exception(error)


@contextmanager
def _one_trip(raw: psycopg.Connection[Any]) -> Iterator[None]:
    """A transaction in one round trip: beginning, steps and commit go out together. All of it is written, or nothing;
    after a failure the connection is of no more use."""
    with raw.pipeline():
        raw.execute("BEGIN")
        yield
        raw.execute("COMMIT")


def _resolve(batch: Batch) -> None:
    if not batch.done.done():
        batch.done.set_result(None)
