"""What may be done with campaigns: make and steer them, fill their lists, ring the next person, forget."""

from anju.calls.campaigns.actions.course import after_move, feed, feed_all, next_person, over, write_up
from anju.calls.campaigns.actions.forgetting import forget, forget_strangers
from anju.calls.campaigns.actions.people import Row, checked, put_elders, put_rows
from anju.calls.campaigns.actions.steering import made, noted_export, pause, resume, start, stop

__all__ = [
    "Row",
    "after_move",
    "checked",
    "feed",
    "feed_all",
    "forget",
    "forget_strangers",
    "made",
    "next_person",
    "noted_export",
    "over",
    "pause",
    "put_elders",
    "put_rows",
    "resume",
    "start",
    "stop",
    "write_up",
]
