"""What the gateway does besides hearing: partitions ahead, ends of dead lanes, how lately each source spoke, the catalogue."""

from __future__ import annotations

import asyncio
import logging
import time
from datetime import UTC, datetime

import psycopg

from anju.devices.profile import Profile, shipped
from anju.portals.device_gateway.http import Door
from anju.portals.device_gateway.lane import LOCK_CLASS, connect
from anju.signals import partitions
from anju.signals.decoders.base import Profiles

DAY = 86_400.0
logger = logging.getLogger("anju.gateway")
Session = psycopg.AsyncConnection[tuple[object, ...]]


def shipped_profiles() -> Profiles:
    """The profiles that come with the platform: what is known before (and without) the database."""
    return {(d["source"], d["product_id"]): Profile.of(d) for d in shipped()}


async def load_profiles(conn: Session) -> Profiles:
    """Shipped profiles, and over them those of the catalogue. A profile that can't be read is left out, not all."""
    found = dict(shipped_profiles())
    cursor = await conn.execute("SELECT source, product_id, profile FROM devices_product")
    for source, product_id, data in await cursor.fetchall():
        try:
            found[str(source), str(product_id)] = Profile.of(data)  # type: ignore[arg-type]
        except (ValueError, TypeError, AttributeError, LookupError, ArithmeticError) as error:
            logger.error("the profile of %s %s can't be read: %s", source, product_id, error)  # noqa: TRY400
    return found


async def end_dead_lanes(conn: Session) -> int:
    """Close the lanes whose session is gone, so that the router can be done with them. Answers how many."""
    cursor = await conn.execute("SELECT id FROM signals_lane WHERE closed_at IS NULL")
    ended = 0
    for (lane,) in await cursor.fetchall():
        got = await (await conn.execute("SELECT pg_try_advisory_lock(%s, %s)", [LOCK_CLASS, lane])).fetchone()
        if not got or not got[0]:
            continue
        number = int(str(lane))
        await conn.execute(
            """UPDATE signals_lane SET closed_at = now(), last_seq = coalesce(
                 (SELECT max(id) FROM signals_message WHERE id > %s AND id < %s) & ((1::bigint << 40) - 1), 0)
               WHERE id = %s AND closed_at IS NULL""",
            [number << 40, (number + 1) << 40, number],
        )
        await conn.execute("SELECT pg_advisory_unlock(%s, %s)", [LOCK_CLASS, lane])
        ended += 1
    await conn.execute(
        """UPDATE signals_cursor SET done = true WHERE lane_id IN (
             SELECT c.lane_id FROM signals_cursor c JOIN signals_lane l ON l.id = c.lane_id
             WHERE NOT c.done AND l.closed_at IS NOT NULL AND c.seq >= l.last_seq FOR UPDATE OF c SKIP LOCKED)"""
    )
    return ended


async def make_partitions(conn: Session) -> None:
    """Today's and the coming days' partitions."""
    today = partitions.local_day(datetime.now(UTC))  # noqa: TID251 - the gateway's day is the wall's: it stores by it
    cursor = await conn.execute(
        "SELECT count(*) FROM unnest(%s::text[]) n WHERE to_regclass(n) IS NULL",
        [[partitions.name_of(t, d) for t in (*partitions.TIMED, "signals_seen") for d in partitions.days(today)]],
    )
    row = await cursor.fetchone()
    if not row or not row[0]:
        return
    async with conn.transaction():
        await conn.execute("SET LOCAL lock_timeout = '2s'")
        await conn.execute("SELECT pg_advisory_xact_lock(hashtext('anju.partitions'))")
        for statement in partitions.statements(today):
            await conn.execute(statement)


async def before_opening(conninfo: str) -> None:
    """Today's partitions before the first message: rows need not move out of the default partition later (a query that runs
    at that moment would not see them). Without a database the gateway opens all the same.
    """
    try:
        async with asyncio.timeout(5):
            conn = await connect(conninfo, "anju gateway start")
            try:
                await make_partitions(conn)
            finally:
                await conn.close()
    except (psycopg.Error, OSError, TimeoutError) as error:
        logger.warning("partitions could not be made at the start: %s", str(error)[:200])


class Upkeep:
    """One slow session of its own; when it fails it tries again, nothing waits for it."""

    def __init__(self, door: Door) -> None:
        self._door = door
        self._last = time.monotonic()

    async def run(self) -> None:
        """Until cancelled."""
        conn: Session | None = None
        turn = 0
        while True:
            try:
                if conn is None or conn.closed:
                    conn = await connect(self._door.settings.conninfo, "anju gateway upkeep")
                    turn = 0
                await self._round(conn, turn)
                turn += 1
            except Exception as error:
                known = isinstance(error, (psycopg.Error, OSError))
                logger.log(
                    logging.INFO if known else logging.CRITICAL, "upkeep: %s", str(error)[:200], exc_info=not known
                )
                if conn is not None:
                    await conn.close()
                conn = None
            await asyncio.sleep(1)

    async def _round(self, conn: Session, turn: int) -> None:
        await self._sources(conn)
        for lane in self._door.store.lanes:
            if lane.ready and lane.seq:
                await conn.execute(
                    "UPDATE signals_lane SET last_seq = %s WHERE id = %s AND last_seq < %s",
                    [lane.seq, lane.lane, lane.seq],
                )
        if turn % 10 == 0:
            profiles = await load_profiles(conn)
            if profiles != self._door.profiles:
                self._door.profiles = profiles
        if turn % 30 == 0:
            await end_dead_lanes(conn)
        if turn % 300 == 0:
            await make_partitions(conn)

    async def _sources(self, conn: Session) -> None:
        """When each source last spoke, and its usual gap: an average that forgets a day. The leader tells it, of all processes:
        each by itself would hear a part, and take the gaps for longer than they are.
        """
        if not self._door.siblings.leads:
            return
        now = time.monotonic()
        passed, self._last = max(now - self._last, 0.001), now
        counters, known = self._door.siblings.total(), self._door.siblings.told
        for source, total in counters.received.items():
            new = total - known.get(source, 0)
            if new <= 0:
                continue
            known[source] = total
            weight = min(passed / 3600, 0.5)
            await conn.execute(
                """INSERT INTO signals_source AS s (source, last_at, usual_gap, messages) VALUES (%s, to_timestamp(%s), 60, %s)
                   ON CONFLICT (source) DO UPDATE SET last_at = greatest(s.last_at, excluded.last_at),
                     messages = s.messages + excluded.messages,
                     usual_gap = s.usual_gap * (1 - %s) + %s
                       * least(extract(epoch FROM excluded.last_at - s.last_at) / excluded.messages, 86400)""",
                [source, counters.last_heard[source], new, weight, weight],
            )
