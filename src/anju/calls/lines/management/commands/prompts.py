"""`manage.py prompts`: makes the committed prompts anew from their sentences (a developer's tool, needs espeak-ng)."""

from __future__ import annotations

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from anju.calls.lines import speech


class Command(BaseCommand):
    """After a change of `speech.PROMPTS`; the files are committed. `--check` only says which sentences have no file."""

    help = "重新合成全部提示音（占位，等真人录音替换）"

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Only to look."""
        parser.add_argument("--check", action="store_true", help="只看有没有缺的")

    def handle(self, *_: Any, **options: Any) -> None:
        """Make or look."""
        if options["check"]:
            missing = [code for code in speech.PROMPTS if not (speech.FOLDER / f"{code}.wav").exists()]
            if missing:
                raise CommandError(f"缺提示音：{'、'.join(missing)}。运行 ./anju prompts")
            self.stdout.write(f"✓ {len(speech.PROMPTS)} 条提示音都在")
            return
        try:
            for path in speech.render_all():
                self.stdout.write(f"✓ {path.name} {path.stat().st_size / 16000:.1f} 秒")
        except speech.NoVoice as error:
            raise CommandError(f"{error}。安装 espeak-ng 后再试。") from error
