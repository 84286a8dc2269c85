"""What may break between a sender and the log, and that every acknowledged message is in it once."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import httpx
import pytest

from anju.portals.device_gateway import spool
from anju.portals.device_gateway.lane import BATCH
from anju.portals.device_gateway.record import Record
from anju.portals.device_gateway.tests.conftest import MOTION, SECRET, SOS, body, free_port

pytestmark = [pytest.mark.asyncio, pytest.mark.req("DEV-04"), pytest.mark.timeout(240)]
ROOT = Path(__file__).resolve().parents[5]


async def many(h: Any, count: int, payload: Any = MOTION, start: int = 0) -> list[int]:
    """So many devices at once; the statuses."""
    return await asyncio.gather(*(h.post(payload, imei=f"8620000000{start + i:05d}") for i in range(count)))


async def test_a_message_is_in_the_log_when_its_sender_hears_200(house: Any) -> None:
    async with house(patience=20.0, commit_limit=20.0) as h:
        assert await h.post(SOS) == 200
        ((key, n, raw, decoded),) = await h.rows("device_key, n, raw, decoded")
        assert (key, n) == ("861000000000011", 1)
        assert json.loads(bytes(raw))["payload"] == SOS
        assert json.loads(decoded)["s"][0][0] == "sos"
        ((lane,),) = await h.rows("id >> 40")
        assert await h.query(f"SELECT urgent FROM signals_lane WHERE id = {lane}") == [(True,)]  # noqa: S608
        assert set(await many(h, 120)) == {200}
        assert len(await h.rows()) == 121
        assert h.gateway.counters.commits < 121, "what arrives during a commit goes into the next one together"
        await h.gapless()


async def test_a_commit_whose_answer_is_lost_is_asked_and_not_written_twice(house: Any) -> None:
    """The server commits, the connection breaks before the answer: the outcome is unknown."""
    async with house(patience=20.0, commit_limit=20.0) as h:
        assert await h.post(MOTION) == 200
        h.wire.swallow_after = b"8620000000"  # begins with the data of these messages
        sending = asyncio.create_task(many(h, 30))
        await h.until(lambda: h.wire.swallow)
        await h.until(lambda: h.stored(2))  # the server commits
        h.wire.back()
        h.wire.cut()
        assert set(await sending) == {200}
        rows = await h.rows()
        assert len(rows) == len({r[0] for r in rows}) == 31, "each device once"
        assert h.gateway.counters.unknown_commits > 0
        assert h.gateway.counters.spooled == 0
        await h.gapless()


async def test_a_commit_that_never_happened_is_done_again(house: Any) -> None:
    """The connection breaks before the server has the data: not committed, so it goes again on a new lane."""
    async with house(patience=20.0, commit_limit=20.0) as h:
        h.wire.stall = True
        sending = asyncio.create_task(many(h, 30))
        await asyncio.sleep(0.2)
        h.wire.cut()
        h.wire.back()
        assert set(await sending) == {200}
        rows = await h.rows()
        assert len(rows) == len({r[0] for r in rows}) == 30
        await h.gapless()


async def test_the_database_is_away_messages_wait_in_the_spool_and_come_back_in_order(house: Any) -> None:
    async with house() as h:
        assert await h.post(MOTION) == 200
        h.wire.away()
        for i in range(20):
            assert await h.post(MOTION, imei=f"8630000000{i:05d}") == 200
        assert await h.post(SOS) == 200, "a press is acknowledged although nobody can store it in the database"
        health = (await h.client.get("/healthz")).json()
        assert health["status"] == "degraded"
        assert health["spool"]["sos_waiting"] == 1
        assert h.spooled >= 2
        assert len(await h.rows()) == 1
        h.wire.back()
        await h.until(lambda: not h.spooled)
        await h.until(lambda: h.gateway.door.health()["status"] == "ok")
        rows = await h.rows("device_key", "device_key LIKE '863%'")
        assert [r[0] for r in rows] == [f"8630000000{i:05d}" for i in range(20)], "in their order"
        assert len(await h.rows()) == 22
        lanes = await h.query(
            "SELECT kind, urgent, closed_at IS NOT NULL, last_seq FROM signals_lane WHERE kind = 'spool' ORDER BY urgent"
        )
        assert lanes == [("spool", False, True, 20), ("spool", True, True, 1)]
        assert (h.gateway.counters.spooled, h.gateway.counters.replayed) == (21, 21)
        assert await h.post(MOTION) == 200
        await h.gapless()


@pytest.mark.req("SEN-03")
async def test_an_sos_in_the_spool_pages_at_once(house: Any) -> None:
    heard: list[bytes] = []

    async def page(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = await reader.readuntil(b"\r\n\r\n")
        length = int(head.lower().split(b"content-length:")[1].split(b"\r\n")[0])
        heard.append(await reader.readexactly(length))
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
        await writer.drain()
        writer.close()

    port = free_port()
    server = await asyncio.start_server(page, "127.0.0.1", port)
    async with house(fallback_url=f"http://127.0.0.1:{port}/page") as h:
        h.wire.away()
        assert await h.post(MOTION) == 200
        await asyncio.sleep(0.1)
        assert not heard, "telemetry pages nobody"
        assert await h.post(SOS) == 200
        assert await h.post(SOS) == 200
        await h.until(lambda: heard)
        assert json.loads(heard[0])["event"] == "sos_spooled"
        flag = h.gateway.settings.spool / "SOS-WAITING.json"
        assert json.loads(flag.read_text())["waiting"] == 2
        assert "anju_gateway_sos_waiting 2" in (await h.client.get("/metrics")).text
        assert len(heard) == 1, "one page a minute"
        h.wire.back()
        await h.until(lambda: not h.spooled and not flag.exists())
    server.close()


async def test_an_unknown_commit_that_had_to_go_to_the_spool_is_replayed_once(house: Any) -> None:
    """The answer of a commit is lost and the database stays away: the batch is spooled, and found in the log on replay."""
    async with house() as h:
        h.wire.swallow_after = b"8620000000"
        sending = asyncio.create_task(many(h, 25))
        await h.until(lambda: h.wire.swallow)
        await h.until(lambda: h.stored(1))
        h.wire.away()
        assert set(await sending) == {200}
        stored = len(await h.rows())
        assert stored > 0, "the server had committed some of it"
        assert h.gateway.counters.spooled == 25
        h.wire.back()
        await h.until(lambda: not h.spooled)
        rows = await h.rows()
        assert len(rows) == len({r[0] for r in rows}) == 25
        assert h.gateway.counters.replayed == 25 - stored
        await h.gapless()


async def test_a_slow_database_is_waited_for_no_longer_than_patience(house: Any) -> None:
    async with house() as h:
        h.wire.stall = True
        statuses = await asyncio.wait_for(many(h, 40), 30)
        assert set(statuses) == {200}
        assert h.gateway.counters.spooled > 0
        h.wire.back()
        await h.until(lambda: not h.spooled and h.gateway.store.database)
        rows = await h.rows()
        assert len(rows) == len({r[0] for r in rows}) == 40
        await h.gapless()


async def test_a_replay_that_dies_after_its_commit_goes_on_where_it_stopped(house: Any, tmp_path: Path) -> None:
    """The commit of a chunk is done, the file is still there: the next process must not write it again."""
    async with house() as h:
        h.wire.away()
        assert set(await many(h, 30)) == {200}
        h.wire.back()
        await h.until(lambda: not h.spooled)
        before = await h.rows()
        assert len(before) == 30
    segment = spool.create(tmp_path / "spool", urgent=False, gateway="dead")
    async with house() as h:
        tails = []
        for i in range(30):
            from anju.portals.device_gateway.record import tail_of
            from anju.signals.decoders.base import Report

            report = Report(
                "ctwing",
                f"87{i}",
                "",
                "",
                "report",
                "1",
                None,
                b"",
                [("motion", None, "0010", "0119", "", 1, None, None)],
            )
            tails.append(
                Record(
                    tail_of(report, b"{}", 1_795_000_000_000_000 + i, os.urandom(16)),
                    1_795_000_000_000_000 + i,
                    False,
                    None,
                )
            )
        spool.append(segment, tails)
        # another process opened its lane, committed the first ten, and died
        from anju.portals.device_gateway.lane import connect, open_lane
        from anju.portals.device_gateway.record import COPY, COPY_END, COPY_HEAD, ident_of

        conn = await connect(h.direct, "dies")
        lane = await open_lane(
            conn, gateway="dead", kind="spool", urgent=False, floor_us=1_795_000_000_000_000, segment=segment.name
        )
        async with conn.cursor() as cursor, cursor.copy(COPY) as copy:
            await copy.write(
                COPY_HEAD + b"".join(r.row(ident_of(lane, i + 1)) for i, r in enumerate(tails[:10])) + COPY_END
            )
        await conn.close()
        segment.close()  # its lock goes with the process
        await h.until(lambda: not h.spooled)
        rows = await h.rows("device_key, id & ((1::bigint << 40) - 1)", f"id >> 40 = {lane}")
        assert rows == [(f"87{i}", i + 1) for i in range(30)]
        ends = dict(await h.query("SELECT id, last_seq FROM signals_lane WHERE closed_at IS NOT NULL"))
        assert ends[lane] == 30


async def test_a_torn_tail_ends_the_file_and_nothing_before_it_is_lost(tmp_path: Path) -> None:
    folder = tmp_path / "spool"
    records = [Record(f"tail{i}".encode() * 50, i + 1, True, None, maybe=i) for i in range(5)]
    segment = spool.create(folder, urgent=True, gateway="g")
    spool.append(segment, records[:3])
    whole = segment.path.read_bytes()
    spool.append(segment, records[3:])
    full = segment.path.read_bytes()
    assert [(r.tail, r.at, r.urgent, r.maybe) for r in spool.read(segment.path)] == [
        (r.tail, r.at, True, r.maybe) for r in records
    ]
    for cut in range(len(whole), len(full)):
        segment.path.write_bytes(full[:cut])
        assert len(list(spool.read(segment.path))) in {3, 4}, cut
    segment.path.write_bytes(full[:-1] + bytes([full[-1] ^ 1]))
    assert len(list(spool.read(segment.path))) == 4, "a record that was changed is not believed"
    assert spool.adopt(folder) == [], "a file of a living process is left alone"
    segment.close()
    (adopted,) = spool.adopt(folder)
    assert (adopted.name, adopted.urgent, adopted.records) == (segment.name, True, 4)
    adopted.close()
    (folder / "plain-x.spool").write_bytes(b'{"v": 1, "seg')  # the head never got to the disk
    again = spool.adopt(folder)
    assert [s.name for s in again] == [segment.name]
    assert (folder / "plain-x.damaged").exists()
    for s in again:
        s.close()


async def test_disk_full_and_database_away_is_told_and_not_acknowledged(
    house: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with house() as h:

        def full(*args: Any, **kwargs: Any) -> None:
            raise spool.SpoolFull("no space left on device")

        with monkeypatch.context() as m:
            m.setattr(spool, "append", full)
            h.wire.away()
            answer = await h.client.post("/ctwing", json=body(SOS), headers={"X-Anju-Secret": SECRET})
            assert answer.status_code == 503
            assert "暂存空间不足" in answer.json()["error"]
            assert answer.headers["retry-after"]
            assert (await h.client.get("/healthz")).status_code == 503
        assert await h.post(SOS) == 200, "space again: the operator's retry is taken"
        h.wire.back()
        await h.until(lambda: not h.spooled)
        assert len(await h.rows()) == 1


async def test_a_clock_that_is_set_back_begins_new_lanes(house: Any) -> None:
    async with house(patience=20.0) as h:
        assert await h.post(MOTION) == 200
        h.gateway.store.clock.last += 7_200_000_000  # it was two hours ahead until now
        assert await h.post(MOTION) == 200
        await h.until(lambda: _lanes(h, 4))
        assert await h.post(SOS) == 200
        assert len(await h.rows()) == 3


async def _lanes(h: Any, count: int) -> bool:
    return await h.query("SELECT count(*) FROM signals_lane") == [(count,)] and h.gateway.store.database


async def test_one_row_that_the_database_refuses_does_not_hold_up_the_others(house: Any) -> None:
    async with house() as h:
        await h.execute("ALTER TABLE signals_message ADD CONSTRAINT odd CHECK (device_key <> '862000000000007')")
        try:
            assert set(await many(h, 20)) == {200}
            await h.until(lambda: not h.spooled)  # a commit that takes too long goes by way of the spool
            assert len(await h.rows(where="source = 'ctwing'")) == 19
            ((note,),) = await h.rows("note", "source = 'platform'")
            assert "数据库拒绝" in note
            assert len(list(h.gateway.settings.spool.glob("*.damaged"))) == 1, "its bytes are kept for people"
            await h.gapless()
        finally:
            await h.execute("ALTER TABLE signals_message DROP CONSTRAINT odd")


async def test_memory_is_bounded_when_nothing_moves(house: Any) -> None:
    async with house(max_pending=50, patience=30.0, commit_limit=30.0) as h:
        h.wire.stall = True
        sending = [asyncio.create_task(h.post(MOTION, imei=f"8640000000{i:05d}")) for i in range(100)]
        await h.until(lambda: any(t.done() for t in sending))
        refused = [t.result() for t in sending if t.done()]
        assert set(refused) == {503}
        assert h.gateway.store.pending <= 50 + BATCH
        h.wire.back()
        statuses = await asyncio.gather(*sending)
        assert statuses.count(200) == len(await h.rows())


@pytest.mark.faults
@pytest.mark.timeout(240)
@pytest.mark.req("DEV-04")
async def test_kill_nine_at_any_moment_loses_nothing_that_was_acknowledged(house: Any, tmp_path: Path) -> None:  # noqa: C901
    """A gateway process under load is killed; a new one takes over; also its spool. Every 200 is in the log once."""
    acked: set[str] = set()
    async with house() as h:
        port = free_port()
        env = os.environ | {
            "DATABASE_URL": _url(h), "ANJU_HOME": str(tmp_path / "child"), "ANJU_GATEWAY_PORT": str(port), "ANJU_MODE": "test",
        }  # fmt: skip

        async def start() -> subprocess.Popen[bytes]:
            process = subprocess.Popen(  # noqa: ASYNC220
                [sys.executable, str(ROOT / "manage.py"), "gateway"], env=env, stderr=subprocess.DEVNULL
            )
            async with httpx.AsyncClient() as client:
                for _ in range(400):
                    try:
                        await client.get(f"http://127.0.0.1:{port}/healthz")
                    except httpx.HTTPError:
                        await asyncio.sleep(0.05)
                    else:
                        return process
            raise AssertionError("the gateway did not start")

        stop = asyncio.Event()

        async def send(worker: int) -> None:
            async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}", timeout=30) as client:
                n = 0
                while not stop.is_set():
                    imei = f"88{worker:03d}{n:010d}"
                    payload = SOS if n % 7 == 0 else MOTION
                    try:
                        answer = await client.post(
                            "/ctwing", json=body(payload, imei=imei), headers={"X-Anju-Secret": SECRET}
                        )
                    except httpx.HTTPError:
                        await asyncio.sleep(0.05)
                        continue
                    if answer.status_code == 200:
                        acked.add(imei)
                        n += 1

        process = await start()
        senders = [asyncio.create_task(send(w)) for w in range(12)]
        try:
            for wait, away in ((1.0, False), (0.7, True)):
                await asyncio.sleep(wait)
                if away:
                    h.wire.away()
                    await asyncio.sleep(1.5)  # some go to the spool
                process.send_signal(signal.SIGKILL)
                await asyncio.to_thread(process.wait)
                if away:
                    h.wire.back()
                process = await start()
            await asyncio.sleep(0.5)
        finally:
            stop.set()
            await asyncio.gather(*senders)
        folder = tmp_path / "child" / "spool"
        await h.until(lambda: not list(folder.glob("*.spool")), 20)
        process.send_signal(signal.SIGTERM)
        assert await asyncio.to_thread(process.wait, 20) == 0
        rows = [r[0] for r in await h.rows("device_key")]
        assert len(acked) > 50
        assert acked <= set(rows), "acknowledged and not in the log"
        assert await h.query("SELECT uid FROM signals_message GROUP BY uid HAVING count(*) > 1") == []
        await h.gapless()
        assert await h.query("SELECT count(*) FROM signals_lane WHERE kind = 'spool'") != [(0,)], "the spool was used"


def _url(h: Any) -> str:
    from psycopg.conninfo import conninfo_to_dict

    parts = conninfo_to_dict(h.direct)
    password = f":{parts['password']}" if parts.get("password") else ""
    return f"postgresql://{parts['user']}{password}@127.0.0.1:{h.wire.listen}/{parts['dbname']}"
