"""`anju audit` shows the head of the audit log; `--verify` checks the whole chain; `--export FILE` writes it out."""

from __future__ import annotations

import json
from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from anju.kernel import audit


class Command(BaseCommand):
    help = __doc__

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument(
            "--verify", action="store_true", help="exit 1 and say what is wrong unless the log is whole"
        )
        parser.add_argument("--export", metavar="FILE", help="JSON lines for `python -m anju.kernel.chain FILE`")

    def handle(self, *_: Any, verify: bool, export: str | None, **__: Any) -> None:
        while audit.seal():
            pass
        if export:
            with Path(export).open("w", encoding="utf-8") as file:
                file.writelines(json.dumps(line, ensure_ascii=False) + "\n" for line in audit.lines())
        n, sealed = audit.head() or (0, "-")
        self.stdout.write(f"{n} lines, head {sealed}")
        if verify:
            wrong = audit.verify()
            if wrong:
                raise CommandError("\n".join(wrong))
            audit.anchor()
            self.stdout.write("whole: nothing changed, nothing missing, nothing cut off")
