"""Binary frames of the demo's one product that speaks no JSON (layout: `signals/decoders/bing.py`)."""

from __future__ import annotations

from anju.signals.decoders import bing as layout
from anju.town.bodies import Fact

_KINDS = {"sos", "sos_reset", "tamper", "tamper_clear", "motion"}


def bing(what: str, fact: Fact, at_ms: int, seq: int) -> bytes:
    """The frame of `sos-bin1` for an event; what it cannot say is sent as a heartbeat."""
    return layout.encode(
        (what,) if what in _KINDS else (), seq=seq, at_ms=at_ms, battery=fact.get("Battery_Level", 255),
        rsrp=fact.get("RSRP", -95), snr=fact.get("SNR", 12), cell=fact.get("Cell_ID", 0),
    )  # fmt: skip
