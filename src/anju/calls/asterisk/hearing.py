"""From Asterisk's events to the port's: one last event for each leg, in order, and nothing of what is no party."""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from collections.abc import Callable, Iterable
from typing import Any

from anju.calls.asterisk import words
from anju.calls.asterisk.api import AnyEvent, Channel, StasisStart
from anju.calls.exchange import Event, Kind, LegView
from anju.kernel import clock

HEARD = (
    "StasisStart", "StasisEnd", "ChannelStateChange", "ChannelDestroyed", "ChannelHangupRequest",
    "ChannelDtmfReceived", "ChannelTalkingStarted", "ChannelTalkingFinished", "ChannelLeftBridge",
    "ChannelEnteredBridge", "PlaybackFinished", "RecordingFinished", "RecordingFailed", "ApplicationReplaced",
)  # fmt: skip
"""What Asterisk is asked to send. All others (each variable, each step of the dialplan) would be five times as much."""
_REMEMBERED = 4000


class Hearing:
    """What was heard so far of each leg. `tell` takes the port's events; `ask_after` a leg that left without a word."""

    def __init__(self, tell: Callable[[Event], None], ask_after: Callable[[str], None]) -> None:
        self._tell, self._ask_after = tell, ask_after
        self.bridges: set[str] = set()
        self.room_of: dict[str, str] = {}
        self.given: set[str] = set()
        """Legs that we sent back to the dialplan: their end with us is no hang-up."""
        self.stopped: set[str] = set()
        self.snoops: dict[str, asyncio.Future[None]] = {}
        self._out: set[str] = set()
        self._ears: set[str] = set()
        self._hung_up: dict[str, int] = {}
        self._over: OrderedDict[str, None] = OrderedDict()
        self.gone: set[str] = set()
        """Legs whose last word was heard over this connection: a list that Asterisk made in that moment may still hold them."""

    def forget(self) -> None:
        """Asterisk was started again: nothing of before exists."""
        for known in (self.bridges, self.room_of, self.given, self.stopped, self._out, self._ears, self._hung_up):
            known.clear()

    def dialled(self, leg_id: str) -> None:
        """A leg that we are about to dial."""
        self._out.add(leg_id)

    def know(self, legs: Iterable[LegView]) -> None:
        """What a snapshot told."""
        for leg in legs:
            if leg.args[:1] == ("out",):
                self._out.add(leg.leg_id)
            if leg.bridge_id:
                self.room_of[leg.leg_id] = leg.bridge_id
                self.bridges.add(leg.bridge_id)

    def is_bridge(self, target: str) -> bool:
        """Whether this id is a bridge's."""
        return target in self.bridges

    def expect_snoop(self, snoop_id: str) -> asyncio.Future[None]:
        """Done when the ear has entered."""
        self._ears.add(snoop_id)
        waiting: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self.snoops[snoop_id] = waiting
        return waiting

    def last(self, kind: Kind, leg_id: str, **data: Any) -> None:
        """The last event of a leg, once."""
        if leg_id in self._over:
            return
        self._over[leg_id] = None
        self.gone.add(leg_id)
        if len(self._over) > _REMEMBERED:
            self.gone.discard(self._over.popitem(last=False)[0])
        for known in (self._out, self.given, self._ears):
            known.discard(leg_id)
        self.room_of.pop(leg_id, None)
        self._hung_up.pop(leg_id, None)
        self._say(kind, leg_id, **data)

    def _say(self, kind: Kind, leg_id: str, **data: Any) -> None:
        self._tell(Event(kind, leg_id, clock.now(), data))

    def _of(self, leg_id: str, kind: Kind, **data: Any) -> None:
        if leg_id not in self._over:
            self._say(kind, leg_id, **data)

    def hear(self, event: AnyEvent) -> None:  # noqa: C901, PLR0912  one line for each kind
        """One event of Asterisk."""
        match event["type"]:
            case "StasisStart":
                self._entered(event)
            case "ChannelStateChange":
                self._state(event["channel"])
            case "ChannelHangupRequest":
                self._hung_up.setdefault(event["channel"]["id"], event.get("cause", 0))
            case "StasisEnd":
                self._left(event["channel"])
            case "ChannelDestroyed":
                self._destroyed(event["channel"]["id"], event["cause"])
            case "ChannelDtmfReceived":
                self._of(event["channel"]["id"], Kind.KEY, digit=event["digit"])
            case "ChannelTalkingStarted":
                self._of(event["channel"]["id"], Kind.SPEECH)
            case "ChannelTalkingFinished":
                self._of(event["channel"]["id"], Kind.SILENCE, seconds=event["duration"] / 1000)
            case "ChannelEnteredBridge":
                if "channel" in event:
                    self.room_of[event["channel"]["id"]] = event["bridge"]["id"]
            case "ChannelLeftBridge":
                if self.room_of.get(event["channel"]["id"]) == event["bridge"]["id"]:
                    del self.room_of[event["channel"]["id"]]
            case "PlaybackFinished":
                self._played(event["playback"]["id"], event["playback"]["target_uri"], event["playback"]["state"])
            case "RecordingFinished":
                tape = event["recording"]
                self._say(Kind.RECORDING_DONE, "", name=tape["name"], seconds=tape.get("duration", 0), ok=True)
            case "RecordingFailed":
                self._say(Kind.RECORDING_DONE, "", name=event["recording"]["name"], seconds=0, ok=False)
            case _:
                pass

    def _entered(self, event: StasisStart) -> None:
        channel, args = event["channel"], tuple(event["args"])
        leg_id = channel["id"]
        if args[:1] == ("snoop",):
            waiting = self.snoops.get(leg_id)
            if waiting is not None and not waiting.done():
                waiting.set_result(None)
        elif not words.is_party(channel):
            return
        elif args[:1] == ("out",):
            self._out.add(leg_id)
            self._of(leg_id, Kind.ANSWERED)
        else:
            # a leg may come back to us from the dialplan: then its former end is over
            self._over.pop(leg_id, None)
            self.gone.discard(leg_id)
            self._say(Kind.ENTERED, leg_id, leg=words.view(channel, args))

    def _state(self, channel: Channel) -> None:
        leg_id = channel["id"]
        if channel["state"] == "Ringing":
            self._of(leg_id, Kind.RINGING)
        elif channel["state"] == "Up" and leg_id not in self._out and words.is_party(channel):
            self._of(leg_id, Kind.ANSWERED)

    def _left(self, channel: Channel) -> None:
        leg_id = channel["id"]
        if not words.is_party(channel) and leg_id not in self._ears:
            return
        if leg_id in self._hung_up:
            self.last(Kind.ENDED, leg_id, cause=str(words.cause(self._hung_up[leg_id])))
        elif leg_id in self.given:
            self.last(Kind.LEFT, leg_id)
        elif leg_id in self._ears:
            self.last(Kind.ENDED, leg_id, cause="normal")
        else:
            self._ask_after(leg_id)

    def _destroyed(self, leg_id: str, code: int) -> None:
        """Of dialled legs only. One that never answered has no StasisEnd."""
        if leg_id in self._out or leg_id in self._ears:
            self.last(Kind.ENDED, leg_id, cause=str(words.cause(code)))

    def _played(self, play_id: str, target: str, state: str) -> None:
        where, _, of = target.partition(":")
        complete = state == "done" and play_id not in self.stopped
        self.stopped.discard(play_id)
        leg_id = of if where == "channel" else ""
        if leg_id and leg_id in self._over:
            return
        self._say(Kind.PROMPT_DONE, leg_id, play_id=play_id, complete=complete)
