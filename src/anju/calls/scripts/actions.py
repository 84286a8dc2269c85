"""What scripted calls do: keep what was pressed, ring back who hung up in need. `calls.actions` asks for one."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta

from django.db import transaction

from anju.calls import actions as calls
from anju.calls import queries as call_queries
from anju.calls.models import Call, CallBack
from anju.calls.scripts.facts import SurveyAnswered
from anju.calls.scripts.models import Survey
from anju.calls.scripts.queries import robots_dial
from anju.kernel import clock
from anju.kernel.facts import announce
from anju.kernel.flow.actor import THE_CLOCK, NotAllowed
from anju.kernel.scope import EVERYWHERE, seen_by

ROBOT_TRIES = 5
"""So often the robot rings; then only people do, and the lead is pressed on."""
FIRST_OFFER = timedelta(seconds=30)
"""So long only people are asked to ring back, after the loss and after each try."""


@transaction.atomic
def answered(*, call_id: str, digit: str, subject: str = "call") -> bool:
    """A key after "how was it": kept once for each call. Any other key, or a second one, changes nothing: False."""
    if digit not in set("12345"):
        return False
    with seen_by(EVERYWHERE):
        call = Call.objects.select_for_update().filter(call_id=call_id).first()
        if call is None or Survey.objects.filter(call_id=call_id).exists():
            return False
        row = Survey.objects.create(
            call_id=call_id, place=call.place, ref=call.ref, subject=subject, user_id=call.user_id,
            elder_id=call.elder_id, score=int(digit), at=clock.now(),
        )  # fmt: skip
        Call.objects.filter(pk=call.pk).update(satisfaction=row.score)
        announce(SurveyAnswered(call_id, row.ref, subject, row.score, row.user_id))
    return True


def call_back_due(*, call_back_id: int, attempts: int) -> str:
    """An abandoned emergency call waits. First it is offered to people; when its minute passed, the robot rings.

    Answers with the id of the robot's call, or "". Taking it is one move of one row, so nobody rings twice at once; after
    ROBOT_TRIES only people ring, and the lead is pressed on every minute.
    """
    with seen_by(EVERYWHERE), transaction.atomic():
        owed = CallBack.objects.select_for_update(of=("self",)).select_related("call").get(pk=call_back_id)
        if owed.state != "waiting" or attempts >= ROBOT_TRIES or not owed.number or not robots_dial():
            return ""
        if clock.now() - max(owed.created_at, _last_ended(owed)) < FIRST_OFFER:
            return ""
        try:
            calls.take_call_back(by=THE_CLOCK, call_back_id=owed.pk)
        except NotAllowed:  # somebody was quicker
            return ""
        call = calls.robot_call(
            number=owed.number, whom=owed.call.whom or "来电人", purpose="call_back", place=owed.place,
            ref=owed.call.ref or f"call_back:{owed.pk}", script="abandoned_callback", says="",
        )  # fmt: skip
        Call.objects.filter(pk=call.pk).update(home_id=owed.home_id, elder_id=owed.elder_id, emergency=True, priority=9)
        CallBack.objects.filter(pk=owed.pk).update(last_call_id=call.call_id)
        return str(call.call_id)


def _last_ended(owed: CallBack) -> datetime:
    """When the last try ended; one that still runs ends in the future."""
    last = call_queries.call(str(owed.last_call_id)) if owed.last_call_id else None
    if last is None:
        return owed.created_at
    return last.ended_at or clock.now()


def call_back_spoke(*, call_id: str) -> None:
    """An agent speaks with her, or she pressed a key: nothing is owed any more."""
    _settle(call_id, calls.call_back_reached)


def call_back_ended(*, call_id: str) -> None:
    """A call-back is over. If nobody spoke in it, it waits again."""
    _settle(call_id, calls.call_back_not_reached)


def _settle(call_id: str, move: Callable[..., None]) -> None:
    with seen_by(EVERYWHERE), transaction.atomic():
        owed = CallBack.objects.filter(last_call_id=call_id, state="calling").first()
        if owed is not None:
            move(call_back_id=owed.pk)
