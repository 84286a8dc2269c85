"""Brings the spool back into the log, each record exactly once, whenever a process dies on the way."""

from __future__ import annotations

import asyncio
import itertools
import logging
import os
from collections.abc import AsyncIterator, Iterator

import psycopg

from anju.portals.device_gateway import spool
from anju.portals.device_gateway.counters import Counters
from anju.portals.device_gateway.lane import close_lane, committed, connect, fence, open_lane
from anju.portals.device_gateway.record import COPY, COPY_END, COPY_HEAD, Record, ident_of, tail_of
from anju.portals.device_gateway.settings import GatewaySettings
from anju.signals.decoders.base import Report

CHUNK = 1_000  # records of a commit
logger = logging.getLogger("anju.gateway")
Session = psycopg.AsyncConnection[tuple[object, ...]]


class Replayer:
    """Segments to bring back, urgent ones first."""

    def __init__(self, settings: GatewaySettings, name: str, counters: Counters) -> None:
        self._settings = settings
        self._name = name
        self._counters = counters
        self.segments: list[spool.Segment] = []

    def add(self, segment: spool.Segment) -> None:
        """A sealed segment of this process."""
        self.segments.append(segment)
        self.segments.sort(key=lambda s: (not s.urgent, s.first_at))

    async def adopt(self) -> None:
        """Those of processes that died."""
        try:
            found = await asyncio.to_thread(spool.adopt, self._settings.spool)
        except OSError as error:
            logger.warning("the spool can't be read: %s", error)
            return
        for segment in found:
            self.add(segment)

    @property
    def waiting(self) -> int:
        """Records in sealed segments."""
        return sum(s.records for s in self.segments)

    async def run(self) -> bool:
        """Replay everything; True when nothing waits. A failure leaves the rest for the next round."""
        if not self.segments:
            return True
        try:
            conn = await connect(self._settings.conninfo, "anju gateway replay")
        except (psycopg.Error, OSError):
            return False
        try:
            while self.segments:
                await self._segment(conn, self.segments[0])
                self.segments.pop(0)
        except (psycopg.Error, OSError, TimeoutError) as error:
            logger.warning("replay stopped: %s", str(error)[:200])
            return False
        finally:
            await conn.close()
        return True

    async def _segment(self, conn: Session, segment: spool.Segment) -> None:
        """One file: its lane is found again by the file's name, and what is in it already is passed over."""
        cursor = await conn.execute(
            "SELECT id, closed_at IS NOT NULL FROM signals_lane WHERE segment = %s", [segment.name]
        )
        known = await cursor.fetchone()
        if known is None:
            lane = await open_lane(
                conn,
                gateway=self._name,
                kind="spool",
                urgent=segment.urgent,
                floor_us=segment.first_at,
                segment=segment.name,
            )
            done = 0
        else:
            lane = int(str(known[0]))
            if not await fence(conn, lane, 5.0):
                raise TimeoutError("another process replays this file")
            await conn.execute("SELECT pg_advisory_lock(%s, %s)", [7265, lane])
            cursor = await conn.execute(
                "SELECT count(*) FROM signals_message WHERE id > %s AND id < %s", [lane << 40, (lane + 1) << 40]
            )
            row = await cursor.fetchone()
            done = int(str(row[0])) if row else 0
        seq = 0  # messages up to here are dealt with
        fresh = self._not_yet_in(conn, spool.read(segment.path))
        while chunk := [r async for r in _some(fresh, CHUNK)]:
            first = max(done, seq) + 1
            new: list[Record] = []
            for record in chunk:
                skip = min(max(done - seq, 0), record.count)
                seq += record.count
                if skip < record.count:
                    new.append(record.part(skip, record.count) if skip else record)
            if new:
                await self._copy(conn, segment, new, ident_of(lane, first))
            await conn.execute("SELECT pg_notify('anju_heard', %s)", ["urgent" if segment.urgent else ""])
        await close_lane(conn, lane, seq)
        await conn.execute("SELECT pg_advisory_unlock(%s, %s)", [7265, lane])
        segment.remove()
        logger.info("replayed %d messages of %s on lane %d", seq, segment.path.name, lane)

    async def _copy(self, conn: Session, segment: spool.Segment, new: list[Record], first: int) -> None:
        """Commit a chunk. What the database refuses as bad data is set aside in a file for people; a line that says so takes
        its place, so that the numbers of the others stay what they are.
        """
        places = list(itertools.accumulate((record.count for record in new), initial=first))
        try:
            await _commit(conn, [record.row(ident) for record, ident in zip(new, places, strict=False)])
        except (psycopg.DataError, psycopg.IntegrityError):
            parts = new if len(new) > 1 else new[0].halves()
            if len(parts) > 1:
                for part in parts:
                    await self._copy(conn, segment, [part], first)
                    first += part.count
                return
            aside = segment.path.with_suffix(".damaged")
            await asyncio.to_thread(spool.set_aside, aside, new[0])
            logger.critical("%s: a record that the database refuses was set aside in %s", segment.path.name, aside.name)
            report = Report("platform", "", "", "", "other", aside.name, None, new[0].tail)
            report.notes.append(f"数据库拒绝的消息，原文在 {aside.name}")
            place_holder = Record(
                tail_of(report, b"", new[0].at, os.urandom(16)), new[0].at, urgent=segment.urgent, ticket=None
            )
            await _commit(conn, [place_holder.row(first)])
            self._counters.poisoned += 1
        self._counters.replayed += sum(record.count for record in new)

    async def _not_yet_in(self, conn: Session, records: Iterator[Record]) -> AsyncIterator[Record]:
        """The records but those whose commit had an unknown outcome and turns out to have succeeded. Always the same answer
        for the same file: `fence` makes it final.
        """
        for lane, group in itertools.groupby(records, key=lambda r: r.maybe >> 40):
            if not lane:
                for record in group:
                    yield record
                continue
            if not await fence(conn, lane, 5.0):
                raise TimeoutError("the lane of an unknown commit still lives")
            for record in group:
                if not await committed(conn, record.maybe):
                    yield record

    def close(self) -> None:
        """Let go of the files."""
        for segment in self.segments:
            segment.close()


async def _commit(conn: Session, rows: list[bytes]) -> None:
    async with conn.cursor() as cursor, cursor.copy(COPY) as copy:
        await copy.write(COPY_HEAD + b"".join(rows) + COPY_END)


async def _some(records: AsyncIterator[Record], most: int) -> AsyncIterator[Record]:
    """At most so many of them."""
    count = 0
    while count < most:
        try:
            yield await anext(records)
        except StopAsyncIteration:
            return
        count += 1
