"""The parts of the desk that show calls, and what the softphone itself tells."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlsplit

from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import render
from django.utils.crypto import get_random_string
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET, require_POST

from anju.accounts.models import User
from anju.accounts.roles import Role
from anju.calls import actions, queries
from anju.calls.lines import queries as lines
from anju.kernel import clock
from anju.kernel.changes import changed
from anju.kernel.flow.actor import NotAllowed
from anju.portals.desk import people
from anju.portals.desk.access import desk_only, user_of
from anju.portals.desk.models import Telephone
from anju.portals.desk.phone import bar, beside, bookings, caller, targets, wall
from anju.portals.desk.views import is_part, whole


@require_GET
@never_cache
@desk_only
def call_bar(request: HttpRequest) -> HttpResponse:
    """State, parties and keys."""
    user = user_of(request)
    return render(request, "desk/phone/bar.html", context(user)) if is_part(request) else whole(request)


def context(user: User) -> dict[str, Any]:
    """What the call bar's template wants."""
    me = {"id": user.pk, "name": user.name, "seat_number": user.seat_number}
    return {"now": clock.now(), "me": me, "bar": bar.bar(user)}


@require_GET
@never_cache
@desk_only
def callers(request: HttpRequest) -> HttpResponse:
    """Who waits, who must be rung back."""
    if not is_part(request):
        return whole(request)
    return render(request, "desk/phone/callers.html", {"now": clock.now(), **beside.callers(user_of(request))})


@require_GET
@never_cache
@desk_only
def engine(request: HttpRequest) -> HttpResponse:
    """The strip that says what is wrong with the telephones."""
    return render(request, "desk/phone/engine.html", {"engine": bar.engine()}) if is_part(request) else whole(request)


@require_GET
@never_cache
@desk_only
def who(request: HttpRequest, call_id: str) -> HttpResponse:
    """The page of a caller."""
    found = caller.page(user_of(request), str(call_id))
    if not is_part(request):
        return whole(request, pane="desk/phone/caller.html", more=found)
    return render(request, "desk/phone/caller.html", found)


@require_GET
@never_cache
@desk_only
def file(request: HttpRequest, call_id: str) -> HttpResponse:
    """The file of the caller, back from the scripts."""
    found = caller.page(user_of(request), str(call_id))
    if not is_part(request):
        return whole(request, pane="desk/phone/caller.html", more=found)
    return render(request, "desk/phone/file.html", found)


@require_GET
@never_cache
@desk_only
def find(request: HttpRequest, call_id: str) -> HttpResponse:  # noqa: ARG001  the address says whose page asks
    """Whom a name or an address fits, while the caller is on the line."""
    text = request.GET.get("text", "")
    return render(
        request,
        "desk/dialogs/who.html",
        {"found": people.callers(text, user_of(request)), "asked": len(text.strip()) >= 2},
    )


@require_GET
@never_cache
@desk_only
def board(request: HttpRequest) -> HttpResponse:
    """The wallboard inside the desk: the telephone goes on beside it."""
    shown = wall.board(user_of(request))
    if not is_part(request):
        return whole(request, pane="desk/phone/wall.html", more=shown)
    return render(request, "desk/phone/wall.html", shown)


@require_GET
@never_cache
@desk_only
def screen(request: HttpRequest) -> HttpResponse:
    """The wallboard for a screen on the wall: large, nothing to press."""
    return render(request, "desk/phone/screen.html", wall.board(user_of(request), public=True) | {"big": True})


# ---- what the dialogs ask


@require_GET
@never_cache
@desk_only
def ask_later(request: HttpRequest, call_id: str) -> HttpResponse:
    """What an earlier call was about, which its agent left without a word."""
    if not is_part(request):
        return whole(request)
    found = queries.unwritten(user_of(request).pk, call_id=str(call_id))
    if not found:
        return render(request, "desk/dialogs/gone.html", {"problem": "这通电话已经整理好了。"})
    return render(request, "desk/phone/later.html", {"call": found[0], "wrap": bar.wrap_up(found[0])})


def _call(user: User) -> Any:
    found = queries.my_call(user.pk)
    if found is None or found.state == "wrap_up":
        raise NotAllowed("这通电话已经结束。", code="not_here")
    return found


def _dialog(request: HttpRequest, template: str, shown: dict[str, Any]) -> HttpResponse:
    if not is_part(request):
        return whole(request)
    try:
        call = _call(user_of(request))
    except NotAllowed as refused:
        return render(request, "desk/dialogs/gone.html", {"problem": str(refused)})
    return render(
        request,
        f"desk/phone/{template}.html",
        {"call_id": call.call_id, "who": call.whom or call.number_masked, **shown},
    )


def _whom(request: HttpRequest, **shown: Any) -> HttpResponse:
    user = user_of(request)
    found = targets.groups(user, queries.my_call(user.pk), queues=shown["verb"] == "transfer")
    return _dialog(request, "transfer", {**shown, "groups": found, "number_roles": targets.NUMBER_ROLES})


@require_GET
@never_cache
@desk_only
def ask_transfer(request: HttpRequest) -> HttpResponse:
    """Whom to give the caller to."""
    return _whom(request, verb="transfer", icon="transfer", title="转接")


@require_GET
@never_cache
@desk_only
def ask_invite(request: HttpRequest) -> HttpResponse:
    """Whom to bring into the call."""
    return _whom(request, verb="invite", icon="users", title="会议：再请一方", go="请进来")


@require_GET
@never_cache
@desk_only
def ask_book(request: HttpRequest, expert_id: int) -> HttpResponse:
    """When an expert who is off duty can be spoken with."""
    if not is_part(request):
        return whole(request)
    return render(request, "desk/phone/book.html", bookings.form(user_of(request), expert_id))


@require_GET
@never_cache
@desk_only
def ask_keys(request: HttpRequest) -> HttpResponse:
    """Keys for somebody's menu."""
    return _dialog(request, "keypad", {"keys": list("123456789*0#")})


@require_GET
@never_cache
@desk_only
def ask_dial(request: HttpRequest) -> HttpResponse:
    """A number to dial."""
    return (
        render(request, "desk/phone/dial.html", {"once": get_random_string(16)}) if is_part(request) else whole(request)
    )


@require_GET
@never_cache
@desk_only
def ask_supervise(request: HttpRequest, call_id: str) -> HttpResponse:
    """How to come into a colleague's call."""
    if not is_part(request):
        return whole(request)
    if Role.LEAD not in people.roles(user_of(request)):
        raise PermissionDenied("只有值班长可以旁听、密语和强插。")
    found = next((c for c in queries.live_calls() if c.call_id == str(call_id)), None)
    if found is None:
        return render(request, "desk/dialogs/gone.html", {"problem": "这通电话已经结束。"})
    mode = request.GET.get("mode", "listen")
    shown = {"call_id": found.call_id, "who": wall.spoken(found), "mode": mode if mode in wall.MODES else "listen"}
    return render(request, "desk/phone/supervise.html", shown)


# ---- what the softphone tells


@require_POST
@desk_only
def here(request: HttpRequest) -> HttpResponse:
    """This page is the telephone now; its settings, told to nobody else. An older page of the seat steps aside."""
    user = user_of(request)
    page = request.POST.get("page", "")[:40]
    if page:
        Telephone.objects.update_or_create(user=user, defaults={"page": page, "since": clock.now()})
        changed("seats", user.pk, "")
    settings = {"mode": "none", "extension": "", "secret": "", "websocket": "", "realm": "", "account": "", "why": ""}
    if not user.seat_number:
        return JsonResponse(settings | {"why": "您的账号没有席位号。请系统管理员在用户页填上，再刷新本页。"})
    if not lines.is_real():
        return JsonResponse(settings | {"mode": "simulated", "extension": user.seat_number})
    phone, host = lines.softphone_of(user), urlsplit(f"//{request.get_host()}").hostname or ""
    if phone is None:
        return JsonResponse(settings)
    where = lines.websocket(f"[{host}]" if ":" in host else host)
    said = {
        "extension": phone.extension,
        "account": phone.account,
        "secret": phone.secret,
        "websocket": where,
        "realm": phone.realm,
    }
    return JsonResponse(settings | {"mode": "sip"} | said)


@require_POST
@desk_only
def mic(request: HttpRequest) -> HttpResponse:
    """The microphone was heard, or is gone."""
    by = people.actor(user_of(request))
    try:
        actions.mic_checked(by=by, ok=request.POST.get("ok") == "1", device=request.POST.get("device", ""))
        if request.POST.get("ok") != "1":
            actions.seat_break(by=by, reason="其他")
    except NotAllowed as refused:
        return JsonResponse({"ok": False, "why": str(refused)})
    return JsonResponse({"ok": True})


@require_POST
@desk_only
def registered(request: HttpRequest) -> HttpResponse:
    """The telephone found the engine (again): the bar of every page of this seat is drawn anew."""
    changed("seats", user_of(request).pk, "")
    return JsonResponse({"ok": True})


@require_POST
@desk_only
def gone(request: HttpRequest) -> HttpResponse:
    """The page closes while somebody talks (sent by a beacon): the caller goes to the next seat at once."""
    user = user_of(request)
    mine = Telephone.objects.filter(user=user).first()
    if mine is None or mine.page == request.POST.get("page", ""):
        actions.seat_lost(user_id=user.pk, why="页面关闭")
    return JsonResponse({"ok": True})
