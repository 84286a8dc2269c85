"""How to begin an audit and a complaint, for the tests that hold of every flow."""

from __future__ import annotations

from anju.accounts.roles import Role
from anju.calls.recordings.tests.made import a_call
from anju.kernel.flow.actor import Actor
from anju.kernel.testing import opens
from anju.supervision import actions
from anju.supervision.models import Complaint, Review

JUDGE = Actor("汪敏", frozenset({Role.QUALITY}), user_id=501)
AGENT = 601


def a_review() -> Review:
    """A call of an agent that somebody wants to hear."""
    call = a_call(user_id=AGENT)
    return actions.pick(call_id=str(call.call_id), by=JUDGE, why="不定期抽查")


def a_complaint() -> Complaint:
    """A client is not content."""
    return actions.complain(
        by=Actor("周晓岚", frozenset({Role.AGENT})),
        source="phone",
        about="agent",
        content="说话不耐烦",
        place="330199001001",
    )


opens("review", a_review)
opens("complaint", a_complaint)
