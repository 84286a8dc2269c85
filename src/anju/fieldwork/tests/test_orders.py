"""A repair order from the device's word to the archive, and what the process refuses."""

from __future__ import annotations

from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from anju.accounts.models import User
from anju.accounts.roles import Role
from anju.alarms import actions as alarms
from anju.alarms import rules as alarm_rules
from anju.alarms.models import Alarm
from anju.alarms.tests.heard import a_device
from anju.fieldwork import actions, queries
from anju.fieldwork.models import RepairOrder, Report
from anju.kernel import clock
from anju.kernel.flow.actor import NotAllowed
from anju.kernel.flow.queries import dues_of, story_of
from anju.kernel.scope import Scope, seen_by
from anju.notices import queries as notices

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("everywhere")]
ZONE = ZoneInfo("Asia/Shanghai")


@pytest.fixture
def cast(an_actor):
    return {role: an_actor(role, name=role.label) for role in Role}


@pytest.fixture
def fitter(db):
    return User.objects.create(username="fitter1", name="孙师傅")


def technical(device, kind: str = "battery", **given) -> Alarm:
    return alarms.raise_or_join(
        rule=alarm_rules.RULES[kind], at=clock.now(), received_at=clock.now(), source="ctwing", home_id=device.home_id,
        device_id=device.pk, place=device.place, where=device.position, **given,
    )  # fmt: skip


def walk(order, cast, *steps):
    for role, move, *rest in steps:
        given = rest[0] if rest else {}
        actions.move(order.pk, move, cast[role], note=given.pop("note", ""), data=given)
    return RepairOrder.objects.get(pk=order.pk)


def to_the_door(order, cast, fitter):
    return walk(
        order, cast, (Role.DISPATCHER, "accept"), (Role.DISPATCHER, "assign", {"assignee": fitter.pk}),
        (Role.INSTALLER, "contacted", {"appointment_at": "2026-11-20T15:00"}), (Role.INSTALLER, "arrive"),
    )  # fmt: skip


@pytest.mark.req("DEV-05", "FLD-01")
def test_a_device_opens_one_order_a_cause_and_its_way_ends_in_the_archive(let_pass, cast, fitter):
    device = a_device()
    alarm = technical(device)
    order = RepairOrder.objects.get()
    assert (order.number, order.state, order.cause, order.where) == ("WX-1120-0001", "reported", "battery", "卫生间")
    assert (alarm.state, alarm.case_kind, alarm.case_id) == ("open", "repair", order.pk)
    again, other = technical(device), technical(device, "tamper")
    assert (again.state, again.case_id) == ("joined", order.pk)
    assert order.number in again.join_reason
    assert other.case_id != order.pk
    assert Report.objects.filter(order=order).count() == 2
    order = to_the_door(order, cast, fitter)
    actions.tick(order.pk, "tested", cast[Role.INSTALLER])
    order = walk(
        order, cast, (Role.INSTALLER, "repaired", {"found": "换电池"}), (Role.AGENT, "satisfied"),
        (Role.INSTALLER, "archive", {"materials": [{"name": "CR123A", "count": 1}]}),
    )  # fmt: skip
    alarm.refresh_from_db()
    assert (order.state, order.satisfied, order.found, order.closed_at is not None) == (
        "archived",
        True,
        "换电池",
        True,
    )
    assert (alarm.state, alarm.closed_by) == ("closed", "工单 WX-1120-0001")
    assert "已归档" in alarm.closed_reason
    assert [m.move for m in story_of(order)] == [
        "begin", "accept", "assign", "contacted", "arrive", "tested", "repaired", "satisfied", "archive",
    ]  # fmt: skip
    assert Alarm.objects.get(pk=other.pk).state == "open"


@pytest.mark.req("FLD-03")
def test_the_clock_presses_in_office_hours_and_a_report_after_half_past_five_counts_from_the_next_morning(
    let_pass, cast, fitter
):
    let_pass(hours=6)  # Friday 18:00
    order = RepairOrder.objects.get(number=technical(a_device()) and "WX-1120-0001")
    assert order.due_at == datetime(2026, 11, 23, 9, 0, tzinfo=ZONE)  # Monday 8:30 and half an hour
    walk(order, cast, (Role.DISPATCHER, "accept"), (Role.DISPATCHER, "assign", {"assignee": fitter.pk}))
    [due] = dues_of(order)
    assert due.at == datetime(2026, 11, 23, 10, 30, tzinfo=ZONE)  # first contact within 2 h
    let_pass(days=3)  # Monday 18:00
    order.refresh_from_db()
    assert order.state == "contacting"
    assert [m.move for m in story_of(order)][3:] == ["press"] * 4  # 10:30, 12:30, 14:30, 16:30


@pytest.mark.req("FLD-02")
def test_a_visit_that_does_not_come_is_pressed_after_24_and_48_hours(let_pass, cast, fitter):
    technical(a_device())
    order = walk(
        RepairOrder.objects.get(), cast, (Role.LEAD, "accept"), (Role.LEAD, "assign", {"assignee": fitter.pk}),
        (Role.INSTALLER, "contacted", {"appointment_at": "2026-11-20T14:00"}),
    )  # fmt: skip
    let_pass(hours=50)
    pressed = [m.at for m in story_of(order) if m.move == "press"]
    assert pressed == [
        order.appointment_at,
        order.reported_at + timedelta(hours=24),
        order.reported_at + timedelta(hours=48),
    ]
    inbox = notices.inbox(fitter.pk)
    assert len(inbox) == 3
    assert "超过 48 小时未到场查看" not in inbox[-1].text
    assert all(order.number in n.text and "待上门" in n.text for n in inbox)
    [row] = queries.page(open_only=True)
    assert row.broken == ("超过 48 小时未到场查看", "超过 24 小时未修复")
    assert queries.counts() == {"late": 1, "appointed": 1}


@pytest.mark.req("FLD-05")
def test_an_untested_repair_is_refused_and_a_tested_one_is_taken(let_pass, cast, fitter):
    technical(a_device())
    order = to_the_door(RepairOrder.objects.get(), cast, fitter)
    with pytest.raises(NotAllowed, match="请先在现场测试"):
        actions.move(order.pk, "repaired", cast[Role.INSTALLER], data={"found": "换电池"})
    order.refresh_from_db()
    assert (order.state, order.found) == ("on_site", "")  # nothing of a refused move is kept
    actions.tick(order.pk, "tested", cast[Role.INSTALLER])
    actions.move(order.pk, "repaired", cast[Role.INSTALLER], data={"found": "换电池"})
    order.refresh_from_db()
    assert (order.state, order.found) == ("follow_up", "换电池")


@pytest.mark.req("FLD-07")
def test_the_second_fault_in_ninety_days_must_pass_support(let_pass, cast, fitter):
    device = a_device()
    for n in (1, 2):
        technical(device)
        order = to_the_door(RepairOrder.objects.latest("pk"), cast, fitter)
        assert order.repeats == n
        actions.tick(order.pk, "tested", cast[Role.INSTALLER])
        if n == 2:
            with pytest.raises(NotAllowed, match=r"第 2 次.*支撑核实"):
                actions.move(order.pk, "repaired", cast[Role.INSTALLER])
            walk(order, cast, (Role.INSTALLER, "ask_support"), (Role.QUALITY, "supported", {"note": "主板批次问题，换新"}),
                 (Role.INSTALLER, "arrive"))  # fmt: skip
            actions.tick(order.pk, "tested", cast[Role.INSTALLER])
        walk(order, cast, (Role.INSTALLER, "repaired"), (Role.AGENT, "satisfied"), (Role.INSTALLER, "archive"))
    assert queries.page()[0].repeat_label == "第 2 次重复，须支撑核实"
    let_pass(days=91)
    technical(device)
    assert RepairOrder.objects.latest("pk").repeats == 1


@pytest.mark.req("FLD-03")
def test_an_unsatisfied_customer_is_called_within_two_hours_and_asked_again(let_pass, cast, fitter):
    technical(a_device())
    order = to_the_door(RepairOrder.objects.get(), cast, fitter)
    actions.tick(order.pk, "tested", cast[Role.INSTALLER])
    order = walk(order, cast, (Role.INSTALLER, "repaired"), (Role.AGENT, "unsatisfied", {"note": "还是要用力拉"}))
    assert (order.state, order.due_at - clock.now()) == ("redo", timedelta(hours=2))
    let_pass(hours=3)
    assert story_of(order)[-1].move == "press"
    with pytest.raises(NotAllowed, match="请"):
        actions.move(order.pk, "archive", cast[Role.INSTALLER])
    order = walk(order, cast, (Role.LEAD, "explained_again", {"note": "已教"}), (Role.QUALITY, "satisfied"))
    assert (order.state, order.satisfied) == ("materials", True)


@pytest.mark.req("FLD-08")
def test_only_quality_lets_an_order_be_taken_back(let_pass, cast, fitter):
    technical(a_device())
    order = walk(RepairOrder.objects.get(), cast, (Role.DISPATCHER, "accept"),
                 (Role.DISPATCHER, "withdraw", {"note": "用户已搬走，录音 8812"}))  # fmt: skip
    assert clock.local(order.due_at).strftime("%d %H:%M") == "20 20:00"
    with pytest.raises(NotAllowed, match="请"):
        actions.move(order.pk, "allow", cast[Role.DISPATCHER], note="同意")
    order = walk(order, cast, (Role.QUALITY, "allow", {"note": "核对录音属实"}))
    assert (order.state, order.withdrawn_why) == ("withdrawn", "用户已搬走，录音 8812")
    assert Alarm.objects.get().state == "closed"


@pytest.mark.req("DEV-05")
def test_a_device_that_recovers_ends_an_order_nobody_set_out_for_and_marks_a_later_one(let_pass, cast, fitter):
    first, second = a_device("860000000000001"), a_device("860000000000002")
    for device in (first, second):
        technical(device, "silent")
    waiting, going = RepairOrder.objects.order_by("pk")
    to_the_door(going, cast, fitter)
    for device in (first, second):
        alarms.recover(device_id=device.pk, causes=frozenset({"silent"}), reason="设备已恢复上报")
    waiting.refresh_from_db()
    going.refresh_from_db()
    assert (waiting.state, waiting.closed_at is not None) == ("recovered", True)
    assert (going.state, going.recovered_at is not None, going.closed_at) == ("on_site", True, None)
    assert {(a.state, a.closed_by, a.closed_reason) for a in Alarm.objects.all()} == {
        ("closed", "系统", "设备已恢复上报")
    }
    again = technical(second, "silent")
    going.refresh_from_db()
    assert (again.state, again.case_id, going.recovered_at) == ("open", going.pk, None)
    assert technical(first, "silent").case_id not in {waiting.pk, going.pk}


@pytest.mark.req("FLD-02")
def test_any_report_is_taken_and_urging_is_counted(let_pass, cast):
    order = actions.report_fault(device_id=None, home_id=None, place="330199001001", cause="fault", text="红外灯不亮",
                                 by=cast[Role.AGENT])  # fmt: skip
    assert (order.state, order.origin, order.cause_label) == ("reported", "坐席", "红外灯不亮")
    due = order.due_at
    with pytest.raises(NotAllowed, match="请填写理由"):
        actions.move(order.pk, "urge", cast[Role.COMMUNITY])
    order = walk(order, cast, (Role.COMMUNITY, "urge", {"note": "家属又来问"}))
    assert (order.urged, order.state, order.due_at) == (1, "reported", due)


def test_orders_are_seen_in_the_scope_of_their_place(let_pass, cast):
    technical(a_device())
    order = RepairOrder.objects.get()
    case = queries.case(order.pk, frozenset({Role.DISPATCHER}))
    assert [m.name for m in case.moves] == ["accept", "no_fault"]
    assert case.moves[1].wants_reason
    assert case.row.number == order.number
    assert len(case.reports) == 1
    with seen_by(Scope(places=("330199002",))):
        assert queries.page() == []
        with pytest.raises(RepairOrder.DoesNotExist):
            actions.move(order.pk, "accept", cast[Role.DISPATCHER])
