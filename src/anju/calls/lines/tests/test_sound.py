"""Prompts: every sentence has its sound, an upload is brought into shape or refused with a reason."""

from __future__ import annotations

import io
import math
import shutil
import wave
from array import array

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from anju.calls.lines import sound, speech


def tone(hertz: float = 440, seconds: float = 1.0, rate: int = 8000, height: float = 0.3) -> array:
    return array(
        "h", (round(32767 * height * math.sin(2 * math.pi * hertz * n / rate)) for n in range(round(seconds * rate)))
    )


def wav(samples: array, rate: int = 8000, channels: int = 1, width: int = 2) -> bytes:
    out = io.BytesIO()
    with wave.open(out, "wb") as made:
        made.setnchannels(channels)
        made.setsampwidth(width)
        made.setframerate(rate)
        made.writeframes(samples.tobytes())
    return out.getvalue()


def strength(samples: array, hertz: float, rate: int = 8000) -> float:
    """How much of a tone is in there (Goertzel), 1 = all of it."""
    w = 2 * math.pi * hertz / rate
    re = sum(s * math.cos(w * n) for n, s in enumerate(samples))
    im = sum(s * math.sin(w * n) for n, s in enumerate(samples))
    power = sum(s * s for s in samples) or 1
    return 2 * (re * re + im * im) / (len(samples) * power)


@pytest.mark.req("CALL-13")
def test_every_sentence_has_a_sound_of_telephone_kind_and_one_loudness() -> None:
    for code in speech.PROMPTS:
        content = (speech.FOLDER / f"{code}.wav").read_bytes()
        with wave.open(io.BytesIO(content)) as made:
            assert (made.getframerate(), made.getnchannels(), made.getsampwidth()) == (8000, 1, 2), code
        samples, _ = sound.read(content)
        assert 0.5 < len(samples) / 8000 < 25, code
        assert -26 < sound.loudness(samples) < -15, code
    rescue, _ = sound.read((speech.FOLDER / "rescue_wait.wav").read_bytes())
    assert len(rescue) / 8000 < 7, "seats ring meanwhile, but nobody in need wants a speech"
    tune, _ = sound.read((speech.FOLDER / "tune.wav").read_bytes())
    assert len(tune) / 8000 > 10
    assert sound.loudness(tune) < -28


@pytest.mark.req("CALL-13")
def test_an_upload_of_any_usual_kind_becomes_eight_kilohertz_and_keeps_its_voice() -> None:
    studio = tone(1000, 1.5, 44100)
    stereo = array("h", (v for s in studio for v in (s, s)))
    for content in (wav(studio, 44100), wav(stereo, 44100, channels=2), wav(tone(1000, 1.5))):
        samples, rate = sound.read(sound.prompt_of(content))
        assert rate == 8000
        assert abs(len(samples) / 8000 - 1.5) < 0.02
        assert strength(samples, 1000) > 0.95
        assert abs(sound.loudness(samples) - sound.TARGET) < 1
    shrill, _ = sound.read(sound.write(sound.resample(tone(9000, 0.5, 44100), 44100)))
    assert sound.loudness(shrill) < sound.loudness(tone(9000, 0.5, 44100)) - 30, (
        "what a telephone can't carry is taken out"
    )


REFUSED = [
    (b"ID3 no wav at all", "WAV"),
    (wav(tone(seconds=0.1)), "至少"),
    (wav(tone(seconds=95)), "最长"),
    (wav(tone(height=0.0005)), "太轻"),
    (wav(array("h", [32767, -32768] * 8000)), "爆音"),
    (wav(tone(), rate=4000), "kHz"),
]


@pytest.mark.parametrize(("content", "word"), REFUSED, ids=[w for _, w in REFUSED])
def test_an_upload_that_nobody_could_hear_is_refused_with_what_to_do(content: bytes, word: str) -> None:
    with pytest.raises(sound.UnusableSound, match=word):
        sound.prompt_of(content)


@settings(max_examples=25)
@given(
    st.lists(st.integers(-32768, 32767), min_size=1, max_size=400), st.sampled_from([8000, 11025, 16000, 22050, 48000])
)
def test_resampling_never_overflows_and_keeps_the_length(values: list[int], rate: int) -> None:
    out = sound.resample(array("h", values), rate)
    assert abs(len(out) - len(values) * 8000 / rate) <= 1
    assert sound.read(sound.write(out))[0] == out
    assert max(map(abs, sound.level_out(out)), default=0) <= 32768


@pytest.mark.req("CALL-13")
def test_sentences_are_given_to_the_voice_in_pinyin_digit_by_digit() -> None:
    said = speech.pinyin("能赶去请按1，带钥匙按2。")
    assert "yi1" in said
    assert "er4" in said
    assert "," in said
    assert "." in said
    assert not any("一" <= c <= "鿿" for c in said), "the voice reads characters as English"


@pytest.mark.telephony
def test_free_text_is_read_aloud_once_and_kept(tmp_path) -> None:
    assert shutil.which("espeak-ng")
    first = speech.rendered("门禁 2580，三楼右手边。", tmp_path)
    samples, _ = sound.read(first.read_bytes())
    assert len(samples) / 8000 > 1.5
    assert abs(sound.loudness(samples) - sound.TARGET) < 3
    made_at = first.stat().st_mtime_ns
    assert speech.rendered("门禁 2580，三楼右手边。", tmp_path).stat().st_mtime_ns == made_at
    assert speech.rendered("别的话", tmp_path) != first


def test_without_the_voice_the_reason_is_said(monkeypatch, tmp_path) -> None:
    monkeypatch.setattr(shutil, "which", lambda _program: None)
    with pytest.raises(speech.NoVoice, match="espeak-ng"):
        speech.rendered("你好", tmp_path)
    assert not speech.has_voice()
