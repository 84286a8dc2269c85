"""How late do deadlines fire, and does each fire exactly once?

100,000 deadlines are pending, 50 a second fall due, three ticker processes ring, and people act on a fifth of the same
objects at the very moment they fall due. Everything goes through the real flow engine on a database of its own:

    DATABASE_URL=postgresql://… python benchmarks/deadlines/run.py [--seconds 30] [--pending 100000] [--rate 50]

Lateness is measured twice: when the clock made the move, and when its transaction had been committed.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from datetime import timedelta
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT / "src")]
os.environ.setdefault("DJANGO_SETTINGS_MODULE", "anju.config.settings")
NAME = "anju_bench_deadlines"


def setup(name: str) -> None:
    """Django, on the benchmark's own database."""
    from django.conf import settings

    settings.DATABASES["default"]["NAME"] = name
    import django

    django.setup()


def make_database() -> None:
    from django.conf import settings
    from django.core.management import call_command
    from django.db import connection

    from anju.kernel.flow.guard import guard
    from anju.kernel.tests import samples

    admin = {**settings.DATABASES["default"], "NAME": "postgres"}
    import psycopg

    known = {k: admin.get(k.upper()) for k in ("user", "password", "host", "port")}
    with psycopg.connect(dbname="postgres", autocommit=True, **{k: v for k, v in known.items() if v}) as raw:
        raw.execute(f"DROP DATABASE IF EXISTS {NAME} WITH (FORCE)")
        raw.execute(f"CREATE DATABASE {NAME}")
    call_command("migrate", "kernel", verbosity=0)
    with connection.schema_editor() as editor:
        editor.create_model(samples.Parcel)
    guard(samples.PARCEL).install(samples.Parcel)


def drop_database() -> None:
    import psycopg
    from django.conf import settings
    from django.db import connection

    connection.close()
    admin = settings.DATABASES["default"]
    known = {k: admin.get(k.upper()) for k in ("user", "password", "host", "port")}
    with psycopg.connect(dbname="postgres", autocommit=True, **{k: v for k, v in known.items() if v}) as raw:
        raw.execute(f"DROP DATABASE {NAME} WITH (FORCE)")


def fill(pending: int, rate: int, seconds: int, begin_in: float) -> list[tuple[int, float]]:
    """Parcels waiting, each with its deadline; returns (id, unix time) of those that fall due in the run."""
    from anju.kernel import clock
    from anju.kernel.models import Due, Movement
    from anju.kernel.scope import EVERYWHERE, seen_by
    from anju.kernel.tests.samples import Parcel

    start, soon = clock.now() + timedelta(seconds=begin_in), rate * seconds
    ats = [start + timedelta(seconds=n / rate) for n in range(soon)]
    ats += [start + timedelta(hours=1, seconds=n) for n in range(pending - soon)]
    random.shuffle(ats)
    with seen_by(EVERYWHERE):
        made = Parcel.objects.bulk_create(
            [Parcel(state="packed", state_since=clock.now(), due_at=at, slow=True) for at in ats], batch_size=5000
        )
    now = clock.now()
    Movement.objects.bulk_create(
        [
            Movement(flow="parcel", subject_id=p.pk, nth=0, kind="begin", move="begin", now="packed", by="x", at=now)
            for p in made
        ],
        batch_size=5000,
    )
    Due.objects.bulk_create(
        [Due(flow="parcel", subject_id=p.pk, nth=0, move="remind", at=p.due_at, fire_at=p.due_at) for p in made],
        batch_size=5000,
    )
    edge = start + timedelta(seconds=seconds)
    return sorted(((p.pk, p.due_at.timestamp()) for p in made if p.due_at < edge), key=lambda x: x[1])


def tick(out: str) -> None:
    """One ticker process; notes (id, lateness at commit) of every deadline that it fired."""
    from django.db import transaction

    from anju.kernel import clock
    from anju.kernel.flow import registry, ticker
    from anju.kernel.tests.samples import PARCEL

    with Path(out).open("w", buffering=1) as file:

        def note(parcel: object, movement: object) -> None:
            if movement.by == "系统时钟":
                from datetime import datetime

                due = datetime.fromisoformat(movement.data["due"])
                transaction.on_commit(
                    lambda: file.write(json.dumps([parcel.pk, (clock.now() - due).total_seconds()]) + "\n")
                )

        registry.when(PARCEL, any_=True, do=note)
        ticker.run_forever(threading.Event())


def act(due: list[tuple[int, float]], won: list[int], lost: list[int]) -> None:
    """A person who presses a button at the very moment at which the clock does."""
    from anju.kernel.flow import engine
    from anju.kernel.flow.actor import Actor, NotAllowed
    from anju.kernel.scope import EVERYWHERE, seen_by
    from anju.kernel.tests.samples import Parcel

    courier = Actor("小张", frozenset({"courier"}))
    with seen_by(EVERYWHERE):
        for pk, at in due:
            time.sleep(max(at + random.uniform(-0.02, 0.02) - time.time(), 0))  # noqa: TID251
            try:
                engine.make(Parcel.unscoped.get(pk=pk), "collect", courier)
                won.append(pk)
            except NotAllowed:
                lost.append(pk)


def judge(due: list[tuple[int, float]]) -> tuple[int, int, int, list[float]]:
    """(fired by the clock, taken by people first, wrong stories, lateness at the move)."""
    from anju.kernel.models import Movement

    stories: dict[int, list[Movement]] = {pk: [] for pk, _ in due}
    for row in Movement.objects.filter(flow="parcel", subject_id__in=stories).order_by("subject_id", "nth"):
        stories[row.subject_id].append(row)
    at, late, fired, first, wrong = dict(due), [], 0, 0, 0
    for pk, story in stories.items():
        moves = [m.move for m in story]
        reminded = moves.count("remind")
        fired += reminded
        first += moves[1:2] == ["collect"]
        gap = [m.nth for m in story] != list(range(len(story))) or moves.count("collect") > 1
        wrong += gap or reminded + (moves[1:2] == ["collect"]) != 1
        late += [m.at.timestamp() - at[pk] for m in story if m.move == "remind"]
    return fired, first, wrong, late


def show(name: str, values: list[float]) -> float:
    cut = statistics.quantiles(values, n=100)
    print(
        f"{name}: p50 {cut[49] * 1000:.0f} ms, p95 {cut[94] * 1000:.0f} ms, p99 {cut[98] * 1000:.0f} ms, max {max(values) * 1000:.0f} ms"
    )
    return cut[98]


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=int, default=30)
    parser.add_argument("--pending", type=int, default=100_000)
    parser.add_argument("--rate", type=int, default=50)
    parser.add_argument("--tickers", type=int, default=3)
    parser.add_argument("--tick", metavar="FILE", help=argparse.SUPPRESS)
    asked = parser.parse_args()
    setup(NAME)
    if asked.tick:
        tick(asked.tick)
        return 0
    make_database()
    folder = Path(tempfile.mkdtemp())
    begun = time.monotonic()
    due = fill(asked.pending, asked.rate, asked.seconds, begin_in=25 * asked.pending / 100_000 + 12)
    print(f"{asked.pending} deadlines pending ({time.monotonic() - begun:.0f} s to write them)")
    tickers = [
        subprocess.Popen([sys.executable, __file__, "--tick", str(folder / f"{n}")]) for n in range(asked.tickers)
    ]
    won: list[int] = []
    lost: list[int] = []
    people = [threading.Thread(target=act, args=(due[n::10], won, lost)) for n in range(2)]
    try:
        time.sleep(max(due[0][1] - time.time() - 1, 0))  # noqa: TID251
        behind = time.time() - due[0][1]
        if behind > 0:
            print(f"note: filling took longer than expected, the run starts {behind:.1f} s late")
        for person in people:
            person.start()
        time.sleep(max(due[-1][1] - time.time() + 3, 0))  # noqa: TID251
        for person in people:
            person.join()
    finally:
        for process in tickers:
            process.terminate()
            process.wait()
    fired, first, wrong, late = judge(due)
    committed = [json.loads(line)[1] for f in folder.iterdir() for line in f.read_text().splitlines()]
    print(
        f"{len(due)} fell due at {asked.rate}/s with {asked.tickers} tickers: {fired} fired by the clock, {first} taken by people first"
    )
    print(f"people pressed {len(won) + len(lost)} times in the same moments, {len(won)} accepted")
    show("late at the move  ", late)
    p99 = show("late at the commit", committed)
    print(
        f"each exactly once: {'yes' if not wrong else f'NO, {wrong} wrong'}; p99 < 500 ms: {'yes' if p99 < 0.5 else 'NO'}"
    )
    drop_database()
    return 0 if not wrong and p99 < 0.5 else 1


if __name__ == "__main__":
    raise SystemExit(main())
