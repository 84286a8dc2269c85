"""What the watch over the homes costs: a message, a sweep, a round of worst cases, the state of a million homes, and pages.

    python benchmarks/rhythm/cost.py [--part all|message|state|sweep|live|worst|pages] [--homes 100000] [--pages 20000]

`message` needs no database and half a minute. The others start a PostgreSQL of their own (fsync on) in a temporary folder and
throw it away; 100,000 homes take about three minutes to fill. Rows are those that the platform writes: twelve homes live 40 days
through the real code, their rows are copied. Walls are medians (with the best beside them); the processor's own time and the
load of the machine are printed where other work matters.
"""

from __future__ import annotations

import argparse
import os
import signal
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from random import Random
from typing import Any
from uuid import uuid4

ROOT = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT / "src"), str(ROOT)]
os.environ.setdefault("DJANGO_SETTINGS_MODULE", "anju.config.settings")
os.environ.setdefault("ANJU_MODE", "test")
HOUR, DAYS, SAMPLES = 3600.0, 40, 12
PLACES = ["330199001001", "330199001002", "330199002001"]


def main() -> None:
    """Everything, one table each."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--part", choices=("all", "message", "state", "sweep", "live", "worst", "pages"), default="all")
    parser.add_argument("--homes", type=int, default=100_000)
    parser.add_argument("--pages", type=int, default=20_000)
    given = parser.parse_args()

    def wanted(*parts: str) -> bool:
        return given.part in {"all", *parts}

    print(f"load {os.getloadavg()[0]:.1f} on {os.cpu_count()} cores\n\n| what | bound | measured |\n|---|---|---|")
    if wanted("message"):
        pure()
    if given.part == "message":
        return
    with database():
        rows(given, wanted)
        if wanted("pages"):
            pages(given.pages)


def rows(given: argparse.Namespace, wanted: Callable[..., bool]) -> None:
    """What needs the homes' rows."""
    from anju.kernel.scope import EVERYWHERE, seen_by

    with seen_by(EVERYWHERE):
        homes = fill(given.homes, lived())
        if wanted("state"):
            size(given.homes, "as they are after a vacuum")
        if wanted("sweep"):
            sweeps(homes)
        if wanted("sweep", "live", "state"):
            churn(homes)
            size(given.homes, "after every home was written three times, autovacuum's work done")
        if wanted("sweep"):
            sweeps(homes, ", after that")
            dues(homes)
        if wanted("live"):
            messages()
        if wanted("worst"):
            rounds(homes)


def told(what: str, bound: str, value: str) -> None:
    """One line of the table."""
    print(f"| {what} | {bound} | {value} |", flush=True)


def timed(do: Callable[[], Any], times: int) -> tuple[float, float]:
    """(median wall, median of the processor's own time) in seconds."""
    walls, own = [], []
    for _ in range(times):
        wall, cpu = time.perf_counter(), time.process_time()
        do()
        walls.append(time.perf_counter() - wall)
        own.append(time.process_time() - cpu)
    return statistics.median(walls), statistics.median(own)


# ---- the rhythm alone


def stream(n: int, days: int, period: float) -> list[Any]:
    """The reports of home n as `vigil` takes them."""
    from anju.alarms.vigil import Report, Sign
    from anju.town import population, transport

    life = population.live(population.Person.of(n, 3), days, seed=3)
    sent = transport.carry(life.events, transport.Line(period=period, late=0.05, lost=0.02), days=days, seed=n)
    return [
        Report(m.device, m.arrives * HOUR, m.until * HOUR, m.since * HOUR if m.device == "pir" else None, m.seq,
               tuple(Sign(t * HOUR, door=k == population.DOOR) for t, k in m.events))
        for m in sent
    ]  # fmt: skip


def pure() -> None:
    """The rhythm without a database: a message, and 10,000 homes on one core."""
    from anju.alarms import rhythm
    from anju.alarms.vigil import Vigil

    def clock(at: float) -> tuple[int, float]:
        return 738_000 + int(at // 86_400), at / HOUR % 24

    for name, period in (("reports every 30 min", 0.5), ("reports at once", 0.0)):
        streams = [stream(n, 30, period) for n in range(20)]
        many = sum(len(s) for s in streams)
        tries = []
        for _ in range(3):
            own = time.process_time()
            for reports in streams:
                home = Vigil(
                    rhythm.fresh(738_000), rhythm.generic(), clock, budget=2.0, period=max(1800.0, period * HOUR)
                )
                for report in reports:
                    home.hear(report)
                    if home.due_at() <= report.received_at:
                        home.sweep(report.received_at)
            tries.append(time.process_time() - own)
        own = min(tries)
        told(
            f"a message through the rhythm, {name} ({many} messages of 20 homes, 30 days)",
            "≤ 50 µs",
            f"{own / many * 1e6:.0f} µs",
        )
        share = 20 * 30 * 86_400 / own / 10_000
        told(f"10,000 homes on one core, {name}", "≥ 1,000 × real time", f"{share:,.0f} ×")


# ---- the rows


@contextmanager
def database() -> Iterator[None]:
    """A server of its own, durable, with all tables."""
    from anju.ops.postgres import Server

    with tempfile.TemporaryDirectory(prefix="anju-bench-") as folder:
        Path(folder).chmod(0o755)
        server = Server(Path(folder) / "pg", "bench", "bench", durable=True, may_create_databases=True)
        process = server.start()
        os.environ["DATABASE_URL"] = server.url
        import django

        django.setup()
        from django.core.management import call_command
        from django.db import connection
        from django.test.utils import setup_test_environment

        setup_test_environment()
        try:
            call_command("migrate", verbosity=0)
            with connection.cursor() as cursor:
                cursor.execute("SHOW fsync")
                told("fsync of the database", "on", str(cursor.fetchone()[0]))
            yield
        finally:
            connection.close()
            process.send_signal(signal.SIGINT)
            process.wait(30)


def lived() -> list[tuple[Any, Any]]:
    """Rows of homes that lived 40 days up to now, as the platform stores them."""
    from anju.alarms import rhythm, sensing
    from anju.alarms.models import HomeRhythm, HomeWatch
    from anju.kernel import clock

    now, found = clock.now(), []
    start = (now - timedelta(days=DAYS)).timestamp()
    for n in range(SAMPLES):
        row = HomeWatch(home_id=n + 1, place=PLACES[0], watched=True, period=3600)
        watch = sensing.Watch.of(row, None)
        watch.vigil.rhythm = rhythm.fresh(clock.local(now - timedelta(days=DAYS)).toordinal())
        for report in stream(n, DAYS, 1.0):
            from dataclasses import replace

            signs = tuple(replace(s, at=s.at + start) for s in report.signs)
            since = None if report.since is None else report.since + start
            moved = replace(
                report, received_at=report.received_at + start, until=report.until + start, since=since, signs=signs
            )
            if moved.received_at <= now.timestamp():
                watch.vigil.hear(moved)
        kept = watch.store()
        row.last_life_what = "卫生间活动"
        packed = kept[0].packed if kept else watch.vigil.rhythm.pack()
        found.append((row, HomeRhythm(home_id=n + 1, place=PLACES[0], packed=packed, changed_at=now)))
    return found


FIRST = 2000
"""So many homes are made one by one; the rest are their copies."""


def fill(many: int, samples: list[tuple[Any, Any]]) -> list[int]:
    """So many homes with two sensors each; their rows are those that were lived, a little moved in time."""
    from django.db import connection

    from anju.alarms.models import HomeRhythm, HomeWatch
    from anju.devices import actions
    from anju.devices.models import Device, Product, Vitals
    from anju.elders.models import Home
    from anju.kernel import clock

    actions.load_products()
    now, dice = clock.now(), Random(1)
    pir, door = (Product.objects.get(code=c) for c in ("pir-nb1", "door-nb1"))
    fields = [f.attname for f in HomeWatch._meta.concrete_fields if f.attname not in {"home_id", "place"}]
    homes = Home.objects.bulk_create(
        Home(
            pk=n + 1, place=(p := PLACES[n % 3]), area=p, building=f"{n % 900} 幢", lon=120.2 + dice.random() / 50, lat=30.2 + dice.random() / 50
        )
        for n in range(min(many, FIRST))
    )  # fmt: skip
    Device.objects.bulk_create(
        Device(
            pk=2 * h.pk + k, imei=f"{2 * h.pk + k:015d}", product=p, home=h, place=h.place, status="installed", installed_at=now, position=w
        )
        for h in homes for k, p, w in ((0, pir, "卫生间门口"), (1, door, "入户门"))
    )  # fmt: skip
    Vitals.objects.bulk_create(
        Vitals(
            device_id=2 * h.pk + k, last_heard_at=now - timedelta(minutes=dice.randrange(1, 40)), battery=dice.randrange(10, 100),
            cell_id=h.pk % 400,
        )
        for h in homes for k in (0, 1)
    )  # fmt: skip
    drawn = [samples[dice.randrange(len(samples))] for _ in homes]
    HomeWatch.objects.bulk_create(
        HomeWatch(home=h, place=h.place, **{f: getattr(row, f) for f in fields})
        for h, (row, _) in zip(homes, drawn, strict=True)
    )
    HomeRhythm.objects.bulk_create(
        HomeRhythm(home=h, place=h.place, packed=kept.packed, changed_at=now)
        for h, (_, kept) in zip(homes, drawn, strict=True)
    )
    copies = -(-many // FIRST) - 1
    with connection.cursor() as cursor:
        for model, moved in (
            (Home, {"id": 1}), (Device, {"id": 2, "home_id": 1, "imei": 2}), (Vitals, {"device_id": 2}), (HomeWatch, {"home_id": 1}),
            (HomeRhythm, {"home_id": 1}),
        ):  # fmt: skip
            columns = [f.column for f in model._meta.concrete_fields]
            chosen = ", ".join(
                f"lpad((t.{c}::bigint + {moved[c] * FIRST} * k)::text, 15, '0')" if c == "imei"
                else f"t.{c} + {moved[c] * FIRST} * k" if c in moved else f"t.{c}"
                for c in columns
            )  # fmt: skip
            cursor.execute(
                f"INSERT INTO {model._meta.db_table} ({', '.join(columns)}) "  # noqa: S608
                f"SELECT {chosen} FROM {model._meta.db_table} t, generate_series(1, {copies}) k"
            )
        cursor.execute(
            "UPDATE alarms_homewatch SET heard_until = now(), covered_until = now(), look_at = now() + (30 + random() * 870) * interval '1 minute'"
        )
        for table in ("alarms_homewatch", "alarms_homedue", "alarms_homerhythm"):
            cursor.execute(f"VACUUM FULL {table}")
        cursor.execute("VACUUM ANALYZE")
    return list(Home.objects.order_by("pk").values_list("pk", flat=True))


def size(homes: int, when: str) -> None:
    """What a home's state takes on disk, indexes included."""
    from django.db import connection

    with connection.cursor() as cursor:
        tables = ("alarms_homewatch", "alarms_homedue", "alarms_homerhythm")
        cursor.execute("SELECT pg_total_relation_size(t::regclass) FROM unnest(%s::text[]) AS t", [list(tables)])
        watch, due, learnt = (row[0] for row in cursor.fetchall())
    all_ = (watch + due + learnt) / homes
    told(
        f"state of 1,000,000 homes (from {homes:,}), {when}",
        "≤ 2 GB",
        f"{all_ * 1e6 / 1e9:.2f} GB ({learnt / homes:.0f} B learnt + {watch / homes:.0f} B open silence + {due / homes:.0f} B of deadlines a home)",
    )


def sweeps(homes: list[int], when: str = "") -> None:
    """The sweep when nothing is due."""
    from anju.alarms import sensing

    sensing.sweep()
    best: list[float] = []

    def once() -> None:
        began = time.perf_counter()
        sensing.sweep()
        best.append(time.perf_counter() - began)

    wall, own = timed(once, 25)
    told(
        f"sweep of {len(homes):,} homes, none due{when}",
        "≤ 50 ms",
        f"{wall * 1e3:.0f} ms, best {min(best) * 1e3:.0f} ms (own processor time {own * 1e3:.0f} ms)",
    )
    if not when:
        explained()


def dues(homes: list[int]) -> None:
    """A sweep in which fifty homes must be looked at; what it raises stays, so it comes last."""
    from anju.alarms import sensing
    from anju.alarms.models import HomeWatch
    from anju.kernel import clock

    due = homes[:50]

    def some() -> None:
        HomeWatch.objects.filter(home_id__in=due).update(look_at=clock.now() - timedelta(seconds=1))
        began = time.perf_counter()
        sensing.sweep()
        spent.append(time.perf_counter() - began)

    spent: list[float] = []
    timed(some, 5)
    told(
        f"sweep of {len(homes):,} homes, 50 of which must be looked at", "–", f"{statistics.median(spent) * 1e3:.0f} ms"
    )


def explained() -> None:
    """Where the time of a sweep goes, as the database tells it."""
    from django.db import connection

    from anju.alarms import sensing, storms
    from anju.kernel import clock

    with connection.cursor() as cursor:
        plan = []
        for _ in range(3):
            cursor.execute(
                "EXPLAIN (ANALYZE, BUFFERS, COSTS OFF) " + sensing._LOOK_OVER,
                {"now": clock.now(), "deaf": clock.now() - storms.UNHEARD},
            )
            plan = [row[0] for row in cursor.fetchall()]
    for line in plan:
        print(f"    {line}")


def churn(homes: list[int]) -> None:
    """Every row is written three times, as messages do, and vacuumed whenever 2 % are dead, as the tables ask of autovacuum."""
    from django.db import connection
    from django.db.models import F

    from anju.alarms.models import HomeRhythm, HomeWatch

    step = max(1000, len(homes) // 50)
    for _ in range(3):
        for at in range(0, len(homes), step):
            part = homes[at : at + step]
            HomeWatch.objects.filter(home_id__in=part).update(heard_until=F("heard_until") + timedelta(seconds=1))
            HomeRhythm.objects.filter(home_id__in=part).update(changed_at=F("changed_at") + timedelta(seconds=1))
            with connection.cursor() as cursor:
                cursor.execute("VACUUM (TRUNCATE false) alarms_homewatch, alarms_homedue, alarms_homerhythm")


def messages() -> None:
    """The live way of a batch: rows locked, rhythm unpacked, silence ended, rows written and committed."""
    from django.db import transaction

    from anju.alarms import sensing
    from anju.devices import queries as devices
    from anju.kernel import clock
    from anju.signals.signal import Heard, Signal

    infos = [h.device for h in devices.health(limit=12_000) if h.device.kind == "motion"][:4000]

    def batch(part: list[Any]) -> None:
        now = clock.now()
        heard = Heard(
            lane_id=1, seq=1, received_at=now, urgent=False, source="ctwing", device_key="", operator_id="", product_id="", device_at=now,
            uid=uuid4(), dedup=b"", windowed=False, kind="report", signals=(Signal("motion", now, "0010", "0119"),),
        )  # fmt: skip
        with transaction.atomic():
            sensing.hear((heard, info) for info in part)

    parts = iter([infos[at : at + 200] for at in range(0, 4000, 200)])
    wall, own = timed(lambda: batch(next(parts)), 20)
    told(
        "a message live, in batches of 200 homes, committed (each ends a silence)",
        "–",
        f"{wall / 200 * 1e6:.0f} µs (own processor time {own / 200 * 1e6:.0f} µs)",
    )


def rounds(homes: list[int]) -> None:
    """The worst case of every home."""
    from anju.alarms import bounds
    from anju.alarms.models import HomeWatch

    rows = list(HomeWatch.objects.filter(home_id__in=homes[:2000]))
    parts = iter([rows[at : at + bounds.AT_ONCE] for at in range(0, 2000, bounds.AT_ONCE)])
    wall, own = timed(lambda: bounds.store(next(parts)), 2000 // bounds.AT_ONCE)
    each = own / bounds.AT_ONCE
    told(
        "worst case of one home, computed and stored",
        "–",
        f"{wall / bounds.AT_ONCE * 1e6:.0f} µs (own processor time {each * 1e6:.0f} µs)",
    )
    told(
        f"20,000 homes once in {bounds.ROUND.seconds // 60} min",
        "–",
        f"{each * 20_000 / bounds.ROUND.total_seconds():.1%} of one core",
    )


def pages(many: int) -> None:
    """The pages that show it, with the values of so many homes."""
    import math

    from django.conf import settings
    from django.core.cache import cache
    from django.db import connection
    from django.test import Client

    from anju.accounts.roles import Role
    from anju.accounts.tests.factories import make_user
    from anju.alarms.models import HomeWorst
    from anju.elders.models import Elder, Home
    from anju.kernel import clock
    from anju.kernel.scope import EVERYWHERE, seen_by
    from anju.places.tests.factories import make_district
    from anju.portals.desk.tests.conftest import session_of

    dice = Random(2)
    with seen_by(EVERYWHERE):
        make_district()
        user = make_user(Role.LEAD)
        homes = list(Home.objects.order_by("pk")[:many])
        HomeWorst.objects.all().delete()
        for at in range(0, many, 2000):
            part = homes[at : at + 2000]
            Elder.objects.bulk_create(
                Elder(home=h, number=f"B{h.pk:07d}", name=f"老人{h.pk}", main=True, status="approved") for h in part
            )
            HomeWorst.objects.bulk_create(
                HomeWorst(
                    home=h, place=h.place, hours=dice.choice([6.0, 9.5, 14.0, 26.0, math.inf]), cause="deaf", words="听不到", won=dice.uniform(0, 30),
                    measure="repair", measure_words="修复", computed_at=clock.now(),
                )
                for h in part
            )  # fmt: skip
    with connection.cursor() as cursor:
        cursor.execute("VACUUM ANALYZE")
    client = Client(headers={"Sec-Fetch-Mode": "navigate"})
    client.cookies[settings.SESSION_COOKIE_NAME] = session_of(user)
    for path in (
        "/district/watch/",
        "/district/watch/?page=200",
        "/district/elders/?sort=worst",
        "/district/elders/?sort=worst&page=400",
        "/district/map/",
    ):

        def ask(path: str = path) -> None:
            cache.clear()
            assert client.get(path).status_code == 200, path

        ask()
        wall, own = timed(ask, 7)
        told(f"{path}, {many:,} homes", "–", f"{wall * 1e3:.0f} ms (own processor time {own * 1e3:.0f} ms)")


if __name__ == "__main__":
    main()
