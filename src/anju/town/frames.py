"""Binary frames of the demo's one product that speaks no JSON (the reading side is `signals/decoders/bing.py`)."""

from __future__ import annotations

from anju.town.bodies import Fact


def bing(what: str, fact: Fact, at_ms: int, seq: int) -> bytes:
    """The frame of `sos-bin1` for an event."""
    return bytes([0xA5, seq & 0xFF])
