"""What the switchboard knows of live calls: plain memory, changed only by the one dispatch of `core`."""

from __future__ import annotations

import asyncio
import uuid
from collections import deque
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from anju.calls.exchange import Cause, Endpoint, Number, Phone, Seat

Work = Callable[[], Awaitable[object]]


def endpoint_text(to: Endpoint) -> str:
    """How a leg's row names where it was rung; the number itself is encrypted beside it."""
    match to:
        case Seat(extension):
            return f"seat:{extension}"
        case Phone(name):
            return f"phone:{name}"
        case Number():
            return "number"


@dataclass(frozen=True, slots=True)
class QueueInfo:
    """A queue as the switchboard keeps it in memory."""

    id: int
    code: str
    priority: int = 1
    emergency: bool = False
    skills: frozenset[str] = frozenset()
    prompt: str = "welcome"
    ring_seconds: int = 15
    overflow_seconds: int = 20
    ring_all: bool = False
    wrap_up_seconds: int = 60
    survey: bool = False


@dataclass(slots=True, eq=False)
class Party:
    """One leg of a call, from the moment in which we mean to ring it until it is over."""

    leg_id: str
    role: str
    to: Endpoint
    planned_at: datetime
    name: str = ""
    number: str = ""
    user_id: int | None = None
    extension: str = ""
    why: str = "party"
    """caller · offer (a seat rings for a caller) · own (the seat of who dials) · far · party · consult · supervisor · ear."""
    came_in: bool = False
    state: str = "planned"
    """planned · ringing · up · ended"""
    ringing_at: datetime | None = None
    answered_at: datetime | None = None
    ended_at: datetime | None = None
    cause: Cause = Cause.NORMAL
    held: bool = False
    muted: bool = False
    snoop_id: str = ""
    caller_id: str = ""
    ring_for: int = 30
    dialled: bool = False
    auto: bool = False
    """Its own agent asked for it: the softphone lifts by itself."""
    lost: bool = False
    """Its browser is gone: whoever it spoke with goes to the next seat."""
    let_go: bool = False
    """We hung it up ourselves: its end is no loss."""
    keys: asyncio.Queue[str] = field(default_factory=asyncio.Queue)
    over: asyncio.Event = field(default_factory=asyncio.Event)
    lifted: asyncio.Event = field(default_factory=asyncio.Event)

    @property
    def up(self) -> bool:
        """Whether one can speak with it."""
        return self.state == "up"

    @property
    def live(self) -> bool:
        """Whether it rings or speaks."""
        return self.state != "ended"

    @property
    def is_seat(self) -> bool:
        """Whether an agent sits there."""
        return isinstance(self.to, Seat)


@dataclass(slots=True, eq=False)
class LiveCall:
    """One call that is up. `state` is the flow's; `line` runs what is to be done with the engine in order."""

    call_id: str
    direction: str
    purpose: str
    state: str
    place: str
    arrived_at: datetime
    number: str = ""
    whom: str = ""
    called: str = ""
    access: str = ""
    line_name: str = ""
    emergency: bool = False
    priority: int = 1
    queue: QueueInfo | None = None
    level: int = 0
    level_at: datetime | None = None
    home_id: int | None = None
    elder_id: int | None = None
    device_id: int | None = None
    ref: str = ""
    user_id: int | None = None
    by_user: int | None = None
    script: str = ""
    says: str = ""
    says_after_key: str = ""
    answered_at: datetime | None = None
    parties: dict[str, Party] = field(default_factory=dict)
    far: Party | None = None
    """The caller, or whom we call: the call is hers."""
    owner: Party | None = None
    """The agent in charge."""
    only: str = ""
    prompt: str = ""
    """What is played first: the called number's own, else the queue's."""
    serves: frozenset[str] = frozenset()
    """Extensions of the seats that answer for the called number's place."""
    refused: set[str] = field(default_factory=set)
    waits: bool = False
    bridged: bool = False
    play_id: str = ""
    music: bool = False
    surveyed: bool = False
    done: bool = False
    held: list[Any] = field(default_factory=list)
    """Rows (`rows.Row`) of what was decided that no ring waits for: they go out with the next ones of this call."""
    line: deque[Work] = field(default_factory=deque)
    runner: asyncio.Task[None] | None = None
    script_task: asyncio.Task[Any] | None = None
    notes: dict[str, Any] = field(default_factory=dict)
    """What a script or a transfer keeps between two steps."""

    @property
    def bridge_id(self) -> str:
        """The conference of this call in the engine."""
        return f"call-{self.call_id}"

    def live(self, *whys: str) -> list[Party]:
        """The parties that ring or speak, of these kinds (all without any)."""
        return [p for p in self.parties.values() if p.live and (not whys or p.why in whys)]

    def speaking(self) -> list[Party]:
        """Those who are up and belong to the conversation: no ear, no supervisor who only listens."""
        return [p for p in self.parties.values() if p.up and p.why not in {"ear", "supervisor", "consult"}]


@dataclass(slots=True, eq=False)
class SeatNow:
    """A seat in memory."""

    user_id: int
    extension: str
    name: str = ""
    state: str = "off"
    wants: str = "off"
    reason: str = ""
    since: datetime | None = None
    until: datetime | None = None
    idle_since: float = 0.0
    call_id: str | None = None
    misses: int = 0
    is_lead: bool = False
    registered: bool = False
    by_telephone: bool = False
    queue: str = ""
    levels: dict[str, int] = field(default_factory=dict)


def new_id() -> str:
    """An id of ours, for a leg or a call."""
    return str(uuid.uuid4())
