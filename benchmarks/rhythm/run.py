"""How soon does the rhythm notice, and at what price? SR-C against its rivals, on recordings or on the simulator.

`--folder DIR` reads `events.csv` (timestamp,home,sensor,value), and when there `away.csv` (home,from,to: nobody in) and
`people.csv` (home,person: homes that are placements of one person's sensor). `--simulate N` draws N invented homes.
Collapses are injected at uniform instants at home after the warm-up: all later activity is removed; delay = alarm -
collapse. False alarm = any alarm in the normal record. See README.md.
"""

from __future__ import annotations

import argparse
import bisect
import csv
import sys
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from random import Random
from statistics import fmean

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "src"))

from anju.alarms import recording, replay, rhythm
from anju.alarms.recording import Recording, Report
from anju.alarms.rhythm import Prior
from anju.town import population

BUDGETS = (0.25, 0.5, 1.0, 2.0, 4.0, 8.0, 16.0)
FIXED = tuple(float(h) for h in (6, 7, 8, 9, 10, 11, 11.5, 12, 12.5, 13, 13.5, 14, 15, 16, 18, 20, 22, 24))
EPOCH = datetime(2026, 1, 1)  # noqa: DTZ001 -- local time of a simulated record


@dataclass(slots=True)
class Record:
    """One home: its life signs in hours since midnight of the first day, door or not, and when nobody was in."""

    home: str
    person: str
    at: list[float]
    door: list[bool]
    away: list[tuple[float, float]]
    first: datetime
    sensor: str = ""

    @property
    def days(self) -> float:
        return (self.at[-1] - self.at[0]) / 24

    @property
    def warm(self) -> float:
        """Where the evaluation begins: after 14 days, or half of a shorter record."""
        return self.at[0] + 24 * (14 if self.days >= 28 else self.days / 2)


@dataclass(slots=True)
class Outcome:
    """One method at one setting on one home: false alarms a month, and the delays in hours."""

    false: float
    delays: list[float]
    cold: float = 0.0
    cold_delays: list[float] = field(default_factory=list)


Ages = list[float]
"""For each life sign, after how many hours of silence the method raises its alarm."""


def main() -> None:
    """Read or draw the homes, run every method, print the tables."""
    parser = argparse.ArgumentParser(description=__doc__)
    source = parser.add_mutually_exclusive_group(required=True)
    source.add_argument("--folder", type=Path)
    source.add_argument("--simulate", type=int, metavar="HOMES")
    parser.add_argument("--days", type=int, default=61)
    parser.add_argument("--seed", type=int, default=5)
    parser.add_argument("--trials", type=int, default=1500, help="collapses a home")
    parser.add_argument("--prior", choices=("population", "generic"), default="population")
    given = parser.parse_args()
    records = recorded(given.folder) if given.folder else simulated(given.simulate, given.days, given.seed)
    priors = priors_of(records, given)
    print(f"{len(records)} homes, {sum(r.days for r in records):.0f} home-days, prior: {given.prior}\n")
    curves = {
        "SR-C": {b: [judge(r, a, given) for r, a in run_src(records, priors, b)] for b in BUDGETS},
        "fixed": {h: [judge(r, [h] * len(r.at), given) for r in records] for h in FIXED},
        "personal fixed": {b: [judge(r, personal(r, b), given) for r in records] for b in BUDGETS},
        "line by hour": {b: [judge(r, by_hour(r, b), given) for r in records] for b in BUDGETS},
    }
    at_budget(curves["SR-C"])
    as_they_are(curves)
    at_one(curves, records)
    bounds(curves, records, real=given.folder is not None)


# ---- the homes


def recorded(folder: Path) -> list[Record]:
    """The recordings of a folder."""
    report = Report()
    with (folder / "events.csv").open(
        encoding=recording.encoding_of(folder / "events.csv"), errors="surrogateescape", newline=""
    ) as source:
        found = recording.read(source, report)
    if report.wrong:
        print(f"{report.wrong} lines not understood, first: {report.bad[0]}", file=sys.stderr)
    people = dict(rows(folder / "people.csv"))
    away: dict[str, list[tuple[datetime, datetime]]] = defaultdict(list)
    for home, start, end in rows(folder / "away.csv"):
        away[home].append((datetime.fromisoformat(start), datetime.fromisoformat(end)))
    made = []
    words = found.names_of_sensors()
    for home, places in found.in_time():
        first = recording.moment(found.at[places[0]] // recording.DAY * recording.DAY)
        said = [words[found.sensor[i]] for i in places]
        made.append(Record(
            home, people.get(home, home), [hours(recording.moment(found.at[i]) - first) for i in places],
            [recording.is_door(word) for word in said],
            [(hours(a - first), hours(b - first)) for a, b in away[home]], first,
            "+".join(sorted({word for word in said if not recording.is_door(word)})),
        ))  # fmt: skip
    return made


def rows(path: Path) -> list[list[str]]:
    """A small CSV without its header; nothing when it is not there."""
    if not path.exists():
        return []
    with path.open(encoding="utf-8-sig", newline="") as source:
        return [row for row in csv.reader(source) if row][1:]


def hours(span: timedelta) -> float:
    return span.total_seconds() / 3600


def simulated(homes: int, days: int, seed: int) -> list[Record]:
    """Invented homes of the virtual town."""
    made = []
    for n in range(homes):
        life = population.live(population.Person.of(n, seed), days, seed=seed)
        made.append(Record(
            f"sim{n}", f"sim{n}", [t for t, _ in life.events], [s == population.DOOR for _, s in life.events],
            life.truth.away, EPOCH, life.person.placement,
        ))  # fmt: skip
    return made


def priors_of(records: Sequence[Record], given: argparse.Namespace) -> dict[str, Prior]:
    """For each home the population of the others: never her own days, nor another placement of her own home."""
    if given.prior == "generic":
        return {r.home: rhythm.generic() for r in records}
    if given.simulate:
        others = simulated(24, given.days, given.seed + 1_000)
        prior = pooled(others)
        return {r.home: prior for r in records}
    by_person: dict[str, Prior] = {}
    for person in {r.person for r in records}:
        others = [r for r in records if r.person != person]
        by_person[person] = pooled(others) if others else rhythm.generic()
    return {r.home: by_person[r.person] for r in records}


def pooled(records: Sequence[Record]) -> Prior:
    """The prior of a population, as `anju rhythm prior` learns it."""
    found = Recording()
    for r in records:
        for t, d in zip(r.at, r.door, strict=True):
            found.add(r.home, r.first + timedelta(hours=t), "door" if d else "room")
    return replay.priors_from(replay.learn_prior(found, name="others"))["*"]


# ---- the methods


def run_src(records: Sequence[Record], priors: dict[str, Prior], budget: float) -> list[tuple[Record, Ages]]:
    """SR-C at one budget, through the same code as the platform."""
    made = []
    for r in records:
        home = replay.Home(priors[r.home], rhythm.fresh(r.first.toordinal()))
        ages = []
        for t, door in zip(r.at, r.door, strict=True):
            at = recording.micros(r.first + timedelta(hours=t))
            mode = home.live(at=at, door=door)
            tod = recording.tod_of(at)
            ages.append(home.rhythm.deadlines(tod=tod, mode=mode, prior=priors[r.home], budget=budget).hard)
        made.append((r, ages))
    return made


def personal(r: Record, budget: float) -> Ages:
    """A threshold of her own: the length that her silences of the last 60 days exceeded `budget` times a month."""
    return _rolling(r, lambda silences, days: _exceeded(silences, budget * max(days, 14) / 30))


def by_hour(r: Record, budget: float) -> Ages:
    """An alert line by hour (after Cuddihy et al. 2007, re-made): at each hour the age that silence reached at most.

    The line of an hour is the k-th largest age that a silence had at that hour in the last 30 days, k from the budget;
    the alarm is raised where the age first crosses the line. The way out of the home has a line of 24 h.
    """
    ages: Ages = []
    seen: list[list[tuple[float, float]]] = [[] for _ in range(24)]
    last = None
    for t, door in zip(r.at, r.door, strict=True):
        if last is not None and t - last > rhythm.START:
            for hour in range(int(last) + 1, int(t) + 1):
                seen[hour % 24].append((float(hour), hour - last))
        since = t - 30 * 24
        if door:
            ages.append(24.0)
        else:
            lines = []
            for h in range(24):
                seen[h] = [s for s in seen[h] if s[0] > since] if len(seen[h]) > 200 else seen[h]
                values = sorted((a for at, a in seen[h] if at > since), reverse=True)
                k = int(budget)
                lines.append(
                    max(1.0, (values[min(k, len(values) - 1)] if values else 12.0) * (1 + 0.15 / (budget + 0.3)))
                )
            ages.append(
                next((a for a in range(1, 37) if a + (int(t) + 1 - t) - 1 > lines[(int(t) + a) % 24]), 36) + 0.0
            )
        last = t
    return ages


def _rolling(r: Record, choose: Callable[[list[float], float], float]) -> Ages:
    past: list[tuple[float, float]] = []
    ages: Ages = []
    day, threshold, last = -1, 14.0, None
    for t in r.at:
        if last is not None and t - last > 0.5:
            past.append((t, t - last))
        last = t
        if int(t // 24) != day:
            day = int(t // 24)
            past = [p for p in past if p[0] > t - 60 * 24]
            days = min(60.0, (t - r.at[0]) / 24)
            threshold = choose([length for _, length in past], days) if days > 3 else 14.0
        ages.append(threshold)
    return ages


def _exceeded(silences: list[float], times: float) -> float:
    ranked = sorted(silences, reverse=True)
    if not ranked:
        return 14.0
    k = int(times)
    return ranked[min(k, len(ranked) - 1)] + (0.5 if k == 0 else 0.01)


# ---- what they did


def judge(r: Record, ages: Ages, given: argparse.Namespace) -> Outcome:
    """False alarms after the warm-up, delays of the injected collapses; the same for the cold start."""
    months = (r.at[-1] - r.warm) / 24 / 30
    false = cold = 0
    for t, after, until in zip(r.at, ages, r.at[1:], strict=False):
        if until - t > after:
            false += t > r.warm
            cold += t <= r.warm
    rng = Random(r.home)
    return Outcome(
        false / months,
        collapses(r, ages, rng, (r.warm, r.at[-1]), given.trials),
        cold / ((r.warm - r.at[0]) / 24 / 30),
        collapses(r, ages, rng, (r.at[0], r.warm), given.trials // 3),
    )


def collapses(r: Record, ages: Ages, rng: Random, span: tuple[float, float], trials: int) -> list[float]:
    """Delays of collapses at uniform instants at home; an alarm that already stood counts as none."""
    delays = []
    for _ in range(trials):
        c = rng.uniform(*span)
        while any(a <= c <= b for a, b in r.away):
            c = rng.uniform(*span)
        i = bisect.bisect_right(r.at, c) - 1
        delays.append(max(0.0, r.at[i] + ages[i] - c))
    return delays


def figures(delays: Sequence[float]) -> tuple[float, float, float]:
    """Median, 90 % point and mean."""
    ranked = sorted(delays)
    return ranked[len(ranked) // 2], ranked[int(len(ranked) * 0.9)], fmean(ranked)


def at_budget(curve: dict[float, list[Outcome]]) -> None:
    """What SR-C did at the budgets that it was told."""
    print("SR-C at its nominal budget (alarms a home-month)")
    print(f"{'budget':>8}{'achieved':>10}{'median':>8}{'p90':>7}{'mean':>7}   cold start: alarms, median, p90")
    for budget, outcomes in curve.items():
        median, p90, mean = figures([d for o in outcomes for d in o.delays])
        cold = figures([d for o in outcomes for d in o.cold_delays])
        print(f"{budget:>8}{fmean(o.false for o in outcomes):>10.2f}{median:>8.1f}{p90:>7.1f}{mean:>7.1f}"
              f"   {fmean(o.cold for o in outcomes):.2f}, {cold[0]:.1f}, {cold[1]:.1f}")  # fmt: skip
    print()


def as_they_are(curves: dict[str, dict[float, list[Outcome]]]) -> None:
    """The rivals at a setting that somebody would choose: 12 h is what is usually set."""
    print("Rivals at a usual setting")
    print(f"{'':<22}{'achieved':>10}{'median':>8}{'p90':>7}{'mean':>7}   cold start: alarms, median, p90")
    chosen = [("fixed", h, f"fixed {h:g} h") for h in (8.0, 12.0, 14.0, 24.0)]
    chosen += [(name, b, f"{name}, budget {b:g}") for name in ("personal fixed", "line by hour") for b in (1.0, 4.0)]
    for name, setting, words in chosen:
        outcomes = curves[name][setting]
        median, p90, mean = figures([d for o in outcomes for d in o.delays])
        cold = figures([d for o in outcomes for d in o.cold_delays])
        print(f"{words:<24}{fmean(o.false for o in outcomes):>8.2f}{median:>8.1f}{p90:>7.1f}{mean:>7.1f}"
              f"   {fmean(o.cold for o in outcomes):.2f}, {cold[0]:.1f}, {cold[1]:.1f}")  # fmt: skip
    print()


def bounds(curves: dict[str, dict[float, list[Outcome]]], records: Sequence[Record], *, real: bool) -> None:
    """What was promised (issue 4, "How good") beside what came out; each line says whether it holds."""
    print("Bounds")
    for what, value, held in asked(curves, records, real=real):
        print(f"  {'held' if held else 'NOT HELD' if held is not None else 'reported':<9} {what}: {value}")
    print()


def asked(
    curves: dict[str, dict[float, list[Outcome]]], records: Sequence[Record], *, real: bool
) -> Iterator[tuple[str, str, bool | None]]:
    """(what, the figures, whether they hold; None = only to be reported)."""
    everyone = list(range(len(records)))
    src, twelve = curves["SR-C"][1.0], curves["fixed"][12.0]
    mine, usual = (figures([d for o in found for d in o.delays]) for found in (src, twelve))
    false, usual_false = (fmean(o.false for o in found) for found in (src, twelve))
    if real:
        people = {r.person: [i for i in everyone if records[i].person == r.person] for r in records}
        for who, which, most in (
            ("everybody", everyone, (0.45, 0.85, 0.55)),
            *((f"person {p}", w, (0.65, 1.05, 0.75)) for p, w in people.items()),
        ):
            got, best = interpolated(curves["SR-C"], which), interpolated(curves["fixed"], which)
            if got is None or best is None:
                yield f"{who}, ratios at 1 false alarm a home-month", "never at 1", False
                continue
            ratios = [g / b for g, b in zip(got, best, strict=True)]
            yield (
                f"{who}, median / p90 / mean over the best fixed threshold at 1 false alarm a home-month, at most "
                + " / ".join(f"{m:.2f}" for m in most), " / ".join(f"{r:.2f}" for r in ratios),
                all(r <= m for r, m in zip(ratios, most, strict=True)),
            )  # fmt: skip
    else:
        yield "median below that of fixed 12 h", f"{mine[0]:.1f} and {usual[0]:.1f} h", mine[0] < usual[0]
        yield "false alarms below those of fixed 12 h", f"{false:.2f} and {usual_false:.2f}", false < usual_false
        yield "p90 beside that of fixed 12 h", f"{mine[1]:.1f} and {usual[1]:.1f} h", None
    yield "achieved false alarms at budget 1, from 0.3 to 1.5", f"{false:.2f}", 0.3 <= false <= 1.5
    cold, cold_usual = (figures([d for o in found for d in o.cold_delays])[0] for found in (src, twelve))
    alarms = fmean(o.cold for o in src)
    yield "cold start, alarms a month at most 1.5", f"{alarms:.2f}", alarms <= 1.5
    yield "cold start, median no worse than fixed 12 h", f"{cold:.1f} and {cold_usual:.1f} h", cold <= cold_usual


def at_one(curves: dict[str, dict[float, list[Outcome]]], records: Sequence[Record]) -> None:
    """Every method at one false alarm a home-month, over all homes and for each person."""
    print("At 1 false alarm a home-month (interpolated on each method's own curve)")
    print(f"{'':<18}{'median':>8}{'p90':>7}{'mean':>7}{'   ratio to the best single fixed threshold':<40}")
    everyone = {"all": list(range(len(records)))}
    people: dict[str, list[int]] = defaultdict(list)
    for i, r in enumerate(records):
        people[r.person].append(i)
    groups = everyone | (dict(people) if len(people) <= 8 else {})
    for name, who in groups.items():
        print(f"-- {name}: {len(who)} homes")
        best = interpolated(curves["fixed"], who)
        for method, curve in curves.items():
            got = interpolated(curve, who)
            if got is None or best is None:
                print(f"{method:<18}  never at 1 false alarm a month")
                continue
            ratio = "   " + " ".join(f"{g / b:.2f}" for g, b in zip(got, best, strict=True))
            print(f"{method:<18}{got[0]:>8.1f}{got[1]:>7.1f}{got[2]:>7.1f}{ratio}")


def interpolated(
    curve: dict[float, list[Outcome]], who: Sequence[int], target: float = 1.0
) -> tuple[float, float, float] | None:
    """The figures where the curve crosses `target` false alarms; the quickest setting that keeps it where it never does."""
    points = sorted(
        (fmean(outcomes[i].false for i in who), *figures([d for i in who for d in outcomes[i].delays]))
        for outcomes in curve.values()
    )
    kept = [p for p in points if p[0] <= target]
    over = [p for p in points if p[0] > target]
    if not kept:
        return None
    low = min((p for p in kept if p[0] == kept[-1][0]), key=lambda p: p[3])
    if not over:
        return low[1], low[2], low[3]
    high = over[0]
    share = (target - low[0]) / (high[0] - low[0])
    median, p90, mean = (a + (b - a) * share for a, b in zip(low[1:], high[1:], strict=True))
    return median, p90, mean


if __name__ == "__main__":
    main()
