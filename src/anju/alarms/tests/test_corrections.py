"""What people correct: told habits, a day that teaches nothing, and states that end by themselves."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

import pytest
from django.core.exceptions import ObjectDoesNotExist, PermissionDenied

from anju.alarms import corrections, enrolling, explaining, priors, sensing, states
from anju.alarms.facts import ElderAsked
from anju.alarms.models import Alarm, HomeHabit, HomeRhythm, HomeState, HomeWatch, PlacementPrior
from anju.alarms.tests.conftest import Taker
from anju.alarms.tests.heard import lane
from anju.alarms.tests.test_sensing import BY, a_home, consent, moved
from anju.devices import actions as devices
from anju.elders.tests.factories import ElderFactory
from anju.kernel import clock, facts
from anju.kernel.flow.actor import Actor
from anju.kernel.models import AuditLine
from anju.kernel.scope import EVERYWHERE, seen_by

pytestmark = pytest.mark.django_db
Pass = Callable[[timedelta], object]


@pytest.fixture(autouse=True)
def _everywhere(taker: Taker, let_pass: Pass):
    with seen_by(EVERYWHERE):
        yield
    priors._kept.tables, priors._kept.read_at = {}, -priors.FRESH


@pytest.mark.req("SEN-08")
def test_a_told_nap_moves_the_deadline_at_once_is_audited_and_can_be_taken_back() -> None:
    device, where = a_home(), lane()
    moved(where, seq=1, at=clock.now())
    before = HomeWatch.objects.get(home_id=device.home_id)
    habit = corrections.tell_habit(
        home_id=device.home_id, kind="quiet", start=13, end=15, by=BY, how="family", note="女儿说她午睡"
    )
    assert corrections.in_words(habit) == "每天 13:00–15:00 常没动静"
    told = HomeWatch.objects.get(home_id=device.home_id)
    assert told.hard_at > before.hard_at
    line = AuditLine.objects.filter(action="rhythm.habit").latest("pk")
    assert (line.detail["how"], line.reason) == ("family", "女儿说她午睡")
    corrections.end_habit(habit_id=habit.pk, home_id=device.home_id, by=BY)
    assert HomeWatch.objects.get(home_id=device.home_id).hard_at == before.hard_at
    with pytest.raises(ObjectDoesNotExist):
        corrections.end_habit(habit_id=habit.pk, home_id=device.home_id + 99, by=BY)
    with pytest.raises(PermissionDenied):
        corrections.tell_habit(home_id=device.home_id, kind="quiet", by=Actor("某", frozenset({"provider"}), None))


@pytest.mark.req("SEN-08")
@pytest.mark.parametrize(
    ("given", "said"),
    [({"kind": "x"}, "哪种"), ({"kind": "quiet", "days": 0}, "至少"), ({"kind": "quiet", "start": 25}, "0 到 24"),
     ({"kind": "quiet", "start": 1, "end": 23}, "14 小时"), ({"kind": "up_by", "start": 2}, "5 点"),
     ({"kind": "quiet", "start": 1, "end": 2, "how": "dream"}, "谁说的")],
)  # fmt: skip
def test_what_is_no_habit_is_refused_in_words(given: dict[str, object], said: str) -> None:
    with pytest.raises(ValueError, match=said):
        corrections.tell_habit(home_id=a_home().home_id, by=BY, **given)  # type: ignore[arg-type]


@pytest.mark.req("SEN-08")
def test_a_day_that_does_not_count_is_unlearnt(let_pass: Pass) -> None:
    device, where = a_home(), lane()
    for n in range(1, 12):
        moved(where, seq=n, at=clock.now())
        let_pass(timedelta(minutes=50))
    taught = explaining.rhythm_of(device.home_id)
    assert len(taught.scores[0]) == 10
    corrections.ignore_day(home_id=device.home_id, day=clock.today(), by=BY, note="装修")
    after = explaining.rhythm_of(device.home_id)
    assert after.scores[0] == []
    assert sum(after.ends) <= 40  # what rounding leaves
    assert sum(after.exposure) < sum(taught.exposure) / 50
    moved(where, seq=12, at=clock.now())
    let_pass(timedelta(minutes=50))
    moved(where, seq=13, at=clock.now())
    assert explaining.rhythm_of(device.home_id).scores[0] == []  # today teaches no more
    with pytest.raises(ValueError, match="一次"):
        corrections.ignore_day(home_id=device.home_id, day=clock.today(), by=BY)
    assert HomeHabit.objects.get().kind == "ignore"


@pytest.mark.req("SEN-01")
def test_who_is_said_to_be_back_is_not_called_at_once_and_is_watched_from_now(let_pass: Pass) -> None:
    device, where = a_home(), lane()
    moved(where, seq=1, at=clock.now())
    state = states.say_state(
        home_id=device.home_id, kind="holiday", until=clock.now() + timedelta(days=9), by=BY, how="family"
    )
    let_pass(timedelta(days=3))
    sensing.sweep()
    with pytest.raises(ObjectDoesNotExist):
        states.end_state(state_id=state.pk, why="x", home_id=device.home_id + 99)
    states.end_state(state_id=state.pk, why="已回家", home_id=device.home_id)
    sensing.sweep()
    assert not Alarm.objects.exists()
    row = HomeWatch.objects.get(home_id=device.home_id)
    assert (row.paused_until, row.last_life_at) == (None, clock.now())
    assert row.hard_at > clock.now()


@pytest.mark.req("SEN-01")
def test_one_state_ending_leaves_the_other_running_and_one_of_tomorrow_pauses_nothing_today(let_pass: Pass) -> None:
    device, where = a_home(), lane()
    moved(where, seq=1, at=clock.now())
    now = clock.now()
    states.say_state(
        home_id=device.home_id, kind="holiday", since=now + timedelta(days=1), until=now + timedelta(days=3), by=BY
    )
    assert HomeWatch.objects.get(home_id=device.home_id).paused_until is None
    visitor = states.say_state(home_id=device.home_id, kind="visitor", until=now + timedelta(days=2), by=BY)
    assert HomeWatch.objects.get(home_id=device.home_id).paused_until is None
    let_pass(timedelta(days=1, minutes=1))
    sensing.sweep()
    assert HomeWatch.objects.get(home_id=device.home_id).paused_until == now + timedelta(days=3)
    states.end_state(state_id=visitor.pk, why="走了")
    assert HomeWatch.objects.get(home_id=device.home_id).paused_until == now + timedelta(days=3)


@pytest.mark.req("SEN-01", "SEN-08")
def test_what_a_visitor_stirs_is_not_learnt(let_pass: Pass) -> None:
    device, where = a_home(), lane()
    states.say_state(home_id=device.home_id, kind="visitor", until=clock.now() + timedelta(hours=6), by=BY)
    for n in range(1, 6):
        moved(where, seq=n, at=clock.now())
        let_pass(timedelta(minutes=50))
    assert explaining.rhythm_of(device.home_id).scores[0] == []
    assert HomeState.objects.get().said_how == "staff"


@pytest.mark.req("SEN-01")
def test_a_home_that_is_said_to_be_empty_and_lives_for_hours_is_watched_again(let_pass: Pass) -> None:
    device, where = a_home(), lane()
    states.say_state(home_id=device.home_id, kind="hospital", until=clock.now() + timedelta(days=9), by=BY)
    let_pass(timedelta(hours=20))
    assert states.notice_returns() == 0
    for n in range(1, 9):
        let_pass(timedelta(hours=1))
        moved(where, seq=n, at=clock.now())
    assert states.notice_returns() == 1
    assert HomeState.objects.get().ended_why == "家里连续有活动，自动恢复看护"
    assert HomeWatch.objects.get(home_id=device.home_id).paused_until is None


# ---- nobody else is hurt by one odd home, one removed sensor, one lapsed consent


@pytest.mark.req("SEN-01")
def test_one_home_that_can_not_be_swept_stops_no_other(let_pass: Pass, taker: Taker) -> None:
    odd, where = a_home(), lane()
    moved(where, seq=1, at=clock.now())
    HomeWatch.objects.filter(home_id=odd.home_id).update(ears={"x": {}})
    home = ElderFactory().home
    well = devices.register(imei="860000000000077", product_code="pir-nb1")
    devices.install(device_id=well.pk, home_id=home.pk, place=home.place, position="卧室")
    consent(home.pk)
    sensing.enrol(home_id=home.pk)
    states.alive(home_id=home.pk, at=clock.now(), what="访视")
    let_pass(timedelta(days=2))
    sensing.sweep()
    assert [a.home_id for a in Alarm.objects.filter(kind="no_data")] == [home.pk]
    assert HomeWatch.objects.get(home_id=odd.home_id).look_at > clock.now()


@pytest.mark.req("SEN-01", "DEV-05")
def test_a_removed_sensor_holds_nothing_up_and_a_taken_back_consent_ends_the_watch_within_a_sweep(
    let_pass: Pass,
) -> None:
    device, where = a_home(), lane()
    second = devices.register(imei="860000000000078", product_code="pir-nb1")
    devices.install(device_id=second.pk, home_id=device.home_id, place=device.place, position="卧室")
    sensing.enrol(home_id=device.home_id)
    moved(where, seq=1, at=clock.now())
    assert len(HomeWatch.objects.get(home_id=device.home_id).ears) == 2
    devices.remove(device_id=second.pk, reason="换位置")
    row = HomeWatch.objects.get(home_id=device.home_id)
    seq = 2
    while clock.now() < row.hard_at + timedelta(hours=4):
        let_pass(timedelta(minutes=30))
        moved(where, seq=seq)
        seq += 1
        sensing.sweep()
    assert [a.kind for a in Alarm.objects.filter(technical=False)] == ["inactivity"]
    enrolling.mark(home_id=device.home_id)  # as the removal itself does, by the wiring
    sensing.sweep()
    assert list(HomeWatch.objects.get(home_id=device.home_id).ears) == [str(device.pk)]


@pytest.mark.req("SEN-01")
def test_watching_again_after_a_lapse_begins_with_what_is_heard_now(let_pass: Pass) -> None:
    device, where = a_home(), lane()
    moved(where, seq=1, at=clock.now())
    HomeWatch.objects.filter(home_id=device.home_id).update(watched=False, why_not=sensing.NO_CONSENT)
    for n in range(2, 60):
        let_pass(timedelta(hours=1))
        moved(where, seq=n, at=clock.now())
    enrolling.mark(home_id=device.home_id)
    sensing.sweep()
    row = HomeWatch.objects.get(home_id=device.home_id)
    assert row.watched
    assert row.last_life_at == clock.now()
    assert not Alarm.objects.exists()


@pytest.mark.req("SEN-01", "SEN-08")
def test_a_new_home_begins_with_what_is_usual_where_its_sensor_hangs(let_pass: Pass) -> None:
    device, where = a_home(), lane()
    for n in range(1, 40):
        moved(where, seq=n, at=clock.now())
        let_pass(timedelta(minutes=45))
    HomeWatch.objects.filter(home_id=device.home_id).update(first_at=clock.now() - timedelta(days=20))
    assert priors.learn(least=5) == {}
    assert priors.learn(least=1) == {"卫生间": 1, "*": 1}
    assert priors.of("卫生间").name.startswith("卫生间@")
    assert priors.of("厨房").name.startswith("*@")
    kept = PlacementPrior.objects.get(pk="卫生间")
    kept.table = {"rates": [1]}
    kept.save()
    priors.reload()
    assert priors.of("卫生间").name.startswith("*@")  # one that can't be read: the next best
    assert priors.placement_of(["卫生间", "卫生间"]) == "卫生间"
    assert priors.placement_of(["卫生间", "厨房"]) == priors.MANY
    assert priors.placement_of([]) == priors.NONE
    assert HomeRhythm.objects.exists()


def test_the_robot_is_asked_once_a_silence(let_pass: Pass) -> None:
    asked: list[ElderAsked] = []
    facts.reacts(ElderAsked, asked.append)
    device, where = a_home(), lane()
    moved(where, seq=1, at=clock.now())
    row, seq = HomeWatch.objects.get(home_id=device.home_id), 2
    while clock.now() < row.hard_at - timedelta(minutes=30):
        let_pass(timedelta(minutes=30))
        moved(where, seq=seq)
        seq += 1
        sensing.sweep()
    assert len(asked) == 1
