"""The pages that a family reads."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils.http import url_has_allowed_host_and_scheme
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST, require_safe

from anju.accounts import queries as accounts
from anju.alarms import homes
from anju.devices import queries as devices
from anju.elders import actions, masks
from anju.elders import queries as elders
from anju.fieldwork import queries as fieldwork
from anju.incidents import queries as incidents
from anju.kernel import clock
from anju.kernel.scope import current
from anju.portals.family import present
from anju.portals.family.access import COOKIE, ZOOMS, actor, hers, show, user_of

if TYPE_CHECKING:
    from anju.elders.models import Elder
    from anju.incidents.views import IncidentView

YEAR = 365 * 24 * 3600
AGAIN = 1800.0
"""Seconds after which a further look of the same session is a line of its own in "who looked"."""
MOST = 50


@never_cache
@require_safe
def start(request: HttpRequest) -> HttpResponse:
    """Whom she may look after: one elder leads to her page at once, several are listed, none says why."""
    mine = accounts.relatives_of(user_of(request))
    found = sorted(elders.by_ids(mine & set(current().elders)).values(), key=lambda e: e.pk)
    if len(found) == 1 and len(mine) == 1:
        return redirect("family:page", elder_id=found[0].pk)
    if not found:
        return show(request, "closed", {})
    rows = [(elder, _word(elder)) for elder in found]
    return show(request, "start", {"rows": rows, "closed": len(mine) - len(found)})


@require_POST
def size(request: HttpRequest) -> HttpResponse:
    """How large the letters are, kept in her browser."""
    user_of(request)
    back = request.POST.get("next", "")
    inside = url_has_allowed_host_and_scheme(back, {request.get_host()}, require_https=request.is_secure())
    answer = redirect(back if inside and back.startswith("/family/") else "family:start")
    if (wanted := request.POST.get("zoom", "")) in ZOOMS:
        answer.set_cookie(COOKIE, wanted, max_age=YEAR, httponly=True, samesite="Lax", secure=request.is_secure())
    return answer


@hers
@require_safe
def page(request: HttpRequest, elder: Elder) -> HttpResponse:
    """Is she well: the first page. Opening it leaves a trace, as it does for staff."""
    kept: dict[str, float] = request.session.get("family.looked", {})
    at, key = clock.now().timestamp(), str(elder.pk)
    if at - kept.get(key, 0.0) > AGAIN:
        actions.note_opened(elder_id=elder.pk, why=present.LOOKED)
        request.session["family.looked"] = {**kept, key: at}
    orders = fieldwork.page(home_id=elder.home_id, open_only=True, limit=20)
    by = actor(request)
    found = {
        **_now(elder), **_day(elder), "faults": present.faults(devices.of_home(elder.home_id), orders, clock.now()),
        "lately": present.cases(_closed(elder, by.roles, 3), clock.now()), "lookers": _lookers(elder, by.name)[:3],
        "phone": masks.shown("phone", elder.phone, by.roles).partition(",")[0], "several": len(accounts.relatives_of(user_of(request))) > 1,
    }  # fmt: skip
    return show(request, "page", found, elder=elder)


@hers
@require_safe
def now(request: HttpRequest, elder: Elder) -> HttpResponse:
    """The top of the page alone, which it fetches once a minute."""
    return show(request, "_now", _now(elder), elder=elder)


@hers
@require_safe
def past(request: HttpRequest, elder: Elder) -> HttpResponse:
    """Earlier alarms, and how they ended."""
    return show(
        request, "past", {"rows": present.cases(_closed(elder, actor(request).roles, MOST), clock.now())}, elder=elder
    )


@hers
@require_safe
def seen(request: HttpRequest, elder: Elder) -> HttpResponse:
    """Who opened her record and why (EXT-15)."""
    return show(request, "seen", {"rows": _lookers(elder, actor(request).name)}, elder=elder)


def _open(elder: Elder) -> IncidentView | None:
    rows = incidents.page(elder_id=elder.pk, open_only=True, limit=5)
    return next((case for case in rows if not case.drill), None)


def _closed(elder: Elder, roles: frozenset[str], limit: int) -> list[IncidentView]:
    rows = incidents.page(roles, elder_id=elder.pk, limit=2 * limit)
    return [case for case in rows if case.state not in incidents.OPEN and not case.drill][:limit]


def _word(elder: Elder) -> present.Told:
    watch, alarmed = homes.watch_of(elder.home_id), _open(elder) is not None
    return present.word(watch, alarmed=alarmed, monitored=elders.covered(elder.pk, "monitor"), now=clock.now())


def _now(elder: Elder) -> dict[str, Any]:
    """How she is at this moment, and what is being done if she is not well."""
    at, case, watch = clock.now(), _open(elder), homes.watch_of(elder.home_id)
    monitored = elders.covered(elder.pk, "monitor")
    told = present.word(watch, alarmed=case is not None, monitored=monitored, now=at)
    soon, why = present.soon(watch.worst if watch and monitored else None)
    return {
        "told": told, "urgent": present.emergency(case, at), "sign": present.last_sign(watch, at) if monitored else "",
        "steps": present.next_steps(watch, at) if monitored and case is None else "", "soon": soon, "why": why,
        "suspended": elder.status == "suspended", "at": at,
    }  # fmt: skip


def _day(elder: Elder) -> dict[str, Any]:
    """The picture of today, while she agrees to be watched."""
    if not elders.covered(elder.pk, "monitor"):
        return {"bars": []}
    hours, watch = homes.picture(elder.home_id), homes.watch_of(elder.home_id)
    return {"bars": present.bars(hours), "compared": present.compared(hours, watch.learnt_days if watch else 0)}


def _lookers(elder: Elder, own: str) -> list[tuple[str, str, str, str]]:
    """(who, when, what, why) of everybody but herself, the newest first."""
    at, rows = clock.now(), []
    for one in elders.lookers(elder.pk, 2 * MOST):
        if one.reason == present.LOOKED and one.name == own:
            continue
        did = present.ACTS.get(one.action, "打开档案").format(field=one.field or "资料")
        refused = "（没有给看）" if one.result == "denied" else ""
        rows.append((one.name, present.day(one.at, at), did + refused, one.reason))
    return rows[:MOST]
