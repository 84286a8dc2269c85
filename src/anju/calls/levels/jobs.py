"""Every minute: do the queues hold their levels."""

from __future__ import annotations

from anju.calls.levels import actions
from anju.kernel.jobs import job, periodic


@periodic("* * * * *")
@job("levels.look", retry=None)
def look() -> None:
    """Propose (or make) the moves that the rules ask for."""
    actions.look()
