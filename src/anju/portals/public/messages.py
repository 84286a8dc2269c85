"""留言: anybody may write to the centre; agents see it at once, the answer stands under a link that only the writer knows.

No captcha (old people cannot): a field that people do not see, a size, and so many messages an address in ten minutes. What looks
like a machine's is kept all the same; words of distress always pass.
"""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods

from anju.accounts.addresses import client_address
from anju.kernel.flow.actor import NotAllowed
from anju.supervision.contacts import actions, queries, rules

BIGGEST = 20_000
"""Bytes of a posted form."""
HIDDEN = "website"
"""A field that no person fills in."""
TOO_MANY = "您留言太频繁，请过十分钟再写。急事请直接打电话。"


@never_cache
@require_http_methods(["GET", "POST"])
def write(request: HttpRequest) -> HttpResponse:
    """The form; written, it leads to the page of this conversation."""
    if request.method == "GET":
        return _form(request)
    return _take(request, "") if _fits(request) else _form(request, "太长了，请写得短一些。", status=413)


@never_cache
@require_http_methods(["GET", "POST"])
def thread(request: HttpRequest, thread: str) -> HttpResponse:
    """What was said and answered; one may go on writing."""
    if not queries.said(thread):
        raise Http404("没有这个页面，请核对链接。")
    if request.method == "POST":
        return (
            _take(request, thread) if _fits(request) else _page(request, thread, "太长了，请写得短一些。", status=413)
        )
    return _page(request, thread)


def _fits(request: HttpRequest) -> bool:
    length = request.headers.get("Content-Length", "0")
    return length.isdigit() and int(length) <= BIGGEST


def _take(request: HttpRequest, thread: str) -> HttpResponse:
    told = {n: request.POST.get(n, "") for n in ("text", "name", "reach")}
    problem, status = "", 400
    try:
        row = actions.receive(
            channel="web", text=told["text"], name=told["name"], reach=told["reach"], origin=client_address(request), thread=thread,
            suspect=bool(request.POST.get(HIDDEN)),
        )  # fmt: skip
    except NotAllowed as refused:
        problem = str(refused)
    except actions.TooMany:
        problem, status = TOO_MANY, 429
    else:
        return redirect("message_thread", thread=row.thread)
    return _page(request, thread, problem, status, told) if thread else _form(request, problem, status, told)


def _form(
    request: HttpRequest, problem: str = "", status: int = 200, told: dict[str, str] | None = None
) -> HttpResponse:
    shown: dict[str, Any] = {
        "problem": problem,
        "told": told or {},
        "longest": rules.LONGEST,
        "hidden": HIDDEN,
        "hotline": settings.ANJU_HOTLINE,
    }
    return render(request, "public/message.html", shown, status=status)


def _page(
    request: HttpRequest, thread: str, problem: str = "", status: int = 200, told: dict[str, str] | None = None
) -> HttpResponse:
    part = bool(request.headers.get("HX-Request")) and request.method == "GET"
    shown: dict[str, Any] = {
        "said": queries.said(thread), "thread": thread, "problem": problem, "told": told or {}, "longest": rules.LONGEST, "hidden": HIDDEN,
    }  # fmt: skip
    answer = render(request, "public/_said.html" if part else "public/thread.html", shown, status=status)
    answer["Referrer-Policy"], answer["X-Robots-Tag"] = "same-origin", "noindex"
    return answer
