"""What contacts announce."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class ContactLate:
    """Nobody dealt with it in time; `urgent`: it speaks of distress."""

    contact_id: int
    number: str
    nth: int
    urgent: bool


@dataclass(frozen=True, slots=True)
class DoorDeaf:
    """Messages of the official account come but cannot be read; `over`: they can again."""

    text: str
    over: bool = False
