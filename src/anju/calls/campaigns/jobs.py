"""Background work of campaigns."""

from __future__ import annotations

from anju.kernel.jobs import job, periodic


@periodic("* * * * *")
@job("campaigns.round")
def round_of_all() -> None:
    """Every minute: whoever may be rung next is; what is over ends."""
    from anju.calls.campaigns import actions

    actions.feed_all()


@job("campaigns.feed")
def feed(campaign_id: int) -> None:
    """A call of this campaign is over: the next one."""
    from anju.calls.campaigns import actions

    actions.feed(campaign_id)


@periodic("40 3 * * *")
@job("campaigns.forget_strangers")
def forget_strangers() -> None:
    """Every night: numbers of people without a file go when their time is over."""
    from anju.calls.campaigns import actions

    actions.forget_strangers()
