"""Letters, messages and visits beside the calls: how many came by each channel, what was answered, what they became."""

from __future__ import annotations

from datetime import timedelta

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.cache import never_cache

from anju.kernel import clock
from anju.portals.district import filters
from anju.portals.district.access import opens
from anju.supervision.contacts import queries

STATES = (
    ("waiting", "待办理"),
    ("handling", "办理中"),
    ("answered", "已答复"),
    ("turned", "已转办"),
    ("closed", "不用答复"),
)
DAYS = 30


@never_cache
@opens("contacts")
def page(request: HttpRequest) -> HttpResponse:
    """The newest, by channel and state; the counts of thirty days."""
    channel = filters.choice(request, "channel", queries.CHANNELS)
    state = filters.choice(request, "state", (code for code, _ in STATES))
    counts = queries.counts(clock.now() - timedelta(days=DAYS))
    return render(
        request, "district/calls/contacts.html",
        {
            "rows": queries.page(channel=channel, state=state), "channel": channel, "state": state, "states": STATES, "days": DAYS,
            "channels": [(code, label, counts.get(code, 0)) for code, label in queries.CHANNELS.items()],
        },
    )  # fmt: skip
