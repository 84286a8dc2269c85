"""How to begin a planned call, for the tests that hold of every flow."""

from datetime import timedelta

from anju.calls.planned.models import PlannedCall
from anju.kernel import clock
from anju.kernel.flow import engine
from anju.kernel.testing import opens


def waiting() -> PlannedCall:
    """A call of nobody's in ten minutes: when it is due there is nobody to ring."""
    at = clock.now() + timedelta(minutes=10)
    call = PlannedCall(
        place="330199001001",
        kind="care",
        agreed_at=at,
        call_at=at,
        latest=at + timedelta(hours=4),
        tries=2,
        gap_minutes=10,
    )
    engine.begin(call, engine.THE_CLOCK)
    return call


opens("planned_call", waiting)
