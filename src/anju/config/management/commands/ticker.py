"""`manage.py ticker`: lets deadlines happen. Ends within 5 s on SIGTERM."""

from __future__ import annotations

import signal
import threading
from typing import Any

from django.core.management.base import BaseCommand

from anju.config import ticker


class Command(BaseCommand):
    """Any number of these may run at once."""

    help = "the ticker process (started by ./run)"
    requires_system_checks: list[str] = []

    def handle(self, *_args: Any, **_options: Any) -> None:
        """Until SIGTERM or SIGINT."""
        stop = threading.Event()
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, lambda *_: stop.set())
        raise SystemExit(ticker.run(stop))
