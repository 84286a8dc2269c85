"""What may be done with planned calls: plan and stop, the course of each, what an agent writes about it."""

from anju.calls.planned.actions.course import (
    TOO_LATE,
    after_move,
    ask,
    ask_now,
    call_ended,
    call_off,
    call_off_unless_up,
    decide,
    key_pressed,
    write_ahead,
)
from anju.calls.planned.actions.planning import end, forget, forget_matters, pause, plan, resume
from anju.calls.planned.actions.talking import close, dial, no_answer, not_lifted, raised, reached

__all__ = [
    "TOO_LATE",
    "after_move",
    "ask",
    "ask_now",
    "call_ended",
    "call_off",
    "call_off_unless_up",
    "close",
    "decide",
    "dial",
    "end",
    "forget",
    "forget_matters",
    "key_pressed",
    "no_answer",
    "not_lifted",
    "pause",
    "plan",
    "raised",
    "reached",
    "resume",
    "write_ahead",
]
