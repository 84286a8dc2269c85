"""What the database counts is what each device says of itself; and a large district costs no more rows than a small one."""

from __future__ import annotations

import random
from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from anju.devices import actions, queries, totals
from anju.devices.tests.factories import build
from anju.elders.models import Home
from anju.kernel import clock
from anju.kernel.scope import Scope, seen_by
from anju.places.tests.factories import LOTUS, make_district

pytestmark = [pytest.mark.django_db, pytest.mark.req("DEV-05", "SEN-03")]
OTHER = "330199002001"


@pytest.fixture
def town(everywhere):
    """`town(n)`: n homes with two devices each, in every state that a device can be in."""
    make_district()
    actions.load_products()
    dice = random.Random(7)
    return lambda count: build(count, dice, places=(OTHER, LOTUS))


def has(row, trouble):
    """The trouble as the device itself says it."""
    if trouble == "weak":
        return row.rsrp is not None and row.rsrp < totals.WEAK and not row.silent
    return getattr(row, trouble)


def test_the_counts_are_those_of_the_devices_themselves(town):
    """Totals, pages and places, against the judgement device by device; another street counts its own only."""
    town(60)
    known = queries.health(limit=1000)
    counted = totals.totals()
    assert counted.all == len(known) == 120
    for trouble in totals.TROUBLES:
        mine = {r.device.id for r in known if has(r, trouble)}
        assert mine, trouble
        assert getattr(counted, trouble) == len(mine), trouble
        rows, number = totals.page(trouble=trouble, size=200)
        assert ({r.device.id for r in rows}, number) == (mine, len(mine))
    assert counted.newest == max(r.last_heard_at for r in known if r.last_heard_at)
    ordered = sorted(known, key=lambda r: (r.well, not r.silent, r.device.id))
    pages = [totals.page(start=start, size=50)[0] for start in (0, 50, 100)]
    assert [r.device.id for rows in pages for r in rows] == [r.device.id for r in ordered]
    limit = clock.now() - timedelta(hours=5)
    for place, found in totals.by_place(heard_before=limit).items():
        mine = [r for r in known if r.device.place == place]
        heard = {r.device.home_id for r in mine if r.last_heard_at and r.last_heard_at >= limit}
        homes = {r.device.home_id for r in mine}
        assert (found.homes, found.deaf, found.faults) == (
            len(homes),
            len(homes - heard),
            sum(not r.well for r in mine),
        )
    with seen_by(Scope(places=(OTHER[:9],))):
        assert totals.totals().all == sum(r.device.place == OTHER for r in known)
        assert set(totals.by_place(heard_before=limit)) == {OTHER}
        assert totals.page(place=LOTUS) == ([], 0)


def test_the_homes_that_were_silent_longest(town):
    """Never heard first, then by the last word of any device; suspended homes only when they are asked for."""
    town(40)
    known = queries.health(limit=1000)
    heard = {}
    for row in known:
        before = heard.get(row.device.home_id)
        heard[row.device.home_id] = max(filter(None, [before, row.last_heard_at]), default=None)
    early = clock.now() - timedelta(days=9999)
    order = sorted(heard, key=lambda home: (heard[home] or early, home))
    rows = totals.longest_silent(limit=12)
    assert [r.home_id for r in rows] == order[:12]
    assert [r.heard_at for r in rows] == [heard[h] for h in order[:12]]
    active = set(Home.objects.filter(status="active").values_list("pk", flat=True))
    assert [r.home_id for r in totals.longest_silent(limit=12, active=True)] == [h for h in order if h in active][:12]


def test_a_large_district_costs_the_same_questions_and_rows(town):
    """100 homes or 2,100: as many questions, as many rows come out of the database."""

    def cost():
        rows = 0

        def count(execute, sql, params, many, context):
            nonlocal rows
            answer = execute(sql, params, many, context)
            rows += max(context["cursor"].rowcount, 0)
            return answer

        with connection.execute_wrapper(count), CaptureQueriesContext(connection) as asked:
            totals.totals()
            totals.page(size=40)
            totals.page(trouble="silent", start=40, size=40)
            totals.by_place(heard_before=clock.now())
            totals.longest_silent(limit=6)
        return len(asked), rows

    town(100)
    small = cost()
    town(2000)
    assert cost() == small
    assert small[1] < 250
