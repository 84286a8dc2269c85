"""The machine that tries everything holds on the sample, and finds a broken engine."""

from __future__ import annotations

import pytest
from django.db import IntegrityError
from hypothesis.extra.django import TestCase

from anju.kernel.flow import engine
from anju.kernel.flow.table import Move
from anju.kernel.tests import subjects  # noqa: F401 - registers the sample
from anju.kernel.tests.machine import try_everything
from anju.kernel.tests.samples import PARCEL


@pytest.mark.timeout(240)
class TestTheSample(TestCase):
    """A sound engine."""

    def test_no_sequence_breaks_the_sample(self) -> None:
        try_everything(PARCEL)


BROKEN = {
    "roles are not compared": lambda: (Move, "allows", lambda move, roles: True),
    "clocks are not stopped": lambda: (engine, "_dues", lambda subject: engine.Due.objects.none()),
    "steps are not counted on": lambda: (engine, "_step", lambda subject: setattr(subject, "nth", subject.nth + 1)),
    "conditions are ignored": lambda: (engine, "unmet", _blind_engine()),
}


@pytest.mark.django_db
@pytest.mark.timeout(240)  # each by itself: a time-out inside an example would look like a find that can't be repeated
@pytest.mark.parametrize("what", BROKEN)
def test_a_broken_engine_is_found(what: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """The same examples in every run (no chance, no memory), so the find is the same: within the first dozen of 40."""
    monkeypatch.setattr(*BROKEN[what]())
    with pytest.raises((AssertionError, IntegrityError)):
        try_everything(PARCEL, examples=40, steps=20, shrink=False)


def _blind_engine():  # type: ignore[no-untyped-def]
    """An `unmet` that lets the engine through and tells the machine the truth."""
    import sys

    honest = engine.unmet

    def unmet(subject, condition, by):  # type: ignore[no-untyped-def]
        asked_by = sys._getframe(1).f_code.co_filename
        return "" if asked_by.endswith("engine.py") else honest(subject, condition, by)

    return unmet
