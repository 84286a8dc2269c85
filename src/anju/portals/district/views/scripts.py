"""The guide's scripts: read, searched, counted; changed as a new version by who answers for what agents say."""

from __future__ import annotations

from itertools import groupby
from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST

from anju.kernel.flow.actor import NotAllowed
from anju.knowledge.sop import actions
from anju.knowledge.sop import queries as sop
from anju.knowledge.sop.rules import Branch, Field
from anju.portals.district import filters
from anju.portals.district.access import actor, allowed, missing, opens

MOST, SPARE = 20, 3
"""Questions of one script at most, and empty ones offered below."""


@never_cache
@opens("scripts")
def listing(request: HttpRequest) -> HttpResponse:
    """Every scenario of the guide with its script."""
    text = request.GET.get("say", "").strip()[:40]
    used = sop.used()
    rows = sorted(sop.search(text), key=lambda s: list(sop.delivered()).index(s.code))
    groups = [(name, [(s, used.get(s.code, 0)) for s in some]) for name, some in groupby(rows, key=lambda s: s.group)]
    return render(
        request, "district/calls/scripts.html",
        {"groups": groups, "text": text, "total": len(sop.delivered()), "changed": sum(s.version > 0 for s in sop.scripts())},
    )  # fmt: skip


@never_cache
@opens("scripts")
def page(request: HttpRequest, code: str) -> HttpResponse:
    """One script: the form of the version in force, or an older one to read."""
    return _page(request, code)


def _page(request: HttpRequest, code: str, typed: dict[str, Any] | None = None) -> HttpResponse:
    newest = sop.script(code)
    if newest is None:
        return missing(request, "这份话术")
    wanted = filters.number(request, "version", least=0, most=newest.version, default=newest.version)
    shown = sop.edition(code, wanted) or newest
    edits = shown.version == newest.version and allowed(actor(request), "scripts.change")["scripts_change"]
    said = typed or {
        "title": shown.title, "when": shown.when, "say": "\n".join(shown.say), "do": "\n".join(shown.do), "wrap": "\n".join(shown.wrap),
        "words": "、".join(shown.applies.words),
        "branch": "\n".join(" | ".join(p for p in (b.when, b.then, b.go) if p) for b in shown.branch),
        "fields": [
            {"name": f.name, "label": f.label, "kind": f.kind, "must": f.must, "options": "、".join(f.options), "say": f.say} for f in shown.ask
        ],
    }  # fmt: skip
    spare: list[dict[str, Any]] = [{} for _ in range(min(SPARE, MOST - len(said["fields"])))] if edits else []
    return render(
        request, "district/calls/script.html",
        {
            "script": shown, "newest": newest, "edits": edits, "said": said, "rows": list(enumerate([*said["fields"], *spare], 1)),
            "kinds": sop.KINDS.items(), "versions": sop.editions(code),
        },
    )  # fmt: skip


@require_POST
@opens("scripts.change")
def save(request: HttpRequest, code: str) -> HttpResponse:
    """A new version; what was typed stays on the page when something is wrong with it."""
    fields = _fields(request)
    said = {name: _text(request, name, 3000) for name in ("title", "when", "say", "do", "wrap", "words", "branch")}
    based = _text(request, "based_on", 6)
    try:
        made = actions.put_script(
            by=actor(request), code=code, based_on=int(based) if based.isascii() and based.isdigit() else 0, title=said["title"],
            when=said["when"], say=_lines(said["say"]), do=_lines(said["do"]), wrap=[w[:30] for w in _lines(said["wrap"])],
            words=_words(said["words"]), branch=[_branch(line) for line in _lines(said["branch"])],
            ask=[
                Field(f["name"], f["label"], f["kind"], f["must"], tuple(_words(f["options"])), f["say"]) for f in fields
            ],
        )  # fmt: skip
    except NotAllowed as refused:
        messages.warning(request, str(refused))
        return _page(request, code, typed={**said, "fields": fields})
    messages.success(request, f"已存为第 {made} 版，从现在起用这一版；已经填的仍按当时的问题。")
    return redirect("district:script", code=code)


def _fields(request: HttpRequest) -> list[dict[str, Any]]:
    """The questions that have a label, in the order of their lines, each with a code of its own."""
    found: list[dict[str, Any]] = []
    taken = {name for n in range(1, MOST + 1) if (name := _text(request, f"name-{n}", 30))}
    for n in range(1, MOST + 1):
        label = _text(request, f"label-{n}", 40)
        if not label or request.POST.get(f"drop-{n}") == "1":
            continue
        name = _text(request, f"name-{n}", 30) or next(c for k in range(1, 99) if (c := f"q{k}") not in taken)
        taken.add(name)
        found.append(
            {"name": name, "label": label, "kind": _text(request, f"kind-{n}", 10), "must": request.POST.get(f"must-{n}") == "1",
             "options": _text(request, f"options-{n}", 200), "say": _text(request, f"say-{n}", 120)}
        )  # fmt: skip
    return found


def _branch(line: str) -> Branch:
    """「情形 | 怎么办 | 转哪份话术的代码」"""
    parts = [p.strip()[:120] for p in line.replace("｜", "|").split("|")]
    return Branch(parts[0], parts[1] if len(parts) > 1 else "", parts[2] if len(parts) > 2 else "")


def _lines(text: str) -> list[str]:
    return [line.strip()[:200] for line in text.splitlines() if line.strip()][:20]


def _words(text: str) -> list[str]:
    return [w.strip()[:20] for w in text.replace("，", "、").replace(",", "、").split("、") if w.strip()][:30]


def _text(request: HttpRequest, name: str, longest: int) -> str:
    return request.POST.get(name, "").replace("\0", "").strip()[:longest]
