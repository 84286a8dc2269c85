"""Printable papers: filled from the file for a reason that is kept, or blank. The browser prints them, or makes a PDF."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET, require_POST

from anju.devices import queries as devices
from anju.devices.queries import DeviceHealth
from anju.elders import papers, queries, words
from anju.elders.checks import NotAccepted
from anju.elders.papers import PAPERS, Sheet
from anju.portals.district import filters
from anju.portals.district.access import actor, missing, opens
from anju.portals.district.views.elders import context

ASKED = (
    ("motion", "人体红外感应器", 1),
    ("sos", "主动求助器", 2),
    ("door", "智能门磁感应器", 1),
)
"""The three kinds of the acceptance form, and how many lines a blank one gives each (附件2 二.1: 1, 2 and 1 pieces)."""


@dataclass(frozen=True, slots=True)
class Row:
    """A kind of device on the acceptance form, and the pieces of this home: (position, serial number)."""

    kind: str
    name: str
    pieces: list[tuple[str, str]]


@never_cache
@require_POST
@opens("elders")
def filled(request: HttpRequest, elder_id: int, code: str) -> HttpResponse:
    """A paper filled from the file. Without a reason nothing is opened."""
    elder, by = queries.elder(elder_id), actor(request)
    if elder is None or code not in PAPERS:
        return missing(request, "这份文书")
    reason = (request.POST.get("other", "").strip() or request.POST.get("reason", "")).replace("\0", "")[:120]
    try:
        sheet = papers.fill(elder_id=elder_id, code=code, by=by, reason=reason)
    except NotAccepted as fault:
        page = context(elder, by, request, tab="consents") | {"fault": str(fault)}
        return render(request, "district/elder.html", page, status=400)
    return _page(request, code, sheet, devices.of_home(elder.home_id), elder_id=elder_id)


@never_cache
@require_GET
@opens("elders")
def empty(request: HttpRequest, code: str) -> HttpResponse:
    """The same paper without a person, to be written by hand."""
    if code not in PAPERS:
        return missing(request, "这份文书")
    known = filters.communities()
    return _page(request, code, papers.blank(known[0].code if known else ""), [])


def _page(request: HttpRequest, code: str, sheet: Sheet, mine: Iterable[DeviceHealth], **more: Any) -> HttpResponse:
    found = {
        "paper": PAPERS[code], "s": sheet, "scopes": words.CONSENT_SCOPES, "hotline": settings.ANJU_HOTLINE,
        "rows": _rows(list(mine)) if code == "acceptance" else [], **more,
    }  # fmt: skip
    return render(request, f"district/papers/{code}.html", found)


def _rows(mine: list[DeviceHealth]) -> list[Row]:
    """The three kinds with their pieces; what else hangs in the home ("X" scenes) comes after them."""
    serials = devices.serials(one.device.id for one in mine)
    asked = {kind for kind, _, _ in ASKED}
    found = [Row(kind, name, _pieces(mine, serials, kind) or [("", "")] * lines) for kind, name, lines in ASKED]
    others = {one.device.kind: one.device.product_name for one in mine if one.device.kind not in asked}
    return found + [Row(kind, name, _pieces(mine, serials, kind)) for kind, name in others.items()]


def _pieces(mine: list[DeviceHealth], serials: dict[int, str], kind: str) -> list[tuple[str, str]]:
    return [(one.device.position, serials.get(one.device.id, "")) for one in mine if one.device.kind == kind]
