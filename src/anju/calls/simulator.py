"""The telephone engine of tests and demo: nobody's telephone rings.

What the called one does is said beforehand by number (`will`) or afterwards by hand (`calls.actions.heard`). In the demo
nobody answers: the call ends after its ringing time, by the clock.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from anju.calls.exchange import CannotDial, Health, Order


class Simulator:
    """Placeholder of the engine; see `exchange.Engine`.

    Keeps what it was told to dial, in the order in which it was told."""

    name = "simulator"
    dialled: ClassVar[list[Order]] = []
    hung_up: ClassVar[list[str]] = []
    behaviour: ClassVar[dict[str, tuple[str, ...]]] = {}
    broken: ClassVar[bool] = False

    @classmethod
    def forget(cls) -> None:
        """A fresh start for a test."""
        cls.dialled.clear()
        cls.hung_up.clear()
        cls.behaviour.clear()
        cls.broken = False

    @classmethod
    def will(cls, number: str, *events: str) -> None:
        """What happens when this number is dialled, e.g. will("138…", "answered", "key:1", "ended")."""
        cls.behaviour[number] = events

    def dial(self, order: Order) -> None:
        """Remember the order once; report what was foreseen for this number."""
        if self.broken:
            raise CannotDial("模拟话机已断开")
        if any(o.call_id == order.call_id for o in self.dialled):
            return
        self.dialled.append(order)
        self._report(order.call_id, ("ringing", *self.behaviour.get(order.number, ())))

    def hang_up(self, call_id: str) -> None:
        """End the call if it is one of ours."""
        if any(o.call_id == call_id for o in self.dialled):
            self.hung_up.append(call_id)
            self._report(call_id, ("ended",))

    def health(self) -> Health:
        """Always there, and honest about what it is."""
        return Health(ok=not self.broken, detail="模拟话机：不会真的拨出电话")

    @staticmethod
    def _report(call_id: str, events: Sequence[str]) -> None:
        from anju.calls import actions

        for event in events:
            actions.heard(call_id=call_id, event=event)


RobotLine = Simulator
