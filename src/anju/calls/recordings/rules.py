"""Who may hear what, how long a recording is kept, and when a file counts as finished. Pure."""

from __future__ import annotations

from collections.abc import Collection
from datetime import date, datetime, timedelta
from typing import Final

from anju.accounts.roles import Role

KEEP: Final = "recording.keep"
"""The key of the policy profile: how long recordings are kept, in seconds."""
LISTENERS: Final = frozenset({Role.LEAD, Role.QUALITY, Role.BUREAU})
"""May hear every recording of their places."""
OWN: Final = frozenset({Role.AGENT})
"""May hear the calls that they took themselves."""
TAKERS: Final = frozenset({Role.LEAD, Role.QUALITY})
"""May take a marked copy out of the platform."""
KEEPERS: Final = frozenset({Role.LEAD, Role.QUALITY})
"""May hold a recording beyond its time, and settle a gap."""
REASONS: Final = (
    "质检抽查",
    "投诉核实",
    "事件复盘",
    "核对求助内容",
    "培训",
    "监管检查",
)
SETTLED: Final = timedelta(seconds=15)
"""A closed file that nobody touched for so long is finished."""
QUIET: Final = timedelta(minutes=10)
"""An unclosed file of a call that is over (or that nobody knows) is what a crash left, when nobody wrote for so long."""
MAY_LACK: Final = 10.0
MAY_LACK_SHARE: Final = 0.1
"""Seconds, and share of what was spoken, that a recording may be shorter than its call."""
DUE: Final = timedelta(minutes=3)
"""An answered call must have its recording so long after its end."""


def keep_until(on: date, seconds: int) -> date:
    """The last day on which a recording of that day must still be there."""
    return on + timedelta(seconds=seconds)


def finished(*, closed: bool, touched: datetime, call_over: bool | None, now: datetime) -> bool:
    """Whether a file may be taken in: `call_over` is None when no call is known. A running call is never touched."""
    still = now - touched
    if call_over is False:
        return False
    return still >= SETTLED if closed else still >= QUIET


def may_hear(roles: Collection[str], *, own: bool) -> bool:
    """Whether these roles may hear a recording; `own` when it is of a call she took."""
    return bool(LISTENERS.intersection(roles)) or (own and bool(OWN.intersection(roles)))


def track_of(stem: str) -> tuple[str, str]:
    """File name without ending → leg and track: "1763771234.12-in" → ("1763771234.12", "in")."""
    for track in ("in", "out"):
        if stem.endswith(f"-{track}"):
            return stem.removesuffix(f"-{track}"), track
    return stem, "mixed"


def days_left(free: int, taken_per_day: float, spare: int) -> float | None:
    """For how many days the disk lasts at this pace, leaving `spare` bytes; None while nothing is known of the pace."""
    return max(0.0, (free - spare) / taken_per_day) if taken_per_day > 0 else None
