"""A conversation that says nothing: two voices in turn, made of vowels, so that a demo recording can be played.

No person was recorded and no text is read: syllables are tones at the resonances of a mouth. 8 kHz, 16 bit, mono.
"""

from __future__ import annotations

import io
import math
import struct
import wave
from functools import lru_cache
from random import Random
from typing import Final

RATE: Final = 8000
VOWELS: Final = ((730, 1090), (530, 1840), (390, 1990), (570, 840), (440, 1020))
"""Resonances in Hz of a, e, i, o, u."""
VOICES: Final = (118, 205)
"""Pitch in Hz: the caller, an old man; the agent, a woman."""
_LOUD: Final = 5200


@lru_cache(maxsize=64)
def syllable(pitch: int, vowel: int, milliseconds: int) -> bytes:
    """One syllable: harmonics of the pitch, those near the vowel's resonances louder, swelling and fading."""
    count = RATE * milliseconds // 1000
    first, second = VOWELS[vowel]
    parts = [
        (n * pitch, math.exp(-(((n * pitch - first) / 180) ** 2)) + 0.6 * math.exp(-(((n * pitch - second) / 220) ** 2)) + 0.03)
        for n in range(1, 3000 // pitch)
    ]  # fmt: skip
    whole = sum(weight for _, weight in parts)
    samples = (
        _LOUD * math.sin(math.pi * i / count) ** 0.6
        * sum(w * math.sin(2 * math.pi * f * i / RATE) for f, w in parts) / whole * 1.8
        for i in range(count)
    )  # fmt: skip
    return struct.pack(f"<{count}h", *(max(-32000, min(32000, round(s))) for s in samples))


def conversation(seconds: float, seed: int) -> bytes:
    """A WAV of that length: turns of one to three seconds, pauses between."""
    dice, out = Random(seed), bytearray()
    whole, turn = round(seconds * RATE) * 2, 1
    while len(out) < whole:
        for _ in range(dice.randint(4, 12)):
            out += syllable(VOICES[turn], dice.randrange(len(VOWELS)), dice.choice((140, 180, 240)))
            out += bytes(2 * RATE * dice.choice((0, 40, 90)) // 1000)
        out += bytes(2 * (RATE * dice.randint(350, 900) // 1000))
        turn = 1 - turn
    made = io.BytesIO()
    with wave.open(made, "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(RATE)
        file.writeframes(bytes(out[:whole]))
    return made.getvalue()
