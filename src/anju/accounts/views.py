"""Log-in, second factor, change of password, end of a session.

Nothing here tells whether a name exists: wrong name and wrong password look alike and count alike.
"""

from __future__ import annotations

from typing import Any

import segno
from django.conf import settings
from django.contrib import messages
from django.contrib.auth import authenticate, login, logout, update_session_auth_hash
from django.contrib.auth.signals import user_login_failed
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect, JsonResponse
from django.shortcuts import redirect, render
from django.utils.http import url_has_allowed_host_and_scheme
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods, require_POST

from anju.accounts import actions, addresses, locks, queries, second_factor, sessions
from anju.accounts.forms import CodeForm, LoginForm, PasswordForm
from anju.accounts.models import User
from anju.accounts.roles import Role
from anju.kernel import audit, clock

BACKEND = "django.contrib.auth.backends.ModelBackend"
HALF = "anju.half"
FAMILY_HOME = "/family/"
HALF_LASTS = 300  # seconds between password and second factor
_ENROLLING = "anju.enrolling"
_form_pages = require_http_methods(["GET", "HEAD", "POST"])


def home_of(user: User) -> str:
    """Where somebody starts: the desk for agents and leads, families at their own page, the district's for everybody else."""
    held = queries.roles_of(user)
    if held & {Role.AGENT, Role.LEAD}:
        return "/desk/"
    return FAMILY_HOME if held == {Role.FAMILY} else "/district/"


def root(request: HttpRequest) -> HttpResponse:
    """`/`."""
    return redirect(home_of(request.user)) if isinstance(request.user, User) else redirect("accounts:login")


@sensitive_post_parameters("password")
@never_cache
@_form_pages
def log_in(request: HttpRequest) -> HttpResponse:
    """First step: name and password."""
    if isinstance(request.user, User) and request.method != "POST":
        return redirect(_next(request) or home_of(request.user))
    form = LoginForm(request.POST or None)
    status = 200
    if request.method == "POST" and form.is_valid():
        name = form.cleaned_data["username"].strip()
        user = authenticate(request, username=name, password=form.cleaned_data["password"])
        if getattr(request, "axes_locked_out", False):
            return locked_page(request)
        if isinstance(user, User) and user.is_demo and not settings.DEMO:
            user_login_failed.send(sender=__name__, credentials={"username": name}, request=request)
            user = None
        if isinstance(user, User):
            return _after_password(request, user, own=form.cleaned_data["own"])
        status = 403
        form.add_error("password", "用户名或密码不对，请再试。还可试 " + _tries_left(request) + " 次")
    elif request.method == "POST":
        status = 400
    wanted = _next(request)
    context = {"form": form, "next": wanted, "idle": "idle" in request.GET, "place": settings.CENTRE_NAME}
    context |= {"large": wanted.startswith(FAMILY_HOME), "keeps": settings.SESSION_IDLE_OWN.days}
    return render(request, "accounts/login.html", context, status=status)


@sensitive_post_parameters("code")
@never_cache
@_form_pages
def code(request: HttpRequest) -> HttpResponse:
    """Second step: the code of the token. The password was right less than five minutes ago."""
    half: dict[str, Any] = request.session.get(HALF) or {}
    user = queries.user(half["user"]) if half and clock.now().timestamp() - half["at"] < HALF_LASTS else None
    if user is None or not user.is_active or user.get_session_auth_hash() != half["hash"]:
        request.session.pop(HALF, None)
        return redirect("accounts:login")
    form = CodeForm(request.POST or None)
    status = 200
    if request.method == "POST" and form.is_valid():
        if locks.locked_here_until(request, user.username):
            return locked_page(request, {"username": user.username})
        how = second_factor.check(user, form.cleaned_data["code"])
        if how:
            request.session.pop(HALF, None)
            if how == "recovery":
                left = second_factor.codes_left(user)
                messages.warning(request, f"用掉了一个备用码，还剩 {left} 个。令牌找不到了请找安全管理员")
            return _enter(request, user, half["next"], passed=True)
        user_login_failed.send(sender=__name__, credentials={"username": user.username}, request=request)
        if getattr(request, "axes_locked_out", False):
            return locked_page(request, {"username": user.username})
        status = 403
        form.add_error("code", "口令不对或已过时，请看令牌上新的一组。还可试 " + _tries_left(request) + " 次")
    return render(request, "accounts/code.html", {"form": form, "name": user.name}, status=status)


@never_cache
@_form_pages
def token(request: HttpRequest) -> HttpResponse:
    """Enrol a token: the QR code, and a first code that proves that it works."""
    user = request.user
    if not isinstance(user, User):
        return redirect("accounts:login")
    if second_factor.is_enrolled(user):
        return redirect(home_of(user))
    secret = request.session.get(_ENROLLING)
    if not secret:
        secret = request.session[_ENROLLING] = second_factor.new_secret()
    form = CodeForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        codes = second_factor.enrol(user, secret, form.cleaned_data["code"])
        if codes is not None:
            request.session.pop(_ENROLLING, None)
            request.session[sessions.PASSED] = True
            request.session.cycle_key()
            audit.record("user.second_factor", subject="user", subject_id=user.pk)
            return render(request, "accounts/codes.html", {"codes": codes, "home": home_of(user)})
        form.add_error("code", "口令不对，请等令牌换一组再填；手机的时间要准")
    address = second_factor.address_of(user, secret)
    picture = segno.make(address, error="m").svg_inline(border=2, omitsize=True)
    groups = " ".join(secret[n : n + 4] for n in range(0, len(secret), 4))
    context = {
        "form": form,
        "picture": picture,
        "secret": groups,
        "address": address,
        "forced": queries.needs_second_factor(user),
    }
    return render(request, "accounts/token.html", context, status=200 if not form.errors else 403)


@sensitive_post_parameters("old", "new", "again")
@never_cache
@_form_pages
def password(request: HttpRequest) -> HttpResponse:
    """Choose a new password, because one wants to or because one must."""
    user = request.user
    if not isinstance(user, User):
        return redirect("accounts:login")
    form = PasswordForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        if locks.locked_here_until(request, user.username):
            return locked_page(request, {"username": user.username})
        if not user.check_password(form.cleaned_data["old"]):
            user_login_failed.send(sender=__name__, credentials={"username": user.username}, request=request)
            form.add_error("old", "现在的密码不对，请再试")
        else:
            try:
                actions.set_password(user=user, password=form.cleaned_data["new"], by=queries.actor_of(user))
            except actions.NotAccepted as fault:
                form.add_error("new", str(fault))
            else:
                actions.end_sessions(user)
                update_session_auth_hash(request, user)
                messages.success(request, "密码已改，其他地方的登录都已退出")
                return redirect(_next(request) or home_of(user))
    context = {"form": form, "forced": queries.must_change_password(user), "days": queries.PASSWORD_DAYS}
    return render(
        request,
        "accounts/password.html",
        context | {"next": _next(request), "large": queries.is_outside(user)},
        status=400 if form.errors else 200,
    )


@require_POST
def log_out(request: HttpRequest) -> HttpResponse:
    """End the session."""
    logout(request)
    return redirect("accounts:login")


@never_cache
@require_http_methods(["GET", "POST"])
def session(request: HttpRequest) -> JsonResponse:
    """How many seconds are left. GET does not lengthen the session; POST (a click on 我还在) does."""
    if not isinstance(request.user, User):
        return JsonResponse({"left": 0, "idle_left": 0}, status=401)
    idle, whole = sessions.left(request, request.user)
    return JsonResponse({"idle_left": int(idle), "left": int(whole)})


def closed(request: HttpRequest) -> HttpResponse:
    """The post may not be used from this address."""
    return render(request, "accounts/closed.html", {"address": addresses.client_address(request)}, status=403)


def axes_locked(request: HttpRequest, first: Any = None, second: Any = None) -> HttpResponse:
    """What django-axes shows when it locks: our page, unless the view has already answered with it.

    Called with (request, response, credentials), and under ASGI with (request, credentials): axes 8.3 leaves one out there.
    """
    if isinstance(first, HttpResponse) and first.status_code == 429:
        return first
    return locked_page(request, second if isinstance(first, HttpResponse) else first)


def locked_page(request: HttpRequest, credentials: dict[str, str] | None = None) -> HttpResponse:
    """Too many wrong passwords: says how long, and who can help."""
    name = locks.name_tried(request, credentials)
    until = locks.locked_here_until(request, name) or clock.now() + settings.AXES_COOLOFF_TIME
    minutes = max(1, -(-int((until - clock.now()).total_seconds()) // 60))
    context = {"minutes": minutes, "until": clock.local(until), "limit": settings.AXES_FAILURE_LIMIT}
    response = render(request, "accounts/locked.html", context, status=429)
    response["Retry-After"] = str(minutes * 60)
    return response


def csrf_failed(request: HttpRequest, reason: str = "") -> HttpResponse:
    """The form is too old or came from elsewhere."""
    audit.record("request.csrf", result="denied", detail={"path": request.path[:200], "why": reason[:120]})
    return render(request, "accounts/stale.html", status=403)


def _after_password(request: HttpRequest, user: User, *, own: bool) -> HttpResponse:
    here = addresses.client_address(request)
    if not addresses.allowed(here, queries.roles_of(user)):
        with audit.acting(user.name, user.pk, here):
            audit.record("user.log_in", subject="user", subject_id=user.pk, result="denied", detail={"why": "address"})
        return closed(request)
    if second_factor.is_enrolled(user):
        request.session.cycle_key()
        request.session[HALF] = {
            "user": user.pk,
            "at": clock.now().timestamp(),
            "hash": user.get_session_auth_hash(),
            "next": _next(request),
        }
        return redirect("accounts:code")
    return _enter(request, user, _next(request), passed=not queries.needs_second_factor(user), own=own)


def _enter(request: HttpRequest, user: User, wanted: str, *, passed: bool, own: bool = False) -> HttpResponseRedirect:
    before = user.last_login
    login(request, user, backend=BACKEND)
    sessions.begin(request.session, passed=passed, own=own and queries.is_outside(user))
    if before is not None:
        messages.info(request, f"上次登录 {clock.local(before):%m-%d %H:%M}。不是您本人请马上改密码")
    return redirect(wanted or home_of(user))


def _next(request: HttpRequest) -> str:
    """Where the user wanted to go, if that is on this site."""
    wanted = request.POST.get("next") or request.GET.get("next") or ""
    inside = url_has_allowed_host_and_scheme(wanted, {request.get_host()}, require_https=request.is_secure())
    return wanted if inside and not wanted.startswith("/login") else ""


def _tries_left(request: HttpRequest) -> str:
    made = int(getattr(request, "axes_failures_since_start", 0) or 0)
    return str(max(settings.AXES_FAILURE_LIMIT - made, 0))
