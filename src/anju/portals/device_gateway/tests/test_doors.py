"""The doors: who is let in, what is refused and how, and that what is understood by nobody is kept."""

from __future__ import annotations

import asyncio
import base64
import ipaddress
import json
from types import SimpleNamespace
from typing import Any

import pytest
from cryptography.hazmat.primitives import padding
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes

from anju.portals.device_gateway.doors import doors, mqtt
from anju.portals.device_gateway.settings import Secret
from anju.portals.device_gateway.tests.conftest import MOTION, SECRET, SOS, body
from anju.signals.decoders import onenet

pytestmark = [pytest.mark.asyncio, pytest.mark.req("DEV-04")]
HEAD = {"X-Anju-Secret": SECRET}
TOKEN = "onenet_token-of-the-tests-0123456789abcdef"
KEY = "0123456789abcdef"


async def test_only_who_knows_the_secret_is_heard(house: Any) -> None:
    async with house() as h:
        for path, headers in (
            ("/ctwing", {}),
            ("/ctwing", {"X-Anju-Secret": "no"}),
            ("/ctwing/no", {}),
            ("/generic", {}),
        ):
            answer = await h.client.post(path, json=body(SOS), headers=headers)
            assert answer.status_code == 401
            assert "请核对" in answer.json()["error"]
        assert await h.rows() == []
        assert h.gateway.counters.rejected["unauthenticated"] == 4
        assert (await h.client.post(f"/ctwing/{SECRET}", json=body(SOS))).status_code == 200
        assert (await h.client.post("/ctwing", json=body(MOTION), headers=HEAD)).status_code == 200
        assert len(await h.rows()) == 2
        metrics = (await h.client.get("/metrics")).text
        assert 'anju_gateway_rejected_total{reason="unauthenticated"} 4' in metrics
        assert 'anju_gateway_received_total{source="ctwing"} 2' in metrics


@pytest.mark.parametrize(
    ("content", "status"),
    [
        (b"", 400), (b"{", 400), (b"[]", 400), (b"7", 400), (b"null", 400), (b"\xff\xfe", 400), (b'{"a":' * 200 + b"1" + b"}" * 200, 400),
        (b"[" * 50_000, 400), (b"x" * 300_000, 413), (b'{"payload":{"Temperature":1}}', 200), (b"{}", 200), (b'{"payload":NaN}', 200),
        (b'{"payload":{"Alarm_Status":1,"Alarm_Status":0}}', 200), (b'\xef\xbb\xbf{"payload":{"Alarm_Status":1}}', 200),
        ('{"payload":{"Alarm_Status":1,"地址":"望潮"}}'.encode("gbk"), 200), (b'{"IMEI":"a\\u0000b\\ud800","payload":{"Alarm_Status":1}}', 200),
        (b'{"timestamp":1e400,"payload":{"Alarm_Status":1}}', 200), (b'{"timestamp":' + b"9" * 3000 + b',"payload":{"SOS":1}}', 200),
        (b'{"timestamp":-99999999999999999999,"payload":{"SOS":1}}', 200), (b'{"deviceId":{"a":1},"productId":[],"payload":{"SOS":1}}', 200),
    ],
)  # fmt: skip
async def test_bad_bodies_get_a_clear_answer_and_never_a_fault(house: Any, content: bytes, status: int) -> None:
    async with house() as h:
        answer = await h.client.post("/ctwing", content=content, headers=HEAD)
        assert answer.status_code == status
        rows = await h.rows()
        if status == 200:
            assert len(rows) == 1
            assert bytes(rows[0][3]) == content, "as it came"
        else:
            assert "。请" in answer.json()["error"]
            assert rows == []
            assert sum(h.gateway.counters.rejected.values()) == 1
        assert h.gateway.counters.rejected["internal"] == 0


async def test_other_addresses_methods_and_sources(house: Any) -> None:
    async with house() as h:
        assert (await h.client.get("/")).status_code == 404
        answer = await h.client.get("/ctwing", headers=HEAD)
        assert (answer.status_code, answer.headers["allow"]) == (405, "POST")
        assert (
            await h.client.post("/ctwing", content=b"x", headers=HEAD | {"Content-Encoding": "gzip"})
        ).status_code == 415

        async def pieces() -> Any:
            for _ in range(400):
                yield b"x" * 1000

        assert (await h.client.post("/ctwing", content=pieces(), headers=HEAD)).status_code == 413, (
            "also without a length"
        )
    async with house(sources=(ipaddress.ip_network("203.0.113.0/24"),)) as h:
        assert (await h.client.post("/ctwing", json=body(SOS), headers=HEAD)).status_code == 403
    async with house(sources=(ipaddress.ip_network("127.0.0.0/8"),)) as h:
        assert await h.post(SOS) == 200


async def test_a_sender_that_dawdles_is_sent_away_and_keeps_nobody_waiting(house: Any) -> None:
    async with house(body_limit=0.3) as h:
        reader, writer = await asyncio.open_connection("127.0.0.1", h.gateway.settings.port)
        writer.write(
            b"POST /ctwing HTTP/1.1\r\nHost: x\r\nX-Anju-Secret: "
            + SECRET.encode()
            + b"\r\nContent-Length: 1000\r\n\r\n{"
        )
        await writer.drain()
        assert await h.post(SOS) == 200, "others are served meanwhile"
        head = await asyncio.wait_for(reader.read(2000), 10)
        assert b" 408 " in head.split(b"\r\n")[0]
        writer.close()


def push(msg: Any, *, token: str = TOKEN, sealed: bool = False) -> bytes:
    """A OneNET push."""
    text = json.dumps(msg)
    if sealed:
        padder = padding.PKCS7(128).padder()
        seal = Cipher(algorithms.AES(KEY.encode()), modes.CBC(KEY.encode())).encryptor()
        text = base64.b64encode(
            seal.update(padder.update(text.encode()) + padder.finalize()) + seal.finalize()
        ).decode()
    return json.dumps({"msg": text, "nonce": "abc", "signature": onenet.sign(token, "abc", text), "id": "1"}).encode()


async def test_onenet_checks_the_address_and_pushes_plain_and_sealed(house: Any) -> None:
    async with house() as h:
        sign = onenet.sign(TOKEN, "n", "hello")
        answer = await h.client.get("/onenet/any", params={"msg": "hello", "nonce": "n", "signature": sign})
        assert (answer.status_code, answer.text) == (200, "hello")
        assert (
            await h.client.get("/onenet/any", params={"msg": "hello", "nonce": "n", "signature": "x"})
        ).status_code == 401
        msg = {"productId": "yK2mSosOn1", "deviceName": "861", "messageType": "notify", "notifyType": "property",
               "data": {"params": {"Alarm_Status": {"value": 1, "time": 1}}}}  # fmt: skip
        assert (await h.client.post("/onenet/any", content=push(msg))).status_code == 200
        assert (await h.client.post("/onenet/any", content=push(msg, sealed=True))).status_code == 200
        assert (await h.client.post("/onenet/any", content=push(msg, token="wrong"))).status_code == 401
        assert (await h.client.post("/onenet/any", content=b"{}")).status_code == 400
        unreadable = push(msg, token=TOKEN).replace(b'"msg": "{', b'"msg": "[{')
        assert (await h.client.post("/onenet/any", content=unreadable)).status_code == 401, (
            "the signature covers the text"
        )
        rows = await h.rows("kind, n, device_key")
        assert rows == [("report", 1, "861"), ("report", 1, "861")]
        assert await h.query(
            "SELECT count(*) FROM signals_message WHERE id >> 40 IN (SELECT id FROM signals_lane WHERE urgent)"
        ) == [(2,)]


async def test_the_oldest_sealed_push_is_read(house: Any) -> None:
    """`enc_msg`: AES-256, a key of 43 characters, the text behind 16 random bytes and its length; padded to 32 as of old."""
    raw = bytes(range(32))
    key = base64.b64encode(raw).decode().rstrip("=")
    assert len(key) == 43
    text = json.dumps({"type": 1, "dev_id": 2016617, "ds_id": "Alarm_Status", "at": 1763683200000, "value": 1}).encode()

    def sealed(length: int, token: str = TOKEN) -> bytes:
        plain = b"r" * 16 + length.to_bytes(4, "big") + text
        plain += bytes([32 - len(plain) % 32]) * (32 - len(plain) % 32)
        seal = Cipher(algorithms.AES(raw), modes.CBC(raw[:16])).encryptor()
        enc = base64.b64encode(seal.update(plain) + seal.finalize()).decode()
        signature = onenet.sign(token, "R%4tE_0p", enc).rstrip("=")
        return json.dumps({"enc_msg": enc, "msg_signature": signature, "nonce": "R%4tE_0p"}).encode()

    async with house(onenet_products={"old": Secret(TOKEN, key)}) as h:
        assert (await h.client.post("/onenet/old", content=sealed(len(text)))).status_code == 200
        assert h.gateway.counters.urgent == 1
        assert (await h.client.post("/onenet/old", content=sealed(len(text), "wrong"))).status_code == 401
        assert (await h.client.post("/onenet/old", content=sealed(9_999))).status_code == 200, (
            "signed: kept, as it came"
        )
        rows = await h.rows("device_key, n, note")
        assert {(r[0], r[1]) for r in rows} == {("2016617", 1), ("", 0)}
        assert any("解密" in r[2] for r in rows)


async def test_many_devices_in_one_body_are_acknowledged_together(house: Any) -> None:
    async with house() as h:
        data = [
            {
                "device": f"86{i}",
                "product": "phone-4g1",
                "t": 1763683200000,
                "data": {"SOS": i % 2, "Battery_Level": 90},
            }
            for i in range(20)
        ]
        answer = await h.client.post("/generic", json=data, headers=HEAD)
        assert answer.status_code == 200
        assert len(await h.rows()) == 20
        assert h.gateway.counters.acked == 20


async def test_what_nobody_can_decode_is_kept_and_counted(house: Any) -> None:
    async with house() as h:
        assert await h.post({"APPdata": "AAEC"}) == 200
        ((n, note, decoded),) = await h.rows("n, note, decoded")
        assert (n, decoded) == (0, "")
        assert "没有解码器" in note
        assert 'anju_gateway_undecodable_total{source="ctwing"} 1' in (await h.client.get("/metrics")).text


@pytest.mark.req("SEN-03")
async def test_a_decoder_that_falls_over_refuses_nobody(house: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    from anju.portals.device_gateway import http
    from anju.signals.decoders import ctwing

    def only_with_profiles(body: bytes, profiles: Any, now_ms: int) -> Any:
        if profiles:
            raise ZeroDivisionError
        return ctwing.decode(body, profiles, now_ms)

    def never(body: bytes, profiles: Any, now_ms: int) -> Any:
        raise ZeroDivisionError

    async with house() as h:
        for decode, urgent in ((only_with_profiles, True), (never, False)):
            with monkeypatch.context() as m:
                m.setattr(http, "ctwing", SimpleNamespace(decode=decode))
                h.gateway.door.heads.clear()  # they remember how a body is read
                before = h.gateway.counters.urgent
                assert await h.post(SOS) == 200
                assert (h.gateway.counters.urgent > before) is urgent
        assert sorted(r[0] for r in await h.rows("n")) == [0, 1]


async def test_a_product_added_to_the_catalogue_is_understood_without_a_restart(house: Any) -> None:
    from asgiref.sync import sync_to_async
    from django.db import connections

    from anju.devices import actions

    async with house() as h:
        assert await h.post({"Notruf": 1}, product="777") == 200
        new = {"code": "new", "name": "新", "maker": "甲", "kind": "sos", "source": "ctwing", "product_id": "777",
               "properties": {"Notruf": {"0": "sos_reset", "*": "sos"}}}  # fmt: skip

        def load() -> None:
            actions.load_products([new])
            connections.close_all()  # of this thread

        await sync_to_async(load)()
        h.gateway.door.profiles = await _profiles(h)
        assert await h.post({"Notruf": 1}, product="777") == 200
        assert [r[0] for r in await h.rows("n")] in ([0, 1], [1, 0])


async def _profiles(h: Any) -> Any:
    from anju.portals.device_gateway.lane import connect
    from anju.portals.device_gateway.upkeep import load_profiles

    conn = await connect(h.direct, "test")
    try:
        return await load_profiles(conn)
    finally:
        await conn.close()


async def test_sources_are_noted_and_dead_lanes_ended(house: Any) -> None:
    async with house() as h:
        assert await h.post(MOTION) == 200
        await h.until(lambda: _source(h), 10)
        await h.execute(
            "INSERT INTO signals_lane (gateway, kind, urgent, opened_at, last_seq) VALUES ('dead', 'live', false, now(), 0)"
        )
        from anju.portals.device_gateway.lane import connect
        from anju.portals.device_gateway.upkeep import end_dead_lanes

        conn = await connect(h.direct, "test")
        assert await end_dead_lanes(conn) == 1, "those of the living gateway stay"
        await conn.close()
        assert await h.query("SELECT count(*) FROM signals_lane WHERE closed_at IS NULL") == [(2,)]
    # a gateway that ends in peace closes its lanes with their true length
    async with house() as h:
        assert await h.query("SELECT last_seq FROM signals_lane WHERE last_seq > 0 AND closed_at IS NOT NULL") == [(1,)]


async def _source(h: Any) -> bool:
    return bool(await h.query("SELECT 1 FROM signals_source WHERE source = 'ctwing' AND messages = 1"))


async def test_doors_tell_a_client_what_it_needs(house: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    async with house() as h:
        told = doors(h.url)
        answer = await h.client.post(told["ctwing"]["url"], json=body(SOS), headers=told["ctwing"]["headers"])
        assert answer.status_code == 200
        assert told["onenet"]["token"] == TOKEN
        assert mqtt() is None
        monkeypatch.setenv("MQTT_URL", "mqtt://anju:pw@127.0.0.1:1999/id")
        assert mqtt() == {
            "host": "127.0.0.1",
            "port": 1999,
            "user": "anju",
            "password": "pw",
            "topic": "anju/{product}/{imei}/up",
        }


@pytest.mark.req("SEN-06")
async def test_a_camera_is_heard_at_once_and_its_pictures_are_kept_nowhere(house: Any) -> None:
    picture = base64.b64encode(bytes(range(256)) * 20).decode()
    seen = {"Fall_Status": 1, "Snapshot": picture, "Stream": "rtsp://10.0.0.9/live", "Battery_Level": 88}
    async with house() as h:
        for product in ("cammq1", "phone-4g1", "nobody-knows-1"):
            sent = {"device": "861000000000031", "product": product, "t": 1_795_000_000_000, "data": seen}
            assert (await h.client.post("/generic", json=sent, headers=HEAD)).status_code == 200
        rows = await h.rows("raw, decoded")
        camera, other, stranger = (bytes(raw).decode() for raw, _ in rows)
        assert picture not in camera
        assert "rtsp" not in camera
        assert json.loads(camera)["data"]["Snapshot"] == "[画面已去除]"
        assert json.loads(camera)["data"]["Fall_Status"] == 1
        assert picture in other, "as it came"
        assert picture not in stranger
        assert "rtsp" not in stranger
        assert json.loads(stranger)["data"]["Snapshot"].startswith("[画面已去除 5120 字节 sha256=")
        assert all("fall" in str(decoded) for _, decoded in rows)
        assert h.gateway.counters.urgent == 3
