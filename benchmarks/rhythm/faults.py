"""What the way of the messages costs, and whether the stated worst case holds: homes of the simulator, through the live watch.

    python benchmarks/rhythm/faults.py [--homes 24] [--days 60] [--falls 6]

First table: alarms a home-month after day 30 for each way of reporting, with the watermark. Second: in each simulated fault
people collapse; what was stated at that moment (`alarms.worst_case`) against when the alarm then stood, and against the worst
true delay of that home at that hour of the day (the fault left out), so that a constant is no answer.
"""

from __future__ import annotations

import argparse
import math
import sys
from collections.abc import Iterator, Sequence
from copy import deepcopy
from dataclasses import dataclass
from pathlib import Path
from random import Random
from statistics import median

sys.path[:0] = [str(Path(__file__).resolve().parents[2] / "src"), str(Path(__file__).resolve().parent)]

import run  # noqa: E402 -- the paths above come first

from anju.alarms import rhythm  # noqa: E402
from anju.alarms.rhythm import Prior  # noqa: E402
from anju.alarms.vigil import HOUR, Ear, Report, Sign, Vigil  # noqa: E402
from anju.alarms.worst_case import bound  # noqa: E402
from anju.town import population, transport  # noqa: E402
from anju.town.population import Life, Person  # noqa: E402
from anju.town.transport import Line, Message  # noqa: E402

DAY0 = 738_000
ANSWERS = 1 / 6
"""Hours after an alarm at which she answers the telephone."""
WAYS = {
    "at once": Line(period=0),
    "half-hour batches": Line(period=0.5),
    "hourly batches": Line(period=1.0),
    "hourly, 5 % late": Line(period=1.0, late=0.05),
    "hourly, 5 % late, 5 % lost": Line(period=1.0, late=0.05, lost=0.05),
}
FAULTS = {
    "half-hour batches": Line(period=0.5),
    "hourly, 5 % late": Line(period=1.0, late=0.05, cell=7),
    "5 % lost": Line(period=0.5, lost=0.05),
    "twice, out of order": Line(period=0.5, twice=0.05, late=0.05),
    "battery dies": Line(period=0.5, dies=45 * 24.0),
    "clock 2 min off": Line(period=0.5, drift=0.033),
    "cell dark for a night": Line(period=0.5, outages=((45 * 24 - 3.0, 45 * 24 + 9.0),)),
    "cell dark, nothing kept": Line(period=0.5, outages=((45 * 24 - 3.0, 45 * 24 + 9.0),), kept=False),
    "door contact stuck": Line(period=0.5, stuck_door=40 * 24.0),
}


def clock(at: float) -> tuple[int, float]:
    """The simulated calendar."""
    return DAY0 + int(at // 86_400), at / HOUR % 24


def main() -> None:
    """Both tables."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--homes", type=int, default=24)
    parser.add_argument("--days", type=int, default=60)
    parser.add_argument("--falls", type=int, default=6, help="collapses a home in each fault")
    parser.add_argument("--budget", type=float, default=1.0)
    parser.add_argument("--seed", type=int, default=5)
    parser.add_argument(
        "--confirmed", choices=("heard", "phone", "never"), default="heard", help="when a false alarm is learnt"
    )
    parser.add_argument("--ways", type=int, default=len(WAYS), help="only the first so many ways of reporting")
    parser.add_argument("--part", choices=("alarms", "worst", "both"), default="both", help="which table")
    parser.add_argument("--prior", choices=("population", "generic"), default="population")
    given = parser.parse_args()
    given.known = (
        rhythm.generic() if given.prior == "generic" else run.pooled(run.simulated(24, given.days, given.seed + 1000))
    )
    lives = [population.live(Person.of(n, given.seed), given.days, seed=given.seed) for n in range(given.homes)]
    print(
        f"{given.homes} homes, {given.days} days, budget {given.budget:g} alarms a home-month, prior: {given.prior}\n"
    )
    print(
        "| reporting | alarms a home-month after day 30 | of these no data | ratio to the budget (bound 0.3 to 1.5) "
        "| homes that keep it by themselves (12 months or more) |\n|---|---|---|---|---|"
    )
    for name, line in list(WAYS.items())[: given.ways] if given.part != "worst" else ():
        each, deaf, months = [0] * len(lives), 0, (given.days - 30) / 30
        for n, life in enumerate(lives):
            for at, kind in raised(life, line, n, given):
                if at > 30 * 24:
                    each[n], deaf = each[n] + 1, deaf + (kind == "no_data")
        ratios = [many / months / given.budget for many in each]
        inside = f"{sum(0.3 <= r <= 1.5 for r in ratios)} of {len(ratios)}" if months >= 12 else "–"
        print(
            f"| {name} | {sum(each) / months / len(lives):.2f} | {deaf / months / len(lives):.2f} | "
            f"{sum(ratios) / len(ratios):.2f} | {inside} |",
            flush=True,
        )
    if given.part == "alarms":
        return
    print(
        "\n| fault | falls | stated < true | true: median, worst | stated: median | stated / worst true of the home and hour: median |"
    )
    print("|---|---|---|---|---|---|")
    for name, line in FAULTS.items():
        report(name, [f for n, life in enumerate(lives) for f in falls(life, line, n, given)])


def vigil(given: argparse.Namespace, line: Line, prior: Prior) -> Vigil:
    """A home of which nothing is known."""
    home = Vigil(rhythm.fresh(DAY0), prior, clock, budget=given.budget, period=max(1800.0, line.period * HOUR))
    home.ears["pir"] = Ear(0, 0)
    return home


def take(home: Vigil, m: Message) -> None:
    """One message, as the live watch takes it: the door tells at once and speaks for no window."""
    signs = tuple(Sign(t * HOUR, door=kind == population.DOOR) for t, kind in m.events)
    if m.device == "door":
        for sign in signs:
            home.live(sign)
    else:
        home.hear(Report("pir", m.arrives * HOUR, m.until * HOUR, m.since * HOUR, m.seq, signs))


def raised(life: Life, line: Line, n: int, given: argparse.Namespace) -> Iterator[tuple[float, str]]:
    """(hours, kind) of every alarm for an agent. All are false here, so the agent closes the case as "she was well" and the
    silence is learnt (`states.learn_from_case`): when she is heard again, or when she answers the telephone ten minutes later.
    """
    home, since, mode = vigil(given, line, given.known), None, rhythm.HOME
    answers = math.inf
    for m in transport.carry(life.events, line, days=given.days, seed=n):
        while answers < m.arrives:
            answered(home, life, answers, since or 0.0)
            answers, since = math.inf, None
            for at, kind in swept(home, m.arrives):
                since, mode, answers = home.natural_at, home.mode, at + ANSWERS
                yield at, kind
        for at, kind in swept(home, m.arrives):
            since, mode = home.natural_at, home.mode
            answers = at + ANSWERS if given.confirmed == "phone" else math.inf
            yield at, kind
        take(home, m)
        if since is not None and home.natural_at != since:
            until = min((t * HOUR for t, _ in m.events if t * HOUR > since), default=since)
            if given.confirmed != "never":
                home.teach(since=since, until=until, mode=mode)
            answers, since = math.inf, None


def answered(home: Vigil, life: Life, at: float, since: float) -> None:
    """She answers the telephone: who is away says until when and is watched from then on, else the silence is learnt."""
    back = next((b for a, b in life.truth.away if a <= at <= b), None)
    if back is not None and back - at > 6:
        home.learn_from = back * HOUR
        home.restart(back * HOUR)
        return
    home.live(Sign(at * HOUR, told=True))
    home.well(since=since)


def swept(home: Vigil, until: float) -> Iterator[tuple[float, str]]:
    """What the minute's sweep raises before that hour; it looks at each moment at which something may be due."""
    patience = 2 * home.period + 600.0
    for at in sorted({home.soft_at, home.hard_at, home.hard_at + patience + 60.0}):
        if 0 < at <= until * HOUR:
            yield from ((r.at / HOUR, r.kind) for r in home.sweep(at) if r.kind != "ask")
    yield from ((r.at / HOUR, r.kind) for r in home.sweep(until * HOUR) if r.kind != "ask")


@dataclass(frozen=True, slots=True)
class Fall:
    """A collapse: what was stated (hours), when the alarm stood (hours), and the worst true delay of home and hour."""

    stated: float
    true: float
    worst: float


def falls(life: Life, line: Line, n: int, given: argparse.Namespace) -> Iterator[Fall]:
    """Collapses around the fault (days 44 to 47) while she is at home and no alarm stands."""
    rng = Random(f"{n}/{line}")
    moments = sorted(rng.uniform(44 * 24, 47 * 24) for _ in range(given.falls))
    moments = [c for c in moments if not any(a <= c <= b for a, b in life.truth.away)]
    home, sent, at = (
        vigil(given, line, given.known),
        transport.carry(life.events, line, days=given.days, seed=n),
        0,
    )
    for collapse in moments:
        while at < len(sent) and sent[at].arrives <= collapse:
            list(swept(home, sent[at].arrives))
            take(home, sent[at])
            at += 1
        if home.last_life_at is None or list(swept(home, collapse)) or home.raised & {"hard", "no_data"}:
            continue
        stated = bound(home, collapse * HOUR)
        yield Fall(stated, _after(home, life, line, collapse, n, given), worst_of(home, life, collapse))


def _after(home: Vigil, life: Life, line: Line, collapse: float, n: int, given: argparse.Namespace) -> float:
    """Hours until an alarm stands when nothing happens in the home from the collapse on; late messages still come."""
    going = deepcopy(home)
    events = [e for e in life.events if e[0] <= collapse]
    for m in transport.carry(events, line, days=given.days, seed=n):
        if m.arrives > collapse:
            for at, _ in swept(going, m.arrives):
                return max(0.0, at - collapse)
            take(going, m)
    return next((max(0.0, at - collapse) for at, _ in swept(going, collapse + 200)), math.inf)


def worst_of(home: Vigil, life: Life, collapse: float) -> float:
    """The worst true delay of this home at this hour of the day, as her days go and without a fault: over the last 30 days,
    the last sign that she really had given then, its deadline, and the wait for the reports.
    """
    found, patience = [], (2 * home.period + 600.0) / HOUR
    times = [e[0] for e in life.events]
    for back in range(1, 31):
        then = collapse - 24.0 * back
        if any(a <= then <= b for a, b in life.truth.away):
            continue
        last = max((t for t in times if t <= then), default=then)
        due = home.rhythm.deadlines(tod=last % 24, mode=rhythm.HOME, prior=home.prior, budget=home.budget)
        found.append(max(0.0, last + due.hard - then) + patience)
    return max(found, default=math.nan)


def report(name: str, all_: Sequence[Fall]) -> None:
    """One line."""
    short = sum(f.stated < f.true - 1 / 60 for f in all_)
    known = [f for f in all_ if not math.isnan(f.worst)]
    print(
        f"| {name} | {len(all_)} | {short} | {median(f.true for f in all_):.1f}, {max(f.true for f in all_):.1f} h | "
        f"{median(f.stated for f in all_):.1f} h | {median(f.stated / f.worst for f in known):.2f} |",
        flush=True,
    )


if __name__ == "__main__":
    main()
