"""How long the report of a year takes: counted from the calls, and added up from stored days.

    DATABASE_URL=postgresql://… ANJU_TEST_DB=bench_kpis .venv/bin/python benchmarks/kpis/run.py --calls 1000000

Makes the calls of a year (80 % taken; one to three seats rung, 40 agents, 12 communities, two queues) in a database of its own, asks
every question once in both ways, compares the answers, and throws the database away.
"""

from __future__ import annotations

import argparse
import os
import sys
import time
from datetime import date, datetime, timedelta
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[2] / "src"))
os.environ.setdefault("DJANGO_SETTINGS_MODULE", "anju.config.settings")
os.environ.setdefault("ANJU_MODE", "test")
BEGAN = date(2025, 1, 1)
DAYS = 365

CALLS = """
INSERT INTO calls_call (call_id, place, direction, purpose, whom, number, state, nth, planned_at, answered_at, ended_at, caller_index,
                        resolved, satisfaction, emergency, queue_id, by_user, candidates, tags, keys, result)
SELECT gen_random_uuid(), '3301990' || lpad((1 + n %% 4)::text, 2, '0') || lpad((1 + n %% 3)::text, 3, '0'),
       CASE WHEN n %% 10 = 0 THEN 'out' ELSE 'in' END, 'service_in', '', '', 'ended', 0, at,
       CASE WHEN n %% 5 > 0 THEN at + (n %% 40) * interval '1 second' END, at + (40 + n %% 300) * interval '1 second',
       'c' || (n::bigint * 7919 %% 150000), CASE WHEN n %% 5 > 0 AND n %% 4 > 0 THEN n %% 3 > 0 END, n %% 6, n %% 6 = 0,
       CASE WHEN n %% 6 = 0 THEN %(urgent)s ELSE %(other)s END, CASE WHEN n %% 10 = 0 THEN 1 + n %% 40 END, '[]', '[]', '[]', 'answered'
FROM (SELECT n, %(began)s::timestamptz + (random() * %(days)s * 86400) * interval '1 second' AS at
      FROM generate_series(1, %(calls)s) n) made"""
LEGS = """
INSERT INTO calls_leg (call_id, leg_id, role, endpoint, name, number, seat, user_id, planned_at, ringing_at, answered_at, ended_at,
                       wrapped_at, cause, result)
SELECT c.id, gen_random_uuid()::text, 'agent', 'seat', '', '', '80' || lpad(who::text, 2, '0'), who, c.planned_at,
       c.planned_at + interval '1 second', CASE WHEN k = 0 THEN c.answered_at END, CASE WHEN k = 0 THEN c.ended_at
       ELSE coalesce(c.answered_at, c.ended_at) END, CASE WHEN k = 0 AND c.answered_at IS NOT NULL THEN c.ended_at + interval '20 seconds' END,
       '', ''
FROM calls_call c, generate_series(0, 2) k, LATERAL (SELECT 1 + (c.id + k * 7) %% 40 AS who) w WHERE k <= c.id %% 3 AND c.direction = 'in'"""
TIME = """
INSERT INTO calls_seatlog (user_id, extension, state, reason, since, until)
SELECT %(user)s, '80' || lpad((n %% 40)::text, 2, '0'), (ARRAY['ready', 'talking', 'wrap_up'])[1 + n %% 3], '', at, at + interval '90 seconds'
FROM (SELECT n, %(began)s::timestamptz + (random() * %(days)s * 86400) * interval '1 second' AS at
      FROM generate_series(1, %(calls)s) n) made"""


def main() -> None:
    parser = argparse.ArgumentParser(description="The report of a year")
    parser.add_argument("--calls", type=int, default=1_000_000)
    options = parser.parse_args()
    import django

    django.setup()
    from django.contrib.auth import get_user_model
    from django.db import connection

    from anju.calls import kpis
    from anju.calls.figures.models import Cell, Day, SeatCell, SeatTime
    from anju.calls.kpis import Chosen, days
    from anju.calls.kpis.counting import direct_lines, direct_seats
    from anju.calls.models import Queue
    from anju.kernel import clock
    from anju.kernel.scope import EVERYWHERE, seen_by

    connection.creation.create_test_db(verbosity=0, autoclobber=True)
    try:
        with seen_by(EVERYWHERE):
            urgent, other = (Queue.objects.create(code=c, name=n) for c, n in (("e", "紧急"), ("s", "服务")))
            user = get_user_model().objects.create(username="bench")
            began = datetime.combine(BEGAN, datetime.min.time(), clock.SHANGHAI)
            words = {
                "began": began,
                "days": DAYS,
                "calls": options.calls,
                "urgent": urgent.pk,
                "other": other.pk,
                "user": user.pk,
            }
            with connection.cursor() as cursor:
                cursor.execute("SET session_replication_role = replica")  # made-up history needs no guards
                for sql in (CALLS, LEGS, TIME):
                    cursor.execute(sql, words)
                cursor.execute("SET session_replication_role = origin")
                cursor.execute("VACUUM ANALYZE")
            span = Chosen(began, began + timedelta(days=DAYS))
            questions = ("all", "day", "hour_of_day", "queue", "user")
            print(f"{options.calls:,} calls of {DAYS} days")
            counted = {}
            for by in questions:
                counted[by], took = timed(lambda by=by: direct_lines(span, by))
                print(f"counted from the calls, by {by}: {took:.1f} s")
            _, took = timed(lambda: direct_seats(span, "user", clock.now()))
            print(f"time of the seats from the log: {took:.1f} s")
            note = datetime.combine(BEGAN, datetime.min.time(), clock.SHANGHAI)
            Day.objects.bulk_create(Day(day=BEGAN + timedelta(days=n), noted_at=note) for n in range(DAYS))
            stored, took = timed(lambda: days.store_due(DAYS))
            rows = [model.objects.count() for model in (Cell, SeatCell, SeatTime)]
            print(f"stored {stored} days: {took:.1f} s, {1000 * took / stored:.0f} ms a day; rows {rows}")
            for by in questions:
                found, took = timed(lambda by=by: days.lines(span, by))
                same = found == sorted(counted[by], key=lambda line: line.key)
                print(f"from stored days, by {by}: {took:.2f} s, {'the same' if same else 'DIFFERENT'}")
            _, took = timed(lambda: kpis.report(span, "day"))
            print(f"the whole report of the page, by day: {took:.2f} s")
            _, took = timed(lambda: kpis.report(span, "user"))
            print(f"the whole report of the page, by agent: {took:.2f} s")
    finally:
        connection.creation.destroy_test_db(connection.settings_dict["NAME"], verbosity=0)


def timed(ask):
    """The answer and the seconds."""
    began = time.perf_counter()
    found = ask()
    return found, time.perf_counter() - began


if __name__ == "__main__":
    main()
