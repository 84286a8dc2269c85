"""Files as a crash leaves them: real WAV files, cut, zeroed and truncated."""

from __future__ import annotations

import io
import struct
import wave

import pytest
from hypothesis import given
from hypothesis import strategies as st

from anju.calls.recordings import wav

pytestmark = pytest.mark.req("CALL-04")


def recorded(samples: bytes, rate: int = 8000, channels: int = 1) -> bytes:
    """A file as Python's own library writes it."""
    out = io.BytesIO()
    with wave.open(out, "wb") as file:
        file.setnchannels(channels)
        file.setsampwidth(2)
        file.setframerate(rate)
        file.writeframes(samples)
    return out.getvalue()


def look(data: bytes) -> wav.Layout:
    return wav.layout(io.BytesIO(data), len(data))


def mend(data: bytes) -> bytes:
    return b"".join(wav.mended(io.BytesIO(data), look(data)))


def played(data: bytes) -> tuple[int, bytes]:
    """What another program hears in it: frames per second, samples."""
    with wave.open(io.BytesIO(data)) as file:
        return file.getframerate(), file.readframes(file.getnframes())


TONE = bytes(range(256)) * 125  # 32,000 bytes: two seconds


def test_a_closed_file_is_left_as_it_is():
    whole = recorded(TONE)
    assert (look(whole).fault, look(whole).seconds) == ("", 2.0)
    assert mend(whole) == whole
    stereo = recorded(TONE, 16000, 2)
    assert (look(stereo).seconds, mend(stereo) == stereo) == (0.5, True)


def test_after_a_kill_the_header_says_nothing_and_everything_is_there():
    """telephony.md §3: after kill -9 a file of 196,652 bytes shows 0.00 s."""
    whole = recorded(TONE)
    killed = whole[:4] + struct.pack("<I", 36) + whole[8:40] + struct.pack("<I", 0) + whole[44:]
    assert (look(killed).fault, look(killed).seconds) == ("unfinished", 2.0)
    assert played(mend(killed)) == (8000, TONE)
    assert look(mend(killed)).fault == ""


@pytest.mark.parametrize("size", [0xFFFFFFFF, 0x7FFFFFFF, 40_000])
def test_a_header_that_promises_more_than_there_is(size):
    whole = recorded(TONE)
    cut = whole[:40] + struct.pack("<I", size) + whole[44:-7]
    assert look(cut).fault in {"cut_short", "unfinished"}
    assert played(mend(cut)) == (8000, TONE[:-7] + b"\0")  # a half sample is filled up, not thrown away


def test_zeroed_and_cut_headers_are_made_anew():
    whole = recorded(TONE)
    zeroed = bytes(44) + whole[44:]
    assert (look(zeroed).fault, played(mend(zeroed))) == ("header_lost", (8000, TONE))
    for lost in (1, 8, 12, 20, 36):
        assert played(mend(whole[lost:])) == (8000, TONE), lost
    for left in (0, 1, 4, 12, 20, 43, 44):
        short = whole[:left]
        assert (look(short).fault, look(short).length) == ("empty", 0), left
    with pytest.raises(wav.NotWav):
        look(b"#!AMR\n" + bytes(range(1, 200)))
    with pytest.raises(wav.NotWav):
        look(b"RIFF\x10\0\0\0AVI LIST")


def test_other_chunks_before_and_after_the_samples_are_no_damage():
    whole = recorded(TONE)
    info = b"LIST" + struct.pack("<I", 4) + b"INFO"
    before = whole[:12] + info + whole[12:]
    assert (look(before).seconds, played(mend(before))) == (2.0, (8000, TONE))
    after = whole[:4] + struct.pack("<I", len(whole) - 8 + len(info)) + whole[8:] + info
    assert (look(after).fault, look(after).length, mend(after) == after) == ("", len(TONE), True)
    grown = whole + TONE[:100]  # written on after the header was
    assert played(mend(grown)) == (8000, TONE + TONE[:100])


@given(samples=st.binary(min_size=1, max_size=3000), claim=st.integers(0, 2**32 - 1), cut=st.integers(0, 60))
def test_no_sample_is_ever_lost_or_invented(samples, claim, cut):
    """Whatever length the header claims and wherever the file ends: the mended file holds exactly the bytes that were there."""
    whole = recorded(samples + b"\0" * (len(samples) % 2))[:40] + struct.pack("<I", claim) + samples
    kept = whole[: max(45, len(whole) - cut)]
    there = kept[44:]
    if look(kept).fault:
        assert played(mend(kept))[1] == there + b"\0" * (len(there) % 2)
    else:
        assert there.startswith(played(mend(kept))[1])
    assert look(mend(kept)).fault == ""
