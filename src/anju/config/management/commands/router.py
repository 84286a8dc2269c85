"""`manage.py router`: reads what was heard and raises the alarms. Ends within 5 s on SIGTERM."""

from __future__ import annotations

import os
import signal
import threading
from typing import Any, ClassVar

from django.core.management.base import BaseCommand

from anju.config.router import Router
from anju.config.router_metrics import RouterMetrics
from anju.ops.priority import TELEMETRY, give_way


class Command(BaseCommand):
    """Any number of these may run at once."""

    help = "the router process (started by ./run)"
    requires_system_checks: list[str] = []
    urgent_only: ClassVar[bool] = False
    port_setting: ClassVar[str] = "ANJU_ROUTER_METRICS_PORT"

    def handle(self, *_args: Any, **_options: Any) -> None:
        """Route until SIGTERM or SIGINT."""
        if not self.urgent_only:
            give_way(TELEMETRY)
        stop = threading.Event()
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, lambda *_: stop.set())
        metrics = RouterMetrics()
        if port := int(os.environ.get(self.port_setting, "0")):
            metrics.serve(port)
        raise SystemExit(Router(stop, metrics, urgent_only=self.urgent_only).run())
