"""What the gateway would have stored: lanes and messages, put there by hand."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from datetime import datetime
from uuid import uuid4

from django.db import connection

from anju.devices import actions as devices
from anju.elders.tests.factories import ElderFactory
from anju.kernel import clock
from anju.signals import log
from anju.signals.models import Cursor, Lane
from anju.signals.signal import Signal, message_id

CODES = {"sos": ("0004", "0010"), "motion": ("0010", "0119"), "tamper": ("0038", "0125"), "battery": ("0004", "0016"),
         "gas": ("0021", "0009"), "vitals": ("0004", "0901"), "offline": ("0004", "0073")}  # fmt: skip


def lane(*, urgent: bool = False, gateway: str = "gw") -> Lane:
    """An open lane that nobody has read."""
    made = Lane.objects.create(gateway=gateway, urgent=urgent, opened_at=clock.now())
    Cursor.objects.create(lane=made, floor=clock.now())
    return made


def sig(kind: str, at: datetime | None = None, **given) -> Signal:
    """A signal of that kind with its usual codes."""
    dty, stc = CODES.get(kind, ("0004", "0901"))
    return Signal(kind, at or clock.now(), given.pop("dty", dty), given.pop("stc", stc), **given)


def put(
    where: Lane,
    signals: Sequence[Signal] | None,
    *,
    key: str = "860000000000001",
    dedup: str | None = None,
    source: str = "ctwing",
    received_at: datetime | None = None,
    vitals: dict | None = None,
    decoded: str | None = None,
    product: str = "P1",
) -> int:
    """Store one message at the end of the lane; its id. `signals=None` is a body that nobody could decode."""
    where.last_seq += 1
    where.save(update_fields=["last_seq"])
    ident, received = message_id(where.pk, where.last_seq), received_at or clock.now()
    text = decoded if decoded is not None else log.write_signals(signals or [], vitals or {}).decode()
    stamp = hashlib.blake2b((dedup or uuid4().hex).encode(), digest_size=16).digest()
    with connection.cursor() as cursor:
        cursor.execute(
            """INSERT INTO signals_message (id, received_at, device_at, uid, source, product_id, device_key, operator_id, kind,
                 outcome, n, windowed, dedup, decoded, raw, note)
               VALUES (%s, %s, %s, %s, %s, %s, %s, '', 'report', 'pending', %s, false, %s, %s, '', %s)""",
            [ident, received, received, uuid4(), source, product, key, len(signals) if signals is not None else 0, stamp, text,
             "" if signals is not None else "不是 JSON"],
        )  # fmt: skip
    return ident


def a_device(
    imei: str = "860000000000001", *, product: str = "cord-nb1", position: str = "卫生间", installed: bool = True
):
    """A device in the home of an elder (or in stock)."""
    devices.load_products()
    device = devices.register(imei=imei, product_code=product)
    if installed:
        home = ElderFactory().home
        device = devices.install(device_id=device.pk, home_id=home.pk, place=home.place, position=position)
    return device
