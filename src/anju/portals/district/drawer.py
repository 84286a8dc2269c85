"""The same form as a page and in the drawer: htmx asks for the form alone, anybody else for the whole page."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

from anju.portals.district.access import missing
from anju.portals.district.views.elders import back


def in_drawer(request: HttpRequest) -> bool:
    """Whether the drawer asks (and not the address bar)."""
    return bool(request.headers.get("HX-Request")) and not request.headers.get("HX-History-Restore-Request")


def show(request: HttpRequest, context: Mapping[str, Any], *, template: str = "district/sheet.html") -> HttpResponse:
    """The form, filled as it was sent; in the drawer a wrong form answers 200, because htmx shows nothing else."""
    drawer = in_drawer(request)
    status = 400 if request.method == "POST" and not drawer else 200
    base = "district/drawer.html" if drawer else "district/base.html"
    return render(request, template, {**context, "base": base, "drawer": drawer}, status=status)


def done(request: HttpRequest, elder_id: int, tab: str = "") -> HttpResponse:
    """To the elder's page, out of the drawer too."""
    answer = back(elder_id, tab)
    if not in_drawer(request):
        return answer
    return HttpResponse(status=204, headers={"HX-Redirect": answer["Location"]})


def nothing(request: HttpRequest, what: str = "这份档案") -> HttpResponse:
    """404 as a page and in the drawer."""
    return missing(request, what)
