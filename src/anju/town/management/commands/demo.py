"""`manage.py demo`: the demo district. Says what it does; done twice it changes nothing; broken off, it goes on."""

from __future__ import annotations

import contextvars
import json
import time
from argparse import ArgumentParser
from pathlib import Path
from threading import Thread
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError
from django.db import connection

from anju.alarms import sensing
from anju.devices import actions as devices
from anju.kernel import audit, clock
from anju.kernel.scope import EVERYWHERE, seen_by
from anju.signals import queries as signals
from anju.town import land, people
from anju.town.demo import (
    calls,
    cases,
    contacts,
    families,
    history,
    homes,
    outbound,
    roster,
    silences,
    staff,
    telephone,
)

MAP = Path(__file__).parents[2] / "static" / "town" / "map.geojson"


class Command(BaseCommand):
    """Invented people only. Refused outside the demo."""

    help = "演示区县：望潮区，约 200 户虚构老人，一周历史"

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Size, and the map that follows from the plan of the land."""
        parser.add_argument("--homes", type=int, default=200, help="几户（默认 200）")
        parser.add_argument("--no-history", action="store_true", help="只建人和设备")
        parser.add_argument("--map", action="store_true", help="只重画虚构地图")

    def handle(self, *_: Any, **options: Any) -> None:
        """Each step says how much it made and how long it took."""
        if options["map"]:
            MAP.write_text(json.dumps(land.features(), ensure_ascii=False, separators=(",", ":")) + "\n")
            self.stdout.write(f"地图已写入 {MAP.name}")
            return
        if not settings.DEMO:
            raise CommandError("正式环境不装演示数据。")
        began = time.monotonic()
        with seen_by(EVERYWHERE), audit.acting("演示数据"):
            self._make(options["homes"], history_too=not options["no_history"])
        self.stdout.write(f"完成，{time.monotonic() - began:.0f} 秒。登录口令：{settings.SECRETS.demo}")

    def _make(self, count: int, *, history_too: bool) -> None:
        seeds = people.homes(count, today=clock.today())
        self._step("区域", staff.put_places)
        users = Thread(target=contextvars.copy_context().run, args=(self._users,))
        users.start()  # hashing a dozen passwords takes as long as a quarter of the homes
        self._step("产品型号", devices.load_products)
        missing = list(homes.missing(seeds))
        self._step("住户（新）", lambda: self._homes(missing))
        users.join()
        self._step("家属账号", families.make)
        self._step("电话线路", telephone.make)
        until = clock.now() if history_too and missing and not signals.recent(limit=1) else None
        if until is not None:
            self._step("历史消息", lambda: history.load(seeds, until))
            self._step("历史事件与工单", lambda: cases.make(seeds, until))
            self._step("历史通话与质检", lambda: calls.make(calls.callers()))
            self._step("来信与留言", lambda: contacts.make(calls.callers(), until))
            self._step("计划外呼与外呼任务", lambda: outbound.make(calls.callers(), until))
        self._step("家庭看护", sensing.enrol_all)
        if until is not None:
            self._step("历史静默", lambda: silences.make(seeds, until))
        self._step("值班与专家", roster.make)
        self._step("审计封存", audit.seal)

    def _users(self) -> None:
        try:
            self._step("登录账号（新）", staff.put_users)
        finally:
            connection.close()

    def _homes(self, missing: list[people.HomeSeed]) -> int:
        for n, seed in enumerate(missing, 1):
            homes.make(seed)
            if n % 50 == 0:
                self.stdout.write(f"  {n}/{len(missing)} 户", ending="\n")
                self.stdout.flush()
        return len(missing)

    def _step(self, what: str, make: Any) -> None:
        began = time.monotonic()
        made = make()
        self.stdout.write(f"{what} {made}（{time.monotonic() - began:.1f} 秒）")
        self.stdout.flush()
