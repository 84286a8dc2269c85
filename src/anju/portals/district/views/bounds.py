"""If she fell now: the ranking of repairs by the hours that they win, and the map of the homes."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST

from anju.alarms import bounds
from anju.elders import lists
from anju.fieldwork import actions as fieldwork
from anju.fieldwork import queries as orders
from anju.kernel import clock
from anju.places import landmap
from anju.places import queries as places
from anju.portals.district import filters, worst
from anju.portals.district.access import actor, allowed, missing, opens

SIZE = 40
PINS = 12
"""Homes that the map names; the list beside it has as many."""
SHOWN = 30
ORDERED = {
    "repair": ("silent", "听不到，须检修"), "battery": ("battery", "更换电池"), "placement": ("placement", "移位"),
    "period": ("period", "缩短上报周期"), "install": ("install", "加装传感器"),
}  # fmt: skip
"""Measure → (cause, words) of the order that it makes; a missing consent is no repair."""


@never_cache
@opens("watch")
def ranking(request: HttpRequest) -> HttpResponse:
    """What wins the most hours comes first; every number was stored by the sweep, the page only sorts in SQL."""
    by, known, now = actor(request), filters.communities(), clock.now()
    place, cause = filters.place(request, known), filters.choice(request, "cause", worst.CAUSES)
    inside, number = places.prefix_of(place) if place else "", filters.number(request, "page")
    rows, count = bounds.repairs(place=inside, cause=cause, start=(number - 1) * SIZE, size=SIZE)
    pages = filters.Pages(number, SIZE, count)
    if pages.number != number:
        rows, _ = bounds.repairs(place=inside, cause=cause, start=pages.start, size=SIZE)
    labels = lists.labels_of((r.home_id for r in rows), by.roles)
    under_way = orders.open_of_homes(r.home_id for r in rows)
    made = [
        (row, worst.shown(row), labels.get(row.home_id), _order(under_way.get(row.home_id, ()), row), row.measure in ORDERED)
        for row in rows
    ]  # fmt: skip
    return render(
        request,
        "district/watch.html",
        {
            "rows": made, "page": pages, "places": known, "place": place, "cause": cause, "causes": worst.CAUSES,
            "stats": bounds.summary(inside), "may": allowed(by, "watch.repair"), "now": now,
        },
    )  # fmt: skip


def _order(open_orders: Any, row: bounds.HomeWorst) -> orders.OrderRow | None:
    """The order that already mends it: of the same sensor, or of the same cause where no sensor is named."""
    cause = ORDERED.get(row.measure, ("", ""))[0]
    return next((o for o in open_orders if (o.device_id == row.device_id if row.device_id else o.cause == cause)), None)


@require_POST
@opens("watch.repair")
def repair(request: HttpRequest, home_id: int) -> HttpResponse:
    """One click makes the order; a second one finds it."""
    row = bounds.by_homes([home_id]).get(home_id)
    if row is None:
        return missing(request, "这一户")
    if row.measure not in ORDERED:
        messages.warning(request, "这一户现在没有要派的工单，请刷新页面。")
        return redirect("district:watch")
    known = _order(orders.open_of_homes([home_id]).get(home_id, ()), row)
    cause, words = ORDERED[row.measure]
    if known is None:
        made = fieldwork.report_fault(
            device_id=row.device_id, home_id=home_id, place=row.place[:12], cause=cause, by=actor(request),
            text=f"{words}：{row.measure_words}（{worst.won(row.won)}知道）",
        )  # fmt: skip
        messages.success(request, f"工单 {made.number} 已建，等派工。")
        return redirect("district:repair", order_id=made.pk)
    messages.info(request, f"工单 {known.number} 已在处理。")
    return redirect("district:repair", order_id=known.id)


@never_cache
@opens("map")
def area_map(request: HttpRequest) -> HttpResponse:
    """One dot a home; who would not be found for the longest is named, and listed beside."""
    by, known = actor(request), filters.communities()
    place = filters.place(request, known)
    inside = places.prefix_of(place) if place else ""
    homes = bounds.places_of(inside)
    drawn = landmap.picture([(lon, lat) for _, lon, lat, _, _ in homes])
    longest = bounds.longest(place=inside, limit=SHOWN)
    labels = lists.labels_of((r.home_id for r in longest), by.roles)
    named = [(row, worst.shown(row), labels.get(row.home_id)) for row in longest]
    dots, stands = worst.dots(drawn, homes) if drawn else ([], {})
    pins = [
        (stands[row.home_id], label, nth)
        for nth, (row, _, label) in enumerate(named[:PINS], 1)
        if row.home_id in stands
    ]
    stats = bounds.summary(inside)
    return render(
        request,
        "district/map.html",
        {
            "drawn": drawn, "dots": dots, "pins": pins, "rows": named, "places": known, "place": place, "stats": stats,
            "unplaced": max(0, (stats["homes"] or 0) - len(homes)),
        },
    )  # fmt: skip
