"""What `var/run.json` tells about the demo: its log-ins and its devices."""

from __future__ import annotations

from django.conf import settings

from anju.devices import queries as devices
from anju.kernel.scope import EVERYWHERE, seen_by
from anju.town.demo import families, staff


def logins() -> list[dict[str, str]]:
    """Role, user and password of each demo log-in, in the order in which they are shown."""
    return [
        {"role": login.role.value, "user": login.user, "password": settings.SECRETS.demo}
        for login in (*staff.LOGINS, *families.LOGINS)
        if login.shown
    ]


def demo_devices() -> list[dict[str, str]]:
    """The installed devices of the demo, for those who want to speak for them."""
    with seen_by(EVERYWHERE):
        products = {p.code: p.product_id for p in devices.products()}
        return [
            {
                "imei": d.device.imei, "device_id": d.device.operator_id, "kind": d.device.kind, "home": str(d.device.home_id),
                "source": d.device.source, "product_id": products[d.device.product_code], "product": d.device.product_code,
            }
            for d in devices.health(limit=2000)
        ]  # fmt: skip
