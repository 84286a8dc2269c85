"""Sound that proves who was heard: every party is a tone. 8 kHz, 16 bit, mono."""

from __future__ import annotations

import math
import struct
import wave
from collections.abc import Iterable, Sequence
from functools import lru_cache
from pathlib import Path

RATE = 8000
_LOUD = 6000


@lru_cache(maxsize=256)
def second_of(tones: frozenset[int]) -> bytes:
    """One second in which these tones (Hz, whole numbers: a second ends where it began) sound together."""
    if not tones:
        return bytes(2 * RATE)
    loud = _LOUD / max(1, len(tones)) ** 0.5
    return struct.pack(
        f"<{RATE}h", *(round(sum(loud * math.sin(2 * math.pi * f * n / RATE) for f in tones)) for n in range(RATE))
    )


def write(path: Path, parts: Iterable[tuple[float, frozenset[int]]]) -> float:
    """Write the parts (seconds, tones) one after another; the length in seconds."""
    path.parent.mkdir(parents=True, exist_ok=True)
    frames = 0
    with wave.open(str(path), "wb") as out:
        out.setnchannels(1)
        out.setsampwidth(2)
        out.setframerate(RATE)
        for seconds, tones in parts:
            left = round(seconds * RATE)
            frames += left
            whole = second_of(tones)
            while left > 0:
                out.writeframesraw(whole[: 2 * min(left, RATE)])
                left -= RATE
    return frames / RATE


def strength(samples: Sequence[int], tone: int) -> float:
    """How loud a tone is in the samples (Goertzel); about the amplitude of the sine that is in it."""
    if not samples:
        return 0.0
    turn = 2 * math.cos(2 * math.pi * tone / RATE)
    one = two = 0.0
    for sample in samples:
        one, two = sample + turn * one - two, one
    return 2 * math.sqrt(max(one * one + two * two - turn * one * two, 0.0)) / len(samples)


def heard(samples: Sequence[int], tones: Iterable[int], *, above: float = 250) -> frozenset[int]:
    """Which of the tones are in the samples; at most the first two seconds are looked at."""
    some = samples[: 2 * RATE]
    return frozenset(tone for tone in tones if strength(some, tone) > above)


def samples_of(path: Path, since: float = 0.0, seconds: float = 2.0) -> tuple[int, ...]:
    """A piece of a WAV file."""
    with wave.open(str(path), "rb") as sound:
        sound.setpos(min(sound.getnframes(), round(since * sound.getframerate())))
        data = sound.readframes(round(seconds * sound.getframerate()))
    return struct.unpack(f"<{len(data) // 2}h", data)
