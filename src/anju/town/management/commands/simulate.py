"""`manage.py simulate`: the virtual town posts real operators' bodies to the gateway found in `var/run.json`."""

from __future__ import annotations

import asyncio
import signal
import time
from argparse import ArgumentParser
from dataclasses import replace
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from anju.kernel import clock
from anju.town import people, runfile
from anju.town.going_on import going_on
from anju.town.simulate import Plan, Tally, Town
from anju.town.weather import Weather


class Command(BaseCommand):
    """Bounded by --duration; Ctrl-C ends it with a summary."""

    help = "虚拟小镇：按真实平台的报文向网关发消息"
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Speed, size, rate and what goes wrong."""
        parser.add_argument("--speed", type=float, default=60.0, help="一秒钟当几秒过（默认 60）")
        parser.add_argument("--homes", type=int, default=200, help="几户（默认 200）")
        parser.add_argument("--rate", type=float, default=0.0, help="每秒几条；给了就不按作息")
        parser.add_argument("--duration", type=float, default=60.0, help="跑几秒（默认 60；0 = 一直跑到 Ctrl-C）")
        parser.add_argument("--sos-every", type=float, default=0.0, help="每几秒按一次求助（默认不按）")
        parser.add_argument("--seed", type=int, default=1)
        parser.add_argument("--lines", type=int, default=48, help="同时几条连接")
        parser.add_argument("--calm", action="store_true", help="不丢、不重、不迟、不乱")
        parser.add_argument(
            "--live", action="store_true", help="像真的一样慢慢过（速度 1，一直跑）；平台没起来就等，重启了就接上"
        )
        parser.add_argument("--collapse-every", type=float, default=0.0, help="每几秒有一位老人跌倒按不了（默认没有）")
        parser.add_argument(
            "--truth", default=str(settings.ANJU_HOME / "town" / "truth.jsonl"), help="跌倒的真相记在哪里"
        )
        parser.add_argument("--dark", type=float, default=0.01, help="每个基站每天断网的机会（默认 0.01）")
        parser.add_argument("--quiet", action="store_true", help="只在结束时打印一行")
        parser.add_argument("--run-file", default=str(settings.ANJU_HOME / "run.json"), help="平台写下的 run.json")

    def handle(self, *_: Any, **options: Any) -> None:
        """Find the doors, live, tell."""
        if not settings.DEMO:
            raise CommandError("正式环境不运行虚拟小镇。请在演示环境里用。")
        if options["homes"] < 1 or options["speed"] <= 0 or options["rate"] < 0 or options["lines"] < 1:
            raise CommandError("户数、速度、连接数要大于 0，每秒条数不能是负数。")
        plan = Plan(
            speed=options["speed"], rate=options["rate"], duration=options["duration"] or float("inf"),
            sos_every=options["sos_every"], seed=options["seed"], lines=options["lines"],
            weather=Weather(0, 0, 0, 0, 0, 0, 0) if options["calm"] else Weather(dark=options["dark"]),
            collapse_every=options["collapse_every"], truth=Path(options["truth"]),
        )  # fmt: skip
        homes = people.homes(options["homes"], today=clock.today())
        if options["live"]:
            alive = replace(plan, speed=1.0, rate=0.0, duration=float("inf"), lines=min(8, plan.lines))
            asyncio.run(going_on(homes, alive, options["run_file"], self.stdout.write))
            return
        try:
            found = runfile.read(options["run_file"])
        except runfile.NotRunning as reason:
            raise CommandError(str(reason)) from None
        town = Town(homes, found.http, plan, keys=found.keys, broker=found.broker)
        began = time.monotonic()
        tally = asyncio.run(self._live(town, quiet=options["quiet"]))
        self._summary(tally, time.monotonic() - began)

    async def _live(self, town: Town, *, quiet: bool) -> Tally:
        stop, loop = asyncio.Event(), asyncio.get_running_loop()
        for name in (signal.SIGINT, signal.SIGTERM):
            loop.add_signal_handler(name, stop.set)
        running = asyncio.create_task(town.run(stop))
        seen, began = 0, time.monotonic()
        while not running.done():
            await asyncio.wait({running}, timeout=5)
            t, now = town.tally, time.monotonic()
            if not quiet and not running.done():
                rate, seen, began = (t.sent - seen) / (now - began), t.sent, now
                self.stdout.write(
                    f"已发 {t.sent}（{rate:.0f} 条/秒） 确认 {t.acked} 重试 {t.retried} 放弃 {t.given_up + t.never_sent} "
                    f"求助 {t.kinds['sos']} 应答 p50 {t.percentile(0.5):.0f} p99 {t.percentile(0.99):.0f} 毫秒"
                )
                self.stdout.flush()
        return running.result()

    def _summary(self, t: Tally, seconds: float) -> None:
        rate = t.sent / seconds if seconds else 0
        self.stdout.write(
            f"共发 {t.sent} 条，{seconds:.1f} 秒，{rate:.0f} 条/秒；确认 {t.acked}，重试 {t.retried}，"
            f"三次重试后放弃 {t.given_up}，平台停推期间未发 {t.never_sent}；应答 p50 {t.percentile(0.5):.1f} p99 {t.percentile(0.99):.1f} 毫秒"
        )
        kinds = "、".join(f"{kind} {n}" for kind, n in t.kinds.most_common())
        mishaps = "、".join(f"{what} {n}" for what, n in t.mishaps.most_common()) or "无"
        self.stdout.write(f"种类：{kinds or '无'}；意外：{mishaps}；回答：{dict(t.statuses)}")
        if t.sos_unacked:
            self.stderr.write(f"有 {t.sos_unacked} 条求助没有得到确认。请看网关是否在运行。")
