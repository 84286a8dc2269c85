"""What hangs on the walls of a home: three to six devices of the demo's products."""

from __future__ import annotations

from dataclasses import dataclass
from random import Random

from anju.town import ids, words


@dataclass(frozen=True, slots=True)
class DeviceSeed:
    """A device as the stock list knows it. `trouble` is what the demo makes of it: silent, low or nothing."""

    kind: str
    product: str
    imei: str
    operator_id: str
    sn: str
    position: str
    lco: str
    trouble: str = ""


PRODUCTS: dict[str, tuple[str, ...]] = {
    "sos": ("cord-nb1", "sos-nb1", "sos-bin1", "cord-nb1", "sos-on1"),
    "motion": ("pir-nb1", "pir-nb1", "pir-on1"),
    "door": ("door-nb1",),
    "phone": ("phone-4g1",),
    "gas": ("gas-nb1",),
}
"""Kind → product codes of `devices` that the town uses for it."""


def kit_for(n: int, rng: Random, *, full: bool = False) -> tuple[DeviceSeed, ...]:
    """Two cords or one, one or two motion detectors, a door contact; some homes a phone or a gas alarm."""
    wanted = ["sos", "motion", "door"]
    if full or rng.random() < 0.45:
        wanted.insert(1, "sos")
    if rng.random() < 0.3 and not full:
        wanted.append("motion")
    if full or rng.random() < 0.2:
        wanted.append("gas")
    if full or rng.random() < 0.25:
        wanted.append("phone")
    seen: dict[str, int] = {}
    return tuple(_device(n, i, kind, seen, rng) for i, kind in enumerate(wanted[:6]))


def _device(n: int, i: int, kind: str, seen: dict[str, int], rng: Random) -> DeviceSeed:
    nth = seen.get(kind, 0)
    seen[kind] = nth + 1
    places = words.POSITIONS[kind]
    position, lco = places[nth % len(places)]
    choices = PRODUCTS[kind]
    number = n * 8 + i
    trouble = rng.choices(("", "silent", "low", "weak"), (90, 3, 4, 3))[0]
    if n % 67 == 13:
        trouble = "silent"  # a whole home that we do not hear
    if n == 1:
        trouble = "low" if kind == "door" else ""
    if n == 0:
        trouble = ""
    return DeviceSeed(
        kind=kind,
        product=choices[(n + nth) % len(choices)],
        imei=ids.imei(number),
        operator_id=f"aj{number:08d}",
        sn=f"WC{number:07d}",
        position=position,
        lco=lco,
        trouble=trouble,
    )
