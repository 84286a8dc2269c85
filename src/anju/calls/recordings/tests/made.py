"""Calls and sound files as the engine leaves them."""

from __future__ import annotations

import io
import math
import os
import struct
import uuid
import wave
from datetime import datetime, timedelta
from pathlib import Path

import pgtrigger

from anju.calls.models import Call, Leg
from anju.kernel import clock

PLACE = "330199001001"


def tone(seconds: float = 2.0, hertz: float = 440, loud: int = 8000) -> bytes:
    """Samples of a tone, 8 kHz, 16 bit."""
    count = int(seconds * 8000)
    return struct.pack(f"<{count}h", *(int(loud * math.sin(2 * math.pi * hertz * n / 8000)) for n in range(count)))


def wav_of(samples: bytes) -> bytes:
    """A closed file."""
    out = io.BytesIO()
    with wave.open(out, "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(8000)
        file.writeframes(samples)
    return out.getvalue()


def unfinished(samples: bytes) -> bytes:
    """The same file after the engine was killed: its header says nothing."""
    whole = wav_of(samples)
    return whole[:4] + struct.pack("<I", 36) + whole[8:40] + struct.pack("<I", 0) + whole[44:]


def a_call(
    *, at: datetime | None = None, wait: float | None = 4, talk: float = 60, direction: str = "in", place: str = PLACE, user_id: int | None = None,
    seat: str = "1017", exchange: str = "asterisk", over: bool = True, **given: object,
) -> Call:  # fmt: skip
    """A call of the past with its caller's leg and, when answered (`wait` is not None), its agent's."""
    at = at or clock.now() - timedelta(minutes=20)
    answered = at + timedelta(seconds=wait) if wait is not None else None
    patience = float(given.pop("patience", 12))
    ended = answered + timedelta(seconds=talk) if answered else at + timedelta(seconds=patience)
    with pgtrigger.ignore("calls.Call:guard_call"):
        call = Call.objects.create(
            state="ended" if over else "talking", place=place, direction=direction, purpose="service_in" if direction == "in" else "other",
            whom="", number="13900001111", exchange=exchange, planned_at=at, answered_at=answered, ended_at=ended if over else None,
            result="answered" if answered else "abandoned", user_id=user_id, **given,
        )  # fmt: skip
    Leg.objects.create(
        call=call, leg_id=f"{at.timestamp():.0f}.{uuid.uuid4().hex[:6]}", role="caller", endpoint="trunk", planned_at=at, ringing_at=at,
        answered_at=at, ended_at=call.ended_at,
    )  # fmt: skip
    if answered:
        Leg.objects.create(
            call=call, leg_id=str(uuid.uuid4()), role="agent", endpoint=f"seat:{seat}", user_id=user_id, seat=seat, planned_at=at,
            ringing_at=at, answered_at=answered, ended_at=call.ended_at, result="answered",
        )  # fmt: skip
    return call


def put(folder: Path, name: str, data: bytes, *, age: timedelta = timedelta(minutes=2)) -> Path:
    """A file in the engine's folder that was last written so long ago."""
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(data)
    when = (clock.now() - age).timestamp()
    os.utime(path, (when, when))
    return path


def caller_leg(call: Call) -> str:
    """The engine's name of the caller's channel, under which the call is recorded."""
    return call.legs.get(role="caller").leg_id
