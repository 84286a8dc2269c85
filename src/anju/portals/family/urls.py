"""Addresses of the family's pages."""

from __future__ import annotations

from django.urls import path

from anju.portals.family import tell, views

app_name = "family"
urlpatterns = [
    path("", views.start, name="start"),
    path("size", views.size, name="size"),
    path("<int:elder_id>/", views.page, name="page"),
    path("<int:elder_id>/now", views.now, name="now"),
    path("<int:elder_id>/past", views.past, name="past"),
    path("<int:elder_id>/seen", views.seen, name="seen"),
    path("<int:elder_id>/away", tell.away, name="away"),
    path("<int:elder_id>/habits", tell.habits, name="habits"),
    path("<int:elder_id>/message", tell.message, name="message"),
]
