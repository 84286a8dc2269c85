"""The machine that tries everything holds on the sample, and finds a broken engine."""

from __future__ import annotations

import pytest
from django.db import IntegrityError, transaction
from hypothesis.errors import Flaky
from hypothesis.extra.django import TestCase

from anju.kernel.flow import engine
from anju.kernel.flow.table import Move
from anju.kernel.tests import subjects  # noqa: F401 - registers the sample
from anju.kernel.tests.machine import try_everything
from anju.kernel.tests.samples import PARCEL


@pytest.mark.timeout(240)
class TestTheSample(TestCase):
    """A sound engine, and four broken ones."""

    def test_no_sequence_breaks_the_sample(self) -> None:
        try_everything(PARCEL)

    def test_a_broken_engine_is_found(self) -> None:
        broken = {
            "roles are not compared": (Move, "allows", lambda move, roles: True),
            "clocks are not stopped": (engine, "_dues", lambda subject: engine.Due.objects.none()),
            "steps are not counted on": (engine, "_step", lambda subject: setattr(subject, "nth", subject.nth + 1)),
            "conditions are ignored": (engine, "unmet", _blind_engine()),
        }
        for what, (where, name, instead) in broken.items():
            with self.subTest(what), pytest.MonkeyPatch.context() as patch, transaction.atomic():
                patch.setattr(where, name, instead)
                with pytest.raises((AssertionError, IntegrityError, Flaky)):  # found is found, also if not twice
                    try_everything(PARCEL, examples=200, steps=20, shrink=False)  # it ends at the first find
                transaction.set_rollback(True)


def _blind_engine():  # type: ignore[no-untyped-def]
    """An `unmet` that lets the engine through and tells the machine the truth."""
    import sys

    honest = engine.unmet

    def unmet(subject, condition, by):  # type: ignore[no-untyped-def]
        asked_by = sys._getframe(1).f_code.co_filename
        return "" if asked_by.endswith("engine.py") else honest(subject, condition, by)

    return unmet
