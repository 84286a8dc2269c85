"""What may be asked of field work, in the scope of the asker."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import datetime

from django.db.models import Count, F, Q, QuerySet

from anju.accounts.roles import Role
from anju.fieldwork import rules
from anju.fieldwork.models import RepairOrder, Report
from anju.kernel import clock
from anju.kernel.flow.queries import DutyNow, duties_of, moves_for, story_of
from anju.kernel.models import Movement

_REPAIRED = ("follow_up", "materials")
"""States in which the device works again."""


@dataclass(frozen=True, slots=True)
class OrderRow:
    """One line of a list of repair orders."""

    id: int
    number: str
    place: str
    home_id: int | None
    device_id: int | None
    cause: str
    cause_label: str
    where: str
    state: str
    state_label: str
    reported_at: datetime
    due_at: datetime | None
    appointment_at: datetime | None
    assignee_name: str
    repeats: int
    repeat_label: str
    urged: int
    broken: tuple[str, ...]
    closed_at: datetime | None


@dataclass(frozen=True, slots=True)
class Totals:
    """Open orders: all, those with a broken promise, by place, by cause (the most frequent first)."""

    all: int
    late: int
    by_place: dict[str, int]
    by_cause: list[tuple[str, int]]


@dataclass(frozen=True, slots=True)
class MoveView:
    """A button."""

    name: str
    label: str
    emphasis: str
    wants_reason: bool


@dataclass(frozen=True, slots=True)
class OrderCase:
    """A whole order as its page shows it."""

    order: RepairOrder
    row: OrderRow
    moves: list[MoveView]
    duties: list[DutyNow]
    story: list[Movement]
    reports: list[Report]


def page(
    *, limit: int = 50, before_id: int | None = None, state: str = "", open_only: bool = False, home_id: int | None = None,
    device_id: int | None = None,
) -> list[OrderRow]:  # fmt: skip
    """Repair orders, the newest first; `before_id` is the last id of the page before."""
    wanted = Q()
    for name, value in (
        ("pk__lt", before_id),
        ("home_id", home_id),
        ("device_id", device_id),
        ("state", state or None),
    ):
        if value is not None:
            wanted &= Q(**{name: value})
    if open_only:
        wanted &= Q(closed_at=None)
    orders = RepairOrder.objects.filter(wanted).select_related("assignee").order_by("-pk")[:limit]
    return [_row(order) for order in orders]


def order(order_id: int) -> RepairOrder:
    """One order; RepairOrder.DoesNotExist when there is none in the asker's scope."""
    return RepairOrder.objects.get(pk=order_id)


def case(order_id: int, roles: Collection[str]) -> OrderCase:
    """A whole order, with the buttons that these roles see."""
    found = RepairOrder.objects.select_related("assignee").get(pk=order_id)
    moves = [MoveView(m.name, m.label, m.emphasis, bool(m.asks)) for m in moves_for(found, roles)]
    return OrderCase(found, _row(found), moves, duties_of(found), story_of(found), list(found.reports.all()))


def open_of_device(device_id: int) -> list[OrderRow]:
    """What is being mended on this device."""
    return page(device_id=device_id, open_only=True)


def open_of_homes(home_ids: Iterable[int]) -> dict[int, list[OrderRow]]:
    """What is being mended in each of these homes: one question for a whole list."""
    found: dict[int, list[OrderRow]] = {}
    rows = RepairOrder.objects.filter(home_id__in=list(home_ids), closed_at=None)
    for row in rows.select_related("assignee").order_by("-pk"):
        found.setdefault(row.home_id or 0, []).append(_row(row))
    return found


def counts(place: str = "") -> dict[str, int]:
    """Open orders by state, for the rail and the wall; `late` counts those with a broken promise."""
    rows = _open(place)
    return dict(rows.values_list("state").annotate(n=Count("pk"))) | {"late": rows.filter(_broken()).count()}


def totals(place: str = "") -> Totals:
    """Open orders at a place (a prefix of its code), counted by the database."""
    rows = _open(place)
    return Totals(
        all=rows.count(),
        late=rows.filter(_broken()).count(),
        by_place=dict(rows.values_list("place").annotate(n=Count("pk"))),
        by_cause=list(rows.values_list("cause_label").annotate(n=Count("pk")).order_by("-n", "cause_label")),
    )


def late(*, place: str = "", limit: int = 8) -> list[OrderRow]:
    """Open orders with a broken promise, the newest first."""
    orders = _open(place).filter(_broken()).select_related("assignee").order_by("-pk")[:limit]
    return [_row(order) for order in orders]


def _open(place: str) -> QuerySet[RepairOrder]:
    return RepairOrder.objects.filter(closed_at=None, place__startswith=place).order_by()


def _broken() -> Q:
    """`broken` as a filter on open orders (a test holds both together)."""
    now = clock.now()
    unseen = Q(seen_at=None, reported_at__lt=now - rules.LOOK_WITHIN) | Q(
        seen_at__gt=F("reported_at") + rules.LOOK_WITHIN
    )
    return unseen | (Q(reported_at__lt=now - rules.REPAIR_WITHIN) & ~Q(state__in=_REPAIRED))


def broken(order: RepairOrder) -> list[str]:
    """The promises of 附件6 that this order has broken, in words."""
    repaired = order.closed_at is not None or order.state in _REPAIRED
    return rules.broken_promises(
        now=order.closed_at or clock.now(), reported_at=order.reported_at, seen_at=order.seen_at, repaired=repaired
    )


def _row(order: RepairOrder) -> OrderRow:
    return OrderRow(
        id=order.pk, number=order.number, place=order.place, home_id=order.home_id, device_id=order.device_id,
        cause=order.cause, cause_label=order.cause_label, where=order.where, state=order.state,
        state_label=order.state_label, reported_at=order.reported_at, due_at=order.due_at,
        appointment_at=order.appointment_at, assignee_name=order.assignee.name if order.assignee else "",
        repeats=order.repeats, repeat_label=rules.repeat_label(order.repeats), urged=order.urged,
        broken=tuple(broken(order)), closed_at=order.closed_at,
    )  # fmt: skip


ROLES = frozenset({Role.DISPATCHER, Role.INSTALLER, Role.AGENT, Role.LEAD, Role.QUALITY})
"""Who works on repair orders."""
