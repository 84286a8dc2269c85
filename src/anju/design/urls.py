"""The page that shows the kit."""

from __future__ import annotations

from django.urls import path

from anju.design import views

urlpatterns = [path("design/", views.kit)]
