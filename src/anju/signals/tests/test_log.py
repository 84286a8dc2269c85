"""The log between the gateway and the router: read in order, once, claimed, settled; partitions; silence."""

from __future__ import annotations

import hashlib
import threading
import time
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import psycopg
import pytest
from django.db import connection, transaction

from anju.devices import actions as devices
from anju.devices import queries as device_queries
from anju.kernel import clock
from anju.kernel.scope import Scope, seen_by
from anju.portals.device_gateway.settings import conninfo
from anju.signals import actions, jobs, log, partitions, queries
from anju.signals.models import Cursor, Lane, Message, MessageOutcome, Signal
from anju.signals.signal import Heard, HistoryRow, Routed, RoutedSignal, message_id
from anju.signals.signal import Signal as Value

MESSAGES = "signals_message"
pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("everywhere"), pytest.mark.req("DEV-04")]
T0 = datetime(2026, 11, 20, 4, 0, tzinfo=UTC)
HOME_PLACE = "330199001001"


def lane(*, urgent: bool = False) -> int:
    """An open lane."""
    row = Lane.objects.create(gateway="test", urgent=urgent, opened_at=T0)
    Cursor.objects.create(lane=row, floor=T0)
    return int(row.pk)


def put(
    lane_id: int,
    seq: int,
    *,
    key: str = "8610",
    at: datetime = T0,
    stamp: datetime | None = T0,
    content: str = "x",
    kind: str = "motion",
) -> int:
    """A message as the gateway stores it."""
    ident = message_id(lane_id, seq)
    dedup = hashlib.blake2b(f"{key}{stamp}{content}".encode(), digest_size=16).digest()
    decoded = log.write_signals([Value(kind, at, "0010", "0119")], {"battery": 80}).decode() if kind else ""
    with connection.cursor() as cursor:
        cursor.execute(
            """INSERT INTO signals_message (id, received_at, device_at, uid, source, product_id, device_key, operator_id, kind, n, windowed,
               dedup, decoded, raw, note) VALUES (%s,%s,%s,%s,'ctwing','p',%s,'op','report',%s,%s,%s,%s,'{}','')""",
            [ident, at, stamp, uuid4(), key, 1 if kind else 0, stamp is None, dedup, decoded],
        )
    return ident


def read(limit: int = 100, *, urgent: bool = False) -> list[Heard]:
    """What the router reads next."""
    with transaction.atomic():
        return queries.next_batch(limit, urgent=urgent)


def settled(batch: list[Heard], outcome: str = "no_alarm") -> None:
    """Settle as the router does."""
    with transaction.atomic():
        actions.settle([
            Routed(h, "signals" if h.signals else "undecodable",
                   [RoutedSignal(i, s, outcome, HOME_PLACE) for i, s in enumerate(h.signals or ())])
            for h in batch
        ])  # fmt: skip


def test_a_lane_is_read_in_order_and_once() -> None:
    a, b, u = lane(), lane(), lane(urgent=True)
    for n in range(1, 6):
        put(a, n, content=f"a{n}")
        put(b, n, content=f"b{n}", key="8611")
    put(u, 1, kind="sos")
    first = read(4)
    assert [(h.lane_id, h.seq) for h in first] == [(a, 1), (a, 2), (b, 1), (b, 2)] or len(first) == 4
    assert [h.seq for h in first if h.lane_id == a] == sorted(h.seq for h in first if h.lane_id == a)
    assert all(not h.urgent for h in first)
    settled(first)
    rest = read(100)
    assert {(h.lane_id, h.seq) for h in first} & {(h.lane_id, h.seq) for h in rest} == set()
    assert len(first) + len(rest) == 10
    settled(rest)
    assert read() == []
    (sos,) = read(urgent=True)
    assert (sos.signals or ())[0].kind == "sos"
    assert sos.vitals == {"battery": 80}
    assert sos.keys == ("8610", "op")
    assert queries.lag(T0 + timedelta(seconds=7)) == timedelta(seconds=7), "the SOS waits still"
    settled([sos], "opened")
    assert queries.lag(T0 + timedelta(seconds=7)) == timedelta(0)
    assert set(Message.objects.values_list("outcome", flat=True)) == {MessageOutcome.SIGNALS}
    assert Signal.objects.count() == 11


def test_a_backlog_of_one_lane_does_not_starve_the_others() -> None:
    a, b = lane(), lane()
    for n in range(1, 200):
        put(a, n, content=f"a{n}")
    put(b, 1, content="b")
    assert (b, 1) in {(h.lane_id, h.seq) for h in read(50)}


def test_a_rolled_back_round_is_read_again() -> None:
    a = lane()
    put(a, 1)
    with pytest.raises(RuntimeError), transaction.atomic():  # noqa: PT012 - the whole round is rolled back
        batch = queries.next_batch(10, urgent=False)
        assert actions.claim(batch) == {(a, 1)}
        actions.settle([Routed(batch[0], "signals")])
        raise RuntimeError
    again = read()
    assert [h.seq for h in again] == [1]
    with transaction.atomic():
        assert actions.claim(again) == {(a, 1)}, "the claim was rolled back too"


def test_what_cannot_be_decoded_or_read_does_not_stop_its_lane() -> None:
    a = lane()
    put(a, 1, kind="")
    broken = put(a, 2, content="2")
    put(a, 3, content="3")
    with connection.cursor() as cursor:
        cursor.execute("UPDATE signals_message SET decoded = '{' WHERE id = %s", [broken])
    batch = read()
    assert [h.signals is None for h in batch] == [True, True, False]
    settled(batch)
    assert sorted(Message.objects.values_list("outcome", flat=True)) == ["signals", "undecodable", "undecodable"]


def test_equal_messages_are_claimed_once_wherever_they_come_from() -> None:
    a, b = lane(), lane()
    put(a, 1)
    put(b, 1)
    put(b, 2, content="other")
    batch = read()
    with transaction.atomic():
        new = actions.claim(batch)
    assert len(new) == 2
    put(a, 2, at=T0 + timedelta(hours=3))
    with transaction.atomic():
        assert actions.claim([h for h in read() if h.seq == 2 and h.lane_id == a]) == set(), (
            "hours later it is still the same"
        )


@pytest.mark.req("SEN-03")
def test_without_a_time_stamp_a_press_is_a_duplicate_only_within_ten_seconds() -> None:
    u = lane(urgent=True)
    seconds = [0, 3, 9.9, 10.5, 12, 30, 31]
    for n, s in enumerate(seconds, 1):
        put(u, n, stamp=None, at=T0 + timedelta(seconds=s), kind="sos")
    with transaction.atomic():
        new = actions.claim(read(urgent=True))
    assert {seconds[seq - 1] for _, seq in new} == {0, 10.5, 30}
    put(lane(urgent=True), 1, stamp=None, at=T0 - timedelta(minutes=5), kind="sos")  # late, out of a spool
    with transaction.atomic():
        late = [h for h in read(urgent=True) if h.received_at < T0]
        assert len(actions.claim(late)) == 1, "what came long before is another press"


def test_a_signal_that_waits_is_tried_again() -> None:
    a = lane()
    put(a, 1, kind="sos")
    batch = read()
    with transaction.atomic():
        actions.settle(
            [
                Routed(
                    batch[0],
                    "signals",
                    [RoutedSignal(0, (batch[0].signals or ())[0], "pending", HOME_PLACE, retry_at=T0)],
                )
            ]
        )
    with transaction.atomic():
        assert queries.due_pending(T0 - timedelta(seconds=1)) == []
        (pending,) = queries.due_pending(T0)
        assert (pending.signal.kind, pending.message_id, pending.nth) == ("sos", batch[0].id, 0)
        actions.resolve(signal_id=pending.id, outcome="opened", alarm_id=7)
        assert queries.due_pending(T0) == []
    assert Signal.objects.get().alarm_id == 7


def test_signals_are_seen_only_inside_the_scope() -> None:
    a = lane()
    put(a, 1)
    settled(read())
    with seen_by(Scope(places=("330199001",))):
        assert len(queries.recent()) == 1
    with seen_by(Scope(places=("330199002",))):
        assert queries.recent() == []


def test_partitions_are_made_ahead_and_take_over_what_waits_in_the_default() -> None:
    a = lane()
    ident = put(a, 1, at=clock.now())
    with connection.cursor() as cursor:
        today = clock.today()
        before = partitions.existing(cursor, "signals_message")
        actions.ensure_partitions()
        days = partitions.existing(cursor, "signals_message")
        assert {today + timedelta(days=n) for n in range(partitions.DAYS_AHEAD + 1)} <= set(days)
        assert actions.ensure_partitions() == 0
        cursor.execute("SELECT tableoid::regclass::text FROM signals_message WHERE id = %s", [ident])
        assert cursor.fetchone()[0] == partitions.name_of("signals_message", today) or today in before
        assert partitions.has_raw(cursor, today)
        assert partitions.forget_raw(cursor, today) == 1
        assert not partitions.has_raw(cursor, today)
        cursor.execute("SELECT count(*) FROM pg_indexes WHERE tablename = %s", [partitions.name_of(MESSAGES, today)])
        indexes = cursor.fetchone()[0]
        cursor.execute("SELECT count(*) FROM pg_index WHERE indrelid = %s::regclass", [MESSAGES])
        assert cursor.fetchone()[0] == indexes, "no index twice, none missing"
    message = queries.message(ident)
    assert message is not None
    assert message.raw is None
    assert log.read(message.decoded)[0][0].kind == "motion", "what it meant stays"
    put(a, 2, at=clock.now(), content="2")
    assert {h.seq for h in read()} >= {1}
    with connection.cursor() as cursor:
        assert partitions.drop(cursor, "signals_message", today)
        assert not partitions.drop(cursor, "signals_message", today)
    put(a, 3, at=clock.now(), content="3")
    assert Message.objects.count() == 1, "without a day's partition the default takes it"


def test_history_is_settled_and_balanced() -> None:
    rows = [HistoryRow(T0 - timedelta(hours=n), T0 - timedelta(hours=n), "ctwing", 1, "861", None, HOME_PLACE, "motion", "0010", "0119", raw=b"{}")
            for n in range(30)]  # fmt: skip
    assert actions.load_history(rows) == 30
    assert read() == []
    assert Message.objects.filter(outcome="signals").count() == Signal.objects.count() == 30
    assert actions.load_history([]) == 0


@pytest.mark.req("DEV-05")
def test_a_silent_device_is_said_once_for_each_absence(let_pass: Any) -> None:
    devices.load_products()
    device = _installed()
    devices.note_vitals([devices.VitalsNote(device, clock.now())])
    let_pass(hours=24)
    jobs.find_silence()
    assert read() == [], "its model reports every eight hours; a day is no silence yet"
    let_pass(hours=2)
    jobs.find_silence()
    jobs.find_silence()
    (said,) = read()
    assert said.source == "platform"
    assert [(s.kind, s.stc) for s in said.signals or ()] == [("silent", "0900")]
    settled([said])
    assert device_queries.health_of([device])[device].silent
    devices.note_vitals([devices.VitalsNote(device, clock.now())])
    health = device_queries.health_of([device])[device]
    assert health.online
    assert health.well
    let_pass(hours=26)
    jobs.find_silence()
    assert len(read()) == 1, "a new absence is said again"


def _installed() -> int:
    from anju.elders.models import Home

    home = Home.objects.create(place=HOME_PLACE)
    device = devices.register(imei="861000000000011", product_code="sos-nb1")
    return int(devices.install(device_id=device.pk, home_id=home.pk, place=HOME_PLACE, position="卫生间").pk)


def test_a_day_that_is_over_is_put_into_the_order_of_homes() -> None:
    day = clock.today() - timedelta(days=3)
    at = datetime.combine(day, datetime.min.time(), tzinfo=partitions.ZONE)
    with connection.cursor() as cursor:
        partitions.ensure(cursor, day, ahead=0)
        cursor.execute(
            """INSERT INTO signals_signal (received_at, at, message_id, nth, source, home_id, place, kind, dty, stc, outcome)
               SELECT %s + n * interval '8 s', %s + n * interval '8 s', n, 0, 'ctwing', n * 7919 %% 200, %s, 'motion', '0010', '0119',
                 'no_alarm' FROM generate_series(1, 10000) n""",
            [at, at, HOME_PLACE],
        )
        name = partitions.name_of("signals_signal", day)
        pages = f"SELECT count(DISTINCT (ctid::text::point)[0]), count(*), sum(id) FROM {name} WHERE home_id = 7"  # noqa: S608
        cursor.execute(pages)
        before = cursor.fetchone()
        told = queries.activity(7, at, at + timedelta(days=1))
        jobs.arrange()
        cursor.execute(pages)
        after = cursor.fetchone()
        assert before[1:] == after[1:] == (50, before[2])
        assert before[0] > 40
        assert after[0] <= 3, "its day lies together"
        assert queries.activity(7, at, at + timedelta(days=1)) == told
        cursor.execute(
            "SELECT count(*) FROM signals_signal WHERE received_at >= %s AND received_at < %s",
            [at, at + timedelta(days=1)],
        )
        assert cursor.fetchone() == (10_000,)
        cursor.execute("SELECT count(*) FROM pg_indexes WHERE tablename = %s", [name])
        indexes = cursor.fetchone()[0]
        cursor.execute("SELECT count(*) FROM pg_index WHERE indrelid = 'signals_signal'::regclass")
        assert cursor.fetchone()[0] == indexes, "no index twice, none missing"
        assert partitions.arranged(cursor, day)
        today = partitions.name_of("signals_signal", clock.today())
        actions.ensure_partitions()
        jobs.arrange()
        assert not partitions.arranged(cursor, clock.today()), f"{today} is still being written"
        assert partitions.arrange(cursor, day - timedelta(days=900)) == 0


@pytest.mark.django_db(transaction=True)
@pytest.mark.req("SEN-03")
def test_the_chores_of_the_night_wait_for_a_long_reader_only_moments_at_a_time_so_an_sos_never_does() -> None:
    """While somebody waits for the lock of the whole log, whoever comes after waits behind: here a writer in between."""
    day = clock.today() - timedelta(days=3)
    with transaction.atomic(), connection.cursor() as cursor:
        partitions.ensure(cursor, day, ahead=0)
    reader = psycopg.connect(conninfo(connection.settings_dict))
    writer = psycopg.connect(conninfo(connection.settings_dict), autocommit=True)
    try:
        reader.execute("SELECT count(*) FROM signals_signal")  # a report that goes on and on
        chore = threading.Thread(target=_arrange_on_a_connection_of_its_own)
        chore.start()
        longest = 0.0
        while chore.is_alive():
            began = time.perf_counter()
            writer.execute("INSERT INTO signals_signal SELECT (NULL::signals_signal).* WHERE false")  # the lock alone
            longest = max(longest, time.perf_counter() - began)
        assert longest < 5.0, "seconds that an SOS waited"
        with connection.cursor() as cursor:
            assert not partitions.arranged(cursor, day), "it comes again next night"
            reader.rollback()
            _arrange_on_a_connection_of_its_own()
            assert partitions.arranged(cursor, day)
    finally:
        reader.close()
        writer.close()
        with transaction.atomic(), connection.cursor() as cursor:
            for table in (*partitions.TIMED, "signals_seen"):
                partitions.drop(cursor, table, day)


def _arrange_on_a_connection_of_its_own() -> None:
    try:
        jobs.arrange()
    finally:
        if threading.current_thread() is not threading.main_thread():
            connection.close()
