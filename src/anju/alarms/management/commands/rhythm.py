"""`anju rhythm replay|prior|load`: measure the silence algorithm on a recording, learn a population from one, put it to use."""

from __future__ import annotations

import json
import math
import os
import sys
import time
from pathlib import Path
from typing import Any, ClassVar

from django.core.management.base import BaseCommand, CommandError, CommandParser

from anju.alarms import recording, replay
from anju.alarms.recording import BadInput, Recording, Report

SHOWN = 5
QUIET_FOR = 2.0
"""Seconds between two words about how far a long work is."""


class Command(BaseCommand):
    """Reads a CSV of life signs; `replay` and `prior` need no database and no running platform."""

    help = "静默算法：replay 按实况回放一份记录，prior 从一份记录学出人群先验，load 把先验装入运行中的平台。"
    requires_system_checks: ClassVar[list[str]] = []  # type: ignore[misc]
    told_at = 0.0

    def add_arguments(self, parser: CommandParser) -> None:
        """Three verbs with their files."""
        verbs = parser.add_subparsers(dest="verb", required=True)
        run = verbs.add_parser("replay", help="逐条给出截止时间：home,last_life_at,mode,soft,hard,silence_ended_at")
        run.add_argument("--events", type=Path, required=True, help="timestamp,home,sensor,value 的 CSV")
        run.add_argument("--budget", type=float, required=True, help="每户每 30 天允许的误报数（硬截止）")
        run.add_argument("--soft", type=float, default=4.0, help="软截止的预算是硬截止的几倍，默认 4")
        run.add_argument("--prior", type=Path, default=None, help="人群先验文件；不给则用手工先验")
        run.add_argument("--out", type=Path, required=True, help="写到哪个 CSV（- 为标准输出）")
        learn = verbs.add_parser("prior", help="学出人群先验，供 replay --prior 与 load 使用")
        learn.add_argument("--events", type=Path, required=True, help="timestamp,home,sensor,value 的 CSV")
        learn.add_argument("--name", default="population", help="先验的名字")
        learn.add_argument("--leave-out", action="append", default=[], metavar="HOME", help="不学这一户（可重复）")
        learn.add_argument("--out", type=Path, required=True, help="写到哪个 JSON")
        load = verbs.add_parser("load", help="把 prior 生成的先验装入平台：此后新装的家庭以它为起点")
        load.add_argument("file", type=Path, help="prior 生成的 JSON")
        load.add_argument(
            "--as", action="append", default=[], dest="placed", metavar="ROOM=位置",
            help="文件里的房间对应平台上的安装位置，如 bath=卫生间门口（可重复）",
        )  # fmt: skip

    def handle(self, *args: Any, **options: Any) -> None:  # noqa: ARG002
        """Do the verb, or say in plain words what is wrong with the files."""
        self.told_at = time.monotonic()
        try:
            {"replay": self._replay, "prior": self._prior, "load": self._load}[options["verb"]](options)
        except BadInput as problem:
            raise CommandError(str(problem)) from problem
        except OSError as problem:
            raise CommandError(f"{problem.filename}：{problem.strerror}") from problem

    def _tell(self, what: str, many: int) -> None:
        now = time.monotonic()
        if now - self.told_at >= QUIET_FOR:
            self.told_at = now
            self.stderr.write(f"{what} {many:,}")

    def _read(self, path: Path) -> Recording:
        report = Report()
        with path.open(encoding=recording.encoding_of(path), errors="surrogateescape", newline="") as source:
            found = recording.read(source, report, self._tell)
        self.stderr.write(
            f"生命迹象 {report.signs} 条，非迹象 {report.quiet} 条，读不懂 {report.wrong} 条"
            f"（life signs {report.signs}, other rows {report.quiet}, not understood {report.wrong}）"
        )
        for line in report.bad[:SHOWN]:
            self.stderr.write(line)
        if report.wrong > SHOWN:
            self.stderr.write(f"……另有 {report.wrong - SHOWN} 条")
        return found

    def _replay(self, options: dict[str, Any]) -> None:
        budget, soft, out = options["budget"], options["soft"], options["out"]
        if not (0 < budget <= 1000 and 1 <= soft <= 1000) or not math.isfinite(budget * soft):
            raise CommandError(
                "--budget 须大于 0、不超过 1000，--soft 须在 1 到 1000 之间（budget must be > 0, soft ≥ 1）"
            )
        self._may_write(out, options["events"])
        priors = replay.load_priors(options["prior"]) if options["prior"] else {}
        found = self._read(options["events"])
        rows = replay.silences(found, priors, budget=budget, soft=soft, tell=self._tell)
        if str(out) == "-":
            replay.write(rows, sys.stdout)
            return
        with out.open("w", encoding="utf-8", newline="") as target:
            replay.write(rows, target)

    def _prior(self, options: dict[str, Any]) -> None:
        self._may_write(options["out"], options["events"])
        found = self._read(options["events"])
        if unknown := sorted(set(options["leave_out"]) - set(found.homes)):
            raise CommandError(f"记录里没有这一户：{'、'.join(unknown)}（--leave-out: no such home）")
        prior = replay.learn_prior(found, name=options["name"], leave_out=options["leave_out"])
        options["out"].write_text(json.dumps(prior), encoding="utf-8")

    def _load(self, options: dict[str, Any]) -> None:
        from anju.alarms import priors
        from anju.kernel import audit
        from anju.kernel.scope import EVERYWHERE, seen_by

        path: Path = options["file"]
        data = replay.read_priors(path)
        placed = dict(one.partition("=")[::2] for one in options["placed"])
        if wrong := [room for room, place in placed.items() if room not in data["placements"] or not place]:
            raise CommandError(f"--as 写作 房间=位置，且文件里要有这个房间：{'、'.join(wrong)}")
        try:
            with seen_by(EVERYWHERE), audit.acting("命令行"):
                tables = priors.load(data, source=path.name, placed=placed)
        except (ValueError, KeyError, TypeError) as broken:
            raise CommandError(f"先验文件 {path} 不能装入：{broken}") from broken
        for place, homes, days in tables:
            self.stdout.write(f"{place}：{homes} 户，{days} 户日")
        self.stdout.write("已装入；运行中的进程在十分钟内换用，每周的自学在满 100 户后会替换同一位置的表")

    @staticmethod
    def _may_write(out: Path, events: Path) -> None:
        """Say it before an hour of work, not after."""
        if str(out) == "-":
            return
        if out.exists() and events.exists() and out.samefile(events):
            raise CommandError("--out 不能与 --events 是同一个文件（same file）")
        if not os.access(out if out.exists() else out.parent, os.W_OK):
            raise CommandError(f"写不进 {out}（not writable）")
