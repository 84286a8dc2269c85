"""Campaigns: the list, a new one, one with its progress and its people; the sheet that is uploaded, shown and confirmed."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, time
from typing import Any

from django.contrib import messages
from django.core import signing
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST

from anju.calls.campaigns import actions, queries, rules
from anju.calls.planned.queries import night_at
from anju.kernel import clock
from anju.kernel.flow.actor import Actor, NotAllowed
from anju.places import queries as places
from anju.places.queries import Level
from anju.portals.district import filters, lists
from anju.portals.district.access import actor, allowed, missing, opens, user_of

SIZE, SALT, KEPT = 50, "campaign.rows", 3600
"""People a page; how long (seconds) rows that were shown may be confirmed."""
INDENT = {Level.DISTRICT: "", Level.STREET: "　", Level.COMMUNITY: "　　"}
VERBS: dict[str, tuple[Callable[..., object], str]] = {
    "start": (actions.start, "已开始。到了时段就拨，来电和紧急事件先用线路。"),
    "pause": (actions.pause, "已暂停，正在通话的会打完。"),
    "resume": (actions.resume, "已继续。"),
    "stop": (actions.stop, "已停止，没打的不再打。"),
}


@never_cache
@opens("campaigns")
def page(request: HttpRequest) -> HttpResponse:
    """All campaigns of the user's places."""
    shown = {"rows": queries.listing(), "may": allowed(actor(request), "call.campaign")}
    return render(request, "district/calls/campaigns.html", shown)


@never_cache
@opens("campaigns")
def new(request: HttpRequest) -> HttpResponse:
    """What is said, when, how often. The people come next."""
    told, mine = _told(request), [p for p in places.subtree() if p.level in INDENT]
    if request.method == "POST":
        here = told.get("place", "") if told.get("place") in {p.code for p in mine} else ""
        try:
            row = actions.made(by=actor(request), place=here, it=_wanted(told))
        except NotAllowed as no:
            messages.warning(request, str(no))
        except ValueError as wrong:
            said = str(wrong)
            messages.warning(request, said if said.endswith("。") else "请把日期、时间和次数填完整。")
        else:
            messages.success(request, "已建好，还没有开始。接着加人，核对后再开始。")
            return redirect("district:campaign", row.pk)
    shown = {
        "told": told, "places": [(p, INDENT.get(p.level, "")) for p in mine], "ways": queries.WAY_CHOICES,
        "today_iso": clock.today().isoformat(), "at_once": rules.AT_ONCE, "night": night_at(mine[0].code) if mine else None,
        "may": allowed(actor(request), "call.campaign"),
    }  # fmt: skip
    return render(request, "district/calls/campaign_new.html", shown)


def _told(request: HttpRequest) -> dict[str, str]:
    return {k: str(v).replace("\x00", "").strip()[:1000] for k, v in request.POST.items()}


def _wanted(told: dict[str, str]) -> rules.Wanted:
    return rules.Wanted(
        name=told.get("name", ""), purpose=told.get("purpose", ""), way=told.get("way", ""), says=told.get("says", ""),
        labels=rules.answers(told.get("labels", "")), first=date.fromisoformat(told.get("first", "")),
        until=date.fromisoformat(told.get("until", "")), from_at=time.fromisoformat(told.get("from_at", "")),
        until_at=time.fromisoformat(told.get("until_at", "")), at_once=int(told.get("at_once") or 2), tries=int(told.get("tries") or 2),
        gap_minutes=int(told.get("gap") or 60),
    )  # fmt: skip


@never_cache
@opens("campaigns")
def one(request: HttpRequest, campaign_id: int) -> HttpResponse:
    """Progress, answers, people."""
    return _show(request, campaign_id)


def _show(request: HttpRequest, campaign_id: int, **more: Any) -> HttpResponse:
    row, by = queries.one(campaign_id), actor(request)
    if row is None:
        return missing(request, "这个外呼任务")
    state = filters.choice(request, "state", (code for code, _ in queries.FILTERS))
    number = filters.number(request, "page")
    people, count = queries.people(campaign_id, by.roles, state=state, start=(number - 1) * SIZE, size=SIZE)
    shown = {
        "it": row, "people": people, "page": filters.Pages(number, SIZE, count), "state": state, "filters": queries.FILTERS,
        "tally": queries.tally(campaign_id), "may": allowed(by, "call.campaign"), "places": [p for p in places.subtree() if p.level in INDENT],
        "kinds": queries.ELDER_KINDS, "abilities": queries.ABILITIES, **more,
    }  # fmt: skip
    answer = render(request, "district/calls/campaign.html", shown)
    if (
        "HX-Request" in request.headers and row.state != "running"
    ):  # the page looked while it ran: its buttons are others now
        answer["HX-Refresh"] = "true"
    return answer


@require_POST
@opens("campaigns")
def change(request: HttpRequest, campaign_id: int, what: str) -> HttpResponse:
    """Start, pause, go on, stop; take elders by a filter; take rows that were shown."""
    told = _told(request)

    def elders(by: Actor, campaign_id: int) -> str:
        age = told.get("age", "")
        fresh, left = actions.put_elders(
            by=by, campaign_id=campaign_id, place=filters.one_of(told.get("place", ""), (p.code for p in places.subtree())),
            kinds=request.POST.getlist("kind"), abilities=request.POST.getlist("ability"),
            from_age=int(age) if age in {"60", "70", "80", "90"} else 0,
        )  # fmt: skip
        return _taken(fresh, left)

    def confirmed(by: Actor, campaign_id: int) -> str:
        rows = _rows_of(request, campaign_id)
        return _taken(*actions.put_rows(by=by, campaign_id=campaign_id, cells=rows))

    does: dict[str, Callable[..., str]] = {"elders": elders, "confirm": confirmed}
    if what not in does and what not in VERBS:
        return missing(request, "这个操作")
    if queries.one(campaign_id) is None:
        return missing(request, "这个外呼任务")
    try:
        if what in does:
            said = does[what](by=actor(request), campaign_id=campaign_id)
        else:
            verb, said = VERBS[what]
            verb(by=actor(request), campaign_id=campaign_id)
        messages.success(request, said)
    except NotAllowed as no:
        messages.warning(request, str(no))
    return redirect("district:campaign", campaign_id)


def _taken(fresh: int, left: int) -> str:
    out = f"其中 {left} 人不拨（停机、不想接等，原因记在名单里）。" if left else ""
    return f"加了 {fresh} 人。{out}" if fresh else "没有新加的人：都已经在名单里。"


def _rows_of(request: HttpRequest, campaign_id: int) -> list[tuple[int, str, str]]:
    """The rows that were shown to this user for this campaign, unchanged."""
    try:
        held = signing.loads(request.POST.get("rows", ""), salt=SALT, max_age=KEPT)
    except signing.BadSignature:
        raise NotAllowed("这份名单已过期，请重新上传。", code="not_here") from None
    if held["user"] != user_of(request).pk or held["campaign"] != campaign_id:
        raise NotAllowed("这份名单不是给这个任务的，请重新上传。", code="not_here")
    return [(int(line), str(name), str(number)) for line, name, number in held["rows"]]


@require_POST
@never_cache
@opens("campaigns")
def upload(request: HttpRequest, campaign_id: int) -> HttpResponse:
    """A sheet is read and every row is shown with what is wrong with it. Nothing is taken yet."""
    row, by = queries.one(campaign_id), actor(request)
    if row is None:
        return missing(request, "这个外呼任务")
    if not allowed(by, "call.campaign")["call_campaign"] or row.state != "draft":
        messages.warning(request, "已经开始的外呼任务不再加人，请另建一个。")
        return redirect("district:campaign", campaign_id)
    sent = request.FILES.get("sheet")
    try:
        cells = lists.read(sent.read(lists.LARGEST + 1) if sent is not None else b"")
    except lists.Unreadable as wrong:
        messages.warning(request, str(wrong))
        return redirect("district:campaign", campaign_id)
    judged = actions.checked(cells)
    held = {"user": user_of(request).pk, "campaign": campaign_id, "rows": cells}
    shown = {
        "it": row, "bad": [one for one in judged if one.fault], "good": [one for one in judged if not one.fault],
        "hers": sum(one.elder_id is not None for one in judged), "rows": signing.dumps(held, salt=SALT, compress=True),
    }  # fmt: skip
    return render(request, "district/calls/campaign_rows.html", shown)


@require_POST
@never_cache
@opens("campaigns")
def faults(request: HttpRequest, campaign_id: int) -> HttpResponse:
    """The rows that were refused, as a sheet to mend."""
    try:
        judged = actions.checked(_rows_of(request, campaign_id))
    except NotAllowed as no:
        messages.warning(request, str(no))
        return redirect("district:campaign", campaign_id)
    rows = [(one.name, one.number, one.line, one.fault) for one in judged if one.fault]
    return lists.answer("要改的行.xlsx", (*lists.HEAD, "原来第几行", "问题"), rows)


@never_cache
@opens("campaigns")
def template(_: HttpRequest) -> HttpResponse:
    """The empty sheet."""
    note = "电话：手机 11 位，座机带区号。一行一人，姓名可不填。"
    return lists.answer("外呼名单模板.xlsx", lists.HEAD, [], note=note)


@require_POST
@never_cache
@opens("campaigns")
def export(request: HttpRequest, campaign_id: int) -> HttpResponse:
    """The results as a sheet, names and numbers as this user may see them, for a reason that is kept."""
    by = actor(request)
    try:
        row = actions.noted_export(by=by, campaign_id=campaign_id, reason=_told(request).get("reason", ""))
    except NotAllowed as no:
        messages.warning(request, str(no))
        return (
            redirect("district:campaign", campaign_id) if queries.one(campaign_id) else missing(request, "这个外呼任务")
        )
    people, _ = queries.people(campaign_id, by.roles, size=rules.MOST)
    head = ("姓名", "电话", "区划", "现在", "拨了几次", "接通过", "回答", "小结", "原因", "了结时间")
    rows = [
        (p.name, p.number, p.place_name, p.state_label, p.tried, "是" if p.answered else "否", p.answer, p.note, p.why,
         f"{clock.local(p.done_at):%Y-%m-%d %H:%M}" if p.done_at else "")
        for p in people
    ]  # fmt: skip
    return lists.answer(f"外呼结果 {row.name}.xlsx", head, rows)
