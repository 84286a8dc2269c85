"""The address of the open interface."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.urls import path
from django.views.decorators.csrf import csrf_exempt

from anju.portals.open_api.api import api
from anju.portals.open_api.errors import problem


@csrf_exempt
def nothing(_: HttpRequest, rest: str) -> HttpResponse:  # noqa: ARG001 - the address is said by the answer's request
    """Machines get no page, also for an address that does not exist."""
    return problem(404, "没有这个地址，请对照 /api/openapi.json。", "address")


urlpatterns = [path("", api.urls), path("<path:rest>", nothing)]
