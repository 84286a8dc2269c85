"""What scripted calls do: ask for one, keep what was pressed, ring back who hung up in need."""

from __future__ import annotations

from django.db import transaction

from anju.calls import actions as calls
from anju.calls import queries as call_queries
from anju.calls.models import Call, CallBack
from anju.calls.scripts.facts import SurveyAnswered
from anju.calls.scripts.models import Survey
from anju.calls.scripts.queries import robots_dial
from anju.kernel import clock
from anju.kernel.facts import announce
from anju.kernel.flow.engine import THE_CLOCK, NotAllowed
from anju.kernel.scope import EVERYWHERE, seen_by

SURVEY = "survey"
OFFERED = 1
"""How many deadlines a call-back waits for an agent before the robot rings: the first ring is a person's."""
ROBOT_TRIES = 5
"""So often the robot rings; then only people do, and the lead is pressed on."""
ASKS = "您好，这里是居家养老服务中心。请为{what}评价。非常满意请按五，满意请按四，一般请按三，不满意请按二，很不满意请按一。"


@transaction.atomic
def survey(
    *, number: str, whom: str, ref: str, place: str, what: str = "本次服务", elder_id: int | None = None
) -> Call:  # fmt: skip
    """Ring somebody and ask for a key from 1 to 5 (FLD-06: after an order, before it is archived).

    The answer is announced as SurveyAnswered with this `ref`; a call that nobody answers ends like every robot call
    (CallEnded), and asking again is up to the asker. Never 110/119/120.
    """
    call = calls.robot_call(
        number=number, whom=whom, purpose="follow_up", ref=ref, place=place, script=SURVEY, says=ASKS.format(what=what)
    )
    if elder_id is not None:
        Call.objects.filter(pk=call.pk).update(elder_id=elder_id)
    return call


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

    Answers with the id of the robot's call, or "". Taking it is one move of one row, so nobody rings twice at once.
    """
    with seen_by(EVERYWHERE), transaction.atomic():
        owed = CallBack.objects.select_for_update(of=("self",)).select_related("call").get(pk=call_back_id)
        waited = (clock.now() - owed.created_at).total_seconds()
        if owed.state != "waiting" or waited < FIRST_OFFER or attempts >= ROBOT_TRIES:
            return ""
        if not owed.number or not robots_dial() or _rings(owed):
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


FIRST_OFFER = 30
"""Seconds in which only people are asked to ring back."""


def _rings(owed: CallBack) -> bool:
    """Whether the last call-back still rings or talks."""
    last = call_queries.call(str(owed.last_call_id)) if owed.last_call_id else None
    return last is not None and last.ended_at is None
