"""Sound for telephones: WAV in, 8 kHz 16-bit mono WAV out, with one loudness. Pure: the standard library only.

Levels are in dBFS (0 is the loudest a file can be). Speech in a telephone network is sent at about -20 dBFS.
"""

from __future__ import annotations

import io
import math
import sys
import wave
from array import array
from collections.abc import Sequence
from operator import mul
from pathlib import Path

RATE = 8000
TARGET = -20.0
PEAK = -3.0
SHORTEST, LONGEST = 0.3, 90.0
QUIETEST = -45.0
MOST_BYTES = 30 * 1024 * 1024
_TAPS = 24


class UnusableSound(ValueError):
    """This file can't be a prompt; the message says in Chinese why and what to do."""


def prompt_of(content: bytes) -> bytes:
    """A WAV that somebody uploaded, as a prompt: checked, mixed to mono, resampled, brought to the common loudness."""
    samples, rate = read(content)
    seconds = len(samples) / rate
    if seconds < SHORTEST:
        raise UnusableSound(f"录音只有 {seconds:.1f} 秒，至少要 {SHORTEST} 秒。请重新录制。")
    if seconds > LONGEST:
        raise UnusableSound(f"录音有 {seconds:.0f} 秒，最长 {LONGEST:.0f} 秒。请剪短再上传。")
    level = loudness(samples)
    if level < QUIETEST:
        raise UnusableSound(f"录音太轻（{level:.0f} dBFS）。请靠近话筒重新录制。")
    if sum(1 for s in samples if abs(s) >= 32760) > max(50, len(samples) // 200):
        raise UnusableSound("录音爆音太多。请调低录音音量重新录制。")
    return write(level_out(resample(samples, rate)))


def read(content: bytes) -> tuple[array[int], int]:
    """The samples (mono) and their rate; UnusableSound when it is no PCM WAV of a usual kind."""
    if len(content) > MOST_BYTES:
        raise UnusableSound("文件超过 30 MB。请上传 90 秒以内的录音。")
    try:
        with wave.open(io.BytesIO(content)) as sound:
            channels, width, rate, count = (
                sound.getnchannels(),
                sound.getsampwidth(),
                sound.getframerate(),
                sound.getnframes(),
            )
            raw = sound.readframes(count)
    except (wave.Error, EOFError) as error:
        raise UnusableSound("只收 WAV（PCM）格式。请用录音软件另存为 WAV 再上传。") from error
    if channels not in {1, 2} or width not in {1, 2, 3} or not 8000 <= rate <= 96000:
        raise UnusableSound("只收 8–96 kHz、8/16/24 位、单声道或立体声的 WAV。请另存后再上传。")
    samples = _sixteen_bit(raw, width)
    if channels == 2:
        samples = array("h", ((a + b) // 2 for a, b in zip(samples[::2], samples[1::2], strict=False)))
    return samples, rate


def write(samples: Sequence[int], rate: int = RATE) -> bytes:
    """A 16-bit mono WAV."""
    out = io.BytesIO()
    raw = array("h", samples)
    if sys.byteorder == "big":
        raw.byteswap()
    with wave.open(out, "wb") as sound:
        sound.setnchannels(1)
        sound.setsampwidth(2)
        sound.setframerate(rate)
        sound.writeframes(raw.tobytes())
    return out.getvalue()


def loudness(samples: Sequence[int]) -> float:
    """Level of the parts in which somebody speaks, in dBFS: 20 ms windows that are not near silence."""
    window = 160
    powers = [
        sum(map(mul, part, part)) / len(part)
        for start in range(0, len(samples), window)
        if (part := samples[start : start + window])
    ]
    loudest = max(powers, default=0.0)
    spoken = [p for p in powers if p > loudest / 1000] or [0.0]
    mean = sum(spoken) / len(spoken)
    return 10 * math.log10(mean / 32768**2) if mean > 0 else -120.0


def level_out(samples: Sequence[int], target: float = TARGET, peak: float = PEAK) -> array[int]:
    """The same sound at the common loudness, never above `peak`."""
    if not samples:
        return array("h")
    gain = 10 ** ((target - loudness(samples)) / 20)
    top = max(1, *map(abs, samples))
    gain = min(gain, 32768 * 10 ** (peak / 20) / top)
    return array("h", (max(-32768, min(32767, round(s * gain))) for s in samples))


def resample(samples: Sequence[int], rate: int, to: int = RATE) -> array[int]:
    """Another sampling rate, by a windowed sinc (what lies above the new band is taken out)."""
    if rate == to:
        return array("h", samples)
    common = math.gcd(rate, to)
    up, down = to // common, rate // common
    cut = min(1.0, to / rate) * 0.94
    half = math.ceil(_TAPS / cut)
    phases = [_taps(phase / up, half, cut) for phase in range(up)]
    padded = array("h", [0] * half) + array("h", samples) + array("h", [0] * (half + 1))
    out = array("h")
    for n in range(len(samples) * up // down):
        whole, phase = divmod(n * down, up)
        total = sum(map(mul, phases[phase], padded[whole : whole + 2 * half + 1]))
        out.append(max(-32768, min(32767, round(total))))
    return out


def _taps(offset: float, half: int, cut: float) -> list[float]:
    """Weights of the neighbours of a point that lies `offset` behind a sample."""
    taps = []
    for k in range(-half, half + 1):
        x = k - offset
        sinc = cut if x == 0 else math.sin(math.pi * cut * x) / (math.pi * x)
        taps.append(sinc * (0.5 + 0.5 * math.cos(math.pi * x / (half + 1))))
    total = sum(taps)
    return [t / total for t in taps]


def _sixteen_bit(raw: bytes, width: int) -> array[int]:
    if width == 1:
        return array("h", ((b - 128) << 8 for b in raw))
    if width == 3:
        raw = b"".join(raw[i + 1 : i + 3] for i in range(0, len(raw) - 2, 3))
    samples = array("h", raw[: len(raw) // 2 * 2])
    if sys.byteorder == "big":
        samples.byteswap()
    return samples


_TUNE = ((0, 392.0), (1, 440.0), (2, 523.25), (4, 587.33), (6, 523.25), (7, 440.0), (8, 392.0), (10, 329.63), (12, 293.66),
         (13, 329.63), (14, 392.0), (16, 440.0), (18, 392.0), (19, 329.63), (20, 293.66), (22, 261.63), (24, 293.66), (26, 329.63),
         (28, 261.63))  # fmt: skip
"""Beats and tones of the melody that waiting callers hear: five tones, our own, nobody's property."""


def tune(beat: float = 0.5, level: float = -32.0) -> bytes:
    """Music for those who wait: quiet, soft, about a quarter of a minute, made to be repeated."""
    total = [0.0] * round(32 * beat * RATE)
    for at, tone in _TUNE:
        start, length = round(at * beat * RATE), round(3 * beat * RATE)
        for n in range(min(length, len(total) - start)):
            t = n / RATE
            swell = min(1.0, t / 0.04) * math.exp(-1.9 * t) * (1 - n / length)
            angle = 2 * math.pi * tone * t
            total[start + n] += swell * (math.sin(angle) + 0.25 * math.sin(2 * angle))
    top = max(map(abs, total))
    return write(level_out([round(v / top * 20000) for v in total], target=level))


def save(path: Path, content: bytes) -> None:
    """Write a sound file as a whole."""
    draft = path.with_suffix(".part")
    draft.write_bytes(content)
    draft.replace(path)
