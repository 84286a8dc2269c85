"""HTTP as senders really speak it: cut anywhere, in pieces, several at once, twisted; and enciphered. On the loop of the
real process (uvloop).
"""

from __future__ import annotations

import asyncio
import json
import ssl
from pathlib import Path
from typing import Any

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from anju.portals.device_gateway.connection import read_head
from anju.portals.device_gateway.refusals import Refused
from anju.portals.device_gateway.server import tls as tls_of
from anju.portals.device_gateway.tests.conftest import MOTION, SECRET, SOS, body

pytestmark = [pytest.mark.req("DEV-04")]
HEAD = {"X-Anju-Secret": SECRET}


def request(
    payload: Any = MOTION, *, path: str = "/ctwing", secret: str = SECRET, more: str = "", imei: str = "86"
) -> bytes:
    """The bytes of a push."""
    content = json.dumps(body(payload, imei=imei)).encode()
    head = (
        f"POST {path} HTTP/1.1\r\nHost: anju\r\nX-Anju-Secret: {secret}\r\n{more}Content-Length: {len(content)}\r\n\r\n"
    )
    return head.encode() + content


async def talk(h: Any, *parts: bytes, expected: int = 1, pause: float = 0.01) -> list[int]:
    """Send these parts one after the other on one connection; the statuses that came back."""
    reader, writer = await asyncio.open_connection("127.0.0.1", h.gateway.settings.port)
    try:
        for part in parts:
            writer.write(part)
            await writer.drain()
            await asyncio.sleep(pause)  # so that it arrives by itself
        statuses = []
        async with asyncio.timeout(30):
            while len(statuses) < expected:
                head = (await reader.readuntil(b"\r\n\r\n")).decode()
                length = next(
                    (int(x.split(":")[1]) for x in head.lower().split("\r\n") if x.startswith("content-length")), 0
                )
                await reader.readexactly(length)
                statuses.append(int(head.split()[1]))
        return statuses
    finally:
        writer.close()


@pytest.mark.asyncio
async def test_a_body_that_comes_byte_by_byte_is_the_same_body(house: Any) -> None:
    async with house() as h:
        whole = request()
        for at in (
            1,
            4,
            20,
            len(whole) // 2,
            whole.index(b"\r\n\r\n") + 2,
            whole.index(b"\r\n\r\n") + 4,
            len(whole) - 1,
        ):
            assert await talk(h, whole[:at], whole[at:]) == [200]
        assert await talk(h, *[whole[n : n + 1] for n in range(len(whole))], pause=0) == [200]
        assert len(await h.rows()) == 8


@pytest.mark.asyncio
async def test_several_requests_at_once_are_answered_in_their_order(house: Any) -> None:
    async with house() as h:
        wrong = request(secret="no")
        sos = request(SOS, imei="87")  # another lane, another commit
        assert await talk(h, request() + sos + wrong + request() + b"\r\n" + sos, expected=5) == [
            200,
            200,
            401,
            200,
            200,
        ]
        assert len(await h.rows()) == 4
        assert h.gateway.door.pending == h.gateway.door.pending_bytes == 0


@pytest.mark.asyncio
async def test_pieces_and_a_sender_who_asks_first(house: Any) -> None:
    async with house() as h:
        content = json.dumps(body(SOS)).encode()
        head = f"POST /ctwing/{SECRET} HTTP/1.1\r\nHost: x\r\n".encode()
        pieces = b"".join(
            b"%x\r\n%b\r\n" % (len(content[n : n + 50]), content[n : n + 50]) for n in range(0, len(content), 50)
        )
        chunked = head + b"Transfer-Encoding: chunked\r\n\r\n" + pieces + b"0\r\n\r\n"
        assert await talk(h, chunked) == [200]
        assert await talk(h, chunked[:200], chunked[200:300], chunked[300:]) == [200]
        asking = head + b"Expect: 100-continue\r\nContent-Length: %d\r\n\r\n" % len(content)
        assert await talk(h, asking, content, expected=2) == [100, 200]
        old = head.replace(b"1.1", b"1.0") + b"Content-Length: %d\r\n\r\n" % len(content) + content
        assert await talk(h, old) == [200]
        rows = await h.rows()
        assert [bytes(r[3]) for r in rows] == [content] * 4


@pytest.mark.parametrize("more", ["", "Content-Length: 0\r\n", "Content-Length: 2\r\n"])
def test_who_says_close_is_not_kept_also_without_a_body(more: str) -> None:
    text = f"GET /healthz HTTP/1.1\r\nHost: x\r\n{more}"
    assert not read_head(f"{text}Connection: Close\r\n\r\n".encode())[0].keep
    assert read_head(f"{text}\r\n".encode())[0].keep


@pytest.mark.parametrize(
    "twisted",
    [
        b"POST /ctwing HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        b"POST /ctwing HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\nContent-Length: 3\r\n\r\n{}",
        b"POST /ctwing HTTP/1.1\r\nHost: x\r\nContent-Length: -1\r\n\r\n{}",
        b"POST /ctwing HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n",
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\r\n\r\n", b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", b"GET\r\n\r\n", b"\x00" * 20_000,
        b"POST /ctwing HTTP/1.1\r\nX: " + b"a" * 20_000,
        b"POST /ctwing HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
    ],
)  # fmt: skip
@pytest.mark.asyncio
async def test_what_two_readers_could_read_differently_is_refused(house: Any, twisted: bytes) -> None:
    async with house() as h:
        (status,) = await talk(h, twisted)
        assert status in {400, 413}
        assert h.gateway.counters.rejected["internal"] == 0
        assert await talk(h, request()) == [200], "others are served"


@pytest.mark.asyncio
async def test_a_remembered_head_lets_in_only_itself(house: Any) -> None:
    async with house() as h:
        good = request()
        assert await talk(h, good, good, expected=2) == [200, 200]
        assert len(h.gateway.door.heads) == 1
        for other in (good.replace(SECRET.encode(), b"x" * len(SECRET)), good.replace(b"/ctwing", b"/others")):
            assert (await talk(h, other))[0] in {401, 404}
        assert len(h.gateway.door.heads) == 1, "what is refused is not remembered"
        for n in range(1_100):
            h.gateway.door.heads[b"%d" % n] = h.gateway.door.heads[next(iter(h.gateway.door.heads))]
        assert await talk(h, request(more="X-Trace: 1\r\n")) == [200]
        assert len(h.gateway.door.heads) == 1, "a sender with ever new heads fills no memory"


@pytest.mark.asyncio
async def test_places_are_given_to_who_speaks(house: Any) -> None:
    async with house(connections=3) as h:
        silent = [await asyncio.open_connection("127.0.0.1", h.gateway.settings.port) for _ in range(5)]
        assert await h.post(SOS) == 200
        for _, writer in silent:
            writer.close()


@given(noise=st.binary(max_size=60), at=st.integers(0, 120), width=st.integers(0, 60))
def test_no_bytes_make_the_parser_fall_over(noise: bytes, at: int, width: int) -> None:
    good = request()
    text = good[: good.index(b"\r\n\r\n") + 4]
    try:
        head, _ = read_head(text[:at] + noise + text[at + width :])
    except Refused:
        return
    assert head.length >= 0
    assert not (head.pieces and head.length)


@pytest.mark.req("SYS-04")
@pytest.mark.asyncio
async def test_enciphered_with_a_generated_certificate(house: Any, tmp_path: Path) -> None:
    from anju.ops import tls

    made, _ = tls.ensure(tmp_path / "tls", ["127.0.0.1", "localhost"])
    async with house(tls_cert=str(made.certificate), tls_key=str(made.key)) as h:
        port = h.gateway.settings.port
        trust = ssl.create_default_context(cafile=str(made.authority))
        async with httpx.AsyncClient(base_url=f"https://localhost:{port}", verify=trust) as client:
            for _ in range(3):
                assert (await client.post("/ctwing", json=body(SOS), headers=HEAD)).status_code == 200
            assert (await client.post("/ctwing", json=body(SOS))).status_code == 401
            assert (await client.post("/ctwing", content=b"x" * 300_000, headers=HEAD)).status_code == 413
        assert len(await h.rows()) == 3
        with pytest.raises(httpx.ConnectError):  # who does not know our authority is told so
            await httpx.AsyncClient(verify=ssl.create_default_context()).get(f"https://localhost:{port}/healthz")
        with pytest.raises(httpx.HTTPError):  # nothing is heard in the clear
            await httpx.AsyncClient().post(f"http://localhost:{port}/ctwing", json=body(SOS), headers=HEAD)
        context = tls_of(h.gateway.settings)
        assert context is not None
        assert context.minimum_version == ssl.TLSVersion.TLSv1_2
        assert len(await h.rows()) == 3
