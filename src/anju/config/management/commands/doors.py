"""`manage.py doors`: where machines reach this platform, as one line of JSON for `var/run.json`."""

from __future__ import annotations

import json
import os
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand

from anju.calls.lines import doors as telephone
from anju.kernel.scope import EVERYWHERE, seen_by
from anju.portals.device_gateway import doors as gateway
from anju.town import doors as town


class Command(BaseCommand):
    """Log-ins and devices are told of the demo only."""

    help = "addresses and secrets for clients, as JSON"
    requires_system_checks: list[str] = []

    def handle(self, *_args: Any, **_options: Any) -> None:
        """Print the JSON."""
        web = os.environ.get("ANJU_WEB_URL", "http://127.0.0.1:8000")
        base = os.environ.get("ANJU_GATEWAY_URL", "http://127.0.0.1:8001")
        ports = filter(None, map(os.environ.get, ("ANJU_ROUTER_METRICS_PORT", "ANJU_URGENT_METRICS_PORT")))
        routers = [f"http://127.0.0.1:{port}/metrics" for port in ports]
        with seen_by(EVERYWHERE):
            sip = telephone.doors()
        content = {
            "api": {"url": f"{web}/api", "token": settings.SECRETS.api_token if settings.DEMO else None},
            "gateway": gateway.doors(base),
            "mqtt": gateway.mqtt(),
            "metrics": [f"{web}/metrics", f"{base}/metrics", *routers],
            "logins": town.logins() if settings.DEMO else [],
            "demo_devices": town.demo_devices() if settings.DEMO else [],
            "sip": sip,
        }
        self.stdout.write(json.dumps(content, ensure_ascii=False))
