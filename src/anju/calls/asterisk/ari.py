"""Asterisk's REST interface: a thin client on aiohttp.

One ordered stream of events over a WebSocket (aiohttp), REST over kept connections (`wire`), typed refusals, reconnection
with a hook that runs before the first event of the new connection is handed on. No judgement: that is engine.py.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import logging
from collections.abc import Awaitable, Callable
from typing import Any, cast

import aiohttp

from anju.calls.asterisk.api import AnyEvent
from anju.calls.asterisk.wire import Wire

log = logging.getLogger("anju.calls.asterisk")

HEARTBEAT = 4.0
"""Seconds between pings on the WebSocket: a frozen Asterisk is noticed after one and a half of it."""
REQUEST_TIME = 5.0
KEEP_ALIVE = 10.0
"""Shorter than http.conf's session_keep_alive (15 s): a connection is never used that Asterisk is closing."""
SLOWEST_RETRY = 1.0


class Refused(Exception):
    """Asterisk answered with a status of 400 or more."""

    def __init__(self, status: int, what: str, body: str) -> None:
        super().__init__(f"{status} {what}: {body[:200]}")
        self.status, self.body = status, body


class NotFound(Refused):
    """404: there is no such channel, bridge, playing or recording (any more)."""


class Conflict(Refused):
    """409, 412, 422: it is there, but not in our hands or not in a state for this."""


class Unanswered(Exception):
    """The request got no answer: refused connection, cut connection, or no answer in time."""


_KINDS: dict[int, type[Refused]] = {404: NotFound, 409: Conflict, 412: Conflict, 422: Conflict}


class Client:
    """One application's connection.

    `on_event` is called for each event in the order of arrival and must not wait. `on_up` is awaited after each
    connection before its first event; if it fails the connection is tried again. `on_down` is called after each loss.
    """

    def __init__(
        self,
        *,
        url: str,
        user: str,
        secret: str,
        app: str,
        on_event: Callable[[AnyEvent], None],
        on_up: Callable[[], Awaitable[None]],
        on_down: Callable[[], None],
    ) -> None:
        self._base = f"{url.rstrip('/')}/ari"
        self._proof = {"Authorization": aiohttp.encode_basic_auth(user, secret)}
        self._wire = Wire(self._base, self._proof, keep=KEEP_ALIVE)
        self._app = app
        self._on_event, self._on_up, self._on_down = on_event, on_up, on_down
        self._session: aiohttp.ClientSession | None = None
        self._task: asyncio.Task[None] | None = None
        self._stopped = False

    async def open(self, *, within: float = 10.0) -> None:
        """Connect, or Unanswered. From then on the connection is renewed until `close`."""
        self._session = aiohttp.ClientSession(
            headers=self._proof, timeout=aiohttp.ClientTimeout(total=REQUEST_TIME)
        )  # for the events; requests have their own connections
        first: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._task = asyncio.create_task(self._run(first), name="asterisk events")
        try:
            await asyncio.wait_for(asyncio.shield(first), within)
        except TimeoutError as late:
            await self.close()
            raise Unanswered(f"no answer at {self._base} within {within:g} s") from late

    async def close(self) -> None:
        """Stop listening."""
        self._stopped = True
        if self._task is not None and self._task is not asyncio.current_task():
            self._task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._task
        if self._session is not None:
            await self._session.close()
        self._wire.close()

    def stop_reconnecting(self) -> None:
        """The connection that is there is the last one."""
        self._stopped = True

    async def _run(self, first: asyncio.Future[None]) -> None:
        pause = 0.05
        while not self._stopped:
            was_up = False
            try:
                async with self._open_session().ws_connect(
                    f"{self._base}/events",
                    params={"app": self._app, "subscribeAll": "false"},
                    heartbeat=HEARTBEAT,
                    max_msg_size=0,
                ) as socket:
                    await self._on_up()
                    was_up, pause = True, 0.05
                    if not first.done():
                        first.set_result(None)
                    async for message in socket:
                        if message.type is aiohttp.WSMsgType.TEXT:
                            self._hand_on(message.data)
            except (aiohttp.ClientError, TimeoutError, OSError, Unanswered, Refused) as trouble:
                log.warning("asterisk is away: %r", trouble)
            if was_up:
                self._on_down()
            await asyncio.sleep(pause)
            pause = min(pause * 2, SLOWEST_RETRY)

    def _hand_on(self, text: str) -> None:
        try:
            self._on_event(cast("AnyEvent", json.loads(text)))
        except Exception:
            # one event that we do not understand must not deafen us to the next one
            log.exception("an event was not understood: %s", text[:500])

    def _open_session(self) -> aiohttp.ClientSession:
        if self._session is None or self._session.closed:
            raise Unanswered("not connected")
        return self._session

    async def request(self, method: str, path: str, *, body: Any = None, **query: str | int | bool) -> Any:
        """One REST call; what it answers. Refused (NotFound, Conflict) or Unanswered."""
        asked = {key: str(value).lower() if isinstance(value, bool) else str(value) for key, value in query.items()}
        if self._session is None or self._wire.closed:
            raise Unanswered("not connected")
        try:
            async with asyncio.timeout(REQUEST_TIME):
                status, said = await self._wire.request(
                    method, path, asked, None if body is None else json.dumps(body).encode()
                )
        except OSError as trouble:  # TimeoutError and ConnectionError are such
            raise Unanswered(f"{method} {path}: {trouble!r}") from trouble
        if status >= 400:
            raise _KINDS.get(status, Refused)(status, f"{method} {path}", said.decode(errors="replace"))
        return json.loads(said) if said else None

    async def get(self, path: str, **query: str | int | bool) -> Any:
        """GET."""
        return await self.request("GET", path, **query)

    async def post(self, path: str, *, body: Any = None, **query: str | int | bool) -> Any:
        """POST."""
        return await self.request("POST", path, body=body, **query)

    async def delete(self, path: str, **query: str | int | bool) -> Any:
        """DELETE."""
        return await self.request("DELETE", path, **query)
