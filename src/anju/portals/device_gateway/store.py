"""Makes messages safe: by a lane's commit while the database serves, by the spool while it does not. Nothing in between.

`hear` never blocks. The decision for the spool falls when no lane has a session, or when a message waited longer than
`patience`; what was in a commit of unknown outcome takes its id along, so that a replay can ask whether it is in already.
"""

from __future__ import annotations

import asyncio
import logging
import os
import socket
from collections.abc import Coroutine, Sequence

import psycopg

from anju.portals.device_gateway import spool
from anju.portals.device_gateway.counters import Counters
from anju.portals.device_gateway.fallback import Fallback
from anju.portals.device_gateway.lane import Lane, close_lane, committed, connect, fence, open_lane
from anju.portals.device_gateway.record import REFUSED, SPOOLED, STORED, Clock, Record
from anju.portals.device_gateway.replay import Replayer
from anju.portals.device_gateway.settings import GatewaySettings

logger = logging.getLogger("anju.gateway")


def keep(work: Coroutine[None, None, None]) -> asyncio.Task[None]:
    """A task without which the gateway is no gateway: if it dies, the process ends and is started anew."""
    task = asyncio.get_running_loop().create_task(work)
    task.add_done_callback(_died)
    return task


def _died(task: asyncio.Task[None]) -> None:
    if not task.cancelled() and (error := task.exception()) is not None:
        logger.critical("a keeper of the gateway died: %r", error, exc_info=error)
        os._exit(70)  # the supervisor starts it anew; what was acknowledged is safe


class Store:
    """Lanes, spool and the tasks that look after them."""

    def __init__(self, settings: GatewaySettings, counters: Counters) -> None:
        self.settings = settings
        self.counters = counters
        self.name = f"{socket.gethostname()}:{settings.port}:{os.getpid()}"
        self.clock = Clock()
        self.fallback = Fallback(settings.spool, settings.fallback_url)
        self.lanes: list[Lane] = []  # the ordinary one, the urgent one
        self.disk_full = False
        self.stopping = False
        self.replayer = Replayer(settings, self.name, counters)
        self._to_spool: list[Record] = []
        self._spool_wanted = asyncio.Event()
        self._segments: dict[bool, spool.Segment] = {}
        self._spooling = asyncio.Lock()  # a file is sealed only between two writes
        self._tasks: set[asyncio.Task[None]] = set()
        self._opening: set[Lane] = set()

    async def start(self) -> None:
        """Open the lanes (if the database is there) and start the keepers."""
        self.lanes = [
            Lane("plain", urgent=False, counters=self.counters, owner=self),
            Lane("urgent", urgent=True, counters=self.counters, owner=self),
        ]
        first = [self._task(self._open(lane)) for lane in self.lanes]
        for work in (self._spool_forever(), self._watch_forever(), self._replay_forever()):
            self._task(work)
        await asyncio.wait(first, timeout=5)

    def _task(self, work: Coroutine[None, None, None]) -> asyncio.Task[None]:
        task = keep(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return task

    @property
    def pending(self) -> int:
        """What is in memory and not safe yet: bodies, those of several lanes once for each."""
        return sum(len(lane.queue) + len(lane.flight) for lane in self.lanes) + len(self._to_spool)

    @property
    def database(self) -> bool:
        """Whether every lane has a session."""
        return all(lane.ready for lane in self.lanes)

    def hear(self, record: Record) -> None:
        """Make messages safe; their ticket is told when they are."""
        lane = self.lanes[record.urgent]
        if lane.given_up:
            self.spool_instead([record])
        else:
            lane.put(record)

    # --- lanes ---

    def lost(self, lane: Lane) -> None:
        """Open the lane again; what was in flight and in the queue is dealt with there."""
        if lane not in self._opening and not self.stopping:
            self._task(self._open(lane))

    async def _open(self, lane: Lane) -> None:
        self._opening.add(lane)
        wait = 0.05
        began = asyncio.get_running_loop().time()
        try:
            while not self.stopping:
                try:
                    async with asyncio.timeout(4):
                        conn = await connect(self.settings.conninfo, f"anju gateway {lane.label}")
                    await self._settle_unknown(lane, conn)
                    number = await open_lane(
                        conn, gateway=self.name, kind="live", urgent=lane.urgent, floor_us=self._oldest(lane)
                    )
                except (psycopg.Error, TimeoutError, OSError) as error:
                    if asyncio.get_running_loop().time() - began + wait > self.settings.patience / 2:
                        self._give_up(lane)
                    logger.info("lane %s: no session yet: %s", lane.label, str(error)[:200])
                    await asyncio.sleep(wait)
                    wait = min(wait * 2, 1.0)
                else:
                    lane.start(conn, number)
                    return
        finally:
            self._opening.discard(lane)

    def _oldest(self, lane: Lane) -> int:
        """The earliest time of receipt that can still come on a lane."""
        waiting = [r.at for r in (*lane.flight, *lane.queue)]
        return min([self.clock.now(), *waiting])

    async def _settle_unknown(self, lane: Lane, conn: psycopg.AsyncConnection[tuple[object, ...]]) -> None:
        """Was the commit that was under way when the session was lost? Then its senders are answered, else it goes again."""
        batch = [r for r in lane.flight if r.maybe]
        if not batch:
            return
        self.counters.unknown_commits += 1
        if not await fence(conn, batch[0].maybe >> 40, 2.0):
            raise TimeoutError("the old session still lives")
        was_in = await committed(conn, batch[0].maybe)
        lane.flight = []
        for record in batch:
            record.maybe = 0
        if was_in:
            for record in batch:
                if record.ticket is not None:
                    record.ticket.safe(STORED, record.count)
        else:
            lane.queue.extendleft(reversed(batch))
            lane.queued_bytes += sum(r.size for r in batch)

    def _give_up(self, lane: Lane) -> None:
        """No session for too long: nobody waits for it any more."""
        lane.given_up = True
        batch = [*lane.flight, *lane.queue]
        lane.flight = []
        lane.queue.clear()
        lane.queued_bytes = 0
        if batch:
            self.spool_instead(batch)

    async def _watch_forever(self) -> None:
        """A commit that takes too long is given up (its outcome is unknown); a queue that waits too long goes to the spool."""
        steps = self.clock.steps
        to_end: set[Lane] = set()
        while True:
            await asyncio.sleep(0.1)
            for lane in self.lanes:
                if lane.waited > self.settings.commit_limit:
                    lane.lose("an answer took too long")
                limit = self.clock.now() - int(self.settings.patience * 1e6)
                if lane.queue and lane.queue[0].at < limit and lane.waited:
                    late = []
                    while lane.queue and lane.queue[0].at < limit:
                        late.append(lane.queue.popleft())
                    lane.queued_bytes -= sum(r.size for r in late)
                    self.spool_instead(late)
            if self.clock.steps != steps:  # the wall clock went back: rows must not come out of the order of time
                steps = self.clock.steps
                to_end |= set(self.lanes)  # also one that is just being opened, with a floor of before
            for lane in [lane for lane in to_end if lane.ready and not lane.flight]:
                to_end.discard(lane)
                lane.lose("the clock was set back")

    # --- spool ---

    def spool_instead(self, records: list[Record]) -> None:
        """To the local disk, in this order."""
        if self.stopping:
            for record in records:
                if record.ticket is not None:
                    record.ticket.safe(REFUSED, record.count)
            return
        self._to_spool.extend(records)
        self._spool_wanted.set()

    async def _spool_forever(self) -> None:
        while True:
            await self._spool_wanted.wait()
            self._spool_wanted.clear()
            while self._to_spool:
                batch, self._to_spool = self._to_spool[:5_000], self._to_spool[5_000:]
                for urgent in (True, False):
                    if part := [r for r in batch if r.urgent == urgent]:
                        async with self._spooling:
                            await self._spool(part, urgent=urgent)

    async def _spool(self, records: list[Record], *, urgent: bool) -> None:
        try:
            segment = self._segments.get(urgent)
            if segment is None or segment.size >= spool.LARGEST:
                if segment is not None:
                    self._seal(urgent=urgent)
                segment = await asyncio.to_thread(spool.create, self.settings.spool, urgent=urgent, gateway=self.name)
                self._segments[urgent] = segment
            await asyncio.to_thread(spool.append, segment, records)
        except spool.SpoolFull as error:
            logger.critical("the spool can't be written: %s", error)
            self.disk_full = True
            if (broken := self._segments.get(urgent)) is not None and broken.size >= spool.LARGEST:
                self._seal(urgent=urgent)
            how = REFUSED
        else:
            self.disk_full = False
            count = sum(r.count for r in records)
            self.counters.spooled += count
            if urgent:
                self.fallback.sos(count)
            how = SPOOLED
        for record in records:
            if record.ticket is not None:
                record.ticket.safe(how, record.count)

    def _seal(self, *, urgent: bool) -> None:
        segment = self._segments.pop(urgent, None)
        if segment is not None:
            self.replayer.add(segment)

    async def _replay_forever(self) -> None:
        while True:
            if self.database and not self._to_spool:
                async with self._spooling:
                    for urgent in (True, False):
                        self._seal(urgent=urgent)
                await self.replayer.adopt()
                if await self.replayer.run() and not self._urgent_waits():
                    self.fallback.clear(self._urgent_waits)
            self.fallback.remind()
            await asyncio.sleep(0.3)

    def _urgent_waits(self) -> bool:
        return any(p.name.startswith("urgent-") for p in self.settings.spool.glob(f"*{spool.SUFFIX}"))

    # --- end ---

    async def stop(self) -> None:
        """Make safe what came in, then close the lanes so that the router knows their ends."""
        for _ in range(80):
            if not self.pending:
                break
            await asyncio.sleep(0.05)
        self.stopping = True
        tasks = list(self._tasks)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        lanes = [(lane.lane, lane.seq) for lane in self.lanes if lane.ready and not lane.flight]
        for lane in self.lanes:
            if lane.ready:
                lane.lose("the gateway ends")
        for segment in self._segments.values():
            segment.close()
        self.replayer.close()
        await self._close_lanes(lanes)

    async def _close_lanes(self, lanes: Sequence[tuple[int, int]]) -> None:
        try:
            async with asyncio.timeout(3):
                conn = await connect(self.settings.conninfo, "anju gateway end")
                for lane, seq in lanes:
                    await close_lane(conn, lane, seq)
                await conn.close()
        except (psycopg.Error, TimeoutError, OSError):
            logger.info("the lanes stay open: the next gateway closes them")
