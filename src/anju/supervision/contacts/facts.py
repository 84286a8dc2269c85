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
