"""How to begin a campaign, for the tests that hold of every flow."""

from datetime import time

from anju.accounts.permissions import PLATFORM
from anju.accounts.roles import Role
from anju.calls.campaigns.models import Campaign
from anju.kernel import clock
from anju.kernel.flow import engine
from anju.kernel.flow.actor import Actor
from anju.kernel.testing import opens


def draft() -> Campaign:
    """A campaign with an empty list."""
    row = Campaign(
        place="330199001000", name="体检通知", purpose="通知", way="robot", says="体检", first=clock.today(), until=clock.today(),
        from_at=time(9), until_at=time(17), at_once=1, tries=1, gap_minutes=10, made_by="试", made_at=clock.now(),
    )  # fmt: skip
    engine.begin(row, Actor("试", frozenset({PLATFORM, Role.LEAD})))
    return row


opens("campaign", draft)
