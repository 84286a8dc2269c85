"""`manage.py lines`: the engine's configuration from the tables: look at it, check it, write it, have it loaded."""

from __future__ import annotations

import json
from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from anju.calls.lines import actions, applying, trial
from anju.calls.lines.config import checking, writing
from anju.kernel import audit
from anju.kernel.scope import EVERYWHERE, seen_by
from anju.ops import asterisk


class Command(BaseCommand):
    """`./run` calls it with --write before the engine starts."""

    help = "话务引擎的配置：--check 检查，--dry-run 再试装一次，--write 写入，--apply 写入并让引擎重读（不断通话）"
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: ArgumentParser) -> None:
        """One of them; without any it shows what is wrong."""
        parser.add_argument("--check", action="store_true", help="检查，有大问题时以 1 结束")
        parser.add_argument("--dry-run", action="store_true", help="在一边启动一个引擎试装，不碰正在用的")
        parser.add_argument("--write", action="store_true", help="写入配置（引擎下次启动时读）")
        parser.add_argument("--apply", action="store_true", help="写入并让正在运行的引擎重读")
        parser.add_argument("--json", action="store_true", help="线路、座席和密码，一行 JSON（./run 用）")

    def handle(self, *_: Any, **options: Any) -> None:
        """Do what was asked."""
        with seen_by(EVERYWHERE), audit.acting("话务配置"):
            if options["json"]:
                from anju.calls.lines.doors import doors

                self.stdout.write(json.dumps(doors(), ensure_ascii=False))
                return
            actions.ensure_seats()
            try:
                self._do(options)
            except writing.RefusedConfig as refused:
                for problem in refused.problems:
                    self.stderr.write(f"✗ {problem}")
                raise CommandError("配置没有写入，请在后台改好上面各项。") from refused
            except (asterisk.AsteriskError, applying.NotLoaded) as error:
                raise CommandError(str(error)) from error

    def _do(self, options: dict[str, Any]) -> None:
        wanted = applying.plan()
        for problem in checking.problems(wanted):
            self.stdout.write(f"{'✗' if problem.grave else '!'} {problem}")
        if options["check"] or options["dry_run"]:
            if found := checking.grave(wanted):
                raise writing.RefusedConfig(found)
            self.stdout.write("✓ 配置可以装入")
        if options["dry_run"]:
            missing = trial.run(wanted)
            if missing:
                raise CommandError(f"引擎读不了：{'、'.join(sorted(missing))}")
            self.stdout.write("✓ 引擎试装通过")
        if options["write"]:
            self.stdout.write("✓ 已写入" if applying.write(wanted) else "✓ 没有变化")
        if options["apply"]:
            self.stdout.write("✓ 引擎已重读" if applying.apply() else "✓ 没有变化")
