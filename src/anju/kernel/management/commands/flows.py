"""`manage.py flows` draws every process; `--check` fails where a page is stale."""

from __future__ import annotations

from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from anju.kernel.flow import checks, docs
from anju.kernel.flow.engine import flows

PAGES = Path("docs/process")


class Command(BaseCommand):
    help = __doc__

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--check", action="store_true")

    def handle(self, *args: Any, check: bool, **options: Any) -> None:
        faults = [f"{flow.name}: {fault}" for flow in flows() for fault in checks.faults(flow)]
        for flow in flows():
            page = PAGES / f"{flow.name}.md"
            if not check:
                page.parent.mkdir(parents=True, exist_ok=True)
                page.write_text(docs.page(flow), encoding="utf-8")
            elif not page.exists() or page.read_text(encoding="utf-8") != docs.page(flow):
                faults.append(f"{page} is stale: run `manage.py flows`")
        if faults:
            raise CommandError("\n".join(faults))
