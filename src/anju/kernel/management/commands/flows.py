"""`manage.py flows` draws every process under docs/process/; `--check` fails where a table is unsound or a page stale."""

from __future__ import annotations

from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from anju.kernel.flow import checks, docs, registry

PAGES = Path(settings.BASE_DIR) / "docs" / "process"


class Command(BaseCommand):
    help = __doc__

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--check", action="store_true")

    def handle(self, *_: Any, check: bool, **__: Any) -> None:
        found = [f"{flow.name}: {fault}" for flow in registry.flows() for fault in checks.faults(flow)]
        found += [
            f"{f.name}: nobody wrote the condition {c}"
            for f in registry.flows()
            for c in registry.missing_conditions(f)
        ]
        wanted = {PAGES / f"{flow.name}.md": docs.page(flow, registry.role_label) for flow in registry.flows()}
        if not check:
            PAGES.mkdir(parents=True, exist_ok=True)
        for path, page in wanted.items():
            if not check:
                path.write_text(page, encoding="utf-8")
                self.stdout.write(f"{path}")
            elif not path.exists() or path.read_text(encoding="utf-8") != page:
                found.append(f"{path.name} is stale: run `manage.py flows`")
        for path in sorted(set(PAGES.glob("*.md")) - set(wanted)):
            if not check:
                path.unlink()
            else:
                found.append(f"{path.name} is of no process: run `manage.py flows`")
        if found:
            raise CommandError("\n".join(found))
