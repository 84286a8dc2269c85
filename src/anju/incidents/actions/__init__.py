"""What may be done with incidents: the only writers. Every verb is keyword-only and runs in one transaction."""

from anju.incidents.actions.ladder import arrived, call_contact, contact_result, on_call_ended, on_key, reveal_number
from anju.incidents.actions.moves import call_back, follow_up, late_data, move, note, tick, withdraw
from anju.incidents.actions.opening import device_reset, open_by_hand, open_or_join
from anju.incidents.actions.seats import ask_b, hand_over, hear_bell, leave_seat, seat_dropped, take_over, take_seat

__all__ = [
    "arrived",
    "ask_b",
    "call_back",
    "call_contact",
    "contact_result",
    "device_reset",
    "follow_up",
    "hand_over",
    "hear_bell",
    "late_data",
    "leave_seat",
    "move",
    "note",
    "on_call_ended",
    "on_key",
    "open_by_hand",
    "open_or_join",
    "reveal_number",
    "seat_dropped",
    "take_over",
    "take_seat",
    "tick",
    "withdraw",
]
