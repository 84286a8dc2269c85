"""`manage.py gateway`: hears devices and operators' platforms until SIGTERM."""

from __future__ import annotations

import logging
from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand

from anju.portals.device_gateway.server import run
from anju.portals.device_gateway.settings import GatewaySettings


class Command(BaseCommand):
    help = "Run the device gateway (ANJU_HOST, ANJU_GATEWAY_PORT), or one process of several (ANJU_GATEWAY_PROCESSES)."
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Which of the processes this is."""
        parser.add_argument("--number", type=int, default=1)

    def handle(self, *_args: Any, **options: Any) -> None:
        """Serve."""
        logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s %(message)s")
        run(GatewaySettings.load(options["number"]))
