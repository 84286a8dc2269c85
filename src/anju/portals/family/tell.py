"""What only a family can tell: she is away, her habits, a message to the centre. Every write is an action of its module."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from typing import TYPE_CHECKING, Any

from django.contrib import messages
from django.core.exceptions import ObjectDoesNotExist
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.views.decorators.http import require_http_methods

from anju.alarms import corrections, homes, states
from anju.kernel import clock
from anju.kernel.flow.actor import Actor, NotAllowed
from anju.portals.family.access import actor, hers, show
from anju.supervision.contacts import actions as contacts
from anju.supervision.contacts import queries as letters
from anju.supervision.contacts import rules as letter_rules

if TYPE_CHECKING:
    from anju.elders.models import Elder

AWAY = (("holiday", "外出居住"), ("hospital", "住院"), ("visitor", "家里来客人"))
DAYS = tuple(enumerate(corrections.DAYS))
UNFILLED = "请把日期和时间填完整。"
_form = require_http_methods(["GET", "HEAD", "POST"])


@hers
@_form
def away(request: HttpRequest, elder: Elder) -> HttpResponse:
    """She is away, in hospital, has visitors: from when to when. It ends by itself, or earlier by a press."""
    running = _running(elder)
    if request.method == "POST":
        try:
            messages.success(request, _say_away(request, elder, actor(request), {s.pk for s in running}))
            return redirect("family:away", elder_id=elder.pk)
        except ValueError as wrong:
            messages.error(request, _chinese(wrong))
        except ObjectDoesNotExist:
            messages.error(request, "没有这一条，请刷新后再试。")
    begin = clock.local(clock.now())
    found = {
        "kinds": AWAY, "running": running, "told": request.POST, "since": begin.strftime("%Y-%m-%dT%H:%M"),
        "until": (begin + timedelta(days=3)).strftime("%Y-%m-%dT18:00"), "longest": states.LONGEST.days,
    }  # fmt: skip
    return show(request, "away", found, elder=elder, status=400 if request.method == "POST" else 200)


def _say_away(request: HttpRequest, elder: Elder, by: Actor, mine: set[int]) -> str:
    told = _told(request)
    if ending := told.get("end", ""):
        number = int(ending) if ending.isascii() and ending.isdigit() and len(ending) < 16 else 0
        if number not in mine:
            raise ObjectDoesNotExist
        states.end_state(state_id=number, why=f"{by.name}告知", home_id=elder.home_id, by=by)
        return "已经恢复看护。"
    if told.get("kind", "") not in dict(AWAY):
        raise ValueError("请选是哪种情况")
    since, until = _moment(told.get("since", "")), _moment(told.get("until", ""))
    states.say_state(
        home_id=elder.home_id,
        kind=told["kind"],
        since=since,
        until=until,
        by=by,
        how="family",
        note=told.get("note", ""),
    )
    return f"记下了，到 {clock.local(until):%m 月 %d 日 %H:%M} 自动恢复看护。"


def _running(elder: Elder) -> list[Any]:
    """What was told and is not over; a test of the devices is the installer's."""
    watch = homes.watch_of(elder.home_id)
    return [s for s in (watch.states if watch else ()) if s.kind in dict(AWAY)]


@hers
@_form
def habits(request: HttpRequest, elder: Elder) -> HttpResponse:
    """Her habits as hours of the week; a day that is to teach nothing (SEN-08)."""
    if request.method == "POST":
        try:
            messages.success(request, _say_habit(request, elder, actor(request)))
            return redirect("family:habits", elder_id=elder.pk)
        except ValueError as wrong:
            messages.error(request, _chinese(wrong))
        except ObjectDoesNotExist:
            messages.error(request, "没有这一条，请刷新后再试。")
    held = [(h, corrections.in_words(h)) for h in corrections.of_home(elder.home_id)]
    found = {"held": held, "days": DAYS, "told": request.POST, "today": clock.today().isoformat()}
    return show(request, "habits", found, elder=elder, status=400 if request.method == "POST" else 200)


def _say_habit(request: HttpRequest, elder: Elder, by: Actor) -> str:
    told, home_id = _told(request), elder.home_id
    what, note = told.get("what", ""), told.get("note", "")
    if what in {"quiet", "up_by"}:
        bits = sum(1 << int(d) for d in set(request.POST.getlist("day")) if d in "0123456" and len(d) == 1)
        start = _hours(told.get("start", ""))
        end = _hours(told.get("end", "")) if what == "quiet" else start
        corrections.tell_habit(
            home_id=home_id, kind=what, by=by, days=bits, start=start, end=end, how="family", note=note
        )
        return "记下了，从现在起按这个看护。"
    if what == "ignore":
        corrections.ignore_day(
            home_id=home_id, day=date.fromisoformat(told.get("on", "")), by=by, how="family", note=note
        )
        return "记下了，这一天不算进老人的作息。"
    if what == "end":
        number = told.get("id", "")
        corrections.end_habit(
            habit_id=int(number) if number.isascii() and number.isdigit() and len(number) < 16 else 0,
            home_id=home_id,
            by=by,
        )
        return "已经取消这一条。"
    raise ValueError("请选要记什么")


@hers
@_form
def message(request: HttpRequest, elder: Elder) -> HttpResponse:
    """A message to the centre, or "I talked to her, she is fine": a statement that staff read; it ends no alarm."""
    by, status = actor(request), 200
    if request.method == "POST":
        told = _told(request)
        try:
            contacts.from_family(by=by, elder_id=elder.pk, text=told.get("text", ""), well=told.get("well") == "1")
        except NotAllowed as refused:
            messages.error(request, str(refused))
            status = 400
        except contacts.TooMany:
            messages.error(request, "您发得太频繁，请过十分钟再写。急事请直接打电话。")
            status = 429
        else:
            messages.success(request, "值班员收到了，答复会写在这一页。")
            return redirect("family:message", elder_id=elder.pk)
    said = list(reversed(letters.said(letters.family_thread(by.user_id or 0, elder.pk))))
    found = {"said": said, "told": request.POST, "longest": letter_rules.LONGEST}
    return show(request, "message", found, elder=elder, status=status)


def _told(request: HttpRequest) -> dict[str, str]:
    return {k: str(v).replace("\x00", "").strip() for k, v in request.POST.items()}


def _moment(text: str) -> datetime:
    moment = datetime.fromisoformat(text).replace(tzinfo=clock.SHANGHAI)
    if abs(moment.year - clock.today().year) > 1:
        raise ValueError(UNFILLED)
    return moment


def _hours(text: str) -> float:
    hours, _, minutes = text.partition(":")
    return int(hours) + int(minutes or 0) / 60


def _chinese(wrong: ValueError) -> str:
    text = str(wrong)
    return text if any("\u4e00" <= c <= "\u9fff" for c in text) else UNFILLED
