"""What the platform does about its recordings without being asked: takes in, reconciles, copies, checks, deletes what is due.

Every part can be repeated at any time; `jobs.py` says when they run.
"""

from __future__ import annotations

import hashlib
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta

from django.db import connection, transaction
from django.db.models import ExpressionWrapper, F, FloatField, OuterRef, Q, QuerySet, Subquery, Sum
from django.db.models.functions import Coalesce, Extract, Greatest

from anju.calls.models import Call
from anju.calls.recordings import places as folders
from anju.calls.recordings import rules, taking, vault
from anju.calls.recordings.facts import RecordingTrouble, RecordingTroubleOver
from anju.calls.recordings.models import Gap, Recording, Strange
from anju.calls.recordings.stores import CopyFailed, Store, sha256_of
from anju.kernel import audit, clock
from anju.kernel.facts import announce

LOOK_BACK = timedelta(days=7)
LATE_COPY = timedelta(hours=6)
SPARE = 2 * 1024**3
LOW_SHARE, LOW_DAYS = 0.10, 14.0
VIRTUAL = ("simulator",)
"""Engines that carry no real voice: a call of theirs needs no recording, one that is there is kept all the same."""


def sweep() -> int:
    """Take in what is finished, then say which answered calls have nothing; how many files were taken.

    One at a time: a round that takes longer than a minute is not overtaken by the next one.
    """
    with alone("recordings.sweep") as mine:
        if not mine:
            return 0
        taken, failed = taking.take_ready()
        claim()
        reconcile()
        why = f"{len(failed)} 个录音暂时不能入库（{failed[0][:120]}），会再试。" if failed else ""
        _say("recording_bad", failed, why, "take")
        return len(taken)


@contextmanager
def alone(what: str) -> Iterator[bool]:
    """Whether nobody else does this now; it is ours until the end (also when we die: the database lets it go)."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_try_advisory_lock(hashtext(%s))", [what])
        mine = bool(cursor.fetchone()[0])
    try:
        yield mine
    finally:
        if mine:
            with connection.cursor() as cursor:
                cursor.execute("SELECT pg_advisory_unlock(hashtext(%s))", [what])


def claim() -> int:
    """Recordings that were taken in while nobody knew their call (no switchboard was running) find it afterwards."""
    found = 0
    rows = Recording.unscoped.filter(call=None, kept_at__gt=clock.now() - LOOK_BACK).exclude(
        state=Recording.State.DELETED
    )
    for row in rows:
        call = Call.unscoped.filter(legs__leg_id=row.leg_id).first()
        if call is not None:
            Recording.unscoped.filter(pk=row.pk).update(call=call, place=call.place)
            found += 1
    return found


def reconcile() -> int:
    """Every answered call has its recording, or a gap says which has not; how many are open. One trouble names the latest."""
    now = clock.now()
    over = Call.unscoped.filter(
        answered_at__isnull=False, ended_at__lt=now - rules.DUE, ended_at__gt=now - LOOK_BACK, by_hand=False
    ).exclude(exchange__in=("", *VIRTUAL))
    for call in lacking(over).filter(recording_gap=None)[:500]:
        Gap.unscoped.get_or_create(call=call, defaults={"place": call.place, "found_at": now})
    waiting = Gap.unscoped.filter(settled_at=None)
    still = set(lacking(Call.unscoped.filter(recording_gap__in=waiting)).values_list("pk", flat=True))
    waiting.exclude(call__in=still).update(settled_at=now, settled_by="系统", reason="录音已找到")
    open_gaps = list(Gap.unscoped.filter(settled_at=None).select_related("call")[:5])
    count = Gap.unscoped.filter(settled_at=None).count()
    names = "、".join(f"{clock.local(g.call.answered_at or g.found_at):%m-%d %H:%M}" for g in open_gaps)
    _say(
        "no_recording",
        count,
        f"{count} 通已接通的电话没有录音，或录音比通话短（{names}）。请到“通话录音”核对并写明原因。",
    )
    strange = Strange.unscoped.count()
    _say(
        "recording_bad",
        strange,
        f"{strange} 个录音文件读不懂或与入库的不同，原文件未动，请到“通话录音”查看。",
        "strange",
    )
    return count


def lacking(calls: QuerySet[Call]) -> QuerySet[Call]:
    """Those of these answered calls whose recordings of record say less than was spoken: none, or much shorter than the call.

    A call that was cut by the system has no known end: whatever was recorded of it is enough.
    """
    kept = Recording.unscoped.filter(
        call=OuterRef("pk"), track__in=[Recording.Track.MIXED, Recording.Track.BRIDGE], seconds__gt=0
    )
    whole = kept.values("call").annotate(sum=Sum("seconds")).values("sum")
    talked = ExpressionWrapper(Extract(F("ended_at") - F("answered_at"), "epoch"), FloatField())
    said = calls.annotate(recorded=Coalesce(Subquery(whole, FloatField()), 0.0), talked=talked)
    short = Q(recorded__lt=F("talked") - Greatest(rules.MAY_LACK, F("talked") * rules.MAY_LACK_SHARE))
    return said.filter(Q(recorded=0) | (short & ~Q(result="lost")))


def _say(kind: str, wrong: object, text: str, subject: str = "") -> None:
    with transaction.atomic():
        announce(RecordingTrouble(kind, subject, text) if wrong else RecordingTroubleOver(kind, subject))


def copy_some(limit: int = 200) -> int:
    """Copy what the second storage has not yet; how many. One that fails stays for the next time and says why."""
    store = folders.second()
    if store is None:
        return 0
    with alone("recordings.copy") as mine:
        return _copy_some(store, limit) if mine else 0


def _copy_some(store: Store, limit: int) -> int:
    done = 0
    waiting = Recording.unscoped.filter(copied_at=None, state=Recording.State.KEPT).order_by("id")
    for row in waiting[:limit]:
        if _copy(row, store):
            done += 1
        elif not _spoilt(row):
            break  # the line or the disk is gone: the next sweep goes on where this one stopped
    late = waiting.filter(kept_at__lt=clock.now() - LATE_COPY).count()
    _say("copy_late", late, f"{late} 个录音 6 小时还没备份到{store.label}：{_first_problem()}")
    return done


def _copy(row: Recording, store: Store) -> bool:
    def note(mark: str) -> None:
        Recording.unscoped.filter(pk=row.pk).update(upload=mark[:300])

    try:
        store.put(row.file, folders.kept() / row.file, row.sealed_sha256, row.upload, note)
    except (CopyFailed, OSError) as problem:
        Recording.unscoped.filter(pk=row.pk).update(copy_problem=str(problem)[:200])
        return False
    Recording.unscoped.filter(pk=row.pk).update(
        copied_at=clock.now(), copied_to=store.label[:200], upload="", copy_problem=""
    )
    return True


def _spoilt(row: Recording) -> bool:
    """Whether the sealed file itself is why it could not be copied: it is marked, and the others do not wait for it."""
    path = folders.kept() / row.file
    state = verify(row)
    if state != Recording.State.KEPT:
        Recording.unscoped.filter(pk=row.pk).update(state=state, checked_at=clock.now())
        return True
    if (
        sealed := sha256_of(path)
    ) != row.sealed_sha256:  # it says what was recorded, sealed anew: the seal was noted wrong
        Recording.unscoped.filter(pk=row.pk).update(sealed_sha256=sealed, sealed_bytes=path.stat().st_size)
        return True
    return False


def _first_problem() -> str:
    row = Recording.unscoped.filter(copied_at=None).exclude(copy_problem="").order_by("id").first()
    return row.copy_problem if row else "排队中"


def check_some(limit: int = 200) -> int:
    """Read the recordings that were longest not read and compare their SM3; how many were wrong. Bad ones are brought back."""
    wrong = 0
    rows = Recording.unscoped.filter(state__in=[Recording.State.KEPT, Recording.State.DAMAGED, Recording.State.GONE])
    for row in rows.order_by(F("checked_at").asc(nulls_first=True), "id")[:limit]:
        state = verify(row)
        if state != Recording.State.KEPT and bring_back(row):
            state = verify(row)
        Recording.unscoped.filter(pk=row.pk).update(checked_at=clock.now(), state=state)
        wrong += state != Recording.State.KEPT
    bad = rows.exclude(state=Recording.State.KEPT).count()
    _say("recording_bad", bad, f"{bad} 个录音校验不符或文件不见，备份里也没有完好的一份。请到“通话录音”查看。", "check")
    return wrong


def verify(row: Recording) -> Recording.State:
    """Whether the sealed file still says what was recorded."""
    path = folders.kept() / row.file
    if not path.exists():
        return Recording.State.GONE
    digest = hashlib.new("sm3")
    try:
        with vault.open_sealed(path, folders.keys()) as sealed:
            for block in sealed.read():
                digest.update(block)
    except (vault.Unreadable, OSError):
        return Recording.State.DAMAGED
    return Recording.State.KEPT if digest.hexdigest() == row.digest else Recording.State.DAMAGED


def bring_back(row: Recording) -> bool:
    """Fetch the copy of a damaged or lost file; False when there is none or it is no better."""
    store = folders.second()
    if store is None or row.copied_at is None:
        return False
    target = folders.kept() / row.file
    part = target.with_name(target.name + ".back")
    vault.private_folder(target.parent)
    try:
        store.get(row.file, part)
        good = sha256_of(part) == row.sealed_sha256
    except (CopyFailed, OSError):
        good = False
    if good:
        part.replace(target)
    else:
        part.unlink(missing_ok=True)
    return good


def expire(limit: int = 1000) -> int:
    """Delete the files whose time is over and that nobody holds, here and in the second storage; the rows stay. How many."""
    today, done, store = clock.today(), 0, folders.second()
    due = Recording.unscoped.filter(keep_until__lt=today, hold_reason="").exclude(state=Recording.State.DELETED)
    for row in due.order_by("keep_until")[:limit]:
        with transaction.atomic():
            locked = Recording.unscoped.select_for_update().get(pk=row.pk)
            if locked.hold_reason or locked.state == Recording.State.DELETED:
                continue
            if locked.copied_at and store is not None:
                try:
                    store.remove(locked.file)
                except (CopyFailed, OSError):
                    continue  # the copy must go too: tried again tomorrow
                locked.copied_at = None
            locked.state, locked.deleted_at = Recording.State.DELETED, clock.now()
            locked.deleted_by, locked.deleted_why = "系统", f"保存期满（{locked.keep_until}）"
            locked.save(update_fields=["state", "deleted_at", "deleted_by", "deleted_why", "copied_at"])
            audit.record(
                "recording.expire",
                subject="recording",
                subject_id=locked.pk,
                place=locked.place,
                reason=locked.deleted_why,
            )
            # before the commit: a kill in between leaves a row to be tried again, not a file that nobody knows of
            (folders.kept() / row.file).unlink(missing_ok=True)
        done += 1
    _leave_no_copy(store)
    return done


def _leave_no_copy(store: Store | None, limit: int = 1000) -> None:
    """What was deleted by hand, or while no second storage was named, goes from there too."""
    left = Recording.unscoped.filter(state=Recording.State.DELETED).exclude(copied_at=None).order_by("pk")
    for row in left[:limit] if store is not None else ():
        try:
            store.remove(row.file)  # type: ignore[union-attr]
        except (CopyFailed, OSError):
            return  # not to be reached: tried again tomorrow
        Recording.unscoped.filter(pk=row.pk).update(copied_at=None)


@dataclass(frozen=True, slots=True)
class Disk:
    """How full the disk of the recordings is."""

    total: int
    free: int
    per_day: float
    days_left: float | None
    low: bool


def disk() -> Disk:
    """Space, the pace of the last seven days, and for how long it lasts."""
    folder = folders.incoming()
    while not folder.exists():
        folder = folder.parent
    usage = shutil.disk_usage(folder)
    recent = Recording.unscoped.filter(Q(kept_at__gt=clock.now() - timedelta(days=7)))
    pace = (recent.aggregate(n=Sum("sealed_bytes"))["n"] or 0) / 7
    left = rules.days_left(usage.free, pace, SPARE)
    low = usage.free < max(SPARE, usage.total * LOW_SHARE) or (left is not None and left < LOW_DAYS)
    return Disk(usage.total, usage.free, pace, left, low)


def watch_disk() -> Disk:
    """Page the leads before a recording has nowhere to go."""
    found = disk()
    days = f"，按近 7 天的用量还够 {found.days_left:.0f} 天" if found.days_left is not None else ""
    _say("disk_low", found.low, f"录音所在磁盘只剩 {found.free / 1024**3:.1f} GB{days}。请扩容或把备份移走。")
    return found
