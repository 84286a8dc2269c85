"""A body with many messages: its bytes are kept once on each lane, and every message still finds them."""

from __future__ import annotations

import asyncio
import itertools
import json
import os
import struct
import zlib
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from anju.portals.device_gateway import record, spool
from anju.portals.device_gateway.record import Record, fields, head_of, tail_of
from anju.portals.device_gateway.tests.conftest import SECRET
from anju.signals.decoders.base import Report

pytestmark = [pytest.mark.req("DEV-04"), pytest.mark.timeout(240)]
HEAD = {"X-Anju-Secret": SECRET}
AT = 1_795_000_000_000_000
BODIES = """SELECT m.device_key, k.raw, k.received_at = m.received_at FROM signals_message m
            JOIN signals_message k ON k.id = m.id - m.raw_back ORDER BY m.device_key"""


def batch(count: int, start: int = 0, **said: Any) -> list[dict[str, Any]]:
    """A push of so many devices."""
    return [
        {"device": f"86{start + i:03d}", "t": 1_763_683_200_000, "data": said or {"Motion_Status": 1}}
        for i in range(count)
    ]


async def whole(h: Any, sent: bytes, count: int) -> None:
    """Every message is in the log once, finds the body that it came in, and received it in the same moment."""
    rows = await h.query(BODIES)
    assert [r[0] for r in rows] == [f"86{i:03d}" for i in range(count)]
    assert {(bytes(r[1]), r[2]) for r in rows} == {(sent, True)}
    await h.gapless()


@pytest.mark.asyncio
async def test_a_body_is_kept_once_on_each_lane(house: Any) -> None:
    from asgiref.sync import sync_to_async

    from anju.kernel.scope import EVERYWHERE, seen_by
    from anju.signals import queries
    from anju.signals.models import Message

    sent = json.dumps(batch(40) + batch(1, 40, SOS=1)).encode()
    async with house() as h:
        assert (await h.client.post("/generic", content=sent, headers=HEAD)).status_code == 200
        await whole(h, sent, 41)
        ((kept,),) = await h.query("SELECT count(*) FROM signals_message WHERE raw IS NOT NULL")
        assert kept == 2, "once on the ordinary lane and once on the urgent one"
        assert (h.gateway.counters.acked, h.gateway.counters.copied, h.gateway.counters.urgent) == (41, 41, 1)

    def ask(order: str) -> set[bytes | None]:
        with seen_by(EVERYWHERE):
            rows = list(Message.objects.order_by(order)[:7])
            found = queries.bodies(rows)
            assert set(found) == {row.id for row in rows}
            return set(found.values())

    assert await sync_to_async(ask)("id") == {sent}
    assert await sync_to_async(ask)("-id") == {sent}, "also when the message that keeps it is not among those asked for"


@pytest.mark.asyncio
async def test_a_body_goes_through_the_spool_in_one_piece(house: Any) -> None:
    sent = json.dumps(batch(30)).encode()
    async with house() as h:
        h.wire.away()
        assert (await h.client.post("/generic", content=sent, headers=HEAD)).status_code == 200
        assert h.gateway.counters.spooled == 30
        h.wire.back()
        await h.until(lambda: not h.spooled)
        await whole(h, sent, 30)
        assert h.gateway.counters.replayed == 30


@pytest.mark.asyncio
async def test_the_unknown_commit_of_a_body_is_asked_and_not_written_twice(house: Any) -> None:
    async with house(patience=20.0, commit_limit=20.0) as h:
        sent = json.dumps(batch(30)).encode()
        h.wire.swallow_after = b"86007"
        sending = asyncio.create_task(h.client.post("/generic", content=sent, headers=HEAD))
        await h.until(lambda: h.wire.swallow)
        await h.until(lambda: h.stored(1))  # the server commits
        h.wire.back()
        h.wire.cut()
        assert (await sending).status_code == 200
        assert h.gateway.counters.unknown_commits > 0
        await whole(h, sent, 30)


@pytest.mark.asyncio
@pytest.mark.parametrize("away", [False, True])
async def test_one_message_that_the_database_refuses_takes_no_other_of_its_body_along(
    house: Any, *, away: bool
) -> None:
    """On a lane and on the way back from the spool."""
    async with house() as h:
        await h.execute("ALTER TABLE signals_message ADD CONSTRAINT odd CHECK (device_key <> '86007')")
        try:
            if away:
                h.wire.away()
            sent = json.dumps(batch(20)).encode()
            assert (await h.client.post("/generic", content=sent, headers=HEAD)).status_code == 200
            h.wire.back()
            await h.until(lambda: not h.spooled)
            rows = await h.query(BODIES)
            assert [r[0] for r in rows if r[0]] == [f"86{i:03d}" for i in range(20) if i != 7]
            assert {bytes(r[1]) for r in rows if r[0]} == {sent}
            ((note,),) = await h.rows("note", "source = 'platform'")
            assert "数据库拒绝" in note
            await h.gapless()
        finally:
            await h.execute("ALTER TABLE signals_message DROP CONSTRAINT odd")


@pytest.mark.asyncio
async def test_a_replay_that_died_in_the_middle_of_a_divided_body_goes_on_there(house: Any, tmp_path: Path) -> None:
    from anju.portals.device_gateway.lane import connect, open_lane
    from anju.portals.device_gateway.record import COPY, COPY_END, COPY_HEAD, ident_of

    sent = b'{"of": "all"}'
    segment = spool.create(tmp_path / "spool", urgent=False, gateway="dead")
    record = made([f"86{i:03d}" for i in range(9)], sent)
    spool.append(segment, [record])
    async with house() as h:
        conn = await connect(h.direct, "dies")
        lane = await open_lane(conn, gateway="dead", kind="spool", urgent=False, floor_us=AT, segment=segment.name)
        async with conn.cursor() as cursor, cursor.copy(COPY) as copy:
            await copy.write(COPY_HEAD + record.part(0, 4).row(ident_of(lane, 1)) + COPY_END)
        await conn.close()
        segment.close()
        await h.until(lambda: not h.spooled)
        await whole(h, sent, 9)


def report(key: str) -> Report:
    """What a device said."""
    return Report(
        "generic", key, "", "", "report", "1", None, b"", [("motion", None, "0010", "0119", "", 1, None, None)]
    )


def made(keys: list[str], raw: bytes) -> Record:
    """A record of these devices."""
    first, *others = map(report, keys)
    more = tuple(head_of(other, AT, os.urandom(16)) for other in others)
    return Record(tail_of(first, raw, AT, os.urandom(16)), AT, False, None, more=more)


def rows(copied: bytes) -> list[tuple[int, str, int, bytes | None]]:
    """Id, device, way back and body of rows in COPY's form."""
    found, at = [], 0
    while at < len(copied):
        (columns,) = struct.unpack_from(">h", copied, at)
        row: list[bytes | None] = []
        at += 2
        for _ in range(columns):
            (length,) = struct.unpack_from(">i", copied, at)
            row.append(None if length < 0 else copied[at + 4 : at + 4 + length])
            at += 4 + max(length, 0)
        named = dict(zip(record.COLUMNS, row, strict=True))
        ident, key, back = named["id"] or b"", named["device_key"] or b"", named["raw_back"] or b""
        found.append((int.from_bytes(ident), key.decode(), int.from_bytes(back), named["raw"]))
    return found


@given(
    keys=st.lists(st.text("0123456789", min_size=1, max_size=15), min_size=1, max_size=40),
    raw=st.binary(max_size=300),
    cuts=st.lists(st.integers(0, 40), max_size=6),
)
def test_a_body_in_any_parts_gives_the_same_rows(keys: list[str], raw: bytes, cuts: list[int]) -> None:
    """However it is divided, each part has the same messages in the same order, and the body with its first."""
    record = made(keys, raw)
    places = sorted({0, len(keys), *(c for c in cuts if c < len(keys))})
    copied = b"".join(record.part(start, stop).row(1 + start) for start, stop in itertools.pairwise(places))
    got = rows(copied)
    assert [(r[0], r[1]) for r in got] == list(enumerate(keys, 1))
    bodies = {r[0]: r[3] for r in got}
    assert all(bodies[ident - back] == raw for ident, _, back, _ in got)
    assert {ident for ident, body in bodies.items() if body is not None} == {p + 1 for p in places[:-1]}
    assert record.part(0, record.count).row(1) == record.row(1)
    assert spool._unpack(spool.pack(record)[8:]).row(1) == record.row(1)


def test_a_file_of_the_version_before_is_still_read(tmp_path: Path) -> None:
    new = made(["8611"], b"what it said")
    *others, note, back, raw = fields(new.tail)
    old = struct.pack(">BQq", True, 7, AT) + b"".join((*others, raw, note))
    path = tmp_path / "urgent-x.spool"
    path.write_bytes(
        b'{"v": 1, "segment": "x", "urgent": true}\n' + struct.pack(">II", len(old), zlib.crc32(old)) + old
    )
    assert back == struct.pack(">ih", 2, 0)
    ((got),) = spool.read(path)
    assert (got.row(5), got.at, got.maybe, got.urgent) == (new.row(5), AT, 7, True)
