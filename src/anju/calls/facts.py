"""What calls announce. `ref` is whatever the caller named when it asked for the call, e.g. "incident:12"."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class KeyPressed:
    """The called one pressed a key: the only proof that a person was there."""

    call_id: str
    ref: str
    purpose: str
    digit: str


@dataclass(frozen=True, slots=True)
class CallEnded:
    """A call is over; `result` is one of words.RESULTS, `cause` why in the engine's words. `seconds` were spoken with the far party.

    `user_id` is who dialled or answered; None for robots and for calls that nobody took.
    """

    call_id: str
    ref: str
    purpose: str
    result: str
    direction: str = "out"
    seconds: int = 0
    user_id: int | None = None
    cause: str = ""


@dataclass(frozen=True, slots=True)
class CallArrived:
    """Somebody calls in. Announced right after the first ring was sent; nobody who listens can delay or stop it."""

    call_id: str
    number: str
    called: str
    home_id: int | None
    elder_id: int | None
    device_id: int | None
    emergency: bool
    place: str


@dataclass(frozen=True, slots=True)
class CallAnswered:
    """An agent took a call that came in (leg_role "agent"), or the far party of one that goes out lifted (its role)."""

    call_id: str
    user_id: int | None
    leg_role: str
    ref: str
    purpose: str = ""
    direction: str = ""


@dataclass(frozen=True, slots=True)
class PartyJoined:
    """One more party speaks: B seat, 120, a contact, a supervisor."""

    call_id: str
    leg_id: str
    role: str
    ref: str
    user_id: int | None = None


@dataclass(frozen=True, slots=True)
class PartyLeft:
    """A party that was asked for is gone. `result` tells whether it ever spoke; `seconds` how long."""

    call_id: str
    leg_id: str
    role: str
    ref: str
    seconds: int
    result: str = "answered"
    user_id: int | None = None
    cause: str = ""


@dataclass(frozen=True, slots=True)
class CallAbandoned:
    """The caller hung up (or was cut off) before anybody spoke with her. `why` is abandoned | lost."""

    call_id: str
    emergency: bool
    number: str
    home_id: int | None
    elder_id: int | None
    place: str
    why: str = "abandoned"


@dataclass(frozen=True, slots=True)
class CallBackDue:
    """An abandoned emergency call waits to be rung back; announced again each time that its deadline passes."""

    call_back_id: int
    call_id: str
    attempts: int
    place: str


@dataclass(frozen=True, slots=True)
class SeatChanged:
    """A seat stands differently: off, ready, ringing, talking, wrap_up, break."""

    user_id: int
    extension: str
    was: str
    now: str
    reason: str


@dataclass(frozen=True, slots=True)
class NewsUntold:
    """Something that happened with a call could not be told, however often it was tried; `over`: it got through at last."""

    fact: str
    text: str
    over: bool = False
