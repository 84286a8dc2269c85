"""Log-in, second factor, change of password."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest, HttpResponse


def locked_page(request: HttpRequest, *_: Any) -> HttpResponse:
    """Too many wrong passwords."""
    return HttpResponse("密码错了太多次，请稍后再试", status=429)


def csrf_failed(request: HttpRequest, reason: str = "") -> HttpResponse:
    """The form is too old or came from elsewhere."""
    return HttpResponse("页面放得太久，请刷新后再试", status=403)
