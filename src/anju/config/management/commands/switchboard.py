"""`manage.py switchboard`: answers and makes the calls. Ends on SIGTERM; calls that are up go on in the engine."""

from __future__ import annotations

import asyncio
import logging
from typing import Any

from django.core.management.base import BaseCommand

from anju.calls.control.board import Board


class Command(BaseCommand):
    """Any number may run: one acts, the others stand by."""

    help = "the call control process (started by ./run)"
    requires_system_checks: list[str] = []

    def handle(self, *_args: Any, **_options: Any) -> None:
        """Until SIGTERM, or until another one acts."""
        logging.getLogger("anju").setLevel(logging.INFO)
        raise SystemExit(asyncio.run(_run()))


async def _run() -> int:
    return await Board().run()
