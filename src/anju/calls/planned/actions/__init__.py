"""What may be done with planned calls: plan and stop, the course of each, what an agent writes about it."""

from anju.calls.planned.actions.course import after_move, ask, call_ended, call_off, decide, key_pressed, write_ahead
from anju.calls.planned.actions.planning import end, forget, pause, plan, resume
from anju.calls.planned.actions.talking import close, dial, no_answer, raised, reached

__all__ = [
    "after_move",
    "ask",
    "call_ended",
    "call_off",
    "close",
    "decide",
    "dial",
    "end",
    "forget",
    "key_pressed",
    "no_answer",
    "pause",
    "plan",
    "raised",
    "reached",
    "resume",
    "write_ahead",
]
