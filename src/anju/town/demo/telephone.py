"""The demo's telephone: one line from outside, two numbers to call, one-key phones in homes, a telephone for each seat.

No number can belong to anybody: no local number begins with 0 (see `town.ids`). Every secret is random and made at the first start.
"""

from __future__ import annotations

from anju.accounts.permissions import THE_PLATFORM
from anju.calls.lines import actions as lines
from anju.devices import queries as devices
from anju.town import ids

ACCESS, EMERGENCY = "05710096219", "05710096120"
TRUNK = "demo-trunk"
PHONES = 12
"""So many homes have a one-key phone that a SIP client may call in as."""


def make() -> int:
    """What is missing; how many lines there are in the end."""
    lines.ensure_trunk(name=TRUNK, label="演示中继", by=THE_PLATFORM)
    lines.put_number(number=ACCESS, label="服务热线", emergency=False, by=THE_PLATFORM)
    lines.put_number(number=EMERGENCY, label="紧急救助", emergency=True, prompt="emergency_welcome", by=THE_PLATFORM)
    seats = lines.ensure_seats()
    phones = [d.device for d in devices.health(limit=2000, product__kind="phone") if d.device.home_id][:PHONES]
    for n, device in enumerate(phones):
        lines.put_phone(name=f"onekey-{n + 1:03d}", device_id=device.id, number=ids.mobile(7000 + n), by=THE_PLATFORM)
    return 3 + seats + len(phones)
