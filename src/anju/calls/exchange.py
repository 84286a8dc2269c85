"""The port to a telephone engine. Asterisk (`calls.asterisk.engine`) and the simulator (`calls.simulator`) are behind it.

An engine does what it is told and reports what happens, in order; it never decides. Both engines pass one contract
(`calls.testing`). How to use the port:

1. `connect()`, then read `events()` in one task. The first event is `connected`; it comes again whenever the line to
   the engine was away. After each, ask `snapshot()`: what entered while nobody listened is *not* announced again.
2. A leg is one party. Legs that we dial carry an id that we chose and stored before (`dial`); legs that call in carry
   the engine's own (a string of at most 64 characters).
3. Every verb on a leg may raise `Gone`: the party hung up meanwhile. That is no error, its `ended` is on the way or
   was read already. `EngineDown`: nothing is known about what became of the request; ask `snapshot()` after `connected`.
4. Each leg has exactly one last event: `ended` (hung up, with a cause) or `left` (given back to the dialplan).
"""

from __future__ import annotations

import re
from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from functools import lru_cache
from pathlib import Path
from typing import Any, Literal, Protocol, runtime_checkable

from django.conf import settings
from django.utils.module_loading import import_string

NEVER_BY_ITSELF = frozenset({"110", "119", "120", "112", "122"})
"""Numbers that no automatic call may dial (the clock presses people; people dial)."""

APP = "anju"
"""The name under which the switchboard listens; the dialplan says `Stasis(anju,<from>,<line>,<called number>)`."""


class Kind(StrEnum):
    """What an engine reports."""

    CONNECTED = "connected"
    """The engine can be used. data: restarted (bool: calls from before are cut)."""
    DISCONNECTED = "disconnected"
    """Nothing is heard from the engine; calls may go on in it."""
    REPLACED = "replaced"
    """Another switchboard took over. This one must stop acting: every verb raises Fenced from now on."""
    ENTERED = "entered"
    """A leg that we did not dial is ours. data: see `Event.leg`; it is not answered yet."""
    RINGING = "ringing"
    """The telephone that we dialled rings."""
    ANSWERED = "answered"
    """The party lifted; of a leg that called in: `answer` took effect."""
    KEY = "key"
    """data: digit."""
    SPEECH = "speech"
    """Somebody began to talk (after `listen`)."""
    SILENCE = "silence"
    """Talking stopped. data: seconds it had lasted."""
    PROMPT_DONE = "prompt_done"
    """data: play_id, complete (False: could not be played or was stopped). leg_id is empty for a bridge."""
    RECORDING_DONE = "recording_done"
    """data: name, seconds, ok. leg_id is empty."""
    LEFT = "left"
    """The last event of a leg that went back to the dialplan (redirect, rescue)."""
    ENDED = "ended"
    """The last event of a leg. data: cause (`Cause`)."""


class Cause(StrEnum):
    """Why a leg ended, or why a dial failed."""

    NORMAL = "normal"
    NO_ANSWER = "no_answer"
    BUSY = "busy"
    REFUSED = "refused"
    UNKNOWN_NUMBER = "unknown_number"
    UNREACHABLE = "unreachable"
    """Not registered, or the trunk is dead."""
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class Seat:
    """An agent's softphone, by its extension."""

    extension: str


@dataclass(frozen=True, slots=True)
class Number:
    """A telephone number behind a trunk. `trunk` is chosen by the caller (`calls.lines.queries.trunk_for`)."""

    number: str
    trunk: str = "trunk"


@dataclass(frozen=True, slots=True)
class Phone:
    """A one-key telephone that is registered with us, by its line name."""

    name: str


Endpoint = Seat | Number | Phone
Direction = Literal["in", "out", "both"]
"""Of sound, seen from the engine: `in` is what the party says, `out` what it hears."""
Spy = Literal["none", "in", "out", "both"]


@dataclass(frozen=True, slots=True)
class LegView:
    """A leg as the engine sees it."""

    leg_id: str
    up: bool
    """Answered."""
    number: str = ""
    """The caller's number as it came ("" when withheld); of a leg that we dialled: the number dialled."""
    called: str = ""
    """The number that was called."""
    line: str = ""
    """The endpoint by which it came or went: trunk, telephone or extension."""
    args: tuple[str, ...] = ()
    """What the dialplan or `dial` said: ("trunk", line, called) | ("phone", …) | ("seat", …)."""
    variables: Mapping[str, str] = field(default_factory=dict)
    bridge_id: str = ""
    since: datetime | None = None


@dataclass(frozen=True, slots=True)
class BridgeView:
    """A conference as the engine sees it."""

    bridge_id: str
    leg_ids: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Snapshot:
    """Everything that the engine holds for us now."""

    legs: tuple[LegView, ...]
    bridges: tuple[BridgeView, ...]
    started_at: datetime | None = None
    """When the engine was started: calls that were up before are cut."""

    def leg(self, leg_id: str) -> LegView | None:
        """The leg of this id, if the engine still holds it."""
        return next((one for one in self.legs if one.leg_id == leg_id), None)


@dataclass(frozen=True, slots=True)
class Event:
    """One thing that happened. `leg_id` is empty where no leg is meant."""

    kind: Kind
    leg_id: str
    at: datetime
    data: Mapping[str, Any] = field(default_factory=dict)

    @property
    def leg(self) -> LegView:
        """The leg of an `entered`."""
        view = self.data["leg"]
        if not isinstance(view, LegView):
            raise TypeError("only `entered` carries a leg")
        return view

    @property
    def cause(self) -> Cause:
        """Why a leg ended."""
        return Cause(self.data.get("cause", Cause.NORMAL))

    @property
    def digit(self) -> str:
        """The key of a `key`."""
        return str(self.data.get("digit", ""))

    @property
    def play_id(self) -> str:
        """Which playing a `prompt_done` is about."""
        return str(self.data.get("play_id", ""))


@dataclass(frozen=True, slots=True)
class Health:
    """Whether calls can be placed and received now."""

    ok: bool
    detail: str
    real: bool = False
    """Whether a real telephone can reach us: the desk says so plainly when not."""
    version: str = ""
    legs: int = 0


class CannotDial(Exception):
    """The engine refused the order; nothing was dialled."""


class Gone(Exception):
    """The leg (or bridge, or playing) is not there any more. Never an error of the caller."""

    def __init__(self, leg_id: str) -> None:
        super().__init__(f"{leg_id} is gone")
        self.leg_id = leg_id


class Unreachable(CannotDial):
    """Nobody can be rung there now; known at once, no ringing time is lost."""

    def __init__(self, endpoint: Endpoint, cause: Cause = Cause.UNREACHABLE, detail: str = "") -> None:
        super().__init__(f"{endpoint}: {cause} {detail}".strip())
        self.endpoint, self.cause = endpoint, cause


class EngineDown(Exception):
    """The engine does not answer. What was asked may or may not have happened."""


class Fenced(EngineDown):
    """Another switchboard acts now; this one must not."""


@runtime_checkable
class Engine(Protocol):
    """What a telephone engine must be able to do. One event loop, one reader of `events()`."""

    name: str

    async def connect(self) -> None:
        """Reach the engine, or EngineDown. Afterwards it reconnects by itself until `close`."""

    async def close(self) -> None:
        """Stop listening. Calls and bridges stay as they are."""

    def events(self) -> AsyncIterator[Event]:
        """What happens, in order; ends after `close`. There is one reader."""

    async def snapshot(self) -> Snapshot:
        """The legs and bridges that are ours now, also those that came while nobody listened."""

    async def health(self) -> Health:
        """Whether the engine is there; never raises."""

    async def seat_states(self) -> dict[str, bool]:
        """Every line by its name: registered (True) or not."""

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
        """Ring somebody for `ring_for` seconds under our id. A second dial of the same id dials nothing.

        Then `ringing`, `answered` or `ended` follow; they may be read before this returns. Unreachable when nobody can
        be rung there: then no event of the leg comes. `variables` named `X-…` are sent as SIP headers.
        """

    async def answer(self, leg_id: str) -> None:
        """Lift for a leg that called in. (The simulator's demo lifts ringing seats too: there the desk is the phone.)"""

    async def ring(self, leg_id: str) -> None:
        """Let a caller who is not answered hear ringing."""

    async def hang_up(self, leg_id: str, reason: Cause = Cause.NORMAL) -> None:
        """End a leg, also one that still rings. A leg that is gone already is no error."""

    async def redirect(self, leg_id: str, context: str, exten: str = "s") -> None:
        """Give a leg back to the dialplan: its last event is `left`."""

    async def play(self, target: str, prompts: Sequence[str], *, play_id: str) -> None:
        """Play prompts one after another to a leg or a bridge; at the end `prompt_done`.

        A prompt is a code ("welcome") or the absolute path of a sound file without its ending.
        """

    async def stop_playing(self, play_id: str) -> None:
        """Stop; `prompt_done` follows. A playing that is over is no error."""

    async def music(self, leg_id: str, *, on: bool) -> None:
        """Waiting music for one leg."""

    async def press(self, leg_id: str, digits: str) -> None:
        """Send keys to the party (somebody else's menu)."""

    async def listen(self, leg_id: str, *, on: bool = True) -> None:
        """Report `speech` and `silence` of this party."""

    async def mute(self, leg_id: str, direction: Direction = "in") -> None:
        """`in`: the others do not hear the party; `out`: the party hears nothing."""

    async def unmute(self, leg_id: str, direction: Direction = "in") -> None:
        """The opposite."""

    async def hold(self, leg_id: str) -> None:
        """Take a leg out of its bridge and play music to it."""

    async def unhold(self, leg_id: str, bridge_id: str) -> None:
        """End the music and put the leg into the bridge."""

    async def bridge(self, bridge_id: str) -> None:
        """A conference under our id. One that exists is used again (bridges outlive a switchboard)."""

    async def join(self, bridge_id: str, *leg_ids: str) -> None:
        """Put answered legs into a bridge, out of the one where they are. Those that are there join, then Gone."""

    async def part(self, leg_id: str) -> None:
        """Take a leg out of its bridge; it hears nothing then. One that is in none is no error."""

    async def unbridge(self, bridge_id: str) -> None:
        """End a bridge; its legs stay. One that is gone is no error."""

    async def snoop(self, leg_id: str, snoop_id: str, *, spy: Spy = "both", whisper: Spy = "none") -> None:
        """A leg `snoop_id` that hears what `leg_id` says and hears; join it with the supervisor's into a bridge.

        `whisper="out"`: the party alone hears the supervisor; `"both"`: the others too. It has no `entered`; `ended`
        comes when the party leaves.
        """

    async def record(self, bridge_id: str, name: str) -> None:
        """Record a bridge to the file `name`; at the end `recording_done`. A recording that runs is no error."""

    async def stop_recording(self, name: str) -> None:
        """End it. One that is over is no error."""

    async def put(self, leg_id: str, name: str, value: str) -> None:
        """Write a variable on a leg: it survives us and is seen in the snapshot."""


def legible(number: str) -> str:
    """The caller's number as a person would dial it: "+86 138…", "0086138…" → "138…"; "anonymous" and the like → ""."""
    kept = re.sub(r"[^\d+*#]", "", number) if re.search(r"\d", number) else ""
    return re.sub(r"^(\+86|0086)(?=\d{7,})", "", kept)


# ---- the older, smaller port: robot calls of the first release, one order each -------------------------------------


@dataclass(frozen=True, slots=True)
class Order:
    """One call to place. `call_id` is ours and was stored before; an engine that knows it must not dial twice."""

    call_id: str
    number: str
    script: str
    says: str
    keys: dict[str, str] = field(default_factory=dict)
    """What is read aloud after a key was pressed, e.g. {"1": "门禁 2580，…"}."""


@runtime_checkable
class Exchange(Protocol):
    """Whoever takes an order for a robot call."""

    name: str

    def dial(self, order: Order) -> None:
        """Start the call, or CannotDial. Returns at once; the course is reported through `calls.actions.heard`."""

    def hang_up(self, call_id: str) -> None:
        """End the call; unknown ids are ignored."""

    def health(self) -> Health:
        """Whether the engine is there."""


@lru_cache(maxsize=1)
def exchange() -> Exchange:
    """Whoever takes the orders of this process."""
    path = getattr(settings, "ANJU_EXCHANGE", "")
    engine = import_string(path if "." in path else "anju.calls.simulator.RobotLine")()
    if not isinstance(engine, Exchange):
        raise TypeError(f"{path} is no telephone exchange")
    return engine


def engine() -> Engine:
    """The engine that the settings name: "asterisk", "simulator", or "" = Asterisk when its address is set."""
    named = getattr(settings, "ANJU_EXCHANGE", "")
    address = getattr(settings, "ANJU_ARI_URL", "")
    if named == "asterisk" or (not named and address):
        from anju.calls.asterisk.engine import AsteriskEngine

        return AsteriskEngine(
            url=address, user=getattr(settings, "ANJU_ARI_USER", APP), secret=settings.SECRETS.ari, app=APP
        )
    from anju.calls.simulator import Simulator, World

    recordings = getattr(settings, "ANJU_RECORDINGS", "")
    return Simulator(World(Path(recordings) if recordings else None), auto=True)
