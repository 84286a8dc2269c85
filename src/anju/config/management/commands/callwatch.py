"""`manage.py callwatch`: frees callers whom a dead or frozen switchboard holds. Needs no database."""

from __future__ import annotations

import asyncio
from typing import Any

from django.core.management.base import BaseCommand

from anju.calls.control import watch


class Command(BaseCommand):
    """One is enough; a second does no harm."""

    help = "the process that watches the switchboard (started by ./run)"
    requires_system_checks: list[str] = []

    def handle(self, *_args: Any, **_options: Any) -> None:
        """Until SIGTERM."""
        raise SystemExit(asyncio.run(watch.serve()))
