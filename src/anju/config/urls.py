"""Every address of the web process, one line a portal."""

from __future__ import annotations

from django.urls import URLPattern, URLResolver, include, path

from anju.config.alive import healthz
from anju.portals.receipts import receipt

urlpatterns: list[URLPattern | URLResolver] = [
    path("healthz", healthz),
    path("receipts/<str:token>", receipt),
    path("", include("anju.accounts.urls")),
    path("console/", include("anju.portals.console.urls")),
    path("", include("anju.design.urls")),
    path("", include("anju.portals.desk.urls")),
    path("", include("anju.portals.public.urls")),
    path("family/", include("anju.portals.family.urls")),
    path("district/", include("anju.portals.district.urls")),
    path("api/", include("anju.portals.open_api.urls")),
]
