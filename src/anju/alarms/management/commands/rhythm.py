"""`anju rhythm replay|prior`: measure the silence algorithm on a recording, or learn a population from one."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any, ClassVar

from django.core.management.base import BaseCommand, CommandError, CommandParser

from anju.alarms import replay
from anju.alarms.replay import BadInput, Report, Sign

SHOWN = 5


class Command(BaseCommand):
    """Reads a CSV of life signs; needs no database and no running platform."""

    help = "静默算法：replay 按实况回放一份记录，prior 从一份记录学出人群先验。"
    requires_system_checks: ClassVar[list[str]] = []  # type: ignore[misc]

    def add_arguments(self, parser: CommandParser) -> None:
        """Two verbs with their files."""
        verbs = parser.add_subparsers(dest="verb", required=True)
        run = verbs.add_parser("replay", help="逐条给出截止时间：home,last_life_at,mode,soft,hard,silence_ended_at")
        run.add_argument("--events", type=Path, required=True, help="timestamp,home,sensor,value 的 CSV")
        run.add_argument("--budget", type=float, required=True, help="每户每 30 天允许的误报数（硬截止）")
        run.add_argument("--soft", type=float, default=4.0, help="软截止的预算是硬截止的几倍，默认 4")
        run.add_argument("--prior", type=Path, default=None, help="人群先验文件；不给则用手工先验")
        run.add_argument("--out", type=Path, required=True, help="写到哪个 CSV（- 为标准输出）")
        learn = verbs.add_parser("prior", help="学出人群先验，供 replay --prior 使用")
        learn.add_argument("--events", type=Path, required=True, help="timestamp,home,sensor,value 的 CSV")
        learn.add_argument("--name", default="population", help="先验的名字")
        learn.add_argument("--leave-out", action="append", default=[], metavar="HOME", help="不学这一户（可重复）")
        learn.add_argument("--out", type=Path, required=True, help="写到哪个 JSON")

    def handle(self, *args: Any, **options: Any) -> None:  # noqa: ARG002
        """Do the verb, or say in plain words what is wrong with the files."""
        try:
            found = self._read(options["events"])
            if options["verb"] == "replay":
                self._replay(found, options)
            else:
                left = set(options["leave_out"])
                prior = replay.learn_prior([s for s in found if s.home not in left], name=options["name"])
                options["out"].write_text(json.dumps(prior), encoding="utf-8")
        except BadInput as problem:
            raise CommandError(str(problem)) from problem
        except OSError as problem:
            raise CommandError(f"{problem.filename}：{problem.strerror}") from problem

    def _read(self, path: Path) -> list[Sign]:
        report = Report()
        with path.open(encoding="utf-8-sig", newline="") as source:
            found = replay.signs(source, report)
        self.stderr.write(f"生命迹象 {report.signs} 条，非迹象 {report.quiet} 条，读不懂 {len(report.bad)} 条")
        for line in report.bad[:SHOWN]:
            self.stderr.write(line)
        if len(report.bad) > SHOWN:
            self.stderr.write(f"……另有 {len(report.bad) - SHOWN} 条")
        return found

    def _replay(self, found: list[Sign], options: dict[str, Any]) -> None:
        if not options["budget"] > 0 or not options["soft"] >= 1:
            raise CommandError("--budget 须大于 0，--soft 须不小于 1")
        priors = replay.load_priors(options["prior"]) if options["prior"] else {}
        rows = replay.silences(found, priors, budget=options["budget"], soft=options["soft"])
        if str(options["out"]) == "-":
            replay.write(rows, sys.stdout)
            return
        with options["out"].open("w", encoding="utf-8", newline="") as out:
            replay.write(rows, out)
