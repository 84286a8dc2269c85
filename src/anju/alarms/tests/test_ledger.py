"""The ledger balances whatever is heard, and misses every row that is taken away (LEAP-02)."""

from __future__ import annotations

import json
from datetime import timedelta
from io import StringIO

import pytest
from django.core.management import call_command
from django.db import connection
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.extra.django import TestCase

from anju.alarms import actions, queries, routing, watch
from anju.alarms.facts import SourceSilent, TroubleEnded, TroubleRaised
from anju.alarms.ledger import Ledger, ledger
from anju.alarms.models import Alarm, Pulse, Trouble
from anju.alarms.tests.conftest import Taker
from anju.alarms.tests.heard import a_device, lane, put, sig
from anju.devices import actions as devices
from anju.kernel import clock, facts
from anju.kernel.scope import EVERYWHERE, seen_by

pytestmark = pytest.mark.req("LEAP-02")
MINUTE = timedelta(minutes=1)


def books() -> Ledger:
    return ledger(clock.now() - timedelta(days=1), clock.now() + MINUTE)


def delete(sql: str, *values: object) -> None:
    with connection.cursor() as cursor:
        cursor.execute(sql, values)
        assert cursor.rowcount == 1


KINDS = [
    "sos",
    "sos_reset",
    "motion",
    "door_open",
    "tamper",
    "tamper_clear",
    "battery",
    "offline",
    "vitals",
    "gas",
    "test",
]
one_signal = st.sampled_from(KINDS)
one_message = st.fixed_dictionaries(
    {
        "signals": st.none() | st.lists(one_signal, min_size=1, max_size=4),
        "device": st.sampled_from(["known", "other", "testing", "stock", "stranger", ""]),
        "content": st.integers(0, 12),  # equal contents are duplicates
        "lane": st.integers(0, 2),
        "source": st.sampled_from(["ctwing", "onenet", "platform"]),
        "battery": st.none() | st.sampled_from([5, 20, 29, 30, 99, 70_000]),
        "late": st.sampled_from([0, 0, 3, 90]),
    }
)


class TestProperty(TestCase):
    """Random streams: duplicates, garbage, strangers, test mode, failing takers, several lanes, several batches."""

    @settings(max_examples=25, deadline=None, suppress_health_check=list(HealthCheck))
    @given(
        stream=st.lists(st.lists(one_message, max_size=8), min_size=1, max_size=4),
        limit=st.integers(1, 20),
        fails=st.lists(st.booleans(), min_size=4, max_size=4),
    )
    def test_it_balances_whatever_is_heard(self, stream, limit, fails):
        with seen_by(EVERYWHERE), pytest.MonkeyPatch.context() as patch:
            taker = Taker()
            patch.setattr(facts, "_reactions", {})
            facts.reacts(facts_of(), taker.take)
            keys = self._homes()
            lanes = [lane(urgent=True), lane(), lane(gateway="gw2")]
            start, sent, pressed = clock.now() - 2 * 60 * MINUTE, 0, 0
            for burst, failing in zip(stream, fails, strict=False):
                taker.always_fails = failing
                for m in burst:
                    signals = None if m["signals"] is None else [sig(k, value=m["battery"]) for k in m["signals"]]
                    vitals = {"battery": m["battery"]} if m["battery"] is not None else {}
                    put(lanes[m["lane"]], signals, key=keys[m["device"]], dedup=f"{m['content']}", source=m["source"],
                        vitals=vitals, received_at=clock.now() + m["late"] * timedelta(microseconds=1))  # fmt: skip
                    sent += 1
                self._books(start, sent)
                routing.route_some(urgent=True, limit=limit)
                self._books(start, sent)
            taker.always_fails = False
            for urgent in (True, False):
                while routing.route_some(urgent=urgent, limit=limit).messages:
                    self._books(start, sent)
            with connection.cursor() as cursor:
                cursor.execute(
                    "UPDATE signals_signal SET retry_at = now() - interval '1 minute' WHERE outcome = 'pending'"
                )
            routing.retry_pending(limit=500)
            total = self._books(start, sent).total
            assert (total.waiting, total.pending) == (0, 0)
            with connection.cursor() as cursor:
                cursor.execute("SELECT count(*) FROM signals_signal WHERE kind = 'sos' AND alarm_id IS NULL")
                pressed = cursor.fetchone()[0]
            assert pressed == 0, "an SOS that came to nothing"

    def _books(self, start, sent) -> Ledger:
        found = ledger(start, clock.now() + MINUTE)
        assert found.balances, found.differences
        assert found.total.messages == sent
        return found

    def _homes(self) -> dict[str, str]:
        made = {"known": a_device("860000000000001"), "other": a_device("860000000000002"),
                "testing": a_device("860000000000003"), "stock": a_device("860000000000004", installed=False)}  # fmt: skip
        devices.set_test_mode(device_id=made["testing"].pk, minutes=30)
        return {name: device.imei for name, device in made.items()} | {"stranger": "999", "": ""}


def facts_of():
    from anju.alarms.facts import AlarmRaised

    return AlarmRaised


@pytest.fixture
def heard(everywhere, taker, db) -> None:
    """A little of everything, routed."""
    a_device()
    rest, sos = lane(), lane(urgent=True)
    put(sos, [sig("sos")], dedup="a")
    put(sos, [sig("sos")], dedup="a")
    put(sos, [sig("sos")])
    for _ in range(3):
        put(rest, [sig("motion"), sig("door_open")])
    put(rest, None)
    routing.route_some(urgent=True, limit=50)
    routing.route_some(urgent=False, limit=50)
    assert books().balances


@pytest.mark.usefixtures("heard")
@pytest.mark.parametrize(
    ("what", "sql"),
    [
        (
            "a signal",
            "DELETE FROM signals_signal WHERE id = (SELECT min(id) FROM signals_signal WHERE kind = 'motion')",
        ),
        ("a message in the middle", "DELETE FROM signals_message WHERE id = (SELECT min(id) + 1 FROM signals_message)"),
        ("a duplicate", "DELETE FROM signals_message WHERE outcome = 'duplicate'"),
        ("what nobody could decode", "DELETE FROM signals_message WHERE outcome = 'undecodable'"),
        ("the first message", "DELETE FROM signals_message WHERE id = (SELECT min(id) FROM signals_message)"),
        ("the last message", "DELETE FROM signals_message WHERE id = (SELECT max(id) FROM signals_message)"),
        ("an alarm that opened", "DELETE FROM alarms_alarm WHERE state = 'open'"),
        ("an alarm that joined", "DELETE FROM alarms_alarm WHERE state = 'joined'"),
        ("the signal of an alarm", "DELETE FROM signals_signal WHERE outcome = 'opened'"),
    ],
)
def test_every_row_that_is_taken_away_is_missed(what, sql):
    before = books()
    delete(sql)
    after = books()
    assert before.balances, what
    assert not after.balances, what
    assert after.differences
    with pytest.raises(SystemExit) as ended:
        call_command("ledger", stdout=StringIO())
    assert ended.value.code == 1


@pytest.mark.usefixtures("heard")
def test_a_signal_too_many_and_a_changed_outcome_are_missed_too():
    with connection.cursor() as cursor:
        cursor.execute("INSERT INTO signals_signal (received_at, at, message_id, nth, source, place, kind, dty, stc, outcome) "
                       "SELECT received_at, at, message_id, 9, source, place, kind, dty, stc, outcome FROM signals_signal LIMIT 1")  # fmt: skip
    assert not books().balances
    with connection.cursor() as cursor:
        cursor.execute("DELETE FROM signals_signal WHERE nth = 9")
        assert books().balances
        cursor.execute("UPDATE signals_signal SET outcome = 'vanished' WHERE kind = 'door_open'")
    assert books().total.difference == 3


@pytest.mark.usefixtures("heard")
def test_the_command_prints_a_table_and_json_and_is_quiet_when_it_balances():
    out = StringIO()
    call_command("ledger", "--since", "2h", stdout=out)
    text = out.getvalue()
    assert "账平。" in text
    assert "电信 CTWing" in text
    assert "合计" in text
    out = StringIO()
    call_command("ledger", "--since", "2h", "--step", "hour", "--json", stdout=out)
    found = json.loads(out.getvalue())
    assert found["balances"] is True
    total = found["total"]
    assert (total["messages"], total["duplicates"], total["undecodable"]) == (7, 1, 1)
    assert (total["signals"], total["no_alarm"], total["opened"], total["joined"]) == (8, 6, 1, 1)
    assert (total["alarms"], total["alarms_open"], total["alarms_joined"]) == (2, 1, 1)
    assert found["lines"][0]["source"] == "ctwing"


@pytest.mark.usefixtures("heard")
def test_closing_says_who_and_why_or_is_refused():
    alarm = Alarm.objects.get(state="open")
    with pytest.raises(ValueError, match="who and why"):
        actions.close(alarm_id=alarm.pk, by="", reason="误碰")
    assert actions.close(alarm_id=alarm.pk, by="周晓岚", reason="误碰")
    assert not actions.close(alarm_id=alarm.pk, by="陈一鸣", reason="又一次")
    total = books().total
    assert (total.alarms_open, total.alarms_closed, books().balances) == (0, 1, True)
    alarm.refresh_from_db()
    assert (alarm.closed_by, alarm.closed_reason) == ("周晓岚", "误碰")


@pytest.mark.django_db
@pytest.mark.usefixtures("everywhere")
def test_the_watch_tells_of_what_waits_once_and_of_its_end(taker, let_pass, tmp_path):
    a_device()
    rest = lane()
    put(rest, [sig("motion")])
    assert watch.look(spool=tmp_path) == []
    let_pass(seconds=6)
    assert "已等待 6 秒" in watch.look(spool=tmp_path)[0]
    watch.look(spool=tmp_path)
    assert [f.kind for f in taker.heard(TroubleRaised)] == ["pending"]
    assert Trouble.objects.get(kind="pending").times == 2
    assert books().late_messages == 1
    routing.route_some(urgent=False, limit=10)
    assert watch.look(spool=tmp_path) == []
    assert [f.kind for f in taker.heard(TroubleEnded)] == ["pending"]
    assert queries.troubles() == []


@pytest.mark.django_db
@pytest.mark.usefixtures("everywhere")
def test_the_watch_tells_of_a_spool_that_waits(taker, tmp_path):
    import os

    waiting = tmp_path / "1.spool"
    waiting.write_bytes(b"x")
    now = clock.now().timestamp()
    os.utime(waiting, (now - 3, now - 3))
    assert watch.look(spool=tmp_path) == []
    os.utime(waiting, (now - 60, now - 60))
    assert "网关暂存的报文已等待 1 分" in watch.look(spool=tmp_path)[0]
    waiting.unlink()
    assert watch.look(spool=tmp_path) == []


@pytest.mark.django_db
@pytest.mark.usefixtures("everywhere")
def test_an_alarm_that_nobody_takes_is_a_trouble(taker, let_pass, monkeypatch, tmp_path):
    monkeypatch.setattr(taker, "take", lambda fact: None)
    facts._reactions.clear()
    a_device()
    put(sos := lane(urgent=True), [sig("sos")])
    routing.route_some(urgent=True, limit=10)
    assert watch.look(spool=tmp_path) == []
    let_pass(seconds=6)
    assert "1 条告警没有事件或工单受理" in watch.look(spool=tmp_path)[0]
    actions.settle(alarm_id=Alarm.objects.get().pk, outcome="opened", case_kind="incident", case_id=1)
    assert watch.look(spool=tmp_path) == []
    assert sos.pk


@pytest.mark.django_db
@pytest.mark.usefixtures("everywhere")
def test_a_source_that_falls_silent_pages_the_leads_once(taker, let_pass, tmp_path):
    for _ in range(3):
        actions.heard_from(source="ctwing", first_at=clock.now(), last_at=clock.now(), longest_gap=5)
        let_pass(seconds=10)
    Pulse.objects.update(usual_gap=40)
    let_pass(seconds=80)
    assert watch.look(spool=tmp_path) == []
    let_pass(seconds=60)
    for _ in range(2):
        assert "电信 CTWing" in watch.look(spool=tmp_path)[0]
    assert [f.source for f in taker.heard(SourceSilent)] == ["ctwing"]
    actions.heard_from(source="ctwing", first_at=clock.now(), last_at=clock.now(), longest_gap=0)
    assert watch.look(spool=tmp_path) == []
    assert [f.kind for f in taker.heard(TroubleEnded)] == ["source_silent"]


@pytest.mark.django_db
@pytest.mark.usefixtures("everywhere", "heard")
def test_a_difference_is_an_alarm_of_its_own(taker):
    since, until = clock.now() - MINUTE, clock.now() + MINUTE
    assert watch.prove(since, until).balances
    assert not taker.heard(TroubleRaised) or all(f.kind != "difference" for f in taker.heard(TroubleRaised))
    delete("DELETE FROM signals_message WHERE outcome = 'duplicate'")
    assert not watch.prove(since, until).balances
    assert [f.kind for f in taker.heard(TroubleRaised) if f.kind == "difference"] == ["difference"]
    assert "对账不平" in Trouble.objects.get(kind="difference").text
