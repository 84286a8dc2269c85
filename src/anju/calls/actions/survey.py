"""Asking by telephone how something was: a robot call with keys 1 to 5."""

from __future__ import annotations

from django.db import transaction

from anju.calls.actions.course import robot_call
from anju.calls.models import Call

ASKS = "您好，这里是居家养老服务中心。请为{what}评价。非常满意请按五，满意请按四，一般请按三，不满意请按二，很不满意请按一。"


@transaction.atomic
def survey(
    *, number: str, whom: str, ref: str, place: str, what: str = "本次服务", elder_id: int | None = None
) -> Call:  # fmt: skip
    """Ring somebody and ask for a key from 1 to 5 (FLD-06: after an order, before it is archived).

    The answer is announced as `scripts.facts.SurveyAnswered` with this `ref`; a call that nobody answers ends like every
    robot call (CallEnded), and asking again is up to the asker. Never 110/119/120.
    """
    call = robot_call(
        number=number,
        whom=whom,
        purpose="follow_up",
        ref=ref,
        place=place,
        script="survey",
        says=ASKS.format(what=what),
    )
    if elder_id is not None:
        call.elder_id = elder_id
        call.save(update_fields=["elder_id"])
    return call
