"""The port over Asterisk's REST interface.

What Asterisk does that one must know (all of it was seen; `docs/subsystems/calls.md` tells how):

* A channel that called in sends no ChannelDestroyed, only StasisEnd; one that was dialled sends both.
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
from anju.calls.asterisk.ari import Client, Conflict, NotFound, Refused, Unanswered
from anju.calls.asterisk.hearing import HEARD, Hearing
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
    Spy,
    Unreachable,
)
from anju.kernel import clock

log = logging.getLogger("anju.calls.asterisk")

_SNOOP_TIME = 3.0


class AsteriskEngine:
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

    async def _ask(self, method: str, path: str, *, body: Any = None, **query: str | int | bool) -> Any:
        if self._fenced:
            raise Fenced("another switchboard acts")
        try:
            return await self._ari.request(method, path, body=body, **query)
        except Unanswered as trouble:
            raise EngineDown(str(trouble)) from trouble

    async def _on(self, leg_id: str, method: str, verb: str, **query: str | int | bool) -> Any:
        """A verb on a leg; Gone when it is too late."""
        try:
            return await self._ask(method, f"channels/{leg_id}/{verb}", **query)
        except (NotFound, Conflict) as late:
            raise Gone(leg_id) from late

    async def _maybe(self, method: str, path: str, **query: str | int | bool) -> Any:
        """A request that may come too late without harm."""
        try:
            return await self._ask(method, path, **query)
        except (NotFound, Conflict):
            return None

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
            if args is None or not words.is_party(channel):
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
        for one in cast("list[AriEndpoint]", await self._ask("GET", "endpoints/PJSIP")):
            name = words.seat(one["resource"])
            states[name] = states.get(name, False) or one.get("state") == "online"
            if name != one["resource"]:
                states[one["resource"]] = one.get("state") == "online"
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
            await self._ask(
                "POST", "channels", body={"variables": sent}, endpoint=await self._place(to), channelId=leg_id,
                app=self._app, appArgs=",".join(("out", *args)), callerId=caller_id, timeout=ring_for,
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

    async def _place(self, to: Endpoint) -> str:
        """A seat's browser when it is there, else its telephone."""
        if isinstance(to, Seat):
            try:
                there = cast("AriEndpoint", await self._ask("GET", f"endpoints/PJSIP/{words.BROWSER}{to.extension}"))
            except Refused:
                return words.address(to)
            if there.get("state") == "online":
                return f"PJSIP/{words.BROWSER}{to.extension}"
        return words.address(to)

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

    async def music(self, leg_id: str, *, on: bool) -> None:
        """Per leg: the music of a shared bridge dies with the first who leaves it."""
        await self._on(leg_id, "POST" if on else "DELETE", "moh")

    async def put(self, leg_id: str, name: str, value: str) -> None:
        """A channel variable."""
        await self._on(leg_id, "POST", "variable", variable=name, value=value)

    # ---- prompts and recordings

    async def play(self, target: str, prompts: Sequence[str], *, play_id: str) -> None:
        """To a leg or, when it is one, a bridge."""
        where = "bridges" if self._hearing.is_bridge(target) else "channels"
        try:
            await self._ask(
                "POST", f"{where}/{target}/play/{play_id}", media=",".join(map(words.media, prompts)), lang="zh"
            )
        except (NotFound, Conflict) as late:
            raise Gone(target) from late

    async def stop_playing(self, play_id: str) -> None:
        """Stop."""
        self._hearing.stopped.add(play_id)
        if await self._maybe("DELETE", f"playbacks/{play_id}") is None:
            return

    async def record(self, bridge_id: str, name: str) -> None:
        """WAV, 8 kHz."""
        try:
            await self._ask(
                "POST", f"bridges/{bridge_id}/record", name=name, format="wav", ifExists="fail", beep=False,
                maxDurationSeconds=0,
            )  # fmt: skip
        except NotFound as late:
            raise Gone(bridge_id) from late
        except Conflict:
            log.info("the recording %s runs already", name)

    async def stop_recording(self, name: str) -> None:
        """Stop and keep."""
        await self._maybe("POST", f"recordings/live/{name}/stop")

    # ---- bridges

    async def bridge(self, bridge_id: str) -> None:
        """Mixing, with keys reported."""
        self._hearing.bridges.add(bridge_id)
        await self._maybe("POST", f"bridges/{bridge_id}", type="mixing,dtmf_events", name=bridge_id)

    async def join(self, bridge_id: str, *leg_ids: str) -> None:
        """One request moves all; when one is gone each is moved by itself."""
        try:
            await self._add(bridge_id, ",".join(leg_ids))
        except Gone:
            if len(leg_ids) == 1:
                raise
            gone = [late.leg_id for late in [await self._try_add(bridge_id, one) for one in leg_ids] if late]
            if gone:
                raise Gone(gone[0]) from None

    async def _try_add(self, bridge_id: str, leg_id: str) -> Gone | None:
        try:
            await self._add(bridge_id, leg_id)
        except Gone as late:
            return late
        return None

    async def _add(self, bridge_id: str, leg_ids: str) -> None:
        try:
            # a caller's telephone is not told who sits at the seat: no re-INVITE, no name
            await self._ask(
                "POST", f"bridges/{bridge_id}/addChannel", channel=leg_ids, inhibitConnectedLineUpdates=True
            )
        except NotFound as late:
            raise Gone(bridge_id) from late
        except Refused as late:
            raise Gone(leg_ids) from late
        for leg_id in leg_ids.split(","):
            self._hearing.room_of[leg_id] = bridge_id

    async def part(self, leg_id: str) -> None:
        """Out of the bridge where it is."""
        room = self._hearing.room_of.pop(leg_id, "")
        if not room:
            return
        try:
            await self._ask("POST", f"bridges/{room}/removeChannel", channel=leg_id)
        except Refused as late:
            if late.status == 400:
                raise Gone(leg_id) from late

    async def unbridge(self, bridge_id: str) -> None:
        """Legs stay with us, in no bridge."""
        self._hearing.bridges.discard(bridge_id)
        await self._maybe("DELETE", f"bridges/{bridge_id}")

    async def hold(self, leg_id: str) -> None:
        """Out, and music."""
        await self.part(leg_id)
        await self.music(leg_id, on=True)

    async def unhold(self, leg_id: str, bridge_id: str) -> None:
        """Music ends first: in a bridge it would be lost to the party's own."""
        await self.music(leg_id, on=False)
        await self.join(bridge_id, leg_id)

    async def snoop(self, leg_id: str, snoop_id: str, *, spy: Spy = "both", whisper: Spy = "none") -> None:
        """Returns when the ear can be put into a bridge."""
        entered = self._hearing.expect_snoop(snoop_id)
        try:
            await self._on(
                leg_id, "POST", f"snoop/{snoop_id}", spy=spy, whisper=whisper, app=self._app, appArgs="snoop"
            )
            await asyncio.wait_for(entered, _SNOOP_TIME)
        except TimeoutError as late:
            raise Gone(leg_id) from late
        finally:
            self._hearing.snoops.pop(snoop_id, None)
