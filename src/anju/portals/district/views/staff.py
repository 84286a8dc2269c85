"""The duty roster with what it does not cover, hand-over between shifts, experts and their appointments."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, datetime, time, timedelta
from urllib.parse import parse_qs, urlsplit

from django.contrib import messages
from django.core.exceptions import ObjectDoesNotExist
from django.core.exceptions import PermissionDenied as Refused
from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST

from anju.accounts import queries as accounts
from anju.accounts.roles import Role
from anju.calls import queries as calls
from anju.incidents import queries as incidents
from anju.kernel import clock
from anju.kernel.flow.actor import NotAllowed
from anju.kernel.scope import current
from anju.places import queries as places
from anju.places.queries import Level
from anju.portals.district.access import actor, allowed, missing, opens
from anju.staff import actions, queries

SHIFTS = (("早班", 8, 16), ("中班", 16, 24), ("夜班", 0, 8))
POSTS_OF = {
    "agent": (Role.AGENT,), "lead": (Role.LEAD,), "dispatcher": (Role.DISPATCHER,), "installer": (Role.INSTALLER,),
}  # fmt: skip


@never_cache
@opens("roster")
def roster(request: HttpRequest) -> HttpResponse:
    """A week: each day with its three shifts, who is there, and which alarms nobody would answer."""
    monday = _monday(_date(request.GET.get("week", "")))
    end = monday + timedelta(days=7)
    rows = queries.roster(monday, end)
    gaps = queries.gaps(place=_district(), start=max(monday, clock.now()), end=end) if end > clock.now() else []
    people = {
        user.id: (user.name, post)
        for post, roles in POSTS_OF.items()
        for role in roles
        for user in accounts.holders(role, place=_district())
    }
    days = [monday + timedelta(days=n) for n in range(7)]
    table = [
        (day, [(name, [d for d in rows if _touches(d.start, d.end, day, a, b)]) for name, a, b in SHIFTS])
        for day in days
    ]
    return render(
        request, "district/staff/roster.html",
        {
            "cover": _cover(request), "table": table, "gaps": gaps[:30], "more_gaps": max(0, len(gaps) - 30), "shifts": SHIFTS, "days": days,
            "people": sorted((name, i, post) for i, (name, post) in people.items()), "posts": queries.POSTS, "today": clock.today(),
            "before": monday - timedelta(days=7), "after": end, "monday": monday, "planned": bool(rows),
            "may_plan": allowed(actor(request), "roster.plan")["roster_plan"], "now": clock.now(),
        },
    )  # fmt: skip


def _cover(request: HttpRequest) -> dict[str, object] | None:
    """Each type of alarm in the shift that runs and in those that come; on the page of this week only."""
    if request.GET.get("week", ""):
        return None
    shifts = queries.coverage(place=_district())
    lines = [
        (labels, needs, [(s, s.cells[n]) for s in shifts]) for n, (labels, needs) in enumerate(queries.cover_rows())
    ]
    return {"shifts": shifts, "lines": lines, "skills": queries.skills_kept()}


def _touches(start: datetime, end: datetime, day: datetime, first: int, last: int) -> bool:
    return start < day + timedelta(hours=last) and end > day + timedelta(hours=first)


@require_POST
@opens("roster.plan")
def roster_do(request: HttpRequest, what: str) -> HttpResponse:
    """plan, strike, copy."""
    by = actor(request)
    back = redirect(_back(request))
    if what == "plan":
        day, shift = (
            _midnight(_date(request.POST.get("day", ""))),
            _number(request.POST.get("shift", ""), len(SHIFTS) - 1),
        )
        user_id = _number(request.POST.get("user", ""))
        name, first, last = SHIFTS[shift]
        return _try(
            request, back,
            lambda: actions.plan(
                by=by, place=_district(), user_id=user_id, post=request.POST.get("post", ""),
                start=day + timedelta(hours=first), end=day + timedelta(hours=last), shift=name, note=_text(request, "note", 120),
            ),
            "已排班。",
        )  # fmt: skip
    if what == "strike":
        duty = _number(request.POST.get("duty", ""))
        return _try(
            request,
            back,
            lambda: actions.strike(by=by, duty_id=duty, why=_text(request, "why", 120)),
            "已撤下，原记录保留。",
        )
    made: list[int] = []
    _try(
        request,
        back,
        lambda: made.append(
            actions.copy_week(by=by, place=_district(), monday=_monday(_date(request.POST.get("day", ""))))
        ),
        "",
    )
    if made:
        messages.success(request, f"下周已排 {made[0]} 班；排不下的请手工补。")
    return back


# ---- hand-over


@never_cache
@opens("handover")
def hand_overs(request: HttpRequest) -> HttpResponse:
    """The sheets, the one that waits first; the figures of this moment to write from."""
    by = actor(request)
    rows = queries.hand_overs()
    open_now = next((r for r in rows if r.state != "taken"), None)
    return render(
        request, "district/staff/handover.html",
        {
            "rows": rows, "sheet": open_now, "facts": _figures(), "lead": allowed(by, "roster.plan")["roster_plan"],
            "mine": open_now is not None and open_now.from_lead_id == by.user_id,
        },
    )  # fmt: skip


@require_POST
@opens("roster.plan")
def hand_over_do(request: HttpRequest, what: str) -> HttpResponse:
    """begin, offer, take, return."""
    by, back = actor(request), redirect("district:handover")
    if what == "begin":
        return _try(
            request, back,
            lambda: actions.begin_hand_over(place=_district(), ends_at=clock.now().replace(second=0, microsecond=0),
                                            from_lead_id=by.user_id), "已建交班单，请填写。",
        )  # fmt: skip
    ident = _number(request.POST.get("sheet", ""))
    verbs: dict[str, tuple[Callable[[], object], str]] = {
        "offer": (
            lambda: actions.offer(by=by, hand_over_id=ident, text=_text(request, "text", 4000), facts=_figures()),
            "已交班，等接班人签收。",
        ),
        "take": (lambda: actions.take(by=by, hand_over_id=ident), "已接班。"),
        "return": (
            lambda: actions.give_back(by=by, hand_over_id=ident, why=_text(request, "why", 200)), "已退回补充。"
        ),
    }  # fmt: skip
    if what not in verbs:
        return missing(request, "这个操作")
    return _try(request, back, *verbs[what])


def _figures() -> dict[str, object]:
    waiting, seats = calls.waiting(), calls.seats()
    return {
        "未结事件": incidents.totals(clock.now() - timedelta(days=30)).open, "排队来电": len(waiting), "待回拨": len(calls.call_backs()),
        "在线坐席": sum(s.state != "off" for s in seats), "失约待跟进": len(queries.bookings(states=["missed"])),
    }  # fmt: skip


# ---- experts


@never_cache
@opens("experts")
def experts(request: HttpRequest) -> HttpResponse:
    """Who can be asked now, the next free appointments, and the appointments that stand."""
    by = actor(request)
    return render(
        request, "district/staff/experts.html",
        {
            "experts": queries.experts(), "bookings": queries.bookings(), "fields": queries.FIELDS,
            "may_book": bool(by.roles & {Role.AGENT, Role.LEAD}), "may_plan": allowed(by, "roster.plan")["roster_plan"],
            "weekdays": list(enumerate(queries.DAYS)),
        },
    )  # fmt: skip


@require_POST
@opens("experts")
def expert_do(request: HttpRequest, what: str) -> HttpResponse:
    """book, save, done, cancelled, moved."""
    by, back = actor(request), redirect("district:experts")
    ident = _number(request.POST.get("id", ""))
    if what == "book":
        at = _moment(request.POST.get("at", ""))
        return _try(
            request, back,
            lambda: actions.book(
                by=by, expert_id=ident, at=at or clock.now(), phone=_text(request, "phone", 40), about=_text(request, "about", 300),
                caller=_text(request, "caller", 40),
            ),
            "已预约，到点前 10 分钟提醒。",
        )  # fmt: skip
    if what == "save":
        hours = {
            str(n): spans for n, _ in enumerate(queries.DAYS) if (spans := _spans(request.POST.get(f"day{n}", "")))
        }
        return _try(
            request, back,
            lambda: actions.save_expert(
                by=by, place=_district(), name=_text(request, "name", 40), field=_text(request, "field", 14), hours=hours,
                phone=_text(request, "phone", 40), unit=_text(request, "unit", 80),
            ),
            "已保存。",
        )  # fmt: skip
    if what not in {"done", "cancelled", "moved"}:
        return missing(request, "这个操作")
    at = _moment(request.POST.get("at", ""))
    return _try(
        request, back,
        lambda: actions.move_booking(by=by, booking_id=ident, move=what, note=_text(request, "note", 300), at=at), "已记录。",
    )  # fmt: skip


def _spans(words: str) -> list[list[str]]:
    """「09:00-11:30 14:00-17:00」 → pairs; the action says what is wrong."""
    return [
        part.split("-", 1) if "-" in part else [part, ""]
        for part in words.replace("，", " ").replace("、", " ").split()
    ]


# ---- small helpers


def _district() -> str:
    """The asker's own place as a code; the first district for who answers for everything."""
    mine = [p for p in current().places if p]
    if mine:
        return mine[0][:6].ljust(12, "0")
    return next((p.code for p in places.subtree(level=Level.DISTRICT)), "0" * 12)


def _midnight(day: date) -> datetime:
    return datetime.combine(day, time(), clock.SHANGHAI)


def _monday(day: date) -> datetime:
    return _midnight(day - timedelta(days=day.weekday()))


def _date(words: str) -> date:
    """A date written as 2026-11-20; today when it is none that a roster may be of."""
    try:
        day = date.fromisoformat(words)
        return day if 2000 <= day.year <= 2200 else clock.today()
    except ValueError:
        return clock.today()


def _number(words: str, most: int = 10**9) -> int:
    return min(int(words), most) if words.isascii() and words.isdigit() and len(words) < 12 else 0


def _moment(words: str) -> datetime | None:
    try:
        at = datetime.fromisoformat(words)
    except ValueError:
        return None
    return at if at.tzinfo else at.replace(tzinfo=clock.SHANGHAI)


def _back(request: HttpRequest) -> str:
    """The week that was shown. Made of what is known, never of the address that was sent."""
    try:
        week = parse_qs(urlsplit(request.POST.get("back", "")[:200]).query).get("week", [""])[0]
        return f"{reverse('district:roster')}?week={date.fromisoformat(week).isoformat()}"
    except ValueError:
        return reverse("district:roster")


def _text(request: HttpRequest, name: str, longest: int) -> str:
    return request.POST.get(name, "").replace("\x00", "").strip()[:longest]


def _try(request: HttpRequest, back: HttpResponse, do: Callable[[], object], done: str) -> HttpResponse:
    """Do it and go back; what is refused is said in the user's words."""
    try:
        with transaction.atomic():
            do()
    except (NotAllowed, Refused) as refused:
        messages.error(request, str(refused))
    except ObjectDoesNotExist:
        messages.error(request, "没有这一条，或不在您的范围内；请刷新后再试。")
    else:
        if done:
            messages.success(request, done)
    return back
