"""The first page after log-in for those who do not sit at the desk: their own subtree, and what waits for them."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.cache import never_cache

from anju.devices import queries as devices
from anju.devices.queries import DeviceHealth
from anju.elders import lists
from anju.elders.queries import MaskedElder
from anju.fieldwork import queries as fieldwork
from anju.incidents import queries as incidents
from anju.incidents.views import IncidentView
from anju.kernel import clock
from anju.kernel.flow.actor import Actor
from anju.places import queries as places
from anju.portals.district import figures, filters
from anju.portals.district.access import actor, may_open, opens, refused
from anju.portals.district.apps import RAIL
from anju.portals.district.views.elders import FALSE
from anju.signals import activity


@dataclass(slots=True)
class Area:
    """One community in the table."""

    code: str
    name: str
    elders: int = 0
    suspended: int = 0
    drafts: int = 0
    homes: set[int] = field(default_factory=set)
    deaf: set[int] = field(default_factory=set)
    faults: int = 0
    cases: int = 0
    orders: int = 0
    unsigned: int = 0


@never_cache
def overview(request: HttpRequest) -> HttpResponse:
    """Those who may not open it are led to the first page that they may."""
    by = actor(request)
    if may_open(by, "overview"):
        return _overview(request)
    first = next((url for page, url, *_ in RAIL if may_open(by, page)), "")
    return redirect(first) if first else refused(request, who=["区局", "街道", "社区"])


@opens("overview")
def _overview(request: HttpRequest) -> HttpResponse:
    by, now = actor(request), clock.now()
    known = filters.communities()
    place = filters.place(request, known)
    areas = {p.code: Area(p.code, p.name) for p in known if place in ("", p.code)}
    homes = _devices(areas, now)
    _elders(areas)
    cases = incidents.page(by.roles, since=now - timedelta(days=30), limit=500)
    orders = fieldwork.page(open_only=True, limit=500)
    for case in cases:
        if area := areas.get(case.place):
            area.cases += 1
    for order in orders:
        if area := areas.get(order.place):
            area.orders += 1
    inside = places.prefix_of(place) if place else ""
    cases, orders = [c for c in cases if c.place.startswith(inside)], [o for o in orders if o.place.startswith(inside)]
    return render(
        request,
        "district/overview.html",
        {
            "areas": list(areas.values()), "places": known, "place": place, "names": places.names_of(areas), "stats": _stats(areas, cases, orders),
            "deaf": _deaf(homes, areas, by, now), "open": [c for c in cases if c.closed_at is None][:8],
            "late": [o for o in orders if o.broken][:8], "unsigned": _unsigned(by, areas), "latest": cases[:8],
            "causes": Counter(o.cause_label for o in orders).most_common(5), "orders": len(orders),
        },
    )  # fmt: skip


def _devices(areas: dict[str, Area], now: datetime) -> dict[int, list[DeviceHealth]]:
    homes: dict[int, list[DeviceHealth]] = {}
    for row in devices.health(limit=20_000):
        area = areas.get(row.device.place)
        if area is None or row.device.home_id is None:
            continue
        homes.setdefault(row.device.home_id, []).append(row)
        area.homes.add(row.device.home_id)
        area.faults += not row.well
    for home_id, mine in homes.items():
        heard = max((d.last_heard_at for d in mine if d.last_heard_at), default=None)
        if heard is None or now - heard > activity.DEAF_AFTER:
            areas[mine[0].device.place].deaf.add(home_id)
    return homes


def _elders(areas: dict[str, Area]) -> None:
    for code, states in lists.counts().items():
        if area := areas.get(code):
            area.elders, area.suspended, area.drafts = (
                states.get("approved", 0),
                states.get("suspended", 0),
                states.get("draft", 0),
            )


def _stats(areas: dict[str, Area], cases: list[IncidentView], orders: list[fieldwork.OrderRow]) -> dict[str, object]:
    waits = sorted((c.accepted_at - c.opened_at).total_seconds() for c in cases if c.accepted_at and not c.drill)
    late, false = sum(bool(o.broken) for o in orders), sum(c.outcome_class in FALSE for c in cases)
    accept = round(waits[len(waits) // 2]) if waits else None
    suspended, drafts = sum(a.suspended for a in areas.values()), sum(a.drafts for a in areas.values())
    return {
        "elders": sum(a.elders for a in areas.values()), "homes_note": f"停机 {suspended} · 草稿 {drafts}",
        "deaf": sum(len(a.deaf) for a in areas.values()), "deaf_note": f"设备待处理 {sum(a.faults for a in areas.values())} 件",
        "open": sum(c.closed_at is None for c in cases), "cases_note": f"近 30 天 {len(cases)} 起",
        "accept_text": "—" if accept is None else accept, "accept_unit": "" if accept is None else "秒", "false": false,
        "false_note": f"占 {round(100 * false / len(cases))}%" if cases else "近 30 天没有事件",
        "orders": len(orders), "late_note": f"超时 {late} 张" if late else "都在时限内",
    }  # fmt: skip


@dataclass(frozen=True, slots=True)
class Silent:
    """A home that we do not hear."""

    label: lists.HomeLabel | None
    since: str
    last: datetime | None
    devices: int


def _deaf(homes: dict[int, list[DeviceHealth]], areas: dict[str, Area], by: Actor, now: datetime) -> list[Silent]:
    ids = sorted({home for area in areas.values() for home in area.deaf})[:10]
    labels = lists.labels_of(ids, by.roles)
    rows = []
    for home in ids:
        last = max((d.last_heard_at for d in homes[home] if d.last_heard_at), default=None)
        rows.append(Silent(labels.get(home), figures.ago(last, now), last, len(homes[home])))
    return rows


@dataclass(frozen=True, slots=True)
class Unsigned:
    """An elder in service for whom nobody may call 110, 119, 120 by signature."""

    elder: MaskedElder
    word: str
    until: object


def _unsigned(by: Actor, areas: dict[str, Area]) -> list[Unsigned]:
    found = lists.without_rescue(limit=200)
    people = lists.some((pk for pk, _ in found), by.roles)
    rows = [
        Unsigned(people[pk], term.word if term else "未签", term.until if term else None)
        for pk, term in found
        if pk in people
    ]
    rows = [row for row in rows if row.elder.place in areas]
    for row in rows:
        areas[row.elder.place].unsigned += 1
    return rows[:8]
