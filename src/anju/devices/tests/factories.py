"""Many homes with devices, quickly: for what must not grow with a district."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from random import Random

from django.db import connection
from tests import database

from anju.devices.models import Device, Product, Vitals
from anju.elders.models import Home
from anju.kernel import clock


@database.quietly()
def build(count: int, dice: Random, *, places: Sequence[str]) -> list[Home]:
    """`count` homes with two devices each, in every state that a device can be in. Products must be loaded.

    The database counts its tables afterwards, as its own housekeeping does within a minute of a commit: inside the
    transaction of a test it never would, and plans a join of 20,000 devices as if there were none.
    """
    now, products = clock.now(), list(Product.objects.order_by("pk"))
    codes = [places[n % len(places)] for n in range(count)]
    homes = Home.objects.bulk_create(
        [Home(place=code, area=code, status=dice.choice(["active"] * 9 + ["suspended"])) for code in codes]
    )
    devices = Device.objects.bulk_create(
        [
            Device(
                imei=f"{home.pk:08d}{nth}", product=dice.choice(products), home=home, place=home.place, status="installed",
                installed_at=dice.choice([None, now - timedelta(days=40), now]),
            )
            for home in homes
            for nth in range(2)
        ]
    )  # fmt: skip
    Vitals.objects.bulk_create(
        [
            Vitals(
                device=device, last_heard_at=dice.choice([None, now - timedelta(minutes=dice.randrange(20_000)), now]),
                last_event_at=dice.choice([None, now - timedelta(minutes=dice.randrange(120))]),
                tamper=dice.random() < 0.05, battery=dice.choice([None, 5, 20, 21, 90]),
                rsrp=dice.choice([None, -113, -112, -80]),
            )
            for device in devices
            if dice.random() < 0.95
        ]
    )  # fmt: skip
    with connection.cursor() as cursor:
        cursor.execute(f"ANALYZE {', '.join(m._meta.db_table for m in (Home, Device, Vitals))}")
    return homes
