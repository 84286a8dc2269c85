"""How to begin a hand-over and a booking, for the tests that hold of every flow."""

from __future__ import annotations

from datetime import timedelta

from anju.kernel import clock
from anju.kernel.flow import engine
from anju.kernel.flow.actor import THE_CLOCK
from anju.kernel.testing import opens
from anju.staff.models import Booking, Expert, HandOver

PLACE = "330199000000"
_slots = iter(range(1, 1_000_000))


def a_hand_over() -> HandOver:
    """The sheet of a shift that ends soon."""
    sheet = HandOver(place=PLACE, ends_at=clock.now() + timedelta(seconds=next(_slots)))
    engine.begin(sheet, THE_CLOCK)
    return sheet


def a_booking() -> Booking:
    """An appointment of tomorrow."""
    expert = Expert.objects.create(place=PLACE, name="沈医生", field="doctor")
    booking = Booking(
        place=PLACE,
        expert=expert,
        phone="14400000001",
        about="问用药",
        at=clock.now() + timedelta(days=1),
        made_by="试",
    )
    engine.begin(booking, THE_CLOCK)
    return booking


opens("hand_over", a_hand_over)
opens("expert_booking", a_booking)
