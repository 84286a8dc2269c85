"""What may be asked about calls and seats."""

from anju.calls.queries.history import CallView, call, health, live, masked, number_of, of, page
from anju.calls.queries.present import (
    CallBackView,
    LegView,
    LiveCallView,
    call_backs,
    live_calls,
    my_call,
    waiting,
)
from anju.calls.queries.seats import (
    EngineView,
    QueueView,
    SeatView,
    can_dial,
    engine_health,
    queues,
    refusal,
    seat_of,
    seats,
    skill_groups,
    switchboard_runs,
)

__all__ = [
    "CallBackView",
    "CallView",
    "EngineView",
    "LegView",
    "LiveCallView",
    "QueueView",
    "SeatView",
    "call",
    "call_backs",
    "can_dial",
    "engine_health",
    "health",
    "live",
    "live_calls",
    "masked",
    "my_call",
    "number_of",
    "of",
    "page",
    "queues",
    "refusal",
    "seat_of",
    "seats",
    "skill_groups",
    "switchboard_runs",
    "waiting",
]
