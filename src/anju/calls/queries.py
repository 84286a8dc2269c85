"""What may be asked about calls."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from anju.calls.exchange import Health, exchange
from anju.calls.models import PURPOSES, Call


@dataclass(frozen=True, slots=True)
class CallView:
    """One call for a page or a replay; the number is masked."""

    call_id: str
    at: datetime
    purpose: str
    purpose_label: str
    whom: str
    number_masked: str
    result: str
    by: str
    by_hand: bool
    answered_at: datetime | None
    ended_at: datetime | None
    keys: tuple[dict[str, Any], ...]
    note: str


def masked(number: str) -> str:
    """13900002046 → 139****2046; short public numbers stay."""
    digits = number.strip()
    if len(digits) <= 5:
        return digits
    return f"{digits[:3]}****{digits[-4:]}"


def of(ref: str) -> list[CallView]:
    """The calls of one matter in the order of time."""
    return [
        CallView(
            str(c.call_id),
            c.placed_at or c.planned_at,
            c.purpose,
            PURPOSES.get(c.purpose, c.purpose),
            c.whom,
            masked(c.number),
            c.result or c.state,
            c.by,
            c.by_hand,
            c.answered_at,
            c.ended_at,
            tuple(c.keys),
            c.note,
        )
        for c in Call.objects.filter(ref=ref)
    ]


def live(ref: str, purpose: str) -> bool:
    """Whether such a call is planned, ringing or talking now."""
    return Call.objects.filter(ref=ref, purpose=purpose).exclude(state="ended").exists()


def health() -> Health:
    """Whether calls can be placed."""
    return exchange().health()
