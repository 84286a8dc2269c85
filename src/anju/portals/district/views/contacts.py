"""Letters, messages and visits beside the calls: how many came by each channel, what was answered, what they became."""

from __future__ import annotations

from datetime import timedelta

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST

from anju.kernel import clock
from anju.kernel.flow.actor import NotAllowed
from anju.portals.district import filters
from anju.portals.district.access import actor, opens
from anju.supervision.contacts import enclosures, queries

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
    rows = queries.page(channel=channel, state=state)
    lies_in: dict[int, list[enclosures.Enclosed]] = {}
    for one in enclosures.of(c.id for c in rows):
        lies_in.setdefault(one.contact_id, []).append(one)
    return render(
        request, "district/calls/contacts.html",
        {
            "rows": [(c, lies_in.get(c.id, [])) for c in rows], "channel": channel, "state": state, "states": STATES, "days": DAYS,
            "channels": [(code, label, counts.get(code, 0)) for code, label in queries.CHANNELS.items()],
        },
    )  # fmt: skip


@never_cache
@require_POST
@opens("contacts")
def enclosure(request: HttpRequest, enclosure_id: int) -> HttpResponse:
    """A picture or a voice of a message, for a reason, also when the message is settled long since."""
    try:
        file = enclosures.look(enclosure_id=enclosure_id, reason=request.POST.get("reason", ""), by=actor(request))
    except NotAllowed as refused:
        raise Http404(str(refused)) from None
    return HttpResponse(
        file.body,
        content_type=file.content_type,
        headers={
            "Content-Disposition": f'attachment; filename="{file.name}"',
            "X-Content-Type-Options": "nosniff",
            "Content-Security-Policy": "sandbox; default-src 'none'",
        },
    )
