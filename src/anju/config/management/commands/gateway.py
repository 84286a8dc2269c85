"""`manage.py gateway`: hears devices and operators' platforms until SIGTERM."""

from __future__ import annotations

import logging
from typing import Any

from django.core.management.base import BaseCommand

from anju.portals.device_gateway.server import run
from anju.portals.device_gateway.settings import GatewaySettings


class Command(BaseCommand):
    help = "Run the device gateway (ANJU_HOST, ANJU_GATEWAY_PORT)."
    requires_system_checks: list[str] = []

    def handle(self, *args: Any, **options: Any) -> None:  # noqa: ARG002
        """Serve."""
        logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s %(message)s")
        run(GatewaySettings.load())
