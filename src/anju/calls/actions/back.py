"""Ringing back a caller in need whom nobody spoke with."""

from __future__ import annotations

from django.db import transaction

from anju.calls.actions.asking import dial
from anju.calls.models import Call, CallBack
from anju.kernel.flow import engine
from anju.kernel.flow.engine import THE_CLOCK, Actor, NotAllowed


@transaction.atomic
def take_call_back(*, by: Actor, call_back_id: int, call_id: str | None = None) -> CallBack:
    """Somebody (or the robot, with THE_CLOCK) rings back now; of two who press at once exactly one does."""
    owed = CallBack.objects.get(pk=call_back_id)
    engine.make(owed, "take", by)
    owed.attempts += 1
    owed.last_call_id = call_id
    owed.save(update_fields=["attempts", "last_call_id"])
    return owed


@transaction.atomic
def ring_back(*, by: Actor, call_back_id: int) -> Call:
    """Take it and dial the caller from one's own seat."""
    owed = take_call_back(by=by, call_back_id=call_back_id)
    if not owed.number:
        raise NotAllowed("来电没有号码，无法回拨。请从设备所在住户的档案里找号码拨打。", code="needs")
    call = dial(
        by=by, number=owed.number, whom=owed.call.whom or "来电人", purpose="call_back", place=owed.place,
        ref=owed.call.ref or f"call_back:{owed.pk}", elder_id=owed.elder_id,
    )  # fmt: skip
    owed.last_call_id = call.call_id
    owed.save(update_fields=["last_call_id"])
    return call


def call_back_reached(*, call_back_id: int, by: Actor = THE_CLOCK) -> None:
    """Somebody spoke with the caller."""
    engine.make(CallBack.objects.get(pk=call_back_id), "reached", by)


def call_back_not_reached(*, call_back_id: int, by: Actor = THE_CLOCK) -> None:
    """Nobody lifted: it waits again."""
    engine.make(CallBack.objects.get(pk=call_back_id), "not_reached", by)


def call_back_given_up(*, call_back_id: int, by: Actor, reason: str) -> None:
    """A lead ends it without having reached the caller; the reason is kept."""
    engine.make(CallBack.objects.get(pk=call_back_id), "give_up", by, note=reason)


@transaction.atomic
def call_back_came_back(*, call_back_id: int, call_id: str | None = None) -> None:
    """Somebody speaks with the caller after all: nothing is owed any more."""
    owed = CallBack.objects.get(pk=call_back_id)
    owed.last_call_id = call_id or owed.last_call_id
    owed.save(update_fields=["last_call_id"])
    engine.make(owed, "came_back", THE_CLOCK)
