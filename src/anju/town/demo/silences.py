"""What silence raised before the demo began, each at its own time and handled as a running centre would have handled it.

The history ends at one moment, and the watch over the homes begins there. Without this the first sweep meets every deadline
that passed in days at once: those who went on a trip, homes whose devices are mute, robot calls that nobody made.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from random import Random
from typing import TYPE_CHECKING, Any, Final

from django.db import transaction

from anju.alarms import sensing, states
from anju.devices import queries as devices
from anju.incidents import queries as incidents
from anju.kernel import clock
from anju.town import living
from anju.town.demo import cases
from anju.town.people import HomeSeed

if TYPE_CHECKING:
    from anju.alarms.models import HomeWatch

Step = tuple[float, str, dict[str, Any]]
LEAVE: Final = timedelta(minutes=10)
"""What is due so shortly before the end is left to the running platform: a centre is never without anything to do."""
AT_MOST: Final = 40
"""Deadlines of one home that are told; a home that has more is a fault of this story and is left to the platform."""
ANSWERS: Final = timedelta(seconds=45)
AWAY: Final[tuple[Step, ...]] = (
    (7, "accept", {}),
    (62, "no_answer", {"note": "电话响了 10 声没人接"}),
    (170, "safe", {"note": "家属来电：接老人去外地住几天，人在身边"}),
)
OUT: Final[tuple[Step, ...]] = ((8, "accept", {}), (66, "safe", {"note": "手机打通了，老人在亲戚家，晚些回"}))
WELL: Final[tuple[Step, ...]] = ((6, "accept", {}), (58, "safe", {"note": "电话打通，老人一直在屋里，没什么事"}))
MUTE: Final[tuple[Step, ...]] = (
    (9, "accept", {}), (74, "false_alarm", {"class": "device_fault", "note": "电话打通，老人没事；家里设备都没信号，已派装维"}),
)  # fmt: skip
VISITED: Final = {"state": "平安", "mood": "平稳", "cause": "不在家，没有事先告知", "needs": "出门前先打电话说一声"}


def make(seeds: list[HomeSeed], until: datetime) -> int:
    """Tell them in the order of time; answers how many cases there were."""
    people, homes, told = cases._people("agent1", "agent2"), _homes(seeds), 0
    tales: dict[int, int] = {}
    for heard in (True, False):  # mute homes come last: somebody asked there this afternoon
        full: list[int] = []
        while row := sensing.next_due(until - LEAVE, without=full, heard=heard):
            tales[row.home_id] = tales.get(row.home_id, 0) + 1
            told += _settle(row, homes.get(row.home_id), until, people)
            full = [home_id for home_id, n in tales.items() if n >= AT_MOST]
    return told


def _homes(seeds: list[HomeSeed]) -> dict[int, HomeSeed]:
    known = devices.by_keys([d.imei for seed in seeds for d in seed.devices])
    found = {known[d.imei].home_id: seed for seed in seeds for d in seed.devices if d.imei in known}
    return {home_id: seed for home_id, seed in found.items() if home_id is not None}


def _settle(row: HomeWatch, seed: HomeSeed | None, until: datetime, people: dict[str, Any]) -> int:
    """One deadline. She presses a key when the robot asks; where she can't, an agent finds out."""
    due, hard = row.look_at, row.hard_at
    if due is None or hard is None or row.soft_at is None:
        return 0
    rng = Random(f"{row.home_id}/{due.isoformat()}")
    mute = _mute(row, hard)
    back = _back(seed, due) if seed and not mute else None
    if not mute and back is None and "ask" not in row.raised and row.soft_at < hard:
        at = row.soft_at + ANSWERS
        with clock.pretend(at):
            states.alive(home_id=row.home_id, at=at, what="电话按键应答")
        return 0
    if mute:  # her devices have been dead for days: the last time that somebody asked was this afternoon
        at = max(hard, until - timedelta(minutes=rng.randrange(60, 150))) + timedelta(minutes=70)
        at = min(at, until - LEAVE)
    else:
        at = hard
    at += timedelta(seconds=rng.randrange(1, 5))
    story = MUTE if mute else AWAY if back and back - hard > timedelta(hours=12) else OUT if row.mode else WELL
    with clock.pretend(at):
        raised = sensing.look_at([row.home_id])
    case = incidents.open_of_home(row.home_id)
    if not raised or case is None:
        _well(row.home_id, at)
        return 0
    agent = people[rng.choice(("agent1", "agent2"))]
    for after, verb, given in story:
        with clock.pretend(at + timedelta(seconds=after)), transaction.atomic():
            cases._do(case, agent, verb, given)()
    end = at + timedelta(seconds=story[-1][0])
    _well(row.home_id, end)
    if story is AWAY and back:
        with clock.pretend(end + timedelta(seconds=40)):
            home_until = max(back, until) + timedelta(hours=4)
            states.say_state(
                home_id=row.home_id, kind="holiday", until=home_until, by=agent, how="family", note="家属接去外地住"
            )
    visited = end + timedelta(hours=rng.randrange(9, 15))
    if story in (AWAY, OUT, WELL) and visited < until:
        with clock.pretend(visited), transaction.atomic():
            cases._do(case, agent, "revisited", VISITED)()
    return 1


def _well(home_id: int, at: datetime) -> None:
    with clock.pretend(at):
        states.alive(home_id=home_id, at=at, what="坐席电话核实")


def _mute(row: HomeWatch, hard: datetime) -> bool:
    return row.covered_until is None or row.covered_until < hard


def _back(seed: HomeSeed, at: datetime) -> datetime | None:
    """Until when she is out of the house at that time; None when she is in."""
    day, hour = clock.local(at).date(), clock.local(at).hour + clock.local(at).minute / 60
    if not any(leave <= hour <= back for leave, back in living.away(seed.n, day)):
        return None
    for later in range(living.LONGEST + 2):
        on = day + timedelta(days=later)
        gone = [b for a, b in living.away(seed.n, on) if a <= (hour if not later else 0.0) <= b]
        if not gone or max(gone) < 24:
            midnight = datetime.combine(on, datetime.min.time(), clock.SHANGHAI)
            return midnight + timedelta(hours=max(gone, default=0.0))
    return at + timedelta(days=living.LONGEST)
