"""From a file of the engine to a sealed recording: read, mended, sealed, read back, stored as a row, and only then removed."""

from __future__ import annotations

import hashlib
from array import array
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from django.db import IntegrityError, transaction

from anju.calls.models import Leg
from anju.calls.recordings import places as folders
from anju.calls.recordings import rules, vault, wav
from anju.calls.recordings.facts import RecordingKept
from anju.calls.recordings.models import Gap, Recording, Strange
from anju.calls.recordings.stores import sha256_of
from anju.devices.models import RECEIVING_DISTRICT
from anju.kernel import clock
from anju.kernel.changes import changed
from anju.kernel.facts import announce
from anju.places import queries as places


@dataclass(slots=True)
class Heard:
    """What is learnt of the sound while it passes."""

    digest: str = ""
    peak: int = 0
    bytes: int = 0


class _Ear:
    """Counts, hashes and measures blocks on their way."""

    def __init__(self, sound: wav.Layout) -> None:
        self._sm3, self._sixteen, self.heard = hashlib.new("sm3"), sound.width == 2, Heard()
        self._odd = b""
        self._skip = sound.start if sound.fault == wav.SOUND else wav.HEADER

    def passing(self, blocks: Iterator[bytes]) -> Iterator[bytes]:
        for block in blocks:
            self._sm3.update(block)
            self.heard.bytes += len(block)
            if self._sixteen:
                self._measure(block)
            yield block
        self.heard.digest = self._sm3.hexdigest()

    def _measure(self, block: bytes) -> None:
        if self._skip:
            block, self._skip = block[self._skip :], max(0, self._skip - len(block))
        data = self._odd + block
        even = len(data) - len(data) % 2
        self._odd = data[even:]
        if samples := array("h", data[:even]):
            self.heard.peak = max(self.heard.peak, *samples, -min(samples))


def candidates() -> list[Path]:
    """Files in the engine's folder, the oldest first."""
    folder = folders.incoming()
    found = [*folder.glob("*.wav"), *(folder / "bridge").glob("*.wav")] if folder.is_dir() else []
    return sorted(found, key=_touched)


def _touched(path: Path) -> float:
    try:
        return path.stat().st_mtime
    except FileNotFoundError:
        return 0.0


def take_ready(limit: int = 500) -> tuple[list[Recording], list[str]]:
    """Take in every finished file, and what stood in the way of others (they are tried again); none waits for another.

    A file that cannot be read is noted and left where it is.
    """
    taken: list[Recording] = []
    failed: list[str] = []
    for path in candidates():
        if len(taken) >= limit or len(failed) >= limit:
            break
        leg_id, track = leg_and_track(path)
        leg = Leg.unscoped.filter(leg_id=leg_id).select_related("call").first()
        over = None if leg is None else (leg.ended_at or leg.call.ended_at) is not None
        touched = datetime.fromtimestamp(_touched(path), UTC)
        if not rules.finished(closed=wav.is_closed(path), touched=touched, call_over=over, now=clock.now()):
            continue
        try:
            taken.append(take(path, leg_id, track, leg))
        except wav.NotWav as problem:
            _strange(path, leg, str(problem))
        except FileNotFoundError:  # another worker was faster
            continue
        except (OSError, ValueError) as problem:  # a full disk, a file that grew, a sealed one that can't be read back
            failed.append(f"{path.name}：{problem}")
    return taken, failed


def leg_and_track(path: Path) -> tuple[str, str]:
    """Which leg a file is of; a bridge's recording has the bridge's name."""
    if path.parent.name == "bridge":
        return path.stem[:64], Recording.Track.BRIDGE.value
    leg_id, track = rules.track_of(path.stem)
    return leg_id[:64], track


def take(path: Path, leg_id: str, track: str, leg: Leg | None) -> Recording:
    """Seal one file. After a crash at any point it is simply done again: the plain file goes last."""
    row = Recording.unscoped.filter(leg_id=leg_id, track=track).first()
    with path.open("rb") as file:
        sound = wav.layout(file, path.stat().st_size)
        if row is not None:
            return _again(row, path, file, sound)
        started = _started(path, sound, leg, track)
        target = folders.kept() / (name := folders.name_for(leg_id, track, started))
        ear = _Ear(sound)
        length = sum(len(b) for b in wav.mended(file, sound))
        vault.seal(ear.passing(wav.mended(file, sound)), length, target, folders.keys())
    _read_back(target, ear.heard.digest)
    place = leg.call.place if leg else RECEIVING_DISTRICT
    policy = places.policy_for(place)
    now = clock.now()
    row = Recording(
        call=leg.call if leg else None, leg_id=leg_id, track=track, place=place, started_at=started, seconds=round(sound.seconds, 2),
        bytes=ear.heard.bytes, peak=ear.heard.peak, fault=sound.fault, digest=ear.heard.digest, file=name,
        sealed_bytes=target.stat().st_size, sealed_sha256=sha256_of(target), kept_at=now, checked_at=now,
        keep_until=rules.keep_until(clock.local(started).date(), policy.seconds[rules.KEEP]), policy_version=policy.version[:80],
    )  # fmt: skip
    try:
        with transaction.atomic():
            row.save()
            _note(row)
    except IntegrityError:  # another worker took the same file in at the same time: its row stands
        return Recording.unscoped.get(leg_id=leg_id, track=track)
    path.unlink(missing_ok=True)
    return row


def _note(row: Recording) -> None:
    if row.call_id is None:
        return
    if not row.of_record:
        changed("call", str(row.call.call_id), row.place)  # type: ignore[union-attr]
        return
    Gap.unscoped.filter(call_id=row.call_id, settled_at=None).update(
        settled_at=clock.now(), settled_by="系统", reason="录音已找到"
    )
    if row.call is not None:
        changed("call", str(row.call.call_id), row.place)
        if row.track == Recording.Track.MIXED:
            announce(RecordingKept(row.pk, str(row.call.call_id), row.seconds))


def _again(row: Recording, path: Path, file: object, sound: wav.Layout) -> Recording:
    """The row is there but the plain file too: a crash came between, or the engine wrote on. Equal files go, others stay and are named."""
    ear = _Ear(sound)
    for _ in ear.passing(wav.mended(file, sound)):  # type: ignore[arg-type]
        pass
    if ear.heard.digest == row.digest:
        path.unlink(missing_ok=True)
    else:
        _strange(path, None, f"与已入库的录音 {row.pk} 同名而内容不同", row.place)
    return row


def _read_back(target: Path, digest: str) -> None:
    with vault.open_sealed(target, folders.keys()) as sealed:
        check = hashlib.new("sm3")
        for block in sealed.read():
            check.update(block)
    if check.hexdigest() != digest:
        raise vault.Unreadable(f"{target.name} 封存后读回不符")


def _started(path: Path, sound: wav.Layout, leg: Leg | None, track: str) -> datetime:
    """When it began: the call's arrival for its first party, else the file's last write less its length."""
    if leg is not None and track != Recording.Track.BRIDGE:
        return leg.answered_at or leg.ringing_at or leg.planned_at
    return datetime.fromtimestamp(_touched(path), UTC) - timedelta(seconds=sound.seconds)


def _strange(path: Path, leg: Leg | None, problem: str, place: str = "") -> None:
    Strange.unscoped.get_or_create(
        name=path.name[:200],
        defaults={
            "place": leg.call.place if leg else place or RECEIVING_DISTRICT, "bytes": path.stat().st_size, "problem": problem[:200],
            "found_at": clock.now(),
        },
    )  # fmt: skip
