"""Background work of notices."""

from __future__ import annotations

from anju.kernel.jobs import job


@job("notices.deliver", queue="urgent")
def deliver(*, notice_id: int) -> None:
    """Carry one message out; what fails is tried again by `notices.actions.sweep`."""
    from anju.notices import actions

    actions.deliver(notice_id=notice_id)
