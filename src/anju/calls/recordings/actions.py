"""What people may do with recordings: hear, take a marked copy, hold beyond the time, settle a gap. Each leaves a trace."""

from __future__ import annotations

from datetime import timedelta

from django.core import signing
from django.db import transaction

from anju.calls.models import Leg
from anju.calls.recordings import places as folders
from anju.calls.recordings import queries, rules, taking
from anju.calls.recordings.models import Gap, Recording, Strange
from anju.calls.recordings.queries import SALT
from anju.kernel import audit, clock, trail
from anju.kernel.flow.actor import Actor, NotAllowed

DELETED = "这段录音已过保存期，文件已删除。"


def listen(*, recording_id: int, by: Actor, reason: str, again: bool = False) -> str:
    """Allow this person to play it for a while: a ticket for the sound's address. The reason goes to the audit log.

    With `again` the parts of one playing (the same person and reason within four hours) make one line, not one each.
    """
    row = _readable(recording_id, by, reason, "recording.listen")
    if not (again and _heard_lately(row, by, reason)):
        _note_heard(row, reason)
    return signing.TimestampSigner(salt=SALT).sign(f"{row.pk}:{by.user_id}")


def _heard_lately(row: Recording, by: Actor, reason: str) -> bool:
    since = clock.now() - timedelta(seconds=queries.TICKET_SECONDS)
    lines = trail.find(subject="recording", subject_id=row.pk, action="recording.listen", result="ok", since=since)
    return any(line.user_id == by.user_id and line.reason == reason for line in lines[:20])


def _note_heard(row: Recording, reason: str) -> None:
    audit.record(
        "recording.listen", subject="recording", subject_id=row.pk, place=row.place, reason=reason,
        detail={"leg": row.leg_id, "track": row.track},
    )  # fmt: skip


def take_copy(*, recording_id: int, by: Actor, reason: str) -> bytes:
    """The mark that goes with a downloaded file: who took it, when, why, and the digest of the original (an INFO chunk)."""
    if not rules.TAKERS.intersection(by.roles):
        audit.record("recording.download", subject="recording", subject_id=recording_id, result="denied", reason=reason)
        raise NotAllowed("您的岗位不能下载录音，请找值班长或质检。", code="not_you")
    row = _readable(recording_id, by, reason, "recording.download")
    audit.record(
        "recording.download", subject="recording", subject_id=row.pk, place=row.place, reason=reason,
        detail={"leg": row.leg_id, "track": row.track, "sm3": row.digest},
    )  # fmt: skip
    said = (
        f"安居 录音 {row.pk}；{by.name}（{by.user_id}）{clock.local(clock.now()):%Y-%m-%d %H:%M:%S} 下载；用途：{reason}；"
        f"原件 SM3 {row.digest}；仅限此用途，外传可追溯"
    )
    return mark(said)


def mark(said: str) -> bytes:
    """A LIST/INFO chunk with one comment, as players show it."""
    text = said.encode() + b"\0"
    text += b"\0" * (len(text) % 2)
    inner = b"INFO" + b"ICMT" + len(text).to_bytes(4, "little") + text
    return b"LIST" + len(inner).to_bytes(4, "little") + inner


def put_past(*, call_id: str, sound: bytes) -> int | None:
    """A recording (WAV) of a call of the past, as another system hands it over: sealed like every other; its id.

    None where the call has no caller's party, or a recording already.
    """
    leg = Leg.unscoped.filter(call__call_id=call_id, role="caller").select_related("call").first()
    if leg is None or Recording.unscoped.filter(call_id=leg.call_id).exists():
        return None
    path = folders.incoming() / f"{leg.leg_id}.wav"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(sound)
    return int(taking.take(path, leg.leg_id, Recording.Track.MIXED.value, leg).pk)


def _readable(recording_id: int, by: Actor, reason: str, act: str) -> Recording:
    """A refusal is written down too, so nothing around this may be rolled back by it."""
    row = queries.recording(recording_id)
    if not reason.strip():
        raise NotAllowed("请先选择或填写听录音的原因。", code="reason")
    if not rules.may_hear(by.roles, own=queries.took(row, by.user_id)):
        audit.record(act, subject="recording", subject_id=row.pk, place=row.place, result="denied", reason=reason)
        raise NotAllowed("您的岗位不能听这段录音：值班长、质检、民政局可以听，坐席只听自己接的。", code="not_you")
    if row.state == Recording.State.DELETED:
        raise NotAllowed(DELETED)
    return row


@transaction.atomic
def hold(*, recording_id: int, by: Actor, reason: str) -> Recording:
    """Keep it beyond its time (a complaint, a case in court); an empty reason lets it go again."""
    _keeper(by)
    row = Recording.objects.select_for_update().get(pk=recording_id)
    if row.state == Recording.State.DELETED:
        raise NotAllowed(DELETED)
    row.hold_reason, row.held_by = reason.strip()[:200], by.name[:60] if reason.strip() else ""
    row.save(update_fields=["hold_reason", "held_by"])
    audit.record(
        "recording.hold" if row.hold_reason else "recording.release", subject="recording", subject_id=row.pk, place=row.place,
        reason=reason,
    )  # fmt: skip
    return row


@transaction.atomic
def delete(*, recording_id: int, by: Actor, reason: str) -> None:
    """By hand only what is over its time anyway, and only with a reason; the nightly job does the rest."""
    _keeper(by)
    row = Recording.objects.select_for_update().get(pk=recording_id)
    if not reason.strip():
        raise NotAllowed("请写明删除原因。", code="reason")
    if row.keep_until >= clock.today():
        raise NotAllowed(f"录音要保存到 {row.keep_until}，到期前不能删除。")
    if row.hold_reason:
        raise NotAllowed(f"录音正在留存（{row.hold_reason}），请先解除留存。")
    row.state, row.deleted_at = Recording.State.DELETED, clock.now()
    row.deleted_by, row.deleted_why = by.name[:60], reason.strip()[:200]
    row.save(update_fields=["state", "deleted_at", "deleted_by", "deleted_why"])
    audit.record("recording.delete", subject="recording", subject_id=row.pk, place=row.place, reason=reason)
    path = folders.kept() / row.file
    transaction.on_commit(lambda: path.unlink(missing_ok=True))


@transaction.atomic
def settle_gap(*, gap_id: int, by: Actor, reason: str) -> Gap:
    """Say why an answered call has no recording; it is counted for ever, but no longer pages."""
    _keeper(by)
    if not reason.strip():
        raise NotAllowed("请写明为什么没有录音，例如“话务引擎重启，已电话复核”。", code="reason")
    gap = Gap.objects.select_for_update().get(pk=gap_id)
    if gap.settled_at is None:
        gap.settled_at, gap.settled_by, gap.reason = clock.now(), by.name[:60], reason.strip()[:200]
        gap.save(update_fields=["settled_at", "settled_by", "reason"])
        audit.record("recording.gap", subject="call", subject_id=str(gap.call_id), place=gap.place, reason=reason)
    return gap


@transaction.atomic
def dismiss(*, strange_id: int, by: Actor, reason: str) -> None:
    """A strange file was looked at; the file itself stays where it is."""
    _keeper(by)
    if not reason.strip():
        raise NotAllowed("请写明核对结果。", code="reason")
    row = Strange.objects.get(pk=strange_id)
    audit.record("recording.strange", subject="file", subject_id=row.name[:40], place=row.place, reason=reason)
    row.delete()


def _keeper(by: Actor) -> None:
    if not rules.KEEPERS.intersection(by.roles):
        raise NotAllowed("这一步由值班长或质检来做。", code="not_you")
