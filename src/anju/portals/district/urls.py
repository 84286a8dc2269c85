"""Addresses of the district's pages. Every one is a whole page when opened by itself."""

from __future__ import annotations

from django.urls import path

from anju.portals.district.views import (
    audit,
    changes,
    devices,
    elders,
    files,
    incidents,
    ledger,
    operations,
    overview,
    repairs,
    users,
)

app_name = "district"
urlpatterns = [
    path("", overview.overview, name="overview"),
    path("elders/", elders.listing, name="elders"),
    path("elders/new", files.new, name="elder_new"),
    path("elders/<int:elder_id>/", elders.page, name="elder"),
    path("elders/<int:elder_id>/reveal", elders.reveal, name="reveal"),
    path("elders/<int:elder_id>/edit", files.edit, name="elder_edit"),
    path("elders/<int:elder_id>/contacts", files.add_contact, name="contact_add"),
    path("elders/<int:elder_id>/consents", files.record_consent, name="consent_add"),
    path("elders/<int:elder_id>/home", changes.home, name="home_edit"),
    path("elders/<int:elder_id>/order", changes.order, name="contact_order"),
    path("elders/<int:elder_id>/contacts/<int:contact_id>", changes.contact, name="contact_edit"),
    path("elders/<int:elder_id>/contacts/<int:contact_id>/remove", changes.remove_contact, name="contact_remove"),
    path("elders/<int:elder_id>/end", changes.end, name="elder_end"),
    path("elders/<int:elder_id>/erase", changes.erase, name="elder_erase"),
    path("elders/<int:elder_id>/export", changes.export, name="elder_export"),
    path("elders/<int:elder_id>/do/<slug:what>", files.change_state, name="elder_do"),
    path("devices/", devices.listing, name="devices"),
    path("devices/register", devices.register, name="device_register"),
    path("ledger/", ledger.books, name="ledger"),
    path("ledger/messages", ledger.messages, name="messages"),
    path("incidents/", incidents.listing, name="incidents"),
    path("incidents/<int:incident_id>/", incidents.case, name="incident"),
    path("repairs/", repairs.listing, name="repairs"),
    path("repairs/<int:order_id>/", repairs.page, name="repair"),
    path("repairs/<int:order_id>/move/<slug:move>", repairs.move, name="repair_move"),
    path("repairs/<int:order_id>/duty/<slug:duty>", repairs.duty, name="repair_duty"),
    path("users/", users.listing, name="users"),
    path("users/new", users.create, name="user_new"),
    path("users/<int:user_id>/", users.page, name="user"),
    path("users/<int:user_id>/do/<slug:what>", users.change, name="user_do"),
    path("operations/", operations.page, name="operations"),
    path("audit/", audit.search, name="audit"),
    path("audit/verify", audit.verify, name="audit_verify"),
]
