"""The ticker process: lets deadlines happen. Any number may run; each deadline fires once (`kernel.flow.ticker`)."""

from __future__ import annotations

import threading

from anju.kernel import audit
from anju.kernel.flow import ticker
from anju.ops import heartbeat


def run(stop: threading.Event) -> int:
    """Ring until told to stop. Only a round that succeeded is a sign of life."""
    with audit.acting("系统时钟"):
        ticker.run_forever(stop, after_round=lambda: heartbeat.beat("ticker"))
    return 0
