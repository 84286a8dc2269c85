"""The only writers of field work. Moves go through the flow engine; what a move needs is stored with it or not at all."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Any, Final

from django.db import IntegrityError, connection, transaction

from anju.accounts import queries as accounts
from anju.accounts.roles import Role
from anju.alarms import actions as alarms
from anju.alarms import queries as alarm_queries
from anju.fieldwork import queries, rules
from anju.fieldwork.flow import REPAIR
from anju.fieldwork.models import RepairOrder, Report
from anju.kernel import clock, forgetting
from anju.kernel.changes import changed
from anju.kernel.flow import engine
from anju.kernel.flow.engine import THE_CLOCK, Actor, NotAllowed
from anju.kernel.models import Movement
from anju.kernel.numbers import next_number
from anju.kernel.scope import EVERYWHERE, seen_by
from anju.notices import actions as notices
from anju.notices.actions import To

CASE: Final = "repair"
BEFORE_ANYBODY_SET_OUT: Final = frozenset({"reported", "dispatching"})


@transaction.atomic
def raise_repair(*, alarm_id: int) -> RepairOrder:
    """A technical alarm → one open order per device and cause; a later alarm joins it. Settles the alarm.

    The order is found or made under the unique rule of the table, so two routers at once make one.
    """
    _one_at_a_time()
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
    take = TAKES.get(move)
    if take is not None and (changed_fields := take(order, note, given)):
        order.save(update_fields=changed_fields)
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


CONTENT: Final = 4
"""From this mark on (4 满意, 5 非常满意) a follow-up counts as content."""


@transaction.atomic
def followed_up(*, order_id: int, score: int, robot: bool) -> bool:
    """The client was asked by telephone (HZ 附件6 四.1.11, 四.2.9): content goes on to be archived, else it is done again.

    False when somebody settled the order meanwhile.
    """
    order = RepairOrder.objects.select_for_update(of=("self",)).filter(pk=order_id, state="follow_up").first()
    if order is None:
        return False
    how = "语音回访按键" if robot else "坐席电话回访"
    move(order.pk, "satisfied" if score >= CONTENT else "bad_mark", THE_CLOCK, note=f"{how} {score} 分")
    return True


@transaction.atomic
def recovered(*, alarm_id: int, reason: str) -> None:
    """The device recovered by itself. Before anybody set out the clock ends the order; later the fitter is only told.

    The order is locked before its alarms, as everywhere.
    """
    alarm = alarm_queries.alarm(alarm_id)
    if alarm.case_kind != CASE or alarm.case_id is None:
        return
    order = RepairOrder.objects.select_for_update(of=("self",)).filter(pk=alarm.case_id).first()
    alarms.close(alarm_id=alarm_id, by=alarms.PLATFORM, reason=reason)
    if order is None or order.closed_at is not None or alarm_queries.open_of_case(case_kind=CASE, case_id=order.pk):
        return
    order.recovered_at = clock.now()
    order.save(update_fields=["recovered_at"])
    if order.state in BEFORE_ANYBODY_SET_OUT:
        engine.make(order, "recover", THE_CLOCK, note=reason)
        _close(order, reason)
    _tell(order)


Given = dict[str, Any]


def _assignee(order: RepairOrder, _note: str, given: Given) -> list[str]:
    if not given.get("assignee"):
        return []
    order.assignee_id = int(given["assignee"])
    return ["assignee"]


def _appointment(order: RepairOrder, _note: str, given: Given) -> list[str]:
    text = given.get("appointment_at")
    try:
        moment = datetime.fromisoformat(str(text)) if text else None
    except ValueError as error:
        raise NotAllowed("看不懂约定的上门时间，请按 2026-11-20T14:00 填写。", code="needs") from error
    if moment is not None and moment.tzinfo is None:
        moment = moment.replace(tzinfo=clock.SHANGHAI)
    order.appointment_at = moment
    return ["appointment_at"]


def _contacted(order: RepairOrder, note: str, given: Given) -> list[str]:
    if not given.get("appointment_at"):
        raise NotAllowed("请填写与客户约定的上门时间，再提交。", code="needs")
    order.contacted_at = order.contacted_at or clock.now()
    return ["contacted_at", *_appointment(order, note, given)]


def _arrived(order: RepairOrder, _note: str, _given: Given) -> list[str]:
    order.seen_at, order.tested = order.seen_at or clock.now(), False
    return ["seen_at", "tested"]


def _repaired(order: RepairOrder, note: str, given: Given) -> list[str]:
    order.found = str(given.get("found") or note)[:300]
    order.tested = order.tested or bool(given.get("tested"))
    return ["found", "tested"]


def _materials(order: RepairOrder, _note: str, given: Given) -> list[str]:
    order.materials = list(given.get("materials") or [])
    return ["materials"]


def _withdrawal(order: RepairOrder, note: str, _given: Given) -> list[str]:
    order.withdrawn_why = note[:300]
    return ["withdrawn_why"]


def _urging(order: RepairOrder, _note: str, _given: Given) -> list[str]:
    order.urged += 1
    return ["urged"]


TAKES: Final[dict[str, Callable[[RepairOrder, str, Given], list[str]]]] = {
    "assign": _assignee,
    "contacted": _contacted,
    "rebook": _appointment,
    "revisit": _appointment,
    "part_needed": _appointment,
    "supported": _appointment,
    "arrive": _arrived,
    "repaired": _repaired,
    "archive": _materials,
    "withdraw": _withdrawal,
    "urge": _urging,
}
"""What a move brings with it: stored before the move is made, so that its conditions see it; the changed fields."""


def _afterwards(order: RepairOrder, move: str, note: str) -> list[str]:
    if move == "supported":
        order.support_note = note[:300]
        return ["support_note"]
    if move in {"satisfied", "unsatisfied", "bad_mark"}:
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
    repeats = 1 + (_earlier(device_id, cause, now) if device_id is not None else 0)
    order = RepairOrder(
        number=next_number("WX", clock.local(now).date()), year=clock.local(now).year, device_id=device_id, home_id=home_id, place=place, cause=cause,
        cause_label=cause_label, where=where, detail=detail[:300], origin=origin[:60], reported_at=min(at, now),
        repeats=repeats,
    )  # fmt: skip
    try:
        with transaction.atomic():
            engine.begin(
                order, THE_CLOCK if origin == "设备上报" else Actor(origin, frozenset({Role.AGENT})), note=detail
            )
    except IntegrityError:
        other = _open_order(device_id, cause)
        if other is None:
            raise
        return other, False
    _tell(order)
    return order, True


@transaction.atomic
def forget(*, home_id: int) -> int:
    """A person's data are deleted: the orders of her home keep times, cause and result and lose every word; how many."""
    with seen_by(EVERYWHERE):
        orders = RepairOrder.objects.filter(home=home_id, closed_at__isnull=False)
        ids = list(orders.values_list("pk", flat=True))
        forgetting.empty(orders, keep={"state", "number", "place", "cause", "cause_label", "where"})
        forgetting.empty(Report.objects.filter(order__in=ids))
        forgetting.story(REPAIR.name, ids)
    notices.forget(refs=[f"repair:{pk}" for pk in ids])
    return len(ids)


def page_late(order: RepairOrder, movement: Movement) -> None:
    """The clock pressed: who holds the order and the dispatchers are told; with a broken promise the leads as well."""
    broken = queries.broken(order)
    people = {u.id: u for u in accounts.holders(Role.DISPATCHER, place=order.place)}
    if broken or not people:
        people |= {u.id: u for u in accounts.holders(Role.LEAD, place=order.place)}
    names = {u.id: u.name for u in people.values()}
    if order.assignee_id is not None:
        names[order.assignee_id] = accounts.user_name(order.assignee_id)
    what = {
        "number": order.number, "where": order.where or order.cause_label, "state": order.state_label,
        "what": "，".join(broken) or order.cause_label,
    }  # fmt: skip
    for user_id, name in sorted(names.items()):
        notices.send(
            to=To(name, user_id=user_id), template="page_repair", data=what, channel="platform",
            key=f"repair:{order.pk}:{movement.nth}:{user_id}", place=order.place, ref=f"repair:{order.pk}",
        )  # fmt: skip


def _earlier(device_id: int, cause: str, now: datetime) -> int:
    since = now - rules.REPEATS_COUNTED_OVER
    recent = RepairOrder.unscoped.filter(device_id=device_id, cause=cause, reported_at__gt=since)
    return recent.exclude(state="not_a_fault").count()


def _report(order: RepairOrder, *, text: str, by: str, at: datetime, alarm_id: int | None) -> None:
    Report.objects.create(order=order, text=text[:300], by=by[:60], at=at, alarm_id=alarm_id)


def _tell(order: RepairOrder) -> None:
    changed("order", order.pk, order.place)


def _one_at_a_time() -> None:
    """Repairs that devices ask for are opened one transaction at a time.

    Else two routers could each hold an order that the other joins, or the day's number, and wait for each other.
    """
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(hashtext('fieldwork.raise_repair'))")
