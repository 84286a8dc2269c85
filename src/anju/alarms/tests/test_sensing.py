"""From a sensor's message to an alarm of silence, through the router's own code and the clock."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest

from anju.alarms import explaining, routing, sensing, states
from anju.alarms.facts import ElderAsked
from anju.alarms.models import Alarm, HomeRhythm, HomeState, HomeWatch
from anju.alarms.tests.conftest import Taker
from anju.alarms.tests.heard import a_device, lane, put, sig
from anju.elders import actions as elders
from anju.elders import queries as elder_queries
from anju.kernel import clock, facts
from anju.kernel.flow.actor import Actor
from anju.kernel.scope import EVERYWHERE, seen_by

pytestmark = pytest.mark.django_db
Pass = Callable[[timedelta], object]
BY = Actor("周晓岚", frozenset({"agent", "street"}), None)


@pytest.fixture(autouse=True)
def _everywhere(taker: Taker):
    with seen_by(EVERYWHERE):
        yield


@pytest.fixture
def asked(taker: Taker) -> list[ElderAsked]:
    heard: list[ElderAsked] = []
    facts.reacts(ElderAsked, heard.append)
    return heard


def consent(home_id: int, *scopes: str) -> None:
    elder = elder_queries.main_elder(home_id)
    assert elder is not None
    elders.record_consent(
        elder_id=elder.pk, scope=list(scopes or ["monitor"]), signed_by="周玉珍", document="TZ-1", by=BY
    )


def a_home(*, signed: bool = True):
    """A home with a motion sensor in the bathroom, reporting each hour."""
    device = a_device(product="pir-nb1", position="卫生间")
    if signed:
        consent(device.home_id)
    sensing.enrol(home_id=device.home_id)
    return device


def moved(where, *, seq: int, at: datetime | None = None) -> None:
    """The hourly report, with motion or without."""
    signals = [sig("motion", at, seq=seq)] if at is not None else [sig("vitals", seq=seq)]
    put(where, signals)
    routing.route_some(urgent=False, limit=50)


@pytest.mark.req("SEN-01", "INC-10")
def test_silence_in_a_home_that_is_heard_asks_her_first_and_then_calls_an_agent(
    let_pass: Pass, asked: list[ElderAsked]
) -> None:
    device, where = a_home(), lane()
    moved(where, seq=1, at=clock.now())
    row = HomeWatch.objects.get(home_id=device.home_id)
    assert row.watched
    assert row.last_life_what == "卫生间活动"
    assert row.soft_at is not None
    assert row.hard_at is not None
    assert row.soft_at < row.hard_at
    seq = 2
    while clock.now() < row.hard_at + timedelta(minutes=5):
        let_pass(timedelta(minutes=30))
        moved(where, seq=seq)
        seq += 1
        sensing.sweep()
        if not asked:
            assert not Alarm.objects.filter(kind="inactivity").exists()
    (alarm,) = Alarm.objects.filter(kind="inactivity")
    assert (alarm.priority, alarm.home_id, alarm.technical) == (5, device.home_id, False)
    assert len(asked) == 1
    assert "卫生间活动" in alarm.note
    assert "95%" in alarm.note
    assert "没有门磁" in alarm.note
    assert "刚开始学" in alarm.note
    let_pass(timedelta(hours=3))
    sensing.sweep()
    assert Alarm.objects.filter(technical=False).count() == 1


@pytest.mark.req("SEN-01", "DEV-05")
def test_a_deaf_home_is_never_shown_as_a_quiet_one(let_pass: Pass, asked: list[ElderAsked]) -> None:
    device, where = a_home(), lane()
    moved(where, seq=1, at=clock.now())
    row = HomeWatch.objects.get(home_id=device.home_id)
    assert row.hard_at is not None
    let_pass(row.hard_at - clock.now() + timedelta(minutes=1))
    sensing.sweep()
    assert not Alarm.objects.exists()
    let_pass(timedelta(seconds=2 * row.period) + timedelta(minutes=11))
    sensing.sweep()
    kinds = {a.kind: a for a in Alarm.objects.all()}
    assert set(kinds) == {"no_data", "silent"}
    assert kinds["silent"].technical
    assert kinds["silent"].device_id == device.pk
    assert "设备未上报" in kinds["no_data"].note
    assert asked == []


@pytest.mark.req("SEN-01")
def test_without_a_signed_consent_nothing_is_watched_and_an_sos_still_rings(let_pass: Pass, taker: Taker) -> None:
    device, where = a_home(signed=False), lane()
    moved(where, seq=1, at=clock.now())
    row = HomeWatch.objects.get(home_id=device.home_id)
    assert (row.watched, row.why_not, row.hard_at) == (False, sensing.NO_CONSENT, None)
    let_pass(timedelta(days=2))
    assert sensing.sweep() == 0
    put(lane(urgent=True), [sig("sos")])
    routing.route_some(urgent=True, limit=5)
    assert [a.kind for a in Alarm.objects.all()] == ["sos"]
    consent(device.home_id)
    assert sensing.enrol(home_id=device.home_id)
    moved(where, seq=2, at=clock.now())
    assert HomeWatch.objects.get(home_id=device.home_id).hard_at is not None


def test_a_home_heard_for_the_first_time_is_watched_from_the_next_sweep_on() -> None:
    device, where = a_device(product="pir-nb1"), lane()
    consent(device.home_id)
    moved(where, seq=1, at=clock.now())
    assert HomeWatch.objects.get(home_id=device.home_id).why_not == sensing.NOT_YET
    sensing.sweep()
    assert HomeWatch.objects.get(home_id=device.home_id).watched
    moved(where, seq=2, at=clock.now())
    assert HomeWatch.objects.get(home_id=device.home_id).hard_at is not None


@pytest.mark.req("SEN-01")
def test_what_was_heard_before_the_consent_of_today_need_not_be_learnt_again(let_pass: Pass) -> None:
    device, where = a_home(signed=False), lane()
    for n in range(1, 30):
        moved(where, seq=n, at=clock.now())
        let_pass(timedelta(hours=1))
    consent(device.home_id)
    assert sensing.enrol(home_id=device.home_id)
    row = HomeWatch.objects.get(home_id=device.home_id)
    assert row.first_at is not None
    assert clock.now() - row.first_at > timedelta(hours=28)
    assert len(explaining.rhythm_of(device.home_id).scores[0]) > 20
    assert row.hard_at is not None
    before = row.first_at
    assert sensing.enrol(home_id=device.home_id)
    assert HomeWatch.objects.get(home_id=device.home_id).first_at == before


@pytest.mark.req("SEN-01")
def test_away_and_hospital_pause_what_silence_would_raise_and_end_by_themselves(let_pass: Pass) -> None:
    device, where = a_home(), lane()
    moved(where, seq=1, at=clock.now())
    until = clock.now() + timedelta(days=3)
    with pytest.raises(ValueError, match="晚于"):
        states.say_state(home_id=device.home_id, kind="holiday", until=clock.now(), by=BY)
    state = states.say_state(home_id=device.home_id, kind="hospital", until=until, by=BY, how="phone")
    let_pass(timedelta(days=2))
    sensing.sweep()
    assert not Alarm.objects.exists()
    let_pass(timedelta(days=1, minutes=5))
    sensing.sweep()
    assert not Alarm.objects.exists()  # she is expected back: a fresh silence, not an alarm at the minute it ends
    ended = HomeState.objects.get(pk=state.pk)
    assert (ended.ended_at, ended.ended_why) == (until, "到期，自动恢复")
    row = HomeWatch.objects.get(home_id=device.home_id)
    assert row.paused_until is None
    assert row.last_life_at == until
    assert row.hard_at is not None
    let_pass(row.hard_at - clock.now() + timedelta(seconds=2 * row.period) + timedelta(minutes=12))
    sensing.sweep()
    assert [a.kind for a in Alarm.objects.filter(technical=False)] == ["no_data"]


@pytest.mark.req("SEN-01")
def test_her_key_press_is_a_sign_of_life_and_starts_the_silence_anew(let_pass: Pass) -> None:
    device, where = a_home(), lane()
    moved(where, seq=1, at=clock.now())
    before = HomeWatch.objects.get(home_id=device.home_id)
    let_pass(timedelta(hours=2))
    assert states.alive(home_id=device.home_id, at=clock.now(), what="按键应答")
    after = HomeWatch.objects.get(home_id=device.home_id)
    assert before.hard_at is not None
    assert after.hard_at is not None
    assert after.hard_at > before.hard_at
    assert after.last_life_what == "按键应答"
    assert not states.alive(home_id=device.home_id + 999, at=clock.now(), what="按键应答")


@pytest.mark.req("SEN-08")
def test_only_a_false_alarm_that_an_agent_confirmed_is_learnt(let_pass: Pass) -> None:
    device, where = a_home(), lane()
    moved(where, seq=1, at=clock.now())
    row = HomeWatch.objects.get(home_id=device.home_id)
    assert row.hard_at is not None
    assert row.last_life_at is not None
    began, seq = row.last_life_at, 2
    while clock.now() < row.hard_at + timedelta(hours=1):
        let_pass(timedelta(hours=1))
        moved(where, seq=seq)
        seq += 1
        sensing.sweep()
    ended = clock.now()
    moved(where, seq=seq, at=ended)
    assert explaining.rhythm_of(device.home_id).scores == ([], [])
    states.false_alarm(home_id=device.home_id, since=began, until=ended, away=False)
    assert len(explaining.rhythm_of(device.home_id).scores[0]) == 1
    row = HomeWatch.objects.get(home_id=device.home_id)
    row.raised, row.natural_at = (
        ["ask", "hard", "inactivity"],
        ended + timedelta(minutes=10),
    )  # she answered the telephone
    row.save()
    states.false_alarm(home_id=device.home_id, since=ended, until=None, away=False)
    let_pass(timedelta(hours=2))
    moved(where, seq=seq + 1, at=clock.now())
    assert len(explaining.rhythm_of(device.home_id).scores[0]) == 2, "learnt when a sensor saw her"


def test_a_message_that_is_routed_again_or_comes_late_counts_once(let_pass: Pass) -> None:
    device, where = a_home(), lane()
    start = clock.now()
    moved(where, seq=1, at=start)
    let_pass(timedelta(hours=3))
    moved(where, seq=4, at=clock.now())
    first = HomeWatch.objects.get(home_id=device.home_id)
    assert first.covered_until is not None
    assert first.covered_until < clock.now() - timedelta(minutes=59)
    moved(where, seq=2, at=start + timedelta(minutes=30))
    moved(where, seq=2, at=start + timedelta(minutes=30))
    again = HomeWatch.objects.get(home_id=device.home_id)
    assert (again.last_life_at, again.hard_at) == (first.last_life_at, first.hard_at)
    assert HomeRhythm.objects.get(home_id=device.home_id).packed


def test_a_rhythm_that_can_not_be_read_starts_anew_and_goes_on_watching(let_pass: Pass) -> None:
    device, where = a_home(), lane()
    moved(where, seq=1, at=clock.now())
    HomeRhythm.objects.filter(home_id=device.home_id).update(packed=b"broken")
    let_pass(timedelta(minutes=40))
    moved(where, seq=2, at=clock.now())
    row = HomeWatch.objects.get(home_id=device.home_id)
    assert row.last_life_at == clock.now().replace(tzinfo=UTC) or row.last_life_at is not None
    assert row.hard_at is not None
