"""Orders for robot calls, taken where no switchboard runs: nobody's telephone rings.

What the called one does is said beforehand by number (`Simulator.will`) or afterwards by hand (`calls.actions.heard`).
Without either nobody answers: the call ends after its ringing time, by the clock.
"""

from __future__ import annotations

from collections.abc import Sequence

from anju.calls.exchange import CannotDial, Health, Order
from anju.calls.simulator.engine import Simulator

_REPORTED = ("answered", "no_answer", "busy", "refused", "failed", "ended", "key")


class RobotLine:
    """Keeps what it was told to dial, in the order in which it was told."""

    name = "simulator"

    def dial(self, order: Order) -> None:
        """Remember the order once; report what was foreseen for this number."""
        if Simulator.broken:
            raise CannotDial("模拟话机已断开")
        if any(o.call_id == order.call_id for o in Simulator.dialled):
            return
        Simulator.dialled.append(order)
        self._report(order.call_id, ("ringing", *Simulator.behaviour.get(order.number, ())))

    def hang_up(self, call_id: str) -> None:
        """End the call if it is one of ours."""
        if any(o.call_id == call_id for o in Simulator.dialled):
            Simulator.hung_up.append(call_id)
            self._report(call_id, ("ended",))

    def health(self) -> Health:
        """Always there, and honest about what it is."""
        return Health(ok=not Simulator.broken, detail="模拟话机：不会真的拨出电话")

    @staticmethod
    def _report(call_id: str, events: Sequence[str]) -> None:
        from anju.calls import actions

        for event in events:
            if event == "ringing" or event.partition(":")[0] in _REPORTED:
                actions.heard(call_id=call_id, event=event)
