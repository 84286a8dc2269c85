"""Kill −9 of anything at any moment, under load: nothing acknowledged is lost, nothing happens twice.

The seed is printed; ANJU_FAULTS_SEED repeats a run, ANJU_FAULTS_SECONDS makes it longer.
"""

from __future__ import annotations

import os
import random
import threading
import time
from collections import Counter

import pytest

from anju.ops.waiting import wait_for
from tests.faults.load import Sender
from tests.faults.running import NAMES, Platform, platform

SECONDS = float(os.environ.get("ANJU_FAULTS_SECONDS", "30"))
SENDERS = 4
PACE = 0.05  # seconds between two messages of a sender, on average

MESSAGES = """
    SELECT operator_id, count(*) FILTER (WHERE outcome NOT IN ('duplicate')), count(*) FILTER (WHERE outcome = 'pending')
    FROM signals_message WHERE operator_id LIKE 'faults-%%' GROUP BY operator_id
"""
CLOCK_MOVES = """
    SELECT subject_id, move, at FROM kernel_movement WHERE flow = 'incident' AND move IN ('unanswered', 'press_on') ORDER BY 1, 3
"""
OVERDUE = "SELECT count(*) FROM kernel_due WHERE fire_at < clock_timestamp() - interval '10 seconds'"
INCIDENTS = "SELECT count(*) FROM incidents_incident"


def kill_at_random(made: Platform, chance: random.Random, stop: threading.Event) -> Counter[str]:
    """Kill one process after another, each kind at least once, until the time is over."""
    killed: Counter[str] = Counter()
    end = time.monotonic() + SECONDS
    turn: list[str] = []
    while time.monotonic() < end:
        if not turn:
            turn = chance.sample(NAMES, len(NAMES))
        if made.kill(turn[-1]) is not None:
            killed[turn.pop()] += 1
        stop.wait(chance.uniform(0.3, 3.0))
    return killed


@pytest.mark.faults
@pytest.mark.alone
@pytest.mark.timeout(600)
@pytest.mark.req("SEN-03", "INC-01")
def test_nothing_is_lost_and_nothing_happens_twice() -> None:
    seed = int(os.environ.get("ANJU_FAULTS_SEED") or random.SystemRandom().randrange(10**6))
    print(f"ANJU_FAULTS_SEED={seed}")  # noqa: T201 - shown with a failure
    chance, stop = random.Random(seed), threading.Event()
    with platform() as made:
        made.start()
        door = made.run_file["gateway"]["ctwing"]
        senders = [Sender(number, door, stop, seed + number, PACE) for number in range(SENDERS)]
        for sender in senders:
            sender.start()
        killed = kill_at_random(made, chance, stop)
        assert set(killed) == set(NAMES), killed
        survivors = made.processes()
        made.kill_supervisor()  # at last the one who looked after them
        assert wait_for(lambda: not any(process.alive for process in survivors.values()), 30), survivors
        made.start()
        stop.wait(3)
        stop.set()
        for sender in senders:
            sender.join(60)
        acknowledged = {key[0]: key for sender in senders for key in sender.acknowledged}
        print(f"{len(acknowledged)} acknowledged, {sum(s.repeated for s in senders)} repeated, killed {dict(killed)}")  # noqa: T201
        assert len(acknowledged) > 100
        assert not [s.answers for s in senders if any(400 <= status < 500 for status in s.answers)]

        settled = wait_for(lambda: made.manage("ledger", "--since", "1h").returncode == 0, 60, every=2)
        assert settled, made.manage("ledger", "--since", "1h").stdout + made.words()
        check_messages(made, set(acknowledged))
        check_incidents(made, sum(sos for _, _, sos in acknowledged.values()))
        check_deadlines(made)
        assert made.stop() == 0
        assert not made.processes()


def check_messages(made: Platform, acknowledged: set[str]) -> None:
    """Every acknowledged message is there once; a repetition is known as one."""
    rows = {row[0]: row[1:] for row in made.rows(MESSAGES)}
    assert not acknowledged - set(rows), "acknowledged and lost"
    assert {device: row for device, row in rows.items() if row != (1, 0)} == {}


def check_incidents(made: Platform, presses: int) -> None:
    """Every press of a device that nobody knows is one incident. (A press whose answer was lost may be there too.)"""
    [(incidents,)] = made.rows(INCIDENTS)
    assert presses <= incidents <= presses + SENDERS


def check_deadlines(made: Platform) -> None:
    """The clock moves every waiting incident exactly once, presses at its pace, and owes nothing."""

    def all_moved() -> bool:
        moved = made.rows("SELECT count(DISTINCT subject_id) FROM kernel_movement WHERE move = 'press_on'")
        return moved == made.rows(INCIDENTS)

    assert wait_for(all_moved, 75, every=1), made.words()
    assert made.rows(OVERDUE) == [(0,)], made.words()
    moved: Counter[int] = Counter()
    pressed: dict[int, float] = {}
    for incident, move, at in made.rows(CLOCK_MOVES):
        moved[incident] += move == "unanswered"
        if move == "press_on":
            assert at.timestamp() - pressed.get(incident, 0) > 29, f"incident {incident} was pressed twice"
            pressed[incident] = at.timestamp()
    assert set(moved.values()) == {1}
