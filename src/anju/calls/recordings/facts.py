"""What recordings announce."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class RecordingTrouble:
    """Something is wrong with the recordings: `kind` is no_recording | recording_bad | copy_late | disk_low; `text` for the leads."""

    kind: str
    subject: str
    text: str


@dataclass(frozen=True, slots=True)
class RecordingTroubleOver:
    """That trouble is over."""

    kind: str
    subject: str


@dataclass(frozen=True, slots=True)
class RecordingKept:
    """A call's recording of record was taken in and sealed."""

    recording_id: int
    call_id: str
    seconds: float
