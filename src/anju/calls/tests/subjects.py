"""How to begin a call and a call-back, for the tests that hold of every flow."""

from anju.calls.actions.course import owe_call_back
from anju.calls.models import Call, CallBack
from anju.calls.testing import planned
from anju.kernel import clock
from anju.kernel.flow import engine
from anju.kernel.testing import opens


def arrived(**fields: object) -> Call:
    """An emergency call that has just come in."""
    call = Call(
        place="330199001001", direction="in", purpose="emergency_in", whom="", number="13800009999", emergency=True, priority=9,
        planned_at=clock.now(), seen_at=clock.now(), **fields,
    )  # fmt: skip
    engine.begin(call, engine.THE_CLOCK, state="arrived")
    return call


def owed() -> CallBack:
    """A caller who hung up before anybody answered."""
    call = arrived()
    engine.make(call, "abandoned", engine.THE_CLOCK)
    return owe_call_back(call, "abandoned")


opens("call", planned)
opens("call_back", owed)
