"""What may be asked about recordings. The scope of the asker applies everywhere."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass
from datetime import date, datetime

from django.core import signing
from django.db.models import Count, Q, Sum

from anju.calls.recordings import places as folders
from anju.calls.recordings import rules, vault
from anju.calls.recordings.models import FAULTS, Gap, Recording, Strange
from anju.calls.recordings.sweep import Disk, disk

__all__ = [
    "Disk", "GapRow", "RecordingRow", "Sound", "Totals", "by_ticket", "copy_label", "disk", "gaps", "may_hear", "of_calls", "page",
    "recording", "row", "sound", "strange", "took", "totals",
]  # fmt: skip

SALT = "anju.calls.recordings"
TICKET_SECONDS = 4 * 3600


@dataclass(frozen=True, slots=True)
class RecordingRow:
    """A recording for a list, a page or the open interface."""

    id: int
    call_id: str | None
    leg_id: str
    track: str
    track_label: str
    place: str
    started_at: datetime
    seconds: float
    bytes: int
    silent: bool
    state: str
    state_label: str
    fault_label: str
    sm3: str
    kept_at: datetime
    keep_until: date
    hold_reason: str
    copied_at: datetime | None
    copied_to: str
    checked_at: datetime | None
    deleted_at: datetime | None
    deleted_why: str

    @property
    def playable(self) -> bool:
        """Whether there is something to hear."""
        return self.state in {"kept", "damaged"} and self.seconds > 0


@dataclass(frozen=True, slots=True)
class GapRow:
    """An answered call without a recording."""

    id: int
    call_id: str
    at: datetime
    found_at: datetime
    place: str
    settled_at: datetime | None
    settled_by: str
    reason: str


@dataclass(frozen=True, slots=True)
class Totals:
    """The head of the recordings' page."""

    kept: int
    seconds: float
    uncopied: int
    damaged: int
    repaired: int
    gaps: int
    strange: int


def _row(r: Recording) -> RecordingRow:
    return RecordingRow(
        id=r.pk, call_id=str(r.call.call_id) if r.call else None, leg_id=r.leg_id, track=r.track, track_label=r.get_track_display(),
        place=r.place, started_at=r.started_at, seconds=r.seconds, bytes=r.bytes, silent=r.silent, state=r.state,
        state_label=r.get_state_display(), fault_label=FAULTS.get(r.fault, r.fault) if r.fault else "", sm3=r.digest,
        kept_at=r.kept_at, keep_until=r.keep_until, hold_reason=r.hold_reason, copied_at=r.copied_at, copied_to=r.copied_to,
        checked_at=r.checked_at, deleted_at=r.deleted_at, deleted_why=r.deleted_why,
    )  # fmt: skip


def recording(recording_id: int) -> Recording:
    """One recording; Recording.DoesNotExist when there is none in the asker's scope."""
    return Recording.objects.select_related("call").get(pk=recording_id)


def row(recording_id: int) -> RecordingRow:
    """The same, as pages and machines see it."""
    return _row(recording(recording_id))


def took(recording: Recording, user_id: int | None) -> bool:
    """Whether this user spoke in that call; a seat that only rang heard nothing and hears nothing afterwards."""
    if recording.call is None or user_id is None:
        return False
    return (
        recording.call.user_id == user_id
        or recording.call.legs.filter(user_id=user_id, answered_at__isnull=False).exists()
    )


def of_calls(call_ids: Iterable[str]) -> dict[str, list[RecordingRow]]:
    """The recordings of many calls by the call's own number; the mixed one first."""
    found: dict[str, list[RecordingRow]] = {}
    rows = Recording.objects.select_related("call").filter(call__call_id__in=list(call_ids))
    order = {"mixed": 0, "bridge": 1, "in": 2, "out": 3}
    for r in sorted(rows, key=lambda r: (r.started_at, order.get(r.track, 9))):
        found.setdefault(str(r.call.call_id), []).append(_row(r))  # type: ignore[union-attr]
    return found


def page(
    *, limit: int = 50, before_id: int | None = None, call_id: str = "", since: datetime | None = None, until: datetime | None = None,
    only: str = "", track: str = "",
) -> list[RecordingRow]:  # fmt: skip
    """Recordings, the newest first. `only`: unclaimed, repaired, silent, bad, held, uncopied, deleted."""
    wanted = Q()
    for name, value in (
        ("pk__lt", before_id),
        ("started_at__gte", since),
        ("started_at__lt", until),
        ("call__call_id", call_id),
        ("track", track),
    ):
        if value:
            wanted &= Q(**{name: value})
    wanted &= {
        "unclaimed": Q(call=None), "repaired": ~Q(fault=""), "silent": Q(peak__lt=40), "bad": Q(state__in=["damaged", "gone"]),
        "held": ~Q(hold_reason=""), "uncopied": Q(copied_at=None, state="kept"), "deleted": Q(state="deleted"),
    }.get(only, Q())  # fmt: skip
    return [_row(r) for r in Recording.objects.select_related("call").filter(wanted).order_by("-pk")[:limit]]


def gaps(*, open_only: bool = True, limit: int = 50) -> list[GapRow]:
    """Answered calls without a recording, the newest first."""
    rows = Gap.objects.select_related("call").order_by("-found_at")
    if open_only:
        rows = rows.filter(settled_at=None)
    return [
        GapRow(
            g.pk, str(g.call.call_id), g.call.answered_at or g.found_at, g.found_at, g.place, g.settled_at, g.settled_by, g.reason
        )
        for g in rows[:limit]
    ]  # fmt: skip


def strange(limit: int = 50) -> list[Strange]:
    """Files that nobody could read."""
    return list(Strange.objects.all()[:limit])


def totals() -> Totals:
    """Counts of the asker's places."""
    kept = Recording.objects.filter(state="kept")
    said = kept.aggregate(
        n=Count("pk"), seconds=Sum("seconds", filter=Q(track="mixed")), uncopied=Count("pk", filter=Q(copied_at=None)),
        repaired=Count("pk", filter=~Q(fault="")),
    )  # fmt: skip
    bad = Recording.objects.filter(state__in=["damaged", "gone"]).count()
    return Totals(
        said["n"], said["seconds"] or 0.0, said["uncopied"], bad, said["repaired"], Gap.objects.filter(settled_at=None).count(),
        Strange.objects.count(),
    )  # fmt: skip


def copy_label() -> str:
    """Where copies go; "" when no second storage is named."""
    store = folders.second()
    return store.label if store else ""


def by_ticket(ticket: str, user_id: int | None) -> Recording | None:
    """The recording that this user's ticket opens, for four hours; None for a wrong, old or foreign one."""
    try:
        said = signing.TimestampSigner(salt=SALT).unsign(ticket, max_age=TICKET_SECONDS)
        recording_id, _, owner = said.partition(":")
    except signing.BadSignature:
        return None
    if owner != str(user_id):
        return None
    return Recording.objects.filter(pk=int(recording_id)).exclude(state="deleted").first()


@dataclass(slots=True)
class Sound:
    """The bytes of one recording as a WAV file, with or without a mark at its end; any range of them."""

    row: Recording
    mark: bytes = b""

    @property
    def length(self) -> int:
        """Bytes of the whole file."""
        return self.row.bytes + self._pad + len(self.mark)

    @property
    def _pad(self) -> int:
        return self.row.bytes % 2 if self.mark else 0

    def read(self, start: int, length: int) -> Iterator[bytes]:
        """At most `length` bytes from `start`. vault.Unreadable when the file was touched, FileNotFoundError when it is gone."""
        with vault.open_sealed(folders.kept() / self.row.file, folders.keys()) as sealed:
            end, at = start + length, start
            if self.mark and at < 8:  # the file's own length counts the mark too
                head = bytearray(b"".join(sealed.read(0, 8)))
                head[4:8] = (self.length - 8).to_bytes(4, "little")
                yield bytes(head[at : min(8, end)])
                at = 8
            if at < min(end, self.row.bytes):
                yield from sealed.read(at, min(end, self.row.bytes) - at)
                at = min(end, self.row.bytes)
            if end > self.row.bytes and self.mark:
                tail = b"\0" * self._pad + self.mark
                yield tail[at - self.row.bytes : end - self.row.bytes]


def sound(recording: Recording, mark: bytes = b"") -> Sound:
    """What is played or downloaded."""
    return Sound(recording, mark)


def may_hear(roles: Collection[str], *, own: bool = False) -> bool:
    """Whether a play button is shown at all."""
    return rules.may_hear(roles, own=own)
