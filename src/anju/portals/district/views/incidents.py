"""Incidents for those who do not sit at the desk: a list, and a case to read with its whole story."""

from __future__ import annotations

from django.core.exceptions import ObjectDoesNotExist
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.cache import never_cache

from anju.accounts.roles import Role
from anju.alarms import storms
from anju.incidents import queries
from anju.portals.district import filters
from anju.portals.district.access import PAGES, actor, missing, opens

SIZE = 40
STATES = (("", "全部"), ("open", "处置中"), ("follow_up", "待回访"), ("closed", "已归档"))


@never_cache
@opens("incidents")
def listing(request: HttpRequest) -> HttpResponse:
    """The newest first; a page goes on from the last number."""
    by = actor(request)
    state, text = filters.choice(request, "state", (s for s, _ in STATES)), filters.text(request, "number", 24)
    before = filters.number(request, "before", most=999_999_999, default=0) or None
    rows = queries.page(by.roles, limit=SIZE + 1, before_id=before, state=state, text=text)
    more = rows[SIZE - 1].id if len(rows) > SIZE else None
    return render(
        request, "district/incidents.html",
        {"rows": rows[:SIZE], "state": state, "states": STATES, "number": text, "more": more, "before": before},
    )  # fmt: skip


@never_cache
@opens("incidents")
def case(request: HttpRequest, incident_id: int) -> HttpResponse:
    """One case, to read: the story in its order, who was asked, what was done."""
    by = actor(request)
    try:
        view = queries.case(incident_id, by.roles, by.user_id)
        story = queries.replay(incident_id, by.roles)
    except ObjectDoesNotExist:
        return missing(request, "这起事件")
    told = bool(by.roles & (PAGES["incidents"] - {Role.GRID_WORKER}))  # what was said and found is not for the grid
    storm = storms.of_case(incident_id) if view.incident.kind == "storm" else None
    return render(
        request, "district/incident.html",
        {"case": view, "incident": view.incident, "story": story, "told": told, "storm": storm},
    )  # fmt: skip
