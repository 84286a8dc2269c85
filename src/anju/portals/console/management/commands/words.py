"""`./anju words`: compile the words of the back office."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand

from anju.portals.console import words


class Command(BaseCommand):
    """Writes the `.mo` beside the `.po`."""

    help = "compile the Chinese words of the back office"

    def handle(self, *_args: Any, **_options: Any) -> None:
        """Say how many there are."""
        self.stdout.write(f"{words.compile_file()} words")
