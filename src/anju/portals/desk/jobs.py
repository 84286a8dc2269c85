"""Housekeeping of the desk."""

from __future__ import annotations

from anju.kernel.jobs import job, periodic
from anju.portals.desk import press


@periodic("17 4 * * *")
@job("desk.forget_old_presses")
def forget_old_presses() -> None:
    """Once a night."""
    press.forget_old()
