"""`manage.py products [FILE…]`: put product profiles into the catalogue (default: those that come with the platform)."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from anju.devices import actions


class Command(BaseCommand):
    help = "Load product profiles (JSON files) into the catalogue."

    def add_arguments(self, parser: CommandParser) -> None:
        """FILE…"""
        parser.add_argument("files", nargs="*", type=Path)

    def handle(self, *args: Any, **options: Any) -> None:  # noqa: ARG002
        """Load them all or none."""
        try:
            profiles = [json.loads(path.read_text(encoding="utf-8")) for path in options["files"]] or None
            count = actions.load_products(profiles)
        except (OSError, ValueError, KeyError) as error:
            raise CommandError(f"规约不能读取：{error}") from error
        self.stdout.write(f"已载入 {count} 个产品型号。")
