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
    """A call is over; `result` is answered | no_answer | busy | refused | unknown | lost."""

    call_id: str
    ref: str
    purpose: str
    result: str
