"""The addresses of the desk."""

from __future__ import annotations

from django.urls import path

from anju.portals.desk import events, verbs, views

urlpatterns = [
    path("desk/", views.desk),
    path("desk/queue", views.queue),
    path("desk/idle", views.idle),
    path("desk/alive", views.alive),
    path("desk/help", views.keys),
    path("desk/call", verbs.register),
    path("desk/call/who", verbs.who),
    path("desk/incident/<int:incident_id>", views.case),
    path("desk/incident/<int:incident_id>/tab/<slug:name>", views.tab),
    path("desk/incident/<int:incident_id>/sheet", views.sheet),
    path("desk/incident/<int:incident_id>/move/<slug:name>", verbs.move),
    path("desk/incident/<int:incident_id>/duty/<slug:name>", verbs.duty),
    path("desk/incident/<int:incident_id>/note", verbs.note),
    path("desk/incident/<int:incident_id>/call/<int:rung>", verbs.call),
    path("desk/incident/<int:incident_id>/number/<int:rung>", verbs.number),
    path("desk/incident/<int:incident_id>/seat/<slug:letter>", verbs.seat),
    path("desk/incident/<int:incident_id>/seat/<slug:letter>/over", verbs.over),
    path("desk/incident/<int:incident_id>/bell/<int:bell_id>", verbs.bell),
    path("desk/attempt/<int:attempt_id>", verbs.attempt),
    path("desk/elder/<int:elder_id>/reveal/<slug:field>", verbs.reveal),
    path("events", events.events),
]
