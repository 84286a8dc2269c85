"""The port over Asterisk's REST interface.

What Asterisk does that one must know (all of it was seen; `docs/subsystems/telephony-port.md` tells where):

* A channel that called in sends no ChannelDestroyed, only StasisEnd; one that was dialled sends both.
* StasisEnd is sent before the list of channels forgets the leg.
* StasisStart comes once: what entered while we were away is only in the list of channels.
* Any request about a living call can be too late: 404 (gone), 409/412/422 (not in our hands), 400 for bridges.
* Originating to nobody is a plain 500.
* A second connection under our name takes everything; the first is told so and hears nothing more.
* Bridges, music and recordings go on without us, and are ours again afterwards.
"""

from __future__ import annotations

import asyncio
import logging
from collections import OrderedDict
from collections.abc import AsyncIterator, Mapping, Sequence
from datetime import datetime
from typing import Any, cast

from anju.calls.asterisk import words
from anju.calls.asterisk.api import AnyEvent, Application, AsteriskInfo, Bridge, Channel
from anju.calls.asterisk.api import Endpoint as AriEndpoint
from anju.calls.asterisk.ari import Client, Conflict, Refused, Unanswered
from anju.calls.asterisk.hearing import HEARD, Hearing
from anju.calls.asterisk.rooms import Rooms
from anju.calls.exchange import (
    BridgeView,
    Cause,
    Direction,
    Endpoint,
    EngineDown,
    Event,
    Fenced,
    Gone,
    Health,
    Kind,
    LegView,
    Seat,
    Snapshot,
    Unreachable,
)
from anju.kernel import clock

log = logging.getLogger("anju.calls.asterisk")


class AsteriskEngine(Rooms):
    """One switchboard's hold on Asterisk."""

    name = "asterisk"

    def __init__(self, *, url: str, user: str, secret: str, app: str) -> None:
        self._app = app
        self._queue: asyncio.Queue[Event | None] = asyncio.Queue()
        self._hearing = Hearing(self._tell, self._look_after)
        self._ari = Client(
            url=url, user=user, secret=secret, app=app, on_event=self._event, on_up=self._up, on_down=self._down
        )
        self._connected = self._fenced = False
        self._started_at: datetime | None = None
        self._browsers: set[str] = set()
        self._dialling: dict[str, asyncio.Future[None]] = {}
        self._dialled: OrderedDict[str, None] = OrderedDict()
        self._tasks: set[asyncio.Task[None]] = set()

    # ---- the connection

    async def connect(self) -> None:
        """Reach Asterisk, or EngineDown."""
        try:
            await self._ari.open()
        except Unanswered as trouble:
            raise EngineDown(str(trouble)) from trouble

    async def close(self) -> None:
        """Stop listening; calls go on."""
        await self._ari.close()
        self._queue.put_nowait(None)

    async def events(self) -> AsyncIterator[Event]:
        """What happens, in order."""
        while (event := await self._queue.get()) is not None:
            yield event

    def _tell(self, event: Event) -> None:
        self._queue.put_nowait(event)

    async def _up(self) -> None:
        """Only what we understand is sent to us, and everything before `connected` is old."""
        await self._ari.request(
            "PUT", f"applications/{self._app}/eventFilter", body={"allowed": [{"type": name} for name in HEARD]}
        )
        info = cast("AsteriskInfo", await self._ari.get("asterisk/info"))
        started = words.moment(info["status"]["startup_time"]) if "status" in info else None
        restarted = self._started_at is not None and started != self._started_at
        self._started_at, self._connected = started, True
        self._hearing.gone.clear()  # one that left may have come back while nobody listened
        if restarted:
            self._hearing.forget()
        self._tell(Event(Kind.CONNECTED, "", clock.now(), {"restarted": restarted}))

    def _down(self) -> None:
        self._connected = False
        if not self._fenced:
            self._tell(Event(Kind.DISCONNECTED, "", clock.now()))

    def _event(self, event: AnyEvent) -> None:
        if event["type"] == "ApplicationReplaced":
            self._fenced = True
            self._ari.stop_reconnecting()
            self._tell(Event(Kind.REPLACED, "", clock.now()))
            return
        self._hearing.hear(event)

    def _look_after(self, leg_id: str) -> None:
        """A leg left without a word: whether it hung up or another one took it is asked."""
        task = asyncio.create_task(self._ask_after(leg_id))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _ask_after(self, leg_id: str) -> None:
        try:
            await self._ari.get(f"channels/{leg_id}")
        except (Refused, Unanswered):
            self._hearing.last(Kind.ENDED, leg_id, cause=str(Cause.NORMAL))
        else:
            self._hearing.last(Kind.LEFT, leg_id)

    # ---- what is

    async def snapshot(self) -> Snapshot:
        """From three lists: what the application holds, all channels, all bridges."""
        app, channels, bridges = cast(
            "tuple[Application, list[Channel], list[Bridge]]",
            await asyncio.gather(
                self._ask("GET", f"applications/{self._app}"), self._ask("GET", "channels"), self._ask("GET", "bridges")
            ),
        )
        ours = set(app["channel_ids"])
        rooms = {leg_id: room["id"] for room in bridges for leg_id in room["channels"]}
        legs: list[LegView] = []
        for channel in channels:
            args = words.arguments(channel, self._app)
            if args is None and channel["id"] in ours and channel["state"] != "Up":
                args = ("out",)  # dialled by us and not answered yet: no application runs on it
            if args is None or not words.is_party(channel) or channel["id"] in self._hearing.gone:
                continue
            legs.append(words.view(channel, args, rooms.get(channel["id"], "")))
        self._hearing.know(legs)
        parties = {leg.leg_id for leg in legs}
        return Snapshot(
            tuple(legs),
            tuple(
                BridgeView(room["id"], tuple(leg_id for leg_id in room["channels"] if leg_id in parties))
                for room in bridges
                if room["id"] in app["bridge_ids"] or parties.intersection(room["channels"])
            ),
            self._started_at,
        )

    async def health(self) -> Health:
        """Asked of Asterisk itself."""
        if self._fenced:
            return Health(ok=False, detail="另一个话务控制进程已接管", real=True)
        try:
            info = cast("AsteriskInfo", await self._ask("GET", "asterisk/info"))
            app = cast("Application", await self._ask("GET", f"applications/{self._app}"))
        except (EngineDown, Refused):
            return Health(ok=False, detail="话务引擎没有应答，请查看运行页", real=True)
        version = info["system"]["version"] if "system" in info else ""
        if not self._connected:
            return Health(ok=False, detail="与话务引擎的事件连接断开，正在重连", real=True, version=version)
        return Health(ok=True, detail=f"Asterisk {version}", real=True, version=version, legs=len(app["channel_ids"]))

    async def seat_states(self) -> dict[str, bool]:
        """All SIP endpoints by name; a seat is there when its browser or its telephone is."""
        states: dict[str, bool] = {}
        browsers: set[str] = set()
        for one in cast("list[AriEndpoint]", await self._ask("GET", "endpoints/PJSIP")):
            name = words.seat(one["resource"])
            states[name] = states.get(name, False) or one.get("state") == "online"
            if name != one["resource"]:
                states[one["resource"]] = one.get("state") == "online"
                browsers |= {name} if states[one["resource"]] else set()
        self._browsers = browsers
        return states

    # ---- legs

    async def dial(
        self,
        *,
        leg_id: str,
        to: Endpoint,
        caller_id: str = "",
        ring_for: int = 30,
        variables: Mapping[str, str] | None = None,
        args: Sequence[str] = (),
    ) -> None:
        """Originate under our id. Ids of this process are remembered; Asterisk refuses one that lives (409)."""
        if leg_id in self._dialled:
            return
        self._dialled[leg_id] = None
        if len(self._dialled) > 20_000:
            self._dialled.popitem(last=False)
        sent = {f"PJSIP_HEADER(add,{k})" if k.startswith("X-") else k: v for k, v in (variables or {}).items()}
        done = self._dialling[leg_id] = asyncio.get_running_loop().create_future()
        self._hearing.dialled(leg_id)
        try:
            await self._originate(
                self._places(to), body={"variables": sent}, channelId=leg_id, app=self._app,
                appArgs=",".join(("out", *args)), callerId=caller_id, timeout=ring_for,
            )  # fmt: skip
        except Conflict:
            return
        except Refused as no:
            raise Unreachable(to, detail=str(no)) from no
        except Fenced:
            del self._dialled[leg_id]
            raise
        finally:
            del self._dialling[leg_id]
            done.set_result(None)

    def _places(self, to: Endpoint) -> tuple[str, ...]:
        """Where to ring, in this order: of a seat the browser when it was seen lately, and its telephone."""
        if not isinstance(to, Seat):
            return (words.address(to),)
        browser, plain = f"PJSIP/{words.BROWSER}{to.extension}", words.address(to)
        return (browser, plain) if to.extension in self._browsers else (plain, browser)

    async def _originate(self, places: tuple[str, ...], **request: Any) -> None:
        """The first place at which somebody is registered; Refused when there is none. No place is asked beforehand:
        Asterisk says at once that nobody is there, and a question would cost every ring its time."""
        *others, last = places
        for place in others:
            try:
                await self._ask("POST", "channels", endpoint=place, **request)
            except Conflict:
                raise
            except Refused:
                continue
            return
        await self._ask("POST", "channels", endpoint=last, **request)

    async def answer(self, leg_id: str) -> None:
        """Does not wait for media."""
        await self._on(leg_id, "POST", "answer")

    async def ring(self, leg_id: str) -> None:
        """180 to the caller."""
        await self._on(leg_id, "POST", "ring")

    async def hang_up(self, leg_id: str, reason: Cause = Cause.NORMAL) -> None:
        """One that is just being dialled is dialled first: else it would ring on, unknown to all."""
        if (dialling := self._dialling.get(leg_id)) is not None:
            await dialling
        await self._maybe("DELETE", f"channels/{leg_id}", reason=words.reason(reason))

    async def redirect(self, leg_id: str, context: str, exten: str = "s") -> None:
        """Continue in the dialplan."""
        self._hearing.given.add(leg_id)
        try:
            await self._on(leg_id, "POST", "continue", context=context, extension=exten, priority=1)
        except Gone:
            self._hearing.given.discard(leg_id)
            raise

    async def press(self, leg_id: str, digits: str) -> None:
        """Keys to the party."""
        await self._on(leg_id, "POST", "dtmf", dtmf=digits)

    async def listen(self, leg_id: str, *, on: bool = True) -> None:
        """Talk detection on what the party says."""
        await self._on(
            leg_id, "POST", "variable", variable=f"TALK_DETECT({'set' if on else 'remove'})", value=""
        )  # fmt: skip

    async def mute(self, leg_id: str, direction: Direction = "in") -> None:
        """Silence one way."""
        await self._on(leg_id, "POST", "mute", direction=direction)

    async def unmute(self, leg_id: str, direction: Direction = "in") -> None:
        """The opposite."""
        await self._on(leg_id, "DELETE", "mute", direction=direction)

    async def put(self, leg_id: str, name: str, value: str) -> None:
        """A channel variable."""
        await self._on(leg_id, "POST", "variable", variable=name, value=value)
