"""One elder, the people of the centre, a telephone that is up."""

from __future__ import annotations

from datetime import datetime, time, timedelta

import pytest

from anju.calls import actions as calls
from anju.calls.models import Call
from anju.calls.planned import actions
from anju.calls.planned.models import PlannedCall
from anju.incidents.tests.conftest import phone, story
from anju.kernel import clock
from anju.kernel.testing import run_jobs

__all__ = ["phone", "story"]


class Robot:
    """What a test tells of planned calls: who planned what, how the telephone answers."""

    def __init__(self, story):
        self.story = story
        self.story.elder.status = "approved"
        self.story.elder.phone = "13800002046"
        self.story.elder.save()

    def plan(self, kind="care", *, hour=None, minute=0, days="once", by=None, **more):
        """A plan for her; by default in an hour from now."""
        soon = clock.local(clock.now() + timedelta(hours=1))
        at = time(hour, minute) if hour is not None else soon.time().replace(second=0, microsecond=0)
        first = more.pop("first", soon.date())
        return actions.plan(
            by=by or self.story.agent, elder_id=self.story.elder.pk, kind=kind, at=at, first=first, days=days, **more
        )

    def due(self, plan):
        """Let time pass until the next call of the plan is due."""
        at = PlannedCall.objects.get(plan=plan, state="waiting").call_at
        self.story.let_pass(at - clock.now())
        return self.of(plan)

    def of(self, plan):
        """The newest call of the plan that is not waiting for another day."""
        return PlannedCall.objects.filter(plan=plan).exclude(state="waiting").latest("on")

    def dialled(self, ref=""):
        """Robots' calls to her so far."""
        return list(Call.objects.filter(elder_id=self.story.elder.pk, direction="out", by_user=None).order_by("id"))

    def goes(self, *events):
        """The newest robot's call goes like this."""
        call = self.dialled()[-1]
        for event in events:
            assert calls.heard(call_id=str(call.call_id), event=event), event
        run_jobs()

    @staticmethod
    def at(text):
        """A moment on a clock in the centre."""
        return datetime.fromisoformat(text).replace(tzinfo=clock.SHANGHAI)


@pytest.fixture
def robot(story, phone):
    """The stage."""
    return Robot(story)
