"""Health of devices, and the quarantine of those that nobody registered."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.cache import never_cache

from anju.alarms.ledger import SOURCES
from anju.devices import actions, queries, totals
from anju.elders import lists
from anju.kernel import clock
from anju.places import queries as places
from anju.portals.district import figures, filters, forms, words
from anju.portals.district.access import actor, allowed, opens

SIZE = 40
TROUBLES = (("silent", "失联", "deaf", "deaf"), ("low", "电量低", "maint", "battery-low"), ("tamper", "被拆动", "maint", "wrench"),
            ("weak", "信号弱", "maint", "signal"))  # fmt: skip


def _unknown() -> list[dict[str, Any]]:
    """Devices that talk and are in no book, in words."""
    names = queries.product_names()
    return [
        {
            "row": u, "source": SOURCES.get(u.source, u.source), "said": words.said(u.last_kinds),
            "product": names.get(u.product_code, u.product_code or u.product_id or "不认识"),
        }
        for u in queries.unknown(100)
    ]  # fmt: skip


@never_cache
@opens("devices")
def listing(request: HttpRequest) -> HttpResponse:
    """Every installed device of the subtree; those in trouble first."""
    by, known, now = actor(request), filters.communities(), clock.now()
    place = filters.place(request, known)
    trouble = filters.choice(request, "trouble", (t[0] for t in TROUBLES))
    kind, text = filters.choice(request, "kind", figures.NAMES), filters.text(request, "imei", 20)
    chosen = {"place": places.prefix_of(place) if place else "", "kind": kind, "imei": text}
    counts = totals.totals(place=chosen["place"])
    number = filters.number(request, "page")
    shown, fitting = totals.page(**chosen, trouble=trouble, start=(number - 1) * SIZE, size=SIZE)
    pages = filters.Pages(number, SIZE, fitting)
    if pages.number != number:  # the list has become shorter
        shown, _ = totals.page(**chosen, trouble=trouble, start=pages.start, size=SIZE)
    labels = lists.labels_of((r.device.home_id for r in shown if r.device.home_id), by.roles)
    newest = figures.ago(counts.newest, now)
    return render(
        request,
        "district/devices.html",
        {
            "rows": [(row, labels.get(row.home_id or 0)) for row in figures.devices(shown, now)], "page": pages,
            "places": known, "names": places.names_of({d.device.place for d in shown}),
            "place": place, "trouble": trouble, "kind": kind, "imei": text, "kinds": figures.NAMES.items(), "all": counts.all,
            "troubles": [(code, label, tone, icon, getattr(counts, code)) for code, label, tone, icon in TROUBLES],
            "unknown": _unknown(), "may": allowed(by, "device.register"), "newest": newest,
            "newest_proof": f"最近信号 {newest}",
        },
    )  # fmt: skip


@never_cache
@opens("device.register")
def register(request: HttpRequest) -> HttpResponse:
    """Take a device into stock; its quarantine ends."""
    products = [(p.code, f"{p.name} · {p.code}") for p in queries.products()]
    initial = {name: filters.text(request, name, 80) for name in ("imei", "operator_id", "product_code")}
    data = request.POST if request.method == "POST" else None
    form, fault = forms.DeviceForm(data, products=products, initial=initial), ""
    if data is not None and form.is_valid():
        try:
            device = actions.register(**form.cleaned_data)
        except actions.DeviceError as reason:
            fault = str(reason)
        else:
            messages.success(request, f"设备 {device.imei} 已入库。装到家里后开始守护。")
            return redirect("district:devices")
    return render(
        request, "district/device_form.html", {"form": form, "fault": fault}, status=400 if data is not None else 200
    )
