"""The SQL counts what the records say, for any calls whatever; scope, periods and groups hold."""

from __future__ import annotations

import uuid
from dataclasses import replace
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

import pgtrigger
import pytest
from django.contrib.auth import get_user_model
from django.db import transaction
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from anju.calls.kpis import KPIS, Chosen, Counts, lines, live, report
from anju.calls.kpis.records import CallRecord, LegRecord, count, count_legs
from anju.calls.models import Call, Leg, Queue, SeatLog, SeatState, SkillGroup
from anju.kernel import clock
from anju.kernel.scope import Scope, seen_by

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("everywhere"), pytest.mark.req("CALL-09")]
ZONE = ZoneInfo("Asia/Shanghai")
MORNING = datetime(2026, 11, 20, 8, 0, tzinfo=ZONE)
DAY = Chosen(datetime(2026, 11, 20, tzinfo=ZONE), datetime(2026, 11, 21, tzinfo=ZONE))
PLACE = "330199001001"


def store(record: CallRecord, *, place: str = PLACE, queue: Queue | None = None) -> Call:
    """The record as rows of the tables."""
    with pgtrigger.ignore("calls.Call:guard_call"):
        call = Call.objects.create(
            state="ended", place=place, direction="in" if record.incoming else "out", purpose="service_in", planned_at=record.arrived,
            answered_at=record.answered, ended_at=record.ended, caller_index=record.caller, resolved=record.resolved,
            satisfaction=record.satisfaction, by_user=7 if record.by_person else None, queue=queue,
        )  # fmt: skip
    for leg in record.legs:
        Leg.objects.create(
            call=call, leg_id=str(uuid.uuid4()), role="agent", endpoint=f"seat:{leg.seat}", user_id=leg.user, seat=leg.seat,
            planned_at=record.arrived, ringing_at=leg.ringing, answered_at=leg.answered, ended_at=leg.ended, wrapped_at=leg.wrapped,
        )  # fmt: skip
    return call


def taken(
    wait: float = 6, talk: float = 60, *, at: datetime = MORNING, user: int = 1, wrap: float = 20, **given
) -> CallRecord:
    """An incoming call that one agent took."""
    answered = at + timedelta(seconds=wait)
    ended = answered + timedelta(seconds=talk)
    leg = LegRecord(
        user, f"80{user:02d}", at + timedelta(seconds=min(1, wait)), answered, ended, ended + timedelta(seconds=wrap)
    )
    return replace(CallRecord(True, at, answered, ended, legs=(leg,)), **given)


def total(chosen: Chosen = DAY) -> Counts:
    return next((line.counts for line in lines(chosen)), Counts())


steps = st.integers(0, 240).map(lambda s: timedelta(seconds=s))
users = st.integers(1, 3)


@st.composite
def legs(draw, start: datetime):
    ringing = start + draw(steps)
    answered = ringing + draw(steps) if draw(st.booleans()) else None
    ended = (answered or ringing) + draw(steps) if draw(st.booleans()) else None
    wrapped = ended + draw(steps) if ended and draw(st.booleans()) else None
    user = draw(users)
    return LegRecord(
        user, f"80{user:02d}", ringing if answered is None or draw(st.booleans()) else None, answered, ended, wrapped
    )


@st.composite
def calls(draw):
    arrived = MORNING + timedelta(minutes=draw(st.integers(-1500, 1500)))
    answered = arrived + draw(steps) if draw(st.booleans()) else None
    ended = (answered or arrived) + draw(steps) if draw(st.booleans()) else None
    return CallRecord(
        incoming=draw(st.integers(0, 4)) > 0, arrived=arrived, answered=answered, ended=ended, caller=draw(st.sampled_from(["", "a", "b"])),
        resolved=draw(st.sampled_from([None, True, False])), satisfaction=draw(st.integers(0, 5)), by_person=draw(st.booleans()),
        legs=tuple(draw(st.lists(legs(arrived), max_size=3))),
    )  # fmt: skip


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
@given(st.lists(calls(), max_size=8))
def test_the_sql_counts_what_the_records_say(made):
    """Any calls in any state: the whole day, and each agent."""
    inside = [c for c in made if DAY.since <= c.arrived < DAY.until]
    outside = [c for c in made if c not in inside]
    expected = count(inside, outside)
    by_user: dict[str, Counts] = {}
    for call in inside:
        for leg in call.legs if call.incoming else ():
            by_user[str(leg.user)] = by_user.get(str(leg.user), Counts()) + count_legs(call, leg)
    with transaction.atomic():
        for record in made:
            store(record)
        counted = total()
        agents = {line.key: line.counts for line in lines(DAY, "user")}
        days = lines(DAY, "day")
        transaction.set_rollback(True)
    assert counted == expected
    assert sum((line.counts for line in days), Counts()) == expected
    for user, counts in by_user.items():
        mine = replace(agents.get(user, Counts()), judged=0, solved=0, outgoing=0, outgoing_answered=0)
        assert mine == counts, user
    assert sum(c.solved for c in agents.values()) == expected.solved


def test_a_morning_as_the_guide_counts_it():
    for n, wait in enumerate((4, 14, 15, 18, 21, 70, 190)):
        store(taken(wait, at=MORNING + timedelta(minutes=n), resolved=True))
    store(CallRecord(True, MORNING, None, MORNING + timedelta(seconds=3)))
    store(CallRecord(True, MORNING, None, MORNING + timedelta(seconds=40)))
    store(CallRecord(True, MORNING, None, None))  # still waiting
    counts = total()
    assert (counts.offered, counts.answered, counts.abandoned, counts.abandoned_short) == (9, 7, 2, 1)
    assert (counts.within_15, counts.within_20, counts.within_60, counts.within_180) == (3, 4, 5, 6)
    assert round(KPIS["answer_rate"].of(counts), 1) == 77.8
    assert KPIS["average_talk"].of(counts) == 60
    assert KPIS["average_handle"].of(counts) == 80


@pytest.mark.parametrize(
    ("second", "solved", "judged"),
    [
        ({}, 2, 2),
        ({"at": MORNING + timedelta(hours=2)}, 0, 1),
        ({"at": MORNING + timedelta(hours=25)}, 2, 2),
        ({"at": MORNING + timedelta(hours=2), "caller": "other"}, 2, 2),
        ({"at": MORNING + timedelta(hours=2), "caller": ""}, 2, 2),
    ],
)
def test_a_second_call_of_the_same_person_says_that_the_first_was_not_enough(second, solved, judged):
    given = {"caller": "a", "resolved": True, "at": MORNING, **second}
    one = taken(at=MORNING, caller="a" if second else "b", resolved=True)
    store(one)
    store(taken(**given))
    counts = total(Chosen(DAY.since, DAY.until + timedelta(days=2)))
    assert (counts.solved, counts.judged) == (solved, judged)


def test_a_transferred_call_is_not_solved_by_the_first_agent_and_an_unjudged_one_does_not_count():
    one = taken(resolved=True)
    other = LegRecord(2, "8002", one.answered, one.answered + timedelta(seconds=30), one.ended)
    store(replace(one, legs=(*one.legs, other)))
    store(taken(at=MORNING + timedelta(minutes=1), resolved=None))
    assert (total().solved, total().judged) == (0, 1)
    agents = {line.key: line.counts for line in lines(DAY, "user")}
    assert (agents["1"].answered, agents["2"].answered) == (2, 1)
    assert agents["2"].wait_seconds == 30, "a transferred call waits at the second seat from its own ring"
    assert (agents["1"].judged, agents.get("2").judged) == (1, 0)


def test_when_all_seats_ring_the_slower_ones_missed_nothing():
    one = taken(wait=6)
    slower = LegRecord(2, "8002", MORNING + timedelta(seconds=1), None, one.answered + timedelta(seconds=0.2))
    asleep = LegRecord(3, "8003", MORNING, None, MORNING + timedelta(seconds=4))
    store(replace(one, legs=(*one.legs, slower, asleep)))
    store(
        CallRecord(
            True,
            MORNING,
            None,
            MORNING + timedelta(seconds=9),
            legs=(LegRecord(2, "8002", MORNING, None, MORNING + timedelta(seconds=9)),),
        )
    )
    agents = {line.key: line.counts for line in lines(DAY, "user")}
    assert (agents["2"].offered, agents["2"].missed, agents["2"].abandoned) == (1, 0, 1)
    assert (agents["3"].offered, agents["3"].missed) == (1, 1)


def test_groups_periods_and_places():
    emergency = Queue.objects.create(code="sos9", name="紧急", priority=9, emergency=True)
    service = Queue.objects.create(code="service9", name="服务", priority=1)
    dialect, health = (SkillGroup.objects.create(code=c, name=n) for c, n in (("hang9", "杭州话"), ("health9", "健康")))
    service.skills.set([dialect, health])
    store(taken(), queue=emergency)
    store(taken(at=MORNING + timedelta(hours=3)), queue=service, place="330199002001")
    store(taken(at=datetime(2026, 11, 20, 23, 59, 59, tzinfo=ZONE), wait=5))
    by = {
        name: {line.key: line.counts.answered for line in lines(DAY, name)}
        for name in ("queue", "group", "hour", "day", "hour_of_day", "seat")
    }
    assert by["queue"] == {"": 1, "service9": 1, "sos9": 1}
    assert by["group"] == {"": 2, "hang9": 1, "health9": 1}
    assert by["day"] == {"2026-11-20T00:00": 3}, "a call before midnight belongs to the day on which it came"
    assert by["hour"] == {"2026-11-20T08:00": 1, "2026-11-20T11:00": 1, "2026-11-20T23:00": 1}
    assert set(by["hour_of_day"]) == {"08", "11", "23"}
    assert by["seat"] == {"8001": 3}
    assert total(replace(DAY, queue="service9")).answered == 1
    assert total(replace(DAY, group="health9")).answered == 1
    assert total(replace(DAY, user_id=1)).answered == 3
    assert total(replace(DAY, seat="8002")).answered == 0
    with seen_by(Scope(places=("330199002",))):
        assert total().answered == 1
        assert next(line.label for line in lines(DAY, "queue")) == "服务"


def test_time_at_the_seat_is_clipped_to_the_span():
    user = get_user_model().objects.create(username="a", name="周晓岚")
    for state, start, end in (
        ("ready", 0, 30),
        ("talking", 30, 60),
        ("wrap_up", 60, 70),
        ("break", 70, 100),
        ("ready", 100, None),
    ):
        SeatLog.objects.create(
            user=user, extension="8001", state=state, since=DAY.since + timedelta(minutes=start - 10),
            until=None if end is None else DAY.since + timedelta(minutes=end - 10),
        )  # fmt: skip
    hour = Chosen(DAY.since, DAY.since + timedelta(hours=1))
    whole = report(hour, "user")
    line = whole.lines[0]
    assert (line.key, line.counts.busy_seconds, line.counts.present_seconds) == (str(user.pk), 40 * 60, 60 * 60)
    assert KPIS["occupancy"].of(whole.total) == pytest.approx(66.67, abs=0.01)


def test_the_wall_shows_who_waits_now(let_pass):
    queue = Queue.objects.create(code="sos9", name="紧急", priority=9, emergency=True)
    now = clock.now()
    store(taken(at=now - timedelta(minutes=5), talk=30), queue=queue)
    store(taken(at=now - timedelta(hours=2), talk=30), queue=queue)
    for seconds, state in ((50, "queued"), (8, "arrived"), (200, "talking")):
        call = Call(
            place=PLACE,
            direction="in",
            purpose="service_in",
            planned_at=now - timedelta(seconds=seconds),
            queue=queue,
            state="arrived",
        )
        with pgtrigger.ignore("calls.Call:guard_call"):
            call.answered_at = now - timedelta(seconds=190) if state == "talking" else None
            call.state = state
            call.save(force_insert=True)
    user = get_user_model().objects.create(username="a", name="周晓岚")
    SeatState.objects.create(user=user, extension="8001", state="ready", since=now)
    seen = live()
    one = next(q for q in seen.queues if q.code == "sos9")
    assert (seen.waiting, seen.longest_wait_seconds, seen.talking, seen.seats) == (2, 50.0, 1, {"ready": 1})
    assert (one.waiting, one.talking, one.recent.answered, one.today.answered) == (2, 1, 2, 3)
    assert (seen.answer_rate, seen.level_15) == (100.0, 100.0)
    with seen_by(Scope(places=("330199002",))):
        assert live().waiting == 0
    assert live("330199002").waiting == 0
