"""Users and posts for the three administrators: the system one makes accounts, the security one gives posts (三员分立)."""

from __future__ import annotations

from datetime import date

from django.contrib import messages
from django.core.exceptions import ObjectDoesNotExist, PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST

from anju.accounts import actions, queries
from anju.accounts.models import User
from anju.kernel.flow.actor import Actor
from anju.kernel.scope import seen_by
from anju.places import queries as places
from anju.portals.district import filters, forms
from anju.portals.district.access import actor, allowed, missing, opens, user_of

ACTS = ("user.create", "user.grant", "user.revoke", "user.unlock", "user.switch", "user.reset_password", "user.forget_second_factor",
        "token.issue", "token.revoke")  # fmt: skip


@never_cache
@opens("users")
def listing(request: HttpRequest) -> HttpResponse:
    """Everybody inside the administrator's reach."""
    by, reach, text = actor(request), queries.reach_of(user_of(request)), filters.text(request, "q")
    rows = queries.users(reach=reach, text=text)
    return render(
        request, "district/users.html",
        {"rows": rows, "text": text, "tokens": queries.tokens(reach=reach), "may": allowed(by, *ACTS)},
    )  # fmt: skip


@never_cache
@opens("users")
def create(request: HttpRequest) -> HttpResponse:
    """A new account, without any post."""
    by, data, fault = actor(request), request.POST if request.method == "POST" else None, ""
    if not allowed(by, "user.create")["user_create"]:
        raise PermissionDenied("建账号由系统管理员办理")
    form = forms.UserForm(data)
    if data is not None and form.is_valid():
        try:
            user = actions.create_user(by=by, **form.cleaned_data)
        except actions.NotAccepted as reason:
            fault = str(reason)
        else:
            messages.success(request, f"已建 {user.username}。请安全管理员授岗；本人首次登录要改口令。")
            return redirect("district:users")
    return render(
        request, "district/user_form.html", {"form": form, "fault": fault}, status=400 if data is not None else 200
    )


@never_cache
@opens("users")
def page(request: HttpRequest, user_id: int) -> HttpResponse:
    """One user: posts, locks, tokens."""
    return _page(request, user_id) or missing(request, "这个账号")


def _page(request: HttpRequest, user_id: int, **more: object) -> HttpResponse | None:
    by, reach = actor(request), queries.reach_of(user_of(request))
    row = next((u for u in queries.users(reach=reach) if u.id == user_id), None)
    if row is None:
        return None
    with seen_by(reach):
        areas = [p for p in places.subtree(reach) if len(p.code) <= 12]
    found = {
        "row": row, "may": allowed(by, *ACTS), "form": forms.PostForm(places=areas), "own": by.user_id == user_id,
        "tokens": [t for t in queries.tokens(reach=reach) if t.user_name == row.name], **more,
    }  # fmt: skip
    return render(request, "district/user.html", found)


@require_POST
@opens("users")
def change(request: HttpRequest, user_id: int, what: str) -> HttpResponse:
    """One administrative act. A token is shown once, in the answer."""
    by, reach = actor(request), queries.reach_of(user_of(request))
    user = queries.user(user_id)
    if user is None or user_id not in {u.id for u in queries.users(reach=reach)}:
        return missing(request, "这个账号")
    try:
        with seen_by(reach):
            shown = _do(what, user, by, request)
    except actions.NotAccepted as reason:
        messages.warning(request, str(reason))
    except (ObjectDoesNotExist, ValueError):
        messages.warning(request, "没有做成：所选的项已经不在，请刷新页面再试。")
    else:
        if shown:
            return _page(request, user_id, token=shown) or missing(request, "这个账号")
    return redirect("district:user", user_id=user_id)


def _do(what: str, user: User, by: Actor, request: HttpRequest) -> str:
    said, typed = "已办好，已留痕。", request.POST
    reason, picked = typed.get("reason", "").replace("\0", "")[:120], typed.get("id", "")
    number = int(picked) if picked.isascii() and picked.isdigit() and len(picked) < 18 else 0
    if what == "grant":
        until = date.fromisoformat(typed["until"]) if typed.get("until") else None
        actions.grant(user=user, role=typed.get("role", ""), place=typed.get("place", "")[:14], until=until, by=by)
    elif what == "revoke":
        actions.revoke(posting_id=number, by=by)
    elif what == "unlock":
        actions.unlock(user=user, by=by)
    elif what in {"on", "off"}:
        actions.switch(user=user, active=what == "on", reason=reason, by=by)
    elif what == "password":
        actions.set_password(user=user, password=typed.get("password", "")[:128], by=by)
        said = "已重置。本人下次登录要改口令。"
    elif what == "factor":
        actions.forget_second_factor(user=user, reason=reason, by=by)
    elif what == "token":
        return actions.issue_token(user=user, name=reason or "接口", by=by)[1]
    elif what == "untoken":
        actions.revoke_token(token_id=number, by=by)
    else:
        raise ValueError(what)
    messages.success(request, said)
    return ""
