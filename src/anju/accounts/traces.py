"""Log-in, log-out, failures and locks become lines of the audit. A wrong name is kept as a keyed hash only: people type
passwords into the wrong field."""

from __future__ import annotations

from typing import Any

from axes.signals import user_locked_out
from django.contrib.auth.signals import user_logged_in, user_logged_out, user_login_failed
from django.http import HttpRequest

from anju.accounts.addresses import client_address
from anju.accounts.models import User
from anju.kernel import audit, crypto


def connect() -> None:
    """Listen to Django's and axes' own signals (they are not facts of ours)."""
    user_logged_in.connect(_in, dispatch_uid="anju.in")
    user_logged_out.connect(_out, dispatch_uid="anju.out")
    user_login_failed.connect(_failed, dispatch_uid="anju.failed")
    user_locked_out.connect(_locked, dispatch_uid="anju.locked")


def _in(request: HttpRequest | None, user: User, **_: Any) -> None:
    _record("user.log_in", request, user)


def _out(request: HttpRequest | None, user: User | None, **_: Any) -> None:
    if user is not None:
        _record("user.log_out", request, user)


def _failed(credentials: dict[str, Any], request: HttpRequest | None = None, **_: Any) -> None:
    _tried("user.log_in", request, str(credentials.get("username") or ""), "denied")


def _locked(request: HttpRequest | None = None, username: str | None = None, **_: Any) -> None:
    _tried("user.locked", request, username or "", "locked")


def _tried(action: str, request: HttpRequest | None, name: str, result: str) -> None:
    user = User.objects.filter(username__iexact=name).first() if name else None
    if user is not None:
        _record(action, request, user, result)
        return
    with audit.acting("未登录", None, client_address(request) if request else ""):
        audit.record(action, subject="user", result=result, detail={"unknown": crypto.blind(name, "tried")[:12]})


def _record(action: str, request: HttpRequest | None, user: User, result: str = "ok") -> None:
    with audit.acting(user.name, user.pk, client_address(request) if request else ""):
        audit.record(action, subject="user", subject_id=user.pk, result=result)
