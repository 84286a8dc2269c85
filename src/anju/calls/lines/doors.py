"""What `var/run.json` tells about the telephone: where any SIP client can call in or sit at a seat."""

from __future__ import annotations

from typing import Any

from django.conf import settings

from anju.calls.lines import queries
from anju.calls.lines.config.plan import REALM
from anju.calls.lines.models import AccessNumber, OneKeyPhone, SeatPhone, Trunk
from anju.elders import queries as elders


def doors() -> dict[str, Any]:
    """The part `sip`; secrets of the demo only (production tells addresses)."""
    numbers = list(AccessNumber.objects.filter(active=True))
    demo = settings.DEMO
    # one that a client can call in over: who calls proves himself to us; a carrier's secret is nobody else's business
    trunk = Trunk.objects.filter(active=True, addresses="", host="", registers=False).exclude(user="").first()
    return {
        "host": {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(settings.ANJU_SIP_HOST, settings.ANJU_SIP_HOST),  # noqa: S104 - to compare with, not to bind
        "port": settings.ANJU_SIP_PORT,
        "transport": "udp",
        "realm": REALM,
        "engine": "asterisk" if queries.is_real() else "simulator",
        "websocket": queries.websocket(),
        "access_number": next((n.number for n in numbers if not n.emergency), ""),
        "emergency_number": next((n.number for n in numbers if n.emergency), ""),
        "trunk": {"user": trunk.user, "secret": trunk.secret} if trunk and demo else None,
        "demo_phones": _demo_phones() if demo else [],
        "seats": _seats() if demo else [],
    }


def _seats() -> list[dict[str, str]]:
    rows = (
        SeatPhone.objects.filter(active=True, user__is_demo=True).exclude(user__seat_number="").select_related("user")
    )
    return [
        {"user": r.user.username, "extension": r.user.seat_number, "secret": r.secret}
        for r in rows.order_by("user__seat_number")
    ]


def _demo_phones() -> list[dict[str, str]]:
    """Telephones of invented elders: who calls in with this number is known by it."""
    found = []
    for phone in OneKeyPhone.objects.filter(active=True).exclude(number="").select_related("device"):
        elder = elders.main_elder(phone.device.home_id) if phone.device.home_id else None
        if elder is not None:
            found.append({"number": phone.number, "elder": elder.name, "user": phone.name, "secret": phone.secret})
    return found
