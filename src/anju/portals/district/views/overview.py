"""The first page after log-in for those who do not sit at the desk: their own subtree, and what waits for them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.cache import never_cache

from anju.devices import totals
from anju.elders import lists
from anju.elders.queries import MaskedElder
from anju.fieldwork import queries as fieldwork
from anju.incidents import queries as incidents
from anju.incidents.views import Totals as Cases
from anju.kernel import clock
from anju.kernel.flow.actor import Actor
from anju.places import queries as places
from anju.places.queries import PlaceInfo
from anju.portals.district import figures, filters
from anju.portals.district.access import actor, may_open, opens, refused
from anju.portals.district.apps import RAIL
from anju.signals import activity


@dataclass(slots=True)
class Area:
    """One community in the table: figures that the database counted."""

    code: str
    name: str
    elders: int = 0
    suspended: int = 0
    drafts: int = 0
    deaf: int = 0
    faults: int = 0
    cases: int = 0
    orders: int = 0
    unsigned: int = 0


ADMINISTRATION = ("audit", "users")
"""Where administrators begin: what the three are there for, not the first page that happens to stand open to them."""


@never_cache
def overview(request: HttpRequest) -> HttpResponse:
    """Those who may not open it are led to the first page that they may."""
    by = actor(request)
    if may_open(by, "overview"):
        return _overview(request)
    rail = {page: url for page, url, *_ in RAIL}
    first = next((rail[page] for page in (*ADMINISTRATION, *rail) if may_open(by, page)), "")
    return redirect(first) if first else refused(request, who=["区局", "街道", "社区"])


@opens("overview")
def _overview(request: HttpRequest) -> HttpResponse:
    by, now = actor(request), clock.now()
    known = filters.communities()
    place = filters.place(request, known)
    inside, since = places.prefix_of(place) if place else "", now - timedelta(days=30)
    cases, orders = incidents.totals(since, inside), fieldwork.totals(inside)
    areas = _areas([p for p in known if place in ("", p.code)], cases, orders, now)
    open_cases = incidents.page(by.roles, since=since, open_only=True, place=inside, limit=8)
    return render(
        request,
        "district/overview.html",
        {
            "areas": areas, "places": known, "place": place, "names": places.names_of(a.code for a in areas),
            "stats": _stats(areas, cases, orders), "deaf": _deaf(inside, by, now), "open": open_cases,
            "late": fieldwork.late(place=inside), "unsigned": _unsigned(by, inside),
            "latest": open_cases or incidents.page(by.roles, since=since, place=inside, limit=8),
            "causes": orders.by_cause[:5], "orders": orders.all,
        },
    )  # fmt: skip


def _areas(known: list[PlaceInfo], cases: Cases, orders: fieldwork.Totals, now: datetime) -> list[Area]:
    people, unsigned = lists.counts(), lists.without_rescue_by_place()
    devices = totals.by_place(heard_before=now - activity.DEAF_AFTER)
    found = []
    for one in known:
        states, here = people.get(one.code, {}), devices.get(one.code)
        found.append(
            Area(
                one.code, one.name, states.get("approved", 0), states.get("suspended", 0), states.get("draft", 0),
                here.deaf if here else 0, here.faults if here else 0, cases.by_place.get(one.code, 0),
                orders.by_place.get(one.code, 0), unsigned.get(one.code, 0),
            )
        )  # fmt: skip
    return found


def _stats(areas: list[Area], cases: Cases, orders: fieldwork.Totals) -> dict[str, object]:
    accept = None if cases.accept is None else round(cases.accept.total_seconds())
    suspended, drafts = sum(a.suspended for a in areas), sum(a.drafts for a in areas)
    return {
        "elders": sum(a.elders for a in areas), "homes_note": f"停机 {suspended} · 草稿 {drafts}",
        "deaf": sum(a.deaf for a in areas), "deaf_note": f"设备待处理 {sum(a.faults for a in areas)} 件",
        "open": cases.open, "cases_note": f"近 30 天 {cases.cases} 起",
        "accept_text": "—" if accept is None else accept, "accept_unit": "" if accept is None else "秒", "false": cases.false,
        "false_note": f"占 {round(100 * cases.false / cases.cases)}%" if cases.cases else "近 30 天没有事件",
        "orders": orders.all, "late_note": f"超时 {orders.late} 张" if orders.late else "都在时限内",
    }  # fmt: skip


@dataclass(frozen=True, slots=True)
class Silent:
    """A home that we do not hear."""

    label: lists.HomeLabel | None
    since: str
    last: datetime | None
    devices: int


def _deaf(inside: str, by: Actor, now: datetime) -> list[Silent]:
    homes = totals.longest_silent(limit=10, place=inside, heard_before=now - activity.DEAF_AFTER)
    labels = lists.labels_of((home.home_id for home in homes), by.roles)
    return [Silent(labels.get(h.home_id), figures.ago(h.heard_at, now), h.heard_at, h.devices) for h in homes]


@dataclass(frozen=True, slots=True)
class Unsigned:
    """An elder in service for whom nobody may call 110, 119, 120 by signature."""

    elder: MaskedElder
    word: str
    until: object


def _unsigned(by: Actor, inside: str) -> list[Unsigned]:
    found = lists.without_rescue(limit=8, place=inside)
    people = lists.some((pk for pk, _ in found), by.roles)
    return [
        Unsigned(people[pk], term.word if term else "未签", term.until if term else None)
        for pk, term in found
        if pk in people
    ]
