"""What may be asked about scripted calls."""

from __future__ import annotations

from anju.calls import queries as calls


def robots_dial() -> bool:
    """Whether a call that nobody sits at (a robot's) really goes out now: a switchboard runs and its engine is up."""
    return calls.engine_health().ok
