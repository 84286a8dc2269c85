"""Every address of the web process, one line a portal."""

from __future__ import annotations

from django.urls import URLPattern, URLResolver, path

from anju.config.alive import healthz

urlpatterns: list[URLPattern | URLResolver] = [
    path("healthz", healthz),
]
