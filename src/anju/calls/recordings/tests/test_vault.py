"""A sealed recording plays from any byte, and no touch of it stays unseen."""

from __future__ import annotations

import stat

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from anju.calls.recordings import vault
from anju.calls.recordings.vault import Unreadable, keys_of, open_sealed, seal

KEYS = keys_of("11" * 32)
pytestmark = pytest.mark.req("CALL-04", "SYS-04")


def put(path, plain: bytes, keys=KEYS, step: int = 1000):
    seal((plain[n : n + step] for n in range(0, len(plain), step)), len(plain), path, keys)
    return path


def get(path, start=0, length=None, keys=KEYS) -> bytes:
    with open_sealed(path, keys) as file:
        return b"".join(file.read(start, length))


@pytest.mark.parametrize("size", [0, 1, vault.CHUNK - 1, vault.CHUNK, vault.CHUNK + 1, 3 * vault.CHUNK])
def test_what_is_sealed_comes_back_and_nobody_else_may_read_it(tmp_path, size):
    plain = bytes(n % 251 for n in range(size))
    path = put(tmp_path / "kept" / "2026" / "11" / "a.anjr", plain)
    assert get(path) == plain
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert {stat.S_IMODE(f.stat().st_mode) for f in (path.parent, path.parents[1], path.parents[2])} == {0o700}
    assert size < 100 or plain[:100] not in path.read_bytes()
    assert [p.name for p in tmp_path.rglob("*.part")] == []


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow], max_examples=60)
@given(start=st.integers(0, 200_000), length=st.integers(0, 200_000))
def test_any_range_is_the_range_of_the_plain_file(tmp_path, start, length):
    plain = bytes(n % 249 for n in range(150_000))
    path = tmp_path / "range.anjr"
    if not path.exists():
        put(path, plain)
    assert get(path, start, length) == plain[start : start + length]


def test_changed_swapped_and_cut_files_are_refused(tmp_path):
    plain = bytes(n % 251 for n in range(4 * vault.CHUNK))
    path, step = put(tmp_path / "a.anjr", plain), vault.CHUNK + vault.TAG
    whole, head = path.read_bytes(), vault._HEAD.size
    one, two = whole[head : head + step], whole[head + step : head + 2 * step]
    touched = {
        "a bit": whole[: head + 10] + bytes([whole[head + 10] ^ 1]) + whole[head + 11 :],
        "two chunks swapped": whole[:head] + two + one + whole[head + 2 * step :],
        "the last chunk gone": whole[:-step],
        "a chunk gone and the length changed": whole[: head - 8]
        + (3 * vault.CHUNK).to_bytes(8, "big")
        + whole[head:-step],
        "another file's head": put(tmp_path / "b.anjr", plain).read_bytes()[:head] + whole[head:],
        "half a head": whole[:20],
    }
    for data in touched.values():
        path.write_bytes(data)
        with pytest.raises(Unreadable):
            get(path)
    path.write_bytes(whole)
    assert get(path) == plain


def test_old_keys_read_while_the_new_one_writes(tmp_path):
    old = put(tmp_path / "old.anjr", b"then")
    both = keys_of("2:" + "33" * 32 + ",1:" + "11" * 32)
    new = put(tmp_path / "new.anjr", b"now", both)
    assert (get(old, keys=both), get(new, keys=both)) == (b"then", b"now")
    with pytest.raises(Unreadable, match="密钥"):
        get(new, keys=KEYS)


def test_a_writer_that_dies_leaves_nothing_under_the_name(tmp_path):
    def dies():
        yield b"x" * 10
        raise OSError("disk full")

    path = tmp_path / "a.anjr"
    with pytest.raises(OSError, match="disk full"):
        seal(dies(), 20, path, KEYS)
    with pytest.raises(ValueError, match="announced"):
        seal([b"x" * 10], 20, path, KEYS)
    assert not path.exists()
