"""What staff correct of a home's rhythm (also as told by family), its fence, her limits: forms on the tab 看护."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING, Any

from django.contrib import messages
from django.core.exceptions import ObjectDoesNotExist, PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.views.decorators.http import require_POST

from anju.alarms import corrections, doors, readings, whereabouts, witnesses
from anju.alarms.measures import MEASURES
from anju.elders import queries as elders
from anju.kernel.flow.actor import Actor
from anju.portals.district.access import actor, missing, opens

if TYPE_CHECKING:
    from anju.elders.models import Elder

DAYS = tuple(enumerate(corrections.DAYS))


def context(elder: Elder) -> dict[str, Any]:
    """What the second half of the tab 看护 shows."""
    fence, seen = whereabouts.of_home(elder.home_id)
    return {
        "habits": [(h, corrections.in_words(h)) for h in corrections.of_home(elder.home_id)], "days": DAYS,
        "witnesses": witnesses.of_home(elder.home_id), "door": doors.of_home(elder.home_id), "fence": fence, "seen": seen,
        "side": whereabouts.SIDES[seen.side] if seen else "", "measured": readings.of_elder(elder.pk),
        "measures": [(m.code, m.label) for m in MEASURES.values()],
    }  # fmt: skip


@require_POST
@opens("watch.correct")
def correct(request: HttpRequest, elder_id: int) -> HttpResponse:
    """One form, one thing: a habit, a day, the fence, a limit."""
    elder, by = elders.elder(elder_id), actor(request)
    if elder is None:
        return missing(request, "这份档案")
    told = {k: str(v).replace("\x00", "").strip() for k, v in request.POST.items()}
    try:
        messages.success(request, _do(elder, by, told, request.POST.getlist("day")))
    except PermissionDenied as no:
        messages.error(request, str(no))
    except ObjectDoesNotExist:
        messages.error(request, "没有这一条，请刷新后再试。")
    except ValueError as wrong:
        text = str(wrong)
        messages.error(request, text if any("\u4e00" <= c <= "\u9fff" for c in text) else "请把时间和数字填完整。")
    return redirect(f"/district/elders/{elder_id}/?tab=watch")


def _do(elder: Elder, by: Actor, told: dict[str, str], days: list[str]) -> str:
    what, home_id, note, how = told.get("what", ""), elder.home_id, told.get("note", ""), told.get("how", "staff")
    if what in {"quiet", "up_by"}:
        bits = sum(1 << int(d) for d in set(days) if d in "0123456")
        start, end = _hours(told.get("start", "")), _hours(told.get("end", "") or told.get("start", ""))
        corrections.tell_habit(home_id=home_id, kind=what, by=by, days=bits, start=start, end=end, how=how, note=note)
        return "已记下这条作息，从现在起按它看护。"
    if what == "ignore":
        corrections.ignore_day(home_id=home_id, day=date.fromisoformat(told.get("on", "")), by=by, how=how, note=note)
        return "这一天不再计入她的规律。"
    if what == "end":
        corrections.end_habit(habit_id=int(told.get("id", "")[:15]), home_id=home_id, by=by)
        return "已取消这条作息。"
    if what == "fence":
        return _fence(elder, by, told)
    if what == "no_fence":
        whereabouts.end_fence(home_id=home_id, by=by)
        return "已取消围栏。"
    if what in {"limit", "no_limit"}:
        return _limit(elder, by, told, ends=what == "no_limit")
    raise ValueError("请选要更正什么")


def _limit(elder: Elder, by: Actor, told: dict[str, str], *, ends: bool) -> str:
    measure = told.get("measure", "")
    if ends:
        readings.end_limit(elder_id=elder.pk, measure=measure, by=by)
        return "已改回常用阈值。"
    low, high = (float(told[k]) if told.get(k) else None for k in ("low", "high"))
    readings.set_limit(elder_id=elder.pk, measure=measure, low=low, high=high, why=told.get("note", ""), by=by)
    return "已按她本人的阈值判断。"


def _fence(elder: Elder, by: Actor, told: dict[str, str]) -> str:
    home = elder.home
    if home.lat is None or home.lon is None:
        raise ValueError("住处还没有坐标，请先在档案里补上位置")
    whereabouts.set_fence(
        home_id=home.pk, name="住处周围", latitude=home.lat, longitude=home.lon, radius=int(told.get("radius", "")),
        minutes=int(told.get("minutes", "")), at_edge=told.get("edge") == "1", by=by,
    )  # fmt: skip
    return "已设围栏。"


def _hours(text: str) -> float:
    hours, _, minutes = text.partition(":")
    return int(hours) + int(minutes or 0) / 60
