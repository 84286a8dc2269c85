"""`manage.py recordings <what>`: sweep (take in, reconcile), copy, verify, prepare (the second storage, once), status.

verify reads every kept file and compares its SM3; it exits with 1 when one is wrong and the copy did not mend it.
"""

from __future__ import annotations

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from anju.calls.recordings import places, queries, sweep
from anju.calls.recordings.models import Recording
from anju.calls.recordings.stores import FolderStore
from anju.kernel.scope import EVERYWHERE, seen_by


class Command(BaseCommand):
    help = __doc__

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("what", choices=["sweep", "copy", "verify", "prepare", "status"])

    def handle(self, *_: Any, what: str, **__: Any) -> None:
        with seen_by(EVERYWHERE):
            getattr(self, f"_{what}")()

    def _sweep(self) -> None:
        self.stdout.write(f"入库 {sweep.sweep()} 个录音；接通而没有录音的 {queries.totals().gaps} 通")

    def _copy(self) -> None:
        if places.second() is None:
            raise CommandError("没有设第二存储：请设 ANJU_RECORDINGS_COPY（目录，或 s3://密钥号:密钥@主机/桶/前缀）")
        self.stdout.write(f"备份 {sweep.copy_some(limit=1_000_000)} 个录音")

    def _verify(self) -> None:
        count = Recording.objects.exclude(state=Recording.State.DELETED).count()
        if wrong := sweep.check_some(limit=count or 1):
            raise CommandError(f"{count} 个录音里有 {wrong} 个校验不符或不见，备份里也没有完好的一份")
        self.stdout.write(f"{count} 个录音都与入库时一致")

    def _prepare(self) -> None:
        store = places.second()
        if not isinstance(store, FolderStore):
            raise CommandError("只有目录要初始化；对象存储请先建好桶")
        store.prepare()
        self.stdout.write(f"{store.label} 已初始化")

    def _status(self) -> None:
        totals, disk = queries.totals(), queries.disk()
        self.stdout.write(
            f"在存 {totals.kept}，未备份 {totals.uncopied}，有问题 {totals.damaged}，修复过 {totals.repaired}，缺录音 {totals.gaps}，"
            f"读不懂 {totals.strange}；磁盘剩 {disk.free / 1024**3:.1f} GB"
        )
