"""The addresses of the desk."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.urls import path

from anju.portals.desk import events, verbs, views
from anju.portals.desk.due import verbs as due_verbs
from anju.portals.desk.due import views as due
from anju.portals.desk.phone import verbs as presses
from anju.portals.desk.phone import views as phone
from anju.portals.desk.script import views as scripts


def gives(asked: Callable[..., HttpResponse], done: Callable[..., HttpResponse]) -> Callable[..., HttpResponse]:
    """One address: GET shows the dialog, POST carries it out."""

    def both(request: HttpRequest, **words: Any) -> HttpResponse:
        return (done if request.method == "POST" else asked)(request, **words)

    return both


urlpatterns = [
    path("desk/", views.desk),
    path("desk/queue", views.queue),
    path("desk/idle", views.idle),
    path("desk/alive", views.alive),
    path("desk/help", views.keys),
    path("desk/call", verbs.register),
    path("desk/call/who", verbs.who),
    path("desk/incident/<int:incident_id>", views.case),
    path("desk/incident/<int:incident_id>/line", views.line),
    path("desk/incident/<int:incident_id>/tab/<slug:name>", views.tab),
    path("desk/incident/<int:incident_id>/sheet", views.sheet),
    path("desk/incident/<int:incident_id>/move/<slug:name>", verbs.move),
    path("desk/incident/<int:incident_id>/duty/<slug:name>", verbs.duty),
    path("desk/incident/<int:incident_id>/note", verbs.note),
    path("desk/incident/<int:incident_id>/identify", verbs.identify),
    path("desk/incident/<int:incident_id>/call/<int:rung>", verbs.call),
    path("desk/incident/<int:incident_id>/number/<int:rung>", verbs.number),
    path("desk/incident/<int:incident_id>/seat/<slug:letter>", verbs.seat),
    path("desk/incident/<int:incident_id>/seat/<slug:letter>/over", verbs.over),
    path("desk/incident/<int:incident_id>/bell/<int:bell_id>", verbs.bell),
    path("desk/attempt/<int:attempt_id>", verbs.attempt),
    path("desk/elder/<int:elder_id>/reveal/<slug:field>", verbs.reveal),
    path("desk/script/sheet/<int:sheet_id>", scripts.sheet),
    path("desk/script/sheet/<int:sheet_id>/typed", scripts.typed),
    path("desk/script/<slug:kind>/<slug:ref>", scripts.show),
    path("desk/script/<slug:kind>/<slug:ref>/find", scripts.find),
    path("desk/script/<slug:kind>/<slug:ref>/take", scripts.take),
    path("desk/script/<slug:kind>/<slug:ref>/<int:sheet_id>/keep", scripts.keep),
    path("desk/script/<slug:kind>/<slug:ref>/<int:sheet_id>/drop", scripts.drop),
    path("desk/phone/bar", phone.call_bar),
    path("desk/phone/callers", phone.callers),
    path("desk/phone/engine", phone.engine),
    path("desk/phone/here", phone.here),
    path("desk/phone/mic", phone.mic),
    path("desk/phone/registered", phone.registered),
    path("desk/phone/gone", phone.gone),
    path("desk/phone/state/<slug:name>", presses.state),
    path("desk/phone/do/<slug:verb>", presses.press),
    path("desk/phone/transfer", gives(phone.ask_transfer, presses.transfer)),
    path("desk/phone/invite", gives(phone.ask_invite, presses.invite)),
    path("desk/phone/book/<int:expert_id>", gives(phone.ask_book, presses.book)),
    path("desk/phone/dial", gives(phone.ask_dial, presses.dial)),
    path("desk/phone/supervise/<uuid:call_id>", gives(phone.ask_supervise, presses.supervise)),
    path("desk/phone/keypad", phone.ask_keys),
    path("desk/phone/back/<int:back_id>", presses.ring_back),
    path("desk/phone/wrap", presses.wrap_up),
    path("desk/phone/wrap/typed", presses.wrap_up_typed),
    path("desk/phone/wrap/<uuid:call_id>", gives(phone.ask_later, presses.write_up_later)),
    path("desk/caller/<uuid:call_id>", phone.who),
    path("desk/caller/<uuid:call_id>/file", phone.file),
    path("desk/caller/<uuid:call_id>/find", phone.find),
    path("desk/caller/<uuid:call_id>/who", presses.choose),
    path("desk/caller/<uuid:call_id>/open", presses.open_case),
    path("desk/incident/<int:incident_id>/elder/call", presses.call_elder),
    path("desk/wall", phone.board),
    path("desk/wall/screen", phone.screen),
    path("desk/wall/move", presses.move_seat),
    path("desk/wall/proposal/<int:proposal_id>/<slug:how>", presses.proposal),
    path("desk/due", due.listing),
    path("desk/due/contact/new", gives(due.ask_register, due_verbs.register)),
    path("desk/due/contact/<int:contact_id>", gives(due.ask_contact, due_verbs.contact)),
    path("desk/due/enclosure/<int:enclosure_id>", due_verbs.look_enclosure),
    path("desk/due/contact/<int:contact_id>/dial", due_verbs.ring_contact),
    path("desk/due/contact/<int:contact_id>/whose", gives(due.ask_whose, due_verbs.file_contact)),
    path("desk/due/campaign/<int:campaign_id>", due_verbs.next_person),
    path("desk/due/<int:planned_id>", due.ask_result),
    path("desk/due/<int:planned_id>/dial", due_verbs.dial),
    path("desk/due/<int:planned_id>/result", due_verbs.result),
    path("desk/due/<int:planned_id>/case", due_verbs.raise_case),
    path("events", events.events),
]
