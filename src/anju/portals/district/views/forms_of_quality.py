"""The form by which calls are scored: its lines, weights and phrases. What is changed is a new version; old scores keep theirs."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST

from anju.kernel.flow.actor import NotAllowed
from anju.portals.district import filters
from anju.portals.district.access import actor, opens
from anju.supervision import actions, queries
from anju.supervision.rules import ROLES

MOST, SPARE = 60, 4
"""Lines of one form at most, and empty ones offered below."""
CODE = "call"


@never_cache
@opens("quality.form")
def page(request: HttpRequest) -> HttpResponse:
    """The newest version to edit, or an old one to read."""
    return _page(request)


def _page(request: HttpRequest, *, typed: list[dict[str, Any]] | None = None, name: str = "") -> HttpResponse:
    actions.form_in_force(CODE)  # a new centre begins with the standard form
    versions = queries.forms(CODE)
    newest = versions[0]
    wanted = filters.number(request, "version", most=newest.version, default=newest.version)
    shown = next((v for v in versions if v.version == wanted), newest)
    rows = typed or [
        {
            "code": i.code,
            "label": i.label,
            "group": i.group,
            "points": i.points or "",
            "fatal": i.fatal,
            "role": i.role,
            "hint": i.hint,
        }
        for i in shown.items
    ]
    edits = shown.version == newest.version
    spare: list[dict[str, Any]] = [{} for _ in range(min(SPARE, MOST - len(rows)))] if edits else []
    return render(
        request, "district/calls/form.html",
        {
            "versions": versions, "shown": shown, "newest": newest, "edits": edits, "rows": list(enumerate([*rows, *spare], 1)),
            "kinds": ROLES.items(), "name": name or shown.name,
        },
    )  # fmt: skip


@require_POST
@opens("quality.form")
def save(request: HttpRequest) -> HttpResponse:
    """A new version; what was typed stays on the page when something is wrong with it."""
    rows = _rows(request)
    name, based = _text(request, "name", 60), _text(request, "based_on", 6)
    criteria = [{k: v for k, v in row.items() if v not in {"", False} or k in {"code", "label"}} for row in rows]
    try:
        made = actions.put_form(
            code=CODE,
            name=name,
            criteria=criteria,
            by=actor(request),
            based_on=int(based) if based.isascii() and based.isdigit() else 0,
        )
    except NotAllowed as refused:
        messages.warning(request, str(refused))
        return _page(request, typed=rows, name=name)
    messages.success(request, f"已存为第 {made.version} 版，之后抽到的通话用这一版评分。")
    return redirect("district:quality_form")


def _rows(request: HttpRequest) -> list[dict[str, Any]]:
    """The lines that have a name, in the order that was asked for, each with a code of its own."""
    found: list[tuple[int, int, dict[str, Any]]] = []
    taken = {code for n in range(1, MOST + 1) if (code := _text(request, f"code-{n}", 20))}
    for n in range(1, MOST + 1):
        label = _text(request, f"label-{n}", 60)
        if not label or request.POST.get(f"drop-{n}") == "1":
            continue
        code = _text(request, f"code-{n}", 20) or next(c for k in range(1, 1000) if (c := f"item{k}") not in taken)
        taken.add(code)
        fatal, role, points = (
            request.POST.get(f"fatal-{n}") == "1",
            _text(request, f"role-{n}", 10),
            _number(request, f"points-{n}"),
        )
        line = {
            "code": code, "label": label, "group": _text(request, f"group-{n}", 20), "points": "" if fatal or points is None else points,
            "fatal": fatal, "role": role if role in ROLES and not fatal else "", "hint": _text(request, f"hint-{n}", 120),
        }  # fmt: skip
        turn = _number(request, f"turn-{n}")
        found.append((MOST + n if turn is None else turn, n, line))
    return [line for _, _, line in sorted(found, key=lambda one: one[:2])]


def _number(request: HttpRequest, name: str) -> int | None:
    text = _text(request, name, 4)
    return int(text) if text.isascii() and text.isdigit() else None


def _text(request: HttpRequest, name: str, longest: int) -> str:
    return request.POST.get(name, "").replace("\0", "").strip()[:longest]
