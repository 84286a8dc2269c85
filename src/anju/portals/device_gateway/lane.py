"""A lane: one connection, at most one COPY in flight, so its messages become visible in the order of their numbers.

Whatever arrives while a COPY runs goes into the next one; every sender is answered after the commit of its batch. When the
connection is lost during a commit nobody knows its outcome: the lane ends, and `settle_unknown` asks the database after
making sure that the old session is gone (each lane holds an advisory lock for its life).
"""

from __future__ import annotations

import asyncio
import logging
from collections import deque
from collections.abc import Iterator
from typing import Protocol

import psycopg
from psycopg.pq import DiagnosticField, ExecStatus

from anju.portals.device_gateway.counters import Counters
from anju.portals.device_gateway.record import COPY, COPY_END, COPY_HEAD, STORED, Record, ident_of

LOCK_CLASS = 7265  # advisory locks (LOCK_CLASS, lane) say that a lane's session lives
BATCH = 2_000
BATCH_BYTES = 4 * 1024 * 1024
BELL_EVERY = 0.05
TOGETHER = 48  # after a commit of half as many a lane waits for so many messages: when much is said, commits are few and large …
HOLD = 0.001  # … but so many seconds at most
BELL, BELL_URGENT = b"NOTIFY anju_heard", b"NOTIFY anju_heard, 'urgent'"
BAD_DATA = frozenset({"22", "23"})  # classes of errors that are the row's own fault
logger = logging.getLogger("anju.gateway")


async def connect(conninfo: str, name: str) -> psycopg.AsyncConnection[tuple[object, ...]]:
    """A session that commits durably, whatever the server's default is."""
    conn = await psycopg.AsyncConnection.connect(conninfo, autocommit=True, application_name=name)
    await conn.execute("SET synchronous_commit = on")
    await conn.execute("SET statement_timeout = 0")
    await conn.execute("SET idle_session_timeout = 0")
    return conn


async def open_lane(
    conn: psycopg.AsyncConnection[tuple[object, ...]],
    *,
    gateway: str,
    kind: str,
    urgent: bool,
    floor_us: int,
    segment: str | None = None,
) -> int:
    """A new lane, locked by this session before anyone can see it."""
    async with conn.transaction():
        row = await (await conn.execute("SELECT nextval(pg_get_serial_sequence('signals_lane', 'id'))")).fetchone()
        lane = int(str(row[0])) if row else 0
        await conn.execute("SELECT pg_advisory_lock(%s, %s)", [LOCK_CLASS, lane])
        await conn.execute(
            """INSERT INTO signals_lane (id, gateway, kind, urgent, segment, opened_at, last_seq)
               VALUES (%s, %s, %s, %s, %s, now(), 0)""",
            [lane, gateway, kind, urgent, segment],
        )
        await conn.execute(
            """INSERT INTO signals_cursor (lane_id, seq, floor, done)
               VALUES (%s, 0, least(now(), to_timestamp(%s)) , false)""",
            [lane, floor_us / 1e6],
        )
    return lane


async def close_lane(conn: psycopg.AsyncConnection[tuple[object, ...]], lane: int, last_seq: int) -> None:
    """No more rows will come on it; the router is done with it once it has read `last_seq`."""
    await conn.execute("UPDATE signals_lane SET closed_at = now(), last_seq = %s WHERE id = %s", [last_seq, lane])


async def fence(conn: psycopg.AsyncConnection[tuple[object, ...]], lane: int, patience: float) -> bool:
    """Make sure that the session of a lane is gone; then what it committed is final. False if it could not be had in time."""
    await conn.execute(
        """SELECT pg_terminate_backend(pid) FROM pg_locks
           WHERE locktype = 'advisory' AND classid = %s AND objid = %s AND objsubid = 2 AND granted AND pid <> pg_backend_pid()
             AND database = (SELECT oid FROM pg_database WHERE datname = current_database())""",
        [LOCK_CLASS, lane],
    )
    try:
        async with asyncio.timeout(patience):
            await conn.execute("SELECT pg_advisory_lock(%s, %s)", [LOCK_CLASS, lane])
            await conn.execute("SELECT pg_advisory_unlock(%s, %s)", [LOCK_CLASS, lane])
    except TimeoutError:
        return False
    return True


async def committed(conn: psycopg.AsyncConnection[tuple[object, ...]], ident: int) -> bool:
    """Whether a message is in the log. Only final after `fence`."""
    cursor = await conn.execute("SELECT 1 FROM signals_message WHERE id = %s", [ident])
    return await cursor.fetchone() is not None


class Owner(Protocol):
    """Who looks after lanes."""

    def lost(self, lane: Lane) -> None:
        """The lane has no session; `flight` has an unknown outcome."""

    def spool_instead(self, records: list[Record]) -> None:
        """The database said no to these."""


class Lane:
    """The queue of one lane and its COPY. All calls on the loop's thread."""

    def __init__(self, label: str, *, urgent: bool, counters: Counters, owner: Owner) -> None:
        self.label = label
        self.urgent = urgent
        self.queue: deque[Record] = deque()
        self.queued_bytes = 0
        self.flight: list[Record] = []
        self.asked_at = 0.0  # when the server was asked what it has not answered yet
        self.lane = 0
        self.seq = 0
        self.given_up = False  # it has been without a session for too long: messages go to the spool
        self.conn: psycopg.AsyncConnection[tuple[object, ...]] | None = None
        self._counters = counters
        self._owner = owner
        self._loop = asyncio.get_running_loop()
        self._fd = -1
        self._state = "idle"
        self._data = b""
        self._error = self._sqlstate = ""
        self._singly = 0
        self._woken = self._writing = self._held = False
        self._large = False  # the last commit
        self._bell_at = 0.0
        self._bell_due = self._bell_waits = False

    @property
    def ready(self) -> bool:
        """It has a session."""
        return self.conn is not None

    @property
    def waited(self) -> float:
        """Seconds since the server was asked for something that it has not answered: a commit, a bell. 0 = nothing is asked."""
        return self._loop.time() - self.asked_at if self.ready and self._state != "idle" else 0.0

    def start(self, conn: psycopg.AsyncConnection[tuple[object, ...]], lane: int) -> None:
        """Begin to write on a new session."""
        self.conn, self.lane, self.seq, self.given_up = conn, lane, 0, False
        self._state = "idle"
        self._fd = conn.fileno()
        conn.pgconn.nonblocking = 1
        self._loop.add_reader(self._fd, self._readable)
        self._wake()

    def put(self, record: Record) -> None:
        """Queue a message."""
        self.queue.append(record)
        self.queued_bytes += record.size
        if self._state == "idle" and not self._woken and (not self._held or len(self.queue) >= TOGETHER):
            self._wake()

    def _wake(self) -> None:
        self._woken = True
        self._loop.call_soon(self._next)

    def _next(self) -> None:
        self._woken = False
        if self.conn is None or self._state != "idle":
            return
        if self._bell_due:
            wait = self._bell_at + BELL_EVERY - self._loop.time()
            if self.urgent or wait <= 0:
                self._bell_due = False
                self._bell_at = self._loop.time()
                self._send("bell", BELL_URGENT if self.urgent else BELL)
                return
            if not self.queue and not self._bell_waits:
                self._bell_waits = True
                self._loop.call_later(wait, self._bell_again)
        if self.queue and not self._holds():
            self._commit_some()

    def _holds(self) -> bool:
        """A few messages wait a moment after a large commit: its senders are about to say more."""
        if not self._large or len(self.queue) >= TOGETHER or self.urgent:
            return False
        self._large, self._held = False, True
        self._loop.call_later(HOLD, self._next)
        return True

    def _bell_again(self) -> None:
        self._bell_waits = False
        self._next()

    def _commit_some(self) -> None:
        self._held = False
        queue = self.queue
        if len(queue) <= BATCH and self.queued_bytes <= BATCH_BYTES and not self._singly:
            batch = list(queue)
            queue.clear()
            self.queued_bytes = 0
        else:
            batch, size, most = [], 0, 1 if self._singly else BATCH
            while queue and len(batch) < most and size < BATCH_BYTES:
                record = queue.popleft()
                size += record.size
                batch.append(record)
            self.queued_bytes -= size
        self._singly = max(0, self._singly - 1)
        self._large = len(batch) >= TOGETHER // 2
        self._data = b"".join((COPY_HEAD, *[record.row(ident) for record, ident in self._numbered(batch)], COPY_END))
        self.flight = batch
        self._error = ""
        self._send("copy", COPY)

    def _numbered(self, batch: list[Record]) -> Iterator[tuple[Record, int]]:
        """With the id of the first message of each, when they are the next on this lane."""
        ident = ident_of(self.lane, self.seq + 1)
        for record in batch:
            yield record, ident
            ident += record.count

    def _send(self, state: str, query: bytes) -> None:
        self._state, self.asked_at = state, self._loop.time()
        try:
            self._session.pgconn.send_query(query)
            self._flush()
        except psycopg.Error as error:
            self.lose(str(error))

    @property
    def _session(self) -> psycopg.AsyncConnection[tuple[object, ...]]:
        if self.conn is None:
            raise psycopg.InterfaceError("the lane has no session")
        return self.conn

    def _flush(self) -> None:
        if self._session.pgconn.flush():
            self._writing = True
            self._loop.add_writer(self._fd, self._writable)
        elif self._writing:
            self._writing = False
            self._loop.remove_writer(self._fd)

    def _writable(self) -> None:
        try:
            self._flush()
        except psycopg.Error as error:
            self.lose(str(error))

    def _readable(self) -> None:
        if self.conn is None:
            return
        pg = self.conn.pgconn
        try:
            pg.consume_input()
            while self._state != "idle" and not pg.is_busy():
                result = pg.get_result()
                if result is None:
                    self._finished()
                    break
                if result.status == ExecStatus.COPY_IN:
                    pg.put_copy_data(self._data)
                    pg.put_copy_end()
                    self._data = b""
                    self._flush()
                    break
                if result.status == ExecStatus.FATAL_ERROR:
                    self._error = (result.error_message or b"").decode(errors="replace").strip() or "error"
                    self._sqlstate = (result.error_field(DiagnosticField.SQLSTATE) or b"").decode()
        except psycopg.Error as error:
            self.lose(str(error))
            return
        if pg.status != 0:
            self.lose(self._error or "connection lost")

    def _finished(self) -> None:
        state, self._state = self._state, "idle"
        if state == "copy":
            batch, self.flight = self.flight, []
            if self._error:
                self._refused(batch)
            else:
                count = sum([record.count for record in batch])
                self.seq += count
                self._counters.commits += 1
                self._counters.copied += count
                for record in batch:
                    if record.ticket is not None:
                        record.ticket.safe(STORED, record.count)
                self._bell_due = True
        self._next()

    def _refused(self, batch: list[Record]) -> None:
        """The database refused a batch (definitely: it answered). One bad row must not hold up the others; whatever it can't
        take at all goes to the spool, where it is safe too.
        """
        if self.conn is None or self.conn.pgconn.status != 0 or self._error.startswith(("FATAL", "PANIC")):
            self.flight = batch
            self.lose(self._error)
            return
        logger.warning("lane %s: the database refused %d messages: %s", self.label, len(batch), self._error[:300])
        parts = batch if len(batch) > 1 else batch[0].halves()
        if len(parts) > 1 and self._sqlstate[:2] in BAD_DATA:
            self._singly += len(parts)
            self.queue.extendleft(reversed(parts))
            self.queued_bytes += sum(r.size for r in parts)
        else:
            self._owner.spool_instead(batch)

    def lose(self, why: str) -> None:
        """The session is gone (or given up). What was in flight has an unknown outcome, if its data were sent."""
        if self.conn is None:
            return
        logger.warning("lane %s (%d): session lost: %s", self.label, self.lane, why[:200])
        self._loop.remove_reader(self._fd)
        self._loop.remove_writer(self._fd)
        self._writing = False
        conn, self.conn = self.conn, None
        conn.pgconn.finish()
        self._state = "idle"
        for record, ident in self._numbered(self.flight):
            record.maybe = ident
        self._owner.lost(self)
