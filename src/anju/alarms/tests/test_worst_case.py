"""If she fell now: what is stated must never be less than what then happens, and must say what to mend."""

from __future__ import annotations

import math
from random import Random

import pytest

from anju.alarms import rhythm
from anju.alarms.vigil import HOUR, Ear, Report, Sign, Vigil
from anju.alarms.worst_case import Sensor, bound, worst_case
from anju.town import population, transport
from anju.town.population import Person
from anju.town.transport import Line

DAY = 738_000
FAULTS = {
    "half-hour batches": Line(period=0.5),
    "hourly, late and lost": Line(period=1.0, late=0.05, lost=0.03),
    "the battery dies": Line(period=0.5, dies=18 * 24.0),
    "the cell is dark for a night": Line(period=0.5, outages=((18 * 24 + 5.0, 18 * 24 + 17.0),)),
    "the clock of the device is off": Line(period=0.5, drift=0.03),
}


def clock(at: float) -> tuple[int, float]:
    return DAY + int(at // 86_400), at / HOUR % 24


def play(life: population.Life, line: Line, collapse: float, seed: int) -> tuple[float, float]:
    """(stated hours at the collapse, true hours until an alarm); the stated is NaN when an alarm stood already."""
    events = [e for e in life.events if e[0] <= collapse]
    sent = transport.carry(events, line, days=24, seed=seed)
    home = Vigil(rhythm.fresh(DAY), rhythm.generic(), clock, budget=2.0, period=max(1800, line.period * HOUR))
    home.ears["pir"] = Ear(0, 0)
    stated, n = math.nan, 0
    for minute in range(1, 25 * 24 * 60):
        now = minute * 60.0
        while n < len(sent) and sent[n].arrives * HOUR <= now:
            m = sent[n]
            n += 1
            signs = tuple(Sign(t * HOUR, door=kind == population.DOOR) for t, kind in m.events)
            if m.device == "door":
                for sign in signs:
                    home.live(sign)
            else:
                home.hear(Report("pir", now, m.until * HOUR, m.since * HOUR, m.seq, signs))
        if minute == math.ceil(collapse * 60):
            if home.raised & {"hard", "no_data"}:
                return math.nan, 0.0
            stated = bound(home, now)
        if home.last_life_at is not None and home.due_at() <= now:
            raised = [r for r in home.sweep(now) if r.kind != "ask"]
            if raised and now >= collapse * HOUR:
                return stated, now / HOUR - collapse
    return stated, math.inf


@pytest.mark.req("SEN-08")
@pytest.mark.parametrize("fault", FAULTS)
def test_the_stated_time_is_never_shorter_than_the_true_one(fault: str) -> None:
    rng = Random(fault)
    shares = []
    for n in range(5):
        life = population.live(Person.of(n, 9), 22, seed=9)
        collapse = 17.5 * 24 + rng.uniform(0, 48)
        if any(a <= collapse <= b for a, b in life.truth.away):
            continue
        stated, true = play(life, FAULTS[fault], collapse, n)
        if math.isnan(stated):
            continue
        assert stated >= true, f"home {n}, {collapse % 24:.1f} h"
        shares.append(stated / true)
    assert shares
    assert sorted(shares)[len(shares) // 2] < 3, "a bound that says nothing is no answer"


@pytest.mark.req("SEN-08", "DEV-05")
def test_the_cause_is_named_and_the_measures_are_ranked_by_the_hours_they_win() -> None:
    home = Vigil(rhythm.fresh(DAY), rhythm.generic(), clock, budget=2.0, period=2 * HOUR)
    hall = Sensor("过道活动传感器", 8 * HOUR, 4 * HOUR, battery=80)
    never = worst_case(home, 9 * HOUR, [])
    assert (never.cause, math.isinf(never.hours)) == ("never_heard", True)
    assert [m.measure for m in never.shorter] == ["install"]
    home.hear(Report("1", 8 * HOUR, 8 * HOUR, signs=(Sign(7.9 * HOUR),)))
    cold = worst_case(home, 8.1 * HOUR, [hall])
    assert cold.cause == "cold"
    assert [m.measure for m in cold.shorter] == ["period"]
    deaf = worst_case(home, 14 * HOUR, [hall, Sensor("门磁", 8 * HOUR, 90 * HOUR, battery=5, motion=False)])
    assert deaf.cause == "deaf"
    assert "过道活动传感器" in deaf.words
    assert [m.hours for m in deaf.shorter] == sorted((m.hours for m in deaf.shorter), reverse=True)
    assert {m.measure for m in deaf.shorter} == {"repair", "battery", "period"}
    home.raised = {"no_data"}
    told = worst_case(home, 40 * HOUR, [hall])
    assert math.isinf(told.hours)
    assert told.shorter[0].measure == "repair"
