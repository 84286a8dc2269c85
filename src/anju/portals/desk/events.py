"""/events: tells an open page what changed, and proves with every heartbeat that it is still listening.

Events: `hello` {epoch, n, now}, `changed` {t, i, p}, `beat` {epoch, n, now} every five seconds, `resync` (fetch
everything again), `deaf` (this process lost the database: nothing is heard), `bye` (the log-in ended). `n` counts the
`changed` events of this stream: a page that counted otherwise has a gap.
`?topics=queue,incident` asks for these only: a thousand device reports a second need not reach a desk.
"""

from __future__ import annotations

import json
import time
from collections.abc import AsyncIterator

from asgiref.sync import sync_to_async
from django.db import close_old_connections
from django.http import HttpRequest, HttpResponse, HttpResponseBase, StreamingHttpResponse
from django.utils.cache import patch_cache_control

from anju.accounts import queries as accounts
from anju.kernel import clock
from anju.portals.desk.hub import BEAT_SECONDS, BYE, DEAF, RESYNC, Listener, hub


async def events(request: HttpRequest) -> HttpResponseBase:
    """The stream of a logged-in user; 401 for everybody else, 503 before an event loop is there to serve it."""
    user = await request.auser()
    if not user.is_authenticated or not request.session.session_key:
        return HttpResponse("请先登录。", status=401, content_type="text/plain; charset=utf-8")
    scope = await sync_to_async(accounts.scope_of)(user)
    topics = frozenset(filter(None, request.GET.get("topics", "").split(",")))
    listener = Listener(request.session.session_key, scope, topics)
    response = StreamingHttpResponse(stream(listener), content_type="text/event-stream; charset=utf-8")
    patch_cache_control(response, no_store=True, no_transform=True)
    response["X-Accel-Buffering"] = "no"
    return response


async def stream(listener: Listener) -> AsyncIterator[str]:
    """What one desk hears until it goes away or its log-in ends.

    The request ends with the stream, hours later: what it holds of the database goes back to the pool before, or ten open
    desks would leave nothing to anybody else.
    """
    ear = hub()
    told = 0
    try:
        await sync_to_async(close_old_connections)()
        await ear.join(listener)
        yield _event("hello", _beat(ear.epoch, told))
        if not ear.hears:
            yield _event("deaf", "{}")
        beat_at = time.monotonic() + BEAT_SECONDS
        while True:
            change = await listener.next(max(0.0, beat_at - time.monotonic()))
            if change is BYE:
                yield _event("bye", "{}")
                return
            if change is RESYNC or change is DEAF:
                yield _event(change.topic, "{}")
            elif change is not None:
                told += 1
                yield _event("changed", change.json)
            if time.monotonic() >= beat_at:
                yield _event("beat", _beat(ear.epoch, told)) if ear.hears else _event("deaf", "{}")
                beat_at = time.monotonic() + BEAT_SECONDS
    finally:
        ear.leave(listener)


def _event(name: str, data: str) -> str:
    return f"event: {name}\ndata: {data}\n\n"


def _beat(epoch: str, told: int) -> str:
    return json.dumps({"epoch": epoch, "n": told, "now": round(clock.now().timestamp() * 1000)})
