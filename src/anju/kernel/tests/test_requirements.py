"""Marks of tests are found where they stand, and nowhere else."""

from __future__ import annotations

from anju.kernel import requirements

SOURCE = """
import pytest
pytestmark = [pytest.mark.django_db, pytest.mark.req("A-01")]

@pytest.mark.req("B-02", "B-03")
def test_one(): ...

@pytest.mark.req("C-04")
class TestMore:
    async def test_two(self): ...
    def helper(self): req("X-99")

def not_a_test(): ...
"""


def test_marks_on_tests_classes_and_modules_are_found():
    found = [(p.requirement, p.test) for p in requirements.in_source("x/test_x.py", SOURCE)]
    assert found == [
        ("A-01", "test_one"),
        ("B-02", "test_one"),
        ("B-03", "test_one"),
        ("A-01", "test_two"),
        ("C-04", "test_two"),
    ]


def test_the_page_tells_what_is_carried_and_what_is_open_and_an_unknown_id_is_a_fault():
    listed = {i: {"id": i, "what": "this | that", "source": "HZ 一"} for i in ("A-01", "A-02")}
    found = [requirements.Proof("A-01", "src/anju/kernel/tests/test_x.py", t) for t in ("test_a", "test_b")]
    page = requirements.page([{"key": "A", "title": "all"}], listed, found)
    assert "1 of 2 requirements" in page
    assert "| A-01 | this \\| that | HZ 一 | [kernel/test_x](../src/anju/kernel/tests/test_x.py) 2 | carried |" in page
    assert "| A-02 | this \\| that | HZ 一 |  | open |" in page
    assert requirements.faults(dict(listed), found) == []
    stray = [requirements.Proof("Z-01", "tests/test_y.py", "test_c")]
    assert requirements.faults(dict(listed), stray) == ["tests/test_y.py: unknown requirement Z-01"]
