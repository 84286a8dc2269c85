"""HTTP to the engine: kept connections, answers in pieces, connections that end at the worst moment."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

import pytest

from anju.calls.asterisk.wire import Cut, Wire

Serve = Callable[[asyncio.StreamReader, asyncio.StreamWriter, int], Awaitable[None]]


def play(serve: Serve, story: Callable[[Wire, list[int]], Awaitable[None]]) -> None:
    """A server that does `serve` on each connection, and a wire to it."""

    async def whole() -> None:
        connections: list[int] = []

        async def came(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            connections.append(len(connections))
            try:
                await serve(reader, writer, connections[-1])
            except (asyncio.IncompleteReadError, ConnectionError):
                pass
            finally:
                writer.close()

        server = await asyncio.start_server(came, "127.0.0.1", 0)
        port = server.sockets[0].getsockname()[1]
        wire = Wire(f"http://127.0.0.1:{port}/ari", {"Authorization": "Basic x"}, keep=10)
        try:
            await asyncio.wait_for(story(wire, connections), 60)
        finally:
            wire.close()
            server.close()

    asyncio.run(whole())


async def head(reader: asyncio.StreamReader) -> str:
    return (await reader.readuntil(b"\r\n\r\n")).decode()


async def say(writer: asyncio.StreamWriter, status: str, body: bytes, *, pieces: int = 1) -> None:
    whole = (
        f"HTTP/1.1 {status}\r\nContent-type: application/json\r\nContent-Length: {len(body)}\r\n\r\n".encode() + body
    )
    step = max(1, len(whole) // pieces)
    for n in range(0, len(whole), step):
        writer.write(whole[n : n + step])
        await writer.drain()
        await asyncio.sleep(0)


@pytest.mark.req("CALL-01")
def test_one_connection_carries_many_requests_and_answers_may_come_in_pieces() -> None:
    heard: list[str] = []

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, _nth: int) -> None:
        while True:
            said = await head(reader)
            heard.append(said)
            length = next(
                (int(line.split(":")[1]) for line in said.split("\r\n") if line.startswith("Content-Length")), 0
            )
            await reader.readexactly(length)
            await say(
                writer, "404 Not Found" if "gone" in said else "200 OK", '{"é": 1}'.encode(), pieces=len(heard) * 7
            )

    async def story(wire: Wire, connections: list[int]) -> None:
        assert await wire.request("POST", "channels/a b", {"appArgs": "out,x", "callerId": "+86 1"}, b"{}") == (
            200,
            '{"é": 1}'.encode(),
        )
        assert (await wire.request("DELETE", "channels/gone", {}, None))[0] == 404
        assert (await wire.request("POST", "channels/1/answer", {}, None))[0] == 200
        assert connections == [0]
        both = await asyncio.gather(*(wire.request("GET", "channels", {}, None) for _ in range(2)))
        assert [status for status, _ in both] == [200, 200]
        assert len(connections) == 2, "two at once are two connections"

    play(serve, story)
    assert heard[0].startswith("POST /ari/channels/a%20b?appArgs=out%2Cx&callerId=%2B86%201 HTTP/1.1\r\n")
    assert "Authorization: Basic x\r\n" in heard[1]
    assert "Content-Length: 0" in heard[2]


@pytest.mark.req("CALL-01")
def test_a_kept_connection_that_was_closed_meanwhile_is_no_failure_and_a_cut_answer_is_one() -> None:
    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, nth: int) -> None:
        await head(reader)
        await say(writer, "200 OK", b"1")
        await head(reader)  # the second request on a connection is answered with its end
        if nth == 1:
            writer.write(b"HTTP/1.1 200")
            await writer.drain()

    async def story(wire: Wire, connections: list[int]) -> None:
        assert (await wire.request("GET", "a", {}, None))[0] == 200
        assert (await wire.request("GET", "b", {}, None))[0] == 200
        assert len(connections) == 2
        with pytest.raises(Cut):
            await wire.request("GET", "c", {}, None)

    play(serve, story)


@pytest.mark.req("CALL-01")
def test_who_does_not_wait_any_longer_leaves_no_answer_to_the_next_one() -> None:
    asked = asyncio.Event()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, nth: int) -> None:
        await head(reader)
        asked.set()
        if nth:
            await say(writer, "200 OK", b"2")
        await reader.read()  # until the other side closes

    async def story(wire: Wire, connections: list[int]) -> None:
        waiting = asyncio.ensure_future(wire.request("GET", "a", {}, None))
        await asked.wait()
        waiting.cancel()
        with pytest.raises(asyncio.CancelledError):
            await waiting
        assert await wire.request("GET", "b", {}, None) == (200, b"2")
        assert len(connections) == 2

    play(serve, story)


@pytest.mark.req("CALL-01")
def test_nobody_listens_there() -> None:
    async def story() -> None:
        with pytest.raises(OSError):  # noqa: PT011 - whichever the system says
            await Wire("http://127.0.0.1:9/ari", {}, keep=1).request("GET", "a", {}, None)

    asyncio.run(story())
