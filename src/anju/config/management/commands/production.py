"""`manage.py production`: refuses what a real centre must not have."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from anju.accounts import queries as accounts


class Command(BaseCommand):
    """Called by `./run --production` before anything listens."""

    help = "fails when this installation holds demo accounts"

    def handle(self, *_args: Any, **_options: Any) -> None:
        """Raise on the first thing that must not be."""
        if settings.DEMO:
            raise CommandError("Started without --production.")
        if accounts.demo_users_exist():
            raise CommandError(
                "This database holds demo accounts, whose passwords everybody knows. "
                "Start production with an empty folder: ANJU_HOME=/srv/anju ./run --production",
            )
