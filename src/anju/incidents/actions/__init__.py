"""What may be done with incidents: the only writers. Every verb is keyword-only and runs in one transaction."""

from anju.incidents.actions.dialling import call_elder, call_rescue
from anju.incidents.actions.forgetting import forget
from anju.incidents.actions.from_call import open_from_call
from anju.incidents.actions.knowing import identify
from anju.incidents.actions.ladder import arrived, call_contact, contact_result, reveal_number
from anju.incidents.actions.moves import (
    call_back,
    follow_up,
    late_data,
    move,
    note,
    silence_broken,
    storm_over,
    tick,
    withdraw,
)
from anju.incidents.actions.opening import device_reset, open_by_hand, open_or_join
from anju.incidents.actions.seats import ask_b, hand_over, hear_bell, leave_seat, seat_dropped, take_over, take_seat
from anju.incidents.actions.telephone import (
    call_abandoned,
    call_answered,
    call_arrived,
    on_call_ended,
    on_key,
    party_joined,
    party_left,
)

__all__ = [
    "arrived",
    "ask_b",
    "call_abandoned",
    "call_answered",
    "call_arrived",
    "call_back",
    "call_contact",
    "call_elder",
    "call_rescue",
    "contact_result",
    "device_reset",
    "follow_up",
    "forget",
    "hand_over",
    "hear_bell",
    "identify",
    "late_data",
    "leave_seat",
    "move",
    "note",
    "on_call_ended",
    "on_key",
    "open_by_hand",
    "open_from_call",
    "open_or_join",
    "party_joined",
    "party_left",
    "reveal_number",
    "seat_dropped",
    "silence_broken",
    "storm_over",
    "take_over",
    "take_seat",
    "tick",
    "withdraw",
]
