"""Every answer to a range request is a part of the file that was asked for, or 416."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from anju.calls.recordings.ranges import MOST, Unsatisfiable, part_of

pytestmark = pytest.mark.req("CALL-04")


@pytest.mark.parametrize(
    ("header", "start", "end"),
    [
        ("bytes=0-", 0, 999),
        ("bytes=10-19", 10, 19),
        ("bytes=990-2000", 990, 999),
        ("bytes=-100", 900, 999),
        ("bytes=-5000", 0, 999),
    ],
)
def test_a_part(header, start, end):
    part = part_of(header, 1000)
    assert (part.start, part.end, part.whole) == (start, end, False)
    assert part.headers["Content-Range"] == f"bytes {start}-{end}/1000"


@pytest.mark.parametrize("header", ["", "bytes=0-1,5-6", "seconds=1-2", "bytes=-", "bytes=a-b"])
def test_the_whole(header):
    part = part_of(header, 1000)
    assert (part.count, part.whole, "Content-Range" in part.headers) == (1000, True, False)


@pytest.mark.parametrize("header", ["bytes=1000-", "bytes=20-10", "bytes=-0"])
def test_outside(header):
    with pytest.raises(Unsatisfiable):
        part_of(header, 1000)


@given(st.integers(1, 5 * MOST), st.integers(0, 6 * MOST), st.none() | st.integers(0, 6 * MOST))
def test_no_answer_is_larger_than_allowed_or_outside_the_file(length, first, last):
    try:
        part = part_of(f"bytes={first}-{'' if last is None else last}", length)
    except Unsatisfiable:
        assert first >= length or (last is not None and last < first)
    else:
        assert first == part.start <= part.end < length
        assert part.count <= MOST
        assert last is None or part.end <= last
