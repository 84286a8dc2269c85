"""What every telephone engine must keep: the contract that a test of each engine calls."""

from __future__ import annotations

from collections.abc import Callable

from anju.calls import actions
from anju.calls.exchange import CannotDial, Exchange, Health, Order
from anju.calls.models import Call

Dialled = Callable[[str], int]
"""How often the engine really dialled the call of this id."""


def exchange_contract(engine: Exchange, dialled: Dialled, broken: Callable[[bool], None]) -> None:
    """Raise AssertionError where the engine breaks the port. `broken(True)` must take its line away."""
    if not engine.name:
        raise AssertionError("an engine has a name and the three verbs")
    call = planned()
    order = Order(call_id=str(call.call_id), number=call.number, script="elder_check", says="试")
    engine.dial(order)
    engine.dial(order)
    if dialled(order.call_id) != 1:
        raise AssertionError("the same call id dials once, however often it is asked")
    call.refresh_from_db()
    if call.state not in {"ringing", "talking", "ended"}:
        raise AssertionError("the engine reports that it rings")
    engine.hang_up(order.call_id)
    engine.hang_up("00000000-0000-0000-0000-000000000000")
    call.refresh_from_db()
    if call.state != "ended":
        raise AssertionError("hanging up ends the call, and the engine says so")
    if not (isinstance(engine.health(), Health) and engine.health().ok):
        raise AssertionError("a working engine says that it works")
    broken(True)  # noqa: FBT003
    try:
        if engine.health().ok:
            raise AssertionError("a broken engine says so")
        other = planned()
        try:
            engine.dial(Order(call_id=str(other.call_id), number=other.number, script="elder_check", says="试"))
        except CannotDial:
            return
        raise AssertionError("a broken engine refuses")
    finally:
        broken(False)  # noqa: FBT003


def planned(number: str = "13800009999", purpose: str = "elder_check") -> Call:
    """A call that waits to be dialled."""
    return actions.robot_call(
        number=number, whom="试", purpose=purpose, ref="test:1", place="330199001001", script="elder_check", says="试",
        says_after_key="门禁 2580",
    )  # fmt: skip
