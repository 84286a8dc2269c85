"""The life of a parcel: what the engine does with a table."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.db import InternalError, transaction
from django.db.utils import ProgrammingError

from anju.kernel.flow import engine, queries, registry
from anju.kernel.flow.actor import THE_CLOCK, Actor, NotAllowed
from anju.kernel.models import Due, Movement
from anju.kernel.tests.samples import PARCEL, Parcel

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("everywhere"), pytest.mark.req("INC-01")]
COURIER, BOSS, OWNER = (
    Actor(n, frozenset({r})) for n, r in (("小张", "courier"), ("老李", "boss"), ("收件人", "owner"))
)


def a_parcel(**kwargs) -> Parcel:
    parcel = Parcel(**kwargs)
    engine.begin(parcel, BOSS)
    return parcel


def story(parcel) -> list[str]:
    return [m.move for m in queries.story_of(parcel)]


def slots(parcel) -> dict[str, int]:
    return {d.slot: round((d.at - parcel.state_since).total_seconds()) for d in queries.dues_of(parcel)}


def test_a_move_in_time_stops_the_clock_and_a_late_one_is_made_by_the_clock(let_pass):
    early, late = a_parcel(), a_parcel()
    let_pass(seconds=29)
    engine.make(early, "collect", COURIER)
    assert let_pass(seconds=1) == 1
    late.refresh_from_db()
    assert (early.state, late.state) == ("moving", "late")
    assert [m.by for m in queries.story_of(late)] == ["老李", "系统时钟"]


def test_each_refusal_says_in_chinese_what_to_do(let_pass):
    parcel = a_parcel(paid=False)
    cases = [
        ("collect", OWNER, "courier、boss", "not_you"),
        ("sign", OWNER, "不能“签收”", "not_here"),
        ("nothing", OWNER, "nothing", "not_here"),
    ]
    for move, by, words, code in cases:
        with pytest.raises(NotAllowed, match=words) as refused:
            engine.make(parcel, move, by)
        assert refused.value.code == code
    engine.make(parcel, "collect", COURIER)
    with pytest.raises(NotAllowed, match="请先收费") as refused:
        engine.make(parcel, "deliver", COURIER)
    assert refused.value.code == "needs"
    with pytest.raises(NotAllowed, match=r"已同意.*填写理由") as refused:
        engine.make(parcel, "leave", COURIER, note="  ")
    assert refused.value.code == "reason"
    assert story(parcel) == ["begin", "collect"]
    done = engine.make(parcel, "leave", COURIER, note="门口有柜子", data={"box": 3})
    assert (done.note, done.data, parcel.state) == ("门口有柜子", {"box": 3}, "waiting")


def test_a_move_that_stays_keeps_the_running_clock_and_a_way_in_again_starts_it_anew(let_pass):
    parcel = a_parcel()
    let_pass(seconds=20)
    engine.make(parcel, "comment", BOSS, note="易碎")
    assert slots(parcel) == {"state": 30}
    engine.make(parcel, "collect", COURIER)
    let_pass(seconds=60)
    since = parcel.state_since
    engine.make(parcel, "comment", BOSS, note="加急")
    assert (parcel.state_since, slots(parcel)["state"], slots(parcel)["call"]) == (since, 600, 120)
    engine.make(parcel, "restart", COURIER)
    assert slots(parcel) == {"state": 660, "call": 120, "photo": 300}, "its own clock anew; the duties go on"
    assert (parcel.state_since, parcel.due_at) == (since, since + timedelta(seconds=660))
    assert {d.nth for d in queries.dues_of(parcel)} == {parcel.nth}


def test_a_state_deadline_that_stays_repeats(let_pass):
    parcel = a_parcel()
    assert let_pass(seconds=30 + 95) == 4
    parcel.refresh_from_db()
    assert story(parcel) == ["begin", "remind", "remind_again", "remind_again", "remind_again"]
    assert slots(parcel) == {"state": 120}


def test_duties_tick_re_arm_and_are_recorded_when_late(let_pass):
    parcel = a_parcel()
    engine.make(parcel, "collect", COURIER)
    let_pass(seconds=60)
    engine.tick(parcel, "call", COURIER, note="一分钟后到")
    assert slots(parcel) == {"state": 600, "call": 180, "photo": 300}
    with pytest.raises(NotAllowed, match="由courier登记"):
        engine.tick(parcel, "call", BOSS)
    with pytest.raises(NotAllowed, match="没有这项任务"):
        engine.tick(parcel, "sweep", BOSS)
    engine.tick(parcel, "photo", COURIER)
    assert "photo" not in slots(parcel)
    engine.tick(parcel, "weigh", BOSS)
    assert let_pass(seconds=130) == 1
    parcel.refresh_from_db()
    last = queries.story_of(parcel)[-1]
    assert (last.kind, last.move, last.was, last.now) == ("duty_overdue", "call", "moving", "moving")
    assert slots(parcel) == {"state": 600, "call": 300}
    now = {d.duty.name: (d.times, d.overdue, d.done_by) for d in queries.duties_of(parcel)}
    assert now == {"call": (1, True, "小张"), "photo": (1, False, "小张"), "weigh": (1, False, "老李")}


def test_a_duty_that_does_not_apply_has_no_clock_until_it_does(let_pass):
    parcel = a_parcel(fragile=False)
    engine.make(parcel, "collect", COURIER)
    assert "photo" not in slots(parcel)
    with pytest.raises(NotAllowed):
        engine.tick(parcel, "photo", COURIER)
    Parcel.objects.update(fragile=True)
    engine.rearm(parcel)
    assert slots(parcel)["photo"] == 300
    engine.tick(parcel, "photo", COURIER)
    engine.rearm(parcel)
    assert "photo" not in slots(parcel)


def test_a_subject_may_have_its_own_durations_and_a_change_moves_no_running_deadline(let_pass):
    slow, quick = a_parcel(slow=True), a_parcel()
    assert (slots(slow), slots(quick)) == ({"state": 300}, {"state": 30})
    Parcel.objects.update(slow=True)
    let_pass(seconds=30)
    quick.refresh_from_db()
    assert (quick.state, slots(quick)) == ("late", {"state": 300})


def test_office_hours_deadlines_wait_for_the_office(let_pass):
    let_pass(hours=4, minutes=30)  # Friday 16:30
    parcel = a_parcel()
    engine.make(parcel, "collect", COURIER)
    engine.make(parcel, "deliver", COURIER)
    assert parcel.due_at.astimezone().isoformat()[:16] in {"2026-11-23T02:30", "2026-11-23T10:30"}  # Monday


def test_the_database_refuses_what_the_table_does_not_list(let_pass):
    parcel = a_parcel()
    for change in ({"state": "done_"}, {"state": "waiting"}):
        with pytest.raises((InternalError, ProgrammingError)), transaction.atomic():
            Parcel.objects.filter(pk=parcel.pk).update(**change)
    Parcel.objects.filter(pk=parcel.pk).update(state="packed", nth=7)
    with pytest.raises((InternalError, ProgrammingError)), transaction.atomic():
        Parcel.objects.create(state="done")
    for attempt in (Movement.objects.all().delete, lambda: Movement.objects.update(by="x")):
        with pytest.raises((InternalError, ProgrammingError)), transaction.atomic():
            attempt()


def test_the_clock_may_do_only_what_it_is_listed_for(let_pass):
    parcel = a_parcel()
    with pytest.raises(NotAllowed):
        engine.make(parcel, "collect", THE_CLOCK)
    assert let_pass(timedelta(seconds=30)) == 1


def test_an_old_copy_neither_rewinds_the_process_nor_loses_what_its_holder_changed(let_pass):
    parcel = a_parcel(paid=False)
    old, other = Parcel.objects.get(pk=parcel.pk), Parcel.objects.get(pk=parcel.pk)
    engine.make(parcel, "collect", COURIER)
    Parcel.objects.filter(pk=parcel.pk).update(paid=True)
    old.agreed = True
    old.save()
    parcel.refresh_from_db()
    assert (parcel.state, parcel.nth, parcel.agreed) == ("moving", 1, True)
    other.slow = True
    engine.make(other, "comment", BOSS, note="稍后")
    assert (other.state, other.nth, other.slow, other.agreed) == ("moving", 2, True, True)


def test_a_final_state_leaves_no_clock_behind(let_pass):
    parcel = a_parcel()
    engine.make(parcel, "collect", COURIER)
    engine.make(parcel, "cancel", BOSS)
    assert (parcel.state, parcel.due_at, Due.objects.count()) == ("done", None, 0)
    assert PARCEL.state("done").moves == ()


@pytest.fixture
def heard():
    """Everything that listeners of each kind were told, in order."""
    told: list[tuple[str, str, str]] = []
    listeners = registry.running(PARCEL.name).listeners
    before = list(listeners)
    kinds = {
        "entering late": {"entering": "late"}, "entering moving": {"entering": "moving"}, "move collect": {"move": "collect"},
        "tick call": {"move": "call"}, "call overdue": {"duty_overdue": "call"}, "any duty overdue": {"duty_overdue": "*"},
        "anything": {"any_": True},
    }  # fmt: skip
    for name, kind in kinds.items():
        registry.when(PARCEL, do=lambda it, done, name=name: told.append((name, done.move, it.state)), **kind)
    yield told
    listeners[:] = before


def test_listeners_hear_what_they_asked_for_after_the_state_is_written(let_pass, heard):
    parcel = a_parcel()
    let_pass(seconds=30)
    engine.make(parcel, "collect", COURIER)
    engine.tick(parcel, "call", COURIER)
    engine.make(parcel, "restart", COURIER)
    let_pass(seconds=120)
    assert [h for h in heard if h[0] != "anything"] == [
        ("entering late", "remind", "late"), ("entering moving", "collect", "moving"), ("move collect", "collect", "moving"),
        ("tick call", "call", "moving"), ("entering moving", "restart", "moving"),
        ("call overdue", "call", "moving"), ("any duty overdue", "call", "moving"),
    ]  # fmt: skip
    assert [h[1] for h in heard if h[0] == "anything"] == ["begin", "remind", "collect", "call", "restart", "call"]


def test_a_listener_that_fails_undoes_the_move(let_pass, heard):
    parcel = a_parcel()

    def fail(it, done):
        raise ZeroDivisionError

    registry.when(PARCEL, move="collect", do=fail)
    with pytest.raises(ZeroDivisionError):
        engine.make(parcel, "collect", COURIER)
    parcel.refresh_from_db()
    assert (parcel.state, story(parcel), list(slots(parcel))) == ("packed", ["begin"], ["state"])
