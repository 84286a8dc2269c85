"""Background work of calls."""

from __future__ import annotations

from django.db import transaction

from anju.calls.exchange import CannotDial, Order, exchange
from anju.kernel.jobs import job
from anju.kernel.scope import EVERYWHERE, seen_by


@job("calls.dial", queue="urgent")
def dial(*, call_id: str) -> None:
    """Hand a planned call to the engine, once. After a crash in between the call ends as `unknown`, never twice."""
    from anju.calls import actions
    from anju.calls.models import Call

    engine = exchange()
    with seen_by(EVERYWHERE):
        with transaction.atomic():
            call = Call.objects.select_for_update().filter(call_id=call_id).first()
            if call is None or call.state != "planned" or call.exchange:
                return
            call.exchange = engine.name
            call.save(update_fields=["exchange"])
        try:
            engine.dial(
                Order(
                    call_id=call_id,
                    number=call.number,
                    script=call.script,
                    says=call.says,
                    keys={"1": call.says_after_key} if call.says_after_key else {},
                )
            )
        except CannotDial:
            actions.heard(call_id=call_id, event="refused")
