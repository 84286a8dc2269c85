"""The idle desk's figures of all homes, counted by the database, are those that each home gives by itself."""

from __future__ import annotations

from collections import Counter
from datetime import timedelta
from random import Random

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from anju.alarms.models import HomeRhythm, HomeWatch
from anju.devices import actions, totals
from anju.devices.tests.factories import build
from anju.elders.models import Home
from anju.kernel import clock
from anju.places.tests.factories import LOTUS, make_district
from anju.portals.desk import homes
from anju.signals.activity import state

pytestmark = [pytest.mark.django_db, pytest.mark.req("DEV-05", "SEN-03")]


def test_the_words_of_all_homes_are_those_of_each_home(everywhere: None) -> None:
    """Every home has exactly one word, the one that `signals.activity.state` gives it; the number of questions stays."""
    make_district()
    actions.load_products()
    dice = Random(3)

    def questions() -> int:
        with CaptureQueriesContext(connection) as asked:
            homes.overview(len(asked_by), clock.now())
        asked_by.append(1)
        return len(asked)

    asked_by = [1]
    build(30, dice, places=[LOTUS])
    few = questions()
    build(400, dice, places=[LOTUS])
    assert questions() == few
    now = clock.now()
    suspended = set(Home.objects.exclude(status="active").values_list("pk", flat=True))
    rows = totals.longest_silent(limit=1000)
    wanted = Counter(
        state(
            homes.happenings(row), now, last_heard=row.heard_at, suspended=row.home_id in suspended, zone=clock.SHANGHAI
        ).word
        for row in rows
    )
    counted = totals.homes_by(**homes.words(now))
    assert {word: n for word, n in counted.items() if n} == dict(wanted)
    assert len(wanted) == 5
    assert sum(counted.values()) == 430


def test_a_home_quiet_beyond_its_rhythm_is_said_so(everywhere: None) -> None:
    """Past its own deadline: 久静, in the count and in the row; a paused one stays quiet. The panel says what is learnt."""
    make_district()
    actions.load_products()
    build(120, Random(5), places=[LOTUS])
    now = clock.now()
    assert "不判久静" in homes.overview(901, now)["rhythm"]
    quiet = [
        h
        for h in totals.longest_silent(limit=1000, active=True)
        if state(homes.happenings(h), now, last_heard=h.heard_at, suspended=False, zone=clock.SHANGHAI).word == "安静"
    ]
    assert len(quiet) >= 2
    before = totals.homes_by(**homes.words(now))["安静"]
    for n, one in enumerate(quiet[:2]):
        place = Home.objects.get(pk=one.home_id).place
        HomeWatch.objects.create(
            home_id=one.home_id,
            place=place,
            soft_at=now - timedelta(minutes=5),
            paused_until=now + timedelta(hours=1) if n else None,
        )
    HomeRhythm.objects.create(home_id=quiet[0].home_id, place=LOTUS, packed=b"", changed_at=now)
    shown = homes.overview(902, now)
    counts = {part["word"]: part["count"] for part in shown["homes"]["parts"]}
    assert (counts["久静"], counts["安静"]) == (1, before - 1)
    assert shown["rhythm"] == "在看护的 2 户中 1 户已学出平日节律，超出的列为久静"
