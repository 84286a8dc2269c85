"""Background work of planned calls."""

from __future__ import annotations

from anju.kernel.jobs import job, periodic


@periodic("20 * * * *")
@job("planned_calls.write_ahead")
def write_ahead() -> None:
    """The net of every hour: the next call of each plan stands before its time."""
    from anju.calls.planned import actions

    actions.write_ahead()
