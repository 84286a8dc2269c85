"""Housekeeping of the desk."""

from __future__ import annotations

from anju.kernel.jobs import periodic
from anju.portals.desk import press


@periodic("17 4 * * *")
def forget_old_presses(timestamp: int) -> None:
    """Once a night."""
    press.forget_old()
