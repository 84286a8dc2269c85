"""What devices announce upwards; who reacts stands in `config/wiring.py`."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class DevicePlaced:
    """A device was put into a home or taken out of it."""

    device_id: int
    home_id: int
