"""The only writers of field work. Moves go through the flow engine; what a move needs is stored with it or not at all."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Final

from django.db import IntegrityError, connection, transaction

from anju.accounts.roles import Role
from anju.alarms import actions as alarms
from anju.alarms import queries as alarm_queries
from anju.fieldwork import rules
from anju.fieldwork.models import RepairOrder, Report
from anju.kernel import clock
from anju.kernel.changes import changed
from anju.kernel.flow import engine
from anju.kernel.flow.engine import THE_CLOCK, Actor, NotAllowed
from anju.kernel.models import Movement

CASE: Final = "repair"
BEFORE_ANYBODY_SET_OUT: Final = frozenset({"reported", "dispatching"})


@transaction.atomic
def raise_repair(*, alarm_id: int) -> RepairOrder:
    """A technical alarm → one open order per device and cause; a later alarm joins it. Settles the alarm.

    The order is found or made under the unique rule of the table, so two routers at once make one.
    """
    alarm = alarm_queries.alarm(alarm_id)
    order = _open_order(alarm.device_id, alarm.kind)
    opened = order is None
    if order is None:
        order, opened = _make(
            device_id=alarm.device_id, home_id=alarm.home_id, place=alarm.place, cause=alarm.kind, cause_label=alarm.label,
            where=alarm.where, detail=alarm.note or alarm.label, origin="设备上报", at=alarm.received_at,
        )  # fmt: skip
    first = opened or not alarm_queries.open_of_case(case_kind=CASE, case_id=order.pk)
    _report(order, text=alarm.label, by="设备上报", at=alarm.at, alarm_id=alarm.pk)
    if first:
        alarms.settle(alarm_id=alarm.pk, outcome="opened", case_kind=CASE, case_id=order.pk)
    else:
        reason = f"同一设备同一原因的维修工单 {order.number} 正在处理"
        alarms.settle(alarm_id=alarm.pk, outcome="joined", case_kind=CASE, case_id=order.pk, reason=reason)
    if order.recovered_at is not None:
        order.recovered_at = None
        order.save(update_fields=["recovered_at"])
    return order


@transaction.atomic
def report_fault(
    *, device_id: int | None, home_id: int | None, place: str, cause: str, text: str, by: Actor, where: str = ""
) -> RepairOrder:
    """Somebody reports a fault by word (无条件受理). Joins the open order of the same device and cause."""
    order = _open_order(device_id, cause) if device_id is not None else None
    if order is None:
        order, _ = _make(
            device_id=device_id, home_id=home_id, place=place, cause=cause, cause_label=text[:60], where=where, detail=text,
            origin=by.name, at=clock.now(),
        )  # fmt: skip
    _report(order, text=text, by=by.name, at=clock.now(), alarm_id=None)
    return order


@transaction.atomic
def move(order_id: int, move: str, by: Actor, *, note: str = "", data: dict[str, Any] | None = None) -> Movement:
    """Make one move of the repair flow, storing what comes with it.

    `data`: assign → assignee (user id); contacted, rebook, revisit → appointment_at (ISO 8601); repaired → found, tested,
    new_device (its IMEI); archive → materials (list of {name, count}). NotAllowed says in Chinese what is missing.
    """
    order, given = RepairOrder.objects.select_for_update(of=("self",)).get(pk=order_id), data or {}
    taken = _take(order, move, by, note, given)
    if taken:
        order.save(update_fields=taken)
    done = engine.make(order, move, by, note=note, data=given)
    after = _afterwards(order, move, note)
    if after:
        order.save(update_fields=after)
    _tell(order)
    return done


@transaction.atomic
def tick(order_id: int, duty: str, by: Actor, *, note: str = "") -> Movement:
    """Tick a line of the checklist. Testing on site is one of them and is what lets the order be reported as repaired."""
    order = RepairOrder.objects.get(pk=order_id)
    done = engine.tick(order, duty, by, note=note)
    if duty == "tested":
        RepairOrder.objects.filter(pk=order_id).update(tested=True)
    _tell(order)
    return done


@transaction.atomic
def recovered(*, alarm_id: int, reason: str) -> None:
    """The device recovered by itself. Before anybody set out the clock ends the order; later the fitter is only told."""
    alarm = alarm_queries.alarm(alarm_id)
    if alarm.case_kind != CASE or alarm.case_id is None:
        return
    order = RepairOrder.objects.select_for_update(of=("self",)).filter(pk=alarm.case_id).first()
    if order is None or order.closed_at is not None or alarm_queries.open_of_case(case_kind=CASE, case_id=order.pk):
        return
    order.recovered_at = clock.now()
    order.save(update_fields=["recovered_at"])
    if order.state in BEFORE_ANYBODY_SET_OUT:
        engine.make(order, "recover", THE_CLOCK, note=reason)
        _close(order, reason)
    _tell(order)


def _take(order: RepairOrder, move: str, by: Actor, note: str, data: dict[str, Any]) -> list[str]:
    """Store what a move brings before it is made, so that its conditions can see it; answers the changed fields."""
    if move == "assign" and data.get("assignee"):
        order.assignee_id = int(data["assignee"])
        return ["assignee"]
    if move in {"contacted", "rebook", "revisit", "part_needed", "supported"}:
        return _take_appointment(order, move, data)
    if move == "arrive":
        order.seen_at = order.seen_at or clock.now()
        order.tested = False
        return ["seen_at", "tested"]
    if move == "repaired":
        order.found = str(data.get("found") or note)[:300]
        order.tested = order.tested or bool(data.get("tested"))
        return ["found", "tested"]
    if move == "archive":
        order.materials = list(data.get("materials") or [])
        return ["materials"]
    if move == "withdraw":
        order.withdrawn_why = note[:300]
        return ["withdrawn_why"]
    if move == "urge":
        order.urged += 1
        return ["urged"]
    return []


def _take_appointment(order: RepairOrder, move: str, data: dict[str, Any]) -> list[str]:
    given = data.get("appointment_at")
    if move == "contacted":
        if not given:
            raise NotAllowed("请填写与客户约定的上门时间，再提交。", code="needs")
        order.contacted_at = order.contacted_at or clock.now()
    try:
        order.appointment_at = datetime.fromisoformat(str(given)) if given else None
    except ValueError as error:
        raise NotAllowed("看不懂约定的上门时间，请按 2026-11-20T14:00 填写。", code="needs") from error
    if order.appointment_at is not None and order.appointment_at.tzinfo is None:
        order.appointment_at = order.appointment_at.replace(tzinfo=clock.SHANGHAI)
    return ["appointment_at", "contacted_at"]


def _afterwards(order: RepairOrder, move: str, note: str) -> list[str]:
    if move == "supported":
        order.support_note = note[:300]
        return ["support_note"]
    if move in {"satisfied", "unsatisfied"}:
        order.satisfied = move == "satisfied"
        return ["satisfied"]
    if order.now_in.is_final:
        _close(order, f"{order.state_label}（工单 {order.number}）")
    return []


def _close(order: RepairOrder, reason: str) -> None:
    order.closed_at = clock.now()
    order.save(update_fields=["closed_at"])
    alarms.close_case(case_kind=CASE, case_id=order.pk, by=f"工单 {order.number}", reason=reason)


def _open_order(device_id: int | None, cause: str) -> RepairOrder | None:
    if device_id is None:
        return None
    open_ = RepairOrder.objects.filter(device_id=device_id, cause=cause, closed_at=None)
    return open_.select_for_update(of=("self",)).first()


def _make(
    *, device_id: int | None, home_id: int | None, place: str, cause: str, cause_label: str, where: str, detail: str,
    origin: str, at: datetime,
) -> tuple[RepairOrder, bool]:  # fmt: skip
    now = clock.now()
    recent = RepairOrder.unscoped.filter(device_id=device_id, cause=cause, reported_at__gt=now - rules.REPEATS_COUNTED_OVER)
    repeats = 1 + (recent.exclude(state="not_a_fault").count() if device_id is not None else 0)
    order = RepairOrder(
        number=_number(now), year=clock.local(now).year, device_id=device_id, home_id=home_id, place=place, cause=cause,
        cause_label=cause_label, where=where, detail=detail[:300], origin=origin[:60], reported_at=min(at, now),
        repeats=repeats,
    )  # fmt: skip
    try:
        with transaction.atomic():
            engine.begin(order, THE_CLOCK if origin == "设备上报" else Actor(origin, frozenset({Role.AGENT})), note=detail)
    except IntegrityError:
        other = _open_order(device_id, cause)
        if other is None:
            raise
        return other, False
    _tell(order)
    return order, True


def _report(order: RepairOrder, *, text: str, by: str, at: datetime, alarm_id: int | None) -> None:
    Report.objects.create(order=order, text=text[:300], by=by[:60], at=at, alarm_id=alarm_id)


def _tell(order: RepairOrder) -> None:
    changed("order", order.pk, order.place)


def _number(now: datetime) -> str:
    """WX-1119-0082: the 82nd order of 19 November. A number may be skipped, never given twice in a year."""
    day = clock.local(now).date()
    with connection.cursor() as cursor:
        # the day's base is fixed before the number is drawn, so a number is always above its base
        cursor.execute(
            "INSERT INTO fieldwork_numberday (day, base) SELECT %s, last_value FROM fieldwork_number ON CONFLICT DO NOTHING",
            [day],
        )
        cursor.execute("SELECT nextval('fieldwork_number') - base FROM fieldwork_numberday WHERE day = %s", [day])
        nth = cursor.fetchone()[0]
    return f"WX-{day:%m%d}-{nth:04d}"
