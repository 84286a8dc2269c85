"""The stage of planned calls (it is noon) and a campaign."""

from __future__ import annotations

from datetime import time, timedelta

import pytest

from anju.calls.campaigns import actions, rules
from anju.calls.campaigns.models import CampaignPerson
from anju.calls.planned.models import PlannedCall
from anju.calls.planned.tests.conftest import phone, robot, story
from anju.kernel import clock
from anju.kernel.testing import run_jobs

__all__ = ["phone", "robot", "story"]


class Drive:
    """What a test tells of a campaign."""

    def __init__(self, robot, lead):
        self.robot, self.story, self.lead = robot, robot.story, lead

    def wanted(self, **more):
        """A campaign of today and tomorrow from nine to five, "1 join, 3 not"."""
        told = {
            "name": "体检", "purpose": "通知体检", "way": "robot", "says": "明天免费体检，您参加吗", "labels": {"1": "参加", "3": "不参加"},
            "first": clock.today(), "until": clock.today() + timedelta(days=1), "from_at": time(9), "until_at": time(17), "at_once": 2,
            "tries": 2, "gap_minutes": 60,
        }  # fmt: skip
        return rules.Wanted(**told | more)

    def made(self, *numbers, elders=True, **more):
        """A draft with her (and these numbers) on its list."""
        row = actions.made(by=self.lead, place=self.story.home.place, it=self.wanted(**more))
        if elders:
            actions.put_elders(by=self.lead, campaign_id=row.pk)
        if numbers:
            cells = [(n, f"客{n}", number) for n, number in enumerate(numbers, 2)]
            actions.put_rows(by=self.lead, campaign_id=row.pk, cells=cells)
        return row

    def started(self, *numbers, **more):
        """The same, running, its first round done."""
        row = self.made(*numbers, **more)
        actions.start(by=self.lead, campaign_id=row.pk)
        run_jobs()
        return row

    @staticmethod
    def people(row):
        """The list."""
        return list(CampaignPerson.objects.filter(campaign=row).order_by("id"))

    @staticmethod
    def ringing():
        """How many robots ring."""
        return PlannedCall.objects.filter(state="ringing").count()


@pytest.fixture
def drive(robot, an_actor):
    """The stage."""
    return Drive(robot, an_actor("lead", "agent"))
