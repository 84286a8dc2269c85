"""How to begin a sample, for the tests that hold of every flow."""

from __future__ import annotations

from anju.kernel.flow import engine
from anju.kernel.flow.actor import Actor
from anju.kernel.testing import opens
from anju.kernel.tests.samples import Parcel


def a_parcel() -> Parcel:
    parcel = Parcel()
    engine.begin(parcel, Actor("老李", frozenset({"boss"})))
    return parcel


opens("parcel", a_parcel)
