"""`manage.py switchboard`: answers and makes the calls. Ends on SIGTERM; calls that are up go on in the engine."""

from __future__ import annotations

import logging
import sys
from typing import Any

import uvloop
from django.core.management.base import BaseCommand, CommandParser

from anju.calls.control.apart import tell_until_alone
from anju.calls.control.board import Board

SWITCH = 0.0005
"""Seconds after which a thread hands Python on to one that wants it: ringing waits for no other thread's five."""


class Command(BaseCommand):
    """Any number may run: one acts, the others stand by."""

    help = "the call control process (started by ./run)"
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: CommandParser) -> None:
        """`--tell` is for the switchboard itself."""
        parser.add_argument("--tell", action="store_true", help="only announce what the switchboard wrote")

    def handle(self, *_args: Any, **options: Any) -> None:
        """Until SIGTERM, or until another one acts."""
        logging.getLogger("anju").setLevel(logging.INFO)
        if options["tell"]:
            raise SystemExit(tell_until_alone())
        sys.setswitchinterval(SWITCH)
        raise SystemExit(uvloop.run(_run()))


async def _run() -> int:
    return await Board().run()
