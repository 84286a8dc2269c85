"""What an agent does with calls. Each press is asked of the switchboard; a refusal is said in words beside the bar."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

from django.core.exceptions import ObjectDoesNotExist
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect, JsonResponse
from django.shortcuts import render
from django.template.loader import render_to_string
from django.views.decorators.http import require_POST

from anju.accounts.models import User
from anju.calls import actions, queries
from anju.incidents import actions as incidents
from anju.kernel import clock
from anju.kernel.flow.actor import Actor, NotAllowed
from anju.portals.desk import people
from anju.portals.desk.access import desk_only, user_of
from anju.portals.desk.phone import bar, beside, bookings, caller, targets, views, wall
from anju.portals.desk.press import key_of, once
from anju.portals.desk.views import case_context, is_part
from anju.staff import actions as staff


def act(request: HttpRequest, do: Callable[[Actor], object]) -> HttpResponse:
    """Ask for it, then the bar as it is now. In a dialog a refusal stays in the dialog."""
    user, problem = user_of(request), ""
    try:
        do(people.actor(user))
    except NotAllowed as refused:
        problem = str(refused)
    except ObjectDoesNotExist:
        problem = "找不到了：可能刚结束，或不在您的管辖范围内。请刷新后再试。"
    return answer(request, user, problem)


def answer(request: HttpRequest, user: User, problem: str) -> HttpResponse:
    """The bar after a press."""
    if not is_part(request):
        return HttpResponseRedirect("/desk/")
    if problem and request.POST.get("dialog"):
        response = HttpResponse(render_to_string("desk/dialogs/problem.html", {"problem": problem}, request))
        response["HX-Retarget"], response["HX-Reswap"] = "#dialog-say", "innerHTML"
    else:
        response = render(request, "desk/phone/bar.html", views.context(user))
        news: dict[str, object] = {"anju:said": {"text": problem}}
        if request.POST.get("dialog"):  # a key of the bar must not close what was opened meanwhile
            news["anju:done"] = True
        response["HX-Trigger-After-Swap"] = json.dumps(news)
    if problem:
        response["X-Anju-Refused"] = "1"
    return response


@require_POST
@desk_only
def state(request: HttpRequest, name: str) -> HttpResponse:
    """Ready, break (with a reason), off."""

    def do(by: Actor) -> None:
        if name == "ready":
            if not queries.engine_health().real:
                actions.mic_checked(by=by, ok=True, device="模拟")  # nobody speaks, so nothing must be heard
            actions.seat_ready(by=by)
        elif name == "break":
            actions.seat_break(by=by, reason=request.POST.get("reason", ""))
        elif name == "off":
            actions.seat_off(by=by)
        else:
            raise Http404("没有这个状态。")

    return act(request, do)


@require_POST
@desk_only
def press(request: HttpRequest, verb: str) -> HttpResponse:
    """A key of the call bar."""
    call_id, leg, digits = (request.POST.get(name, "") for name in ("call", "leg", "digits"))
    keys: dict[str, Callable[[Actor], object]] = {
        "answer": lambda by: actions.answer(by=by, call_id=call_id),
        "hangup": lambda by: actions.hang_up(by=by, call_id=call_id),
        "hold": lambda by: actions.hold(by=by, call_id=call_id),
        "unhold": lambda by: actions.unhold(by=by, call_id=call_id),
        "mute": lambda by: actions.mute(by=by, call_id=call_id),
        "unmute": lambda by: actions.unmute(by=by, call_id=call_id),
        "complete": lambda by: actions.complete_transfer(by=by, call_id=call_id),
        "cancel": lambda by: actions.cancel_transfer(by=by, call_id=call_id),
        "drop": lambda by: actions.drop(by=by, call_id=call_id, leg_id=leg),
        "keys": lambda by: actions.send_keys(by=by, call_id=call_id, digits=digits),
        "join": lambda by: actions.join(by=by, call_id=call_id),
    }
    if verb not in keys:
        raise Http404("没有这个按键。")
    return act(request, keys[verb])


def _far(request: HttpRequest) -> targets.Far:
    """Whom the dialog chose: seat:1023 · queue:service · contact:2 · expert:7 · committee · 120 · number."""
    mine = queries.my_call(user_of(request).pk)
    words = (request.POST.get(name, "")[:40] for name in ("to", "number", "role"))
    to, number, role = words
    return targets.resolve(mine, to, number=number, role=role)


@require_POST
@desk_only
def transfer(request: HttpRequest) -> HttpResponse:
    """Give the caller away, at once or after speaking with the other."""

    def do(by: Actor) -> None:
        far = _far(request)
        actions.transfer(
            by=by, call_id=request.POST.get("call", ""), attended=request.POST.get("how") == "attended", to_seat=far.seat,
            number=far.number, queue=far.queue, role=far.role, name=far.name,
        )  # fmt: skip

    return act(request, do)


@require_POST
@desk_only
def invite(request: HttpRequest) -> HttpResponse:
    """One more party into the call, as what she is."""

    def do(by: Actor) -> None:
        far = _far(request)
        actions.conference(
            by=by,
            call_id=request.POST.get("call", ""),
            to_seat=far.seat,
            number=far.number,
            role=far.role,
            name=far.name,
        )

    return act(request, do)


@require_POST
@desk_only
def book(request: HttpRequest, expert_id: int) -> HttpResponse:
    """An appointment with an expert for who is on the line; what was typed stays when it is refused."""
    user = user_of(request)
    call = queries.my_call(user.pk)
    at = bookings.moment(request.POST.get("at", ""))
    words = {name: request.POST.get(name, "").replace("\x00", "").strip()[:most] for name, most in bookings.FIELDS}
    said = "" if at else "请选一个时间。"
    try:
        if at is not None:
            staff.book(
                by=people.actor(user), expert_id=expert_id, at=at, elder_id=call.elder_id if call else None,
                call_id=call.call_id if call else "", **words,
            )  # fmt: skip
    except NotAllowed as refused:
        said = str(refused)
    except ObjectDoesNotExist:
        raise Http404("没有这位专家，或不在您的管辖范围内。") from None
    if said:
        return render(request, "desk/phone/book.html", bookings.form(user, expert_id, problem=said, words=words))
    return render(request, "desk/phone/booked.html", {"at": at})


@require_POST
@desk_only
def dial(request: HttpRequest) -> HttpResponse:
    """A number by hand; a double press rings once."""
    user, number = user_of(request), request.POST.get("number", "").strip()
    purpose = number if number in {"110", "119", "120"} else "other"
    return act(
        request,
        lambda by: once(
            key_of(request.path, {"once": request.POST.get("once", ""), "user": user.pk}),
            lambda: actions.dial(
                by=by, number=number, whom=request.POST.get("whom", "").strip(), purpose=purpose, ref="", place=people.reception(user)
            ),
        ),
    )  # fmt: skip


@require_POST
@desk_only
def ring_back(request: HttpRequest, back_id: int) -> HttpResponse:
    """Ring back somebody whom nobody spoke with."""
    user, problem = user_of(request), ""
    try:
        actions.ring_back(by=people.actor(user), call_back_id=back_id)
    except NotAllowed as refused:
        problem = str(refused)
    except ObjectDoesNotExist:
        raise Http404("没有这个来电，或不在您的管辖范围内。") from None
    response = render(
        request, "desk/phone/callers.html", beside.callers(user) | {"now": clock.now(), "problem": problem}
    )
    if problem:
        response["X-Anju-Refused"] = "1"
    return response


@require_POST
@desk_only
def supervise(request: HttpRequest, call_id: str) -> HttpResponse:
    """Listen, whisper, barge in."""
    mode = request.POST.get("mode", "listen")
    return act(request, lambda by: actions.supervise(by=by, call_id=str(call_id), mode=mode))


@require_POST
@desk_only
def wrap_up(request: HttpRequest) -> HttpResponse:
    """The call is written up."""

    def do(by: Actor) -> None:
        lacks, words = (request.POST.get(name, "").replace("\x00", "")[:200] for name in ("lacks", "lacks_words"))
        actions.wrap_up_done(
            by=by, call_id=request.POST.get("call", ""), lacks=lacks, lacks_words=words, **_written(request)
        )
        if request.POST.get("next") == "break":
            actions.seat_break(by=by, reason="休息")

    return act(request, do)


@require_POST
@desk_only
def wrap_up_typed(request: HttpRequest) -> HttpResponse:
    """What stands in the form so far; only what the agent touched is sent, so that nothing is judged for her."""
    try:
        actions.wrap_up_typed(
            by=people.actor(user_of(request)), call_id=request.POST.get("call", ""), **_written(request)
        )
    except NotAllowed as refused:
        return JsonResponse({"ok": False, "why": str(refused)}, status=409)
    return JsonResponse({"ok": True})


@require_POST
@desk_only
def write_up_later(request: HttpRequest, call_id: str) -> HttpResponse:
    """A call of an earlier hour is written up; the seat stays as it is."""
    return act(request, lambda by: actions.write_up_later(by=by, call_id=str(call_id), **_written(request)))


def _written(request: HttpRequest) -> dict[str, Any]:
    said = request.POST.get("resolved", "")
    return {
        "note": request.POST.get("note", "").replace("\x00", "").strip()[:300], "resolved": said == "yes" if said else None,
        "tags": [word for word in (*request.POST.getlist("kind"), *request.POST.getlist("tags")) if word in bar.WRAP_WORDS],
    }  # fmt: skip


@require_POST
@desk_only
def choose(request: HttpRequest, call_id: str) -> HttpResponse:
    """It is this one of the several whom the number fits."""
    user, elder = user_of(request), request.POST.get("elder", "")
    call = caller.of_call(user, str(call_id))
    known = people.caller(int(elder)) if elder.isdigit() else None
    try:
        actions.must_be_in(by=people.actor(user), call_id=call.call_id)
    except NotAllowed as refused:
        return _not_hers(request, call, refused)
    if known is not None:
        actions.link(call_id=call.call_id, home_id=known.home_id, elder_id=known.id)
    if not is_part(request):
        return HttpResponseRedirect(f"/desk/caller/{call.call_id}")
    return render(request, "desk/phone/caller.html", caller.page(user, call.call_id))


@require_POST
@desk_only
def open_case(request: HttpRequest, call_id: str) -> HttpResponse:
    """A case of the caller on the line: with what was typed, or with nothing but the call itself."""
    user = user_of(request)
    call = caller.of_call(user, str(call_id))
    opened: list[int] = []
    words = {name: request.POST.get(name, "").strip() for name in ("what", "address", "phone", "priority", "elder")}
    try:
        actions.must_be_in(by=people.actor(user), call_id=call.call_id)
        once(
            key_of(request.path, {"once": request.POST.get("once", ""), "user": user.pk}),
            lambda: opened.append(_open(user, call, words)),
        )
    except NotAllowed as refused:
        return _not_hers(request, call, refused)
    if not opened or not is_part(request):
        return HttpResponseRedirect(f"/desk/incident/{opened[0]}" if opened else "/desk/")
    response = render(request, "desk/case.html", case_context(user, opened[0]))
    response["HX-Push-Url"] = f"/desk/incident/{opened[0]}"
    return response


def _not_hers(request: HttpRequest, call: queries.LiveCallView, refused: NotAllowed) -> HttpResponse:
    """Why not, beside the form; the page as it is for who has no script."""
    if not is_part(request):
        return HttpResponseRedirect(f"/desk/caller/{call.call_id}")
    response = HttpResponse(render_to_string("desk/dialogs/problem.html", {"problem": str(refused)}, request))
    response["HX-Retarget"], response["HX-Reswap"], response["X-Anju-Refused"] = "#caller-say", "innerHTML", "1"
    return response


KINDS = {"9": ("call", "来电求助"), "7": ("call", "来电"), "3": ("call", "来电咨询")}


def _open(user: User, call: queries.LiveCallView, words: dict[str, str]) -> int:
    elder_id = call.elder_id or (int(words["elder"]) if words["elder"].isdigit() else None)
    known = people.caller(elder_id) if elder_id else None
    priority = words["priority"] if words["priority"] in KINDS else "9"
    kind, label = KINDS[priority]
    return incidents.open_from_call(
        call_id=call.call_id, by=people.actor(user), kind=kind, kind_label=label, priority=int(priority),
        place=known.place if known else caller.place_of(call, user), home_id=known.home_id if known else None,
        elder_id=known.id if known else None, phone=words["phone"], address=words["address"], what=words["what"] or "来电求助，细节待补",
    ).pk  # fmt: skip


@require_POST
@desk_only
def call_elder(request: HttpRequest, incident_id: int) -> HttpResponse:
    """Ring the elder of this case from one's own seat."""

    def do(by: Actor) -> None:
        if not incidents.call_elder(incident_id=incident_id, by=by):
            raise NotAllowed("您的话机没有就绪，拨不出去。先点“就绪”，或用手边的电话拨，再记一句。", code="needs")

    return act(request, do)


@require_POST
@desk_only
def move_seat(request: HttpRequest) -> HttpResponse:
    """A seat to another queue; leads."""
    user, who, queue = user_of(request), request.POST.get("user", ""), request.POST.get("queue", "")
    return _on_board(
        request, lambda: actions.move_seat(by=people.actor(user), user_id=int(who) if who.isdigit() else 0, queue=queue)
    )


@require_POST
@desk_only
def proposal(request: HttpRequest, proposal_id: int, how: str) -> HttpResponse:
    """Take or decline what the falling level proposes."""
    by = people.actor(user_of(request))
    return _on_board(request, lambda: wall.settle(proposal_id, how, by))


def _on_board(request: HttpRequest, do: Callable[[], object]) -> HttpResponse:
    problem = ""
    try:
        do()
    except NotAllowed as refused:
        problem = str(refused)
    if not is_part(request):
        return HttpResponseRedirect("/desk/wall")
    response = render(request, "desk/phone/wall.html", wall.board(user_of(request)) | {"problem": problem})
    if problem:
        response["X-Anju-Refused"] = "1"
    return response
