"""Every call with its parties, the seats that answer, and what waits to be done about them. Kept three years (XC 5.10)."""

from anju.calls.models.call import PURPOSES, Call, Leg, LegRole
from anju.calls.models.seats import Queue, SeatLog, SeatState, Skill, SkillGroup
from anju.calls.models.work import CallBack, Command, News, Switchboard

__all__ = [
    "PURPOSES",
    "Call",
    "CallBack",
    "Command",
    "Leg",
    "LegRole",
    "News",
    "Queue",
    "SeatLog",
    "SeatState",
    "Skill",
    "SkillGroup",
    "Switchboard",
]
