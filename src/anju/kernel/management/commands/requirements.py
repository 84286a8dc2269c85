"""`manage.py requirements` writes docs/requirements.md from the marks of the tests; `--check` fails where it is stale."""

from __future__ import annotations

from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from anju.kernel import requirements

DOCS = Path(settings.BASE_DIR) / "docs"


class Command(BaseCommand):
    help = __doc__

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--check", action="store_true")

    def handle(self, *_: Any, check: bool, **__: Any) -> None:
        groups, listed = requirements.load(DOCS / "requirements.toml")
        found = requirements.proofs(Path(settings.BASE_DIR))
        wrong = requirements.faults(dict(listed), found)
        path, page = DOCS / "requirements.md", requirements.page(groups, listed, found)
        if not check:
            path.write_text(page, encoding="utf-8")
            self.stdout.write(f"{len({p.requirement for p in found})} of {len(listed)} requirements carried by tests")
        elif not path.exists() or path.read_text(encoding="utf-8") != page:
            wrong.append("docs/requirements.md is stale: run `manage.py requirements`")
        if wrong:
            raise CommandError("\n".join(wrong))
